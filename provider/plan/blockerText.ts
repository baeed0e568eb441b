import { PURPOSES } from "../certificate/fitness";
import type { Unusable } from "../certificate/fitness";
import { type ExchangeService, isNameService, SERVICES } from "../model";
import { toldApart } from "./desired";
import { namePropertyOf } from "./names";
import type { NameFlaw } from "./names";
import type { Blocker } from "./planTypes";
import { describeAmbiguous, describeNone } from "./onServerText";
import { describeRefusedRemoval } from "./removalText";
import { day, list, listOfFew, withLife } from "./words";
import type { TextContext } from "./words";
import { KEEPERS, RESERVED_NAMES } from "./reservedText";

/** What is wrong with IMAP or POP and a name, as sentences; the same on every server. */
export function describeNameFlaw(flaw: NameFlaw): string {
  const { service } = flaw;
  if (flaw.kind === "nameNotCovered") {
    return `${flaw.name} isn't a name of the certificate, which covers ${list(flaw.dnsNames)}. Name one of these, or give a certificate that covers it.`;
  }
  const which =
    flaw.why === "wildcard"
      ? `a wildcard certificate (${flaw.subject})`
      : flaw.subject === ""
        ? "a certificate without a subject"
        : `a certificate whose subject (${flaw.subject}) isn't a host name`;
  return (
    `${service} can't be enabled for ${which}. Name the host that ${service} clients use with ` +
    `${namePropertyOf(service)}; it is set with Set-${SERVICES[service].settings} -X509CertificateName.`
  );
}

