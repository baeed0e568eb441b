import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import type { CertificateFacts } from "../certificate/facts";
import { coversName } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import { NAME_SERVICES, valueOr } from "../model";
import type { ExchangeService, NameService } from "../model";
import { judgeStatus, outOfDates, reservedAs } from "./guards";
import { certificateNameOf, findCertificate, holds } from "./holdings";
import type { ObservedCertificate, ObservedServer } from "./observedServer";

/** What speaks against removing a certificate from a server. Each has a way out, which its sentence names. */
export type RemovalReason =
  /** Exchange refuses it too. */
  | { readonly kind: "defaultSmtp" }
  | { readonly kind: "defaultSmtpUnknown"; readonly reason: string }
  | { readonly kind: "iisSite"; readonly sites: readonly number[] }
  | { readonly kind: "iisUnknown"; readonly reason: string }
  | { readonly kind: "unifiedMessaging"; readonly services: readonly ("UM" | "UMCallRouter")[] }
  | { readonly kind: "servicesUnknown"; readonly reason: string }
  /** No other fit certificate holds it; for IMAP and POP, by that name. */
  | { readonly kind: "onlyHolder"; readonly service: "SMTP" }
  | { readonly kind: "onlyHolder"; readonly service: NameService; readonly name: string }
  | { readonly kind: "nameUnknown"; readonly service: NameService; readonly reason: string }
  /** Without it these would offer no STARTTLS; Exchange removes it all the same. */
  | { readonly kind: "receiveConnectors"; readonly connectors: readonly string[] }
  | { readonly kind: "receiveConnectorsUnknown"; readonly reason: string }
  /** They name its issuer and subject, so Exchange refuses. */
  | {
      readonly kind: "sendConnectors";
      readonly connectors: readonly string[];
      readonly certificate: Pick<CertificateFacts, "thumbprint" | "issuer" | "subject">;
    }
  | { readonly kind: "reserved"; readonly what: "auth" | "federation" | "webManagement" }
  /** Its key may be nowhere else, and no program of this run asks for the removal. */
  | { readonly kind: "onlyThere" }
  /** `removeAfterDays` isn't over. ISO 8601. */
  | { readonly kind: "keptUntil"; readonly until: string };

/** What becomes of a certificate that is to be removed. */
export type Removal =
  /** Not on the server: nothing to do. */
  | { readonly kind: "gone" }
  /** The program still declares it, under these labels: never removed, whatever else. */
  | { readonly kind: "declared"; readonly by: readonly string[] }
  | { readonly kind: "kept"; readonly certificate: ObservedCertificate; readonly reasons: readonly RemovalReason[] }
  | { readonly kind: "due"; readonly certificate: ObservedCertificate };

export interface RemovalRequest {
  /** The server as it is when the removal comes: after the steps of the plan that it belongs to. */
  readonly server: ObservedServer;
  readonly thumbprint: Thumbprint;
  /** Labels of the bindings of this deployment that declare the certificate on this server. */
  readonly declaredBy: readonly string[];
  /** Not before then. ISO 8601; undefined for at once. */
  readonly notBefore: string | undefined;
  readonly now: Date;
}

/** Decides about one certificate. Every reason is found, so that they can be told together. */
export function judgeRemoval({ server, thumbprint, declaredBy, notBefore, now }: RemovalRequest): Removal {
  const certificate = findCertificate(server, thumbprint);
  if (certificate === undefined) return { kind: "gone" };
  if (declaredBy.length > 0) return { kind: "declared", by: declaredBy };
  const reasons: RemovalReason[] = [
    ...REMOVAL_GUARDS.flatMap((guard) => guard.reasons(server, certificate, now)),
    ...(notBefore !== undefined && Date.parse(notBefore) > now.getTime()
      ? [{ kind: "keptUntil", until: notBefore } as const]
      : []),
  ];
  return reasons.length > 0 ? { kind: "kept", certificate, reasons } : { kind: "due", certificate };
}

/**
 * Whether a reason goes away by itself, or with a send connector that only a gap could clear: then an old certificate
 * simply stays for now. For the others somebody has to do something.
 */
export function isMerelyWaiting({ kind }: RemovalReason): boolean {
  return kind === "keptUntil" || kind === "sendConnectors";
}

/** One thing to look at before a certificate goes. */
export interface RemovalGuard {
  readonly name: string;
  readonly reasons: (server: ObservedServer, certificate: ObservedCertificate, now: Date) => readonly RemovalReason[];
}

/** Certificates that can carry a service: with a key, within their dates, not reserved for something else. */
export function isFit(server: ObservedServer, certificate: ObservedCertificate, now: Date): boolean {
  const { facts, hasPrivateKey, status } = certificate;
  return (
    valueOr(hasPrivateKey, true) &&
    outOfDates(facts, now) === undefined &&
    judgeStatus(status) !== "bad" &&
    reservedFor(server, certificate) === undefined
  );
}

