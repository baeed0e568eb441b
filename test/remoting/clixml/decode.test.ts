import { decodeClixml, decodeClixmlValue } from "../../../provider/remoting/clixml/decode";
import {
  booleanOf,
  displayOf,
  entryOf,
  instantOf,
  integerOf,
  isOfType,
  itemsOf,
  propertyOf,
  stringOf,
} from "../../../provider/remoting/clixml/reading";
import type { ClixmlValue } from "../../../provider/remoting/clixml/types";
import { isRemotingError } from "../../../provider/remoting/errors";

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isRemotingError(error)) return error.code;
    throw error;
  }
  return "no error";
}

describe("primitives", () => {
  it.each<[string, ClixmlValue]>([
    ["<S>a_x000A_b</S>", { kind: "S", value: "a\nb" }],
    ["<S> a </S>", { kind: "S", value: " a " }],
    ["<S />", { kind: "S", value: "" }],
    ["<C>55357</C>", { kind: "C", value: 0xd83d }],
    ["<B>true</B>", { kind: "B", value: true }],
    ["<B>false</B>", { kind: "B", value: false }],
    ["<DT>2022-12-30T15:06:40.1234567-08:00</DT>", { kind: "DT", value: "2022-12-30T15:06:40.1234567-08:00" }],
    ["<TS>PT9.0269026S</TS>", { kind: "TS", value: "PT9.0269026S" }],
    ["<By>255</By>", { kind: "By", value: 255 }],
    ["<SB>-128</SB>", { kind: "SB", value: -128 }],
    ["<U16>65535</U16>", { kind: "U16", value: 65535 }],
    ["<I16>-32768</I16>", { kind: "I16", value: -32768 }],
    ["<U32>4294967295</U32>", { kind: "U32", value: 4294967295 }],
    ["<I32>-2147483648</I32>", { kind: "I32", value: -2147483648 }],
    ["<U64>18446744073709551615</U64>", { kind: "U64", value: 18446744073709551615n }],
    ["<I64>-9223372036854775808</I64>", { kind: "I64", value: -9223372036854775808n }],
    ["<Sg>12.34</Sg>", { kind: "Sg", value: 12.34 }],
    ["<Db>1.7976931348623157E+308</Db>", { kind: "Db", value: Number.MAX_VALUE }],
    ["<Db>-INF</Db>", { kind: "Db", value: Number.NEGATIVE_INFINITY }],
    ["<Db>NaN</Db>", { kind: "Db", value: Number.NaN }],
    ["<D>12.340</D>", { kind: "D", value: "12.340" }],
    ["<BA>AQID\nBA==</BA>", { kind: "BA", value: Uint8Array.of(1, 2, 3, 4) }],
    ["<G>792e5b37-4505-47ef-b7d2-8711bb7affa8</G>", { kind: "G", value: "792e5b37-4505-47ef-b7d2-8711bb7affa8" }],
    ["<URI>http://x/_x0020_</URI>", { kind: "URI", value: "http://x/ " }],
    ["<Version>6.2.1.3</Version>", { kind: "Version", value: "6.2.1.3" }],
    ["<XD>&lt;a /&gt;</XD>", { kind: "XD", value: "<a />" }],
    ["<SBK>get-command</SBK>", { kind: "SBK", value: "get-command" }],
    ["<SS>AQID</SS>", { kind: "SS", value: Uint8Array.of(1, 2, 3) }],
    ["<Nil />", { kind: "Nil" }],
    [
      "<PR><AV>a_x000A_</AV><AI>3</AI><Nil /></PR>",
      {
        kind: "PR",
        fields: new Map([
          ["AV", "a\n"],
          ["AI", "3"],
          ["Nil", ""],
        ]),
      },
    ],
  ])("reads %s", (xml, expected) => {
    expect(decodeClixmlValue(xml)).toEqual(expected);
  });

  it.each([
    "<By>256</By>",
    "<By>-1</By>",
    "<I32>2147483648</I32>",
    "<I32>1e3</I32>",
    "<I32>0x10</I32>",
    "<I32></I32>",
    "<I64>9223372036854775808</I64>",
    "<U64>-1</U64>",
    "<U64></U64>",
    "<Db>one</Db>",
    "<Db></Db>",
    "<B>maybe</B>",
    "<BA>AQI</BA>",
    "<BA>A*==</BA>",
  ])("refuses %s", (xml) => {
    expect(codeOf(() => decodeClixmlValue(xml))).toBe("ClixmlInvalid");
  });
});

