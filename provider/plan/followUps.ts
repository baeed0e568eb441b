import type { Thumbprint } from "../certificate/thumbprint";
import { type ExchangeService, EXCHANGE_SERVICES, SERVICES, valueOr } from "../model";
import { sortedJson } from "../sortedJson";
import { findCertificate } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { ConnectorRef, Work } from "./planTypes";

/** What an operator should still do after a change. Nothing of it is ever done by itself: it cuts connections. */
export type FollowUpTask =
  /** Sign-in cookies behind a layer-4 load balancer. Source: Enable-ExchangeCertificate. */
  | { readonly kind: "restartIis" }
  /** Sources: "Configure IMAP4/POP3"; "Deploying certificates for UM". */
  | { readonly kind: "restartServices"; readonly service: ExchangeService; readonly windowsServices: readonly string[] }
  /**
   * For a program that declares no connectors. Source: "Assign certificates to Exchange Server services"; Microsoft's
   * article on new hybrid certificates.
   */
  | { readonly kind: "hybrid" }
  /** Connectors follow by themselves, until the wizard sets those that it made again. */
  | { readonly kind: "hybridWizard" }
  | { readonly kind: "edgeSubscription"; readonly edgeServers: readonly string[] }
  /** A connector names the certificate that goes and won't follow; `value` is what it has to be set to. */
  | {
      readonly kind: "connector";
      readonly connector: ConnectorRef;
      readonly until: string;
      readonly value: TlsCertificateName;
    };

/** `<I>issuer<S>subject`: how connectors name a certificate. */
export interface TlsCertificateName {
  readonly thumbprint: string;
  readonly issuer: string;
  readonly subject: string;
}

/** A task with the day on which it arose. */
export type FollowUp = FollowUpTask & {
  /** ISO day, `2026-03-03`. */
  readonly since: string;
};

/**
 * What these steps leave to do. `edgeServers` are those subscribed to the server's site; `setsOthers`: send connectors
 * that other bindings declare were set too.
 */
export function tasksAfter(
  { steps, declaresConnectors = false }: Pick<Work, "steps" | "declaresConnectors">,
  edgeServers: readonly string[],
  setsOthers = false,
): readonly FollowUpTask[] {
  const touched = new Set<ExchangeService>();
  let replacesDefault = false;
  for (const step of steps) {
    if (step.kind === "enable") {
      for (const service of step.services) touched.add(service);
      replacesDefault ||= step.defaultSmtp === "replace";
    }
    if (step.kind === "setCertificateName") touched.add(step.service);
  }
  const tasks: FollowUpTask[] = touched.has("IIS") ? [{ kind: "restartIis" }] : [];
  for (const service of EXCHANGE_SERVICES) {
    const { windowsServices } = SERVICES[service];
    if (touched.has(service) && windowsServices.length > 0) {
      tasks.push({ kind: "restartServices", service, windowsServices });
    }
  }
  if (setsOthers || steps.some(({ kind }) => kind === "setConnector")) tasks.push({ kind: "hybridWizard" });
  else if (touched.has("SMTP") && !declaresConnectors) tasks.push({ kind: "hybrid" });
  if (replacesDefault && edgeServers.length > 0) tasks.push({ kind: "edgeSubscription", edgeServers });
  return tasks;
}

/** What a change leaves to do, once it has been made and the server was read again. */
export function tasksOf(
  work: Work,
  server: ObservedServer,
  thumbprint: Thumbprint,
  setsOthers = false,
): readonly FollowUpTask[] {
  const edgeServers = valueOr(server.edgeSubscriptions, []);
  const facts = findCertificate(server, thumbprint)?.facts;
  const left = work.connectorsLeft;
  const connectors =
    left === undefined || facts === undefined
      ? []
      : left.connectors.map((connector): FollowUpTask => {
          const { issuer, subject } = facts;
          return { kind: "connector", connector, until: left.until, value: { thumbprint, issuer, subject } };
        });
  return [...tasksAfter(work, edgeServers, setsOthers), ...connectors];
}

/** What tells one task from another, whatever the day. */
function keyOf(task: FollowUpTask & { readonly since?: string }): string {
  const { since: _since, ...rest } = task;
  return sortedJson(rest) ?? "";
}

/** The tasks of earlier runs and those that arose now, the same one once and with its first day. */
export function withFollowUps(
  earlier: readonly FollowUp[],
  tasks: readonly FollowUpTask[],
  now: Date,
): readonly FollowUp[] {
  const all = new Map(earlier.map((one) => [keyOf(one), one]));
  const since = now.toISOString().slice(0, 10);
  for (const task of tasks) if (!all.has(keyOf(task))) all.set(keyOf(task), { ...task, since });
  return [...all.values()];
}
