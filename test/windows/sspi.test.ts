import { setMaxListeners } from "node:events";
import { loadSspi, type Sspi, SspiError } from "../../provider/remoting/http/kerberos/sspi";
import { sspiLibrary } from "../../provider/remoting/http/kerberos/sspiLibrary";
import { nativeEnv } from "../../provider/remoting/http/kerberos/nativeCalls";
import { kerberosAuthentication, kerberosIdentity } from "../../provider/remoting/http/kerberos/kerberosAuthentication";
import { isRemotingError, type RemotingError } from "../../provider/remoting/errors";
import { bodyMemory, type ConnectionAuthentication } from "../../provider/remoting/http/authentication";
import { HttpConnection } from "../../provider/remoting/http/connection";
import { CookieJar } from "../../provider/remoting/http/cookies";
import type { Trace, TraceEvent } from "../../provider/remoting/trace";
import { Secret } from "../../provider/secret";
import { makeTestCertificate } from "../certificate/testCertificates";
import { pem, startWebServer, tlsIdentity, type WebServer } from "../remoting/http/webServer";
import { type FrontEnd, linuxSide, type LinuxSide } from "./linuxSide";
import type { AcceptorWish } from "./linuxProtocol";

const USER = "operator@CONTOSO.TEST";
/** Wine takes no UPN: it would write a domain behind it. */
const ACCOUNT = "CONTOSO.TEST\\operator";
const unlimited = { signal: new AbortController().signal, timeoutSeconds: 60 };
// Many connections wait for it at once.
setMaxListeners(Infinity, unlimited.signal);

