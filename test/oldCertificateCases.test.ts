/**
 * What tools that clean up old certificates and look after connectors have settled, or got wrong, retold in our terms;
 * see behaviourCases.test.ts. The numbers are those of the same catalogue: S from a remover of superseded certificates,
 * R from rmbolger's and P from Posh-ACME's deployment scripts, W from win-acme's, Y from Certify's, C from the tests of
 * CSS-Exchange.
 */
import type { Backend } from "../provider/backends/backend";
import { consequencesOn } from "../provider/backends/simulator/consequences";
import type { Organisation, ServerState } from "../provider/backends/simulator/organisation";
import { ExchangeBindingError } from "../provider/errors";
import { judgeRemoval } from "../provider/plan/removal";
import type { Thumbprint } from "../provider/certificate/thumbprint";
import { makeTestAuthority } from "./certificate/testCertificates";
import { BUILT_IN, EX01, EX02, NOW, farm, openBench } from "./lifecycle/bench";
import { called } from "./identities";
import { FailedRun, givenPfx, makeMiniEngine, type MiniEngine, type Run } from "./miniEngine";

type Bag = Readonly<Record<string, unknown>>;

const authority = makeTestAuthority();
const old = givenPfx({ issuer: authority });
const renewed = givenPfx({ issuer: authority });
const owa = givenPfx({ dnsNames: ["owa.contoso.com"], issuer: authority });
const NAME = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com";
const OWA_NAME = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=owa.contoso.com";
const mail = (certificate: { readonly source: Bag }, more: Bag = {}): Record<string, Bag> => ({
  mail: { server: EX01, certificate: certificate.source, services: ["SMTP"], onDelete: "remove", ...more },
});
const outbound = (tlsCertificateName: string | null, sourceServers: readonly string[] = ["EX01"]) => ({
  name: "Outbound",
  fqdn: null,
  tlsCertificateName,
  sourceServers,
});

interface Site extends MiniEngine {
  touch(change: (state: ServerState, organisation: Organisation) => Partial<Organisation>): Promise<void>;
  isThere(one: { readonly thumbprint: string }): Promise<boolean>;
  broken(): Promise<readonly string[]>;
}

async function siteWith(changes: Partial<ServerState> = {}): Promise<Site> {
  const engine = await makeMiniEngine(farm(changes), () => NOW);
  const stateIn = ({ servers }: Organisation): ServerState => {
    const found = servers[EX01];
    if (found === undefined) throw new Error("no server");
    return found;
  };
  return {
    ...engine,
    touch: (change) =>
      engine.store.update((all) => ({ organisation: { ...all, ...change(stateIn(all), all) }, result: undefined })),
    isThere: async ({ thumbprint }) =>
      (await engine.observe(EX01)).certificates.some(({ facts }) => facts.thumbprint === thumbprint),
    broken: async () => {
      const all = await engine.store.read();
      return consequencesOn(all, stateIn(all), NOW)
        .map(({ kind }) => kind)
        .filter((kind) => kind !== "webManagementWithout");
    },
  };
}

const on = (state: ServerState, { servers }: Organisation, changes: Partial<ServerState>): Partial<Organisation> => ({
  servers: { ...servers, [EX01]: { ...state, ...changes } },
});
const said = (run: Run | FailedRun, text: string): readonly string[] => run.lines.filter((line) => line.includes(text));
const failed = async (run: Promise<unknown>): Promise<FailedRun> => {
  const error: unknown = await run.catch((thrown: unknown) => thrown);
  if (error instanceof FailedRun) return error;
  throw new Error("it didn't fail so", { cause: error });
};
const deletion = async (site: Site): Promise<string> => (await failed(site.up({}))).failures.join("\n");

