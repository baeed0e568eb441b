import type { Thumbprint } from "../certificate/thumbprint";
import { tasksAfter } from "./followUps";
import type { FollowUp } from "./followUps";
import { isMet } from "./goals";
import { lineOf } from "./line";
import type { Deed, Fact, Line } from "./line";
import type { ObservedServer } from "./observedServer";
import { waysBack } from "./wayBack";
import type { Outcome } from "./wayBack";
import type { CertificateRef, Goal, Notice, Plan, Step, Work } from "./planTypes";

type WithWork = Plan & { readonly work: Work };

function hasWork(plan: Plan): plan is WithWork {
  return plan.kind === "create" || plan.kind === "update" || plan.kind === "replace";
}

function factOfStep(step: Step): Fact {
  switch (step.kind) {
    case "makeCertificate":
      return { kind: "makes", wish: step.wish };
    case "importCertificate":
      return { kind: "imports", certificate: step.certificate, because: step.because };
    case "enable": {
      const { certificate, services, because, takeOvers } = step;
      return { kind: "enables", certificate, services, because, takeOvers };
    }
    case "setCertificateName": {
      const { service, name, previousName, takeOvers } = step;
      return { kind: "setsName", service, name, previousName, takeOvers };
    }
    case "setConnector": {
      const { type, connector, certificate, previous, waits = false } = step;
      return { kind: "setsConnector", type, connector, certificate, previous, waits };
    }
    case "removeCertificate":
      return { kind: "removes", certificate: step.certificate, onlyThere: step.onlyThere, gap: step.gap };
  }
}

/** What comes and what goes is told before what is done, and so is what somebody else did. */
const FIRST: ReadonlySet<Notice["kind"]> = new Set([
  "certificateNotKnownYet",
  "comes",
  "goes",
  "namesLost",
  "namesGained",
  "endsEarlier",
  "expiresSoon",
  "driftedTo",
  "notDoneYet",
  "connectorDrifted",
  "connectorLeftEmpty",
]);

/** Of these a refresh tells: what the server has become without us. */
const LOSSES: ReadonlySet<Notice["kind"]> = new Set([
  "driftedTo",
  "notDoneYet",
  "connectorDrifted",
  "connectorLeftEmpty",
]);

/** Notices to be told although nothing is to be done; the others belong to a change of the server. */
const EVERY_TIME: ReadonlySet<Notice["kind"]> = new Set([
  "expiresSoon",
  "outOfDates",
  "statusNotValid",
  "wouldBeRefused",
  "servicesUnknown",
  "defaultSmtpUnknown",
  "notAsked",
  "keptOld",
  "connectorWaits",
  "connectorsForgotten",
  "keptForNow",
  "successorLater",
  // These belong to a change as well, but to one that the state alone learns of.
  "forgotten",
  "alreadyReleased",
  "successorHasIt",
]);

/** What check and diff say: true in a preview and in an up, first what happens, then what it means. */
export function linesOfPlan(plan: Plan): readonly Line[] {
  const facts: Fact[] = [];
  if (plan.kind === "blocked") facts.push(...plan.blockers.map((blocker): Fact => ({ kind: "refused", blocker })));
  if (plan.kind === "inSync") facts.push(...plan.notices.filter(({ kind }) => EVERY_TIME.has(kind)));
  if (plan.kind === "replace") facts.push({ kind: "replaces", because: plan.because, deletesFirst: plan.deletesFirst });
  if (hasWork(plan)) {
    const { steps } = plan.work;
    facts.push(...plan.notices.filter(({ kind }) => FIRST.has(kind)));
    facts.push(...steps.map(factOfStep));
    facts.push(...plan.notices.filter(({ kind }) => !FIRST.has(kind)));
    facts.push(...tasksAfter(plan.work, []).map((task): Fact => ({ kind: "afterwards", task })));
  }
  return facts.map((fact) => lineOf("plan", fact));
}

/** What a refresh says: what is. Nobody wants to change anything, so nothing is announced. */
export function linesOfRefresh(plan: Plan): readonly Line[] {
  const facts: Fact[] = plan.notices.filter(({ kind }) => EVERY_TIME.has(kind) || LOSSES.has(kind));
  if (plan.kind === "replace") facts.push({ kind: "needsReplacement", because: plan.because });
  else if (hasWork(plan)) facts.push(...plan.work.steps.flatMap(differenceOf));
  return facts.map((fact) => lineOf("refresh", fact));
}

/** What a step would mend; a missing service has been told as drift. */
function differenceOf(step: Step): readonly Fact[] {
  switch (step.kind) {
    case "makeCertificate":
    case "removeCertificate":
    case "setConnector":
      return [];
    case "importCertificate":
      return [{ kind: "isGone", certificate: step.certificate }];
    case "setCertificateName":
      return [{ kind: "nameDiffers", service: step.service, actual: step.previousName, declared: step.name }];
    case "enable":
      return step.because === "defaultSmtpWanted" ? [{ kind: "notDefaultSmtp", certificate: step.certificate }] : [];
  }
}

/** What a change leaves to do, and what others before it left. */
export interface Left {
  readonly earlier: readonly FollowUp[];
  /** The earlier ones too. */
  readonly all: readonly FollowUp[];
}

const NOTHING_LEFT: Left = { earlier: [], all: [] };

/** Whether a connector that waited was set is told when the step comes. */
function isToldByItself(step: Step): boolean {
  return step.kind === "setConnector" && step.waits === true;
}

