import { joined, sentence } from "../sentence";
import type { Sentence } from "../sentence";
import { describeBlocker } from "./blockerText";
import type { Ambiguity, NotChosen, Unsuited } from "./onServer";
import type { Blocker, NamedCertificate, Notice } from "./planTypes";
import { day, list, listOfFew, named, short, withLife } from "./words";
import type { TextContext } from "./words";
import { RESERVED_NAMES } from "./reservedText";

/*
 * What is said about choosing a certificate on a server.
 */

/** That many certificates are told of; of more only how many there are. */
const FEW = 5;

export function describeChosen(
  { certificate, notBefore, names, byWildcards, others }: Notice & { readonly kind: "onServerChosen" },
  context: TextContext,
): Sentence {
  const { now } = context;
  const wild =
    byWildcards.length === 0
      ? ""
      : sentence` (${joined(
          byWildcards.map(({ name, wildcard }) => sentence`${name} by ${wildcard}`),
          ", ",
        )})`;
  return sentence`of the certificates on the server the newest for ${list(names)}${wild} is ${withLife(certificate, now)}, of ${day(notBefore)}, issued by ${certificate.issuer}${whyNot(others, context)}`;
}

/** `; not 1234ABCD (mail.contoso.com, 3 days left): older, of 2026-01-01`; empty for none. */
function whyNot(others: readonly NotChosen[], context: TextContext): Sentence {
  const told = others.slice(0, FEW).map(({ certificate, why }) => {
    const reason = why.kind === "older" ? sentence`older, of ${day(why.notBefore)}` : describeUnsuited(why, context);
    return sentence`; not ${withLife(certificate, context.now)}: ${reason}`;
  });
  const more = others.length > FEW ? sentence`; nor ${others.length - FEW} more` : sentence``;
  return joined([...told, more], "");
}

/** Why a certificate won't do. */
function describeUnsuited(why: Unsuited, context: TextContext): Sentence {
  switch (why.kind) {
    case "selfSigned":
      return sentence`it is self-signed`;
    case "reserved":
      return sentence`it is ${RESERVED_NAMES[why.what]}`;
    case "pending":
      return sentence`it is a request that waits for its certificate`;
    case "withoutKey":
      return sentence`its private key isn't there`;
    case "outOfDates":
      return why.when === "expired"
        ? sentence`it has expired`
        : sentence`it is valid only from ${day(why.notBefore, context.now)}`;
    case "status":
      return sentence`its status is ${why.status}`;
    case "namesMissing":
      return sentence`it doesn't cover ${list(why.names)}`;
    case "issuer":
      return sentence`its issuer is ${why.issuer}`;
    case "endsTooSoon":
      return sentence`it ends in less than minDaysLeft (${why.minDaysLeft})`;
    case "refused":
      return sentence`the binding would be refused with it: ${why.blockers
        .map((blocker) => describeBlocker(blocker, context))
        .join(" ")
        .replace(/\.$/, "")}`;
  }
}

export function describeInstead(
  { certificate, of: { certificate: bound, why, byOlder } }: Notice & { readonly kind: "onServerInstead" },
  context: TextContext,
): Sentence {
  const old = typeof bound === "string" ? sentence`certificate ${short(bound)}` : named(bound);
  const reason =
    why.kind === "gone"
      ? sentence`is gone from the server`
      : sentence`won't do any more (${describeUnsuited(why, context)})`;
  const older = byOlder ? sentence`, which is older,` : "";
  return sentence`${old}, which is bound, ${reason}: ${withLife(certificate, context.now)}${older} takes its place`;
}

export function describeStaying(
  { certificate, why, others }: Notice & { readonly kind: "onServerStays" },
  context: TextContext,
): Sentence {
  const { now } = context;
  if (why.kind === "none") {
    return sentence`${withLife(certificate, now)} stays bound although it won't do any more (${describeUnsuited(why.unsuited, context)}): the server has no other one that would${whyNot(others, context)}`;
  }
  return sentence`${withLife(certificate, now)} stays bound: which one should take its place isn't clear. ${describeAmbiguity(why, now)}`;
}

/** What isn't clear, and how to make it so. */
function describeAmbiguity(why: Ambiguity, now: Date): Sentence {
  const among = (one: (certificate: NamedCertificate) => Sentence): Sentence => listOfFew(why.among.map(one), FEW);
  switch (why.kind) {
    case "issuers":
      return sentence`These have different issuers: ${among((one) => sentence`${withLife(one, now)} of ${one.issuer}`)}. Name the one that is meant, or all of them, with onServer.issuer`;
    case "tie":
      return sentence`These begin at the same moment (${why.notBefore}): ${among((one) => sentence`${one.thumbprint} (${one.name})`)}. Remove one from the server, or name the other by its thumbprint`;
    case "notRenewals": {
      const subject = ({ subject }: NamedCertificate): Sentence =>
        why.differ.includes("subject") ? sentence` with ${subject === "" ? "no subject" : subject}` : sentence``;
      return sentence`These aren't renewals of one another, because they differ in ${list(why.differ.map((one) => DIFFERENCE[one]))}: ${among((one) => sentence`${withLife(one, now)}${subject(one)}`)}. Give names in onServer.dnsNames that only one of them covers, remove the others from the server, or name one by its thumbprint`;
    }
  }
}

const DIFFERENCE = {
  subject: "the subject",
  names: "the DNS names",
  purposes: "the purposes (extended key usage)",
  template: "the certificate template",
} as const;

export function describeAmbiguous(
  { why, others }: Blocker & { readonly kind: "onServerAmbiguous" },
  context: TextContext,
): string {
  return `which certificate on ${context.server} is meant isn't clear. ${describeAmbiguity(why, context.now)}${whyNot(others, context)}.`;
}

export function describeNone(
  { names, others }: Blocker & { readonly kind: "onServerNone" },
  context: TextContext,
): string {
  const { server } = context;
  const lead = `no certificate on ${server} would do for ${list(names)}`;
  if (others.length === 0) return `${lead}: none has any of these names. Enrol one there, or give it here.`;
  return `${lead}${whyNot(others, context)}. Enrol one there, or give it here.`;
}
