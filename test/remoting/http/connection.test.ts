import { type AddressInfo, createServer } from "node:net";
import tls, { createServer as createTlsServer } from "node:tls";
import { inspect } from "node:util";
import type { CertificateMaterial } from "../../../provider/certificate/material";
import { isRemotingError, type RemotingError } from "../../../provider/remoting/errors";
import {
  basicAuthentication,
  type ConnectionAuthentication,
  type SecurityContext,
} from "../../../provider/remoting/http/authentication";
import { type ConnectionOptions, HttpConnection } from "../../../provider/remoting/http/connection";
import { CookieJar } from "../../../provider/remoting/http/cookies";
import { decryptBody, encryptBody } from "../../../provider/remoting/http/multipart";
import { Secret } from "../../../provider/secret";
import { makeTestAuthority, makeTestCertificate } from "../../certificate/testCertificates";
import { turning } from "./turning";
import { type Handler, pem, startWebServer, tlsIdentity, type WebServer } from "./webServer";

const PASSWORD = "correct-horse-battery";
const BASIC = basicAuthentication("admin@contoso.com", new Secret(PASSWORD));
const SOAP = "application/soap+xml;charset=UTF-8";
const unlimited = { signal: new AbortController().signal, timeoutSeconds: 20 };

let authority: CertificateMaterial;
let identity: CertificateMaterial;
const opened: { close: () => unknown }[] = [];

beforeAll(() => {
  authority = makeTestAuthority();
  identity = makeTestCertificate({ dnsNames: ["mail.contoso.com", "ex01.contoso.com"], issuer: authority });
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function serve(handler: Handler, tls: CertificateMaterial | undefined = identity): Promise<WebServer> {
  const server = await startWebServer(handler, tls);
  opened.push(server);
  return server;
}

/** A trusted connection to that port, unless something else is said. */
function connectTo(port: number, changes: Partial<ConnectionOptions> = {}, scheme = "https"): HttpConnection {
  const connection = new HttpConnection({
    url: new URL(`${scheme}://127.0.0.1:${port}/PowerShell/`),
    authentication: BASIC,
    ...(scheme === "https" ? { tls: { ca: caOf(authority), serverName: "mail.contoso.com" } } : {}),
    cookies: new CookieJar(),
    now: () => new Date(),
    ...changes,
  });
  opened.push(connection);
  return connection;
}

/** The root: the server sends the intermediate one itself. */
function caOf(issuing: CertificateMaterial): string {
  const root = issuing.chain[0];
  if (root === undefined) throw new Error("no root");
  return pem("CERTIFICATE", root);
}

const echo: Handler = (request, response) => {
  response.setHeader("Content-Type", SOAP);
  response.end(`<echo>${request.body.toString("utf8")}</echo>`);
};

async function failure(post: Promise<string>): Promise<RemotingError> {
  try {
    await post;
  } catch (error) {
    if (!isRemotingError(error)) throw error;
    const said = `${inspect(error, { depth: 10, showHidden: true })}${error.message}`;
    const encoded = Buffer.from(`admin@contoso.com:${PASSWORD}`).toString("base64");
    if (said.includes(PASSWORD) || said.includes(encoded))
      throw new Error("an error shows the password", { cause: error });
    return error;
  }
  throw new Error("it didn't fail");
}

describe("a connection", () => {
  it("posts SOAP and returns what comes back, on one TCP connection", async () => {
    const server = await serve(echo);
    const connection = connectTo(server.port);
    const answers = await Promise.all(["ä", "b", "c"].map((text) => connection.post(text, unlimited)));
    expect(answers).toEqual(["<echo>ä</echo>", "<echo>b</echo>", "<echo>c</echo>"]);
    expect(server.connections()).toBe(1);
    expect(server.arrived[0]?.headers).toMatchObject({
      "content-type": SOAP,
      "accept-encoding": "identity",
      connection: "keep-alive",
      authorization: `Basic ${Buffer.from(`admin@contoso.com:${PASSWORD}`).toString("base64")}`,
    });
  });

  it("sends one request at a time", async () => {
    let running = 0;
    let most = 0;
    const server = await serve(async (request, response) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      await echo(request, response);
    });
    const connection = connectTo(server.port);
    await Promise.all(["a", "b", "c", "d"].map((text) => connection.post(text, unlimited)));
    expect(most).toBe(1);
  });

  it("returns a SOAP fault, which comes with status 500, as an answer", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(500, { "Content-Type": SOAP }).end("<fault/>");
    });
    expect(await connectTo(server.port).post("x", unlimited)).toBe("<fault/>");
  });

  it("gives back the session's cookies, on its other connections too", async () => {
    const server = await serve((request, response) => {
      response.setHeader("Set-Cookie", "MS-WSMAN=abc=; path=/powershell");
      void echo(request, response);
    });
    const cookies = new CookieJar();
    await connectTo(server.port, { cookies }).post("a", unlimited);
    await connectTo(server.port, { cookies }).post("b", unlimited);
    expect(server.arrived.map(({ headers }) => headers.cookie)).toEqual([undefined, "MS-WSMAN=abc="]);
  });

  it("works on over a new TCP connection when the old one was closed", async () => {
    const server = await serve(echo);
    const connection = connectTo(server.port);
    await connection.post("a", unlimited);
    server.arrived[0]?.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await connection.post("b", unlimited)).toBe("<echo>b</echo>");
    expect(server.connections()).toBe(2);
  });

  it("leaves its TCP connection when it is to be a newcomer again, after what is still under way", async () => {
    const server = await serve(echo);
    const connection = connectTo(server.port);
    const first = connection.post("a", unlimited);
    connection.renew();
    const answers = await Promise.all([first, connection.post("b", unlimited), connection.post("c", unlimited)]);
    expect(answers).toEqual(["<echo>a</echo>", "<echo>b</echo>", "<echo>c</echo>"]);
    expect(server.arrived.map(({ connection: number }) => number)).toEqual([1, 2, 2]);
  });
});

