import type { CertificateMaterial } from "../../../provider/certificate/pfx";
import type {
  CmdletCall,
  CmdletContext,
  CmdletObject,
  CmdletOutcome,
} from "../../../provider/backends/simulator/cmdlet";
import { runCmdlet } from "../../../provider/backends/simulator/exchangeModel";
import type { Organisation, ServerState, StoredCertificate } from "../../../provider/backends/simulator/organisation";

/** The moment of every test: within the dates of what makeTestCertificate makes. */
export const NOW = new Date("2026-11-23T20:00:00Z");

type Parameters = CmdletCall["parameters"];
type Failure = Extract<CmdletOutcome, { kind: "failed" }>;
type Completion = Extract<CmdletOutcome, { kind: "completed" }>;

/** A certificate as a server stores it: with its key, which Network Service may not read yet. */
export function stored(
  { der }: Pick<CertificateMaterial, "der">,
  changes: Partial<Omit<StoredCertificate, "privateKey">> & {
    readonly privateKey?: Partial<StoredCertificate["privateKey"]>;
  } = {},
): StoredCertificate {
  const { privateKey, ...others } = changes;
  return {
    der: Buffer.from(der).toString("base64"),
    friendlyName: "",
    rootStore: "none",
    ...others,
    privateKey: { present: true, exportable: false, provider: "CSP", networkServiceRead: false, ...privateKey },
  };
}

/** As Active Directory has a certificate. */
export function published({ der, facts }: CertificateMaterial) {
  return { thumbprint: facts.thumbprint, der: Buffer.from(der).toString("base64") };
}

/** A server with an empty store and nothing assigned: Exchange 2019 CU15 named EX01 unless told otherwise. */
export function server(changes: Partial<ServerState> = {}): ServerState {
  const name = changes.name ?? "EX01";
  return {
    name,
    fqdn: `${name.toLowerCase()}.contoso.com`,
    version: { major: 15, minor: 2, build: 1748, revision: 10 },
    edition: "Standard",
    roles: ["Mailbox"],
    site: "contoso.com/Configuration/Sites/Default-First-Site-Name",
    certificates: [],
    iis: { frontEnd: null, backEnd: null, requireSsl: true },
    imap: { x509CertificateName: null },
    pop: { x509CertificateName: null },
    um: null,
    umCallRouter: null,
    internalTransportCertificate: null,
    receiveConnectors: [],
    notYetReplicated: {},
    faults: {},
    ...changes,
  };
}

export const EXCHANGE_2013 = { major: 15, minor: 0, build: 1497, revision: 2 };
export const EXCHANGE_2016 = { major: 15, minor: 1, build: 2507, revision: 6 };

export function organisation(servers: readonly ServerState[], changes: Partial<Organisation> = {}): Organisation {
  return {
    version: 1,
    servers: Object.fromEntries(servers.map((one) => [one.fqdn, one])),
    sendConnectors: [],
    authConfig: {
      currentCertificate: null,
      previousCertificate: null,
      nextCertificate: null,
      nextCertificateEffectiveDate: null,
    },
    federationTrust: null,
    edgeSubscriptions: [],
    ...changes,
  };
}

/** A place to run cmdlets one after the other on an organisation that keeps its state. */
export interface Lab {
  readonly organisation: Organisation;
  /** The state of a server, by FQDN; EX01's by default. */
  server(fqdn?: string): ServerState;
  run(name: string, parameters?: Parameters, context?: Partial<CmdletContext>): CmdletOutcome;
  /** Runs what has to complete. */
  complete(name: string, parameters?: Parameters, context?: Partial<CmdletContext>): Completion;
  /** Runs what has to fail. */
  fail(name: string, parameters?: Parameters, context?: Partial<CmdletContext>): Failure;
  /** The output of what has to complete. */
  output(name: string, parameters?: Parameters, context?: Partial<CmdletContext>): readonly CmdletObject[];
  /** `Services` of the certificate as the server displays it; `absent` when it isn't listed. */
  services(certificate: CertificateMaterial, server?: string): unknown;
}

let guids = 0;

export function openLab(initial: Organisation | ServerState, defaults: Partial<CmdletContext> = {}): Lab {
  let current = "servers" in initial ? initial : organisation([initial]);
  const run: Lab["run"] = (name, parameters = {}, context = {}) => {
    const outcome = runCmdlet(
      current,
      { name, parameters },
      {
        now: NOW,
        answers: {},
        newGuid: () => `487b16ef-0000-4000-8000-${String(guids++).padStart(12, "0")}`,
        ...defaults,
        ...context,
      },
    );
    if (outcome.kind !== "question") current = outcome.organisation;
    return outcome;
  };
  const complete: Lab["complete"] = (...call) => {
    const outcome = run(...call);
    if (outcome.kind === "completed") return outcome;
    throw new Error(outcome.kind === "failed" ? outcome.error.message : `it asks: ${outcome.question.message}`);
  };
  const fail: Lab["fail"] = (...call) => {
    const outcome = run(...call);
    if (outcome.kind === "failed") return outcome;
    throw new Error(`${call[0]} didn't fail: ${outcome.kind}`);
  };
  const output: Lab["output"] = (...call) => complete(...call).output;
  return {
    get organisation() {
      return current;
    },
    server: (fqdn = "ex01.contoso.com") => {
      const found = current.servers[fqdn];
      if (found === undefined) throw new Error(`no server ${fqdn}`);
      return found;
    },
    run,
    complete,
    fail,
    output,
    services: ({ facts }, name = "EX01") => {
      const all = output("Get-ExchangeCertificate", { Server: name });
      return all.find((one) => one["Thumbprint"] === facts.thumbprint)?.["Services"] ?? "absent";
    },
  };
}

/** A property that has to be a text. */
export function textOf(object: CmdletObject | undefined, property: string): string {
  const value = object?.[property];
  if (typeof value !== "string") throw new Error(`${property} is no text`);
  return value;
}
