import * as fc from "fast-check";

import type { DistinguishedName } from "../../provider/certificate/distinguishedName";
import {
  formatDistinguishedName,
  nameFromAsn1,
  nameToAsn1,
  parseDistinguishedName,
} from "../../provider/certificate/distinguishedName";
import { readAsn1, writeAsn1 } from "../../provider/certificate/asn1";

const CN = "2.5.4.3";
const O = "2.5.4.10";
const C = "2.5.4.6";

describe("formatDistinguishedName", () => {
  it("prints the most specific part first, as Windows does", () => {
    const encoded: DistinguishedName = [
      [{ oid: C, value: "BM" }],
      [{ oid: O, value: "QuoVadis Limited" }],
      [{ oid: CN, value: "QuoVadis EV SSL ICA G1" }],
    ];
    expect(formatDistinguishedName(encoded)).toBe("CN=QuoVadis EV SSL ICA G1, O=QuoVadis Limited, C=BM");
  });

  it("uses Windows' own keys, and OID. where Windows has none", () => {
    const value = "x";
    const oids = ["1.2.840.113549.1.9.1", "2.5.4.8", "2.5.4.5", "0.9.2342.19200300.100.1.25", "2.5.4.17", "2.5.4.97"];
    const printed = formatDistinguishedName(oids.map((oid) => [{ oid, value }]));
    expect(printed).toBe("OID.2.5.4.97=x, PostalCode=x, DC=x, SERIALNUMBER=x, S=x, E=x");
  });

  it.each([
    ["a comma", "Contoso, Ltd.", '"Contoso, Ltd."'],
    ["quotation marks, doubled", 'the "best"', '"the ""best"""'],
    ["a blank at the end", "x ", '"x "'],
    ["a plus sign", "a+b", '"a+b"'],
    ["an equals sign", "a=b", '"a=b"'],
    ["a number sign anywhere", "a#b", '"a#b"'],
    ["nothing", "", '""'],
  ])("quotes %s", (_what, value, printed) => {
    expect(formatDistinguishedName([[{ oid: O, value }]])).toBe(`O=${printed}`);
  });

  it.each(["back\\slash", "two  blanks", "it's", "a/b", "*.contoso.com", "Müller"])("leaves %s as it is", (value) => {
    expect(formatDistinguishedName([[{ oid: O, value }]])).toBe(`O=${value}`);
  });

  it("joins the attributes of one part with a plus sign", () => {
    const printed = formatDistinguishedName([
      [{ oid: O, value: "Contoso" }],
      [
        { oid: CN, value: "mail" },
        { oid: "2.5.4.5", value: "1" },
      ],
    ]);
    expect(printed).toBe("CN=mail + SERIALNUMBER=1, O=Contoso");
  });
});

describe("parseDistinguishedName", () => {
  it("reads keys in any case, aliases, dotted identifiers, semicolons and quotes", () => {
    expect(
      parseDistinguishedName('cn=mail.contoso.com;o="Contoso, ""Ltd."""; ST = Bavaria ,OID.2.5.4.97=x, C=DE'),
    ).toEqual({
      name: [
        [{ oid: C, value: "DE" }],
        [{ oid: "2.5.4.97", value: "x" }],
        [{ oid: "2.5.4.8", value: "Bavaria" }],
        [{ oid: O, value: 'Contoso, "Ltd."' }],
        [{ oid: CN, value: "mail.contoso.com" }],
      ],
    });
  });

  it.each([
    ["a bare name", "mail.contoso.com", "not in the form"],
    ["nothing", "", "not in the form"],
    ["a separator at the end", "CN=a,", "not in the form"],
    ["an unknown key", "CN=a, XX=b", '"XX" is not a known part'],
    ["a comma escaped with a backslash", "O=Contoso\\, Ltd., C=US", "not in the form"],
    ["an open quotation mark", 'O="Contoso', "not in the form"],
    ["a country name instead of its code", "C=Germany", "C is longer than 2 characters"],
    ["a country code with a digit", "C=D1", "C must be a country code"],
    ["an empty value", "CN=, O=Contoso", "CN is empty"],
    ["a common name of 65 characters", `CN=${"a".repeat(65)}`, "CN is longer than 64 characters"],
    ["letters that an e-mail attribute can't hold", "E=ä@contoso.com", "E may hold ASCII"],
    ["letters that a serial number can't hold", "SERIALNUMBER=ä", "SERIALNUMBER has characters"],
  ])("refuses %s", (_what, text, problem) => {
    expect(parseDistinguishedName(text)).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  it("refuses a long text with no end of blanks in it without delay", () => {
    expect(parseDistinguishedName(`CN=${" ".repeat(50_000)}"`)).toHaveProperty("problem");
  });
});

describe("a name", () => {
  const attribute = fc.record({
    oid: fc.constantFrom(CN, O, "2.5.4.7", "2.5.4.11", "2.5.4.97"),
    value: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  });
  const name = fc.array(fc.array(attribute, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 5 });

  it("is the same after being printed and parsed", () => {
    fc.assert(
      fc.property(name, (parts) => {
        expect(parseDistinguishedName(formatDistinguishedName(parts))).toEqual({ name: parts });
      }),
    );
  });

  it("is the same after being encoded and decoded", () => {
    fc.assert(
      fc.property(name, (parts) => {
        expect(nameFromAsn1(readAsn1(writeAsn1(nameToAsn1(parts))))).toEqual(parts);
      }),
    );
  });
});
