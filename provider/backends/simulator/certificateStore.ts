import type { Thumbprint } from "../../certificate/thumbprint";
import type { CertificateStatus } from "../../model";
import { factsOf, type DerFacts } from "./derFacts";
import type { Organisation, RootStore, ServerState, StoredCertificate } from "./organisation";

/** A stored certificate and what its bytes say. */
export interface ReadStoredCertificate {
  readonly stored: StoredCertificate;
  readonly facts: DerFacts;
}

/** Spares the look-up of the certificate by its bytes. */
const byObject = new WeakMap<StoredCertificate, DerFacts>();

export function factsOfStored(stored: StoredCertificate): DerFacts {
  const seen = byObject.get(stored);
  if (seen !== undefined) return seen;
  const facts = factsOf(stored.der);
  byObject.set(stored, facts);
  return facts;
}

/** The certificates of the store; one that stands in the file twice counts once, as its first entry says it. */
export function storedCertificates(server: ServerState): ReadStoredCertificate[] {
  const seen = new Set<string>();
  return server.certificates
    .map((stored) => ({ stored, facts: factsOfStored(stored) }))
    .filter(({ facts }) => !seen.has(facts.thumbprint) && seen.add(facts.thumbprint));
}

/** What is odd about the certificates of a file, in sentences; empty for a sound one. */
export function storeNotices(organisation: Organisation): readonly string[] {
  return Object.values(organisation.servers).flatMap((server) => {
    const all = server.certificates.map((stored) => factsOfStored(stored));
    const unreadable = new Set(all.filter((one) => one.isUnreadable).map(({ thumbprint }) => thumbprint));
    const twice = new Set(
      all.map(({ thumbprint }) => thumbprint).filter((one, place, list) => list.indexOf(one) !== place),
    );
    return [
      ...[...unreadable].map(
        (one) =>
          `${server.fqdn}: certificate ${one} can't be parsed; it is carried by its thumbprint, without names and dates.`,
      ),
      ...[...twice].map(
        (one) => `${server.fqdn}: certificate ${one} stands in the file more than once; it counts once.`,
      ),
    ];
  });
}

/** The certificate of that thumbprint in the server's store, with or without a key. Compared without case. */
export function findCertificate(server: ServerState, thumbprint: string): ReadStoredCertificate | undefined {
  const wanted = thumbprint.trim().toUpperCase();
  for (const stored of server.certificates) {
    const facts = factsOfStored(stored);
    if (facts.thumbprint === wanted) return { stored, facts };
  }
  return undefined;
}

export function addCertificate(server: ServerState, stored: StoredCertificate): ServerState {
  return { ...server, certificates: [...server.certificates, stored] };
}

/** Takes it out of the store. Everything that pointed at it dangles, as on a real server. */
export function removeFromStore(server: ServerState, thumbprint: Thumbprint): ServerState {
  return { ...server, certificates: server.certificates.filter((one) => factsOfStored(one).thumbprint !== thumbprint) };
}

/** Lets Network Service read the private key. Returns the same server when it can already. */
export function grantKeyToNetworkService(server: ServerState, thumbprint: Thumbprint): ServerState {
  if (findCertificate(server, thumbprint)?.stored.privateKey.networkServiceRead !== false) return server;
  return {
    ...server,
    certificates: server.certificates.map((one) =>
      factsOfStored(one).thumbprint === thumbprint
        ? { ...one, privateKey: { ...one.privateKey, networkServiceRead: true } }
        : one,
    ),
  };
}

/**
 * `Status` of Get-ExchangeCertificate. The simulator builds no chains: a certificate that is within its dates is
 * Valid, self-signed or not, unless the file says otherwise.
 */
export function statusOf({ stored, facts }: ReadStoredCertificate, now: Date): CertificateStatus {
  if (stored.status !== undefined) return stored.status;
  if (facts.isUnreadable === true) return "Unknown";
  const moment = now.getTime();
  return moment < Date.parse(facts.notBefore) || moment > Date.parse(facts.notAfter) ? "DateInvalid" : "Valid";
}

/** `RootCAType` by the store that the root is in. */
const ROOT_CA_TYPES = {
  none: "None",
  trusted: "Registry",
  thirdParty: "ThirdParty",
  enterprise: "Enterprise",
  groupPolicy: "GroupPolicy",
} as const satisfies Record<RootStore, string>;

export function rootCaTypeOf(stored: StoredCertificate): string {
  return stored.status === "PendingRequest" ? "Unknown" : ROOT_CA_TYPES[stored.rootStore];
}
