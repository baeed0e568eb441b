import type { ErrorCode } from "../../errors";
import type { Secret } from "../../secret";
import type { KeyProvider, Organisation } from "./organisation";

/** What a parameter of a cmdlet may hold. Switches are `true`; `null` clears; a password is a secret. */
export type CmdletValue = string | number | boolean | null | Uint8Array | Secret<string> | readonly string[];

/** A cmdlet and its named parameters, as PowerShell would pass them. Names are compared without case. */
export interface CmdletCall {
  readonly name: string;
  readonly parameters: Readonly<Record<string, CmdletValue>>;
}

/** An object a cmdlet returns: property names as Exchange's, in the order of Format-List. */
export type CmdletObject = Readonly<Record<string, CmdletOutputValue>>;
export type CmdletOutputValue =
  | string
  | number
  | boolean
  | null
  | Date
  | Uint8Array
  | readonly CmdletOutputValue[]
  | { readonly [key: string]: CmdletOutputValue };

export const QUESTION_KINDS = ["overwriteDefaultSmtpCertificate", "removeCertificate"] as const;
export type QuestionKind = (typeof QUESTION_KINDS)[number];

/** A confirmation question of a cmdlet. In a real session it arrives as a host call. */
export interface CmdletQuestion {
  readonly kind: QuestionKind;
  readonly caption: string;
  readonly message: string;
  readonly defaultAnswer: "yes" | "no";
}

/** An error record: what PowerShell shows, and the code that a backend maps it to. */
export interface CmdletError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Text of the CategoryInfo line, such as `InvalidArgument: (:) [Remove-ExchangeCertificate], InvalidOperationException`. */
  readonly categoryInfo: string;
  readonly fullyQualifiedErrorId: string;
}

/**
 * How a cmdlet ended. `organisation` is the state afterwards: the same reference when nothing changed. A failed
 * cmdlet may have changed something before it failed, as the real ones do.
 */
export type CmdletOutcome =
  | {
      readonly kind: "completed";
      readonly organisation: Organisation;
      readonly output: readonly CmdletObject[];
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: "failed";
      readonly organisation: Organisation;
      readonly error: CmdletError;
      readonly warnings: readonly string[];
    }
  /** Nothing has changed yet: ask, then run the same call again with the answer in the context. */
  | { readonly kind: "question"; readonly question: CmdletQuestion };

/** What a PKCS#12 file turned out to hold, without its private key. */
export interface OpenedPfx {
  /** The certificate that the key belongs to, DER. */
  readonly der: Uint8Array;
  /** The other certificates, DER. */
  readonly chain: readonly Uint8Array[];
  /** Where the file says the key is to live; a file that says nothing means `CSP`. */
  readonly keyProvider: KeyProvider;
}

/** A certificate that New-ExchangeCertificate is to make. */
export interface CertificateWish {
  /** A distinguished name, such as `CN=EX01`. */
  readonly subject: string;
  /** For the SAN; empty means none. */
  readonly dnsNames: readonly string[];
  /** Bits: 1024, 2048 or 4096. */
  readonly keySize: number;
}

/** Everything impure that a cmdlet needs, passed in. */
export interface CmdletContext {
  /**
   * FQDN of the server that the remote session is connected to: what a call without -Server runs on, and what has to
   * be alive for any call. Left out: a session to the very server that the call names.
   */
  readonly session?: string;
  /** Opens the PFX of Import-ExchangeCertificate. `unreadable` covers a wrong password too, as in Exchange. */
  readonly openPfx?: (fileData: Uint8Array, password: Secret<string> | undefined) => OpenedPfx | "unreadable";
  /** Reads the file of Import-ExchangeCertificate -FileName (old versions only); `undefined` when there is none. */
  readonly readFile?: (path: string) => Uint8Array | undefined;
  readonly now: Date;
  /** Answers given so far. A question without an answer ends the run with a `question` outcome. */
  readonly answers: Readonly<Partial<Record<QuestionKind, "yes" | "no">>>;
  /** For request ids in error records. */
  readonly newGuid: () => string;
  /**
   * The certificate of New-ExchangeCertificate, DER; made beforehand, because making one is slow and random (see
   * `certificateWishOf`). Has to give the same one when the call is run again with an answer.
   */
  readonly makeCertificate?: (wish: CertificateWish) => Uint8Array;
}
