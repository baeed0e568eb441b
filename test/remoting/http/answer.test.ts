import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { answerOf, readBody } from "../../../provider/remoting/http/answer";

const url = new URL("http://127.0.0.1/PowerShell/");
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The answer that a server writes piece by piece. */
async function answered(pieces: readonly Uint8Array[]): Promise<IncomingMessage> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.once("data", () => {
      for (const piece of pieces) socket.write(piece);
      socket.end();
    });
  });
  closing.push(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const asked = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", agent: false });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return response;
}

const chunk = (body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]);
const HEAD = Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/xml\r\n\r\n");
const END = Buffer.from("0\r\n\r\n");
const body = Buffer.from("<s:Envelope>\u00e9</s:Envelope>");

describe("the body of an answer", () => {
  it("is the same wherever it is cut into chunks", async () => {
    for (let at = 1; at < body.length; at++) {
      const response = await answered([HEAD, chunk(body.subarray(0, at)), chunk(body.subarray(at)), END]);
      expect(Buffer.from(await readBody(response, url)).equals(body)).toBe(true);
    }
  });

  it("is the same when it comes byte by byte", async () => {
    const response = await answered([HEAD, ...[...body].map((byte) => chunk(Uint8Array.of(byte))), END]);
    expect(Buffer.from(await readBody(response, url)).equals(body)).toBe(true);
  });

  it("is put together from as many chunks as there are", async () => {
    const crumbs = Buffer.concat(Array<Buffer>(200_000).fill(chunk(Uint8Array.of(0x61))));
    expect(await readBody(await answered([HEAD, crumbs, END]), url)).toHaveLength(200_000);
  });

  it("is refused beyond four million bytes, however long it says that it is", async () => {
    const head = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const response = await answered([head, ...Array<Buffer>(5).fill(Buffer.alloc(1 << 20))]);
    await expect(readBody(response, url)).rejects.toMatchObject({ code: "HttpUnexpected" });
  });
});

describe("the title of an answer", () => {
  const titleOf = async (type: string, page: string): Promise<string | undefined> => {
    const head = `HTTP/1.1 403 Forbidden\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(page)}\r\n\r\n`;
    const response = await answered([Buffer.from(head + page)]);
    return answerOf(response, await readBody(response, url)).title;
  };

  it("is that of the page, or its first line", async () => {
    expect(await titleOf("text/html", "<html><title>403.4 - SSL</title><p>More")).toBe("403.4 - SSL");
    expect(await titleOf("text/plain", "Not here.\nMore")).toBe("Not here.");
    expect(await titleOf("text/html", "<h2>Service Unavailable</h2>\n")).toBe("Service Unavailable");
  });

  it("holds nothing that a terminal would obey, and isn't long", async () => {
    expect(await titleOf("text/plain", `a\u001b[2Jb${"c".repeat(500)}`)).toMatch(/^a \[2Jbc{1,114}$/);
    expect(await titleOf("application/octet-stream", "x")).toBeUndefined();
  });
});
