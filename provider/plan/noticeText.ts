import { describeBlocker } from "./blockerText";
import type { Notice } from "./planTypes";
import { day, days, list, withLife } from "./words";
import type { TextContext } from "./words";

/** One notice as a sentence. */
export function describeNotice(notice: Notice, context: TextContext): string {
  const { now } = context;
  switch (notice.kind) {
    case "defaultSmtpStays":
      return `the default SMTP certificate stays ${withLife(notice.certificate, now)}`;
    case "defaultSmtpStaysDangling":
      return (
        `the default SMTP certificate stays ${notice.thumbprint}, which is NOT in the server's store: Exchange logs event 12013 and ` +
        `mail between servers may fail. Set replaceDefaultSmtpCertificate: true, or import that certificate`
      );
    case "defaultSmtpStaysExpired":
      return (
        `the default SMTP certificate stays ${withLife(notice.certificate, now)}: it is out of its dates. ` +
        `Set replaceDefaultSmtpCertificate: true, or renew it`
      );
    case "defaultSmtpReplaced":
      if (notice.from === undefined) return "becomes the default SMTP certificate; the server had none";
      return `becomes the default SMTP certificate instead of ${typeof notice.from === "string" ? `${notice.from}, which isn't in the server's store` : withLife(notice.from, now)}`;
    case "defaultSmtpLeftBehind":
      return (
        `the default SMTP certificate stays the old ${withLife(notice.certificate, now)}: set replaceDefaultSmtpCertificate: true` +
        (notice.daysLeft < 0 ? "" : ` before it ends in ${days(notice.daysLeft)}`)
      );
    case "defaultSmtpUnknown":
      return `whether it still is the default SMTP certificate couldn't be read (${notice.reason}): drift can't be told`;
    case "sharedByName":
      return (
        `${notice.service} goes by the name ${notice.name}, which is also on ${list(notice.others.map((one) => withLife(one, now)))}: ` +
        `Exchange chooses among them when a client connects`
      );
    case "driftedTo":
      if (notice.holders.length > 0) {
        return `DRIFT: ${notice.service} is now held by ${list(notice.holders.map((one) => withLife(one, now)))}`;
      }
      return `DRIFT: ${notice.service} is no longer held${notice.mayHaveOthers ? "" : ", and no certificate of the server holds it now"}`;
    case "takeOverUnknown":
      return `the server didn't say who holds ${notice.service} now, so whom it is taken from isn't known`;
    case "staysBehind":
      return `${notice.service} is NOT released: it stays on ${withLife(notice.certificate, now)}`;
    case "releasedTo":
      return `${notice.service} leaves ${withLife(notice.from, now)} for ${notice.holder.kind === "made" ? "the new certificate" : `the successor ${notice.holder.thumbprint}`}`;
    case "forgotten":
      return `${notice.service} is no longer managed here; the certificate keeps it`;
    case "alreadyReleased":
      return `${notice.service} is no longer declared, and the certificate won't hold it`;
    case "successorHasIt":
      return `${notice.service} is with the successor ${notice.successor} already`;
    case "successorLater":
      return `${list(notice.services)} goes to the successor, once that is on the server`;
    case "lifeLeft":
      return `the certificate is ${withLife(notice.certificate, now)}`;
    case "alreadyThere":
      return `the certificate is already there and holds ${list(notice.services)}: nothing changes on the server`;
    case "expiresSoon":
      return `the certificate ends in ${days(notice.daysLeft)} (${day(notice.notAfter)}): give a renewed one`;
    case "outOfDates":
      return notice.when === "expired"
        ? `the certificate expired on ${day(notice.notAfter)}: clients refuse it. Give a renewed one`
        : `the certificate is valid only from ${day(notice.notBefore)}`;
    case "statusNotValid":
      return `Exchange shows the certificate's status as ${notice.status}: clients may refuse it`;
    case "statusUncertain":
      if (notice.status === undefined) {
        return `the server didn't tell the certificate's status${notice.reason === undefined ? "" : ` (${notice.reason})`}`;
      }
      return notice.status === "RevocationCheckFailure"
        ? "the server can't reach the revocation list of the certificate's issuer (often a proxy setting); the certificate is used all the same"
        : `Exchange shows the certificate's status as ${notice.status}; the certificate is used all the same`;
    case "servicesUnknown":
      return `the server didn't say whether ${list(notice.services)} ${notice.services.length === 1 ? "is" : "are"} held (${notice.reason}): drift can't be told`;
    case "connectorWillMatch":
      return `connector ${list(notice.connectors)} names its certificate by this issuer and subject: it may use the new one as soon as that is imported`;
    case "edgeSubscriptionsBreak":
      return `the Edge subscription of ${list(notice.edgeServers)} breaks with the change of the default SMTP certificate and must be created anew`;
    case "eccUnverified":
      return "the certificate has an ECC key, and the server's version isn't known: older builds can't use it";
    case "eccNeedsSwitch":
      return "the certificate has an ECC key, which Exchange uses only where that is switched on (registry value EnableEccCertificateSupport, see the documentation of your build)";
    case "wouldBeRefused":
      return `nothing is to be done now, but a change would be refused: ${describeBlocker(notice.blocker, context).replace(/\.$/, "")}`;
    case "keyStorageProviderDropped":
      return "the PFX asks for a key storage provider (CNG), with which sign-in to Outlook on the web breaks; it is imported without";
    case "comesFromBinding":
      return `the certificate isn't on the server yet; binding "${notice.binding.label}" of this program imports it`;
    case "foundAgain":
      return `uses certificate ${notice.thumbprint}, which an earlier, interrupted run of this binding made`;
    case "leftOnServer":
      return `certificate ${notice.thumbprint ?? "of the old binding"} stays on ${notice.server} with the services it has there`;
    case "notAsked":
      return `the server wasn't asked (${notice.reason}); planned from the last known state, drift can't be seen`;
  }
}
