import { formatDistinguishedName, parseDistinguishedName, COMMON_NAME } from "../certificate/distinguishedName";
import type { CertificateFacts } from "../certificate/facts";
import { coversName } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import { DAY_MS, valueOr } from "../model";
import type { CertificateStatus } from "../model";
import type { OnServerWish } from "./desired";
import { judgeStatus, outOfDates } from "./guards";
import { isPending } from "./holdings";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { Blocker, NamedCertificate } from "./planTypes";
import { type Reserved, reservedFor } from "./reserved";
import { named } from "./target";

/*
 * Which certificate of a server is meant by `{ onServer }`: a rule of data alone, whoever asks.
 */

/** Why a certificate that has the names isn't the one. */
export type Unsuited =
  | { readonly kind: "selfSigned" }
  | { readonly kind: "reserved"; readonly what: Reserved }
  | { readonly kind: "pending" }
  | { readonly kind: "withoutKey" }
  | { readonly kind: "outOfDates"; readonly when: "expired" | "notYetValid"; readonly notBefore: string }
  | { readonly kind: "status"; readonly status: CertificateStatus }
  | { readonly kind: "namesMissing"; readonly names: readonly string[] }
  | { readonly kind: "issuer"; readonly issuer: string }
  | { readonly kind: "endsTooSoon"; readonly minDaysLeft: number }
  /** The plan of the binding would be refused with it. */
  | { readonly kind: "refused"; readonly blockers: readonly Blocker[] };

/** A certificate that isn't chosen. */
export interface NotChosen {
  readonly certificate: NamedCertificate;
  /** `older`: it would do as well. */
  readonly why: Unsuited | { readonly kind: "older"; readonly notBefore: string };
}

/** Several would do, and nothing says which one is meant. */
export type Ambiguity =
  | { readonly kind: "issuers"; readonly among: readonly NamedCertificate[] }
  /** They begin at the same moment. */
  | { readonly kind: "tie"; readonly among: readonly NamedCertificate[]; readonly notBefore: string }
  /** They differ in what a renewal keeps. */
  | {
      readonly kind: "notRenewals";
      readonly among: readonly NamedCertificate[];
      readonly differ: readonly ("subject" | "names" | "purposes" | "template")[];
    };

/** A name that a wildcard of the certificate covers. */
export interface ByWildcard {
  readonly name: string;
  readonly wildcard: string;
}

/** The certificate that is bound so far and won't do any more. */
export interface Unfit {
  readonly certificate: NamedCertificate | Thumbprint;
  readonly why: Unsuited | { readonly kind: "gone" };
  /** The one that takes its place began earlier. */
  readonly byOlder: boolean;
}

export type Choice =
  | {
      readonly kind: "chosen";
      readonly certificate: CertificateFacts;
      readonly byWildcards: readonly ByWildcard[];
      /** Undefined when nothing was bound, or what was bound would still do. */
      readonly insteadOf: Unfit | undefined;
      readonly others: readonly NotChosen[];
    }
  /** `stays`: what is bound and still would do. */
  | {
      readonly kind: "ambiguous";
      readonly why: Ambiguity;
      readonly stays: CertificateFacts | undefined;
      readonly others: readonly NotChosen[];
    }
  /** None would do. `stays`: what is bound and still there, with the reason why it wouldn't do. */
  | {
      readonly kind: "none";
      readonly stays: { readonly certificate: CertificateFacts; readonly why: Unsuited } | undefined;
      readonly others: readonly NotChosen[];
    };

export interface OnServerContext {
  readonly now: Date;
  /** What is bound today; undefined for a new binding. */
  readonly bound: Thumbprint | undefined;
  /** What a binding of this certificate would be refused for. */
  readonly refusedFor?: (certificate: CertificateFacts) => readonly Blocker[];
}

/**
 * Chooses the newest certificate (latest `notBefore`) of a server that suits the wish. What still suits is replaced by
 * a later one only; what is ambiguous is never decided.
 */
