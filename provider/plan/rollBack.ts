import type { Thumbprint } from "../certificate/thumbprint";
import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import { coversName } from "../certificate/names";
import {
  type ExchangeService,
  type ExclusiveService,
  type NameService,
  type Observed,
  known,
  NAME_SERVICES,
  valueOr,
} from "../model";
import { shownNameOf } from "./connectors";
import { certificateNameOf, findCertificate, holds, isOnServer } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { NamedCertificate, Step } from "./planTypes";
import { named, namedUnreadable } from "./target";

/*
 * A change that failed goes back: each part by the call that really restores it. What was done is told from the server
 * before and after, and only what a step of the change was about is touched.
 */

/** One thing to put back. */
export type RollBackStep =
  /** IIS: the front end alone. */
  | { readonly kind: "giveBack"; readonly service: ExclusiveService; readonly to: NamedCertificate }
  | { readonly kind: "nameBack"; readonly service: NameService; readonly name: string | undefined }
  | { readonly kind: "defaultSmtpBack"; readonly to: NamedCertificate }
  | {
      readonly kind: "connectorBack";
      readonly type: "send" | "receive";
      readonly connector: string;
      /** `<I>issuer<S>subject`. */
      readonly name: string | undefined;
    }
  /** This run has imported it, and nothing uses it then. */
  | { readonly kind: "removeImport"; readonly certificate: NamedCertificate };

/** A part of a server that a change was about. */
export type Part =
  | { readonly kind: "service"; readonly service: ExclusiveService }
  | { readonly kind: "name"; readonly service: NameService }
  | { readonly kind: "defaultSmtp" }
  | { readonly kind: "smtp"; readonly certificate: NamedCertificate }
  | { readonly kind: "connector"; readonly type: "send" | "receive"; readonly connector: string };

/** In what a server differs from what it was before the change, or may. */
export type Difference =
  /** The import of this run. */
  | {
      readonly kind: "importStays";
      readonly certificate: NamedCertificate;
      /** What nobody had before, so that nobody can have it again. */
      readonly holds: readonly string[];
      /** Send connectors that name its issuer and subject. */
      readonly connectors: readonly string[];
      readonly declaredBy: readonly string[];
    }
  | { readonly kind: "certificateGone"; readonly certificate: NamedCertificate }
  | { readonly kind: "serviceNotBack"; readonly service: ExclusiveService; readonly from: NamedCertificate | undefined }
  /** Nothing takes SMTP from a certificate that stays. */
  | { readonly kind: "smtpStays"; readonly certificate: NamedCertificate }
  | { readonly kind: "nameNotBack"; readonly service: NameService; readonly name: string | undefined }
  | { readonly kind: "defaultSmtpNotBack"; readonly from: Thumbprint | undefined }
  | {
      readonly kind: "connectorNotBack";
      readonly type: "send" | "receive";
      readonly connector: string;
      readonly name: string | undefined;
    }
  /** How it was before, or is now, nobody can tell. */
  | { readonly kind: "notKnown"; readonly part: Part }
  /** It is neither as it was before nor as the change has made it. */
  | { readonly kind: "othersDoing"; readonly part: Part }
  /** Enabling IIS switches it on, and what it was before nobody tells. */
  | { readonly kind: "requireSsl" };

export interface RollBackQuestion {
  /** The steps that were begun, but for those that came to nothing. */
  readonly begun: readonly Step[];
  /** The server right before the first of them. */
  readonly before: ObservedServer;
  readonly now: ObservedServer;
  /** The binding's certificate. */
  readonly thumbprint: Thumbprint;
  /** Labels of other bindings that declare it on that server. */
  readonly declaredBy: readonly string[];
}

/** Puts back in the reverse order of a change: the import goes last, when nothing holds it any more. */
export function planRollBack(question: RollBackQuestion): readonly RollBackStep[] {
  return differencesOf(question).flatMap((difference): RollBackStep[] => {
    const step = remedyOf(difference, question.before);
    return step === undefined ? [] : [step];
  });
}

function remedyOf(difference: Difference, before: ObservedServer): RollBackStep | undefined {
  switch (difference.kind) {
    case "serviceNotBack":
      return difference.from && { kind: "giveBack", service: difference.service, to: difference.from };
    case "nameNotBack":
      return { kind: "nameBack", service: difference.service, name: difference.name };
    case "defaultSmtpNotBack": {
      const former = difference.from === undefined ? undefined : findCertificate(before, difference.from);
      return former && { kind: "defaultSmtpBack", to: named(former.facts) };
    }
    case "connectorNotBack": {
      const { type, connector, name } = difference;
      return { kind: "connectorBack", type, connector, name };
    }
    case "importStays":
      return difference.connectors.length + difference.declaredBy.length + difference.holds.length > 0
        ? undefined
        : { kind: "removeImport", certificate: difference.certificate };
    case "certificateGone":
    case "smtpStays":
    case "notKnown":
    case "othersDoing":
    case "requireSsl":
      return undefined;
  }
}

