import { isRemotingError } from "../../provider/remoting/errors";
import { atOnce, STEP_BYTES } from "../../provider/remoting/steps";
import { childOf, childrenOf, decodeUtf8, escapeXml, parseXml } from "../../provider/remoting/xml";

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isRemotingError(error)) return error.code;
    throw error;
  }
  return "no error";
}

describe("reading XML that a server sent", () => {
  it("resolves namespaces, whatever the prefixes", () => {
    const root = atOnce(parseXml('<a:x xmlns:a="urn:one"><b xmlns="urn:two" a:k="1">t</b></a:x>'));
    expect([root.name, root.namespace]).toEqual(["x", "urn:one"]);
    const b = childOf(root, "b", "urn:two");
    expect(b?.text).toBe("t");
    expect([...(b?.attributes ?? [])]).toEqual([["k", "1"]]);
  });

  it("joins text and CDATA and drops comments and processing instructions", () => {
    expect(atOnce(parseXml("<a>1<!-- no --><![CDATA[<2>]]><?p no?>3</a>")).text).toBe("1<2>3");
  });

  it.each([
    ["a document type", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ["a document type that is only named", "<!DOCTYPE a><a/>"],
    ["an entity that XML doesn't know", "<a>&b;</a>"],
    ["an entity with the name of an object's own property", "<a>&constructor;</a>"],
    ["an unclosed element", "<a><b></a>"],
    ["two roots", "<a/><b/>"],
    ["an unbound prefix", "<p:a/>"],
    ["a control character", "<a>\u0001</a>"],
    ["nothing", ""],
    ["text alone", "hello"],
  ])("refuses %s", (_title, text) => {
    expect(codeOf(() => atOnce(parseXml(text)))).toBe("XmlRefused");
  });

  it("never quotes the document in its errors", () => {
    expect(() => atOnce(parseXml("<a>hunter2</b>"))).toThrow(/not well-formed \(line 1, column \d+\)/);
    expect(() => atOnce(parseXml("<hunter2>&hunter2;</hunter2>"))).not.toThrow(/hunter2/);
  });

  it("refuses what is nested deeper than the limit and takes what is just as deep", () => {
    const nested = (depth: number): string => "<a>".repeat(depth) + "</a>".repeat(depth);
    expect(codeOf(() => atOnce(parseXml(nested(64))))).toBe("no error");
    expect(codeOf(() => atOnce(parseXml(nested(65))))).toBe("XmlRefused");
    expect(codeOf(() => atOnce(parseXml(nested(65), { maxDepth: 65 })))).toBe("no error");
  });

  it("refuses documents that are too long or have too many elements", () => {
    expect(codeOf(() => atOnce(parseXml("<a>12345</a>", { maxLength: 11 })))).toBe("XmlRefused");
    expect(codeOf(() => atOnce(parseXml("<a>12345</a>", { maxLength: 12 })))).toBe("no error");
    expect(codeOf(() => atOnce(parseXml("<a><b/><b/></a>", { maxElements: 2 })))).toBe("XmlRefused");
    expect(codeOf(() => atOnce(parseXml("<a><b/><b/></a>", { maxElements: 3 })))).toBe("no error");
  });

  it("refuses a document that is cut off at any character", () => {
    const whole = '<a:x xmlns:a="urn:one"><b k="&lt;">t<![CDATA[u]]><!-- c --></b></a:x>';
    expect(codeOf(() => atOnce(parseXml(whole)))).toBe("no error");
    for (let length = 0; length < whole.length; length++) {
      expect(codeOf(() => atOnce(parseXml(whole.slice(0, length))))).toBe("XmlRefused");
    }
  });

  it("refuses a hundred million characters before it reads the first", () => {
    expect(() => atOnce(parseXml("\u0001".repeat(100_000_000)))).toThrow("100000000 characters");
  });

  it.each<[string, (index: number) => string]>([
    ["attributes", (index) => ` a${index}=""`],
    ["namespaces", (index) => ` xmlns:a${index}="urn:a"`],
  ])("refuses an element with too many %s while it reads them", (_what, attribute) => {
    const element = `<a${Array.from({ length: 300_000 }, (_value, index) => attribute(index)).join("")}`;
    // The element isn't even finished.
    expect(() => atOnce(parseXml(element))).toThrow("more attributes than 1000");
  });

  it("refuses documents that hold more together than they may, each of them small", () => {
    const budget = { left: 10 };
    atOnce(parseXml("<a><b c='1'/><d/></a>", { budget }));
    expect(budget.left).toBe(6);
    atOnce(parseXml("<a><b c='1'/><d/></a>", { budget }));
    expect(() => atOnce(parseXml("<a><b c='1'/><d/></a>", { budget }))).toThrow("with what came before");
  });

  it("is read in steps of some thousand characters, so that others get their turn", () => {
    const text = `<a>${"<b>some text</b>".repeat(65_536)}</a>`;
    const steps = parseXml(text);
    let count = 1;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) count += 1;
    expect(count).toBe(Math.ceil(text.length / STEP_BYTES));
    expect(step.value.children).toHaveLength(65_536);
  });

  it("is read the same wherever a step ends", () => {
    const filler = "x".repeat(STEP_BYTES);
    for (let shift = 0; shift < 40; shift++) {
      const text = `<a>${filler.slice(shift)}<b c="\u{1F600}">\r\n&lt;<![CDATA[]]]></b></a>`;
      const root = atOnce(parseXml(text));
      expect(root.children[0]?.text).toBe("\n<]");
      expect(root.children[0]?.attributes.get("c")).toBe("\u{1F600}");
    }
  });

  it("keeps attributes named like an object's own properties as plain data", () => {
    const root = atOnce(parseXml('<a __proto__="1" constructor="2"/>'));
    expect([...root.attributes]).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
  });

  it("finds all children of a name in order", () => {
    expect(childrenOf(atOnce(parseXml("<a><b>1</b><c/><b>2</b></a>")), "b").map((child) => child.text)).toEqual([
      "1",
      "2",
    ]);
  });
});

describe("bytes", () => {
  it("drops a byte order mark and refuses what isn't UTF-8", () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("a");
    expect(codeOf(() => decodeUtf8(Uint8Array.of(0x61, 0xff)))).toBe("XmlRefused");
  });
});

describe("escaping for XML", () => {
  it("comes back as it was, line ends and quotes too", () => {
    const text = "a&b<c>\"d'\r\ne\tf \u{1F600}";
    const root = atOnce(parseXml(`<a k="${escapeXml(text)}">${escapeXml(text)}</a>`));
    expect(root.text).toBe(text);
    expect(root.attributes.get("k")).toBe(text);
  });

  it.each(["\u0000", "\u001B", "\uFFFE", "\uD800", "a\uDC00"])("refuses what XML can't carry (%j)", (text) => {
    expect(codeOf(() => escapeXml(text))).toBe("XmlUnwritable");
  });
});