/** A refusal as sentences: what is wrong on which server, and the ways out. */
export function describeBlocker(blocker: Blocker, context: TextContext): string {
  const { server, now } = context;
  switch (blocker.kind) {
    case "certificateAbsent":
      if (blocker.isChosen === true) {
        return `certificate ${blocker.thumbprint}, which was chosen, is gone from ${server}. Run again: then one is chosen among those that are there.`;
      }
      return blocker.gone
        ? `certificate ${blocker.thumbprint} is gone from ${server}. Import it there again, or give it here as pfx, pfxFile or pem, so that it can be imported.`
        : `certificate ${blocker.thumbprint} isn't on ${server} (Exchange shows none without its private key), and no binding of this program imports it there. ` +
            `Give it here as pfx, pfxFile or pem, or use the thumbprint output of the binding that imports it.`;
    case "unreadableCertificate":
      return `certificate ${blocker.thumbprint} is on ${server}, but can't be read: it isn't an X.509 certificate that this program understands. Give another certificate.`;
    case "onServerAmbiguous":
      return describeAmbiguous(blocker, context);
    case "onServerNone":
      return describeNone(blocker, context);
    case "reservedCertificate":
      return describeReserved(blocker);
    case "outOfDates":
      return blocker.when === "expired"
        ? `the certificate expired on ${day(blocker.notAfter)}, so nothing was enabled with it. Give a renewed certificate.`
        : `the certificate is valid only from ${day(blocker.notBefore)}. Wait until then, or give one that is valid now.`;
    case "statusNotValid":
      return `${server} shows the certificate's status as ${blocker.status}; Exchange assigns services only to Valid ones. Mend its chain on the server, or give another certificate.`;
    case "noPrivateKey":
      return `certificate ${blocker.thumbprint} has no private key on ${server}. Import it with its key (pfx, pfxFile or pem).`;
    case "umNotOnThisVersion":
      return `${list(blocker.services)} can't be enabled on ${server}: its version is ${blocker.version}, and Unified Messaging ended with Exchange 2016. Leave it out of services.`;
    case "umStartupMode": {
      const cmdlet =
        `Set-${SERVICES[blocker.service].settings} ` + (blocker.service === "UM" ? server : `-Server ${server}`);
      return blocker.mode === "none"
        ? `${server} runs no ${blocker.service} service. Take it out of services.`
        : `the start-up mode of ${blocker.service} on ${server} is ${blocker.mode}, in which no certificate can be enabled. Run "${cmdlet} -UMStartupMode Dual" and restart the service first.`;
    }
    case "umStartupModeUnknown":
      return `the start-up mode of ${blocker.service} on ${server} couldn't be read (${blocker.reason}), and without it enabling would be a guess. Give the account the role to read it.`;
    case "eccNotSupported":
      return `the certificate has an ECC key, which Exchange ${blocker.version} on ${server} can't use for ${list(blocker.services)}. Give an RSA certificate, or update the server.`;
    case "keyAlgorithmNotSupported":
      return "the certificate's key is neither RSA nor ECC; Exchange can't use it. Give an RSA certificate.";
    case "unusable":
      return describeUnusable(blocker.why);
    case "breaksOwnChannel":
      return describeLockOut(blocker, server);
    case "servicesUnknown":
      return (
        `${server} didn't say whether the certificate holds ${list(blocker.services)} (${blocker.reason}). Unknown isn't "none", so nothing is changed on a guess. ` +
        `Often the Auth certificate is expired or missing, or the account lacks a role.`
      );
    case "defaultSmtpUnknown":
      return `the default SMTP certificate of ${server} couldn't be read (${blocker.reason}), so it couldn't be kept or replaced with certainty. Give the account the role to run Get-TransportService.`;
    case "defaultSmtpMissing":
      return (
        `${server} has no default SMTP certificate, and Exchange would make this one the default as soon as SMTP is enabled. ` +
        `Set replaceDefaultSmtpCertificate: true if that is wanted, or make one for the server first (New-ExchangeCertificate -Services SMTP).`
      );
    case "nameNeeded":
    case "nameNotCovered":
      return describeNameFlaw(blocker);
    case "cannotRelease": {
      const { service } = blocker;
      const byName = isNameService(service)
        ? `give ${service} another name with ${namePropertyOf(service)} that this certificate doesn't cover; `
        : "";
      return (
        `${service} was removed, but ${withLife(blocker.certificate, now)} still holds it, and Exchange can't take a service away from a certificate. ` +
        `Ways out: give another certificate in the same change (it replaces this one); ` +
        (service === "SMTP" ? "" : `name a successor, a certificate on ${server} that gets ${service}; `) +
        byName +
        `set onServiceRemoved: "forget" to stop managing ${service} and leave it where it is; or declare ${service} again.`
      );
    }
    case "successorCannotTake":
      switch (blocker.why) {
        case "smtp":
          return `SMTP can't be handed to a successor: many certificates may hold it, and this one would keep it. Set onServiceRemoved: "forget", or give another certificate in the same change.`;
        case "sameNames":
          return `${blocker.service} can't be handed to ${blocker.successor}: it has the same names, so this certificate would keep ${blocker.service}. Set onServiceRemoved: "forget", or choose a name with ${nameInput(blocker.service)} that only the successor covers.`;
        case "nameDeclared":
          return `${blocker.service} can't be handed to a successor while ${nameInput(blocker.service)} declares a name that this certificate covers: it would keep ${blocker.service}. Leave that name out, or declare one that only the successor covers.`;
      }
    case "connectorNeedsSubject":
      return (
        `connectors name a certificate by its issuer and subject, and this one has no subject, only names (${listOfFew(blocker.names)}). ` +
        `Have it issued with a common name, or take it out of connectors.`
      );
    case "connectorStaysEmpty":
      return `send connector "${blocker.connector}" names no certificate, which the next run would mend first: mail goes out without one as long as something here is refused, or until somebody sets the name (Set-SendConnector -TlsCertificateName).`;
    case "connectorMissing":
      return blocker.type === "send"
        ? `there is no send connector "${blocker.connector}". Get-SendConnector lists them.`
        : `${server} has no receive connector "${blocker.connector}". Get-ReceiveConnector -Server ${server} lists them; the name stands without the server in front.`;
    case "connectorUnknown":
      return `the server didn't tell its connectors (${blocker.reason}), so "${blocker.connector}" can't be looked after. Give the account the role View-Only Configuration.`;
    case "connectorClaimed": {
      const [other, own] = toldApart(blocker.other, blocker.binding);
      return `bindings "${other}" and "${own}" want connector "${blocker.connector}" to name different certificates. Declare it in one of them.`;
    }
    case "removalRefused":
      return `onDelete is "remove", but ${describeRefusedRemoval(blocker.reasons, server, blocker.certificate)}`;
    case "removedByAnother": {
      const [other, own] = toldApart(blocker.other, blocker.binding);
      return (
        `binding "${other}", which comes before this one, removes certificate ${blocker.thumbprint} from ${server} in this run, because it has replaced it; "${own}" declares it. ` +
        `Let "${other}" depend on "${own}" (dependsOn), so that it is known in time, or take onDelete: "remove" from "${other}".`
      );
    }
    case "successorAbsent":
      return `the successor ${blocker.successor} isn't on ${server}. Use the thumbprint output of the binding that imports it, or import it first.`;
    case "successorIsItself":
      return "the successor is the binding's own certificate. Name the certificate that is to get the released services.";
    case "successorNotUsable":
      switch (blocker.why) {
        case "expired":
          return `the successor ${blocker.successor} has expired. Name a valid certificate.`;
        case "notYetValid":
          return `the successor ${blocker.successor} isn't valid yet. Name a valid certificate.`;
        case "status":
          return `the successor ${blocker.successor} isn't Valid on ${server}. Mend it there, or name another certificate.`;
        case "noPrivateKey":
          return `the successor ${blocker.successor} has no private key on ${server}. Import it with its key.`;
        case "keyAlgorithm":
          return `the successor ${blocker.successor} has a key that ${server} can't use. Name an RSA certificate, or update the server.`;
        case "unusable":
          return `the successor ${blocker.successor} isn't for TLS servers, by its purposes, the use of its key or its curve. Name one that was issued for a server.`;
        case "noHostName":
          return `the successor ${blocker.successor} is a wildcard certificate, or its subject isn't a host name: Exchange can't enable it for IMAP or POP. Declare a name that only it covers with imapCertificateName or popCertificateName instead.`;
        case "unreadable":
          return `the successor ${blocker.successor} is on ${server}, but can't be read. Name another certificate.`;
        case "reserved":
          return `the successor ${blocker.successor} is ${RESERVED_NAMES.auth} or ${RESERVED_NAMES.federation}, which must not serve clients. Name another certificate.`;
      }
    case "claimedByAnother": {
      const what = blocker.what === "defaultSmtp" ? "the default SMTP role" : blocker.what;
      const detail = blocker.detail === undefined ? "" : ` (${blocker.detail})`;
      const [other, own] = toldApart(blocker.other, blocker.binding);
      return (
        `bindings "${other}" and "${own}" both claim ${what} of ${server} for different ${blocker.detail === undefined ? "certificates" : "names"}${detail}; they would take it from each other in every run. ` +
        `Declare it in one of them.`
      );
    }
  }
}

