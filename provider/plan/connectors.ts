import type { ConnectorCertificateName } from "../backends/backend";
import { sameConnectorName, sameNameAs, tlsCertificateNameOf } from "../backends/connectorName";
import type { CertificateFacts } from "../certificate/facts";
import { known, valueOr } from "../model";
import type { Observed, ServerFqdn } from "../model";
import type { BindingIdentity } from "./desired";
import { holds } from "./holdings";
import type { ObservedServer } from "./observedServer";
import { isFit } from "./removal";

/*
 * Connectors name a certificate by issuer and subject. A receive connector is its server's own; a send connector is the
 * organisation's, and each of its source servers must be able to offer what it names.
 */

/** What is known of one source server of a send connector. Exchange gives the short name. */
export type SourceServer =
  /** As it is once the plan is carried out. */
  | { readonly kind: "seen"; readonly name: string; readonly server: ObservedServer }
  | { readonly kind: "unreachable"; readonly name: string; readonly reason: string }
  /** Subscribed Edge servers aren't members of the domain, and nobody asks them from here. */
  | { readonly kind: "edge"; readonly name: string };

/** Looks a source server up by the short name that Exchange gives. */
export type SourceOf = (name: string) => SourceServer;

/** Why a source server isn't ready. */
export type NotReady =
  | { readonly kind: "withoutCertificate"; readonly name: string }
  | { readonly kind: "unreachable"; readonly name: string; readonly reason: string }
  | { readonly kind: "edge"; readonly name: string };

/** Source servers that have no fit certificate of that issuer and subject with SMTP, or of which that isn't known. */
export function notReady(certificateName: string, sources: readonly SourceServer[], now: Date): readonly NotReady[] {
  const isThatName = sameNameAs(certificateName);
  return sources.flatMap((source): NotReady[] => {
    if (source.kind !== "seen") return [source];
    const { name, server } = source;
    const isHeld = server.certificates.some(
      (one) =>
        valueOr(holds(server, one, "SMTP"), false) &&
        isThatName(tlsCertificateNameOf(one.facts)) &&
        isFit(server, one, now),
    );
    return isHeld ? [] : [{ kind: "withoutCertificate", name }];
  });
}

/** There is nothing to set. */
type NothingToSet =
  | { readonly kind: "missing"; readonly connector: string }
  | { readonly kind: "unknown"; readonly connector: string; readonly reason: string }
  /** It names the certificate already. */
  | { readonly kind: "set"; readonly connector: string };

/** What is to be done with a declared send connector. */
export type SendDecision =
  | NothingToSet
  /** Every source server is ready: whoever finds it so sets the name. */
  | {
      readonly kind: "complete";
      readonly connector: string;
      readonly name: ConnectorCertificateName;
      readonly previous: string | undefined;
    }
  /** Never a change, and no failure. */
  | { readonly kind: "waiting"; readonly connector: string; readonly for: readonly NotReady[] };

export interface SendRequest {
  readonly connector: string;
  readonly facts: CertificateFacts;
  /** The server that the binding is on, as it is once the plan is carried out. */
  readonly server: ObservedServer;
  readonly sourceOf: SourceOf;
  readonly now: Date;
}

export function decideSend({ connector, facts, server, sourceOf, now }: SendRequest): SendDecision {
  const { sendConnectors } = server;
  if (sendConnectors.kind === "unknown") return { kind: "unknown", connector, reason: sendConnectors.reason };
  const found = sendConnectors.value.find((one) => sameConnector(one.name, connector));
  if (found === undefined) return { kind: "missing", connector };
  const name = tlsCertificateNameOf(facts);
  const previous = found.tlsCertificateName;
  if (previous !== undefined && sameConnectorName(previous, name)) return { kind: "set", connector: found.name };
  const waitsFor = notReady(name, found.sourceServers.map(sourceOf), now);
  return waitsFor.length > 0
    ? { kind: "waiting", connector: found.name, for: waitsFor }
    : { kind: "complete", connector: found.name, name, previous };
}

/** What is to be done with a declared receive connector. */
export type ReceiveDecision =
  | NothingToSet
  | {
      readonly kind: "change";
      readonly connector: string;
      readonly name: ConnectorCertificateName;
      readonly previous: string | undefined;
    };