/** The role of Exchange's or Windows' own that a certificate has. */
export function reservedFor(
  server: ObservedServer,
  certificate: ObservedCertificate,
): "auth" | "federation" | "webManagement" | undefined {
  const { facts, friendlyName } = certificate;
  const reserved = reservedAs(server, facts.thumbprint);
  if (reserved !== undefined) return reserved;
  const isWebManagement = facts.isSelfSigned && /^CN=WMSvc(?:-|$)/i.test(facts.subject);
  return isWebManagement || /^WMSVC/i.test(valueOr(friendlyName, "")) ? "webManagement" : undefined;
}

/** Fit ones beside the given one that are known to hold the service. */
function others(
  server: ObservedServer,
  certificate: ObservedCertificate,
  service: ExchangeService,
  now: Date,
): readonly ObservedCertificate[] {
  return server.certificates.filter(
    (one) =>
      one.facts.thumbprint !== certificate.facts.thumbprint &&
      valueOr(holds(server, one, service), false) &&
      isFit(server, one, now),
  );
}

const defaultSmtp: RemovalGuard = {
  name: "the default SMTP certificate",
  reasons: ({ defaultSmtpThumbprint: current }, { facts }) => {
    if (current.kind === "unknown") return [{ kind: "defaultSmtpUnknown", reason: current.reason }];
    return current.value === facts.thumbprint ? [{ kind: "defaultSmtp" }] : [];
  },
};

const iisSites: RemovalGuard = {
  name: "a site of IIS",
  reasons: (_server, { iisSites: sites }) => {
    if (sites.kind === "unknown") return [{ kind: "iisUnknown", reason: sites.reason }];
    return sites.value.length > 0 ? [{ kind: "iisSite", sites: sites.value }] : [];
  },
};

const unifiedMessaging: RemovalGuard = {
  name: "unified messaging",
  reasons: (server, certificate) => {
    const { displayedServices: shown } = certificate;
    if (shown.kind === "unknown") return [{ kind: "servicesUnknown", reason: shown.reason }];
    const services = (["UM", "UMCallRouter"] as const).filter((service) => shown.value.includes(service));
    return services.length > 0 ? [{ kind: "unifiedMessaging", services }] : [];
  },
};

const smtp: RemovalGuard = {
  name: "SMTP",
  reasons: (server, certificate, now) =>
    valueOr(holds(server, certificate, "SMTP"), false) && others(server, certificate, "SMTP", now).length === 0
      ? [{ kind: "onlyHolder", service: "SMTP" }]
      : [],
};

const names: RemovalGuard = {
  name: "IMAP and POP by their name",
  reasons: (server, certificate, now) =>
    NAME_SERVICES.flatMap((service): RemovalReason[] => {
      const name = certificateNameOf(server, service);
      if (name.kind === "unknown") return [{ kind: "nameUnknown", service, reason: name.reason }];
      if (name.value === undefined || !coversName(certificate.facts, name.value)) return [];
      return others(server, certificate, service, now).length > 0
        ? []
        : [{ kind: "onlyHolder", service, name: name.value }];
    }),
};

const receiveConnectors: RemovalGuard = {
  name: "receive connectors",
  reasons: (server, certificate, now) => {
    if (!valueOr(holds(server, certificate, "SMTP"), true)) return [];
    const { receiveConnectors: shown } = server;
    if (shown.kind === "unknown") return [{ kind: "receiveConnectorsUnknown", reason: shown.reason }];
    const rest = others(server, certificate, "SMTP", now);
    const connectors = shown.value
      .filter((connector) => {
        const suits = ({ facts }: ObservedCertificate): boolean =>
          connector.tlsCertificateName === undefined
            ? coversName(facts, connector.fqdn ?? server.server)
            : isNamed(connector.tlsCertificateName, facts);
        return suits(certificate) && !rest.some(suits);
      })
      .map(({ identity }) => identity);
    return connectors.length > 0 ? [{ kind: "receiveConnectors", connectors }] : [];
  },
};

const sendConnectors: RemovalGuard = {
  name: "send connectors",
  reasons: ({ sendConnectors: shown }, { facts }) => {
    // Where they can't be read Exchange itself refuses, with their names.
    const connectors = valueOr(shown, [])
      .filter(({ tlsCertificateName: name }) => name !== undefined && isNamed(name, facts))
      .map(({ name }) => name);
    const { thumbprint, issuer, subject } = facts;
    return connectors.length > 0
      ? [{ kind: "sendConnectors", connectors, certificate: { thumbprint, issuer, subject } }]
      : [];
  },
};

const reserved: RemovalGuard = {
  name: "certificates of Exchange's own",
  reasons: (server, certificate) => {
    const what = reservedFor(server, certificate);
    return what === undefined ? [] : [{ kind: "reserved", what }];
  },
};

function isNamed(name: string, facts: ObservedCertificate["facts"]): boolean {
  return sameConnectorName(name, tlsCertificateNameOf(facts));
}

/** In the order in which their reasons are told. */
export const REMOVAL_GUARDS: readonly RemovalGuard[] = [
  defaultSmtp,
  iisSites,
  unifiedMessaging,
  smtp,
  names,
  receiveConnectors,
  sendConnectors,
  reserved,
];
