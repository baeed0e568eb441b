import type { CertificateMaterial } from "../../provider/certificate/material";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import type { TestCertificateWish } from "../certificate/testCertificates";
import { makeMiniEngine, type MiniEngine, RefusedPreview } from "../miniEngine";
import { stored } from "../backends/simulator/lab";
import { EX01, EX02, NOW, binding, farm, openBench } from "./bench";
import type { Bag } from "./bench";

/*
 * Certificates that somebody else puts on the servers and renews there, in the order in which the engine calls the
 * provider.
 */

const DAY_MS = 24 * 60 * 60 * 1000;
const authority = makeTestAuthority();
const ON_SERVER = { onServer: { dnsNames: ["mail.contoso.com"] } };
const BINDING = { server: EX01, certificate: ON_SERVER, services: ["IIS", "SMTP"] };

/** Enrolled so many days ago, for 90 days. */
function enrolled(daysAgo: number, wish: TestCertificateWish = {}): CertificateMaterial {
  const notBefore = new Date(NOW.getTime() - daysAgo * DAY_MS);
  const notAfter = new Date(notBefore.getTime() + 90 * DAY_MS);
  return makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: authority, notBefore, notAfter, ...wish });
}

const short = ({ facts }: CertificateMaterial): string => facts.thumbprint.slice(0, 8);

interface Story extends MiniEngine {
  put(material: CertificateMaterial, server?: string): Promise<void>;
  take(material: CertificateMaterial, server?: string): Promise<void>;
}

async function begin(...there: readonly CertificateMaterial[]): Promise<Story> {
  const engine = await makeMiniEngine(farm(), () => NOW);
  const changed = (server: string, change: (all: readonly Bag[]) => readonly Bag[]): Promise<void> =>
    engine.store.update((organisation) => {
      const state = organisation.servers[server];
      if (state === undefined) throw new Error("no server");
      const certificates = change(
        state.certificates as unknown as readonly Bag[],
      ) as unknown as typeof state.certificates;
      const servers = { ...organisation.servers, [server]: { ...state, certificates } };
      return { organisation: { ...organisation, servers }, result: undefined };
    });
  const story: Story = {
    ...engine,
    put: (material, server = EX01) =>
      changed(server, (all) => [...all, stored(material, { rootStore: "trusted" }) as unknown as Bag]),
    take: ({ der }, server = EX01) =>
      changed(server, (all) => all.filter((one) => one["der"] !== Buffer.from(der).toString("base64"))),
  };
  for (const material of there) await story.put(material);
  return story;
}

async function refusal(run: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await run.catch((thrown: unknown) => thrown);
  if (error instanceof RefusedPreview) return error.failures.map(({ property, reason }) => `${property}: ${reason}`);
  throw new Error("it wasn't refused", { cause: error });
}

const said = (lines: readonly string[], text: string): readonly string[] => lines.filter((line) => line.includes(text));

