import type { Unfitness } from "../certificate/fitness";
import { joined, sentence } from "../sentence";
import type { Sentence } from "../sentence";
import { describeBlocker } from "./blockerText";
import { describeGap } from "./connectorGapText";
import { describeChosen, describeInstead, describeStaying } from "./onServerText";
import { describeKeeping, NO_WAY_BACK } from "./removalText";
import type { Phase } from "./line";
import { day, days, inFull, list, listOfFew, named, refInShort, short, span, withLife } from "./words";
import type { NotReady } from "./connectors";
import { quoted } from "./powershell";
import type { ConnectorsLeft, NamedCertificate, Notice } from "./planTypes";
import type { TextContext } from "./words";

/** What is worth knowing about a certificate and its server, as a sentence. */
export function describeNotice(notice: Notice, context: TextContext, phase: Phase = "plan"): Sentence {
  const { now } = context;
  const few = (certificates: readonly NamedCertificate[]): Sentence =>
    listOfFew(
      certificates.map((one) => withLife(one, now)),
      4,
    );
  switch (notice.kind) {
    case "defaultSmtpStays":
      return sentence`the default SMTP certificate stays ${withLife(notice.certificate, now)}`;
    case "defaultSmtpStaysDangling":
      return sentence`the default SMTP certificate stays ${notice.thumbprint}, which is NOT in the server's store: Exchange logs event 12013 and mail between servers may fail. Set replaceDefaultSmtpCertificate: true, or import that certificate`;
    case "defaultSmtpStaysExpired":
      return sentence`the default SMTP certificate stays ${withLife(notice.certificate, now)}: it is out of its dates. Set replaceDefaultSmtpCertificate: true, or renew it`;
    case "defaultSmtpReplaced": {
      const becomes = phase === "change" ? sentence`became` : sentence`becomes`;
      if (notice.from === undefined) return sentence`${becomes} the default SMTP certificate; the server had none`;
      const from =
        typeof notice.from === "string"
          ? sentence`${short(notice.from)}, which isn't in the server's store`
          : withLife(notice.from, now);
      return sentence`${becomes} the default SMTP certificate instead of ${from}`;
    }
    case "defaultSmtpLeftBehind": {
      const { notAfter } = notice.certificate;
      const before =
        notice.daysLeft < 0 || notAfter === undefined ? "" : sentence` before it ends in ${span(notAfter, now)}`;
      return sentence`the default SMTP certificate stays the old ${withLife(notice.certificate, now)}: set replaceDefaultSmtpCertificate: true${before}`;
    }
    case "defaultSmtpUnknown":
      return sentence`whether it still is the default SMTP certificate couldn't be read (${notice.reason}): drift can't be told`;
    case "sharedByName":
      return sentence`${notice.service} goes by the name ${notice.name}, which is also on ${few(notice.others)}: Exchange chooses among them when a client connects`;
    case "driftedTo":
      if (notice.holders.length > 0) return sentence`DRIFT: ${notice.service} is now held by ${few(notice.holders)}`;
      return sentence`DRIFT: ${notice.service} is no longer held${notice.mayHaveOthers ? "" : ", and no certificate of the server holds it now"}`;
    case "takeOverUnknown":
      return sentence`the server didn't say who holds ${notice.service} now, so whom it is taken from isn't known`;
    case "staysBehind":
      if (notice.unknown !== undefined)
        return sentence`${notice.service} is NOT released if ${withLife(notice.certificate, now)} holds it, which isn't known (${notice.unknown})`;
      return sentence`${notice.service} is NOT released: it stays on ${withLife(notice.certificate, now)} until that is removed (onDelete: "remove")`;
    case "releasedTo":
      return sentence`${notice.service} leaves ${withLife(notice.from, now)} for ${notice.holder.kind === "known" ? sentence`the successor ` : ""}${refInShort(notice.holder)}`;
    case "forgotten":
      return sentence`${notice.service} is no longer managed here; the certificate keeps it, nothing changes on the server`;
    case "alreadyReleased":
      return sentence`${notice.service} is no longer declared, and the certificate won't hold it`;
    case "successorHasIt":
      return sentence`${notice.service} is with the successor ${short(notice.successor)} already`;
    case "successorLater":
      return sentence`${list(notice.services)} ${notice.services.length === 1 ? "goes" : "go"} to the successor, once that is on the server`;
    case "onServerChosen":
      return describeChosen(notice, context);
    case "onServerInstead":
      return describeInstead(notice, context);
    case "onServerStays":
      return describeStaying(notice, context);
    case "comes":
      return sentence`comes: ${inFull(notice.certificate, now)}`;
    case "goes":
      return sentence`goes: ${inFull(notice.certificate, now)}`;
    case "namesLost":
      return sentence`clients of ${listOfFew(notice.names)} get a certificate without ${notice.names.length === 1 ? "that name" : "these names"}; ${short(notice.from.thumbprint)} has ${notice.names.length === 1 ? "it" : "them"}`;
    case "namesGained":
      return sentence`new in the certificate: ${listOfFew(notice.names)}`;
    case "endsEarlier":
      return sentence`the new certificate ends on ${day(notice.notAfter, now)}, before ${withLife(notice.than, now)}`;
    case "connectorsStay":
      return describeConnectorsLeft(notice, context);
    case "successorGets": {
      const { certificate, services, lacks, isWmsvc } = notice;
      const who = isWmsvc ? sentence`, the certificate of the Web Management Service` : "";
      const missing =
        lacks.length === 0 ? "" : sentence`; clients of ${listOfFew(lacks)} get a certificate without that name`;
      return sentence`the successor for ${list(services)} is ${inFull(certificate, now)}${who}${missing}`;
    }
    case "certificateNotKnownYet":
      return sentence`the certificate isn't known yet: what is told here holds for any, once it is issued`;
    case "nameNotKnownYet":
      return notice.holders.length === 0
        ? sentence`the name of ${notice.service} will be that of the new certificate, once it is issued`
        : sentence`the name of ${notice.service} will be that of the new certificate, once it is issued; whether ${notice.service} leaves ${few(notice.holders)} depends on it`;
    case "unreadableCertificates":
      return sentence`${notice.thumbprints.length === 1 ? "certificate" : "certificates"} ${list(notice.thumbprints)} on ${context.server} can't be read and ${notice.thumbprints.length === 1 ? "is" : "are"} left out: whether ${notice.thumbprints.length === 1 ? "it has" : "they have"} a name of yours can't be told`;
    case "notDoneYet":
      return sentence`${notice.service} is not done yet: the last run stopped before it${notice.holders.length === 0 ? "" : sentence`; it is with ${few(notice.holders)}`}`;
    case "lifeLeft":
      return sentence`the certificate is ${inFull(notice.certificate, now)}`;
    case "alreadyThere":
      return sentence`${named(notice.certificate)} is already there and holds ${list(notice.services)}: nothing changes on the server`;
    case "expiresSoon":
      return sentence`the certificate ends in ${span(notice.notAfter, now)} (${day(notice.notAfter, now)}): ${notice.isChosen === true ? "a renewed one has to come to the server before" : "give a renewed one"}`;
    case "outOfDates":
      return notice.when === "expired"
        ? sentence`the certificate expired on ${day(notice.notAfter, now)}: clients refuse it. Give a renewed one`
        : sentence`the certificate is valid only from ${day(notice.notBefore, now)}`;
    case "statusNotValid":
      return sentence`Exchange shows the certificate's status as ${notice.status}: clients may refuse it`;
    case "statusUncertain":
      if (notice.status === undefined) {
        return sentence`the server didn't tell the certificate's status${notice.reason === undefined ? "" : sentence` (${notice.reason})`}`;
      }
      return notice.status === "RevocationCheckFailure"
        ? sentence`the server can't reach the revocation list of the certificate's issuer (often a proxy setting); the certificate is used all the same`
        : sentence`Exchange shows the certificate's status as ${notice.status}; the certificate is used all the same`;
    case "servicesUnknown":
      return sentence`the server didn't say whether ${list(notice.services)} ${notice.services.length === 1 ? "is" : "are"} held (${notice.reason}): drift can't be told`;
    case "connectorWillMatch":
      return sentence`connector ${listOfFew(notice.connectors)} names its certificate by this issuer and subject: it may use the new one as soon as that is imported`;
    case "edgeSubscriptionsBreak":
      return sentence`the Edge subscription of ${list(notice.edgeServers)} breaks with the change of the default SMTP certificate and must be created anew`;
    case "unfit":
      return describeUnfitness(notice.flaw);
    case "chainLeadsNowhere":
      return sentence`none of the certificates that come along issued this one (its issuer is ${notice.issuer}): clients get a chain that leads nowhere. Give the issuer's certificate`;
    case "chainHasStrays":
      return sentence`${listOfFew(notice.subjects)} ${notice.subjects.length === 1 ? "comes" : "come"} along, and ${notice.subjects.length === 1 ? "belongs" : "belong"} to no step of the certificate's chain`;
    case "chainHasRoot":
      return sentence`the root ${notice.subject} comes along: clients have it or don't trust it; it is kept`;
    case "clientUseLost": {
      const { connectors } = notice;
      const naming =
        connectors.length === 0
          ? ""
          : sentence`; send ${connectors.length === 1 ? "connector" : "connectors"} ${listOfFew(connectors)} ${connectors.length === 1 ? "names" : "name"} the old one`;
      return sentence`the new certificate isn't for clients (purpose clientAuth), and ${withLife(notice.from, now)} was: servers that ask for a certificate when mail is sent to them may refuse it${naming}`;
    }
    case "eccUnverified":
      return sentence`the certificate has an ECC key, and the server's version isn't known: older builds can't use it`;
    case "eccNeedsSwitch":
      return sentence`the certificate has an ECC key, which Exchange uses only where that is switched on (registry value EnableEccCertificateSupport, see the documentation of your build)`;
    case "wouldBeRefused":
      return sentence`nothing is to be done now, but a change would be refused: ${describeBlocker(notice.blocker, context).replace(/\.$/, "")}`;
    case "keyStorageProviderDropped":
      return sentence`the PFX asks for a key storage provider (CNG), with which sign-in to Outlook on the web breaks; it is imported without`;
    case "chainReordered":
      return sentence`the certificates of the chain aren't in order, each followed by its issuer; they are sent in order`;
    case "comesFromBinding":
      return sentence`the certificate isn't on the server yet; binding "${notice.binding.label}" of this program imports it`;
    case "foundAgain":
      return sentence`uses certificate ${short(notice.thumbprint)}, which this binding made before`;
    case "leftOnServer":
      return sentence`certificate ${notice.thumbprint ?? "of the old binding"} stays on ${notice.server} with the services it has there`;
    case "connectorWaits":
      return sentence`send connector "${notice.connector}" doesn't name the certificate yet: ${joined(
        notice.for.map((one) => describeNotReady(one, notice.connector)),
        "; ",
      )}`;
    case "connectorDrifted":
      return sentence`DRIFT: ${notice.type} connector "${notice.connector}" now names ${notice.actual ?? "no certificate"}`;
    case "connectorLeftEmpty":
      return sentence`send connector "${notice.connector}" names no certificate: it hasn't been set before, somebody has cleared it, or a run of ours was killed in the gap of a removal`;
    case "connectorsForgotten":
      return sentence`no longer managed here, and left as they are: connectors ${listOfFew(notice.connectors.map((one) => `"${one}"`))}`;
    case "removedAtEnd":
      return sentence`removes the replaced ${withLife(notice.certificate, now)} after the new one is in place; nothing on the server needs it then as far as can be seen${describeGap(notice.gap, false)}${notice.onlyThere ? NO_WAY_BACK : ""}`;
    case "removedElsewhere": {
      const when = notice.days === 0 ? sentence`at the end` : sentence`by a later run, in ${days(notice.days)}`;
      return sentence`removes certificate ${notice.thumbprint ?? "of the old binding"} from ${notice.server} ${when}, unless something there still needs it`;
    }
    case "notLookedElsewhere":
      return sentence`this binding was on ${context.server} before, which couldn't be read (${notice.reason.replace(/\.$/, "")}): certificate ${list(notice.thumbprints)} may still be there, and a later run tries again. Where there is no such server any more, one pulumi up with onDelete: "retain" ends this`;
    case "goesWithIt":
      return sentence`${list(notice.services)} ${notice.services.length === 1 ? "goes" : "go"} with ${named(notice.certificate)} when that is removed`;
    case "comesAlong":
      return sentence`the new certificate holds ${list(notice.services)} too, by the same name, although it isn't declared`;
    case "keptDeclared":
      return describeDeclared(notice);
    case "keptAfterAll":
      return sentence`certificate ${short(notice.thumbprint)} stays, because this binding declares it: binding "${notice.by}", which comes before this one and was to have it removed at the end, leaves it`;
    case "keptForNow":
    case "keptOld": {
      const few = listOfFew(
        notice.certificates.map((one) => withLife(one, now)),
        2,
      );
      const count = notice.certificates.length;
      const keeping = describeKeeping(notice.reasons, context.server, count);
      // The commands in it are never cut off.
      return joined([sentence`${few} ${count === 1 ? "stays" : "stay"}`, keeping], ": ");
    }
    case "notAsked":
      return sentence`the server wasn't asked (${notice.reason}); planned from the last known state, drift can't be seen`;
  }
}