describe("Kerberos by SSPI, against MIT's KDC and pyspnego's acceptor", () => {
  const material = makeTestCertificate({ dnsNames: ["localhost"] });
  let linux: LinuxSide;
  let behind: WebServer;
  let sspi: Sspi;
  let said: string[] = [];
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    linux = await linuxSide();
    behind = await startWebServer(({ body }, response) => {
      response.writeHead(200, { "Content-Type": "application/soap+xml" }).end(`<echo>${body.toString()}</echo>`);
    });
    sspi = loadSspi(nativeEnv);
  });
  beforeEach(async () => {
    said = [];
    await linux.noTicket();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(async () => {
    await behind.close();
    linux.close();
  });

  async function start(wish: Partial<AcceptorWish> = {}): Promise<FrontEnd> {
    const front = await linux.start({ target: `http://127.0.0.1:${behind.port}/`, ...wish });
    closing.push(() => front.stop());
    return front;
  }

  function kerberos(who: { username?: string; password?: string } = {}, using = sspi): ConnectionAuthentication {
    const { username, password } = who;
    const secret = password === undefined ? undefined : new Secret(password);
    const now = (): Date => new Date();
    return kerberosAuthentication(kerberosIdentity("win32", username, secret), {
      library: sspiLibrary(using, now),
      now,
      bodies: bodyMemory((line) => said.push(line)),
    });
  }
  const withPassword = (using = sspi): ConnectionAuthentication =>
    kerberos({ username: ACCOUNT, password: linux.password }, using);

  function connectTo(url: string, authentication: ConnectionAuthentication, trace?: Trace): HttpConnection {
    const tls = url.startsWith("https:") ? { tls: { ca: pem("CERTIFICATE", material.der) } } : {};
    const now = (): Date => new Date();
    const options = { url: new URL(url), authentication, ...tls, cookies: new CookieJar(), now, trace };
    const connection = new HttpConnection(options);
    closing.push(() => {
      connection.close();
    });
    return connection;
  }

  async function failure(promise: Promise<unknown>): Promise<RemotingError> {
    const error = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!isRemotingError(error)) throw new Error(`No RemotingError, but ${String(error)}`);
    expect(error.message).not.toContain(linux.password);
    return error;
  }

  it.each(["a ticket", "a password"])("encrypts every body over http, by %s", async (way) => {
    if (way === "a ticket") await linux.ticket();
    const front = await start({ behaviour: { bodies: "encrypted" } });
    const connection = connectTo(front.url, way === "a ticket" ? kerberos() : withPassword());
    for (const text of ["", "a", "ä".repeat(1000), "x".repeat(500_000)]) {
      expect(await connection.post(`<t>${text}</t>`, unlimited)).toBe(`<echo><t>${text}</t></echo>`);
    }
    const requests = await front.events("request");
    expect(requests.filter(({ bytes, encrypted }) => bytes > 0 && !encrypted)).toEqual([]);
    expect(new Set(requests.map(({ port }) => port)).size).toBe(1);
    expect(await front.events("authenticated")).toEqual([expect.objectContaining({ user: USER, scheme: "kerberos" })]);
    // In Windows' layout: the whole header of RFC 4121 is the signature.
    expect((await front.events("opened"))[0]).toMatchObject({ tokenId: "0504", signature: 60 });
    const answers = (await front.events("answer")).filter(({ bytes }) => bytes > 0);
    expect(answers.every(({ encrypted }) => encrypted)).toBe(true);
  });

  it("encrypts over https, and reads answers with Exchange's boundary", async () => {
    const { cert, key } = tlsIdentity(material);
    const front = await start({
      tls: { certificate: cert, privateKey: key },
      behaviour: { bodies: "encrypted", boundary: "exchange" },
    });
    expect(await connectTo(front.url, withPassword()).post("<a/>", unlimited)).toBe("<echo><a/></echo>");
    expect(await front.events("opened")).toHaveLength(1);
    expect(said).toEqual([]);
  });

  it("says who it is, and that it only asked for that: Wine's context doesn't tell", async () => {
    const front = await start();
    const events: TraceEvent[] = [];
    await connectTo(front.url, withPassword(), (event) => events.push(event)).post("<a/>", unlimited);
    const accepted = events.find((event) => event.kind === "authentication" && event.outcome === "accepted");
    expect(accepted).toMatchObject({ service: "HTTP/localhost", principal: ACCOUNT, isPrincipalAgreed: false });
  });

  it("believes no server whose proof is missing or wrong, and sends it nothing", async () => {
    for (const mutual of ["none", "wrong"] as const) {
      const front = await start({ behaviour: { mutual } });
      const error = await failure(connectTo(front.url, withPassword()).post("<a/>", unlimited));
      expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
      expect((await front.events("request")).every(({ bytes }) => bytes === 0)).toBe(true);
    }
  });

  it.each([
    ["no ticket", {}, /HTTP\/localhost \(the account that is logged on, .+\): there are no credentials/],
    [
      "a wrong password",
      { username: ACCOUNT, password: "not-this-one" },
      /CONTOSO\.TEST\\operator \(with the password given\)/,
    ],
  ] as const)("says what it tried with %s", async (_name, who, message) => {
    const error = await failure(connectTo("http://localhost:1/", kerberos(who)).post("", unlimited));
    expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("not-this-one");
  });

  it("says that it got no ticket for a service that nobody knows", async () => {
    const error = await failure(connectTo("http://other.contoso.test/", withPassword()).post("", unlimited));
    expect(error.code).toBe("AuthenticationRefused");
    expect(error.message).toMatch(/Getting a Kerberos ticket for HTTP\/other\.contoso\.test.*setspn -Q/);
  });

  it("says that the server doesn't believe the ticket", async () => {
    const front = await start({ service: "HTTP/elsewhere.contoso.test" });
    const error = await failure(connectTo(front.url, withPassword()).post("<a/>", unlimited));
    expect([error.code, error.facts.httpStatus]).toEqual(["AuthenticationRefused", 401]);
  });

  it.each(["clear", "corrupt", "wrongLength", "replayed"] as const)(
    "believes no answer that is %s, and goes on with a new conversation",
    async (answers) => {
      const front = await start();
      const connection = connectTo(front.url, withPassword());
      await connection.post("<a/>", unlimited);
      await front.behave({ answers });
      const error = await failure(connection.post("<b/>", unlimited));
      expect([error.code, error.facts.fate]).toEqual(["HttpUnexpected", undefined]);
      await front.behave({ answers: "sealed" });
      expect(await connection.post("<c/>", unlimited)).toBe("<echo><c/></echo>");
    },
  );

  it("takes a thousand requests on one connection, in order", async () => {
    const front = await start({ behaviour: { bodies: "encrypted" } });
    const connection = connectTo(front.url, withPassword());
    for (let number = 0; number < 1000; number++) {
      expect(await connection.post(`<n>${number}</n>`, unlimited)).toBe(`<echo><n>${number}</n></echo>`);
    }
    expect(await front.events("authenticated")).toHaveLength(1);
    expect(await front.events("refused")).toEqual([]);
  });

  it("gives every handle back, whatever becomes of a connection, and holds on to no memory", async () => {
    await linux.ticket();
    const front = await start({ behaviour: { bodies: "encrypted" } });
    const open = { credentials: new Set<Buffer>(), contexts: new Set<Buffer>() };
    const counts = { acquired: 0, freed: 0, begun: 0, deleted: 0 };
    const counting: Sspi = {
      ...sspi,
      acquire: async (account) => {
        const credential = await sspi.acquire(account);
        counts.acquired++;
        open.credentials.add(credential);
        return credential;
      },
      init: async (call) => {
        const result = await sspi.init(call);
        if (call.context === undefined) counts.begun++;
        open.contexts.add(result.context);
        return result;
      },
      freeCredential: (credential) => {
        counts.freed++;
        expect(open.credentials.delete(credential)).toBe(true);
        sspi.freeCredential(credential);
      },
      deleteContext: (context) => {
        counts.deleted++;
        expect(open.contexts.delete(context)).toBe(true);
        sspi.deleteContext(context);
      },
    };
    const authentication = kerberos({}, counting);
    const once = async (): Promise<void> => {
      const connection = connectTo(front.url, authentication);
      await connection.post("<a/>", unlimited);
      connection.close();
      closing.pop();
    };
    /** Twenty side by side. */
    const many = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 20) await Promise.all(Array.from({ length: 20 }, once));
    };
    await many(200);
    const before = process.memoryUsage().rss;
    await many(1000);
    const grown = process.memoryUsage().rss - before;
    // Each of them would be at least this much if a thousand were lost: a context takes some kilobytes.
    expect(grown).toBeLessThan(64 * 1024 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(counts).toEqual({ acquired: 1200, freed: 1200, begun: 1200, deleted: 1200 });
    expect([open.credentials.size, open.contexts.size]).toEqual([0, 0]);
    process.stdout.write(`1200 connections: ${JSON.stringify(counts)}, ${Math.round(grown / 1024)} KiB more\n`);
  });

  it("throws what the library says, with its number", async () => {
    const nobody = { user: "nobody", domain: "", password: Buffer.from("x", "utf16le") };
    await expect(sspi.acquire(nobody)).rejects.toThrow(SspiError);
    expect(nobody.password).toEqual(Buffer.alloc(2));
  });
});
