import * as z from "../../zod";
import {
  CERTIFICATE_STATUSES,
  EXCHANGE_SERVICES,
  UM_STARTUP_MODES,
  type CertificateStatus,
  type ExchangeService,
  type ExchangeVersion,
  type UmStartupMode,
} from "../../model";
import { looksLikeDer } from "./derFacts";

/**
 * A simulated Exchange organisation: plain JSON, never changed in place. What Get-ExchangeCertificate displays as
 * `Services` is nowhere in here, because Exchange works it out from the state of the server at each call; so does the
 * simulator. Private keys and passwords are not kept either: the simulator knows only whether there is a key.
 */
export interface Organisation {
  /** Version of this form. */
  readonly version: 1;
  /** The servers by fully qualified name, lower case. */
  readonly servers: Readonly<Record<string, ServerState>>;
  readonly sendConnectors: readonly SendConnectorState[];
  readonly authConfig: AuthConfigState;
  /** `null` while the organisation federates with nobody. */
  readonly federationTrust: FederationTrustState | null;
  readonly edgeSubscriptions: readonly EdgeSubscriptionState[];
}

const SERVER_ROLES = ["Mailbox", "ClientAccess", "Edge"] as const;
/** Installed roles. 2013 has Mailbox and ClientAccess, apart or together; from 2016 on Mailbox is everything but Edge. */
export type ServerRole = (typeof SERVER_ROLES)[number];

export interface ServerState {
  /** The short name, as Windows prints it: `EX01`. */
  readonly name: string;
  /** The same text as the key under {@link Organisation.servers}. */
  readonly fqdn: string;
  readonly version: ExchangeVersion;
  /** `Edition` of Get-ExchangeServer, such as `Standard`, `Enterprise`, `StandardEvaluation`. */
  readonly edition: string;
  readonly roles: readonly ServerRole[];
  /** Name of its Active Directory site. Edge subscriptions belong to a site. */
  readonly site: string;
  /** LocalMachine\My, in the order of Get-ExchangeCertificate. */
  readonly certificates: readonly StoredCertificate[];
  readonly iis: IisState;
  /** X509CertificateName of the protocol's settings; `null` when empty. */
  readonly imap: NameServiceState;
  readonly pop: NameServiceState;
  /** `null` where there is no such service: on 15.2, and on a 2013 server without the Mailbox role. */
  readonly um: UmState | null;
  /** `null` where there is no such service: on 15.2, and on a 2013 server without the ClientAccess role. */
  readonly umCallRouter: UmState | null;
  /** Attribute msExchServerInternalTLSCert: the default SMTP certificate. `null` is empty; it may dangle. */
  readonly internalTransportCertificate: PublishedCertificate | null;
  readonly receiveConnectors: readonly ReceiveConnectorState[];
  /** Old values that reads still get, while Active Directory has yet to replicate. See {@link ServerFaults.directoryDelay}. */
  readonly notYetReplicated: NotYetReplicated;
  /** What is to go wrong on this server. `{}` is a healthy one. Edit it in the file to rehearse a failure. */
  readonly faults: ServerFaults;
}

const KEY_PROVIDERS = ["CSP", "KSP"] as const;
/** Where the private key lives: a cryptographic service provider, or a key storage provider (CNG). */
export type KeyProvider = (typeof KEY_PROVIDERS)[number];

const ROOT_STORES = ["none", "trusted", "thirdParty", "enterprise", "groupPolicy"] as const;
/**
 * Where the server has the certificate's root, from which `RootCAType` follows: `none` None, `trusted` Registry,
 * `thirdParty` ThirdParty, `enterprise` Enterprise, `groupPolicy` GroupPolicy.
 */
export type RootStore = (typeof ROOT_STORES)[number];

export interface StoredCertificate {
  /** The certificate, DER in base64. Its thumbprint, names and dates are read from it. */
  readonly der: string;
  readonly friendlyName: string;
  readonly privateKey: PrivateKeyState;
  readonly rootStore: RootStore;
  /**
   * Overrides the worked-out status, for what a simulator can't find out: `Revoked`, `Untrusted`,
   * `RevocationCheckFailure`, ... `PendingRequest` makes it a pending request (RootCAType Unknown).
   */
  readonly status?: CertificateStatus | undefined;
}

/** What is known of a private key. The key itself is never kept. */
export interface PrivateKeyState {
  readonly present: boolean;
  readonly exportable: boolean;
  readonly provider: KeyProvider;
  /** Network Service may read it. This is what the SMTP service of Get-ExchangeCertificate shows. */
  readonly networkServiceRead: boolean;
}

