import { randomBytes } from "node:crypto";
import { messageOf } from "../errors";
import { parseServerFqdn, type ServerFqdn } from "../model";
import type { Backend, ServerSnapshot } from "./backend";
import { connectorCases } from "./contractCases/connectorCases";
import { enablingCases } from "./contractCases/enablingCases";
import { failureCases } from "./contractCases/failureCases";
import type { BackendHarness, BackendSituations, TestCertificate } from "./contractCases/harness";
import { importCases } from "./contractCases/importCases";
import { makeTestCertificate } from "./contractCases/makeTestCertificate";
import { readingCases } from "./contractCases/readingCases";
import {
  defaultSmtp,
  enableRequest,
  findCertificate,
  frontEnd,
  unlimited,
  type CaseDefinition,
  type TestCertificateName,
  type Workbench,
} from "./contractCases/workbench";

export type { BackendHarness, BackendSituations, TestCertificate, TestCertificateWish } from "./contractCases/harness";
export { makeTestCertificate } from "./contractCases/makeTestCertificate";

/** One rule that a backend has to keep. */
export interface ContractCase {
  /** A sentence about the backend. */
  readonly title: string;
  /** Why the case can't be tried here: the harness doesn't bring about the situation that it needs. */
  readonly skip: string | undefined;
  /** Tries the rule; rejects with an `AssertionError` of `node:assert` when it isn't kept. */
  readonly run: () => Promise<void>;
}

/**
 * The suite that says whether a backend keeps the contract of {@link Backend}. It needs no particular test runner; with
 * Jest:
 *
 * ```ts
 * import { backendContract } from "pulumi-exchange-certificates/backend-contract";
 * import { openLabBackend } from "./labBackend";
 *
 * describe("the backend of our lab", () => {
 *   for (const { title, skip, run } of backendContract({ server: "ex01.lab.example", open: openLabBackend })) {
 *     (skip === undefined ? it : it.skip)(title, run, 120_000);
 *   }
 * });
 * ```
 *
 * The cases must run one after the other. Each reads the server, imports certificates of its own (for names that end in
 * `.example`), changes services, and puts back the front-end certificate, the default SMTP certificate and the two
 * certificate names before it removes what it imported. A server that the situations of the harness open is not put back.
 * The old front-end certificate is enabled with Require SSL.
 */
export function backendContract(harness: BackendHarness): readonly ContractCase[] {
  const certificates = makeCertificatesOnce(harness);
  return [...readingCases, ...importCases, ...enablingCases, ...connectorCases, ...failureCases].map((definition) => ({
    title: definition.title,
    skip:
      definition.needs === undefined || harness.situations?.[definition.needs] !== undefined
        ? undefined
        : `the harness can't bring about the situation "${definition.needs}"`,
    run: () => runCase(definition, harness, certificates),
  }));
}

interface Certificates {
  readonly get: (which: TestCertificateName) => Promise<TestCertificate>;
  /** Those that a case has asked for so far. */
  readonly made: () => Promise<readonly TestCertificate[]>;
}

/** Keys are slow to make: each certificate is made once for all cases, and only when one asks for it. */
function makeCertificatesOnce({ makeCertificate = makeTestCertificate }: BackendHarness): Certificates {
  const domain = `${randomBytes(4).toString("hex")}.contract.example`;
  const names: Readonly<Record<TestCertificateName, readonly string[]>> = {
    first: [`first.${domain}`, `autodiscover.${domain}`],
    second: [`second.${domain}`],
    wildcard: [`*.${domain}`],
  };
  const made = new Map<TestCertificateName, Promise<TestCertificate>>();
  return {
    get: (which) => {
      const certificate = made.get(which) ?? makeCertificate({ dnsNames: names[which] });
      made.set(which, certificate);
      return certificate;
    },
    made: () => Promise.all(made.values()),
  };
}

function unknownServerOf(harness: BackendHarness): ServerFqdn {
  if (harness.unknownServer !== undefined) return harness.unknownServer;
  const domain = harness.server.slice(harness.server.indexOf(".") + 1);
  const name = parseServerFqdn(`no-such-server.${domain}`);
  if (name === undefined) throw new Error(`the harness's server "${harness.server}" isn't a fully qualified name`);
  return name;
}