export function chooseOnServer(wish: OnServerWish, server: ObservedServer, context: OnServerContext): Choice {
  const judged = server.certificates
    .filter(({ facts }) => facts.thumbprint === context.bound || wish.dnsNames.some((name) => coversName(facts, name)))
    .map((one) => ({ facts: one.facts, why: unsuitedFor(wish, server, one, context) }));
  const suited = judged.flatMap(({ facts, why }) => (why === undefined ? [facts] : [])).sort(newestFirst);
  const bound = judged.find(({ facts }) => facts.thumbprint === context.bound);
  const othersThan = (told: readonly (string | undefined)[]): readonly NotChosen[] =>
    judged
      .filter(({ facts }) => !told.includes(facts.thumbprint))
      .map(({ facts, why }) => ({
        certificate: named(facts),
        why: why ?? { kind: "older", notBefore: facts.notBefore },
      }));
  const stays = bound?.why === undefined ? bound?.facts : undefined;
  // What began before the one that is bound can't take its place.
  const eligible =
    stays === undefined ? suited : suited.filter(({ notBefore }) => begin(notBefore) >= begin(stays.notBefore));
  const [newest] = eligible;
  if (newest === undefined) {
    const left = bound?.why === undefined ? undefined : { certificate: bound.facts, why: bound.why };
    return { kind: "none", stays: left, others: othersThan([context.bound]) };
  }
  const why = ambiguityAmong(eligible, wish);
  if (why !== undefined) {
    const told = [...why.among, ...(stays === undefined ? [] : [stays])].map(({ thumbprint }) => thumbprint);
    return { kind: "ambiguous", why, stays, others: othersThan(told) };
  }
  return {
    kind: "chosen",
    certificate: newest,
    byWildcards: byWildcards(newest, wish.dnsNames),
    insteadOf: unfitBound(newest, bound, context.bound),
    others: othersThan([newest.thumbprint, context.bound]),
  };
}

function unfitBound(
  newest: CertificateFacts,
  bound: { readonly facts: CertificateFacts; readonly why: Unsuited | undefined } | undefined,
  thumbprint: Thumbprint | undefined,
): Unfit | undefined {
  if (thumbprint === undefined) return undefined;
  if (bound === undefined) return { certificate: thumbprint, why: { kind: "gone" }, byOlder: false };
  if (bound.why === undefined) return undefined;
  const byOlder = begin(newest.notBefore) < begin(bound.facts.notBefore);
  return { certificate: named(bound.facts), why: bound.why, byOlder };
}

/** Why it can't be the one; undefined when it can. The first reason in an order in which people would look. */
function unsuitedFor(
  wish: OnServerWish,
  server: ObservedServer,
  certificate: ObservedCertificate,
  { now, refusedFor }: OnServerContext,
): Unsuited | undefined {
  const { facts } = certificate;
  const reserved = reservedFor(server, certificate);
  if (reserved !== undefined) return { kind: "reserved", what: reserved };
  if (isPending(certificate)) return { kind: "pending" };
  if (facts.isSelfSigned) return { kind: "selfSigned" };
  const missing = wish.dnsNames.filter((name) => !coversName(facts, name));
  if (missing.length > 0) return { kind: "namesMissing", names: missing };
  if (wish.issuers.length > 0 && !wish.issuers.some((name) => isIssuedBy(server, facts, name))) {
    return { kind: "issuer", issuer: facts.issuer };
  }
  if (!valueOr(certificate.hasPrivateKey, true)) return { kind: "withoutKey" };
  const when = outOfDates(facts, now);
  if (when !== undefined) return { kind: "outOfDates", when, notBefore: facts.notBefore };
  if (certificate.status.kind === "known" && judgeStatus(certificate.status) === "bad") {
    return { kind: "status", status: certificate.status.value };
  }
  if (begin(facts.notAfter) - now.getTime() < wish.minDaysLeft * DAY_MS) {
    return { kind: "endsTooSoon", minDaysLeft: wish.minDaysLeft };
  }
  const blockers = refusedFor?.(facts) ?? [];
  return blockers.length > 0 ? { kind: "refused", blockers } : undefined;
}

