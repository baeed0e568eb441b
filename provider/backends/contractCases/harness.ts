import type { Thumbprint } from "../../certificate/thumbprint";
import type { ServerFqdn } from "../../model";
import type { Secret } from "../../secret";
import type { Backend } from "../backend";

/** A certificate that the suite imports, enables and removes. */
export interface TestCertificate {
  readonly thumbprint: Thumbprint;
  /** PKCS#12 with the private key. */
  readonly pfx: Secret<Uint8Array>;
  readonly password: Secret<string>;
  /** The names it is valid for, lower case; the first one is its common name. */
  readonly dnsNames: readonly string[];
}

/** What a test certificate is to be made out to. */
export interface TestCertificateWish {
  /** At least one; the first is the common name. One of them may begin with `*.`. */
  readonly dnsNames: readonly string[];
}

/**
 * Situations that a server can be in and that no call of a backend can bring about. Each function opens a backend that
 * meets it, on the harness's server. Leave out what your surroundings can't do: the cases that need it are then listed
 * with a `skip`.
 */
export interface BackendSituations {
  /** The server can't be asked. */
  readonly unreachable?: () => Promise<Backend>;
  /** The server answers, but says of its certificates no more than their bytes. */
  readonly servicesUnknown?: () => Promise<Backend>;
  /** Every answer takes far longer than a test may: an hour, say. */
  readonly slow?: () => Promise<Backend>;
  /** Another server answers in the place of the one that is asked for. */
  readonly answersAsAnother?: () => Promise<Backend>;
  /** The account may not use some of the cmdlets that read; it may read the certificates. */
  readonly partlyHidden?: () => Promise<Backend>;
  /** The server has both services of unified messaging, and their start-up modes take a certificate. */
  readonly unifiedMessaging?: () => Promise<Backend>;
  /** The certificate with that thumbprint is in the store, its private key isn't. */
  readonly privateKeyMissing?: () => Promise<{ readonly backend: Backend; readonly thumbprint: Thumbprint }>;
  /** The server can't change who may read private keys. */
  readonly privateKeyAccessRefused?: () => Promise<Backend>;
  /** A send connector names that certificate, which is not the default SMTP certificate. */
  readonly namedBySendConnector?: () => Promise<{ readonly backend: Backend; readonly thumbprint: Thumbprint }>;
  /** The organisation has a send connector and the server a receive connector of these names, to be changed freely. */
  readonly connectors?: () => Promise<{ readonly backend: Backend; readonly send: string; readonly receive: string }>;
}

/** What the suite needs to know of a backend to try it. */
export interface BackendHarness {
  /** Opens the backend. Every case opens its own and closes it. */
  readonly open: () => Promise<Backend>;
  /**
   * The server that the suite works on: one with a front-end certificate and a default SMTP certificate, both in its
   * store. The suite changes it and puts back what it changed; all the same, never name one that people use.
   */
  readonly server: ServerFqdn;
  /** A well-formed name that no server has. Default: `no-such-server` in the domain of {@link BackendHarness.server}. */
  readonly unknownServer?: ServerFqdn;
  /** Makes a certificate with a new key. Default: a self-signed one that ends in a year, RSA with 2048 bits. */
  readonly makeCertificate?: (wish: TestCertificateWish) => Promise<TestCertificate>;
  readonly situations?: BackendSituations;
}
