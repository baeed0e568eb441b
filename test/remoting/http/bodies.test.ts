import type { ServerResponse } from "node:http";
import type { CertificateMaterial } from "../../../provider/certificate/material";
import {
  bodyMemory,
  type BodyMemory,
  type ConnectionAuthentication,
  type SecurityContext,
} from "../../../provider/remoting/http/authentication";
import { HttpConnection } from "../../../provider/remoting/http/connection";
import { CookieJar } from "../../../provider/remoting/http/cookies";
import { decryptBody, encryptBody } from "../../../provider/remoting/http/multipart";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { turning } from "./turning";
import { type Arrived, pem, startWebServer, type WebServer } from "./webServer";
import { remotingFailure } from "../../failures";

const SOAP = "application/soap+xml;charset=UTF-8";
const unlimited = { signal: new AbortController().signal, timeoutSeconds: 20 };

let identity: CertificateMaterial;
let said: string[] = [];
let memory: BodyMemory;
const opened: { close: () => unknown }[] = [];

beforeAll(() => {
  identity = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
});
beforeEach(() => {
  said = [];
  memory = bodyMemory((line) => said.push(line));
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

function handshake(changes: Partial<SecurityContext> = {}): ConnectionAuthentication {
  return {
    kind: "connection",
    scheme: "Kerberos",
    bodies: memory,
    begin: () => ({
      step: (token) => Promise.resolve(token === undefined ? Buffer.from("here I am") : undefined),
      isEstablished: () => true,
      sealing: turning,
      dispose: () => undefined,
      ...changes,
    }),
  };
}

/** What a server does with an encrypted body, and with a plain one. */
interface Manners {
  readonly sealed: (response: ServerResponse, body: Buffer) => void;
  readonly plain: (response: ServerResponse, body: Buffer) => void;
}

const refuses = (response: ServerResponse): void => void response.writeHead(400).end();
const manners: Manners = {
  sealed: (response, body) => {
    const clear = Buffer.from(decryptBody(turning, body)).toString();
    const { contentType, body: answer } = encryptBody(turning, Buffer.from(`<sealed>${clear}</sealed>`));
    response.writeHead(200, { "Content-Type": contentType }).end(answer);
  },
  plain: (response, body) =>
    void response.writeHead(200, { "Content-Type": SOAP }).end(`<plain>${body.toString()}</plain>`),
};

async function serve(changes: Partial<Manners>, isTls = true): Promise<WebServer> {
  const { sealed, plain } = { ...manners, ...changes };
  const known = new Set<number>();
  const handler = ({ headers, body, connection }: Arrived, response: ServerResponse): void => {
    if (headers.authorization !== undefined) {
      known.add(connection);
      response.writeHead(200, { "WWW-Authenticate": "Kerberos aGk=" }).end();
    } else if (!known.has(connection)) response.writeHead(401, { "WWW-Authenticate": "Kerberos" }).end();
    else (isSealed({ headers }) ? sealed : plain)(response, body);
  };
  const server = await startWebServer(handler, isTls ? identity : undefined);
  opened.push(server);
  return server;
}

function connectTo(
  port: number,
  {
    authentication = handshake(),
    scheme = "https",
    skip = false,
  }: {
    authentication?: ConnectionAuthentication;
    scheme?: "http" | "https";
    skip?: boolean;
  } = {},
): HttpConnection {
  const trusting = { ca: pem("CERTIFICATE", identity.der), serverName: "mail.contoso.com" };
  const careless = { dangerouslySkipVerification: true };
  const connection = new HttpConnection({
    url: new URL(`${scheme}://127.0.0.1:${port}/PowerShell/`),
    authentication,
    ...(scheme === "http" ? {} : { tls: skip ? careless : trusting }),
    cookies: new CookieJar(),
    now: () => new Date(),
  });
  opened.push(connection);
  return connection;
}

function isSealed({ headers }: Pick<Arrived, "headers">): boolean {
  return String(headers["content-type"]).startsWith("multipart/encrypted");
}

/** The bodies that arrived, without the empty ones of the handshake. */
function forms({ arrived }: WebServer): readonly string[] {
  return arrived.filter(({ body }) => body.length > 0).map((one) => (isSealed(one) ? "sealed" : "plain"));
}

describe("bodies over https", () => {
  it("are encrypted where the server takes it, and stay so", async () => {
    const server = await serve({});
    expect(await connectTo(server.port).post("<a/>", unlimited)).toBe("<sealed><a/></sealed>");
    expect(await connectTo(server.port).post("<b/>", unlimited)).toBe("<sealed><b/></sealed>");
    expect([forms(server), said]).toEqual([["sealed", "sealed"], []]);
  });

  it.each([
    ["400", refuses],
    ["415", (response: ServerResponse) => void response.writeHead(415).end()],
    [
      "a fault in the clear",
      (response: ServerResponse) => void response.writeHead(500, { "Content-Type": SOAP }).end("<s:Fault>no</s:Fault>"),
    ],
    ["400 and the end of the connection", (r: ServerResponse) => void r.writeHead(400, { Connection: "close" }).end()],
  ])("are left to TLS by all connections where encrypted ones are answered with %s", async (_name, sealed) => {
    const server = await serve({ sealed });
    expect(await connectTo(server.port).post("<a/>", unlimited)).toBe("<plain><a/></plain>");
    expect(await connectTo(server.port).post("<b/>", unlimited)).toBe("<plain><b/></plain>");
    expect(forms(server)).toEqual(["sealed", "plain", "plain"]);
    expect(said).toEqual([
      expect.stringMatching(/^https:\/\/127.*\/PowerShell\/ takes no bodies that Kerberos encrypted/),
    ]);
  });

  it.each([
    ["403", 403],
    ["500 without a fault", 500],
    ["503", 503],
  ])("aren't sent again after %s, which says nothing about them", async (_name, status) => {
    const server = await serve({ sealed: (response) => void response.writeHead(status).end() });
    expect((await remotingFailure(connectTo(server.port).post("<a/>", unlimited))).facts.httpStatus).toBe(status);
    expect(forms(server)).toEqual(["sealed"]);
  });

  it("aren't sent in the clear any more once an encrypted answer came from there", async () => {
    let isTaken = true;
    const server = await serve({
      sealed: (response, body) => {
        (isTaken ? manners.sealed : refuses)(response, body);
      },
    });
    await connectTo(server.port).post("<a/>", unlimited);
    isTaken = false;
    expect((await remotingFailure(connectTo(server.port).post("<b/>", unlimited))).facts.httpStatus).toBe(400);
    expect(forms(server)).toEqual(["sealed", "sealed"]);
  });

  it("teach nothing when plain ones are refused as well", async () => {
    const server = await serve({ sealed: refuses, plain: refuses });
    for (const text of ["<a/>", "<b/>"]) {
      expect((await remotingFailure(connectTo(server.port).post(text, unlimited))).facts.httpStatus).toBe(400);
    }
    expect([forms(server), said]).toEqual([["sealed", "plain", "sealed", "plain"], []]);
  });

  it("stay encrypted where the server's certificate isn't checked: someone in between could refuse them", async () => {
    const server = await serve({ sealed: refuses });
    const error = await remotingFailure(connectTo(server.port, { skip: true }).post("<a/>", unlimited));
    expect([error.facts.httpStatus, forms(server)]).toEqual([400, ["sealed"]]);
  });
});

describe("bodies over http", () => {
  it("are never sent in the clear, whatever the server refuses", async () => {
    const server = await serve({ sealed: refuses }, false);
    expect(
      (await remotingFailure(connectTo(server.port, { scheme: "http" }).post("<a/>", unlimited))).facts.httpStatus,
    ).toBe(400);
    expect(forms(server)).toEqual(["sealed"]);
  });

  it("aren't sent at all where nothing encrypts them", async () => {
    const server = await serve({}, false);
    const authentication = handshake({ sealing: undefined });
    const error = await remotingFailure(
      connectTo(server.port, { scheme: "http", authentication }).post("<a/>", unlimited),
    );
    expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
    expect(forms(server)).toEqual([]);
  });
});

describe("a context that has expired", () => {
  it("is left behind with its TCP connection", async () => {
    const server = await serve({});
    let isExpired = false;
    const authentication = handshake({ isEstablished: () => !isExpired });
    const connection = connectTo(server.port, { authentication });
    await connection.post("<a/>", unlimited);
    isExpired = true;
    const again = connection.post("<b/>", unlimited);
    await new Promise((resolve) => setImmediate(resolve));
    isExpired = false;
    expect(await again).toBe("<sealed><b/></sealed>");
    expect(server.connections()).toBe(2);
  });
});
