import { createNormaliser, summaryOf, thumbprintOf } from "../../../tools/docs/normalise.cjs";

const now = (): Date => new Date("2026-11-29T18:00:00Z");
const make = () => createNormaliser({ name: "story", directory: "/tmp/x/project", now });
const REAL = "0123456789ABCDEF0123456789ABCDEF01234567";

describe("a listing", () => {
  it("has the same thumbprint each time, whole and in short", () => {
    const { normalise, know } = make();
    know(REAL, "mail.pfx");
    const fixed = thumbprintOf("story mail.pfx");
    expect(normalise("imports 01234567, which")).toBe(`imports ${fixed.slice(0, 8)}, which`);
    expect(normalise(`the certificate is ${REAL}`)).toBe(`the certificate is ${fixed}`);
    expect(normalise("DEADBEEF is no certificate")).toBe("DEADBEEF is no certificate");
  });

  it("is taken on one day, whenever it is taken: dates keep their distance from today", () => {
    const { normalise } = make();
    expect(normalise('"2026-12-01T17:59:12.000Z"')).toBe('"2027-03-03T12:00:00.000Z"');
    expect(normalise("46 days left (2026-12-01), since 29 November")).toBe("46 days left (2027-03-03), since 1 March");
    expect(normalise("1827 days left")).toBe("1825 days left");
  });

  it("shows no path of the machine on which it was taken", () => {
    expect(make().normalise("file /tmp/x/project/.exchange-simulator.json")).toBe(
      "file /home/you/mail/.exchange-simulator.json",
    );
  });

  it("is the summary, without the progress before it and without groups that say nothing", () => {
    const printed = [
      "Previewing update (dev):",
      " +  pulumi:pulumi:Stack mail-dev create",
      "@ previewing update....",
      "Diagnostics:",
      "  pulumi:pulumi:Stack (mail-dev):",
      "    This is a simulation: the Exchange organisation is the file x.",
      "Resources:",
      "    2 unchanged",
    ];
    expect(summaryOf(printed.join("\n"))).toBe("Resources:\n    2 unchanged");
  });

  it("has the bindings in one order, and each binding's lines as they came", () => {
    const printed = ["    [b.x] two: z", "    [a.x] one: y", "    [b.x] two: a"];
    expect(
      summaryOf(printed.join("\n"))
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual(["[a.x] one: y", "[b.x] two: z", "[b.x] two: a"]);
  });

  it("has the resources of Diagnostics in one order, the stack first", () => {
    const printed = ["Diagnostics:", "  a:B (two):", "    z", "", "  a:B (one):", "    y", "", "Resources:", "    2 x"];
    expect(summaryOf(printed.join("\n")).split("\n")).toEqual([
      "Diagnostics:",
      "  a:B (one):",
      "    y",
      "",
      "  a:B (two):",
      "    z",
      "",
      "Resources:",
      "    2 x",
    ]);
  });
});
