import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import { coversName } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import {
  type ExchangeService,
  type NameService,
  type Observed,
  type UmService,
  NAME_SERVICES,
  UM_SERVICES,
  valueOr,
} from "../model";
import type { GapRefusal } from "./connectorGap";
import { judgeStatus, outOfDates } from "./guards";
import { certificateNameOf, findCertificate, holds } from "./holdings";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { NamedCertificate } from "./planTypes";
import { named, namedUnreadable } from "./target";
import { type BoundElsewhere, type Reserved, reservedFor } from "./reserved";

/** What speaks against removing a certificate from a server. Each has a way out, which its sentence names. */
export type RemovalReason =
  /** Exchange refuses it too. */
  | { readonly kind: "defaultSmtp" }
  | { readonly kind: "defaultSmtpUnknown"; readonly reason: string }
  | { readonly kind: "iisSite"; readonly sites: readonly number[] }
  | { readonly kind: "iisUnknown"; readonly reason: string }
  | { readonly kind: "unifiedMessaging"; readonly services: readonly UmService[] }
  | { readonly kind: "servicesUnknown"; readonly reason: string }
  /** No other certificate that is known to be fit holds it; for IMAP and POP, by that name. */
  | { readonly kind: "onlyHolder"; readonly service: "SMTP"; readonly doubtful: readonly Thumbprint[] }
  | {
      readonly kind: "onlyHolder";
      readonly service: NameService;
      readonly name: string;
      /** They hold it too, and whether they are fit isn't known. */
      readonly doubtful: readonly Thumbprint[];
    }
  | { readonly kind: "nameUnknown"; readonly service: NameService; readonly reason: string }
  /** Without it these would offer no STARTTLS; Exchange removes it all the same. */
  | { readonly kind: "receiveConnectors"; readonly connectors: readonly string[] }
  | { readonly kind: "receiveConnectorsUnknown"; readonly reason: string }
  /** They name its issuer and subject, so Exchange refuses. */
  | {
      readonly kind: "sendConnectors";
      readonly connectors: readonly string[];
      readonly issuer: string;
      readonly subject: string;
      /** Of the certificates that stay for it. */
      readonly thumbprints: readonly Thumbprint[];
      /** Why their names aren't cleared for the moment of the removal, although the program allows it. */
      readonly noGap?: GapRefusal | undefined;
      /** Each of them is to name the new certificate, and does as soon as every source server is ready. */
      readonly moves?: true;
    }
  | { readonly kind: "reserved"; readonly what: Reserved }
  | { readonly kind: "reservedUnknown"; readonly what: BoundElsewhere; readonly reason: string }
  /** It is there, but nobody can read it. */
  | { readonly kind: "unreadable" }
  /** Its key may be nowhere else, and no program of this run asks for the removal. */
  | { readonly kind: "onlyThere" }
  /** Another process of the deployment may declare it, and can't be heard. */
  | { readonly kind: "declarationsUnknown"; readonly reason: string }
  /** `removeAfterDays` isn't over. ISO 8601. `last`: where several certificates stay for it, for the last of them. */
  | { readonly kind: "keptUntil"; readonly until: string; readonly last?: string | undefined };

/** What becomes of a certificate that is to be removed. */
export type Removal =
  /** Not on the server: nothing to do. */
  | { readonly kind: "gone" }
  /** The program still declares it, under these labels: never removed, whatever else. */
  | { readonly kind: "declared"; readonly by: readonly string[] }
  | { readonly kind: "kept"; readonly certificate: NamedCertificate; readonly reasons: readonly RemovalReason[] }
  | {
      readonly kind: "due";
      readonly certificate: ObservedCertificate;
      /** Send connectors whose names have to be cleared for it. */
      readonly gap?: readonly string[] | undefined;
    };

export interface RemovalRequest {
  /** The server as it is when the removal comes: after the steps of the plan that it belongs to. */
  readonly server: ObservedServer;
  readonly thumbprint: Thumbprint;
  /** Labels of the bindings of this deployment that declare the certificate on this server. */
  readonly declaredBy: Observed<readonly string[]>;
  /** Not before then. ISO 8601; undefined for at once. */
  readonly notBefore: string | undefined;
  readonly now: Date;
}

