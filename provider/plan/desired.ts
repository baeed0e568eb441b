import type { CertificateFacts } from "../certificate/facts";
import type { ChainCertificate } from "../certificate/fitness";
import type { Thumbprint } from "../certificate/thumbprint";
import type { ExchangeService, NameService, ServerFqdn } from "../model";

/** A self-signed certificate as the program wishes it, defaults filled in. A change of any of these replaces. */
export interface SelfSignedWish {
  /** `CN=mail.contoso.com, O=Contoso`; the first DNS name as common name when undefined. */
  readonly subject: string | undefined;
  readonly dnsNames: readonly string[];
  readonly validityDays: number;
  /** RSA modulus, bits. */
  readonly keySize: number;
}

/** A certificate that is on the server, or comes there, by somebody else's doing. */
export interface OnServerWish {
  /** All of them have to be covered; lower case. */
  readonly dnsNames: readonly string[];
  /** Common or distinguished names of the issuing authority or one above it; none for any. */
  readonly issuers: readonly string[];
  /** Whole days that it has to be valid for. */
  readonly minDaysLeft: number;
}

/** Which certificate is meant. No secret in here: the material of a given one is kept apart. */
export type DesiredCertificate =
  /** On the server already, or brought there by somebody else. */
  | {
      readonly kind: "thumbprint";
      readonly thumbprint: Thumbprint;
      /** Chosen on the server, not named by the program. */
      readonly isChosen?: true;
    }
  /** Given as PFX or PEM: imported when absent. */
  | {
      readonly kind: "given";
      readonly facts: CertificateFacts;
      /** The certificates that come with it, its issuer first. Left out when none come. */
      readonly chain?: readonly ChainCertificate[];
      /** They lead to a root that the public trusts. */
      readonly chainsToPublicRoot?: true;
    }
  /** Made when the binding is created. */
  | { readonly kind: "selfSigned"; readonly wish: SelfSignedWish }
  /** In a preview: another resource of the program is going to make it, or it is still to be chosen on the server. */
  | { readonly kind: "unknown" };

/** `X509CertificateName` as declared: a name, `null` for "cleared", `undefined` for "not managed". */
export type DeclaredName = string | null | undefined;

/** Which binding is meant: who Pulumi says it is. */
export interface BindingIdentity {
  /** Tells bindings apart; two of one name under different parents are two bindings. */
  readonly urn: string;
  /** For people: the name, with its parents' names in front (`web/mail`) where it has any. */
  readonly label: string;
}

/** Two bindings in words that tell them apart: by their URNs where their labels are the same. */
export function toldApart(one: BindingIdentity, other: BindingIdentity): readonly [string, string] {
  return one.label === other.label ? [one.urn, other.urn] : [one.label, other.label];
}

/** Connectors whose TlsCertificateName follows the certificate. */
export interface DeclaredConnectors {
  /** Names. */
  readonly send: readonly string[];
  /** Names on the binding's server, without it in front. */
  readonly receive: readonly string[];
}

export function declaresAny({ send, receive }: DeclaredConnectors): boolean {
  return send.length + receive.length > 0;
}

/** A binding as the program declares it, every value known and parsed. */
export interface DesiredBinding {
  readonly identity: BindingIdentity;
  /** The program asks for the old resource to be deleted first; the engine may do so without telling anybody. */
  readonly deleteBeforeReplace: boolean;
  readonly server: ServerFqdn;
  readonly certificate: DesiredCertificate;
  /** Canonical order, no duplicates, at least one. */
  readonly services: readonly ExchangeService[];
  readonly replaceDefaultSmtpCertificate: boolean;
  readonly requireSsl: boolean;
  readonly certificateNames: Readonly<Record<NameService, DeclaredName>>;
  /** `unknown` in a preview, when the successor is made by the same program. */
  readonly successor: Thumbprint | "unknown" | undefined;
  readonly onServiceRemoved: "refuse" | "forget";
  readonly connectors: DeclaredConnectors;
  readonly onDelete: "retain" | "remove";
  /** With `remove`: how many days a replaced certificate stays as a way back. */
  readonly removeAfterDays: number;
  /** The name of a send connector may be cleared for the moment of a removal. */
  readonly allowConnectorGap: boolean;
  /** What becomes of what was done by a change that fails on its way. */
  readonly onFailure: "keep" | "rollback";
  readonly friendlyName: string | undefined;
  readonly privateKeyExportable: boolean;
  readonly renewBeforeDays: number;
  readonly timeoutSeconds: number;
}

/** What a run of our own that failed left undone. */
export interface NotDone {
  readonly services: readonly ExchangeService[];
  readonly names: readonly NameService[];
  readonly defaultSmtp: boolean;
}

/** A certificate that a binding has replaced and that is, as far as the state knows, still on its server. */
export interface SupersededCertificate {
  readonly server: ServerFqdn;
  readonly thumbprint: Thumbprint;
  /** When it was replaced, ISO 8601. */
  readonly since: string | undefined;
  /** Its key may be on that server alone: a certificate that was named by its thumbprint. */
  readonly onlyThere: boolean;
}

/** What the state remembers of the binding: a cache of identifiers and wishes, never the truth about the server. */
export interface PreviousBinding {
  readonly server: ServerFqdn;
  /** Undefined only when the inputs alone are known and the certificate was to be made. */
  readonly thumbprint: Thumbprint | undefined;
  readonly services: readonly ExchangeService[];
  /** The wish that the certificate was made for; undefined when it was given. */
  readonly selfSigned: SelfSignedWish | undefined;
  readonly connectors: DeclaredConnectors;
  /** Send connectors of these that waited for a server when it was last changed: that they name another is no drift. */
  readonly connectorsNotSet?: readonly string[] | undefined;
  /** It was named by its thumbprint or chosen on the server: its key may be there alone. */
  readonly onlyThere: boolean;
  /** Certificates that it has replaced, also on servers that it has left. */
  readonly superseded: readonly SupersededCertificate[];
  readonly replaceDefaultSmtpCertificate: boolean;
  readonly certificateNames: Readonly<Record<NameService, DeclaredName>>;
  /** Left out when the last run came to its end. */
  readonly notDone?: NotDone | undefined;
}
