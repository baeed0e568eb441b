import { sortedJson } from "../provider/sortedJson";

it("is the same whatever the order of keys, at each depth, and not that of lists", () => {
  expect(sortedJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
  expect(sortedJson([2, 1])).toBe("[2,1]");
  expect(sortedJson({ a: 1, b: 2 }, (key, part) => (key === "a" ? undefined : part))).toBe('{"b":2}');
  expect(sortedJson(undefined)).toBeUndefined();
});
