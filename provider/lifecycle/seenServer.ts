import { formatVersion } from "../model";
import type { Observed } from "../model";
import { heldServices } from "../plan/holdings";
import type { ObservedCertificate, ObservedServer } from "../plan/observedServer";

/*
 * A server as functions answer it to programs. The plugin's schema is made from these declarations.
 */

/** What a server didn't tell. Unknown isn't none: the part is left out. */
export interface UnknownPart {
  /** The property that is left out: `defaultSmtpThumbprint`, `certificates[2].services`. */
  readonly part: string;
  /** Why it isn't known. */
  readonly reason: string;
}

/** A certificate on a server. */
export interface SeenCertificate {
  /** Upper-case hexadecimal, SHA-1. */
  readonly thumbprint: string;
  /** Distinguished name. */
  readonly subject: string;
  /** Distinguished name of who issued it. */
  readonly issuer: string;
  /** DNS names that it is for, lower case. */
  readonly dnsNames: string[];
  /** ISO 8601. */
  readonly notBefore: string;
  /** ISO 8601. */
  readonly notAfter: string;
  /** Whether it is its own issuer. */
  readonly isSelfSigned: boolean;
  /** The name that administrators see; may be empty. */
  readonly friendlyName?: string;
  /** Services that use it: `IIS`, `SMTP`, `IMAP`, `POP`, `UM`, `UMCallRouter`. */
  readonly services?: string[];
  /** As Exchange says: `Valid`, `Invalid`, `PendingRequest`, … */
  readonly status?: string;
  /** Whether its key is on the server. */
  readonly hasPrivateKey?: boolean;
}

/** A connector with the certificate that it names. */
export interface SeenConnector {
  /** A send connector's name; a receive connector's `EX01\Default Frontend EX01`. */
  readonly name: string;
  /** The host name it introduces itself with. */
  readonly fqdn?: string;
  /** Issuer and subject of the certificate it names, as Exchange writes them; left out where it names none. */
  readonly tlsCertificateName?: string;
}

/** What `getServer` answers. */
export interface SeenServer {
  /** Fully qualified name, lower case. */
  readonly server: string;
  /** Version of Exchange: `15.2.1544.4`. */
  readonly version?: string;
  /** All certificates in the server's store that can be read. */
  readonly certificates: SeenCertificate[];
  /** Thumbprints of certificates that nobody can parse. */
  readonly unreadable: string[];
  /** The default SMTP certificate, for the traffic between the organisation's servers. Left out where there is none. */
  readonly defaultSmtpThumbprint?: string;
  /** The certificate name in the settings of IMAP. */
  readonly imapCertificateName?: string;
  /** The certificate name in the settings of POP. */
  readonly popCertificateName?: string;
  /** The organisation's send connectors. */
  readonly sendConnectors?: SeenConnector[];
  /** The server's receive connectors. */
  readonly receiveConnectors?: SeenConnector[];
  /** What the server didn't tell, and why. */
  readonly unknown: UnknownPart[];
}

/** What `getServer` asks for. */
export interface GetServerArgs {
  /** The server's fully qualified name. */
  readonly server: string;
}

/** What `getCertificate` asks for: one certificate of a server, by exactly one of `thumbprint`, `friendlyName` and `dnsName`. */
export interface GetCertificateArgs {
  /** The server's fully qualified name. */
  readonly server: string;
  /** The certificate of this thumbprint. */
  readonly thumbprint?: string;
  /** The only certificate of this friendly name; of several none is chosen. */
  readonly friendlyName?: string;
  /**
   * The newest certificate for this name that something else enrolled on the server, by the rule of `onServer`: valid,
   * with its key, not self-signed, not Exchange's own. What is ambiguous is an error.
   */
  readonly dnsName?: string;
  /** With `dnsName`: common or distinguished name of the authority that issued it, or of one above. */
  readonly issuer?: string;
  /** With `dnsName`: whole days that it has to be valid for. Default 0. */
  readonly minDaysLeft?: number;
}

/** What `getCertificate` answers: the certificate and its server. */
export interface FoundCertificate extends SeenCertificate {
  /** Fully qualified name, lower case. */
  readonly server: string;
  /** What the server didn't tell of it, and why. */
  readonly unknown: UnknownPart[];
}

/** Notes what isn't known, and leaves it out. */
class Parts {
  readonly unknown: UnknownPart[] = [];

  of<T, R>(part: string, observed: Observed<T | undefined>, shown: (value: T) => R): Record<string, R> {
    if (observed.kind === "unknown") {
      this.unknown.push({ part, reason: observed.reason });
      return {};
    }
    const key = part.slice(part.lastIndexOf(".") + 1);
    return observed.value === undefined ? {} : { [key]: shown(observed.value) };
  }
}

const same = <T>(value: T): T => value;

export function seenServer(server: ObservedServer): SeenServer {
  const parts = new Parts();
  const connectors = (
    all: readonly { readonly fqdn: string | undefined; readonly tlsCertificateName: string | undefined }[],
    nameOf: (index: number) => string,
  ): SeenConnector[] =>
    all.map(({ fqdn, tlsCertificateName }, index) => ({
      name: nameOf(index),
      ...(fqdn === undefined ? {} : { fqdn }),
      ...(tlsCertificateName === undefined ? {} : { tlsCertificateName }),
    }));
  return {
    server: server.server,
    ...parts.of("version", server.version, formatVersion),
    certificates: server.certificates.map((one, index) =>
      seenCertificate(server, one, parts, `certificates[${String(index)}].`),
    ),
    unreadable: server.unreadable.map(({ thumbprint }) => thumbprint),
    ...parts.of("defaultSmtpThumbprint", server.defaultSmtpThumbprint, same),
    ...parts.of("imapCertificateName", server.imapCertificateName, same),
    ...parts.of("popCertificateName", server.popCertificateName, same),
    ...parts.of("sendConnectors", server.sendConnectors, (all) => connectors(all, (index) => all[index]?.name ?? "")),
    ...parts.of("receiveConnectors", server.receiveConnectors, (all) =>
      connectors(all, (index) => all[index]?.identity ?? ""),
    ),
    unknown: parts.unknown,
  };
}

export function foundCertificate(server: ObservedServer, certificate: ObservedCertificate): FoundCertificate {
  const parts = new Parts();
  return { ...seenCertificate(server, certificate, parts, ""), server: server.server, unknown: parts.unknown };
}

function seenCertificate(
  server: ObservedServer,
  certificate: ObservedCertificate,
  parts: Parts,
  at: string,
): SeenCertificate {
  const { thumbprint, subject, issuer, dnsNames, notBefore, notAfter, isSelfSigned } = certificate.facts;
  return {
    thumbprint,
    subject,
    issuer,
    dnsNames: [...dnsNames],
    notBefore,
    notAfter,
    isSelfSigned,
    ...parts.of(`${at}friendlyName`, certificate.friendlyName, same),
    ...parts.of(`${at}services`, heldServices(server, certificate), (services) => [...services]),
    ...parts.of(`${at}status`, certificate.status, same),
    ...parts.of(`${at}hasPrivateKey`, certificate.hasPrivateKey, same),
  };
}
