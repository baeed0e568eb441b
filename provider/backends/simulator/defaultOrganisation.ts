import { hasUnifiedMessaging } from "../../builds";
import { makeSelfSigned } from "../../certificate/selfSigned";
import type { Thumbprint } from "../../certificate/thumbprint";
import { factsOfStored } from "./certificateStore";
import type { Organisation, ServerState, StoredCertificate } from "./organisation";

/** Everything impure that {@link makeDefaultOrganisation} needs. */
export interface DefaultOrganisationEnv {
  readonly now: Date;
  readonly randomBytes: (size: number) => Buffer;
}

const SITE = "contoso.com/Configuration/Sites/Default-First-Site-Name";
const FIVE_YEARS_IN_DAYS = 1826;
const TEN_YEARS_IN_DAYS = 3652;

/**
 * The organisation that the simulator starts with: an Exchange 2019 and an Exchange 2016 server as setup leaves them,
 * each with its three certificates, really made. On the 2016 server UM takes a certificate at once (mode Dual), while
 * UMCallRouter refuses one until its mode is changed from TCP.
 */
export async function makeDefaultOrganisation(env: DefaultOrganisationEnv): Promise<Organisation> {
  const [auth, ex01, ex02] = await Promise.all([
    makeAuthCertificate(env),
    makeServerCertificates("EX01", "ex01.contoso.com", env),
    makeServerCertificates("EX02", "ex02.contoso.com", env),
  ]);
  const exchange2019 = serverAfterSetup("EX01", "ex01.contoso.com", ex01, {
    auth: auth.stored,
    version: { major: 15, minor: 2, build: 1748, revision: 10 },
    um: null,
    umCallRouter: null,
  });
  const exchange2016 = serverAfterSetup("EX02", "ex02.contoso.com", ex02, {
    auth: auth.stored,
    version: { major: 15, minor: 1, build: 2507, revision: 6 },
    um: { startupMode: "Dual", certificate: null },
    umCallRouter: { startupMode: "TCP", certificate: null },
  });
  return {
    version: 1,
    servers: { [exchange2019.fqdn]: exchange2019, [exchange2016.fqdn]: exchange2016 },
    sendConnectors: [
      { name: "Outbound to Internet", fqdn: null, tlsCertificateName: null, sourceServers: ["EX01", "EX02"] },
    ],
    authConfig: {
      currentCertificate: auth.thumbprint,
      previousCertificate: null,
      nextCertificate: null,
      nextCertificateEffectiveDate: null,
    },
    federationTrust: null,
    edgeSubscriptions: [],
  };
}

/** Versions of which a server can be added, with a build of each. */
export const SERVER_KINDS = {
  "2013": { major: 15, minor: 0, build: 1497, revision: 2 },
  "2016": { major: 15, minor: 1, build: 2507, revision: 6 },
  "2019": { major: 15, minor: 2, build: 1748, revision: 10 },
  SE: { major: 15, minor: 2, build: 2562, revision: 17 },
} as const;
export type ServerKind = keyof typeof SERVER_KINDS;

/** Another server of an organisation, as setup leaves it, with the organisation's Auth certificate. */
export async function makeServer(
  {
    fqdn,
    kind,
    organisation,
  }: { readonly fqdn: string; readonly kind: ServerKind; readonly organisation: Organisation },
  env: DefaultOrganisationEnv,
): Promise<ServerState> {
  const name = (fqdn.split(".", 1)[0] ?? fqdn).toUpperCase();
  const version = SERVER_KINDS[kind];
  const hasUm = hasUnifiedMessaging(version);
  const auth = organisation.authConfig.currentCertificate;
  const held = Object.values(organisation.servers)
    .flatMap((server) => server.certificates)
    .find((one) => auth !== null && factsOfStored(one).thumbprint === auth);
  const server = serverAfterSetup(name, fqdn, await makeServerCertificates(name, fqdn, env), {
    auth: held,
    version,
    um: hasUm ? { startupMode: "TCP", certificate: null } : null,
    umCallRouter: hasUm ? { startupMode: "TCP", certificate: null } : null,
  });
  return version.minor === 0 ? { ...server, roles: ["Mailbox", "ClientAccess"] } : server;
}