/** `connector`: the name on the server, without the server in front. */
export function decideReceive(connector: string, facts: CertificateFacts, server: ObservedServer): ReceiveDecision {
  const { receiveConnectors } = server;
  if (receiveConnectors.kind === "unknown") return { kind: "unknown", connector, reason: receiveConnectors.reason };
  const found = receiveConnectors.value.find(({ identity }) =>
    sameConnector(receiveConnectorName(identity), connector),
  );
  if (found === undefined) return { kind: "missing", connector };
  const name = tlsCertificateNameOf(facts);
  const previous = found.tlsCertificateName;
  return previous !== undefined && sameConnectorName(previous, name)
    ? { kind: "set", connector }
    : { kind: "change", connector: receiveConnectorName(found.identity), name, previous };
}

/** `Default Frontend EX01` of `EX01\Default Frontend EX01`. */
export function receiveConnectorName(identity: string): string {
  return identity.slice(identity.indexOf("\\") + 1);
}

/** What a connector names; null for one that isn't there. */
export function shownNameOf(
  { sendConnectors: send, receiveConnectors: receive }: ObservedServer,
  type: "send" | "receive",
  connector: string,
): Observed<string | undefined | null> {
  const all = type === "send" ? send : receive;
  if (all.kind === "unknown") return all;
  const shown =
    type === "send"
      ? valueOr(send, []).find(({ name }) => sameConnector(name, connector))
      : valueOr(receive, []).find((one) => sameConnector(receiveConnectorName(one.identity), connector));
  return known(shown === undefined ? null : shown.tlsCertificateName);
}

/** Whether the connector, as the server shows it, names a certificate of these names. */
export function connectorNames(
  server: ObservedServer,
  type: "send" | "receive",
  connector: string,
  facts: CertificateFacts,
): boolean {
  const name = valueOr(shownNameOf(server, type, connector), null) ?? undefined;
  return name !== undefined && sameConnectorName(name, tlsCertificateNameOf(facts));
}

/** A binding's word about one connector. */
export interface ConnectorClaim {
  readonly identity: BindingIdentity;
  /** That of the binding. */
  readonly server: ServerFqdn;
  /** A send connector's name, or `SERVER\Name`; compared without case. */
  readonly connector: string;
  /** What it is to name; undefined while the certificate is still to be made. */
  readonly certificateName: string | undefined;
}

/** Other bindings that want another name for the same connector. Unknown ones may still turn out to agree. */
export function connectorConflicts(
  mine: readonly ConnectorClaim[],
  others: readonly ConnectorClaim[],
): readonly {
  readonly connector: string;
  readonly other: BindingIdentity;
  readonly names: readonly [string, string];
}[] {
  return mine.flatMap(({ identity, connector, certificateName }) =>
    others.flatMap((other) => {
      if (other.identity.urn === identity.urn || !sameConnector(other.connector, connector)) return [];
      if (certificateName === undefined || other.certificateName === undefined) return [];
      if (sameConnectorName(certificateName, other.certificateName)) return [];
      return [{ connector, other: other.identity, names: [certificateName, other.certificateName] as const }];
    }),
  );
}

/**
 * Whether two servers may belong to one organisation, as far as their names tell: one's domain is the other's or stands
 * below it. Send connectors of different organisations may well have the same names.
 */
export function mayShareOrganisation(one: ServerFqdn, other: ServerFqdn): boolean {
  const [a, b] = [one, other].map((name) => name.slice(name.indexOf(".")));
  return a !== undefined && b !== undefined && (a.endsWith(b) || b.endsWith(a));
}

/** Names of connectors, compared as Exchange does: without case. */
export function sameConnector(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}

/** Whether the connector is one of these. */
export function isAmong(connectors: readonly string[], connector: string): boolean {
  return connectors.some((one) => sameConnector(one, connector));
}

/** Whether Exchange's short name is that of the server. */
export function isNameOf(server: string, short: string): boolean {
  return server.split(".", 1)[0]?.toLowerCase() === short.trim().toLowerCase();
}
