import { type DisplayedService, type ExchangeVersion, type NameService, formatVersion } from "../../model";
import { partValue, type Inventory, type InventoryCertificate, type Part, type ServerInventory } from "../inventory";
import { factsOfStored, statusOf } from "./certificateStore";
import { factsOf, looksLikeDer } from "./derFacts";
import { displayedServices, formatServices, isNamed, sendsDetails } from "./displayedServices";
import type { Organisation, ServerFaults, ServerState, StoredCertificate } from "./organisation";

/* A simulated organisation after the likeness of real servers. Pure. */

export interface Twin {
  readonly organisation: Organisation;
  /** What the inventory doesn't say, and what stands in its place, in sentences. */
  readonly leftOut: readonly string[];
  /** Certificates that the twin displays otherwise than the real servers did, in sentences. */
  readonly differences: readonly string[];
}

/** `undefined`: no server of the inventory was read. */
export function twinOf(inventory: Inventory): Twin | undefined {
  const leftOut: string[] = [];
  const readAt = new Date(inventory.readAt);
  const read: ServerInventory[] = [];
  for (const one of inventory.servers) {
    if (one.outcome === "read") read.push(one);
    else leftOut.push(`${one.server}: it couldn't be read (${one.code}), so it isn't there.`);
  }
  const [first] = read;
  if (first === undefined) return undefined;
  const sites = new SiteNames();
  const servers = read.map((one) => serverOf(one, { readAt, leftOut, sites }));
  const auth = firstKnown(read, ({ authCertificates }) => authCertificates);
  if (auth?.next != null) leftOut.push("The day from which the next Auth certificate is used isn't in an inventory.");
  const organisation: Organisation = {
    version: 1,
    servers: Object.fromEntries(servers.map((server) => [server.fqdn, server])),
    sendConnectors: firstKnown(read, ({ sendConnectors }) => sendConnectors) ?? [],
    authConfig: {
      currentCertificate: auth?.current ?? null,
      previousCertificate: auth?.previous ?? null,
      nextCertificate: auth?.next ?? null,
      nextCertificateEffectiveDate: null,
    },
    federationTrust: federationTrustOf(read),
    edgeSubscriptions: sites.subscriptions(),
  };
  leftOut.push(
    "Private keys: the twin knows that there is one, as a server does, and nobody can read it.",
    'Not in an inventory, and put in by default: edition, roles, sites, "Require SSL" (on), where roots are trusted.',
  );
  return { organisation, leftOut, differences: read.flatMap((one) => differencesOf(organisation, one, readAt)) };
}

interface Context {
  readonly readAt: Date;
  readonly leftOut: string[];
  readonly sites: SiteNames;
}

/** What a version is taken to be when it isn't known: Exchange 2019, CU15. */
const LIKELY_VERSION: ExchangeVersion = { major: 15, minor: 2, build: 1748, revision: 10 };

/** The cmdlets that tell the parts; hidden on the twin where the real server didn't tell them. */
const TOLD_BY = {
  version: "Get-ExchangeServer",
  defaultSmtp: "Get-TransportService",
  imapCertificateName: "Get-ImapSettings",
  popCertificateName: "Get-PopSettings",
  umStartupMode: "Get-UMService",
  umCallRouterStartupMode: "Get-UMCallRouterSettings",
  sendConnectors: "Get-SendConnector",
  receiveConnectors: "Get-ReceiveConnector",
  authCertificates: "Get-AuthConfig",
  federationThumbprints: "Get-FederationTrust",
  edgeSubscriptions: "Get-EdgeSubscription",
} as const satisfies Partial<Record<keyof ServerInventory, string>>;

