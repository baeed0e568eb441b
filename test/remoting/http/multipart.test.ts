import { decryptBody, encryptBody, isEncrypted } from "../../../provider/remoting/http/multipart";
import { turning } from "./turning";

const clear = Buffer.from("<s:Envelope>--Encrypted Boundary--\r\nä</s:Envelope>");

describe("encrypted bodies", () => {
  it("are written in two parts as MS-WSMV 2.2.9.1 has them", () => {
    const { contentType, body } = encryptBody(turning, Buffer.from("AB"));
    expect(contentType).toBe(
      'multipart/encrypted;protocol="application/HTTP-Kerberos-session-encrypted";boundary="Encrypted Boundary"',
    );
    expect(Buffer.from(body).toString("latin1")).toBe(
      "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-Kerberos-session-encrypted\r\n" +
        "\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=2\r\n" +
        "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n" +
        "\x04\0\0\0\x01\x02\x83\0\xbe\xbd--Encrypted Boundary--\r\n",
    );
    expect(isEncrypted(contentType)).toBe(true);
    expect(isEncrypted("application/soap+xml")).toBe(false);
  });

  it("come back as they were, whatever they hold", () => {
    expect(Buffer.from(decryptBody(turning, encryptBody(turning, clear).body)).equals(clear)).toBe(true);
  });

  it("are read with the blank that Exchange writes after the hyphens", () => {
    const { body } = encryptBody(turning, clear);
    const text = Buffer.from(body).toString("latin1").replaceAll("--Encrypted Boundary", "-- Encrypted Boundary");
    expect(Buffer.from(decryptBody(turning, Buffer.from(text, "latin1"))).equals(clear)).toBe(true);
  });

  it.each<[string, (body: Buffer) => Buffer]>([
    ["without its end", (body) => body.subarray(0, -30)],
    ["cut within its head", (body) => body.subarray(0, 40)],
    ["empty", () => Buffer.alloc(0)],
    ["with another length than it says", (body) => replaced(body, `Length=${clear.length}`, "Length=7")],
    [
      "whose signature would reach beyond it",
      (body) => replaced(body, "octet-stream\r\n\x04\0", "octet-stream\r\n\xff\xff"),
    ],
  ])("are refused %s", (_how, change) => {
    const body = change(Buffer.from(encryptBody(turning, clear).body));
    expect(() => decryptBody(turning, body)).toThrow(expect.objectContaining({ code: "HttpUnexpected" }));
  });
});

function replaced(body: Buffer, from: string, to: string): Buffer {
  const text = body.toString("latin1");
  if (!text.includes(from)) throw new Error("there is nothing to replace");
  return Buffer.from(text.replace(from, to), "latin1");
}
