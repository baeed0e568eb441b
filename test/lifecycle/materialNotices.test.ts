import { readFileSync } from "node:fs";
import { join } from "node:path";

import { EX01, binding, openBench } from "./bench";
import { called } from "../identities";

/** A PFX that wants its key in a key storage provider. */
const KSP = {
  pfx: readFileSync(join(__dirname, "../certificate/fixtures/windows-aes-ksp.pfx")).toString("base64"),
  password: "exchange-test",
};
/** Within the dates of the fixture. */
const LATER = { now: new Date("2027-02-01T00:00:00Z") };
const NOTICE = "asks for a key storage provider (CNG)";

const said = (lines: readonly string[]) => lines.filter((line) => line.includes(NOTICE));

describe("a PFX that asks for a key storage provider", () => {
  it("is told of where a new binding imports it", async () => {
    const bench = openBench(undefined, LATER);
    await bench.checked(binding({ certificate: KSP }));
    expect(said(bench.lines)).toHaveLength(1);
    expect(said(bench.lines)[0]).toMatch(`[${EX01}] mail: `);
  });

  it("is told of where it replaces another certificate", async () => {
    const { id, outs, inputs } = await openBench(undefined, LATER).make(binding());
    const bench = openBench(undefined, LATER);
    const news = await bench.checked(binding({ certificate: KSP }), inputs);
    await bench.lifecycle.diff(id, outs, news);
    expect(said(bench.lines)).toHaveLength(1);
  });

  it("is told of no more once the certificate is there, imported without", async () => {
    const bench = openBench(undefined, LATER);
    const { id, outs, inputs } = await bench.make(binding({ certificate: KSP }));
    const again = bench.again();
    const news = await again.checked(binding({ certificate: KSP, services: ["SMTP", "IIS"] }), inputs);
    expect(await again.lifecycle.diff(id, outs, news)).toEqual({ changes: true });
    await again.checked(binding({ ...called("other"), certificate: KSP }));
    expect(said(again.lines)).toEqual([]);
    const [own] = (await bench.state()).certificates.slice(-1);
    expect(own?.privateKey.provider).toBe("CSP");
  });
});