describe("whom a connection trusts", () => {
  it("takes no TLS older than 1.2, whatever Node would let through", async () => {
    const before = tls.DEFAULT_MIN_VERSION;
    // What --tls-min-v1.0 in NODE_OPTIONS does.
    tls.DEFAULT_MIN_VERSION = "TLSv1";
    try {
      const server = createTlsServer({
        ...tlsIdentity(identity),
        minVersion: "TLSv1",
        maxVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
      });
      opened.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const error = await failure(connectTo((server.address() as AddressInfo).port).post("x", unlimited));
      expect(error.code).toBe("TlsRefused");
    } finally {
      tls.DEFAULT_MIN_VERSION = before;
    }
  });

  it("says whose certificate it was when the names don't fit", async () => {
    const server = await serve(echo);
    const connection = connectTo(server.port, { tls: { ca: caOf(authority), serverName: "owa.fabrikam.com" } });
    const error = await failure(connection.post("secret body", unlimited));
    expect(error.code).toBe("TlsRefused");
    expect(error.facts.fate).toBe("notDone");
    expect(error.message).toMatch(
      /isn't made out to owa\.fabrikam\.com.*"mail\.contoso\.com", issued by "Contoso Issuing CA" for mail\.contoso\.com, ex01\.contoso\.com/,
    );
    expect(server.arrived).toEqual([]);
  });

  it("holds the certificate against the URL's host when no other name is given", async () => {
    const server = await serve(echo);
    const error = await failure(connectTo(server.port, { tls: { ca: caOf(authority) } }).post("x", unlimited));
    expect(error.message).toContain("isn't made out to 127.0.0.1");
  });

  it.each<[string, () => [CertificateMaterial, string | undefined], RegExp]>([
    ["an unknown CA", () => [identity, undefined], /CA at the end of its chain isn't trusted|CA that issued it/],
    [
      "a self-signed certificate",
      () => [makeTestCertificate({ dnsNames: ["mail.contoso.com"] }), undefined],
      /self-signed/,
    ],
    [
      "a certificate whose time is over",
      () => [
        makeTestCertificate({
          dnsNames: ["mail.contoso.com"],
          issuer: authority,
          notBefore: new Date("2020-01-01T00:00:00Z"),
          notAfter: new Date("2021-01-01T00:00:00Z"),
        }),
        caOf(authority),
      ],
      /has expired.*Jan {2}1 .* 2021/,
    ],
  ])("refuses %s, before anything is sent", async (_what, make, message) => {
    const [certificate, ca] = make();
    const server = await serve(echo, certificate);
    const error = await failure(
      connectTo(server.port, { tls: { ca, serverName: "mail.contoso.com" } }).post("x", unlimited),
    );
    expect(error.code).toBe("TlsRefused");
    expect(error.message).toMatch(message);
    expect(server.arrived).toEqual([]);
  });

  it("trusts a self-signed certificate that is named as the CA", async () => {
    const own = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
    const server = await serve(echo, own);
    const tls = { ca: pem("CERTIFICATE", own.der), serverName: "mail.contoso.com" };
    expect(await connectTo(server.port, { tls }).post("a", unlimited)).toBe("<echo>a</echo>");
  });

  it("trusts anyone only when told to in so many words", async () => {
    const server = await serve(echo);
    const tls = { dangerouslySkipVerification: true };
    expect(await connectTo(server.port, { tls }).post("a", unlimited)).toBe("<echo>a</echo>");
  });

  it("says so when the other side doesn't speak TLS at all", async () => {
    const server = await startWebServer(echo);
    opened.push(server);
    const error = await failure(connectTo(server.port).post("x", unlimited));
    expect(error.code).toBe("TlsRefused");
    expect(error.message).toMatch(/TLS could not be agreed on/);
  });
});

describe("what a connection is refused for", () => {
  it("refuses Basic over plain http", () => {
    expect(() => connectTo(80, {}, "http")).toThrow(/Basic over plain http would send the password in clear text/);
  });

  it("refuses credentials in the URL, without repeating them", () => {
    const make = () => connectTo(443, { url: new URL("https://u:hunter2@ex01.contoso.com/PowerShell/") });
    expect(make).toThrow(/no place for/);
    expect(make).not.toThrow(/hunter2/);
  });

  it.each(["ftp://ex01.contoso.com/", "ws://ex01.contoso.com/"])("refuses %s", (url) => {
    expect(() => connectTo(1, { url: new URL(url) })).toThrow(/must begin with https/);
  });
});

describe("how a connection fails", () => {
  it("says that nobody listens", async () => {
    const port = await freePort();
    const error = await failure(connectTo(port).post("x", unlimited));
    expect([error.code, error.facts.fate]).toEqual(["ConnectionRefused", "notDone"]);
    expect(error.message).toContain(`https://127.0.0.1:${port}/PowerShell/: nobody answers there`);
  });

  it("says that there is no such host", async () => {
    const url = new URL("https://no-such-host.invalid/PowerShell/");
    const error = await failure(connectTo(443, { url }).post("x", unlimited));
    expect([error.code, error.facts.fate]).toEqual(["HostUnknown", "notDone"]);
  });

  it("doesn't claim to know what became of a request when the connection ends under it", async () => {
    const server = await serve((request) => {
      request.socket.destroy();
    });
    const error = await failure(connectTo(server.port).post("x", unlimited));
    expect([error.code, error.facts.fate]).toEqual(["ConnectionLost", undefined]);
  });

  it.each([
    ["a header that is none", "HTTP/1.1 200 OK\r\nSet-Cookie: MS-WSMAN=the-cookie\r\nbad header\r\n\r\n"],
    ["no HTTP at all", "MS-WSMAN=the-cookie\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nSet-Cookie: a=the-cookie\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"],
    [
      "a chunk without a length",
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=the-cookie\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
  ])("keeps nothing of an answer with %s, not even in the cause", async (_what, raw) => {
    const server = await serve((request) => {
      request.socket.end(raw);
    });
    const error = await failure(connectTo(server.port).post("x", unlimited));
    expect(error.code).toBe("ConnectionLost");
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("the-cookie");
    const seen: unknown[] = [];
    for (let one: unknown = error; one instanceof Error; one = one.cause) seen.push(...Object.values(one));
    expect(seen.filter((one) => ArrayBuffer.isView(one))).toEqual([]);
  });

  it("fails as well when the answer breaks off", async () => {
    const server = await serve((request, response) => {
      response.writeHead(200, { "Content-Type": SOAP, "Content-Length": 1000 });
      response.write("<half", () => request.socket.destroy());
    });
    expect((await failure(connectTo(server.port).post("x", unlimited))).code).toBe("ConnectionLost");
  });

  it.each<[number, Record<string, string | string[]>, string, RegExp]>([
    [
      401,
      { "WWW-Authenticate": ["Kerberos", "Negotiate TlRMTVNTUA=="] },
      "AuthenticationRefused",
      /takes Kerberos, Negotiate; we offered Basic/,
    ],
    [
      401,
      { "WWW-Authenticate": 'Basic realm="ex01"' },
      "AuthenticationRefused",
      /check the user name and the password/,
    ],
    [401, {}, "AuthenticationRefused", /names no method/],
    [403, { "X-FEServer": "EX01" }, "Forbidden", /front end EX01.*SSL/],
    [404, {}, "EndpointNotFound", /\/PowerShell\/ on port 80 or 443/],
    [
      302,
      { Location: "/owa/auth.aspx?token=s3cret" },
      "HttpUnexpected",
      /points to https:\/\/127\.0\.0\.1:\d+\/owa\/auth\.aspx, which/,
    ],
    [503, {}, "HttpUnexpected", /application pool/],
    [500, { "Content-Type": "text/html; charset=utf-8" }, "HttpUnexpected", /500 with text\/html instead of SOAP/],
    [200, { "Content-Type": "text/html" }, "HttpUnexpected", /200 with text\/html/],
  ])("tells status %i with %j apart", async (status, headers, code, message) => {
    const server = await serve((_request, response) => {
      response.writeHead(status, headers).end("<html>s3cret</html>");
    });
    const error = await failure(connectTo(server.port).post("x", unlimited));
    expect([error.code, error.facts.httpStatus]).toEqual([code, status]);
    expect(error.message).toMatch(message);
    expect(inspect(error, { depth: 10 })).not.toMatch(/s3cret|TlRMTVNTUA/);
  });

  it("refuses an answer without end", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { "Content-Type": SOAP });
      const piece = Buffer.alloc(1 << 20);
      const more = (): void => {
        if (!response.destroyed) response.write(piece, more);
      };
      more();
    });
    expect((await failure(connectTo(server.port).post("x", unlimited))).message).toMatch(/more than \d+ bytes/);
  });

  it("gives up at the time limit, and when the caller does", async () => {
    const server = await serve(() => undefined);
    const connection = connectTo(server.port);
    expect((await failure(connection.post("x", { ...unlimited, timeoutSeconds: 0.05 }))).code).toBe("TimedOut");
    const caller = new AbortController();
    const post = failure(connection.post("x", { signal: caller.signal, timeoutSeconds: 20 }));
    setTimeout(() => {
      caller.abort();
    }, 20);
    expect((await post).code).toBe("Aborted");
    const before = server.arrived.length;
    const late = await failure(connection.post("x", { signal: AbortSignal.abort(), timeoutSeconds: 20 }));
    expect([late.code, late.facts.fate, server.arrived.length]).toEqual(["Aborted", "notDone", before]);
  });

  it("gives up a connection that never comes about", async () => {
    // A server that takes the TCP connection and stays silent, so that TLS never begins.
    const silent = createServer((socket) => socket.resume().on("error", () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const error = await failure(connectTo(port, { connectTimeoutSeconds: 0.05 }).post("x", unlimited));
    expect([error.code, error.facts.fate]).toEqual(["ConnectionRefused", "notDone"]);
    const caller = new AbortController();
    const post = failure(connectTo(port).post("x", { signal: caller.signal, timeoutSeconds: 20 }));
    setTimeout(() => {
      caller.abort();
    }, 20);
    expect((await post).facts.fate).toBe("notDone");
    await new Promise((resolve) => silent.close(resolve));
  });

  it("takes no more requests when it is closed", async () => {
    const server = await serve(echo);
    const connection = connectTo(server.port);
    await connection.post("a", unlimited);
    connection.close();
    connection.close();
    expect((await failure(connection.post("b", unlimited))).code).toBe("SessionClosed");
  });
});