function serverOf(inventory: ServerInventory, { readAt, leftOut, sites }: Context): ServerState {
  const { server: fqdn } = inventory;
  const tell = (text: string): void => {
    leftOut.push(`${fqdn}: ${text}`);
  };
  const version = versionOf(partValue(inventory.version));
  if (version === undefined) tell(`its version isn't known; it is taken for ${formatVersion(LIKELY_VERSION)}.`);
  const usable = inventory.certificates.filter(({ thumbprint, der }) => {
    const isUsable = looksLikeDer(der) && factsOf(der).thumbprint === thumbprint;
    if (!isUsable) tell(`certificate ${thumbprint} isn't what its bytes are; it isn't there.`);
    return isUsable;
  });
  const certificates = usable.map((one) => storedOf(one, readAt));
  const hidden = Object.entries(TOLD_BY).flatMap(([key, cmdlet]) =>
    "unknown" in inventory[key as keyof typeof TOLD_BY] ? [cmdlet] : [],
  );
  if (hidden.length > 0) tell(`not told there, and so not here either (hidden): ${hidden.join(", ")}.`);
  const isUntold = usable.length > 0 && usable.every(({ displayedServices: shown }) => "unknown" in shown);
  if (isUntold) tell("what its certificates serve wasn't told, and isn't told here either (servicesUnknown).");
  const faults: ServerFaults = {
    ...(hidden.length === 0 ? {} : { hiddenCmdlets: hidden }),
    ...(isUntold ? { servicesUnknown: true } : {}),
  };
  return {
    name: shortNameOf(inventory),
    fqdn,
    version: version ?? LIKELY_VERSION,
    edition: "Standard",
    roles: version?.minor === 0 ? ["Mailbox", "ClientAccess"] : ["Mailbox"],
    site: sites.of(partValue(inventory.edgeSubscriptions) ?? []),
    certificates,
    iis: { frontEnd: boundTo(usable, 1), backEnd: boundTo(usable, 2), requireSsl: true },
    imap: { x509CertificateName: nameOf("IMAP", inventory.imapCertificateName, usable, tell) },
    pop: { x509CertificateName: nameOf("POP", inventory.popCertificateName, usable, tell) },
    um: umOf(inventory.umStartupMode, usable, "UM"),
    umCallRouter: umOf(inventory.umCallRouterStartupMode, usable, "UMCallRouter"),
    internalTransportCertificate: publishedOf(partValue(inventory.defaultSmtp) ?? null, usable),
    receiveConnectors: (partValue(inventory.receiveConnectors) ?? []).map((connector) => ({
      name: connector.identity.slice(connector.identity.indexOf("\\") + 1) || connector.identity || "Default",
      fqdn: connector.fqdn,
      tlsCertificateName: connector.tlsCertificateName,
    })),
    notYetReplicated: {},
    faults,
  };
}

function versionOf(text: string | undefined): ExchangeVersion | undefined {
  if (text === undefined) return undefined;
  const [major = 0, minor = 0, build = 0, revision = 0] = text.split(".").map(Number);
  return { major, minor, build, revision };
}

/** As its connectors spell it; the label of the FQDN in upper case otherwise. */
function shortNameOf({ server, receiveConnectors }: ServerInventory): string {
  const label = server.split(".", 1)[0] ?? server;
  const spelt = (partValue(receiveConnectors) ?? [])
    .map(({ identity }) => identity.split("\\", 1)[0] ?? "")
    .find((name) => name.toLowerCase() === label);
  return spelt ?? label.toUpperCase();
}

function storedOf(one: InventoryCertificate, readAt: Date): StoredCertificate {
  const shown = partValue(one.displayedServices) ?? [];
  const stored: StoredCertificate = {
    der: one.der,
    friendlyName: partValue(one.friendlyName) ?? "",
    privateKey: {
      present: partValue(one.hasPrivateKey) ?? true,
      exportable: partValue(one.privateKeyExportable) ?? false,
      provider: "CSP",
      networkServiceRead: shown.includes("SMTP"),
    },
    rootStore: "trusted",
  };
  // Nobody can find out here what the server's chain and its revocation lists said.
  const status = partValue(one.status);
  const workedOut = statusOf({ stored, facts: factsOfStored(stored) }, readAt);
  return status === undefined || status === workedOut ? stored : { ...stored, status };
}

function boundTo(certificates: readonly InventoryCertificate[], site: number): string | null {
  return certificates.find(({ iisSites }) => partValue(iisSites)?.includes(site) === true)?.thumbprint ?? null;
}

/** The name that was told; else the one by which the certificates would display the service as they did. */
function nameOf(
  service: NameService,
  told: Part<string | null>,
  certificates: readonly InventoryCertificate[],
  tell: (text: string) => void,
): string | null {
  if ("value" in told) return told.value === "" ? null : told.value;
  const all = certificates.map((one) => ({
    facts: factsOf(one.der),
    shows: partValue(one.displayedServices)?.includes(service) === true,
  }));
  const showing = all.filter(({ shows }) => shows);
  if (showing.length === 0) return null;
  const candidates = showing
    .flatMap(({ facts }) => [facts.commonName ?? "", ...facts.dnsNames])
    .filter((one) => one !== "");
  const found = candidates.find((name) => all.every(({ facts, shows }) => isNamed(facts, name) === shows));
  tell(
    found === undefined
      ? `the certificate name of ${service} isn't known, and no name explains what was displayed.`
      : `the certificate name of ${service} isn't known; ${found} explains what was displayed, and was put in.`,
  );
  return found ?? null;
}