describe("a binding of what is on the server", () => {
  const [old, renewed] = [enrolled(60), enrolled(1)];

  it("says which certificate it is and why not the others, and binds it", async () => {
    const own = makeTestCertificate({ dnsNames: ["mail.contoso.com"], notAfter: new Date("2027-01-01T00:00:00Z") });
    const story = await begin(old, renewed, own);
    const preview = await story.preview({ mail: BINDING });
    expect(said(preview.lines, "of the certificates on the server")).toEqual([
      `[ex01.contoso.com] mail: of the certificates on the server the newest for mail.contoso.com is ${short(renewed)} (mail.contoso.com, 89 days left), of 2026-11-22, issued by CN=Contoso Issuing CA, O=Contoso; not ${short(old)} (mail.contoso.com, 30 days left): older, of 2026-09-24; not ${short(own)} (mail.contoso.com, 38 days left): it is self-signed`,
    ]);
    const up = await story.up({ mail: BINDING });
    expect(said(up.lines, "of the certificates on the server")).toHaveLength(1);
    expect(story.outputs("mail")).toMatchObject({
      thumbprint: renewed.facts.thumbprint,
      certificate: ON_SERVER,
      heldServices: ["IIS", "SMTP"],
    });
  });

  it("changes nothing in ten runs in a row, nor in a refresh", async () => {
    const story = await begin(old, renewed);
    await story.up({ mail: BINDING });
    const before = await story.store.read();
    for (let run = 0; run < 10; run += 1) expect((await story.up({ mail: BINDING })).done).toEqual({ mail: "same" });
    expect((await story.refresh()).done).toEqual({ mail: "same" });
    expect(await story.store.read()).toEqual(before);
  });

  it("follows a renewal on one server of three bindings, and then on all", async () => {
    const there = enrolled(60);
    const story = await begin(old);
    await story.put(there, EX02);
    const program = { one: BINDING, two: { ...BINDING, server: EX02 }, more: { ...BINDING, services: ["SMTP"] } };
    await story.up(program);
    await story.put(renewed);
    const preview = await story.preview(program);
    expect(preview.done).toEqual({ one: "replace", two: "same", more: "replace" });
    expect(said(preview.lines, "another certificate of the server was chosen")).toHaveLength(2);
    expect((await story.up(program)).done).toEqual({ one: "replace", two: "same", more: "replace" });
    await story.put(enrolled(0), EX02);
    expect((await story.up(program)).done).toEqual({ one: "same", two: "replace", more: "same" });
    expect((await story.up(program)).done).toEqual({ one: "same", two: "same", more: "same" });
  });

  it("doesn't heed a newer self-signed one of the same name", async () => {
    const story = await begin(old);
    await story.up({ mail: BINDING });
    await story.put(makeTestCertificate({ dnsNames: ["mail.contoso.com"], notBefore: NOW }));
    expect((await story.up({ mail: BINDING })).done).toEqual({ mail: "same" });
  });

  it("takes the newest that would do, with a warning, when the bound one is taken away", async () => {
    const story = await begin(old, renewed);
    await story.up({ mail: BINDING });
    await story.take(renewed);
    const run = await story.up({ mail: BINDING });
    expect(run.done).toEqual({ mail: "replace" });
    expect(said(run.lines, "takes its place")).toEqual([
      `[ex01.contoso.com] mail: certificate ${short(renewed)}, which is bound, is gone from the server: ${short(old)} (mail.contoso.com, 30 days left) takes its place`,
    ]);
  });

  it("is refused when the bound one is taken away and none would do", async () => {
    const story = await begin(old);
    await story.up({ mail: BINDING });
    await story.take(old);
    expect(await refusal(story.preview({ mail: BINDING }))).toEqual([
      ": certificate: no certificate on ex01.contoso.com would do for mail.contoso.com: none has any of these names. Enrol one there, or give it here.",
    ]);
  });

  it("goes back to an older valid one when the bound one has expired, with a warning", async () => {
    const short_ = enrolled(2, { notAfter: new Date(NOW.getTime() - 1000) });
    const story = await begin(old, short_);
    const bound = { ...BINDING, certificate: { thumbprint: short_.facts.thumbprint } };
    const early = await makeMiniEngine(await story.store.read(), () => new Date(NOW.getTime() - DAY_MS));
    await early.up({ mail: bound });
    // The same story a day later.
    const preview = openBench(early.store);
    const outs = early.outputs("mail");
    const checked = await preview.checked({ ...binding(), ...BINDING }, outs);
    const answer = await preview.lifecycle.diff(`${EX01}/${short_.facts.thumbprint}`, outs, checked);
    expect(answer).toMatchObject({ replaces: ["certificate"] });
    expect(checked["thumbprint"]).toBe(old.facts.thumbprint);
    expect(said(preview.lines, "takes its place")).toEqual([
      `[ex01.contoso.com] mail: ${short(short_)} (mail.contoso.com), which is bound, won't do any more (it has expired): ${short(old)} (mail.contoso.com, 30 days left), which is older, takes its place`,
    ]);
  });
});

describe("what isn't clear", () => {
  const old = enrolled(60);
  const otherAuthority = makeTestCertificate({
    subject: "CN=R11, O=Let's Encrypt",
    isAuthority: true,
    key: "rsa2048b",
  });
  const ofOther = enrolled(1, { issuer: otherAuthority });
  const template = (oid: string, daysAgo: number): CertificateMaterial =>
    enrolled(daysAgo, { template: `1.3.6.1.4.1.311.21.8.${oid}` });

  it.each([
    [
      "two issuers",
      [old, ofOther],
      "These have different issuers",
      "Name the one that is meant, or all of them, with onServer.issuer",
    ],
    ["a tie", [enrolled(1), enrolled(1)], "These begin at the same moment", "or name the other by its thumbprint"],
    [
      "two templates with one name",
      [template("1", 60), template("2", 1)],
      "because they differ in the certificate template",
      "or name one by its thumbprint",
    ],
  ])("refuses a new binding: %s", async (_what, there, why, way) => {
    const story = await begin(...there);
    const [reason = ""] = await refusal(story.preview({ mail: BINDING }));
    expect(reason).toContain(": certificate: which certificate on ex01.contoso.com is meant isn't clear. ");
    expect(reason).toContain(why);
    expect(reason).toContain(way);
    for (const one of there) expect(reason).toContain(short(one));
  });

  it.each([
    ["another issuer", old, ofOther],
    ["another template", template("1", 60), template("2", 1)],
    ["the same moment", enrolled(1), enrolled(1)],
  ])("leaves what is bound, with a warning, beside one of %s", async (_what, first, second) => {
    const story = await begin(first);
    await story.up({ mail: BINDING });
    await story.put(second);
    for (const run of [await story.up({ mail: BINDING }), await story.up({ mail: BINDING })]) {
      expect(run.done).toEqual({ mail: "same" });
      expect(said(run.lines, "stays bound: which one should take its place isn't clear")).toHaveLength(1);
    }
    expect(story.outputs("mail")["thumbprint"]).toBe(first.facts.thumbprint);
  });

  it("is cleared by the names of authorities that take turns", async () => {
    const story = await begin(old);
    const program = {
      mail: {
        ...BINDING,
        certificate: { onServer: { dnsNames: ["mail.contoso.com"], issuer: ["Contoso Issuing CA", "R11"] } },
      },
    };
    await story.up(program);
    await story.put(ofOther);
    expect((await story.up(program)).done).toEqual({ mail: "replace" });
    expect((await story.up(program)).done).toEqual({ mail: "same" });
  });
});

