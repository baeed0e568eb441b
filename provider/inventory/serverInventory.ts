import type { CertificateSnapshot, ServerSnapshot } from "../backends/backend";
import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import { partOf, type InventoryCertificate, type InventoryEntry, type ServerInventory } from "../backends/inventory";
import type { CertificateFacts } from "../certificate/facts";
import { readCertificate } from "../certificate/readCertificate";
import { thumbprintOf } from "../certificate/thumbprint";
import { formatVersion, sortServices, unknown, type ExchangeService, type Observed } from "../model";
import { heldServices } from "../plan/holdings";
import type { ObservedCertificate, ObservedServer } from "../plan/observedServer";

/* What a snapshot of a server says, as an inventory has it. Pure. */

const DAY_MILLISECONDS = 86_400_000;

/** When it is, and what counts as soon; days. `undefined`: nothing does. */
export interface InventoryMoment {
  readonly now: Date;
  readonly endsWithin: number | undefined;
}

/** Everything that an inventory says of a server. A certificate that can't be parsed is one of its certificates. */
export function serverInventory(snapshot: ServerSnapshot, moment: InventoryMoment): ServerInventory {
  const seen = new Map<string, CertificateSnapshot>();
  for (const one of snapshot.certificates) seen.set(thumbprintOf(one.der), one);
  const read = [...seen].map(([thumbprint, shown]) => ({ thumbprint, shown, facts: factsOf(shown.der) }));
  const observed: ObservedServer = {
    ...snapshot,
    certificates: read.flatMap(({ shown, facts }) => (facts === undefined ? [] : [observedCertificate(shown, facts)])),
    unreadable: [],
  };
  return {
    server: snapshot.server,
    outcome: "read",
    version: partOf(snapshot.version, formatVersion),
    certificates: read.map(({ thumbprint, shown, facts }) =>
      certificateOf({ thumbprint, shown, facts, held: heldOf(observed, shown, facts) }, snapshot, moment),
    ),
    defaultSmtp: partOf(snapshot.defaultSmtpThumbprint),
    imapCertificateName: partOf(snapshot.imapCertificateName),
    popCertificateName: partOf(snapshot.popCertificateName),
    umStartupMode: partOf(snapshot.umStartupMode),
    umCallRouterStartupMode: partOf(snapshot.umCallRouterStartupMode),
    sendConnectors: partOf(snapshot.sendConnectors, (connectors) =>
      connectors.map(({ name, fqdn, tlsCertificateName, sourceServers }) => ({
        name,
        fqdn: fqdn ?? null,
        tlsCertificateName: tlsCertificateName ?? null,
        sourceServers,
      })),
    ),
    receiveConnectors: partOf(snapshot.receiveConnectors, (connectors) =>
      connectors.map(({ identity, fqdn, tlsCertificateName }) => ({
        identity,
        fqdn: fqdn ?? null,
        tlsCertificateName: tlsCertificateName ?? null,
      })),
    ),
    authCertificates: partOf(snapshot.authCertificates, ({ current, previous, next }) => ({
      current: current ?? null,
      previous: previous ?? null,
      next: next ?? null,
    })),
    federationThumbprints: partOf(snapshot.federationThumbprints),
    edgeSubscriptions: partOf(snapshot.edgeSubscriptions),
  };
}

function factsOf(der: Uint8Array): CertificateFacts | undefined {
  try {
    return readCertificate(der);
  } catch {
    return undefined;
  }
}

function observedCertificate({ der: _, ...shown }: CertificateSnapshot, facts: CertificateFacts): ObservedCertificate {
  return { ...shown, facts };
}

const UNREADABLE = "the certificate can't be parsed, so nobody can tell which names it has";

function heldOf(
  observed: ObservedServer,
  shown: CertificateSnapshot,
  facts: CertificateFacts | undefined,
): Observed<readonly ExchangeService[]> {
  return facts === undefined ? unknown(UNREADABLE) : heldServices(observed, observedCertificate(shown, facts));
}

interface ReadCertificate {
  readonly thumbprint: string;
  readonly shown: CertificateSnapshot;
  readonly facts: CertificateFacts | undefined;
  readonly held: Observed<readonly ExchangeService[]>;
}