describe("authentication of a whole TCP connection", () => {
  /** Two rounds, one for each side; then bodies are turned over. Speaks like Kerberos, secures nothing. */
  function handshake(
    changes: Partial<SecurityContext> = {},
  ): ConnectionAuthentication & { readonly disposed: () => number } {
    let disposed = 0;
    return {
      kind: "connection",
      scheme: "Kerberos",
      disposed: () => disposed,
      begin: ({ host }) => {
        let isProven = false;
        return {
          step: (token) => {
            if (token === undefined) return Promise.resolve(Buffer.from(`HTTP/${host}`));
            isProven = Buffer.from(token).toString() === "I am it";
            return Promise.resolve(undefined);
          },
          isEstablished: () => isProven,
          sealing: turning,
          dispose: () => {
            disposed++;
          },
          ...changes,
        };
      },
    };
  }

  /** The other side; it knows its clients by their TCP connection. */
  function acceptor(proof = "I am it"): { readonly handler: Handler; readonly forget: () => void } {
    const known = new Set<number>();
    return {
      forget: () => {
        known.clear();
      },
      handler: (request, response) => {
        const token = Buffer.from(`HTTP/127.0.0.1`).toString("base64");
        if (request.headers.authorization === `Kerberos ${token}`) {
          known.add(request.connection);
          response.writeHead(200, { "WWW-Authenticate": `Kerberos ${Buffer.from(proof).toString("base64")}` }).end();
        } else if (!known.has(request.connection)) {
          response.writeHead(401, { "WWW-Authenticate": "Kerberos" }).end();
        } else if (!String(request.headers["content-type"]).startsWith("multipart/encrypted")) {
          response.writeHead(400).end();
        } else {
          const clear = Buffer.from(decryptBody(turning, request.body)).toString("utf8");
          const { contentType, body } = encryptBody(turning, Buffer.from(`<echo>${clear}</echo>`));
          response.writeHead(200, { "Content-Type": contentType }).end(body);
        }
      },
    };
  }

  async function plainServer(handler: Handler): Promise<WebServer> {
    const server = await startWebServer(handler);
    opened.push(server);
    return server;
  }

  it("happens once, without a body, and then protects every body", async () => {
    const server = await plainServer(acceptor().handler);
    const connection = connectTo(server.port, { authentication: handshake() }, "http");
    expect(await connection.post("<a/>", unlimited)).toBe("<echo><a/></echo>");
    expect(await connection.post("<b/>", unlimited)).toBe("<echo><b/></echo>");
    expect(server.arrived.map(({ headers, body }) => [headers.authorization !== undefined, body.length > 0])).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ]);
    expect(server.arrived.some(({ body }) => body.includes("<a/>"))).toBe(false);
  });

  it("happens anew on a new TCP connection", async () => {
    const server = await plainServer(acceptor().handler);
    const authentication = handshake();
    const connection = connectTo(server.port, { authentication }, "http");
    await connection.post("a", unlimited);
    server.arrived[0]?.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await connection.post("b", unlimited)).toBe("<echo>b</echo>");
    expect(authentication.disposed()).toBe(1);
  });

  it("happens anew when the server has forgotten us", async () => {
    const { handler, forget } = acceptor();
    const server = await plainServer(handler);
    const connection = connectTo(server.port, { authentication: handshake() }, "http");
    await connection.post("a", unlimited);
    forget();
    expect(await connection.post("b", unlimited)).toBe("<echo>b</echo>");
  });

  it("fails when the server doesn't prove who it is, and sends it nothing", async () => {
    const server = await plainServer(acceptor("I am someone else").handler);
    const authentication = handshake();
    const error = await failure(connectTo(server.port, { authentication }, "http").post("a", unlimited));
    expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
    expect(server.arrived.every(({ body }) => body.length === 0)).toBe(true);
    expect(authentication.disposed()).toBe(1);
  });

  it("fails when the server takes other methods only", async () => {
    const server = await plainServer((_request, response) => {
      response.writeHead(401, { "WWW-Authenticate": "Negotiate" }).end();
    });
    const error = await failure(connectTo(server.port, { authentication: handshake() }, "http").post("a", unlimited));
    expect(error.message).toMatch(/takes Negotiate; we offered Kerberos/);
  });

  it("believes no answer in the clear where bodies are protected", async () => {
    const { handler } = acceptor();
    const server = await plainServer((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(200, { "Content-Type": SOAP }).end("<forged/>");
      } else void handler(request, response);
    });
    const error = await failure(connectTo(server.port, { authentication: handshake() }, "http").post("a", unlimited));
    expect(error.code).toBe("HttpUnexpected");
  });

  it("leaves the bodies to TLS where there is TLS", async () => {
    const { handler } = acceptor();
    const server = await serve((request, response) => {
      if (request.headers.authorization === undefined) void echo(request, response);
      else void handler(request, response);
    });
    const authentication = handshake({ sealing: undefined });
    expect(await connectTo(server.port, { authentication }).post("a", unlimited)).toBe("<echo>a</echo>");
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