async function runCase(definition: CaseDefinition, harness: BackendHarness, certificates: Certificates): Promise<void> {
  const opened: Backend[] = [];
  const open = async (): Promise<Backend> => {
    const backend = await harness.open();
    opened.push(backend);
    return backend;
  };
  const keep = <Opened extends Backend | { readonly backend: Backend }>(found: Opened): Opened => {
    opened.push("backend" in found ? found.backend : found);
    return found;
  };
  const bench: Workbench = {
    server: harness.server,
    unknownServer: unknownServerOf(harness),
    situations: situationsOf(harness, keep),
    backend: await open(),
    open,
    certificate: certificates.get,
  };
  try {
    const before = await bench.backend.readSnapshot(bench.server, unlimited);
    try {
      await definition.run(bench);
    } catch (error) {
      // The broken rule is what the author wants to see, whatever else it leaves behind.
      await putBack(bench, before, await certificates.made()).catch(() => undefined);
      throw error;
    }
    await putBack(bench, before, await certificates.made());
  } finally {
    for (const backend of opened) await backend.close();
  }
}

/** The harness's situations, each with its backend noted for closing. Those that are missing are never asked for. */
function situationsOf(
  harness: BackendHarness,
  keep: <Opened extends Backend | { readonly backend: Backend }>(found: Opened) => Opened,
): Required<BackendSituations> {
  const missing = (): never => {
    throw new Error("this case should have been skipped");
  };
  const { situations = {} } = harness;
  return {
    unreachable: async () => keep(await (situations.unreachable ?? missing)()),
    servicesUnknown: async () => keep(await (situations.servicesUnknown ?? missing)()),
    slow: async () => keep(await (situations.slow ?? missing)()),
    answersAsAnother: async () => keep(await (situations.answersAsAnother ?? missing)()),
    partlyHidden: async () => keep(await (situations.partlyHidden ?? missing)()),
    unifiedMessaging: async () => keep(await (situations.unifiedMessaging ?? missing)()),
    privateKeyMissing: async () => keep(await (situations.privateKeyMissing ?? missing)()),
    privateKeyAccessRefused: async () => keep(await (situations.privateKeyAccessRefused ?? missing)()),
    namedBySendConnector: async () => keep(await (situations.namedBySendConnector ?? missing)()),
    connectors: async () => keep(await (situations.connectors ?? missing)()),
  };
}

/**
 * Puts the server back to what it was, through the backend itself. Every step is tried, whatever became of the others;
 * a server that stays changed is a failure.
 */
async function putBack(
  { backend, server }: Workbench,
  before: ServerSnapshot,
  made: readonly TestCertificate[],
): Promise<void> {
  const now = await backend.readSnapshot(server, unlimited);
  const failures: unknown[] = [];
  for (const step of stepsBack({ backend, server }, before, now, made)) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return;
  throw new AggregateError(
    failures,
    `the case is over, but ${server} couldn't be put back: ${failures.map(messageOf).join("; ")}`,
  );
}

type Step = () => Promise<unknown>;

function stepsBack(
  { backend, server }: Pick<Workbench, "backend" | "server">,
  before: ServerSnapshot,
  now: ServerSnapshot,
  made: readonly TestCertificate[],
): readonly Step[] {
  const steps: Step[] = [];
  for (const [service, was, is] of [
    ["IMAP", before.imapCertificateName, now.imapCertificateName],
    ["POP", before.popCertificateName, now.popCertificateName],
  ] as const) {
    if (was.kind === "unknown" || is.kind === "unknown" || was.value === is.value) continue;
    steps.push(() => backend.setCertificateName(server, service, was.value, unlimited));
  }
  const smtp = defaultSmtp(before);
  if (smtp !== undefined && defaultSmtp(now) !== smtp) {
    const request = enableRequest(smtp, ["SMTP"], { replaceDefaultSmtpCertificate: true });
    steps.push(() => backend.enableServices(server, request, unlimited));
  }
  const holder = frontEnd(before);
  if (holder !== undefined && frontEnd(now) !== holder) {
    steps.push(() => backend.enableServices(server, enableRequest(holder, ["IIS"]), unlimited));
  }
  for (const { thumbprint } of made) {
    if (findCertificate(now, thumbprint) === undefined) continue;
    steps.push(() => backend.removeCertificate(server, thumbprint, unlimited));
  }
  return steps;
}
