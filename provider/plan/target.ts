import { createHash } from "node:crypto";

import { commonNameOf, formatDistinguishedName, parseDistinguishedName } from "../certificate/distinguishedName";
import type { CertificateFacts } from "../certificate/facts";
import type { Thumbprint } from "../certificate/thumbprint";
import { type Observed, DAY_MS, EXCHANGE_SERVICES, isNameService, valueOr } from "../model";
import type { BindingIdentity, DesiredBinding, DesiredCertificate, PreviousBinding, SelfSignedWish } from "./desired";
import type { SourceServer } from "./connectors";
import { daysUntil } from "./days";
import { findCertificate, holds } from "./holdings";
import type { CertificateNames } from "./names";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { CertificateRef, NamedCertificate, ReplaceReason } from "./planTypes";

/** The certificate a binding is about, seen from one server. */
export type Target =
  /** In the server's store. `foundAgain`: the binding made it before. */
  | { readonly kind: "present"; readonly certificate: ObservedCertificate; readonly foundAgain: boolean }
  /** Not there; the binding brings it. */
  | { readonly kind: "importable"; readonly facts: CertificateFacts }
  /** Not there yet; another binding of the program, checked earlier, brings it. */
  | { readonly kind: "expected"; readonly facts: CertificateFacts; readonly binding: BindingIdentity }
  /** To be made when the binding is created. */
  | { readonly kind: "toBeMade"; readonly wish: SelfSignedWish }
  /** In a preview: another resource of the program is going to make it. */
  | { readonly kind: "unknown" }
  /** There, but nobody can read it. */
  | { readonly kind: "unreadable"; readonly thumbprint: Thumbprint }
  /** Not there, and nobody brings it. */
  | { readonly kind: "absent"; readonly thumbprint: Thumbprint };

/** What a decision may use besides the wish, the state and the server. */
export interface PlanContext {
  readonly now: Date;
  /** Certificates that bindings checked earlier will import on this server. */
  readonly expected: ReadonlyMap<Thumbprint, { readonly facts: CertificateFacts; readonly binding: BindingIdentity }>;
  /** The certificate that this binding replaces now: never taken for the one to be made. */
  readonly replaced: Thumbprint | undefined;
  /** Those that it has replaced earlier. One that a wish goes back to is taken again. */
  readonly superseded: readonly Thumbprint[];
  /** A source server of a send connector, by the short name that Exchange gives. */
  readonly sourceOf: (name: string) => SourceServer;
  /** Labels of the bindings of this deployment that declare a certificate of this server. */
  readonly declaredBy: (thumbprint: Thumbprint) => Observed<readonly string[]>;
  /** Who the binding was when its state was written: another URN after a rename. */
  readonly former?: BindingIdentity | undefined;
}

export function isRenewalDue(facts: CertificateFacts, renewBeforeDays: number, now: Date): boolean {
  return Date.parse(facts.notAfter) - renewBeforeDays * DAY_MS <= now.getTime();
}

/**
 * The friendly name of a made certificate: the label for people, a digest of the URN for us. It is how a create that
 * was killed finds its own certificate again; Exchange takes fewer than 64 characters (Import-ExchangeCertificate).
 */
export function madeFriendlyName({ urn, label }: BindingIdentity): string {
  const digest = createHash("sha256").update(urn).digest("hex").slice(0, 16);
  const readable = Array.from(`pulumi ${label}`.replace(/\p{C}/gu, "")).reduce(
    (text, letter) => (text.length + letter.length + 1 + digest.length <= MAX_FRIENDLY_NAME ? text + letter : text),
    "",
  );
  return `${readable}~${digest}`;
}

const MAX_FRIENDLY_NAME = 63;

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  const normalise = (names: readonly string[]): string =>
    [...new Set(names.map((name) => name.toLowerCase()))].sort().join(" ");
  return normalise(one) === normalise(other);
}

/** The longest common name (RFC 5280 appendix A.1); a longer DNS name can't become one. */
const MAX_COMMON_NAME = 64;

