import type { Thumbprint } from "../certificate/thumbprint";
import type {
  CertificateStatus,
  DisplayedService,
  ExchangeService,
  ExchangeVersion,
  NameService,
  Observed,
  ServerFqdn,
  UmStartupMode,
} from "../model";
import type { Secret } from "../secret";

/* What an adapter needs beside the interface: the errors, the words of the domain, the type that hides a secret. */
export { parseThumbprint, type Thumbprint } from "../certificate/thumbprint";
export {
  ERROR_CODES,
  ExchangeBindingError,
  isBindingError,
  messageOf,
  type ErrorCode,
  type ErrorFacts,
} from "../errors";
export {
  known,
  parseServerFqdn,
  sortServices,
  unknown,
  type CertificateStatus,
  type DisplayedService,
  type ExchangeService,
  type ExchangeVersion,
  type NameService,
  type Observed,
  type ServerFqdn,
  type UmStartupMode,
} from "../model";
export { Secret } from "../secret";

/** One certificate of a server, as the server shows it. */
export interface CertificateSnapshot {
  /** The certificate itself, DER. Thumbprint, names and dates are read from it, never taken from the server's text. */
  readonly der: Uint8Array;
  /** `Services` of Get-ExchangeCertificate. Unknown when the server sent no more than RawData; that is not "none". */
  readonly displayedServices: Observed<readonly DisplayedService[]>;
  /** Numbers of the IIS sites it is bound to: 1 is the front end (Default Web Site), 2 the Exchange Back End. */
  readonly iisSites: Observed<readonly number[]>;
  readonly status: Observed<CertificateStatus>;
  readonly friendlyName: Observed<string>;
  readonly hasPrivateKey: Observed<boolean>;
  readonly privateKeyExportable: Observed<boolean>;
}

/** How a connector names its certificate: every one of that issuer and subject, whichever its thumbprint. */
export type ConnectorCertificateName = `<I>${string}<S>${string}`;

/** A send connector. Organisation-wide; `sourceServers` are the names of the servers that use it. */
export interface SendConnectorSnapshot {
  readonly name: string;
  readonly fqdn: string | undefined;
  /** `<I>issuer<S>subject`, or undefined when not set. */
  readonly tlsCertificateName: string | undefined;
  readonly sourceServers: readonly string[];
}

/** A receive connector of the server. */
export interface ReceiveConnectorSnapshot {
  /** `SERVER\Name`. */
  readonly identity: string;
  readonly fqdn: string | undefined;
  /** `<I>issuer<S>subject`, or undefined when not set. */
  readonly tlsCertificateName: string | undefined;
}

/** Thumbprints of the organisation's OAuth certificate (Get-AuthConfig). */
export interface AuthCertificates {
  readonly current: Thumbprint | undefined;
  readonly previous: Thumbprint | undefined;
  readonly next: Thumbprint | undefined;
}

/** What the adapter's own connection demands of the certificate that the server's front end shows. Plain data. */
export interface OwnChannel {
  /** The name that it must be made out to. */
  readonly name: string;
  /** Self-signed certificates that are trusted; `undefined` when the adapter can't tell. */
  readonly trusted: readonly Thumbprint[] | undefined;
  /** Subjects of all certificates that are trusted, as Windows prints them. Left out when the adapter can't tell. */
  readonly authorities?: readonly string[];
}

/** Everything that decisions about one server need, read in one go. Every part may be unknown, with the reason. */
export interface ServerSnapshot {
  /** The server's own fully qualified name, as it says it itself. */
  readonly server: ServerFqdn;
  readonly version: Observed<ExchangeVersion>;
  readonly certificates: readonly CertificateSnapshot[];
  /** The internal transport certificate; `undefined` when the attribute in Active Directory is empty. May dangle. */
  readonly defaultSmtpThumbprint: Observed<Thumbprint | undefined>;
  /** X509CertificateName of Get-ImapSettings; `undefined` when empty. */
  readonly imapCertificateName: Observed<string | undefined>;
  /** X509CertificateName of Get-PopSettings; `undefined` when empty. */
  readonly popCertificateName: Observed<string | undefined>;
  /** UMStartupMode; `undefined` where the version or the role has no such service. */
  readonly umStartupMode: Observed<UmStartupMode | undefined>;
  readonly umCallRouterStartupMode: Observed<UmStartupMode | undefined>;
  readonly sendConnectors: Observed<readonly SendConnectorSnapshot[]>;
  readonly receiveConnectors: Observed<readonly ReceiveConnectorSnapshot[]>;
  readonly authCertificates: Observed<AuthCertificates>;
  /** Current, previous and next certificate of the federation trust; empty when there is no trust. */
  readonly federationThumbprints: Observed<readonly Thumbprint[]>;
  /** Names of the Edge servers subscribed to the server's site. */
  readonly edgeSubscriptions: Observed<readonly string[]>;
  /**
   * Only where the adapter reaches the server through the server's own front end over TLS: a certificate that enables
   * IIS and isn't accepted there would lock us out, and is refused beforehand.
   */
  readonly ownChannel?: OwnChannel;
}

