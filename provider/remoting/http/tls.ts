import { isIP } from "node:net";
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import type { RemotingError } from "../errors";
import { notConnected } from "./failures";
import { hostOf, portOf } from "./tcp";

/** Whom to believe. */
export interface TlsOptions {
  /** PEM of the CAs to trust, instead of those that Node trusts by itself. */
  readonly ca?: string | undefined;
  /** The name that the certificate must be made out to. Default: the URL's host. */
  readonly serverName?: string | undefined;
  /** @deprecated Anyone in between can then read and change everything, passwords included. For a lab only. */
  readonly dangerouslySkipVerification?: boolean | undefined;
}

/** The other end of a TLS connection. */
export interface TlsPeer {
  /** `TLSv1.3` */
  readonly version: string;
  /** Common names; empty when there is none. */
  readonly subject: string;
  readonly issuer: string;
  /** Names and addresses in the SAN. */
  readonly names: readonly string[];
  /** SHA-1 in upper-case hex, as Exchange shows it. */
  readonly thumbprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export function peerOf(socket: TLSSocket): TlsPeer {
  // Without a certificate Node gives an empty object.
  const certificate = socket.getPeerCertificate() as Partial<PeerCertificate>;
  return {
    version: socket.getProtocol() ?? "",
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    names: namesOf(certificate),
    thumbprint: thumbprintOf(certificate),
    notBefore: new Date(certificate.valid_from ?? Number.NaN),
    notAfter: new Date(certificate.valid_to ?? Number.NaN),
  };
}

function nameOf(who: Partial<PeerCertificate["subject"]> | undefined): string {
  return String(who?.CN ?? who?.O ?? "");
}

/** As Exchange shows it. */
function thumbprintOf({ fingerprint }: Partial<PeerCertificate>): string {
  return (fingerprint ?? "?").replaceAll(":", "");
}

function namesOf({ subjectaltname }: Partial<PeerCertificate>): readonly string[] {
  const names = (subjectaltname ?? "").split(", ").map((one) => one.replace(/^(?:DNS|IP Address):/, ""));
  return names.filter((one) => one !== "");
}

/** The name that the server's certificate is held against. */
export function expectedName(url: URL, options: TlsOptions): string {
  return options.serverName ?? hostOf(url);
}

/**
 * Begins TLS. `done` is called once: with a socket whose peer has been verified, or with an error. Nothing is written
 * before that. The verification is looked at here, and not left to `rejectUnauthorized`, because only then the
 * certificate can still be shown to whoever has to mend it.
 */
export function connectTls(
  url: URL,
  options: TlsOptions,
  done: (error: unknown, socket: TLSSocket | undefined) => void,
): TLSSocket {
  const name = expectedName(url, options);
  const socket = connect({
    host: hostOf(url),
    port: portOf(url),
    // An address can't stand in SNI (RFC 6066 3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ALPNProtocols: ["http/1.1"],
    // Said here, because options of Node could let older ones through.
    minVersion: "TLSv1.2",
    rejectUnauthorized: false,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
  const settle = (error: unknown): void => {
    socket.off("error", settle);
    socket.off("secureConnect", verify);
    done(error, undefined);
  };
  const verify = (): void => {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated for users, not for this place
    const skip = options.dangerouslySkipVerification === true;
    if (!socket.authorized && !skip) {
      const refusal = untrusted(url, name, String(socket.authorizationError), socket.getPeerCertificate());
      socket.destroy();
      settle(refusal);
      return;
    }
    socket.off("error", settle);
    done(undefined, socket);
  };
  socket.once("error", settle);
  socket.once("secureConnect", verify);
  return socket;
}

/** What OpenSSL's codes mean to whoever has to do something about them. */
const REASONS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed and isn't among the certificates that are trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "the CA at the end of its chain isn't trusted",
  UNABLE_TO_GET_ISSUER_CERT: "the CA that issued it isn't trusted, or the server leaves out an intermediate one",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the CA that issued it isn't trusted, or the server leaves out an intermediate one",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the CA that issued it isn't trusted, or the server leaves out an intermediate one",
  CERT_HAS_EXPIRED: "it, or a CA of its chain, has expired",
  CERT_NOT_YET_VALID: "it isn't valid yet, or this machine's clock is wrong",
  CERT_SIGNATURE_FAILURE: "its signature is wrong",
};

const NAME_MISMATCH = "ERR_TLS_CERT_ALTNAME_INVALID";

function untrusted(url: URL, name: string, code: string, certificate: PeerCertificate): RemotingError {
  const says = describeCertificate(certificate);
  const [reason, remedy] =
    code === NAME_MISMATCH
      ? [
          `it isn't made out to ${name}, the name that was expected`,
          "Expect one of its names, or give the server a certificate with that name.",
        ]
      : [REASONS[code] ?? `it isn't trusted (${code})`, "Trust its CA, or give the server another certificate."];
  return notConnected(
    "TlsRefused",
    url,
    { what: `the server's certificate is refused: ${reason}. ${says}`, remedy },
    { facts: { fate: "notDone", certificate: wrongWith(code) } },
  );
}

function wrongWith(code: string): "name" | "trust" | "dates" {
  if (code === NAME_MISMATCH) return "name";
  return code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID" ? "dates" : "trust";
}

/** Subject, issuer, names and dates in one sentence. */
function describeCertificate(certificate: PeerCertificate): string {
  // Without a certificate Node gives an empty object.
  const { subject, issuer, valid_from, valid_to } = certificate as Partial<PeerCertificate>;
  if (subject === undefined) return "The server showed no certificate.";
  const shown = namesOf(certificate).slice(0, 10);
  const valid = shown.length === 0 ? "without any name in its SAN" : `for ${shown.join(", ")}`;
  const name = (who: Partial<PeerCertificate["subject"]> | undefined): string => nameOf(who) || "?";
  return (
    `It is that of "${name(subject)}", issued by "${name(issuer)}" ${valid}, ` +
    `valid from ${valid_from ?? "?"} to ${valid_to ?? "?"}, thumbprint ${thumbprintOf(certificate)}.`
  );
}