/** Certificates of the two sites that Exchange installs, by thumbprint. `null` is no binding; either may dangle. */
export interface IisState {
  /** Default Web Site, W3SVC/1, port 443. */
  readonly frontEnd: string | null;
  /** Exchange Back End, W3SVC/2, port 444. Without its certificate the server's remote shell is gone. */
  readonly backEnd: string | null;
  /** "Require SSL" of the Default Web Site. */
  readonly requireSsl: boolean;
}

export interface NameServiceState {
  readonly x509CertificateName: string | null;
}

export interface UmState {
  readonly startupMode: UmStartupMode;
  /** Thumbprint of the assigned certificate. May dangle. */
  readonly certificate: string | null;
}

/** A certificate as Active Directory has it: whole, so that it outlives the one in the store. */
export interface PublishedCertificate {
  readonly thumbprint: string;
  /** DER in base64; `null` where nothing but the thumbprint is known, as of one that dangles on a twin. */
  readonly der: string | null;
}

export interface ReceiveConnectorState {
  /** Without the server: `Default Frontend EX01`. The identity is `EX01\Default Frontend EX01`. */
  readonly name: string;
  readonly fqdn: string | null;
  /** `<I>issuer<S>subject`. */
  readonly tlsCertificateName: string | null;
}

export interface SendConnectorState {
  readonly name: string;
  readonly fqdn: string | null;
  /** `<I>issuer<S>subject`. */
  readonly tlsCertificateName: string | null;
  /** Short names of the servers that use it. */
  readonly sourceServers: readonly string[];
}

/** Thumbprints of the organisation's OAuth certificate. */
export interface AuthConfigState {
  readonly currentCertificate: string | null;
  readonly previousCertificate: string | null;
  readonly nextCertificate: string | null;
  /** ISO 8601. */
  readonly nextCertificateEffectiveDate: string | null;
}

export interface FederationTrustState {
  readonly name: string;
  /** Thumbprints. */
  readonly currentCertificate: string;
  readonly previousCertificate: string | null;
  readonly nextCertificate: string | null;
}

export interface EdgeSubscriptionState {
  /** Name of the Edge server. */
  readonly name: string;
  /** The Active Directory site it is subscribed to. */
  readonly site: string;
}

/** What the simulator can hold back as Active Directory does. */
export type DirectoryAttribute = "internalTransportCertificate" | "imapCertificateName" | "popCertificateName";

export type NotYetReplicated = Readonly<Partial<Record<DirectoryAttribute, HeldBackValue | undefined>>>;

export interface HeldBackValue {
  /** What reads get for now: a thumbprint or a name; `null` is empty. */
  readonly shown: string | null;
  /** That many reads still get it. */
  readonly reads?: number | undefined;
  /** Reads before this moment (ISO 8601) get it. */
  readonly until?: string | undefined;
}

/** Failures to rehearse. Every one is off when it is left out. */
export interface ServerFaults {
  /** The server can't be asked at all. */
  readonly unreachable?: boolean | undefined;
  /** Get-ExchangeCertificate sends no more than RawData, as for a client that can't verify the serialised form. */
  readonly servicesUnknown?: boolean | undefined;
  /** Enable-ExchangeCertificate fails after it has dealt with this service. What it had done stays. */
  readonly enableFailsAfter?: ExchangeService | undefined;
  /**
   * Order in which Enable-ExchangeCertificate deals with services; those left out come last, in canonical order. The
   * order of the real one isn't known, hence the switch: nothing may depend on it.
   */
  readonly enableOrder?: readonly ExchangeService[] | undefined;
  /** Enable-ExchangeCertificate reports success for these services, but changes nothing. */
  readonly enableHasNoEffectOn?: readonly ExchangeService[] | undefined;
  /** Every cmdlet that runs on this server takes that long, milliseconds, an hour at most. The model itself doesn't wait; its callers do. */
  readonly slowMilliseconds?: number | undefined;
  /** Cmdlets that the account has no role for, by name. They look as if they didn't exist. */
  readonly hiddenCmdlets?: readonly string[] | undefined;
  /** A change of an attribute in Active Directory reaches reads only after so many reads of it, or milliseconds, or both. */
  readonly directoryDelay?:
    { readonly reads?: number | undefined; readonly milliseconds?: number | undefined } | undefined;
  /** Exchange can't change who may read a private key, so SMTP can't be enabled. */
  readonly privateKeyAccessRefused?: boolean | undefined;
  /** FQDN of another server of the organisation that answers in this one's place, as behind a shared name. */
  readonly answersAs?: string | undefined;
}

const text = z.string().min(1);
const thumbprint = z.string().regex(/^[0-9A-F]{40}$/, "a thumbprint is 40 hexadecimal digits in upper case");
const fqdn = z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "a server is named by its FQDN in lower case");
const count = z.int().nonnegative();
/** Of what a server takes to answer, and of what Active Directory takes: longer than anything that is rehearsed. */
const MOST_MILLISECONDS = 3_600_000;
const MOST_READS = 1_000_000;
const service = z.enum(EXCHANGE_SERVICES);