describe("documents", () => {
  it("takes nothing at all as no value, as messages without a body arrive", () => {
    expect(decodeClixml("")).toEqual([]);
    expect(decodeClixml(Uint8Array.of(0xef, 0xbb, 0xbf))).toEqual([]);
    expect(decodeClixmlValue("")).toEqual({ kind: "Nil" });
  });

  it("reads every value of an Objs document, with a byte order mark, whatever the prefix", () => {
    const xml =
      '\uFEFF<p:Objs xmlns:p="http://schemas.microsoft.com/powershell/2004/04"><p:S>a</p:S>\n<p:I32>1</p:I32></p:Objs>';
    expect(decodeClixml(new TextEncoder().encode(xml)).map(displayOf)).toEqual(["a", "1"]);
    expect(decodeClixml(xml).map(displayOf)).toEqual(["a", "1"]);
  });

  it("refuses a document type and nesting beyond the limit", () => {
    expect(codeOf(() => decodeClixml("<!DOCTYPE S><S>a</S>"))).toBe("XmlRefused");
    const deep = "<Obj><LST>".repeat(40) + "</LST></Obj>".repeat(40);
    expect(codeOf(() => decodeClixml(deep))).toBe("XmlRefused");
    expect(codeOf(() => decodeClixml(deep, { maxDepth: 80 }))).toBe("no error");
  });

  it("refuses a document that is cut off at any byte", () => {
    const whole = Buffer.from(
      "<Objs xmlns='urn:x'><Obj RefId='0'><TN RefId='0'><T>A</T></TN><MS><S N='a'>\u00e9_x000A_</S></MS></Obj></Objs>",
    );
    expect(codeOf(() => decodeClixml(whole))).toBe("no error");
    // Nothing at all is no value; see above.
    for (let length = 1; length < whole.length; length++) {
      expect(codeOf(() => decodeClixml(whole.subarray(0, length)))).toBe("XmlRefused");
    }
  });

  it("reads or refuses numbers with a million digits without trying them in all ways", () => {
    const digits = "1".repeat(1_000_000);
    for (const kind of ["I32", "I64", "U64", "Db"]) {
      expect(codeOf(() => decodeClixml(`<${kind}>${digits}x</${kind}>`))).toBe("ClixmlInvalid");
    }
    expect(decodeClixmlValue(`<Db>${digits}</Db>`)).toEqual({ kind: "Db", value: Number.POSITIVE_INFINITY });
    expect(decodeClixmlValue(`<Db>.${digits}e-3</Db>`)).toMatchObject({ kind: "Db" });
  });

  it("reads tens of thousands of objects, and references to them", () => {
    const count = 40_000;
    const objects = Array.from({ length: count }, (_value, index) => `<Obj RefId='${index}'><Nil/></Obj>`).join("");
    const references = Array.from({ length: count }, (_value, index) => `<Ref RefId='${index}'/>`).join("");
    const items = itemsOf(decodeClixmlValue(`<Obj><LST>${objects}${references}</LST></Obj>`)) ?? [];
    expect(items).toHaveLength(2 * count);
    expect(items[count + 7]).toBe(items[7]);
  });

  it("refuses a hundred million bytes before it reads the first", () => {
    expect(() => decodeClixml(new Uint8Array(100_000_000).fill(0x61))).toThrow("100000000 characters");
  });

  it("keeps elements that it doesn't know instead of failing", () => {
    const value = decodeClixmlValue("<Obj><New>x</New><MS><Newer N='a'>1</Newer><S N='b'>2</S></MS></Obj>");
    expect(propertyOf(value, "a")).toEqual({ kind: "unknown", element: "Newer", text: "1" });
    expect(stringOf(propertyOf(value, "b"))).toBe("2");
  });
});