/** More steps than any chain has. */
const LONGEST_CHAIN = 8;

/** Whether it was issued by that authority or one below it, as far as the authorities' certificates are on the server. */
function isIssuedBy(server: ObservedServer, facts: CertificateFacts, name: string): boolean {
  let { issuer } = facts;
  for (let step = 0; step < LONGEST_CHAIN; step += 1) {
    if (isNameOf(name, issuer)) return true;
    const above = server.certificates.find((one) => one.facts.isAuthority === true && one.facts.subject === issuer);
    if (above === undefined || above.facts.issuer === issuer) return false;
    issuer = above.facts.issuer;
  }
  return false;
}

/** The distinguished name, or its common name. */
function isNameOf(name: string, distinguishedName: string): boolean {
  const wanted = name.trim().toLowerCase();
  if (wanted === distinguishedName.toLowerCase()) return true;
  const commonNames = attributesOf(distinguishedName).filter(({ oid }) => oid === COMMON_NAME);
  if (commonNames.some(({ value }) => value.trim().toLowerCase() === wanted)) return true;
  const asGiven = parseDistinguishedName(name);
  return "name" in asGiven && formatDistinguishedName(asGiven.name).toLowerCase() === distinguishedName.toLowerCase();
}

function attributesOf(distinguishedName: string): readonly { readonly oid: string; readonly value: string }[] {
  const parsed = parseDistinguishedName(distinguishedName);
  return "name" in parsed ? parsed.name.flat() : [];
}

/** What forbids taking the newest of these, which all suit; sorted, the newest first. */
function ambiguityAmong(suited: readonly CertificateFacts[], { issuers }: OnServerWish): Ambiguity | undefined {
  const [newest, second] = suited;
  if (newest === undefined || second === undefined) return undefined;
  const among = suited.map(named);
  if (issuers.length === 0 && new Set(suited.map(({ issuer }) => issuer)).size > 1) return { kind: "issuers", among };
  const differ = RENEWAL_KEEPS.filter(({ of }) => new Set(suited.map(of)).size > 1).map(({ what }) => what);
  if (differ.length > 0) return { kind: "notRenewals", among, differ };
  const { notBefore } = newest;
  if (begin(second.notBefore) < begin(notBefore)) return undefined;
  return {
    kind: "tie",
    among: suited.filter((one) => begin(one.notBefore) === begin(notBefore)).map(named),
    notBefore,
  };
}

/** What a certificate has in common with its renewal. */
const RENEWAL_KEEPS = [
  { what: "subject", of: ({ subject }: CertificateFacts) => subject.toLowerCase() },
  { what: "names", of: ({ dnsNames }: CertificateFacts) => [...dnsNames].sort().join(" ") },
  { what: "purposes", of: ({ purposes }: CertificateFacts) => [...(purposes ?? ["any"])].sort().join(" ") },
  { what: "template", of: ({ template }: CertificateFacts) => template ?? "" },
] as const;

function byWildcards(facts: CertificateFacts, names: readonly string[]): readonly ByWildcard[] {
  return names
    .filter((name) => !facts.dnsNames.includes(name) && facts.commonName?.toLowerCase() !== name)
    .map((name) => ({ name, wildcard: `*${name.slice(name.indexOf("."))}` }));
}

function newestFirst(one: CertificateFacts, other: CertificateFacts): number {
  return begin(other.notBefore) - begin(one.notBefore);
}

function begin(moment: string): number {
  return Date.parse(moment);
}

/** The certificate that a choice binds or leaves bound; undefined where it is refused. */
export function boundBy(choice: Choice): CertificateFacts | undefined {
  switch (choice.kind) {
    case "chosen":
      return choice.certificate;
    case "ambiguous":
      return choice.stays;
    case "none":
      return choice.stays?.certificate;
  }
}