function certificateOf(
  certificate: ReadCertificate,
  snapshot: ServerSnapshot,
  { now, endsWithin }: InventoryMoment,
): InventoryCertificate {
  const { thumbprint, shown, facts, held } = certificate;
  const usedBy = usersOf(certificate, snapshot);
  // What can't be told may be in use.
  const isInUse = usedBy.length > 0 || held.kind === "unknown";
  const endsInTime =
    endsWithin !== undefined &&
    (facts === undefined || Date.parse(facts.notAfter) - now.getTime() <= endsWithin * DAY_MILLISECONDS);
  return {
    thumbprint,
    der: Buffer.from(shown.der).toString("base64"),
    facts:
      facts === undefined
        ? null
        : {
            subject: facts.subject,
            issuer: facts.issuer,
            commonName: facts.commonName ?? null,
            dnsNames: facts.dnsNames,
            notBefore: facts.notBefore,
            notAfter: facts.notAfter,
            daysLeft: Math.floor((Date.parse(facts.notAfter) - now.getTime()) / DAY_MILLISECONDS),
            isSelfSigned: facts.isSelfSigned,
          },
    displayedServices: partOf(shown.displayedServices, (services) => sortServices(services)),
    heldServices: partOf(held),
    iisSites: partOf(shown.iisSites),
    status: partOf(shown.status),
    friendlyName: partOf(shown.friendlyName),
    hasPrivateKey: partOf(shown.hasPrivateKey),
    privateKeyExportable: partOf(shown.privateKeyExportable),
    usedBy,
    endsSoon: isInUse && endsInTime,
  };
}

/** Everything that is known to need the certificate. */
function usersOf({ thumbprint, shown, facts, held }: ReadCertificate, snapshot: ServerSnapshot): readonly string[] {
  const shownServices = shown.displayedServices.kind === "known" ? shown.displayedServices.value : [];
  // Of one that can't be parsed it is told what the server displays.
  const services: readonly string[] = held.kind === "known" ? held.value : shownServices;
  const auth = valueIn(snapshot.authCertificates);
  const connectors = [
    ...(valueIn(snapshot.sendConnectors) ?? [])
      .filter(({ sourceServers }) => isSource(sourceServers, snapshot.server))
      .map((one) => ({ name: one.name, tlsCertificateName: one.tlsCertificateName })),
    ...(valueIn(snapshot.receiveConnectors) ?? []).map((one) => ({
      name: one.identity,
      tlsCertificateName: one.tlsCertificateName,
    })),
  ];
  return [
    ...services,
    ...(services.includes("Federation") || !shownServices.includes("Federation") ? [] : ["Federation"]),
    ...(valueIn(snapshot.defaultSmtpThumbprint) === thumbprint ? ["default SMTP"] : []),
    ...(valueIn(shown.iisSites)?.includes(2) === true ? ["back end"] : []),
    ...(auth?.current === thumbprint ? ["Auth"] : []),
    ...(auth?.next === thumbprint ? ["next Auth"] : []),
    ...((valueIn(snapshot.federationThumbprints) ?? []).some((one) => one === thumbprint) ? ["federation trust"] : []),
    ...connectors
      .filter(
        ({ tlsCertificateName: name }) =>
          facts !== undefined && name !== undefined && sameConnectorName(name, tlsCertificateNameOf(facts)),
      )
      .map((one) => `connector ${one.name}`),
  ];
}

function valueIn<T>(observed: Observed<T>): T | undefined {
  return observed.kind === "known" ? observed.value : undefined;
}

/** Connectors name servers by their short names, or in a path of the directory that ends with it. */
function isSource(sourceServers: readonly string[], server: string): boolean {
  const short = server.split(".", 1)[0]?.toLowerCase() ?? "";
  return sourceServers.some((one) => {
    const last = one.split(/[\\/]/).at(-1)?.toLowerCase() ?? "";
    return last === short || last === server;
  });
}

/** What a command that listed these ends with: a server that couldn't be read goes before what ends soon. */
export function exitCodeOf(servers: readonly InventoryEntry[]): 0 | 1 | 3 {
  if (servers.some(({ outcome }) => outcome === "failed")) return 1;
  const endsSoon = servers.some((one) => one.outcome === "read" && one.certificates.some(({ endsSoon: soon }) => soon));
  return endsSoon ? 3 : 0;
}

/** Parts that the server didn't tell, by the reason. */
export function unknownParts(server: ServerInventory): ReadonlyMap<string, readonly string[]> {
  const reasons = new Map<string, string[]>();
  const add = (reason: string, label: string): void => {
    const labels = reasons.get(reason) ?? [];
    if (!labels.includes(label)) reasons.set(reason, [...labels, label]);
  };
  for (const [key, label] of Object.entries(PART_NAMES)) {
    const one = server[key as keyof typeof PART_NAMES];
    if ("unknown" in one) add(one.unknown, label);
  }
  for (const one of server.certificates) {
    if ("unknown" in one.displayedServices) add(one.displayedServices.unknown, "services of certificates");
    else if ("unknown" in one.heldServices && one.facts !== null) {
      add(one.heldServices.unknown, "what certificates hold");
    }
  }
  return reasons;
}

const PART_NAMES = {
  version: "version",
  defaultSmtp: "default SMTP certificate",
  imapCertificateName: "certificate name of IMAP",
  popCertificateName: "certificate name of POP",
  umStartupMode: "startup mode of UM",
  umCallRouterStartupMode: "startup mode of the UM call router",
  sendConnectors: "send connectors",
  receiveConnectors: "receive connectors",
  authCertificates: "Auth certificate",
  federationThumbprints: "federation trust",
  edgeSubscriptions: "Edge subscriptions",
} as const satisfies Partial<Record<keyof ServerInventory, string>>;
