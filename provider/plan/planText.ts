import type { Thumbprint } from "../certificate/thumbprint";
import type { ServerFqdn } from "../model";
import { describeBlocker } from "./blockerText";
import { describeNotice } from "./noticeText";
import type { CertificateRef, Goal, Notice, Plan, ReplaceReason, Step, TakeOver, Work } from "./planTypes";
import { days, list, withLife } from "./words";
import type { TextContext } from "./words";

export { describeBlocker, describeNotice };

const REPLACE_BECAUSE: Readonly<Record<ReplaceReason, string>> = {
  server: "the binding moves to another server",
  certificate: "another certificate is declared",
  wish: "the wished certificate has changed",
  renewal: "the certificate is inside its renewal period",
  gone: "the certificate it made is gone from the server",
  releasedServices: "a service was removed, and Exchange can only release it with another certificate",
  asked: "the engine was asked to replace it",
};

/**
 * A plan as lines for people: first what happens, then what it means. Without the server's and the binding's name,
 * which the caller puts in front of each line.
 */
export function describePlan(plan: Plan, context: TextContext): readonly string[] {
  switch (plan.kind) {
    case "blocked":
      return [...plan.blockers.map((blocker) => `REFUSED: ${describeBlocker(blocker, context)}`)];
    case "inSync":
      return plan.notices.filter(isWorthSayingEveryTime).map((notice) => describeNotice(notice, context));
    case "create":
    case "update":
      return describeWork(plan, context);
    case "replace":
      return [
        `replaces the binding, new certificate first: ${REPLACE_BECAUSE[plan.because]}`,
        ...describeWork(plan, context),
      ];
  }
}

function describeWork(plan: Plan & { readonly work: Work }, context: TextContext): readonly string[] {
  // What somebody else did comes before what is done about it.
  const drift = plan.notices.filter(({ kind }) => kind === "driftedTo");
  const others = plan.notices.filter(({ kind }) => kind !== "driftedTo");
  return [
    ...drift.map((notice) => describeNotice(notice, context)),
    ...plan.work.steps.map((step) => describeStep(step, context)),
    ...others.map((notice) => describeNotice(notice, context)),
    ...followUpsOf(plan.work.steps, []).map((todo) => `afterwards: ${todo}`),
  ];
}

/** Notices to be told although nothing is to be done; the others belong to a change of the server. */
function isWorthSayingEveryTime(notice: Notice): boolean {
  switch (notice.kind) {
    case "expiresSoon":
    case "outOfDates":
    case "statusNotValid":
    case "wouldBeRefused":
    case "servicesUnknown":
    case "defaultSmtpUnknown":
    case "notAsked":
    case "successorLater":
    // These belong to a change as well, but to one that the state alone learns of.
    case "forgotten":
    case "alreadyReleased":
    case "successorHasIt":
      return true;
    default:
      return false;
  }
}

function describeRef(ref: CertificateRef): string {
  return ref.kind === "made" ? "the new certificate" : ref.thumbprint;
}

function losing(takeOvers: readonly TakeOver[], context: TextContext): string {
  if (takeOvers.length === 0) return "";
  const parts = takeOvers.map(({ service, from }) => `${service} leaves ${withLife(from, context.now)}`);
  return `; ${parts.join("; ")}`;
}

/** One step, as what is going to happen. */
function describeStep(step: Step, context: TextContext): string {
  switch (step.kind) {
    case "makeCertificate":
      return `makes a new self-signed certificate for ${list(step.wish.dnsNames)}, valid for ${days(step.wish.validityDays)}`;
    case "importCertificate":
      switch (step.because) {
        case "made":
          return "imports the new certificate with its key";
        case "absent":
          return `imports certificate ${describeRef(step.certificate)}, which isn't on the server yet`;
        case "gone":
          return `imports certificate ${describeRef(step.certificate)} again: it is gone from the server`;
      }
    case "enable": {
      const who = describeRef(step.certificate);
      const what = `enables ${list(step.services)} for ${step.because === "successor" ? `the successor ${who}` : who}`;
      const why = step.because === "defaultSmtpWanted" ? " again, to make it the default SMTP certificate" : "";
      return `${what}${why}${losing(step.takeOvers, context)}`;
    }
    case "setCertificateName": {
      const from = step.previousName === undefined ? "" : ` (was ${step.previousName})`;
      const what =
        step.name === undefined
          ? `clears the certificate name of ${step.service}${from}`
          : `sets the certificate name of ${step.service} to ${step.name}${from}`;
      return `${what}${losing(step.takeOvers, context)}`;
    }
  }
}

