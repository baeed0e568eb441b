import type { CertificateFacts } from "../certificate/facts";
import { coversName } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import {
  type CertificateStatus,
  type ExchangeService,
  type ExchangeVersion,
  type Observed,
  formatVersion,
  isUmService,
  SERVICES,
  valueOr,
} from "../model";
import { acceptsEcc, hasUnifiedMessaging } from "../builds";
import { holdersOf } from "./holdings";
import type { CertificateNames } from "./names";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { Blocker, Notice } from "./planTypes";

/** Findings of a guard: what stops, and what is merely worth saying. */
export interface Findings {
  readonly blockers: readonly Blocker[];
  readonly notices: readonly Notice[];
}

export function outOfDates(facts: CertificateFacts, now: Date): "expired" | "notYetValid" | undefined {
  if (Date.parse(facts.notAfter) <= now.getTime()) return "expired";
  if (Date.parse(facts.notBefore) > now.getTime()) return "notYetValid";
  return undefined;
}

/**
 * What a status means for assigning services: the admin center only assigns Valid ones. A revocation list that can't
 * be reached and a status that wasn't told are the network's or the session's trouble, not the certificate's.
 */
export function judgeStatus(status: Observed<CertificateStatus>): "good" | "uncertain" | "bad" {
  if (status.kind === "unknown") return "uncertain";
  switch (status.value) {
    case "Valid":
      return "good";
    case "RevocationCheckFailure":
    case "Unknown":
      return "uncertain";
    case "DateInvalid":
    case "Invalid":
    case "PendingRequest":
    case "Revoked":
    case "Untrusted":
      return "bad";
  }
}

/** The certificate itself, where a step would import or enable it: dates, status, private key. */
export function guardCertificate(
  facts: CertificateFacts,
  observed: ObservedCertificate | undefined,
  now: Date,
): Findings {
  const blockers: Blocker[] = [];
  const notices: Notice[] = [];
  const { notBefore, notAfter, thumbprint } = facts;
  const when = outOfDates(facts, now);
  if (when !== undefined) {
    blockers.push({ kind: "outOfDates", property: "certificate", when, notBefore, notAfter });
  }
  if (observed !== undefined) {
    const status = valueOr(observed.status, undefined);
    const judgement = judgeStatus(observed.status);
    // The dates have been named already; "DateInvalid" would only repeat it.
    if (judgement === "bad" && status !== undefined && !(status === "DateInvalid" && when !== undefined)) {
      blockers.push({ kind: "statusNotValid", property: "certificate", status });
    }
    if (judgement === "uncertain") {
      const reason = observed.status.kind === "unknown" ? observed.status.reason : undefined;
      notices.push({ kind: "statusUncertain", status, reason });
    }
    if (observed.hasPrivateKey.kind === "known" && !observed.hasPrivateKey.value) {
      blockers.push({ kind: "noPrivateKey", property: "certificate", thumbprint });
    }
  }
  return { blockers, notices };
}

/** A certificate that is to get IIS, as far as clients look at it. */
export interface FrontEndCandidate {
  readonly names: CertificateNames;
  /** Its thumbprint, when it is self-signed. */
  readonly selfSigned: Thumbprint | "toBeMade" | undefined;
  /** Who issued it, and the CAs that come with it; none for a self-signed one. */
  readonly issuers: readonly string[];
}

/**
 * IIS may be what our own connection goes through. What can be told beforehand is told: a name that isn't covered, a
 * self-signed certificate that isn't trusted, and one of a CA that isn't, unless IIS shows us one of that CA now.
 */
export function guardOwnChannel(
  server: ObservedServer,
  { names, selfSigned, issuers }: FrontEndCandidate,
): readonly Blocker[] {
  const { ownChannel } = server;
  if (ownChannel === undefined) return [];
  const { name, trusted, authorities } = ownChannel;
  // Where there is a SAN, clients overlook the common name; where there is none, it stands among the DNS names.
  const isCovered = coversName({ dnsNames: names.dnsNames, commonName: undefined }, name);
  if (!isCovered) return [{ kind: "breaksOwnChannel", property: "certificate", why: "name", name }];
  if (selfSigned === undefined) {
    const [issuer] = issuers;
    if (authorities === undefined || issuer === undefined) return [];
    const believed = [...authorities, ...holdersOf(server, "IIS").map(({ facts }) => facts.issuer)];
    if (issuers.some((one) => believed.includes(one))) return [];
    return [{ kind: "breaksOwnChannel", property: "certificate", why: "issuer", issuer }];
  }
  if (trusted === undefined || (selfSigned !== "toBeMade" && trusted.includes(selfSigned))) return [];
  return [{ kind: "breaksOwnChannel", property: "certificate", why: "selfSigned", name }];
}

/** Key types that the server's build can't use. */
export function guardKeyAlgorithm(
  facts: CertificateFacts,
  services: readonly ExchangeService[],
  version: Observed<ExchangeVersion>,
): Findings {
  if (facts.keyAlgorithm === "RSA") return { blockers: [], notices: [] };
  if (facts.keyAlgorithm === "other") {
    return { blockers: [{ kind: "keyAlgorithmNotSupported", property: "certificate" }], notices: [] };
  }
  if (version.kind === "unknown") return { blockers: [], notices: [{ kind: "eccUnverified" }] };
  // Whether it is switched on can't be read from afar. Source: CSS-Exchange, HealthChecker, which warns about the value.
  if (acceptsEcc(version.value, services)) return { blockers: [], notices: [{ kind: "eccNeedsSwitch" }] };
  return {
    blockers: [{ kind: "eccNotSupported", property: "certificate", version: formatVersion(version.value), services }],
    notices: [],
  };
}

/** UM and UMCallRouter exist up to Exchange 2016, and can be enabled only in start-up mode TLS or Dual. */
export function guardUm(server: ObservedServer, services: readonly ExchangeService[]): readonly Blocker[] {
  const um = services.filter(isUmService);
  if (um.length === 0) return [];
  const version = valueOr(server.version, undefined);
  if (version !== undefined && !hasUnifiedMessaging(version)) {
    return [{ kind: "umNotOnThisVersion", property: "services", services: um, version: formatVersion(version) }];
  }
  const blockers: Blocker[] = [];
  for (const service of um) {
    const mode = server[SERVICES[service].startupModeIn];
    if (mode.kind === "unknown") {
      blockers.push({ kind: "umStartupModeUnknown", property: "services", service, reason: mode.reason });
    } else if (mode.value === undefined || mode.value === "TCP") {
      blockers.push({ kind: "umStartupMode", property: "services", service, mode: mode.value ?? "none" });
    }
  }
  return blockers;
}
