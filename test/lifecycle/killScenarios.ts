import type { Backend } from "../../provider/backends/backend";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { ExchangeBindingError } from "../../provider/errors";
import { enableByHandIn } from "./byHand";
import { makeTestAuthority } from "../certificate/testCertificates";
import { givenPfx, type MiniEngine } from "../miniEngine";
import { EX01, EX02, farm } from "./bench";

/*
 * A process that is killed before or after any call that changes a server leaves a state from which the next run goes
 * on. The kill points are the calls that a run makes: a new call is a new kill point by itself. A kill at a read is the
 * same as one after the change before it.
 */

export type Program = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const authority = makeTestAuthority();
const first = givenPfx({ issuer: authority });
const second = givenPfx({ issuer: authority });
const other = givenPfx({ dnsNames: ["owa.contoso.com"], issuer: authority });
const bound = (certificate: unknown, services: readonly string[], more: object = {}) => ({
  server: EX01,
  certificate,
  services,
  ...more,
});
const REMOVE = { onDelete: "remove" } as const;
const made = (days: number) => ({ selfSigned: { dnsNames: ["mail.contoso.com"], validityDays: days } });
const SEND = { connectors: { send: ["Outbound"], receive: ["Relay"] } };

const GAP = { ...REMOVE, allowConnectorGap: true, connectors: { send: ["Outbound"] } };
const ALONE = { ...REMOVE, connectors: { send: ["Outbound"] } };
const onBoth = (certificate: unknown, more: object) => ({
  one: bound(certificate, ["SMTP"], more),
  two: { ...bound(certificate, ["SMTP"], more), server: EX02 },
});

export interface Scenario {
  readonly name: string;
  /** Programs that have run before. */
  readonly before: readonly Program[];
  /** Of the send connector; both by default. */
  readonly sourceServers?: readonly string[];
  readonly drift?: (organisation: Organisation) => Organisation;
  readonly program: Program;
  /** Something that fails in the run that is killed, so that it is rolled back. */
  readonly fault?: (backend: Backend) => Backend;
}

/** Moves IIS and then says that it has failed. */
function failingWithIis(backend: Backend): Backend {
  let hasFailed = false;
  return {
    ...backend,
    enableServices: async (server, request, options) => {
      const result = await backend.enableServices(server, request, options);
      if (hasFailed || !request.services.includes("IIS")) return result;
      hasFailed = true;
      throw new ExchangeBindingError("CmdletFailed", "The fault of the test.");
    },
  };
}

export const SCENARIOS: readonly Scenario[] = [
  { name: "a create", before: [], program: { mail: bound(first.source, ["IIS", "IMAP", "SMTP"]) } },
  { name: "a create of a made certificate", before: [], program: { mail: bound(made(90), ["IIS", "SMTP"]) } },
  {
    name: "an update that adds a service and a name",
    before: [{ mail: bound(first.source, ["SMTP"]) }],
    program: { mail: bound(first.source, ["IIS", "POP", "SMTP"], { popCertificateName: "mail.contoso.com" }) },
  },
  {
    name: "a replacement that removes the old one",
    before: [{ mail: bound(first.source, ["IIS", "SMTP"], REMOVE) }],
    program: { mail: bound(second.source, ["IIS", "SMTP"], REMOVE) },
  },
  {
    name: "a replacement of a made certificate that removes the old one",
    before: [{ mail: bound(made(90), ["IIS", "SMTP"], REMOVE) }],
    program: { mail: bound(made(91), ["IIS", "SMTP"], REMOVE) },
  },
  {
    name: "a removal that has become due",
    before: [{ mail: bound(first.source, ["SMTP"]) }, { mail: bound(second.source, ["SMTP"]) }],
    program: { mail: bound(second.source, ["SMTP"], REMOVE) },
  },
  {
    name: "the repair of drift",
    before: [{ mail: bound(first.source, ["IIS", "SMTP"]) }],
    drift: enableByHandIn(EX01),
    program: { mail: bound(first.source, ["IIS", "SMTP"]) },
  },
  {
    name: "a hand-over to a successor",
    before: [{ mail: bound(first.source, ["IIS", "SMTP"]), owa: bound(other.source, ["SMTP"]) }],
    program: {
      owa: bound(other.source, ["SMTP"]),
      mail: bound(first.source, ["SMTP"], { successor: other.thumbprint }),
    },
  },
  {
    name: "connectors of two servers",
    before: [],
    program: {
      one: bound(first.source, ["SMTP"], SEND),
      two: { ...bound(first.source, ["SMTP"], { connectors: { send: ["Outbound"] } }), server: EX02 },
    },
  },
  {
    name: "a renewal on two servers that removes the old ones in gaps",
    before: [onBoth(first.source, GAP)],
    program: onBoth(second.source, GAP),
  },
  {
    name: "a removal in a gap that the program has come to allow",
    before: [{ mail: bound(first.source, ["SMTP"], ALONE) }, { mail: bound(second.source, ["SMTP"], ALONE) }],
    sourceServers: ["EX01"],
    program: { mail: bound(second.source, ["SMTP"], { ...ALONE, allowConnectorGap: true }) },
  },
  {
    name: "the roll-back of a create that fails",
    before: [],
    fault: failingWithIis,
    program: {
      mail: bound(first.source, ["IIS", "POP", "SMTP"], {
        ...SEND,
        popCertificateName: "mail.contoso.com",
        replaceDefaultSmtpCertificate: true,
        onFailure: "rollback",
      }),
    },
  },
  { name: "a delete", before: [{ mail: bound(first.source, ["SMTP"], REMOVE) }], program: {} },
];

