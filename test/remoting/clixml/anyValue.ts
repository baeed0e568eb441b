import fc from "fast-check";
import {
  type ClixmlContent,
  type ClixmlValue,
  int32,
  INTEGER_RANGES,
  NIL,
  object,
  string,
} from "../../../provider/remoting/clixml/types";

const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const plainText = fc.string({ unit: fc.constantFrom("0", "1", "9", "a", "f", ".", "-", ":") });
/** Any value that CLIXML can carry. */
export const { value: anyValue } = fc.letrec<{
  value: ClixmlValue;
  object: ClixmlValue;
  properties: Map<string, ClixmlValue>;
}>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(NIL),
    fc.record({ kind: fc.constantFrom("S", "URI", "XD", "SBK"), value: text }) as fc.Arbitrary<ClixmlValue>,
    fc.record({
      kind: fc.constantFrom("DT", "TS", "D", "G", "Version"),
      value: plainText,
    }) as fc.Arbitrary<ClixmlValue>,
    fc.record({ kind: fc.constant("B"), value: fc.boolean() }) as fc.Arbitrary<ClixmlValue>,
    fc.constantFrom(...INTEGER_RANGES).chain(([kind, [min, max]]) =>
      fc.record({
        kind: fc.constant(kind),
        value: fc.oneof(
          fc.integer({ min: Math.max(min, -2147483648), max: Math.min(max, 2147483647) }),
          fc.constantFrom(min, max),
        ),
      }),
    ) as fc.Arbitrary<ClixmlValue>,
    fc.record({
      kind: fc.constant("I64"),
      value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    }) as fc.Arbitrary<ClixmlValue>,
    fc.record({
      kind: fc.constant("U64"),
      value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    }) as fc.Arbitrary<ClixmlValue>,
    fc.record({ kind: fc.constantFrom("Db", "Sg"), value: fc.double() }) as fc.Arbitrary<ClixmlValue>,
    fc.record({ kind: fc.constantFrom("BA", "SS"), value: fc.uint8Array() }) as fc.Arbitrary<ClixmlValue>,
    tie("object"),
  ),
  properties: fc
    .uniqueArray(fc.tuple(text, tie("value")), { selector: ([name]) => name, maxLength: 4 })
    .map((pairs) => new Map(pairs)),
  object: fc
    .record({
      typeNames: fc.array(text, { maxLength: 3 }),
      display: fc.option(text, { nil: undefined }),
      content: fc.option(
        fc.oneof(
          fc.record({
            kind: fc.constantFrom("LST", "STK", "QUE", "IE"),
            items: fc.array(tie("value"), { maxLength: 4 }),
          }),
          fc.record({
            kind: fc.constant("DCT"),
            entries: fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }),
          }),
          fc.record({ kind: fc.constant("primitive"), value: fc.constantFrom(string("x"), int32(5), NIL) }),
        ) as fc.Arbitrary<ClixmlContent>,
        { nil: undefined },
      ),
      adapted: tie("properties"),
      extended: tie("properties"),
    })
    .map((parts) => object(parts as Parameters<typeof object>[0])),
}));
