import * as fc from "fast-check";

import type { DistinguishedName, NameAttribute } from "../../provider/certificate/distinguishedName";
import {
  formatDistinguishedName,
  nameFromAsn1,
  nameToAsn1,
  parseDistinguishedName,
} from "../../provider/certificate/distinguishedName";
import { childOf, objectIdentifier, readAsn1, sequence, set, writeAsn1 } from "../../provider/certificate/asn1";

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
    ["an identifier with a zero in front", "2.5.4.03=x", '"2.5.4.03" is not a known part'],
    ["an identifier that can't be written", "1.40.1=x", '"1.40.1" is not a known part'],
    ["one attribute twice in one part", "CN=a + CN=b", "CN stands twice in one part"],
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
  const name = fc.array(fc.uniqueArray(attribute, { minLength: 1, maxLength: 2, selector: ({ oid }) => oid }), {
    minLength: 1,
    maxLength: 5,
  });

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
        expect(nameFromAsn1(readAsn1(writeAsn1(nameToAsn1(parts))))).toEqual(parts.map(sorted));
      }),
    );
  });
});

/** As DER writes a part of several values: sorted by their bytes. */
function sorted(part: readonly NameAttribute[]): readonly NameAttribute[] {
  const bytes = (attribute: NameAttribute): Buffer => writeAsn1(childOf(childOf(nameToAsn1([[attribute]]), 0), 0));
  return [...part].sort((left, right) => Buffer.compare(bytes(left), bytes(right)));
}

describe("a name as Windows prints it", () => {
  // One attribute of a name: identifier, tag and content of the value, and what CertNameToStr makes of it.
  it.each([
    ["a NumericString", "2.5.4.10", "120431322033", "O=12 3"],
    ["a NumericString of digits alone", "2.5.4.5", "1203303031", "SERIALNUMBER=001"],
    ["a TeletexString of UTF-8", "2.5.4.10", "14074dc3bc6c6c6572", "O=Müller"],
    ["a TeletexString of Latin-1", "2.5.4.10", "14064dfc6c6c6572", "O=Müller"],
    ["a TeletexString of ASCII", "2.5.4.3", "140161", "CN=a"],
    ["a BIT STRING", "2.5.4.10", "03020001", "O=#03020001"],
    ["an OCTET STRING", "2.5.4.10", "04020001", "O=#0001"],
    ["an INTEGER", "2.5.4.10", "020105", "O=#020105"],
    ["a BOOLEAN", "2.5.4.10", "0101ff", "O=#0101FF"],
    ["a SEQUENCE", "2.5.4.10", "3003020101", "O=#3003020101"],
    ["a BMPString with a surrogate pair", "2.5.4.3", "1e06d842dfb70041", 'CN="\u{20BB7}A"'.replaceAll('"', "")],
    ["a BMPString of an odd length", "2.5.4.3", "1e03004100", "CN=#1E03004100"],
    ["a UniversalString", "2.5.4.3", "1c080000004d0001f600", "CN=M\u{1F600}"],
    ["a VisibleString", "2.5.4.3", "1a0161", "CN=a"],
    ["a GeneralString", "2.5.4.3", "1b0161", "CN=a"],
    ["the maker of a TPM", "2.23.133.2.1", "0c0161", "TPMManufacturer=a"],
    ["the model of a TPM", "2.23.133.2.2", "0c0161", "TPMModel=a"],
    ["the version of a TPM", "2.23.133.2.3", "0c0161", "TPMVersion=a"],
    [
      "an identifier made of a UUID",
      "2.25.329800735698586629295641978511506172918",
      "0c0178",
      "OID.2.25.329800735698586629295641978511506172918=x",
    ],
    ["an identifier with an arc of 2^32", "1.2.4294967296", "0c0178", "OID.1.2.4294967296=x"],
    ["an identifier with an arc of 2^53 + 1", "1.2.9007199254740993.5", "0c0178", "OID.1.2.9007199254740993.5=x"],
    ["a text that begins with #", "2.5.4.10", "0c022361", 'O="#a"'],
  ])("prints %s", (_what, oid, value, text) => {
    const name = sequence(set(sequence(objectIdentifier(oid), readAsn1(Buffer.from(value, "hex")))));
    expect(formatDistinguishedName(nameFromAsn1(readAsn1(writeAsn1(name))))).toBe(text);
  });

  it.each(["GN=Ada", "G=Ada", "givenname=Ada"])("reads the given name in %s", (text) => {
    expect(parseDistinguishedName(text)).toEqual({ name: [[{ oid: "2.5.4.42", value: "Ada" }]] });
  });

  it("writes a part of several values sorted, whatever the order of the text", () => {
    const written = (text: string): string => {
      const parsed = parseDistinguishedName(text);
      if ("problem" in parsed) throw new Error(parsed.problem);
      return writeAsn1(nameToAsn1(parsed.name)).toString("hex");
    };
    expect(written("CN=a + O=b, C=DE")).toBe(written("O=b + CN=a, C=DE"));
    expect(written("OU=zz + CN=a + O=b")).toBe(written("CN=a + O=b + OU=zz"));
  });
});