interface MadeCertificate {
  readonly thumbprint: Thumbprint;
  readonly stored: StoredCertificate;
}

interface ServerCertificates {
  readonly exchange: MadeCertificate;
  readonly webManagement: MadeCertificate;
}

/** A server as setup leaves it: its own certificate on both sites, for POP, IMAP and SMTP, and the default one. */
function serverAfterSetup(
  name: string,
  fqdn: string,
  { exchange, webManagement }: ServerCertificates,
  kind: Pick<ServerState, "version" | "um" | "umCallRouter"> & {
    /** The organisation's Auth certificate, where it is to be had. */
    readonly auth: StoredCertificate | undefined;
  },
): ServerState {
  return {
    name,
    fqdn,
    version: kind.version,
    edition: "Standard",
    roles: ["Mailbox"],
    site: SITE,
    certificates: [...(kind.auth === undefined ? [] : [kind.auth]), exchange.stored, webManagement.stored],
    iis: { frontEnd: exchange.thumbprint, backEnd: exchange.thumbprint, requireSsl: true },
    imap: { x509CertificateName: name },
    pop: { x509CertificateName: name },
    um: kind.um,
    umCallRouter: kind.umCallRouter,
    internalTransportCertificate: { thumbprint: exchange.thumbprint, der: exchange.stored.der },
    receiveConnectors: [
      "Default",
      "Client Proxy",
      "Default Frontend",
      "Outbound Proxy Frontend",
      "Client Frontend",
    ].map((kindOfConnector) => ({ name: `${kindOfConnector} ${name}`, fqdn, tlsCertificateName: null })),
    notYetReplicated: {},
    faults: {},
  };
}

async function makeServerCertificates(
  name: string,
  fqdn: string,
  env: DefaultOrganisationEnv,
): Promise<ServerCertificates> {
  const [exchange, webManagement] = await Promise.all([
    make({ subject: `CN=${name}`, dnsNames: [name, fqdn], validityDays: FIVE_YEARS_IN_DAYS }, env, {
      friendlyName: "Microsoft Exchange",
      exportable: false,
      networkServiceRead: true,
      rootStore: "trusted",
    }),
    make({ subject: `CN=WMSvc-SHA2-${name}`, dnsNames: [], validityDays: TEN_YEARS_IN_DAYS }, env, {
      friendlyName: "WMSVC-SHA2",
      exportable: true,
      networkServiceRead: false,
      rootStore: "trusted",
    }),
  ]);
  return { exchange, webManagement };
}

/** Exchange puts the same Auth certificate on every server. */
function makeAuthCertificate(env: DefaultOrganisationEnv): Promise<MadeCertificate> {
  const name = "Microsoft Exchange Server Auth Certificate";
  return make({ subject: `CN=${name}`, dnsNames: [], validityDays: FIVE_YEARS_IN_DAYS }, env, {
    friendlyName: name,
    exportable: true,
    networkServiceRead: true,
    rootStore: "none",
  });
}

/** The private key is dropped here and now: nothing in a simulated server needs it. */
async function make(
  wish: { readonly subject: string; readonly dnsNames: readonly string[]; readonly validityDays: number },
  env: DefaultOrganisationEnv,
  stored: Pick<StoredCertificate, "friendlyName" | "rootStore"> &
    Pick<StoredCertificate["privateKey"], "exportable" | "networkServiceRead">,
): Promise<MadeCertificate> {
  const { der, facts } = await makeSelfSigned({ ...wish, keySize: 2048 }, env);
  return {
    thumbprint: facts.thumbprint,
    stored: {
      der: Buffer.from(der).toString("base64"),
      friendlyName: stored.friendlyName,
      privateKey: {
        present: true,
        exportable: stored.exportable,
        provider: "CSP",
        networkServiceRead: stored.networkServiceRead,
      },
      rootStore: stored.rootStore,
    },
  };
}
