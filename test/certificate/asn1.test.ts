import { bytesOf, readAsn1 } from "../../provider/certificate/asn1";

/** An OCTET STRING in pieces, each of which is one of its own, so many levels deep. */
function nested(levels: number): Buffer {
  const parts: Buffer[] = [];
  let inner = 4;
  for (let level = 0; level < levels; level += 1) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(inner);
    parts.push(Buffer.from([0x24, 0x84]), length);
    inner += 6;
  }
  const heads: Buffer[] = [];
  for (let i = parts.length - 2; i >= 0; i -= 2) heads.push(...parts.slice(i, i + 2));
  return Buffer.concat([...heads, Buffer.from([0x04, 0x02, 0x61, 0x62])]);
}

describe("an octet string in pieces", () => {
  it("is joined", () => {
    expect(bytesOf(readAsn1(nested(3))).toString()).toBe("ab");
    const pieces = Buffer.from("2480040161240304016204016300" + "00", "hex");
    expect(bytesOf(readAsn1(pieces)).toString()).toBe("abc");
  });

  it.each([100, 20_000])("is refused %i levels deep, however its lengths are told", (levels) => {
    expect(() => bytesOf(readAsn1(nested(levels)))).toThrow("nested too deeply");
    const open = Buffer.concat([Buffer.from("2480".repeat(levels), "hex"), Buffer.alloc(2 * levels)]);
    expect(() => bytesOf(readAsn1(open))).toThrow("nested too deeply");
  });
});