/** In what the server differs, in the order in which it is put back. None: it is as before. */
export function differencesOf(question: RollBackQuestion): readonly Difference[] {
  return [
    ...servicesNotBack(question),
    ...connectorsNotBack(question),
    ...defaultNotBack(question),
    ...namesNotBack(question),
    ...smtpLeft(question),
    ...certificatesLeft(question),
  ];
}

/** Whether Active Directory is in between, so that it may take a while until it is seen. */
export function mayStillCome({ kind }: Difference): boolean {
  return kind === "defaultSmtpNotBack" || kind === "nameNotBack" || kind === "connectorNotBack";
}

/** Left over in any case: no call takes it back. */
export function isFinal({ kind }: Difference): boolean {
  return kind === "othersDoing" || kind === "requireSsl" || kind === "smtpStays" || kind === "certificateGone";
}

function enabledBy(begun: readonly Step[]): ReadonlySet<ExchangeService> {
  return new Set(begun.flatMap((step) => (step.kind === "enable" ? step.services : [])));
}

/** The certificates that begun steps have given a service. */
function wantedFor(service: ExchangeService, { begun, thumbprint }: RollBackQuestion): ReadonlySet<Thumbprint> {
  const wanting = begun.flatMap((step) => (step.kind === "enable" && step.services.includes(service) ? [step] : []));
  return new Set(
    wanting.map(({ certificate }) => (certificate.kind === "known" ? certificate.thumbprint : thumbprint)),
  );
}

/** Also one that can't be read, as far as the server shows what it is used for. */
function holderOf(server: ObservedServer, service: ExclusiveService): Observed<NamedCertificate | undefined> {
  const all = [
    ...server.certificates.map((one) => ({ ...one, shown: named(one.facts) })),
    ...server.unreadable.map((one) => ({ ...one, shown: namedUnreadable(one.thumbprint) })),
  ];
  let doubt: Observed<never> | undefined;
  for (const { shown, iisSites, displayedServices } of all) {
    const uses: Observed<readonly unknown[]> = service === "IIS" ? iisSites : displayedServices;
    if (uses.kind === "unknown") doubt = uses;
    else if (uses.value.includes(service === "IIS" ? FRONT_END_SITE : service)) return known(shown);
  }
  return doubt ?? known(undefined);
}

const FRONT_END_SITE = 1;

function servicesNotBack(question: RollBackQuestion): readonly Difference[] {
  const { begun, before, now } = question;
  const enabled = enabledBy(begun);
  return (["IIS", "UMCallRouter", "UM"] as const)
    .filter((service) => enabled.has(service))
    .flatMap((service): Difference[] => {
      const [from, has] = [holderOf(before, service), holderOf(now, service)];
      const part = { kind: "service", service } as const;
      if (from.kind === "unknown" || has.kind === "unknown") return [{ kind: "notKnown", part }];
      if (from.value?.thumbprint === has.value?.thumbprint) return [];
      const isOurs = has.value !== undefined && wantedFor(service, question).has(has.value.thumbprint);
      return [isOurs ? { kind: "serviceNotBack", service, from: from.value } : { kind: "othersDoing", part }];
    });
}

/**
 * What no look at the server after the roll-back tells, by what it shows before: where the front end has moved,
 * enabling IIS has switched Require SSL on as well.
 */
export function neverSeen(question: RollBackQuestion): readonly Difference[] {
  const hasMoved = servicesNotBack(question).some((one) => one.kind === "serviceNotBack" && one.service === "IIS");
  const { begun } = question;
  const switchesSslOn = begun.some(
    (step) => step.kind === "enable" && step.services.includes("IIS") && step.requireSsl,
  );
  return hasMoved && switchesSslOn ? [{ kind: "requireSsl" }] : [];
}

interface Connector {
  readonly type: "send" | "receive";
  readonly connector: string;
}

function connectorsNotBack({ begun, before, now, thumbprint }: RollBackQuestion): readonly Difference[] {
  const setting = begun.flatMap((step) => (step.kind === "setConnector" ? [step] : []));
  const keyOf = ({ type, connector }: Connector): string => `${type} ${connector.toLowerCase()}`;
  const wanted = ({ certificate }: (typeof setting)[number]): string | undefined => {
    const own = certificate.kind === "known" ? certificate.thumbprint : thumbprint;
    const facts = (findCertificate(now, own) ?? findCertificate(before, own))?.facts;
    return facts && tlsCertificateNameOf(facts);
  };
  const same = (one: string | undefined, other: string | undefined): boolean =>
    one === undefined || other === undefined ? one === other : sameConnectorName(one, other);
  const last = new Map(setting.map((step) => [keyOf(step), step] as const));
  return [...last.values()].toReversed().flatMap(({ type, connector }): Difference[] => {
    const part = { kind: "connector", type, connector } as const;
    const steps = setting.filter((step) => keyOf(step) === keyOf(part));
    // A name that an earlier run has left cleared is set, whatever becomes of this one.
    const putBack = steps.find(({ isPutBack }) => isPutBack === true);
    const name = putBack === undefined ? shownNameOf(before, part.type, part.connector) : known(wanted(putBack));
    const isNow = shownNameOf(now, part.type, part.connector);
    if (name.kind === "unknown" || isNow.kind === "unknown") return [{ kind: "notKnown", part }];
    if (name.value === null) return [];
    if (isNow.value === null) return [{ kind: "othersDoing", part }];
    if (same(name.value, isNow.value)) return [];
    const isOurs =
      (isNow.value === undefined && putBack !== undefined) ||
      steps.some((step) => same(wanted(step), isNow.value ?? undefined));
    return [isOurs ? { kind: "connectorNotBack", type, connector, name: name.value } : { kind: "othersDoing", part }];
  });
}