describe("a choice", () => {
  const [old, renewed] = [enrolled(60), enrolled(1)];

  it("is made once in a deployment: what comes after it waits for the next run", async () => {
    const story = await begin(old);
    const bench = openBench(story.store);
    const inputs = await bench.checked({ ...binding(), ...BINDING });
    await story.put(renewed);
    const { outs } = await bench.lifecycle.create(inputs);
    expect(outs["thumbprint"]).toBe(old.facts.thumbprint);
    const next = bench.again();
    const again = await next.checked({ ...binding(), ...BINDING }, outs);
    expect(again["thumbprint"]).toBe(renewed.facts.thumbprint);
  });

  it("whose certificate is gone when its turn comes, changes nothing", async () => {
    const story = await begin(old, renewed);
    const bench = openBench(story.store);
    const inputs = await bench.checked({ ...binding(), ...BINDING });
    await story.take(renewed);
    await expect(bench.lifecycle.create(inputs)).rejects.toThrow(
      `certificate ${renewed.facts.thumbprint}, which was chosen, is gone from ex01.contoso.com. Run again: then one is chosen among those that are there. Nothing was changed.`,
    );
  });

  it("leaves out what the plan of the binding would be refused for, and names it", async () => {
    const wildcard = enrolled(1, { dnsNames: ["*.contoso.com"] });
    const story = await begin(old, wildcard);
    const run = await story.up({ mail: { ...BINDING, services: ["IMAP"] } });
    expect(story.outputs("mail")["thumbprint"]).toBe(old.facts.thumbprint);
    expect(said(run.lines, `not ${short(wildcard)}`)[0]).toContain(
      "the binding would be refused with it: IMAP can't be enabled for a wildcard certificate",
    );
  });

  it("is the last known one where the server isn't asked", async () => {
    const story = await begin(old, renewed);
    const made = await openBench(story.store).make({ ...binding(), ...BINDING });
    await story.put(enrolled(0));
    for (const config of [{ "exchange:offline": "true" }, { "exchange:onUnreachable": "continue" }]) {
      const bench = openBench(story.store, { config });
      if ("exchange:onUnreachable" in config) await bench.break(EX01, { unreachable: true });
      const inputs = await bench.checked({ ...binding(), ...BINDING }, made.inputs);
      expect(inputs["thumbprint"]).toBe(renewed.facts.thumbprint);
      expect(await bench.lifecycle.diff(made.id, made.outs, inputs)).toMatchObject({ changes: false });
    }
  });

  it("is never the last known one of another server", async () => {
    const story = await begin(old, renewed);
    const made = await openBench(story.store).make({ ...binding(), ...BINDING });
    const bench = openBench(story.store, { config: { "exchange:offline": "true" } });
    const inputs = await bench.checked({ ...binding(), ...BINDING, server: EX02 }, made.inputs);
    expect(inputs["thumbprint"]).not.toBe(renewed.facts.thumbprint);
    expect(inputs["subject"]).not.toBe(renewed.facts.subject);
  });

  it("that keeps the certificate changes nothing but the source", async () => {
    const story = await begin(old);
    await story.up({ mail: { ...BINDING, certificate: { thumbprint: old.facts.thumbprint } } });
    const before = (await story.store.read()).servers[EX01];
    expect((await story.up({ mail: BINDING })).done).toEqual({ mail: "update" });
    expect((await story.store.read()).servers[EX01]).toEqual(before);
    expect(story.outputs("mail")["certificate"]).toEqual(ON_SERVER);
  });

  it("tells of a certificate that ends soon that a renewed one has to come", async () => {
    const story = await begin(old);
    const run = await story.up({ mail: BINDING });
    expect(said(run.lines, "a renewed one has to come to the server before")).toHaveLength(1);
  });
});

describe("a certificate that somebody else enrolled", () => {
  const [old, renewed] = [enrolled(60), enrolled(1)];
  const isThere = async (story: Story, { facts }: CertificateMaterial): Promise<boolean> =>
    (await story.observe(EX01)).certificates.some((one) => one.facts.thumbprint === facts.thumbprint);

  it.each(["retain", "remove"] as const)(
    "is removed after its renewal only where the program says so: %s",
    async (onDelete) => {
      const story = await begin(old);
      const program = { mail: { ...BINDING, services: ["IIS"], onDelete } };
      await story.up(program);
      await story.put(renewed);
      await story.up(program);
      expect(await isThere(story, old)).toBe(onDelete === "retain");
    },
  );

  it("is never removed in a destroy", async () => {
    const story = await begin(old);
    await story.put(renewed);
    await story.up({ mail: { ...BINDING, services: ["POP"], onDelete: "remove" } });
    await expect(story.up({})).rejects.toThrow();
    expect(await isThere(story, renewed)).toBe(true);
  });
});
