import fc from "fast-check";
import { joinToken, splitToken } from "../../../../provider/remoting/http/kerberos/kerberosToken";

/** A token of RFC 4121 before rotation, every part made of one byte of its own. */
function tokenOf(clear: Uint8Array, { flags = 2, ec = 0, rrc = 0, tail = 28 } = {}): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt16BE(0x0504);
  header[2] = flags;
  header[3] = 0xff;
  header.writeUInt16BE(ec, 4);
  header.writeUInt16BE(rrc, 6);
  header.writeBigUInt64BE(7n, 8);
  return Buffer.concat([header, Buffer.alloc(16, "c"), clear, Buffer.alloc(tail, "t")]);
}

describe("a token of ours", () => {
  it.each([
    ["AES with SHA-1", 28],
    ["AES-128 with SHA-2", 32],
    ["AES-256 with SHA-2", 40],
  ])("becomes a signature, with what stood behind the message rotated into it, and the message: %s", (_name, tail) => {
    const { signature, data } = splitToken(tokenOf(Buffer.from("message"), { tail }), 7);
    expect(Buffer.from(data).toString()).toBe("message");
    expect(Buffer.from(signature).toString("hex")).toBe(
      `050402ff000000${tail.toString(16)}0000000000000007${"74".repeat(tail)}${"63".repeat(16)}`,
    );
  });

  it("has its own bytes: the message that it was made of may change", () => {
    const token = tokenOf(Buffer.from("message"));
    const { data } = splitToken(token, 7);
    token.fill(0);
    expect(Buffer.from(data).toString()).toBe("message");
  });

  it.each([
    ["with filler", tokenOf(Buffer.from("m"), { ec: 4 }), 1],
    ["rotated already", tokenOf(Buffer.from("m"), { rrc: 28 }), 1],
    ["shorter than its parts", tokenOf(Buffer.from("m"), { tail: 4 }), 1],
    ["signed, but not encrypted", tokenOf(Buffer.from("m"), { flags: 0 }), 1],
    ["no token at all", Buffer.from("m"), 1],
    ["empty", Buffer.alloc(0), 0],
  ])("is refused before anything is sent when it is %s", (_name, token, length) => {
    expect(() => splitToken(token, length)).toThrow(
      expect.objectContaining({ code: "AuthenticationRefused", facts: { fate: "notDone" } }),
    );
  });

  it("is refused when it is encrypted with RC4, saying what to change", () => {
    const token = Buffer.concat([Buffer.from("6081", "hex"), Buffer.alloc(60)]);
    expect(() => splitToken(token, 10)).toThrow(/RC4.*AES \(msDS-SupportedEncryptionTypes\)/);
  });

  it("holds every message as it was encrypted, and nothing else of it in the signature", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (clear) => {
        const token = tokenOf(clear);
        const { signature, data } = splitToken(token, clear.length);
        expect(signature).toHaveLength(60);
        expect(Buffer.from(data)).toEqual(Buffer.from(clear));
        // Turned back by what the header says, it is the token that it was.
        const turned = Buffer.concat([signature.subarray(16), data]);
        const rotation = Buffer.from(signature).readUInt16BE(6);
        const back = Buffer.concat([turned.subarray(rotation), turned.subarray(0, rotation)]);
        expect(back).toEqual(token.subarray(16));
      }),
    );
  });
});

describe("a token of the server's", () => {
  it("is signature and data, one behind the other", () => {
    const token = tokenOf(Buffer.from("message"), { flags: 3 });
    expect(joinToken({ signature: token.subarray(0, 60), data: token.subarray(60) })).toEqual(token);
  });

  it.each([
    ["RC4", "602306092a86", /RC4/],
    ["not Kerberos", "01000000".repeat(4), /isn't a message of Kerberos/],
    ["cut off", "050403ff", /isn't a message of Kerberos/],
    ["signed only", `050401ff${"00".repeat(12)}`, /isn't encrypted/],
  ])("is refused, without a claim that nothing was done, when it is %s", (_name, signature, message) => {
    const join = () => joinToken({ signature: Buffer.from(signature, "hex"), data: Buffer.alloc(9) });
    expect(join).toThrow(message);
    expect(join).toThrow(expect.objectContaining({ code: "HttpUnexpected", facts: {} }));
  });
});