function defaultNotBack(question: RollBackQuestion): readonly Difference[] {
  const { begun, before, now } = question;
  if (!enabledBy(begun).has("SMTP")) return [];
  const part = { kind: "defaultSmtp" } as const;
  const [from, is] = [before.defaultSmtpThumbprint, now.defaultSmtpThumbprint];
  if (from.kind === "unknown" || is.kind === "unknown") return [{ kind: "notKnown", part }];
  if (from.value === is.value) return [];
  const isOurs = is.value !== undefined && wantedFor("SMTP", question).has(is.value);
  return [isOurs ? { kind: "defaultSmtpNotBack", from: from.value } : { kind: "othersDoing", part }];
}

function namesNotBack(question: RollBackQuestion): readonly Difference[] {
  const { begun, before, now } = question;
  const enabled = enabledBy(begun);
  return NAME_SERVICES.flatMap((service): Difference[] => {
    const set = begun.flatMap((step) =>
      step.kind === "setCertificateName" && step.service === service ? [step.name?.toLowerCase()] : [],
    );
    if (!enabled.has(service) && set.length === 0) return [];
    const part = { kind: "name", service } as const;
    const [name, isNow] = [certificateNameOf(before, service), certificateNameOf(now, service)];
    if (name.kind === "unknown" || isNow.kind === "unknown") return [{ kind: "notKnown", part }];
    const { value } = isNow;
    if (value?.toLowerCase() === name.value?.toLowerCase()) return [];
    // Enabling sets one of the certificate's own names.
    const isOfCertificate = [...wantedFor(service, question)].some((one) => {
      const facts = findCertificate(now, one)?.facts;
      return facts === undefined || (value !== undefined && coversName(facts, value));
    });
    const isOurs = isOfCertificate || set.includes(value?.toLowerCase());
    return [isOurs ? { kind: "nameNotBack", service, name: name.value } : { kind: "othersDoing", part }];
  });
}

/** Certificates that were there before, got SMTP in this run, and keep it. */
function smtpLeft(question: RollBackQuestion): readonly Difference[] {
  const { before, now } = question;
  return [...wantedFor("SMTP", question)].flatMap((thumbprint): Difference[] => {
    const [earlier, one] = [findCertificate(before, thumbprint), findCertificate(now, thumbprint)];
    if (earlier === undefined || one === undefined) return [];
    const certificate = named(one.facts);
    const [had, has] = [holds(before, earlier, "SMTP"), holds(now, one, "SMTP")];
    if (had.kind === "unknown" || has.kind === "unknown") {
      return [{ kind: "notKnown", part: { kind: "smtp", certificate } }];
    }
    return has.value && !had.value ? [{ kind: "smtpStays", certificate }] : [];
  });
}

function certificatesLeft(question: RollBackQuestion): readonly Difference[] {
  const { begun, before, now, thumbprint, declaredBy } = question;
  const gone = begun.flatMap((step): Difference[] =>
    step.kind === "removeCertificate" && !isOnServer(now, step.certificate.thumbprint)
      ? [{ kind: "certificateGone", certificate: step.certificate }]
      : [],
  );
  const imported = findCertificate(now, thumbprint);
  const isNew = imported !== undefined && findCertificate(before, thumbprint) === undefined;
  if (!isNew || !begun.some(({ kind }) => kind === "importCertificate")) return gone;
  const name = tlsCertificateNameOf(imported.facts);
  // As they will be again: those that this run has set to it go back before it.
  const connectors = valueOr(before.sendConnectors, [])
    .filter(({ tlsCertificateName: one }) => one !== undefined && sameConnectorName(one, name))
    .map((one) => one.name);
  const holds = [...servicesNotBack(question), ...defaultNotBack(question)].flatMap((one) => {
    if (one.kind === "serviceNotBack") return one.from === undefined ? [one.service] : [];
    return one.kind === "defaultSmtpNotBack" && remedyOf(one, before) === undefined ? ["the default SMTP role"] : [];
  });
  return [...gone, { kind: "importStays", certificate: named(imported.facts), holds, connectors, declaredBy }];
}