const der = z.base64().refine(looksLikeDer, "is not a certificate (DER in base64)");

const storedCertificate = z.strictObject({
  der,
  friendlyName: z.string(),
  privateKey: z.strictObject({
    present: z.boolean(),
    exportable: z.boolean(),
    provider: z.enum(KEY_PROVIDERS),
    networkServiceRead: z.boolean(),
  }),
  rootStore: z.enum(ROOT_STORES),
  status: z.enum(CERTIFICATE_STATUSES).optional(),
});

const umState = z.strictObject({ startupMode: z.enum(UM_STARTUP_MODES), certificate: thumbprint.nullable() });
const nameServiceState = z.strictObject({ x509CertificateName: text.nullable() });
const heldBack = z
  .strictObject({ shown: text.nullable(), reads: count.optional(), until: z.iso.datetime().optional() })
  .optional();

const faults = z.strictObject({
  unreachable: z.boolean().optional(),
  servicesUnknown: z.boolean().optional(),
  enableFailsAfter: service.optional(),
  enableOrder: z.array(service).optional(),
  enableHasNoEffectOn: z.array(service).optional(),
  slowMilliseconds: count.max(MOST_MILLISECONDS, `at most an hour, ${MOST_MILLISECONDS}`).optional(),
  hiddenCmdlets: z.array(text).optional(),
  directoryDelay: z
    .strictObject({
      reads: count.max(MOST_READS, `at most ${MOST_READS}`).optional(),
      milliseconds: count.max(MOST_MILLISECONDS, `at most an hour, ${MOST_MILLISECONDS}`).optional(),
    })
    .optional(),
  privateKeyAccessRefused: z.boolean().optional(),
  answersAs: fqdn.optional(),
});

const serverState = z.strictObject({
  name: text,
  fqdn,
  version: z.strictObject({ major: count, minor: count, build: count, revision: count }),
  edition: text,
  roles: z.array(z.enum(SERVER_ROLES)).min(1),
  site: text,
  certificates: z.array(storedCertificate),
  iis: z.strictObject({ frontEnd: thumbprint.nullable(), backEnd: thumbprint.nullable(), requireSsl: z.boolean() }),
  imap: nameServiceState,
  pop: nameServiceState,
  um: umState.nullable(),
  umCallRouter: umState.nullable(),
  internalTransportCertificate: z.strictObject({ thumbprint, der: der.nullable() }).nullable(),
  receiveConnectors: z.array(
    z.strictObject({ name: text, fqdn: text.nullable(), tlsCertificateName: text.nullable() }),
  ),
  notYetReplicated: z.strictObject({
    internalTransportCertificate: heldBack,
    imapCertificateName: heldBack,
    popCertificateName: heldBack,
  }),
  faults,
});

/** Reads the JSON form of an {@link Organisation}. Refuses what it doesn't know, so that a misspelt fault isn't lost. */
export const organisationSchema = z
  .strictObject({
    version: z.literal(1),
    servers: z.record(fqdn, serverState),
    sendConnectors: z.array(
      z.strictObject({
        name: text,
        fqdn: text.nullable(),
        tlsCertificateName: text.nullable(),
        sourceServers: z.array(text),
      }),
    ),
    authConfig: z.strictObject({
      currentCertificate: thumbprint.nullable(),
      previousCertificate: thumbprint.nullable(),
      nextCertificate: thumbprint.nullable(),
      nextCertificateEffectiveDate: z.iso.datetime().nullable(),
    }),
    federationTrust: z
      .strictObject({
        name: text,
        currentCertificate: thumbprint,
        previousCertificate: thumbprint.nullable(),
        nextCertificate: thumbprint.nullable(),
      })
      .nullable(),
    edgeSubscriptions: z.array(z.strictObject({ name: text, site: text })),
  })
  .superRefine((organisation, context) => {
    const { servers } = organisation;
    const refuse = (key: string, property: string[], message: string) => {
      context.addIssue({ code: "custom", path: ["servers", key, ...property], message });
    };
    for (const [key, server] of Object.entries(servers)) {
      if (server.fqdn !== key) refuse(key, ["fqdn"], `must be the name it is filed under, "${key}"`);
      const other = server.faults.answersAs;
      if (other !== undefined && servers[other] === undefined) {
        refuse(key, ["faults", "answersAs"], `there is no server "${other}"`);
      }
    }
    if (Object.keys(servers).length === 0) {
      context.addIssue({ code: "custom", path: ["servers"], message: "at least one server is needed" });
    }
  }) satisfies z.ZodType<Organisation>;
