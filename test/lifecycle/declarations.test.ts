import type { Backend } from "../../provider/backends/backend";
import { makeTestAuthority } from "../certificate/testCertificates";
import { called } from "../identities";
import { RefusedPreview, givenPfx, makeMiniEngine } from "../miniEngine";
import { EX01, NOW, farm, openBench, type Bag, type Bench } from "./bench";

/*
 * A certificate that one binding has replaced and another one declares: whoever is looked at first.
 */

const DAY_MS = 24 * 60 * 60 * 1000;
const authority = makeTestAuthority();
const first = givenPfx({ issuer: authority });
const second = givenPfx({ issuer: authority });
const short = first.thumbprint.slice(0, 8);
const mail = (certificate: unknown, more: Bag = {}): Bag => ({
  server: EX01,
  certificate,
  services: ["IIS", "SMTP"],
  onDelete: "remove",
  ...more,
});
const other = { server: EX01, certificate: first.source, services: ["SMTP"] };

async function replacedLongAgo() {
  let now = NOW;
  const engine = await makeMiniEngine(farm(), () => now);
  await engine.up({ mail: mail(first.source) });
  await engine.up({ mail: mail(second.source, { removeAfterDays: 7 }) });
  now = new Date(now.getTime() + 8 * DAY_MS);
  const isThere = async () =>
    (await engine.observe(EX01)).certificates.some(({ facts }) => facts.thumbprint === first.thumbprint);
  return { ...engine, isThere };
}

describe("a replaced certificate that is due, and that another binding declares", () => {
  it("is refused to that one when it comes later, with the binding that removes it and the way out", async () => {
    const engine = await replacedLongAgo();
    const preview = engine.preview({ mail: mail(second.source), other });
    await expect(preview).rejects.toBeInstanceOf(RefusedPreview);
    await expect(preview).rejects.toThrow(
      /binding "mail", which comes before this one, removes certificate .*"other" declares it\. Let "mail" depend on "other" \(dependsOn\)/,
    );
    expect(await engine.isThere()).toBe(true);
  });

  it("stays, and is no change, where that one comes in front", async () => {
    const engine = await replacedLongAgo();
    const run = await engine.up({ other, mail: mail(second.source, { removeAfterDays: 7 }) });
    expect(run.done).toEqual({ other: "create", mail: "same" });
    expect(await engine.isThere()).toBe(true);
  });

  it("stays where the removal is no more than the end of a replacement: by then all are known", async () => {
    const engine = await makeMiniEngine(farm());
    await engine.up({ mail: mail(first.source), other });
    const preview = await engine.preview({ mail: mail(second.source), other });
    expect(preview.lines.filter((line) => line.includes(`certificate ${short} stays`))).toEqual([
      expect.stringMatching(/ other: certificate [0-9A-F]{8} stays, because this binding declares it: binding "mail"/),
    ]);
    const run = await engine.up({ mail: mail(second.source), other });
    const stays = run.lines.filter((line) => line.includes(`certificate ${short} stays`));
    expect(stays.slice(1)).toEqual([
      expect.stringMatching(/: certificate [0-9A-F]{8} stays: binding "other" declares it$/),
    ]);
  });

  it("is left to the one that declares it: from then on its own onDelete decides, and that is said once", async () => {
    const engine = await makeMiniEngine(farm());
    await engine.up({ mail: mail(first.source), other });
    const run = await engine.up({ other, mail: mail(second.source) });
    const stays = run.lines.filter((line) => line.includes(`certificate ${short} stays`));
    expect(stays.filter((line) => line.includes("and its onDelete decides about it from now on"))).toHaveLength(1);
    expect(engine.outputs("mail")["supersedes"]).toEqual([]);
    // Forgotten by the other one, which doesn't say "remove", it stays for good.
    await engine.up({ mail: mail(second.source) });
    const settled = await engine.up({ mail: mail(second.source) });
    expect(settled.done).toEqual({ mail: "same" });
  });
});

describe("a removal that is under way when another binding declares the certificate", () => {
  /** An update that waits at one of its readings of the server; the first is that of the preview. */
  async function updateThatWaitsAt(reading: number) {
    let readings = 0;
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let reached = (): void => undefined;
    const isThere = new Promise<void>((resolve) => (reached = resolve));
    const slow = (real: Backend): Backend => ({
      ...real,
      readSnapshot: async (...args) => {
        readings += 1;
        if (readings === reading) {
          reached();
          await gate;
        }
        return real.readSnapshot(...args);
      },
    });
    const start = openBench(farm());
    const named = (name: string, args: Bag): Bag => ({ ...called(name), ...args });
    const made = await start.make(named("mail", mail(first.source)));
    const between = start.again();
    const inputs = await between.checked(named("mail", mail(second.source, { removeAfterDays: 7 })), made.inputs);
    await between.lifecycle.diff(made.id, made.outs, inputs);
    const { id, outs } = await between.lifecycle.create(inputs);
    const bench: Bench = start.again({ now: new Date(NOW.getTime() + 8 * DAY_MS), backend: slow });
    const again = await bench.checked(named("mail", mail(second.source)), inputs);
    expect(await bench.lifecycle.diff(id, outs, again)).toMatchObject({ changes: true });
    const update = bench.lifecycle.update(id, outs, again);
    await isThere;
    const check = await bench.lifecycle.check({}, named("other", other));
    open();
    return { bench, check, done: (await update).outs };
  }

  it.each([
    ["before the plan is made anew", 2],
    ["right before the call", 3],
  ])("is given up when that comes in time, %s", async (_when, reading) => {
    const { bench, check, done } = await updateThatWaitsAt(reading);
    expect(check.failures).toEqual([]);
    expect(bench.calls.filter((call) => call.startsWith("removeCertificate"))).toEqual([]);
    expect(done["supersedes"]).toEqual([]);
    const lines = bench.lines.filter((line) => !line.includes("plan: "));
    expect(lines.filter((line) => line.includes("removed"))).toEqual([]);
    expect(
      lines.filter((line) => line.includes(`certificate ${short} stays: binding "other" declares it`)),
    ).toHaveLength(1);
  });
});
