import * as z from "../zod";
import {
  CERTIFICATE_STATUSES,
  DISPLAYED_SERVICES,
  UM_STARTUP_MODES,
  type CertificateStatus,
  type DisplayedService,
  type Observed,
  type UmStartupMode,
} from "../model";

/*
 * What `exchange-certificates inventory --json` prints, and `exchange-simulator init --from` reads. No keys and no
 * passwords are in it; names of servers, connectors and clients are.
 */

/** A part that the server may not have told: its value, or why it isn't known. Unknown is never none. */
export type Part<T> = { readonly value: T } | { readonly unknown: string };

export interface Inventory {
  /** Version of this form. */
  readonly inventory: 1;
  /** Version of the package that wrote it. */
  readonly package: string;
  /** ISO 8601. */
  readonly readAt: string;
  /** Kind of the backend it was read through: `remote`, `simulator`, or an adapter's own. */
  readonly backend: string;
  /** Days, when a limit was given. */
  readonly endsWithin: number | null;
  /** 0, 1 when a server couldn't be read, 3 when something in use ends within the limit. */
  readonly exitCode: number;
  /** In the order in which they were named. */
  readonly servers: readonly InventoryEntry[];
}

export type InventoryEntry = ServerInventory | UnreadServer;

/** A server that couldn't be read. */
export interface UnreadServer {
  readonly server: string;
  readonly outcome: "failed";
  /** A code of the package's errors. */
  readonly code: string;
  readonly message: string;
}

export interface ServerInventory {
  readonly server: string;
  readonly outcome: "read";
  /** `15.2.1748.10`. */
  readonly version: Part<string>;
  readonly certificates: readonly InventoryCertificate[];
  /** Thumbprint; `null` where there is none. It may name a certificate that isn't there. */
  readonly defaultSmtp: Part<string | null>;
  /** X509CertificateName of the protocol's settings. */
  readonly imapCertificateName: Part<string | null>;
  readonly popCertificateName: Part<string | null>;
  /** `null` where the version has no such service. */
  readonly umStartupMode: Part<UmStartupMode | null>;
  readonly umCallRouterStartupMode: Part<UmStartupMode | null>;
  /** Of the whole organisation. */
  readonly sendConnectors: Part<readonly InventorySendConnector[]>;
  readonly receiveConnectors: Part<readonly InventoryReceiveConnector[]>;
  readonly authCertificates: Part<{
    readonly current: string | null;
    readonly previous: string | null;
    readonly next: string | null;
  }>;
  /** Current, previous and next, as far as there are any. */
  readonly federationThumbprints: Part<readonly string[]>;
  /** Names of the Edge servers of the server's site. */
  readonly edgeSubscriptions: Part<readonly string[]>;
}

export interface InventoryCertificate {
  readonly thumbprint: string;
  /** The certificate itself, base64. Everybody who connects gets it; it holds no key. */
  readonly der: string;
  /** What its bytes say; `null` when they can't be read. */
  readonly facts: {
    readonly subject: string;
    readonly issuer: string;
    readonly commonName: string | null;
    readonly dnsNames: readonly string[];
    /** ISO 8601. */
    readonly notBefore: string;
    readonly notAfter: string;
    /** Whole days; negative once it has ended. */
    readonly daysLeft: number;
    readonly isSelfSigned: boolean;
  } | null;
  /** What Exchange displays. */
  readonly displayedServices: Part<readonly DisplayedService[]>;
  /** What it really has: IIS by the front end's site, IMAP and POP by the name that clients are shown. */
  readonly heldServices: Part<readonly string[]>;
  /** 1 is the front end, 2 the back end. */
  readonly iisSites: Part<readonly number[]>;
  readonly status: Part<CertificateStatus>;
  readonly friendlyName: Part<string>;
  readonly hasPrivateKey: Part<boolean>;
  readonly privateKeyExportable: Part<boolean>;
  /** Everything that needs it: services, `default SMTP`, `back end`, `Auth`, `federation`, `connector <name>`. */
  readonly usedBy: readonly string[];
  /** In use, and it ends within the limit, or nobody can tell when. Only with a limit. */
  readonly endsSoon: boolean;
}