/** Decides about one certificate. Every reason is found, so that they can be told together. */
export function judgeRemoval({ server, thumbprint, declaredBy, notBefore, now }: RemovalRequest): Removal {
  const certificate = findCertificate(server, thumbprint);
  const isUnreadable = server.unreadable.some((one) => one.thumbprint === thumbprint);
  if (certificate === undefined && !isUnreadable) return { kind: "gone" };
  if (declaredBy.kind === "known" && declaredBy.value.length > 0) return { kind: "declared", by: declaredBy.value };
  if (certificate === undefined) {
    return { kind: "kept", certificate: namedUnreadable(thumbprint), reasons: [{ kind: "unreadable" }] };
  }
  const reasons: RemovalReason[] = [
    ...(declaredBy.kind === "unknown" ? [{ kind: "declarationsUnknown", reason: declaredBy.reason } as const] : []),
    ...REMOVAL_GUARDS.flatMap((guard) => guard.reasons(server, certificate, now)),
    ...(notBefore !== undefined && Date.parse(notBefore) > now.getTime()
      ? [{ kind: "keptUntil", until: notBefore } as const]
      : []),
  ];
  return reasons.length > 0
    ? { kind: "kept", certificate: named(certificate.facts), reasons }
    : { kind: "due", certificate };
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

/** Certificates beside the given one that are known to hold a service, and aren't unfit. */
interface Others {
  /** Everything about them is known and good. */
  readonly fit: readonly ObservedCertificate[];
  readonly doubtful: readonly Thumbprint[];
}

function others(server: ObservedServer, certificate: ObservedCertificate, service: ExchangeService, now: Date): Others {
  const all = server.certificates.filter(
    (one) =>
      one.facts.thumbprint !== certificate.facts.thumbprint &&
      valueOr(holds(server, one, service), false) &&
      isFit(server, one, now),
  );
  const fit = all.filter((one) => isKnownToBeFit(server, one, certificate));
  return { fit, doubtful: all.filter((one) => !fit.includes(one)).map(({ facts }) => facts.thumbprint) };
}

/**
 * A revocation list that can't be reached is the server's trouble and not the certificate's: then another certificate
 * is as good as the one that goes when both show the same.
 */
function isKnownToBeFit(server: ObservedServer, one: ObservedCertificate, goes: ObservedCertificate): boolean {
  const status = valueOr(one.status, undefined);
  const isGood =
    judgeStatus(one.status) === "good" || (status !== undefined && status === valueOr(goes.status, undefined));
  return isGood && one.hasPrivateKey.kind === "known" && reservedUnknown(server, one).length === 0;
}

/** Roles that the certificate may have without our knowing. */
function reservedUnknown(server: ObservedServer, certificate: ObservedCertificate): readonly RemovalReason[] {
  const { authCertificates: auth, federationThumbprints: federation } = server;
  // That of the federation trust shows the service.
  const showsIt = certificate.displayedServices.kind === "known";
  return [
    ...(auth.kind === "unknown" ? [{ kind: "reservedUnknown", what: "auth", reason: auth.reason } as const] : []),
    ...(federation.kind === "unknown" && !showsIt
      ? [{ kind: "reservedUnknown", what: "federation", reason: federation.reason } as const]
      : []),
  ];
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
    const services = UM_SERVICES.filter((service) => shown.value.includes(service));
    return services.length > 0 ? [{ kind: "unifiedMessaging", services }] : [];
  },
};

const smtp: RemovalGuard = {
  name: "SMTP",
  reasons: (server, certificate, now) => {
    if (!valueOr(holds(server, certificate, "SMTP"), false)) return [];
    const { fit, doubtful } = others(server, certificate, "SMTP", now);
    return fit.length > 0 ? [] : [{ kind: "onlyHolder", service: "SMTP", doubtful }];
  },
};

const names: RemovalGuard = {
  name: "IMAP and POP by their name",
  reasons: (server, certificate, now) =>
    NAME_SERVICES.flatMap((service): RemovalReason[] => {
      const name = certificateNameOf(server, service);
      if (name.kind === "unknown") return [{ kind: "nameUnknown", service, reason: name.reason }];
      if (name.value === undefined || !coversName(certificate.facts, name.value)) return [];
      const { fit, doubtful } = others(server, certificate, service, now);
      return fit.length > 0 ? [] : [{ kind: "onlyHolder", service, name: name.value, doubtful }];
    }),
};

const receiveConnectors: RemovalGuard = {
  name: "receive connectors",
  reasons: (server, certificate, now) => {
    if (!valueOr(holds(server, certificate, "SMTP"), true)) return [];
    const { receiveConnectors: shown } = server;
    if (shown.kind === "unknown") return [{ kind: "receiveConnectorsUnknown", reason: shown.reason }];
    const { fit: rest } = others(server, certificate, "SMTP", now);
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
      ? [{ kind: "sendConnectors", connectors, issuer, subject, thumbprints: [thumbprint] }]
      : [];
  },
};

const reserved: RemovalGuard = {
  name: "certificates of Exchange's own",
  reasons: (server, certificate) => {
    const what = reservedFor(server, certificate);
    return what === undefined ? [...reservedUnknown(server, certificate)] : [{ kind: "reserved", what }];
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