export function namesOfWish({ subject, dnsNames }: SelfSignedWish): CertificateNames {
  const parsed = subject === undefined ? undefined : parseDistinguishedName(subject);
  const declared = parsed !== undefined && "name" in parsed ? parsed.name : [];
  const commonName =
    parsed === undefined ? dnsNames.find((name) => name.length <= MAX_COMMON_NAME) : commonNameOf(declared);
  return { commonName, dnsNames: dnsNames.map((name) => name.toLowerCase()) };
}

/** Whether two wishes ask for the same certificate; another one replaces. */
export function sameWish(one: SelfSignedWish, other: SelfSignedWish): boolean {
  return (
    one.subject === other.subject &&
    one.validityDays === other.validityDays &&
    one.keySize === other.keySize &&
    sameNames(one.dnsNames, other.dnsNames)
  );
}

/**
 * Looks for a certificate as wished that the same binding has made: in an earlier run that was killed, or before it was
 * replaced. One of the latter that still holds what was given up with it would bring that back.
 */
function findMade(
  server: ObservedServer,
  desired: DesiredBinding,
  wish: SelfSignedWish,
  context: PlanContext,
): ObservedCertificate | undefined {
  const own = [desired.identity, ...(context.former === undefined ? [] : [context.former])];
  const marks = own.map(madeFriendlyName);
  const days = ({ notBefore, notAfter }: CertificateFacts): number => daysUntil(notAfter, new Date(notBefore));
  const commonName = namesOfWish(wish).commonName?.toLowerCase();
  const bringsBack = (one: ObservedCertificate): boolean =>
    context.superseded.includes(one.facts.thumbprint) &&
    // IMAP and POP go by the name, which a new certificate would have too.
    EXCHANGE_SERVICES.filter((service) => !isNameService(service) && !desired.services.includes(service)).some(
      (service) => valueOr(holds(server, one, service), true),
    );
  return server.certificates.find((one) => {
    const { facts, friendlyName } = one;
    return (
      marks.includes(valueOr(friendlyName, "")) &&
      facts.thumbprint !== context.replaced &&
      facts.isSelfSigned &&
      facts.keySizeBits === wish.keySize &&
      days(facts) === wish.validityDays &&
      facts.commonName?.toLowerCase() === commonName &&
      sameNames(facts.dnsNames, wish.dnsNames) &&
      !isRenewalDue(facts, desired.renewBeforeDays, context.now) &&
      !bringsBack(one)
    );
  });
}

/** Where the certificate of a new binding is, or how it gets there. */
export function newTarget(desired: DesiredBinding, server: ObservedServer, context: PlanContext): Target {
  const wanted = desired.certificate;
  if (wanted.kind === "selfSigned") {
    const made = findMade(server, desired, wanted.wish, context);
    return made === undefined
      ? { kind: "toBeMade", wish: wanted.wish }
      : { kind: "present", certificate: made, foundAgain: true };
  }
  if (wanted.kind === "unknown") return { kind: "unknown" };
  const thumbprint = wanted.kind === "given" ? wanted.facts.thumbprint : wanted.thumbprint;
  if (server.unreadable.some((one) => one.thumbprint === thumbprint)) return { kind: "unreadable", thumbprint };
  const certificate = findCertificate(server, thumbprint);
  if (certificate !== undefined) return { kind: "present", certificate, foundAgain: false };
  if (wanted.kind === "given") return { kind: "importable", facts: wanted.facts };
  const expected = context.expected.get(thumbprint);
  return expected === undefined ? { kind: "absent", thumbprint } : { kind: "expected", ...expected };
}

/** Whether another certificate is declared than the one in the state, or another one wished; needs no server to tell. */
export function meansAnother(
  wanted: DesiredCertificate,
  previous: PreviousBinding,
): "certificate" | "chosen" | "notKnownYet" | "wish" | undefined {
  if (wanted.kind === "unknown") return "notKnownYet";
  if (wanted.kind !== "selfSigned") {
    const thumbprint = wanted.kind === "given" ? wanted.facts.thumbprint : wanted.thumbprint;
    if (thumbprint === previous.thumbprint) return undefined;
    return wanted.kind === "thumbprint" && wanted.isChosen === true ? "chosen" : "certificate";
  }
  if (previous.selfSigned === undefined) return "certificate";
  return sameWish(wanted.wish, previous.selfSigned) ? undefined : "wish";
}