describe("the removal of an old certificate", () => {
  it("S1: that still has IIS is refused", async () => {
    const site = await siteWith();
    await site.up(mail(old, { services: ["IIS", "SMTP"] }));
    expect(await deletion(site)).toContain(
      "it is bound to the front end of IIS. Give IIS to another certificate first.",
    );
    expect([await site.isThere(old), await site.broken()]).toEqual([true, []]);
  });

  it("S2: that is the internal transport certificate is refused", async () => {
    const site = await siteWith();
    await site.up(mail(old, { replaceDefaultSmtpCertificate: true }));
    expect(await deletion(site)).toContain("it is the default SMTP certificate");
    expect([await site.isThere(old), await site.broken()]).toEqual([true, []]);
  });

  it("S3: whose successor lacks SMTP is refused only where it is still needed for SMTP", async () => {
    const change = mail(owa, { services: ["IIS"] });
    const needed = await siteWith();
    await needed.up(mail(old));
    await needed.touch((state, all) =>
      on(state, all, { receiveConnectors: [{ name: "Relay", fqdn: "mail.contoso.com", tlsCertificateName: null }] }),
    );
    await expect(needed.preview(change)).rejects.toThrow(
      /onDelete: .*is the only certificate known to be valid with SMTP for receive connector "EX01\\Relay"/,
    );
    expect(await needed.broken()).toEqual([]);
    const free = await siteWith();
    await free.up(mail(old));
    await free.up(change);
    expect([await free.isThere(old), await free.broken()]).toEqual([false, []]);
  });

  it("S4: whose successor has another subject is not refused: its connectors have moved, or are named", async () => {
    const site = await siteWith();
    await site.touch(() => ({ sendConnectors: [outbound(null)] }));
    await site.up(mail(old, { connectors: { send: ["Outbound"] } }));
    await site.up(mail(owa, { connectors: { send: ["Outbound"] } }));
    expect((await site.store.read()).sendConnectors[0]?.tlsCertificateName).toBe(OWA_NAME);
    expect(await site.isThere(old)).toBe(false);

    // Of a connector that no binding declares, in another case and with other blanks.
    const other = await siteWith();
    await other.touch(() => ({ sendConnectors: [outbound(NAME.toUpperCase().replace(", ", ","))] }));
    await other.up(mail(old));
    const kept = await other.up(mail(owa));
    expect(said(kept, 'stays: it has the issuer and subject that send connector "Outbound" names')).not.toEqual([]);
    expect([await other.isThere(old), await other.broken()]).toEqual([true, []]);
  });

  it("S5: that throws half-way leaves the connector's name as it was", async () => {
    const site = await siteWith();
    await site.touch(() => ({ sendConnectors: [outbound(null)] }));
    const gap = { connectors: { send: ["Outbound"] }, allowConnectorGap: true };
    await site.up(mail(old, gap));
    const throwing = (backend: Backend): Backend => ({
      ...backend,
      removeCertificate: () => Promise.reject(new Error("the store is closed")),
    });
    await failed(site.up(mail(renewed, gap), throwing));
    expect((await site.store.read()).sendConnectors[0]?.tlsCertificateName).toBe(NAME);
    expect(await site.broken()).toEqual([]);
  });

  it("S6: for which the account lacks the cmdlet fails with its name, and takes nothing away before", async () => {
    const site = await siteWith();
    await site.up(mail(old));
    await site.touch((state, all) => on(state, all, { faults: { hiddenCmdlets: ["Remove-ExchangeCertificate"] } }));
    expect(await deletion(site)).toMatch(/Remove-ExchangeCertificate/);
    expect([await site.isThere(old), await site.broken()]).toEqual([true, []]);
  });

  it("P1: never takes a built-in one along, whatever services it has in common", async () => {
    const site = await siteWith();
    await site.up(mail(old, { services: ["IIS", "SMTP"] }));
    await site.up(mail(renewed, { services: ["IIS", "SMTP"] }));
    expect([await site.isThere(old), await site.isThere(renewed)]).toEqual([false, true]);
    expect(await site.isThere({ thumbprint: BUILT_IN.facts.thumbprint })).toBe(true);
  });
});

describe("an assignment", () => {
  const both = { services: ["IIS", "SMTP"] };
  const noEffect = (state: ServerState, all: Organisation) =>
    on(state, all, { faults: { enableHasNoEffectOn: ["IIS"] } });
  const frontEnd = async (site: Site) => (await site.store.read()).servers[EX01]?.iis.frontEnd;

  it("R1: that doesn't show on the front end is a failure, the old certificate stays, and IIS is with it", async () => {
    for (const onFailure of ["keep", "rollback"]) {
      const site = await siteWith();
      await site.up(mail(old, both));
      await site.touch(noEffect);
      await expect(site.up(mail(renewed, { ...both, onFailure }))).rejects.toMatchObject({
        message: expect.stringMatching(/does not show that .* holds IIS/) as string,
      });
      expect([await frontEnd(site), await site.broken()]).toEqual([old.thumbprint, []]);
    }
  });

  it("W1: that throws is a failure of the run", async () => {
    const site = await siteWith();
    await site.touch((state, all) => on(state, all, { faults: { enableFailsAfter: "SMTP" } }));
    await expect(site.up(mail(old, both))).rejects.toThrow();
  });

  it("Y1: without the requirement of SSL passes that on", async () => {
    const site = await siteWith();
    await site.touch((state, all) => on(state, all, { iis: { ...state.iis, requireSsl: false } }));
    await site.up(mail(old, { ...both, requireSsl: false }));
    expect((await site.store.read()).servers[EX01]?.iis.requireSsl).toBe(false);
    await site.up(mail(renewed, both));
    expect((await site.store.read()).servers[EX01]?.iis.requireSsl).toBe(true);
  });
});