export interface InventorySendConnector {
  readonly name: string;
  readonly fqdn: string | null;
  /** `<I>issuer<S>subject`. */
  readonly tlsCertificateName: string | null;
  readonly sourceServers: readonly string[];
}

export interface InventoryReceiveConnector {
  /** `SERVER\Name`. */
  readonly identity: string;
  readonly fqdn: string | null;
  /** `<I>issuer<S>subject`. */
  readonly tlsCertificateName: string | null;
}

/** `undefined` becomes `null`, which JSON has. */
export function partOf<T>(observed: Observed<T>): Part<Exclude<T, undefined> | (undefined extends T ? null : never)>;
export function partOf<T, U>(observed: Observed<T>, of: (value: T) => U): Part<U>;
export function partOf(observed: Observed<unknown>, of: (value: unknown) => unknown = (value) => value ?? null) {
  return observed.kind === "unknown" ? { unknown: observed.reason } : { value: of(observed.value) };
}

/** The value when it is known. Only where "unknown" has been dealt with. */
export function partValue<T>(part: Part<T>): T | undefined {
  return "value" in part ? part.value : undefined;
}

function part<T extends z.ZodType>(value: T) {
  return z.union([z.object({ value }), z.object({ unknown: z.string() })]);
}

const thumbprint = z.string().regex(/^[0-9A-F]{40}$/, "a thumbprint is 40 hexadecimal digits in upper case");
const nullableText = z.string().nullable();

const certificate = z.object({
  thumbprint,
  der: z.base64(),
  facts: z
    .object({
      subject: z.string(),
      issuer: z.string(),
      commonName: nullableText,
      dnsNames: z.array(z.string()),
      notBefore: z.string(),
      notAfter: z.string(),
      daysLeft: z.int(),
      isSelfSigned: z.boolean(),
    })
    .nullable(),
  displayedServices: part(z.array(z.enum(DISPLAYED_SERVICES))),
  heldServices: part(z.array(z.string())),
  iisSites: part(z.array(z.int())),
  status: part(z.enum(CERTIFICATE_STATUSES)),
  friendlyName: part(z.string()),
  hasPrivateKey: part(z.boolean()),
  privateKeyExportable: part(z.boolean()),
  usedBy: z.array(z.string()),
  endsSoon: z.boolean(),
});

const readServer = z.object({
  server: z.string().min(1),
  outcome: z.literal("read"),
  version: part(z.string().regex(/^\d+\.\d+\.\d+\.\d+$/)),
  certificates: z.array(certificate),
  defaultSmtp: part(thumbprint.nullable()),
  imapCertificateName: part(nullableText),
  popCertificateName: part(nullableText),
  umStartupMode: part(z.enum(UM_STARTUP_MODES).nullable()),
  umCallRouterStartupMode: part(z.enum(UM_STARTUP_MODES).nullable()),
  sendConnectors: part(
    z.array(
      z.object({
        name: z.string(),
        fqdn: nullableText,
        tlsCertificateName: nullableText,
        sourceServers: z.array(z.string()),
      }),
    ),
  ),
  receiveConnectors: part(
    z.array(z.object({ identity: z.string(), fqdn: nullableText, tlsCertificateName: nullableText })),
  ),
  authCertificates: part(
    z.object({ current: thumbprint.nullable(), previous: thumbprint.nullable(), next: thumbprint.nullable() }),
  ),
  federationThumbprints: part(z.array(thumbprint)),
  edgeSubscriptions: part(z.array(z.string())),
});

/** Reads what {@link Inventory} describes; what later releases may add is overlooked. */
export const inventorySchema = z.object({
  inventory: z.literal(1),
  package: z.string(),
  readAt: z.iso.datetime(),
  backend: z.string(),
  endsWithin: z.number().nullable(),
  exitCode: z.int(),
  servers: z.array(
    z.discriminatedUnion("outcome", [
      readServer,
      z.object({ server: z.string(), outcome: z.literal("failed"), code: z.string(), message: z.string() }),
    ]),
  ),
}) satisfies z.ZodType<Inventory>;
