import { readFileSync } from "node:fs";
import path from "node:path";

import { stored } from "../backends/simulator/lab";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import { apply } from "../../provider/apply";
import { lineOf } from "../../provider/plan/line";
import type { Fact, Line } from "../../provider/plan/line";
import { linesOfPlan } from "../../provider/plan/lines";
import { plan } from "../../provider/plan/plan";
import type { CertificateMaterial } from "../../provider/certificate/material";
import { BUILT_IN, EX01, EX02, MAIL, NOW, SELF_SIGNED, binding, farm, fqdn, openBench } from "../lifecycle/bench";
import type { Bench } from "../lifecycle/bench";
import { simulate } from "../simulation";
import { claim } from "./lineClaims";
import type { Chapter } from "./randomBindings";
import { context, desired, previous } from "./servers";

/** Kinds of line that no random story brings: each is brought about here, and its claim is looked up. */

/** The lines of that kind, of which there has to be one; each claim holds. */
function hold(kind: Line["kind"], lines: readonly Line[], chapter: Partial<Chapter>): void {
  const told = lines.filter((line) => line.kind === kind);
  expect(told).not.toEqual([]);
  for (const line of told) claim(line, chapter as Chapter);
}

/** What is planned for a wish on a server as it is. */
async function planned(wish: Chapter["wish"], before: Chapter["previous"], more: Partial<Chapter["context"]> = {}) {
  const organisation = farm();
  const seen = await simulate(organisation, NOW).truth(wish.server);
  const planContext = context(more);
  const decision = plan(wish, before, seen, planContext);
  return {
    lines: linesOfPlan(decision),
    chapter: { wish, previous: before, context: planContext, seen, organisationAfter: organisation },
  };
}

it("a certificate that another binding brings isn't there yet, and that binding brings it", async () => {
  const { thumbprint } = MAIL.facts;
  const brings = { urn: "urn:pulumi:test::project::type::brings", label: "brings" };
  const { lines, chapter } = await planned(
    desired({ server: fqdn(EX01), certificate: { kind: "thumbprint", thumbprint } }),
    undefined,
    { expected: new Map([[thumbprint, { facts: MAIL.facts, binding: brings }]]) },
  );
  hold("comesFromBinding", lines, chapter);
});

it.each([
  ["leftOnServer", "retain"],
  ["removedElsewhere", "remove"],
] as const)("a binding that moves has its certificate on the old server (%s)", async (kind, onDelete) => {
  const organisation = farm();
  const own = (await simulate(organisation, NOW).truth(fqdn(EX01))).certificates[0]?.facts.thumbprint;
  if (own === undefined) throw new Error("no certificate");
  const wish = desired({ server: fqdn(EX02), certificate: { kind: "given", facts: MAIL.facts }, onDelete });
  const { lines, chapter } = await planned(wish, previous({ server: fqdn(EX01), thumbprint: own }));
  hold(kind, lines, { ...chapter, organisationAfter: organisation });
});

it("an import that is taken back leaves the server as it was", async () => {
  const simulation = simulate(farm(), NOW);
  const server = fqdn(EX01);
  const wish = desired({ server, certificate: { kind: "given", facts: MAIL.facts } });
  const before = await simulation.truth(server);
  const decision = plan(wish, undefined, before, context());
  if (decision.kind !== "create") throw new Error(decision.kind);
  const told: Fact[] = [];
  // What only the server can know: nobody sees it before the import.
  const observe = async () => {
    const seen = await simulation.observe(server);
    const revoked = { kind: "known", value: "Revoked" } as const;
    const certificates = seen.certificates.map((one) =>
      one.facts.thumbprint === MAIL.facts.thumbprint ? { ...one, status: revoked } : one,
    );
    return { ...seen, certificates };
  };
  const env = simulation.applyEnv(server, {
    observe,
    anew: (...call) => ({ ...simulation.applyEnv(server).anew(...call), observe }),
    say: (fact) => told.push(fact),
  });
  await expect(apply(decision.work, () => MAIL, env)).rejects.toThrow("The import was taken back");
  const lines = told.map((fact) => lineOf("change", fact));
  hold("takesBack", lines, { wish, before, after: await simulation.truth(server) });
});

const linesOf = ({ told }: Bench): readonly Line[] => told.map(({ line }) => line);

it("a server that wasn't asked has been seen by nobody", async () => {
  const made = await openBench().make(binding());
  const bench = openBench(undefined, { config: { "exchange:offline": "true" } });
  await bench.lifecycle.diff(made.id, made.outs, await bench.checked(binding(), made.inputs));
  const seen = bench.deployment.snapshots.last(fqdn(EX01));
  hold("notAsked", linesOf(bench), { seen: seen as unknown as Chapter["seen"] });
});

it("a key whose wish for a key storage provider is dropped is in none afterwards", async () => {
  const file = readFileSync(path.join(__dirname, "../certificate/fixtures/windows-aes-ksp.pfx"));
  const certificate = { pfx: file.toString("base64"), password: "exchange-test" };
  const bench = openBench(undefined, { now: new Date("2027-02-01T00:00:00Z") });
  const { outs } = await bench.make(binding({ certificate }));
  const applied = { thumbprint: outs["thumbprint"] } as unknown as Chapter["applied"];
  const wish = desired({ server: fqdn(EX01) });
  const organisationAfter = await bench.store.read();
  hold("keyStorageProviderDropped", linesOf(bench), { wish, applied, organisationAfter });
});

it("of services that a killed run has enabled nobody knows who had them: they were held before, and still are", async () => {
  const wish = binding({ certificate: SELF_SIGNED, services: ["IIS", "SMTP"] });
  const killed = openBench();
  await killed.make(wish);
  const before = await simulate(await killed.store.read(), NOW).truth(fqdn(EX01));
  // Nothing was stored: the next run finds its own certificate by its mark.
  const bench = killed.again();
  const { outs } = await bench.make(wish);
  const after = await simulate(await bench.store.read(), NOW).truth(fqdn(EX01));
  const applied = { thumbprint: outs["thumbprint"] } as unknown as Chapter["applied"];
  hold("formerHolderUnknown", linesOf(bench), { before, after, applied, previous: undefined });
});

describe("of a certificate that is chosen on the server", () => {
  const wish = binding({ certificate: { onServer: { dnsNames: ["mail.contoso.com"] } }, services: ["SMTP"] });
  const issuer = makeTestAuthority();
  const names = {
    issuer,
    dnsNames: ["mail.contoso.com"],
    notAfter: new Date(NOW.getTime() + 90 * 24 * 60 * 60 * 1000),
  };
  const [older, newer] = [
    makeTestCertificate(names),
    makeTestCertificate({ ...names, notAfter: new Date(MAIL.facts.notAfter) }),
  ];
  const on = (...materials: readonly CertificateMaterial[]) =>
    farm({ certificates: [BUILT_IN, ...materials].map((one) => stored(one, { rootStore: "trusted" })) });
  const look = (bench: Bench) => bench.store.read().then((found) => simulate(found, NOW).truth(fqdn(EX01)));

  it("the chosen one is there and is what the line says, and another one takes the place of what has gone", async () => {
    const first = openBench(on(older));
    const made = await first.make(wish);
    hold("onServerChosen", linesOf(first), { before: await look(first) });

    const bench = openBench(on(newer));
    const stored_ = previous({ server: fqdn(EX01), thumbprint: older.facts.thumbprint });
    await bench.lifecycle.diff(made.id, made.outs, await bench.checked(wish, made.inputs));
    hold("onServerInstead", linesOf(bench), { before: await look(bench), previous: stored_ });
  });
});
