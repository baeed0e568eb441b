import type * as pulumi from "@pulumi/pulumi";

/** A service that can be declared. */
export type ServiceName = "IIS" | "IMAP" | "POP" | "SMTP" | "UM" | "UMCallRouter";

/** A certificate that is on the server already, or that another binding of the program imports there. */
export interface ThumbprintSource {
  /** SHA-1 thumbprint as copied from anywhere: blanks, colons and letter case don't matter. */
  thumbprint: pulumi.Input<string>;
}

/**
 * A PFX given as its contents. Neither these nor the password get into the state; they do pass through the engine, whose
 * traces and most talkative logs show them in clear. With `pfxFile` and `passwordEnv` they don't.
 */
export interface PfxSource {
  /** The file's bytes, base64. */
  pfx: pulumi.Input<string>;
  /** None for a file without a password. */
  password?: pulumi.Input<string>;
}

/** A PFX on the disk of the machine that runs Pulumi. The state gets its path and the name of `passwordEnv`, never a password. */
export interface PfxFileSource {
  /** Path of the file; a relative one counts from the program's directory. */
  pfxFile: pulumi.Input<string>;
  /** The password itself, which passes through the engine; not together with `passwordEnv`. */
  password?: pulumi.Input<string>;
  /** Name of the environment variable that holds the password. */
  passwordEnv?: pulumi.Input<string>;
}

/** A certificate and its key as PEM texts, of which none gets into the state; all of it passes through the engine, as with `pfx`. */
export interface PemSource {
  pem: pulumi.Input<{
    /** The certificate; the rest of its chain may follow it. */
    certificate: pulumi.Input<string>;
    /** PKCS#8, PKCS#1 or SEC1, not encrypted. */
    privateKey: pulumi.Input<string>;
    /** Intermediate certificates. */
    chain?: pulumi.Input<string>;
  }>;
}

/**
 * A certificate and its key in files on the machine that runs Pulumi, as lego, certbot and acme.sh write them. Paths;
 * relative ones count from the program's directory, and the state gets them. PEM as a rule; DER and PKCS#7 are read too.
 */
export interface PemFilesSource {
  pemFiles: pulumi.Input<{
    /** The certificate; the rest of its chain may follow it. */
    certificateFile: pulumi.Input<string>;
    /** Its private key, not encrypted. */
    privateKeyFile: pulumi.Input<string>;
    /** Intermediate certificates. */
    chainFile?: pulumi.Input<string>;
  }>;
}

/**
 * A certificate that something else puts on the server and renews there: autoenrolment of AD CS, an agent. The newest
 * (latest `notBefore`) with a key that covers the names; never a self-signed one or one of Exchange's own. What is
 * ambiguous is refused, or leaves what is bound as it is; the preview says which one it is, and why not the others.
 */
export interface OnServerSource {
  onServer: pulumi.Input<{
    /** Names that clients use; each must be covered, wildcards count. At least one. */
    dnsNames: pulumi.Input<pulumi.Input<string>[]>;
    /** Common or distinguished name of the issuing authority, or of one above it. Needed where several issue for these names. */
    issuer?: pulumi.Input<string | pulumi.Input<string>[]>;
    /** Days that it must still be valid for. Default 0. */
    minDaysLeft?: pulumi.Input<number>;
  }>;
}

/** A new RSA certificate, made when the binding is created. A change of any of these replaces the binding. */
export interface SelfSignedSource {
  selfSigned: pulumi.Input<{
    /** Such as `CN=mail.contoso.com, O=Contoso`. Default: the first DNS name as common name. */
    subject?: pulumi.Input<string>;
    /** Names that clients use; at least one. */
    dnsNames: pulumi.Input<pulumi.Input<string>[]>;
    /** Days, 1 to 3650. Default 365 (one year). */
    validityDays?: pulumi.Input<number>;
    /** RSA modulus in bits: 2048 (default), 3072 or 4096. */
    keySize?: pulumi.Input<number>;
  }>;
}