describe("a server that throws", () => {
  const throwing = (backend: Backend): Backend => ({
    ...backend,
    readSnapshot: (server, options) =>
      server === EX02
        ? Promise.reject(new ExchangeBindingError("ServerUnreachable", "The RPC server is unavailable."))
        : backend.readSnapshot(server, options),
  });
  const declared = { connectors: { send: ["Outbound"] } };

  it("C4: is listed, and what depends on it isn't decided", async () => {
    const site = await siteWith();
    await site.touch(() => ({ sendConnectors: [outbound(null, ["EX01", "EX02"])] }));
    const run = await site.up(mail(old, declared), throwing);
    expect(said(run, "whether its source server EX02 has one isn't known (The RPC server is unavailable")).not.toEqual(
      [],
    );
    expect((await site.store.read()).sendConnectors[0]?.tlsCertificateName).toBeNull();
  });

  it("C5: is still listed where the program goes on without it, and the rest is decided", async () => {
    const bench = openBench(farm(), { config: { "exchange:onUnreachable": "continue" }, backend: throwing });
    const args = (name: string, server: string) => ({ ...called(name), ...mail(old)["mail"], server });
    const there = await bench.make(args("there", EX01));
    expect(there.id).toBe(`${EX01}/${old.thumbprint}`);
    expect((await bench.lifecycle.check({}, args("away", EX02))).failures).toEqual([]);
    expect(bench.lines).toContainEqual(
      expect.stringMatching(new RegExp(`^\\[${EX02}\\] away: the server wasn't asked \\(.*RPC server is unavailable`)),
    );
  });
});

describe("connectors and the certificates they name", () => {
  const relay = (name: string, tlsCertificateName: string | null) => ({
    name,
    fqdn: "ex01.contoso.com",
    tlsCertificateName,
  });
  const six = [
    ...["A", "B", "C", "D"].map((name) => relay(name, null)),
    relay("E", NAME),
    relay("F", NAME.toLowerCase()),
  ];
  const reasons = async (site: Site) => {
    const server = await site.observe(EX01);
    const removal = judgeRemoval({
      server,
      thumbprint: old.thumbprint as Thumbprint,
      declaredBy: { kind: "known", value: [] },
      notBefore: undefined,
      now: NOW,
    });
    return removal.kind === "kept" ? removal.reasons : [];
  };

  it("C23: of six, of which four name none, two find it", async () => {
    const site = await siteWith();
    await site.up(mail(old));
    await site.touch((state, all) => on(state, all, { receiveConnectors: six }));
    expect(await reasons(site)).toEqual([{ kind: "receiveConnectors", connectors: ["EX01\\E", "EX01\\F"] }]);
  });

  it("C24: may mean several of the same issuer and subject: both are told, with the days they have left", async () => {
    const site = await siteWith();
    await site.touch(() => ({ sendConnectors: [outbound(NAME)] }));
    await site.up(mail(old));
    await site.up(mail(renewed));
    await site.up(mail(owa));
    const [line] = said(await site.up(mail(owa)), 'send connector "Outbound" names');
    for (const { thumbprint } of [old, renewed]) {
      expect(line).toMatch(new RegExp(`${thumbprint.slice(0, 8)} \\(mail\\.contoso\\.com, [0-9]+ days left\\)`));
    }
  });

  it("C25: that name one which isn't installed are no reason to keep another, which the matching one is", async () => {
    const site = await siteWith();
    await site.up(mail(old));
    const gone = { ...outbound(OWA_NAME), name: "Partner" };
    await site.touch(() => ({ sendConnectors: [outbound(NAME), gone] }));
    expect(await reasons(site)).toMatchObject([{ kind: "sendConnectors", connectors: ["Outbound"] }]);
    expect(await site.broken()).toEqual(["sendConnectorWithout"]);
  });

  it("C26: when the list of certificates can't be had, the failure names what is missing, and nothing is removed", async () => {
    const site = await siteWith();
    await site.up(mail(old));
    await site.touch((state, all) => on(state, all, { faults: { hiddenCmdlets: ["Get-ExchangeCertificate"] } }));
    expect(await deletion(site)).toMatch(/Get-ExchangeCertificate/);
    await site.touch((state, all) => on(state, all, { faults: {} }));
    expect(await site.isThere(old)).toBe(true);
  });
});