/** Whether the wish needs another resource than the one in the state, and why. */
export function replacementReason(
  desired: DesiredBinding,
  previous: PreviousBinding,
  server: ObservedServer,
  context: PlanContext,
): ReplaceReason | undefined {
  if (desired.server !== previous.server) return "server";
  const another = meansAnother(desired.certificate, previous);
  if (another !== undefined) return another;
  if (desired.certificate.kind !== "selfSigned" || previous.thumbprint === undefined) return undefined;
  const present = findCertificate(server, previous.thumbprint);
  if (present === undefined && server.unreadable.some(({ thumbprint }) => thumbprint === previous.thumbprint)) {
    return undefined;
  }
  if (present === undefined) return "gone";
  return isRenewalDue(present.facts, desired.renewBeforeDays, context.now) ? "renewal" : undefined;
}

/** The certificate of an existing binding that keeps it. */
export function keptTarget(
  desired: DesiredBinding,
  previous: PreviousBinding,
  server: ObservedServer,
  context: PlanContext,
): Target {
  if (desired.certificate.kind !== "selfSigned" || previous.thumbprint === undefined) {
    return newTarget(desired, server, context);
  }
  const { thumbprint } = previous;
  const certificate = findCertificate(server, thumbprint);
  if (certificate !== undefined) return { kind: "present", certificate, foundAgain: false };
  return server.unreadable.some((one) => one.thumbprint === thumbprint)
    ? { kind: "unreadable", thumbprint }
    : { kind: "toBeMade", wish: desired.certificate.wish };
}

export function refOf(target: Target): CertificateRef {
  switch (target.kind) {
    case "present":
      return { kind: "known", thumbprint: target.certificate.facts.thumbprint };
    case "importable":
    case "expected":
      return { kind: "known", thumbprint: target.facts.thumbprint };
    case "absent":
    case "unreadable":
      return { kind: "known", thumbprint: target.thumbprint };
    case "toBeMade":
      return { kind: "made" };
    case "unknown":
      return { kind: "unknown" };
  }
}

export function factsOf(target: Target): CertificateFacts | undefined {
  switch (target.kind) {
    case "present":
      return target.certificate.facts;
    case "importable":
    case "expected":
      return target.facts;
    case "absent":
    case "unreadable":
    case "toBeMade":
    case "unknown":
      return undefined;
  }
}

export function namesOf(target: Target): CertificateNames {
  if (target.kind === "toBeMade") return namesOfWish(target.wish);
  return factsOf(target) ?? { commonName: undefined, dnsNames: [] };
}

/** A certificate that can't be read, as far as people can recognise it. */
export function namedUnreadable(thumbprint: Thumbprint): NamedCertificate {
  return { thumbprint, name: "unreadable", subject: "", issuer: "", notAfter: undefined };
}

/** The subject as people know it, also of a certificate that is still to be made. */
export function subjectOf(target: Target): string {
  return target.kind === "toBeMade" ? subjectOfWish(target.wish) : (factsOf(target)?.subject ?? "");
}

export function subjectOfWish(wish: SelfSignedWish): string {
  if (wish.subject === undefined) return `CN=${namesOfWish(wish).commonName ?? ""}`;
  const parsed = parseDistinguishedName(wish.subject);
  return "name" in parsed ? formatDistinguishedName(parsed.name) : wish.subject;
}

export function named({
  thumbprint,
  commonName,
  dnsNames,
  subject,
  issuer,
  notAfter,
}: CertificateFacts): NamedCertificate {
  const name = commonName ?? dnsNames[0] ?? (subject === "" ? "without a name" : subject);
  return { thumbprint, name, subject, issuer, notAfter };
}

/** Others look after a certificate that was chosen on the server. */
export function chosenMark({ certificate }: DesiredBinding): { readonly isChosen?: true } {
  return certificate.kind === "thumbprint" && certificate.isChosen === true ? { isChosen: true } : {};
}
