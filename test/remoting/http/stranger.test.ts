import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { once } from "node:events";
import { askAsStranger, type StrangerAnswer } from "../../../provider/remoting/http/stranger";

const signal = AbortSignal.timeout(20_000);

/** Asks a web server that answers so. */
async function ask(answer: RequestListener, end = signal): Promise<StrangerAnswer> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/PowerShell/?serializationLevel=Full`);
  const socket: Socket = connect(Number(url.port), url.hostname);
  await once(socket, "connect");
  try {
    return await askAsStranger(url, socket, end);
  } finally {
    socket.destroy();
    server.close();
    server.closeAllConnections();
  }
}

describe("asking a web server as a stranger", () => {
  it("says nothing about who we are, and learns what it takes", async () => {
    let headers: IncomingHttpHeaders = {};
    const answer = await ask((request, response) => {
      ({ headers } = request);
      response.writeHead(401, {
        "WWW-Authenticate": ["Kerberos", 'Basic realm="mail"'],
        "X-FEServer": "EX01",
        Date: "Tue, 24 Nov 2026 00:00:00 GMT",
      });
      response.end("nobody");
    });
    expect(answer).toEqual({
      status: 401,
      offers: ["Kerberos", "Basic"],
      frontEnd: "EX01",
      date: new Date("2026-11-24T00:00:00Z"),
      path: "/PowerShell/",
    });
    expect(headers).toMatchObject({ "content-length": "0" });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(["authorization"]));
    expect(headers.cookie).toBeUndefined();
  });

  it("does without a date that can't be read", async () => {
    const answer = await ask((_request, response) => {
      response.writeHead(200, { Date: "yesterday" });
      response.end();
    });
    expect(answer).toMatchObject({ status: 200, offers: [], date: undefined, frontEnd: undefined });
  });

  it("fails when the connection ends, and when its time is up", async () => {
    await expect(ask((request) => request.socket.destroy())).rejects.toMatchObject({ code: "ConnectionLost" });
    await expect(ask(() => undefined, AbortSignal.timeout(50))).rejects.toMatchObject({ code: "ConnectionLost" });
  });
});