/** What every call gets: the signal fires when the time limit of the operation is reached. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

export interface ImportRequest {
  /** Expected thumbprint of the certificate in {@link ImportRequest.pfx}. */
  readonly thumbprint: Thumbprint;
  /** PKCS#12, packed so that every Exchange version reads it. */
  readonly pfx: Secret<Uint8Array>;
  readonly password: Secret<string>;
  /** At most 63 characters. */
  readonly friendlyName: string | undefined;
  readonly privateKeyExportable: boolean;
}

export interface EnableRequest {
  readonly thumbprint: Thumbprint;
  /** At least one. */
  readonly services: readonly ExchangeService[];
  /** The answer to "Overwrite the existing default SMTP certificate?". Without meaning when SMTP isn't enabled. */
  readonly replaceDefaultSmtpCertificate: boolean;
  /** False passes -DoNotRequireSsl. Without meaning when IIS isn't enabled. */
  readonly requireSsl: boolean;
}

/**
 * How decisions reach Exchange. An adapter implements this and nothing more; the suite in `backend-contract` says
 * whether it does so rightly.
 *
 * The contract of every method:
 * - **Idempotent.** What is there already, and what is gone already, are outcomes and not errors, so that a call
 *   whose answer was lost can be made again.
 * - **The server is always named**: never "the server the session landed on".
 * - **Unknown is not none**: a part that could not be read is `unknown` with the reason; a server that could not be
 *   asked is an error with code `ServerUnreachable`.
 * - Errors are {@link ExchangeBindingError}s whose code tells the cases apart, with the server's text in the message.
 * - Nothing hangs: when `signal` fires the call ends with an error soon.
 * - Secrets never appear in messages, in arguments of processes, or in files in clear.
 */
export interface Backend {
  /** Its kind, stored with each resource: a state made by one kind is never changed through another. */
  readonly kind: string;

  /** Reads; changes nothing. Throws `ServerUnknown`, `ServerUnreachable`, `AccessDenied`, `TimedOut`. */
  readSnapshot(server: ServerFqdn, options: CallOptions): Promise<ServerSnapshot>;

  /**
   * Puts the certificate with its key into the server's store. Assigns no service. A certificate that is there
   * already stays as it is (`alreadyThere`). Throws `ImportRefused` when the server can't read the PFX.
   */
  importCertificate(
    server: ServerFqdn,
    request: ImportRequest,
    options: CallOptions,
  ): Promise<{ readonly outcome: "imported" | "alreadyThere" }>;

  /**
   * Enable-ExchangeCertificate: adds services, never takes one from the certificate itself, moves IIS, UM and
   * UMCallRouter from the certificate that has them. `replaceDefaultSmtpCertificate: false` must leave the default
   * SMTP certificate what it is, whenever there is one. Returns the server's warnings. Throws `CertificateNotFound`,
   * `PrivateKeyMissing`, `PrivateKeyAccess`.
   */
  enableServices(
    server: ServerFqdn,
    request: EnableRequest,
    options: CallOptions,
  ): Promise<{ readonly warnings: readonly string[] }>;

  /** Set-ImapSettings/Set-PopSettings -X509CertificateName; `undefined` clears the name. */
  setCertificateName(
    server: ServerFqdn,
    service: NameService,
    name: string | undefined,
    options: CallOptions,
  ): Promise<void>;

  /**
   * Set-SendConnector -TlsCertificateName; `undefined` clears it. `connector` is the connector's name, compared without
   * case; `server` is the one that is asked, the connector belongs to the organisation. Throws `ConnectorNotFound`.
   */
  setSendConnectorCertificate(
    server: ServerFqdn,
    connector: string,
    certificateName: ConnectorCertificateName | undefined,
    options: CallOptions,
  ): Promise<void>;

  /**
   * Set-ReceiveConnector -TlsCertificateName; `undefined` clears it. `connector` is the name on that server, without
   * the server in front, compared without case. Throws `ConnectorNotFound`.
   */
  setReceiveConnectorCertificate(
    server: ServerFqdn,
    connector: string,
    certificateName: ConnectorCertificateName | undefined,
    options: CallOptions,
  ): Promise<void>;

  /**
   * Remove-ExchangeCertificate. Gone already is `alreadyGone`. Throws `RemovalRefused` with the server's text when
   * Exchange itself refuses (the default SMTP certificate; one that a send connector names).
   */
  removeCertificate(
    server: ServerFqdn,
    thumbprint: Thumbprint,
    options: CallOptions,
  ): Promise<{ readonly outcome: "removed" | "alreadyGone" }>;

  /**
   * Ends what runs and closes sessions, within a second and a half: the process may be about to end. Never throws; may
   * be called twice. A call that comes afterwards works as the first one did.
   */
  close(): Promise<void>;
}

/** What the module of an adapter gets when it is opened. */
export interface AdapterSettings {
  /** Absolute path of the directory that the Pulumi program runs in. */
  readonly programDirectory: string;
  /** Shows a line to whoever runs Pulumi. No secrets. */
  readonly say: (line: string) => void;
}

/** What the module exports that `exchange:backend` names. */
export interface AdapterModule {
  readonly createBackend: (settings: AdapterSettings) => Backend | Promise<Backend>;
}