/** What was to come about, for the error that says it didn't. */
export function describeGoal(goal: Goal, resolve: (ref: CertificateRef) => Thumbprint | undefined): string {
  const who = (ref: CertificateRef): string => {
    const thumbprint = resolve(ref);
    return thumbprint === undefined ? "the new certificate" : `certificate ${thumbprint}`;
  };
  switch (goal.kind) {
    case "present":
      return `${who(goal.certificate)} is on the server`;
    case "holds":
      return `${who(goal.certificate)} holds ${goal.service}`;
    case "releases":
      return `certificate ${goal.thumbprint} no longer holds ${goal.service}`;
    case "defaultSmtpIs":
      return `the default SMTP certificate is ${resolve(goal.certificate) ?? "the new one"}`;
    case "certificateNameIs":
      return goal.name === undefined
        ? `the certificate name of ${goal.service} is empty`
        : `the certificate name of ${goal.service} is ${goal.name}`;
  }
}

/**
 * What the operator should still do after these steps. Restarts cut sessions and mail connections, so they are named
 * and never done. Sources: Enable-ExchangeCertificate; "Configure IMAP4/POP3"; "Assign certificates to services".
 */
export function followUpsOf(steps: readonly Step[], edgeServers: readonly string[]): readonly string[] {
  const touched = new Set<string>();
  let replacedDefault = false;
  for (const step of steps) {
    if (step.kind === "enable") {
      for (const service of step.services) touched.add(service);
      if (step.defaultSmtp === "replace") replacedDefault = true;
    }
    if (step.kind === "setCertificateName") touched.add(step.service);
  }
  const todo: string[] = [];
  if (touched.has("IIS")) {
    todo.push(
      "IIS: where a layer-4 load balancer is in front, restart IIS (iisreset) in a quiet hour, so that sign-in cookies use the new certificate.",
    );
  }
  if (touched.has("IMAP")) todo.push("IMAP: restart the services MSExchangeIMAP4 and MSExchangeIMAP4BE.");
  if (touched.has("POP")) todo.push("POP: restart the services MSExchangePOP3 and MSExchangePOP3BE.");
  if (touched.has("UM")) todo.push("UM: restart the service MSExchangeUM.");
  if (touched.has("UMCallRouter")) todo.push("UMCallRouter: restart the service MSExchangeUMCR.");
  if (touched.has("SMTP")) {
    todo.push(
      "SMTP: where hybrid mail flow names a certificate, run the Hybrid Configuration Wizard again or set TlsCertificateName of its connectors.",
    );
  }
  if (replacedDefault && edgeServers.length > 0) {
    todo.push(
      `EdgeSync: the default SMTP certificate has changed; create the Edge subscription of ${list(edgeServers)} anew.`,
    );
  }
  return todo;
}

/** The line that a delete with "retain" leaves behind. */
export function describeRetained(
  server: ServerFqdn,
  thumbprint: Thumbprint,
  held: readonly string[] | undefined,
): string {
  const holds =
    held === undefined
      ? "which services it holds isn't known"
      : held.length === 0
        ? "it holds no service"
        : `it still holds ${list(held)}`;
  return `no longer managed; certificate ${thumbprint} stays on ${server} as it is: ${holds}`;
}

/** The same when somebody has removed the certificate before. */
export function describeGone(server: ServerFqdn, thumbprint: Thumbprint): string {
  return `no longer managed; certificate ${thumbprint} isn't on ${server} any more`;
}

export type { TextContext };
