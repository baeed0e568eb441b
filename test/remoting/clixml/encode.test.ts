import fc from "fast-check";
import { decodeClixml, decodeClixmlValue } from "../../../provider/remoting/clixml/decode";
import { encodeClixml, encodeClixmlDocument } from "../../../provider/remoting/clixml/encode";
import {
  bytes,
  type ClixmlValue,
  dictionary,
  enumValue,
  int32,
  list,
  NIL,
  object,
  propertyBag,
  secureString,
  string,
} from "../../../provider/remoting/clixml/types";
import { Secret } from "../../../provider/secret";
import { anyValue } from "./anyValue";

describe("encoding CLIXML", () => {
  it("writes a property bag as PowerShell does", () => {
    expect(encodeClixml(propertyBag({ N: string("Thumbprint"), V: NIL, left: undefined }))).toBe(
      '<Obj RefId="0"><MS><S N="N">Thumbprint</S><Nil N="V" /></MS></Obj>',
    );
  });

  it("writes an enum with its types, text and number, and refers to types it wrote before", () => {
    const enumOf = (): ClixmlValue => enumValue("A.B", "None", 0);
    expect(encodeClixml(propertyBag({ a: enumOf(), b: enumOf() }))).toBe(
      '<Obj RefId="0"><MS><Obj N="a" RefId="1"><TN RefId="0"><T>A.B</T><T>System.Enum</T><T>System.ValueType</T>' +
        "<T>System.Object</T></TN><ToString>None</ToString><I32>0</I32></Obj>" +
        '<Obj N="b" RefId="2"><TNRef RefId="0" /><ToString>None</ToString><I32>0</I32></Obj></MS></Obj>',
    );
  });

  it("writes the same object a second time as a reference", () => {
    const shared = object({ content: { kind: "LST", items: [] } });
    expect(encodeClixml(propertyBag({ a: shared, b: shared }))).toBe(
      '<Obj RefId="0"><MS><Obj N="a" RefId="1"><LST></LST></Obj><Ref N="b" RefId="1" /></MS></Obj>',
    );
  });

  it("writes a dictionary", () => {
    expect(encodeClixml(dictionary([["a", int32(1)]], []))).toBe(
      '<Obj RefId="0"><DCT><En><S N="Key">a</S><I32 N="Value">1</I32></En></DCT></Obj>',
    );
  });

  it("escapes markup and control characters in values and names", () => {
    const xml = encodeClixml(propertyBag({ '"<\n': string("&\r\n</S>") }));
    expect(xml).toBe('<Obj RefId="0"><MS><S N="&quot;&lt;_x000A_">&amp;_x000D__x000A_&lt;/S&gt;</S></MS></Obj>');
  });

  it("sends clear text of a secure string only through the encryption that was given", () => {
    const value = secureString(new Secret("hunter2"));
    expect(() => encodeClixml(value)).toThrow("before the session key is there");
    const protect = (clear: Secret<string>): Uint8Array => Buffer.from(clear.reveal()).reverse();
    expect(encodeClixml(value, { protect })).toBe(`<SS>${Buffer.from("2retnuh").toString("base64")}</SS>`);
  });

  it.each<[string, ClixmlValue]>([
    ["a number beyond its type", { kind: "By", value: 256 }],
    ["a fraction as a whole number", int32(1.5)],
    ["not a number as a whole number", int32(Number.NaN)],
    ["a stub of a reference", { kind: "Ref", refId: "1" }],
    ["an element that could not be read", { kind: "unknown", element: "X", text: "" }],
    ["a control character where nothing is escaped", { kind: "Version", value: "\u0001" }],
  ])("refuses %s", (_title, value) => {
    expect(() => encodeClixml(value)).toThrow(expect.objectContaining({ code: "XmlUnwritable" }));
  });

  it("refuses a circle instead of writing for ever", () => {
    const items: ClixmlValue[] = [];
    for (let depth = 0; depth < 40; depth++) items.splice(0, items.length, list([...items]));
    expect(() => encodeClixml(list(items))).toThrow("deeper than 64 levels");
  });

  it("writes a document of several values", () => {
    const xml = encodeClixmlDocument([string("a"), bytes(Uint8Array.of(1))]);
    expect(decodeClixml(xml)).toEqual([string("a"), bytes(Uint8Array.of(1))]);
  });
});

describe("both directions", () => {
  it("gives every value back", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(decodeClixmlValue(encodeClixml(value))).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it("reads damaged documents without anything but its own errors", () => {
    fc.assert(
      fc.property(
        anyValue,
        fc.nat(),
        fc.constantFrom("<", ">", "/", "&", "_x", "", "\u0000", "Obj", '"'),
        (value, at, piece) => {
          const xml = encodeClixml(value);
          const damaged = xml.slice(0, at % xml.length) + piece + xml.slice((at % xml.length) + 1);
          try {
            decodeClixml(damaged);
          } catch (error) {
            expect(error).toMatchObject({ name: "RemotingError" });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