describe("objects", () => {
  it("reads type names, display, an enum's number and properties, in any order", () => {
    const value = decodeClixmlValue(
      '<Obj RefId="0"><I32>27</I32><MS><S N="Note">n</S></MS><Props><S N="Name">p</S></Props>' +
        '<ToString>IMAP, POP</ToString><TN RefId="0"><T>A.B</T><T>System.Enum</T></TN></Obj>',
    );
    expect(isOfType(value, "A.B")).toBe(true);
    expect(isOfType(value, "A.C")).toBe(false);
    expect(displayOf(value)).toBe("IMAP, POP");
    expect(integerOf(value)).toBe(27);
    expect(stringOf(propertyOf(value, "note"))).toBe("n");
    expect(stringOf(propertyOf(value, "Name"))).toBe("p");
  });

  it("knows a deserialised type by its own name", () => {
    const value = decodeClixmlValue("<Obj><TN><T>Deserialized.A.B</T></TN></Obj>");
    expect(isOfType(value, "A.B")).toBe(true);
  });

  it("prefers what PowerShell added over the object's own property", () => {
    const value = decodeClixmlValue("<Obj><Props><S N='a'>own</S></Props><MS><S N='A'>added</S></MS></Obj>");
    expect(stringOf(propertyOf(value, "a"))).toBe("added");
  });

  it.each(["LST", "STK", "QUE", "IE"])("reads a list of kind %s", (kind) => {
    const value = decodeClixmlValue(`<Obj><${kind}><S>a</S><Nil /></${kind}></Obj>`);
    expect(itemsOf(value)).toEqual([{ kind: "S", value: "a" }, { kind: "Nil" }]);
  });

  it("reads a dictionary whichever of key and value comes first", () => {
    const value = decodeClixmlValue(
      "<Obj><DCT><En><S N='Key'>a</S><I32 N='Value'>1</I32></En><En><B N='Value'>true</B><S N='Key'>b</S></En></DCT></Obj>",
    );
    expect(integerOf(entryOf(value, "a"))).toBe(1);
    expect(booleanOf(entryOf(value, "b"))).toBe(true);
    expect(entryOf(value, "c")).toBeUndefined();
  });

  it("takes properties from each element of them, the later before the earlier, and counts all of an object", () => {
    const element = (name: string, value: string) => `<MS><S N='${name}'>${value}</S></MS>`;
    const value = decodeClixmlValue(`<Obj>${element("a", "1")}${element("b", "2")}<MS />${element("a", "3")}</Obj>`);
    expect([stringOf(propertyOf(value, "a")), stringOf(propertyOf(value, "b"))]).toEqual(["3", "2"]);
    const many = (count: number) => Array.from({ length: count }, (_, i) => element(String(i), "")).join("");
    expect(stringOf(propertyOf(decodeClixmlValue(`<Obj>${many(10_000)}</Obj>`), "9999"))).toBe("");
    expect(() => decodeClixmlValue(`<Obj>${many(10_001)}</Obj>`)).toThrow("more than 10000 properties");
  });

  it("unescapes names of properties", () => {
    expect(stringOf(propertyOf(decodeClixmlValue("<Obj><MS><S N='a_x000A_b'>1</S></MS></Obj>"), "a\nb"))).toBe("1");
  });

  it("keeps properties named like an object's own as plain data", () => {
    const value = decodeClixmlValue(
      "<Obj><MS><S N='__proto__'>1</S></MS><Props><S N='constructor'>2</S><S N='toString'>3</S></Props></Obj>",
    );
    expect(stringOf(propertyOf(value, "__proto__"))).toBe("1");
    expect(stringOf(propertyOf(value, "constructor"))).toBe("2");
    expect(propertyOf(value, "hasOwnProperty")).toBeUndefined();
    expect(({} as Record<string, unknown>)["1"]).toBeUndefined();
  });
});

describe("references", () => {
  it("follows a reference to an object and to type names", () => {
    const [first, second] =
      itemsOf(
        decodeClixmlValue(
          "<Obj><LST><Obj RefId='1'><TN RefId='0'><T>A</T></TN><ToString>x</ToString></Obj><Ref RefId='1' /></LST></Obj>",
        ),
      ) ?? [];
    expect(second).toBe(first);
    const value = decodeClixmlValue(
      "<Obj><TN RefId='0'><T>A</T></TN><MS><Obj N='b'><TNRef RefId='0' /></Obj></MS></Obj>",
    );
    expect(isOfType(propertyOf(value, "b"), "A")).toBe(true);
  });

  it("leaves references to what comes later, never, or around it as stubs, so that values never form a circle", () => {
    const value = decodeClixmlValue(
      "<Obj RefId='0'><LST><Ref RefId='0' /><Ref RefId='7' /><Ref /><Obj RefId='7'><TNRef RefId='9' /></Obj></LST></Obj>",
    );
    expect(itemsOf(value)?.slice(0, 3)).toEqual([
      { kind: "Ref", refId: "0" },
      { kind: "Ref", refId: "7" },
      { kind: "Ref", refId: "" },
    ]);
  });

  it("takes a RefId that is used twice as the object that came last", () => {
    const items = itemsOf(
      decodeClixmlValue(
        "<Obj><LST><Obj RefId='1'><S>a</S></Obj><Ref RefId='1' /><Obj RefId='1'><S>b</S></Obj><Ref RefId='1' /></LST></Obj>",
      ),
    );
    expect(items?.map(stringOf)).toEqual(["a", "a", "b", "b"]);
  });
});

describe("dates", () => {
  it("are instants only when they say their offset", () => {
    expect(instantOf({ kind: "DT", value: "2023-01-05T15:06:40.9999999-08:00" })?.toISOString()).toBe(
      "2023-01-05T23:06:40.999Z",
    );
    expect(instantOf({ kind: "DT", value: "2023-01-05T15:06:40Z" })?.toISOString()).toBe("2023-01-05T15:06:40.000Z");
    expect(instantOf({ kind: "DT", value: "2023-01-05T15:06:40" })).toBeUndefined();
    expect(instantOf({ kind: "DT", value: "2023-99-05T15:06:40Z" })).toBeUndefined();
    expect(instantOf({ kind: "S", value: "2023-01-05T15:06:40Z" })).toBeUndefined();
  });
});