/** What can be declared of a binding. Each input says what a change to it does. */
export interface ExchangeCertificateBindingArgs {
  /** The server's fully qualified name, such as `ex01.contoso.com`. Changing it replaces the binding. */
  server: pulumi.Input<string>;
  /**
   * The certificate: exactly one source. Another thumbprint replaces the binding, the new certificate first; another
   * form or a new password of the same certificate changes nothing on the server.
   */
  certificate: pulumi.Input<
    ThumbprintSource | PfxSource | PfxFileSource | PemSource | PemFilesSource | OnServerSource | SelfSignedSource
  >;
  /**
   * The services it must hold at least: IIS, IMAP, POP, SMTP, UM, UMCallRouter (the case of the letters doesn't matter at run time). More are left alone. Adding one enables
   * it in place; removing one that is still held is refused unless there is a way to release it (`successor`, another
   * certificate, another name, or `onServiceRemoved: "forget"`).
   */
  services: pulumi.Input<pulumi.Input<ServiceName>[]>;
  /**
   * True: it also becomes the server's default SMTP (internal transport) certificate; needs SMTP. False (default): the
   * default SMTP certificate stays what it is, and that is verified. Changing it to true updates in place, to false
   * changes only the state.
   */
  replaceDefaultSmtpCertificate?: pulumi.Input<boolean>;
  /** False passes -DoNotRequireSsl when IIS is enabled. Default true. A change counts from the next enabling of IIS. */
  requireSsl?: pulumi.Input<boolean>;
  /**
   * Host name for Set-ImapSettings -X509CertificateName. Needed with a wildcard certificate. Changing it updates in
   * place; an empty text clears the name; leaving it out stops managing it.
   */
  imapCertificateName?: pulumi.Input<string>;
  /** The same for POP: Set-PopSettings -X509CertificateName. */
  popCertificateName?: pulumi.Input<string>;
  /**
   * Thumbprint of a certificate on the same server that gets the services this binding gives up. Use the other
   * binding's `thumbprint` output, which also orders the two. A change alone changes nothing on the server.
   */
  successor?: pulumi.Input<string>;
  /**
   * What happens to a removed service that is still held: `refuse` (default) stops the preview; `forget` stops managing
   * it and leaves it where it is. A change alone changes nothing on the server.
   */
  onServiceRemoved?: pulumi.Input<"refuse" | "forget">;
  /**
   * Connectors whose TlsCertificateName follows this certificate: send connectors by their names, receive connectors by
   * their names on this server. Needs SMTP. A send connector is set once every source server has a valid certificate of
   * that issuer and subject with SMTP. One that is no longer declared is left as it is.
   */
  connectors?: pulumi.Input<{
    send?: pulumi.Input<pulumi.Input<string>[]>;
    receive?: pulumi.Input<pulumi.Input<string>[]>;
  }>;
  /**
   * `retain` (default): deleting the resource, or replacing its certificate, leaves the certificate as it is. `remove`:
   * the certificate is removed from the server, unless something there still needs it; each reason is told, with a way
   * out. What the changed program says counts for the certificate that it replaces. State only.
   */
  onDelete?: pulumi.Input<"retain" | "remove">;
  /**
   * With `onDelete: "remove"`: days for which a replaced certificate stays as a way back; a later `up` removes it.
   * Default 0. State only.
   */
  removeAfterDays?: pulumi.Input<number>;
  /**
   * With `onDelete: "remove"`: true lets the name of a send connector in `connectors.send` be cleared for the moment in
   * which an old certificate of the same issuer and subject is removed, and then set again. Mail that is sent in that
   * moment goes out without this certificate. False (default): such a certificate is kept. State only.
   */
  allowConnectorGap?: pulumi.Input<boolean>;
  /**
   * What becomes of what was done when a change fails on its way. `keep` (default): it stays, the state remembers how far
   * it came, and the next `up` goes on. `rollback`: it is put back, as far as Exchange can. State only.
   */
  onFailure?: pulumi.Input<"keep" | "rollback">;
  /** Friendly name given when the certificate is imported; at most 63 characters. A later change changes only the state. */
  friendlyName?: pulumi.Input<string>;
  /** Whether the imported key may be exported again. Default false. A later change changes only the state. */
  privateKeyExportable?: pulumi.Input<boolean>;
  /**
   * Days before its end at which a made certificate is replaced, and from which a given one is announced in previews.
   * Default 30 (a month).
   */
  renewBeforeDays?: pulumi.Input<number>;
  /** Time limit of one operation on the server, seconds. Default 300 (five minutes). State only. */
  timeoutSeconds?: pulumi.Input<number>;
}