/** What a create or an update says once the server, read again, shows that it has come about. */
export function linesOfChange(work: Work, left: Left = NOTHING_LEFT, outcome?: Outcome): readonly Line[] {
  const ways = outcome === undefined ? [] : waysBack(work.steps, outcome);
  const facts: Fact[] = [
    ...work.steps.filter((step) => !isToldByItself(step)).map(factOfStep),
    ...ways.filter(({ to }) => to.thumbprint !== work.removedAtEnd).map((way): Fact => ({ kind: "wayBack", ...way })),
  ];
  return [...facts.map((fact) => lineOf("change", fact)), ...linesOfLeft(left)];
}

/** What is left to do: first what this run caused, then the rest with its day. */
export function linesOfLeft({ earlier, all }: Left): readonly Line[] {
  const caused = all.filter((followUp) => !earlier.includes(followUp));
  return [
    ...caused.map((followUp) => lineOf("change", { kind: "stillToDo", followUp, isNew: true })),
    ...all
      .filter((followUp) => earlier.includes(followUp))
      .map((followUp) => lineOf("change", { kind: "stillToDo", followUp, isNew: false })),
  ];
}

/** How far a change has come that failed. */
export interface Stopped {
  readonly work: Work;
  /** The steps that were begun, the last of them perhaps not done. */
  readonly begun: readonly Step[];
  /** Of these, what came to nothing and is no failure. */
  readonly leftOut: readonly Step[];
  /** The server as it was read after the failure, when it could be. */
  readonly server: ObservedServer | undefined;
  /** The binding's certificate, when it has one. */
  readonly thumbprint: Thumbprint | undefined;
  /** What was done may have been put back: only the server tells. */
  readonly isRolledBack?: boolean;
}

/**
 * The part of the begun steps that was done or may have been: what the state remembers of a change that failed, and
 * what is left to do because of it.
 */
export function stepsDone({ done, uncertain }: Progress, begun: readonly Step[]): readonly Step[] {
  const deeds = [...done, ...uncertain];
  return begun.flatMap((step): readonly Step[] => {
    if (step.kind !== "enable") return deedsOf(step).every((deed) => includes(deeds, deed)) ? [step] : [];
    const services = step.services.filter((service) =>
      includes(deeds, { kind: "enabled", certificate: step.certificate, service }),
    );
    return services.length === 0
      ? []
      : [{ ...step, services, takeOvers: step.takeOvers.filter(({ service }) => services.includes(service)) }];
  });
}

function includes(deeds: readonly Deed[], wanted: Deed): boolean {
  return deeds.some((deed) => JSON.stringify(deed) === JSON.stringify(wanted));
}

type Progress = Fact & { readonly kind: "stopped" };

/** What has been done of a change that failed, what hasn't, and what nobody knows. */
export function progressOf({ work, begun, leftOut, server, thumbprint, isRolledBack = false }: Stopped): Progress {
  const done: Deed[] = [];
  const uncertain: Deed[] = [];
  const undone: Deed[] = work.steps.slice(begun.length).flatMap(deedsOf);
  begun.forEach((step, i) => {
    const wasFollowed = i < begun.length - 1 && !isRolledBack;
    for (const deed of deedsOf(step)) {
      // Why it isn't done has been told.
      if (leftOut.includes(step)) undone.push(deed);
      else if ((wasFollowed && deed.kind !== "removed") || deed.kind === "made") done.push(deed);
      else if (server === undefined) uncertain.push(deed);
      else if (isMet(goalOf(deed), server, (ref) => (ref.kind === "known" ? ref.thumbprint : thumbprint))) {
        done.push(deed);
      } else undone.unshift(deed);
    }
  });
  return { kind: "stopped", done, uncertain, undone };
}

function deedsOf(step: Step): readonly Deed[] {
  switch (step.kind) {
    case "makeCertificate":
      return [{ kind: "made" }];
    case "importCertificate":
      return [{ kind: "imported", certificate: step.certificate }];
    case "setCertificateName":
      return [{ kind: "named", service: step.service, name: step.name }];
    case "setConnector":
      // Whether it was is told by its own line, which comes when it is done.
      return step.waits === true
        ? []
        : [{ kind: "connectorSet", type: step.type, connector: step.connector, certificate: step.certificate }];
    case "removeCertificate":
      return [{ kind: "removed", thumbprint: step.certificate.thumbprint }];
    case "enable": {
      const { certificate } = step;
      const enabled = step.services.map((service): Deed => ({ kind: "enabled", certificate, service }));
      return step.defaultSmtp === "replace" ? [...enabled, { kind: "becameDefaultSmtp", certificate }] : enabled;
    }
  }
}

function goalOf(deed: Deed): Goal {
  const none: CertificateRef = { kind: "made" };
  switch (deed.kind) {
    case "made":
      return { kind: "present", certificate: none };
    case "imported":
      return { kind: "present", certificate: deed.certificate };
    case "enabled":
      return { kind: "holds", certificate: deed.certificate, service: deed.service };
    case "becameDefaultSmtp":
      return { kind: "defaultSmtpIs", certificate: deed.certificate };
    case "connectorSet":
      return { kind: "connectorNames", type: deed.type, connector: deed.connector, certificate: deed.certificate };
    case "removed":
      return { kind: "absent", thumbprint: deed.thumbprint };
    case "named":
      return { kind: "certificateNameIs", service: deed.service, name: deed.name };
  }
}

/** What a delete that forgets says. `server` is the one last read, `remembered` what the state held of it. */
export function linesOfForgetting(
  thumbprint: Thumbprint,
  held: readonly string[] | undefined,
  isThere: boolean,
): readonly Line[] {
  const fact: Fact = isThere ? { kind: "staysOnServer", thumbprint, held } : { kind: "wasGoneBefore", thumbprint };
  return [lineOf("change", fact)];
}
