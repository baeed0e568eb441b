import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import type { CertificateFacts } from "../certificate/facts";
import { coversName } from "../certificate/names";
import { DAY_MS, isWebManagementSubject, valueOr } from "../model";
import type { DesiredBinding } from "./desired";
import type { CertificateNames } from "./names";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { ConnectorRef, ConnectorsLeft, NamedCertificate, Notice, Step } from "./planTypes";
import { factsOf, named, namesOf, subjectOf } from "./target";
import type { Target } from "./target";

/*
 * What a change means for those who look at the certificate: which one comes, which one goes, and what differs between
 * the two.
 */

/** What is compared. */
export interface Exchange {
  readonly target: Target;
  /** The certificate that the binding had until now. */
  readonly replaced: ObservedCertificate | undefined;
  readonly server: ObservedServer;
  readonly steps: readonly Step[];
  readonly now: Date;
}

/**
 * The certificate that clients see until now: the one that is replaced, otherwise the one that loses IIS. A self-signed
 * one is left out there, because no client trusted it.
 */
function outgoingOf({ replaced, server, steps }: Exchange): CertificateFacts | undefined {
  if (replaced !== undefined) return replaced.facts;
  const losers = steps.flatMap((step) =>
    step.kind === "enable" && step.because !== "successor"
      ? step.takeOvers.filter(({ service }) => service === "IIS").map(({ from }) => from.thumbprint)
      : [],
  );
  const facts = server.certificates.find((one) => losers.includes(one.facts.thumbprint))?.facts;
  return facts?.isSelfSigned === true ? undefined : facts;
}

/** When the certificate that comes will end; undefined while nobody knows it. */
function endOf(target: Target, now: Date): string | undefined {
  return target.kind === "toBeMade"
    ? new Date(now.getTime() + target.wish.validityDays * DAY_MS).toISOString()
    : factsOf(target)?.notAfter;
}

/** First what comes and what goes, then what clients notice of it. */
export function comparisonNotices(exchange: Exchange): readonly Notice[] {
  const { target, replaced, now } = exchange;
  const facts = factsOf(target);
  const notices: Notice[] = [];
  if (facts !== undefined) notices.push({ kind: "comes", certificate: named(facts) });
  if (replaced !== undefined) notices.push({ kind: "goes", certificate: named(replaced.facts) });
  const outgoing = outgoingOf(exchange);
  if (outgoing === undefined) return notices;
  if (target.kind !== "unknown") {
    notices.push(...nameNotices(namesOf(target), outgoing));
    const end = endOf(target, now);
    if (end !== undefined && Date.parse(end) < Date.parse(outgoing.notAfter)) {
      notices.push({ kind: "endsEarlier", notAfter: end, than: named(outgoing) });
    }
  }
  return notices;
}

function nameNotices(names: CertificateNames, outgoing: CertificateFacts): readonly Notice[] {
  const lost = outgoing.dnsNames.filter((name) => !coversName(names, name));
  const gained = names.dnsNames.filter((name) => !coversName(outgoing, name));
  return [
    ...(lost.length === 0 ? [] : [{ kind: "namesLost", names: lost, from: named(outgoing) } as const]),
    ...(gained.length === 0 ? [] : [{ kind: "namesGained", names: gained } as const]),
  ];
}

/** Connectors that name the replaced certificate by issuer and subject, and won't follow to one of other names. */
export function connectorsLeft(
  { target, replaced, server }: Exchange,
  { connectors: declared }: Pick<DesiredBinding, "connectors">,
): ConnectorsLeft | undefined {
  const isDeclared = ({ type, identity }: ConnectorRef): boolean =>
    declared[type].some((one) => one.toLowerCase() === identity.slice(identity.indexOf("\\") + 1).toLowerCase());
  if (replaced === undefined) return undefined;
  const name = tlsCertificateNameOf(replaced.facts);
  const follows = followsTo(target, replaced.facts);
  if (follows === true) return undefined;
  const connectors = connectorsNaming(server, name).filter((one) => !isDeclared(one));
  if (connectors.length === 0) return undefined;
  // Another one of that issuer and subject serves as well: the last of them counts.
  const ends = server.certificates
    .filter(({ facts }) => sameConnectorName(tlsCertificateNameOf(facts), name))
    .map(({ facts }) => facts.notAfter)
    .sort();
  return {
    connectors,
    certificate: named(replaced.facts),
    until: ends.at(-1) ?? replaced.facts.notAfter,
    isCertain: follows !== undefined,
  };
}

/** Whether a connector that names the old certificate finds the new one; undefined while that one isn't known. */
function followsTo(target: Target, old: CertificateFacts): boolean | undefined {
  if (target.kind === "toBeMade") return old.issuer === old.subject && old.subject === subjectOf(target);
  const facts = factsOf(target);
  return facts && sameConnectorName(tlsCertificateNameOf(facts), tlsCertificateNameOf(old));
}

/** Connectors with this value of TlsCertificateName. */
export function connectorsNaming(server: ObservedServer, name: string): readonly ConnectorRef[] {
  const names = (value: string | undefined): boolean => value !== undefined && sameConnectorName(value, name);
  return [
    ...valueOr(server.sendConnectors, [])
      .filter((one) => names(one.tlsCertificateName))
      .map((one): ConnectorRef => ({ type: "send", identity: one.name })),
    ...valueOr(server.receiveConnectors, [])
      .filter((one) => names(one.tlsCertificateName))
      .map((one): ConnectorRef => ({ type: "receive", identity: one.identity })),
  ];
}

/** A successor that gets services: who it is, and whether it fits. */
export function successorNotices(
  steps: readonly Step[],
  from: ObservedCertificate | undefined,
  server: ObservedServer,
): readonly Notice[] {
  const handed = steps.filter((step) => step.kind === "enable" && step.because === "successor");
  const byThumbprint = new Map<string, NamedCertificate & { readonly services: string[]; facts: CertificateFacts }>();
  for (const step of handed) {
    if (step.kind !== "enable" || step.certificate.kind !== "known") continue;
    const { thumbprint } = step.certificate;
    const facts = server.certificates.find((one) => one.facts.thumbprint === thumbprint)?.facts;
    if (facts === undefined) continue;
    const known = byThumbprint.get(thumbprint) ?? { ...named(facts), services: [], facts };
    known.services.push(...step.services);
    byThumbprint.set(thumbprint, known);
  }
  return [...byThumbprint.values()].map(({ facts, services }): Notice => {
    const lacks = (from?.facts.dnsNames ?? []).filter((name) => !coversName(facts, name));
    const isWmsvc = isWebManagementSubject(facts.subject);
    return { kind: "successorGets", certificate: named(facts), services, lacks, isWmsvc };
  });
}