/** What programs run through. */
export type Runner = Pick<MiniEngine, "up" | "store" | "observe">;

/** How a run is looked at: what it runs through, and how its process is killed at a call. */
export interface KillBench {
  readonly begin: (organisation: Organisation) => Promise<MiniEngine>;
  readonly killed: (engine: MiniEngine, scenario: Scenario, at: KillPoint) => Promise<readonly string[]>;
}

export interface KillPoint {
  readonly call: number;
  readonly when: "before" | "after";
}

/** The servers as the programs before have left them. */
export async function begin<Engine extends Runner>(
  { before, drift, sourceServers = ["EX01", "EX02"] }: Scenario,
  bench: { readonly begin: (organisation: Organisation) => Promise<Engine> },
): Promise<Engine> {
  const organisation = farm({ receiveConnectors: [{ name: "Relay", fqdn: null, tlsCertificateName: null }] });
  const sendConnectors = [{ name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers }];
  const engine = await bench.begin({ ...organisation, sendConnectors });
  for (const program of before) await engine.up(program);
  if (drift !== undefined) {
    await engine.store.update((seen) => ({ organisation: drift(seen), result: undefined }));
  }
  return engine;
}

/** What matters of the servers, whichever key a made certificate has got. */
export async function seen(engine: Pick<Runner, "store" | "observe">): Promise<unknown> {
  const { sendConnectors } = await engine.store.read();
  const servers = await Promise.all(
    [EX01, EX02].map(async (name) => {
      const server = await engine.observe(name);
      const nameOf = (thumbprint: string | undefined): string | undefined =>
        server.certificates.find(({ facts }) => facts.thumbprint === thumbprint)?.facts.subject ?? thumbprint;
      return {
        certificates: server.certificates
          .map(({ facts, displayedServices, iisSites }) => JSON.stringify([facts.subject, displayedServices, iisSites]))
          .sort(),
        defaultSmtp: server.defaultSmtpThumbprint.kind === "known" && nameOf(server.defaultSmtpThumbprint.value),
        names: [server.imapCertificateName, server.popCertificateName],
        receiveConnectors: server.receiveConnectors,
      };
    }),
  );
  return { servers, sendConnectors };
}

/** The calls of a run that isn't killed, and what it leads to. */
export async function unkilled(
  scenario: Scenario,
  bench: KillBench,
): Promise<{ readonly calls: readonly string[]; readonly end: unknown }> {
  const whole = await begin(scenario, bench);
  const calls = await bench.killed(whole, scenario, { call: Number.MAX_SAFE_INTEGER, when: "before" });
  if (scenario.fault !== undefined) await whole.up(scenario.program);
  expect(calls.length).toBeGreaterThan(0);
  return { calls, end: await seen(whole) };
}

/**
 * Kills a run of the scenario at each of its changing calls, at these moments, and lets the next run go on: it has to
 * come to the same end, with nothing more to do. Gives the calls at which it was killed.
 */
export async function killEverywhere(
  scenario: Scenario,
  bench: KillBench,
  isTried: (call: string, point: KillPoint) => boolean,
): Promise<readonly string[]> {
  const { program } = scenario;
  const { calls, end } = await unkilled(scenario, bench);
  const killed: string[] = [];
  for (const [call, name] of calls.entries()) {
    for (const when of ["before", "after"] as const) {
      if (!isTried(name, { call, when })) continue;
      const engine = await begin(scenario, bench);
      expect(await bench.killed(engine, scenario, { call, when })).toHaveLength(call + 1);
      await engine.up(program);
      expect({ call, name, when, end: await seen(engine) }).toEqual({ call, name, when, end });
      const again = await engine.preview(program);
      expect(Object.values(again.done).filter((one) => one !== "same")).toEqual([]);
      killed.push(`${name} ${when}`);
    }
  }
  return killed;
}