function umOf(
  mode: ServerInventory["umStartupMode"],
  certificates: readonly InventoryCertificate[],
  service: DisplayedService,
): ServerState["um"] {
  const startupMode = partValue(mode);
  const holder = certificates.find(({ displayedServices: shown }) => partValue(shown)?.includes(service) === true);
  if (startupMode == null && holder === undefined) return null;
  return { startupMode: startupMode ?? "Dual", certificate: holder?.thumbprint ?? null };
}

function publishedOf(
  thumbprint: string | null,
  certificates: readonly InventoryCertificate[],
): ServerState["internalTransportCertificate"] {
  if (thumbprint === null) return null;
  return { thumbprint, der: certificates.find((one) => one.thumbprint === thumbprint)?.der ?? null };
}

function federationTrustOf(read: readonly ServerInventory[]): Organisation["federationTrust"] {
  const thumbprints = firstKnown(read, ({ federationThumbprints }) => federationThumbprints) ?? [];
  const displayed = read
    .flatMap(({ certificates }) => certificates)
    .find(({ displayedServices: shown }) => partValue(shown)?.includes("Federation") === true)?.thumbprint;
  const current = thumbprints.find((one) => one === displayed) ?? thumbprints[0] ?? displayed;
  if (current === undefined) return null;
  const [previous, next] = thumbprints.filter((one) => one !== current);
  return {
    name: "Microsoft Federation Gateway",
    currentCertificate: current,
    previousCertificate: previous ?? null,
    nextCertificate: next ?? null,
  };
}

function firstKnown<T>(servers: readonly ServerInventory[], of: (server: ServerInventory) => Part<T>): T | undefined {
  for (const server of servers) {
    const one = of(server);
    if ("value" in one) return one.value;
  }
  return undefined;
}

/** An inventory tells sites by the Edge servers that are subscribed to them: the same ones, the same site. */
class SiteNames {
  readonly #names = new Map<string, { readonly name: string; readonly edges: readonly string[] }>();

  of(edges: readonly string[]): string {
    const key = JSON.stringify([...edges].sort());
    const number = this.#names.size === 0 ? "" : `-${this.#names.size + 1}`;
    const entry = this.#names.get(key) ?? { name: `contoso.com/Configuration/Sites/Twin${number}`, edges };
    this.#names.set(key, entry);
    return entry.name;
  }

  subscriptions(): Organisation["edgeSubscriptions"] {
    return [...this.#names.values()].flatMap(({ name, edges }) => edges.map((edge) => ({ name: edge, site: name })));
  }
}

/** What the model displays beside what was displayed there. Nothing is said of what wasn't told. */
function differencesOf(organisation: Organisation, inventory: ServerInventory, readAt: Date): readonly string[] {
  const server = organisation.servers[inventory.server];
  if (server === undefined) return [];
  const differences: string[] = [];
  const isUntold = server.faults.servicesUnknown === true;
  if (!isUntold && !sendsDetails(organisation, server, readAt)) {
    differences.push(
      `${server.fqdn}: the twin sends no details of certificates, because the Auth certificate isn't there or has ended; the real server did.`,
    );
  }
  for (const one of inventory.certificates) {
    const stored = server.certificates.find(({ der }) => der === one.der);
    if (stored === undefined) continue;
    const facts = factsOfStored(stored);
    const who = `${server.fqdn}: certificate ${one.thumbprint}${facts.subject === "" ? "" : ` (${facts.subject})`}`;
    if (!stored.privateKey.present) {
      differences.push(`${who} has no private key; the real server lists it, the twin doesn't.`);
      continue;
    }
    const there = partValue(one.displayedServices);
    const here = displayedServices(organisation, server, { stored, facts }, readAt);
    if (there !== undefined && formatServices(there) !== formatServices(here)) {
      differences.push(`${who} displayed ${formatServices(there)}; the twin displays ${formatServices(here)}.`);
    }
    const sites = partValue(one.iisSites) ?? [];
    const strange = sites.filter((site) => site !== 1 && site !== 2);
    if (strange.length > 0) {
      differences.push(`${who} is bound to IIS site ${strange.join(", ")} too, which the twin doesn't have.`);
    }
  }
  return differences;
}
