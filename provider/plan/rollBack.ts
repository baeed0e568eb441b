import type { Thumbprint } from "../certificate/thumbprint";
import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import { NAME_SERVICES, valueOr } from "../model";
import type { ExchangeService, NameService } from "../model";
import { receiveConnectorName, sameConnector } from "./connectors";
import { certificateNameOf, findCertificate, holds } from "./holdings";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { NamedCertificate, Step } from "./planTypes";
import { named } from "./target";

/*
 * A change that failed goes back: each part by the call that really restores it. What was done is told from the server
 * before and after, and only what a step of the change was about is touched.
 */

type SiteService = "IIS" | "UM" | "UMCallRouter";

/** One thing to put back. */
export type RollBackStep =
  /** IIS: the front end alone. */
  | { readonly kind: "giveBack"; readonly service: SiteService; readonly to: NamedCertificate }
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
  | { readonly kind: "serviceNotBack"; readonly service: SiteService; readonly from: NamedCertificate | undefined }
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
  /** Enabling IIS switches it on, and what it was before nobody tells. */
  | { readonly kind: "requireSsl" };

export interface RollBackQuestion {
  /** The steps that were begun. */
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
  return kind === "requireSsl" || kind === "smtpStays" || kind === "certificateGone";
}

function enabledBy(begun: readonly Step[]): ReadonlySet<ExchangeService> {
  return new Set(begun.flatMap((step) => (step.kind === "enable" ? step.services : [])));
}

function holderOf(server: ObservedServer, service: SiteService): ObservedCertificate | undefined {
  return server.certificates.find((one) => valueOr(holds(server, one, service), false));
}

function servicesNotBack({ begun, before, now }: RollBackQuestion): readonly Difference[] {
  const enabled = enabledBy(begun);
  return (["IIS", "UMCallRouter", "UM"] as const)
    .filter((service) => enabled.has(service))
    .flatMap((service): Difference[] => {
      const from = holderOf(before, service);
      if (from?.facts.thumbprint === holderOf(now, service)?.facts.thumbprint) return [];
      return [{ kind: "serviceNotBack", service, from: from && named(from.facts) }];
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

/** What a connector names; null for one that isn't shown. */
function nameOf(
  server: ObservedServer,
  { type, connector }: { readonly type: "send" | "receive"; readonly connector: string },
): string | undefined | null {
  const shown =
    type === "send"
      ? valueOr(server.sendConnectors, []).find(({ name }) => sameConnector(name, connector))
      : valueOr(server.receiveConnectors, []).find((one) =>
          sameConnector(receiveConnectorName(one.identity), connector),
        );
  return shown === undefined ? null : shown.tlsCertificateName;
}

function connectorsNotBack({ begun, before, now }: RollBackQuestion): readonly Difference[] {
  const connectors = new Map(
    begun.flatMap((step) =>
      step.kind === "setConnector" ? [[`${step.type} ${step.connector.toLowerCase()}`, step] as const] : [],
    ),
  );
  return [...connectors.values()].toReversed().flatMap(({ type, connector }): Difference[] => {
    const name = nameOf(before, { type, connector });
    const isNow = nameOf(now, { type, connector });
    if (name === null || isNow === null || name === isNow) return [];
    if (name !== undefined && isNow !== undefined && sameConnectorName(name, isNow)) return [];
    return [{ kind: "connectorNotBack", type, connector, name }];
  });
}

function defaultNotBack({ begun, before, now }: RollBackQuestion): readonly Difference[] {
  if (!enabledBy(begun).has("SMTP") || before.defaultSmtpThumbprint.kind === "unknown") return [];
  const from = before.defaultSmtpThumbprint.value;
  return valueOr(now.defaultSmtpThumbprint, undefined) === from ? [] : [{ kind: "defaultSmtpNotBack", from }];
}

function namesNotBack({ begun, before, now }: RollBackQuestion): readonly Difference[] {
  const enabled = enabledBy(begun);
  return NAME_SERVICES.filter(
    (service) =>
      enabled.has(service) || begun.some((step) => step.kind === "setCertificateName" && step.service === service),
  ).flatMap((service): Difference[] => {
    const name = certificateNameOf(before, service);
    const isNow = certificateNameOf(now, service);
    if (name.kind === "unknown") return [];
    if (isNow.kind === "known" && isNow.value?.toLowerCase() === name.value?.toLowerCase()) return [];
    return [{ kind: "nameNotBack", service, name: name.value }];
  });
}

/** Certificates that were there before, got SMTP in this run, and keep it. */
function smtpLeft({ begun, before, now }: RollBackQuestion): readonly Difference[] {
  if (!enabledBy(begun).has("SMTP")) return [];
  const hasIt = (server: ObservedServer, one: ObservedCertificate): boolean =>
    valueOr(holds(server, one, "SMTP"), false);
  return now.certificates.flatMap((one): Difference[] => {
    const earlier = findCertificate(before, one.facts.thumbprint);
    const isNew = earlier !== undefined && hasIt(now, one) && !hasIt(before, earlier);
    return isNew ? [{ kind: "smtpStays", certificate: named(one.facts) }] : [];
  });
}

function certificatesLeft(question: RollBackQuestion): readonly Difference[] {
  const { begun, before, now, thumbprint, declaredBy } = question;
  const gone = begun.flatMap((step): Difference[] =>
    step.kind === "removeCertificate" && findCertificate(now, step.certificate.thumbprint) === undefined
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
    return remedyOf(one, before) === undefined ? ["the default SMTP role"] : [];
  });
  return [...gone, { kind: "importStays", certificate: named(imported.facts), holds, connectors, declaredBy }];
}