function nameInput(service: ExchangeService): string {
  return namePropertyOf(service === "POP" ? "POP" : "IMAP");
}

function describeLockOut(blocker: Extract<Blocker, { readonly kind: "breaksOwnChannel" }>, server: string): string {
  const lead = `the certificate would lock this program out: its connection to ${server} goes through IIS and`;
  const settings =
    "What the connection expects is set by exchange:tlsServerName (the name) and exchange:caFile (the CAs to trust).";
  switch (blocker.why) {
    case "name":
      return `${lead} expects the name ${blocker.name}, which the certificate doesn't cover. Give one that covers it. ${settings}`;
    case "selfSigned":
      return `${lead} trusts no self-signed certificate that isn't among its CAs. Give one of a CA that is trusted; or bind this one without IIS first, add it to the file of CAs, and declare IIS then. ${settings}`;
    case "issuer":
      return `${lead} trusts no CA by the name of its issuer, ${blocker.issuer}. Give a certificate of a CA that is trusted, or add that CA to the file of CAs first. ${settings}`;
  }
}

function describeUnusable(why: Unusable): string {
  switch (why.kind) {
    case "notForServers": {
      const purposes = why.purposes.length === 0 ? "it names none" : `it names ${list(why.purposes.map(purposeName))}`;
      return `the certificate isn't for servers: of its purposes (extended key usage) ${purposes}, and serverAuth isn't among them. Give one that was issued for server authentication.`;
    }
    case "keyUsage": {
      const usages = why.usages.length === 0 ? "nothing" : list(why.usages);
      return `the certificate's key usage allows ${usages}, with which no TLS connection comes about. Give one that allows digitalSignature.`;
    }
    case "curve":
      return `the certificate's key is on the curve ${why.curve}, which Windows doesn't have for TLS. Give one on P-256, P-384 or P-521, or an RSA certificate.`;
  }
}

/** Object identifiers of purposes that are met (RFC 5280 section 4.2.1.12, Microsoft's own for documents and logon). */
const PURPOSE_NAMES: Readonly<Record<string, string>> = {
  [PURPOSES.clientAuth]: "clientAuth",
  "1.3.6.1.5.5.7.3.3": "codeSigning",
  "1.3.6.1.5.5.7.3.4": "emailProtection",
  "1.3.6.1.5.5.7.3.8": "timeStamping",
  "1.3.6.1.5.5.7.3.9": "OCSPSigning",
  "1.3.6.1.4.1.311.20.2.2": "smart card logon",
  "1.3.6.1.4.1.311.10.3.4": "file encryption",
};

function purposeName(oid: string): string {
  return PURPOSE_NAMES[oid] ?? oid;
}

function describeReserved({ what, thumbprint }: Blocker & { readonly kind: "reservedCertificate" }): string {
  return `${thumbprint} is ${RESERVED_NAMES[what]}; ${KEEPERS[what]}, and it must not be bound. Name another certificate.`;
}