function describeDeclared({ thumbprint, by, decides = false }: Notice & { readonly kind: "keptDeclared" }): Sentence {
  const one = by.length === 1;
  const who = sentence`${one ? "binding" : "bindings"} ${listOfFew(by.map((label) => `"${label}"`))}`;
  const then = decides ? sentence`, and ${one ? "its onDelete decides" : "theirs decide"} about it from now on` : "";
  return sentence`certificate ${short(thumbprint)} stays: ${who} ${one ? "declares" : "declare"} it${then}`;
}

function describeConnectorsLeft(left: ConnectorsLeft, { now }: TextContext): Sentence {
  const one = left.connectors.length === 1;
  const names = listOfFew(left.connectors.map(({ type, identity }) => sentence`${identity} (${type})`));
  const lead = sentence`${one ? "connector" : "connectors"} ${names} ${one ? "names" : "name"} ${withLife(left.certificate, now)} by issuer and subject`;
  return left.isCertain
    ? sentence`${lead} and won't follow: that works until ${day(left.until, now)}; what to set is told after the change`
    : sentence`${lead}: only a new certificate of the same issuer and subject is found by ${one ? "it" : "them"}`;
}

function describeUnfitness(flaw: Unfitness): Sentence {
  switch (flaw.kind) {
    case "authority":
      return sentence`the certificate is an authority's own, which may sign others: clients may refuse it, and its key doesn't belong on a server. Give one that was issued for the server`;
    case "noNames":
      return sentence`the certificate has no DNS name: clients have nothing to compare with and refuse it`;
    case "shortKey":
      return sentence`the certificate's RSA key has ${flaw.bits} bits: clients refuse less than 2048`;
    case "sha1Signature":
      return sentence`the certificate is signed with SHA-1: clients refuse that`;
    case "pssSignature":
      return sentence`the certificate is signed with RSASSA-PSS: many clients and devices refuse that. An authority of AD CS signs so where AlternateSignatureAlgorithm is set`;
    case "tooLong":
      return sentence`the certificate is valid for ${flaw.days} days, and public authorities may issue for ${flaw.allowed} at most when it begins: clients refuse it`;
  }
}

function describeNotReady(reason: NotReady, connector: string): Sentence {
  switch (reason.kind) {
    case "withoutCertificate":
      return sentence`its source server ${reason.name} has no valid certificate of that issuer and subject with SMTP`;
    case "unreachable":
      return sentence`whether its source server ${reason.name} has one isn't known (${reason.reason})`;
    case "edge":
      return sentence`its source server ${reason.name} is an Edge server, which can't be asked from here: look there with Get-ExchangeCertificate, then run Set-SendConnector ${quoted(connector) ?? "on that connector"} -TlsCertificateName with its issuer and subject`;
  }
}
