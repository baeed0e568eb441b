import * as pulumi from "@pulumi/pulumi";

import type { ExchangeCertificateBindingArgs, ServiceName } from "./args";
import type { FollowUp } from "./plan/followUps";
import { daysUntil } from "./plan/days";
import { OUTPUT_KEYS } from "./outputKeys";
import { isSecretKey } from "./sourceKeys";

/**
 * The provider's code in the state: constant for ever, so that an upgrade of the package takes effect at once and
 * never shows as a change. The module is found from the program's directory.
 */
const PROVIDER_SOURCE = 'exports.handler = () => require("pulumi-exchange-certificates/provider");';

/**
 * One certificate on one on-premises Exchange server with the services it serves.
 *
 * A preview compares the declared services with the server as it is and says what would happen: what is imported and
 * enabled, which certificate loses which service, and whether the default SMTP certificate changes (it doesn't unless
 * {@link ExchangeCertificateBindingArgs.replaceDefaultSmtpCertificate} asks for it). Services are only ever added in
 * place; one that can't be released otherwise needs another certificate.
 *
 * ```ts
 * const mail = new ExchangeCertificateBinding("mail", {
 *   server: "ex01.contoso.com",
 *   certificate: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" },
 *   services: ["IIS", "SMTP", "IMAP", "POP"],
 * });
 * export const ends = mail.notAfter;
 * ```
 *
 * The backend is chosen by configuration: `pulumi config set exchange:backend simulator`.
 */
export class ExchangeCertificateBinding extends pulumi.CustomResource {
  /** The resource's type token. */
  static readonly __pulumiType = "pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding";

  /** The server's fully qualified name, lower case. */
  declare readonly server: pulumi.Output<string>;
  /** The declared services, in canonical order. */
  declare readonly services: pulumi.Output<ServiceName[]>;
  /** SHA-1 thumbprint, 40 upper-case hexadecimal digits. Known in previews unless the certificate is still to be made. */
  declare readonly thumbprint: pulumi.Output<string>;
  /** Subject, most specific part first: `CN=mail.contoso.com, O=Contoso`. */
  declare readonly subject: pulumi.Output<string>;
  /** Issuer, in the same form. */
  declare readonly issuer: pulumi.Output<string>;
  /** Serial number, hexadecimal. */
  declare readonly serialNumber: pulumi.Output<string>;
  /** DNS names of the certificate, lower case. */
  declare readonly dnsNames: pulumi.Output<string[]>;
  /** First moment of validity, ISO 8601 in UTC. */
  declare readonly notBefore: pulumi.Output<string>;
  /** Last moment of validity, ISO 8601 in UTC. */
  declare readonly notAfter: pulumi.Output<string>;
  /** What the certificate holds, declared or not: IIS means the front-end site; a wildcard holds IMAP and POP by name. */
  declare readonly heldServices: pulumi.Output<ServiceName[]>;
  /** What Get-ExchangeCertificate shows, which may be more or less than what is held. */
  declare readonly displayedServices: pulumi.Output<string[]>;
  /** Whether it is the server's default SMTP (internal transport) certificate. */
  declare readonly isDefaultSmtpCertificate: pulumi.Output<boolean>;
  /** Status as Exchange shows it, such as `Valid`. */
  declare readonly status: pulumi.Output<string>;
  /** The server's version, such as `15.2.1748.10`. */
  declare readonly exchangeVersion: pulumi.Output<string>;
  /** Services that left other certificates because of this binding. */
  declare readonly takenOver: pulumi.Output<{ service: ServiceName; fromThumbprint: string }[]>;
  /** Services that a replaced certificate still holds although this binding no longer declares them. */
  declare readonly staysBehind: pulumi.Output<{ service: ServiceName; thumbprint: string }[]>;
  /** Certificates this binding has replaced that are still on their server. */
  declare readonly supersedes: pulumi.Output<
    { id: string; thumbprint: string; released: ServiceName[]; since: string; onlyThere?: boolean }[]
  >;
  /**
   * What an operator should still do since the certificate is in place: restarts and the like, which are never done by
   * themselves. Sentences; what an earlier run left begins with its day.
   */
  declare readonly followUps: pulumi.Output<string[]>;
  /** The same as data: the `kind`, its facts, and `since`, the day on which it arose (ISO 8601). */
  declare readonly followUpTasks: pulumi.Output<FollowUp[]>;
  /** Kind of the backend that made the binding. */
  declare readonly backend: pulumi.Output<string>;
  /** Number of the form in which the state is stored. */
  declare readonly stateVersion: pulumi.Output<number>;

  /**
   * Declares a binding.
   *
   * @param name The resource's name; with its parents' names in front it stands in messages and marks made certificates.
   */
  constructor(name: string, args: ExchangeCertificateBindingArgs, opts?: pulumi.CustomResourceOptions) {
    const props: Record<string, unknown> = {
      ...args,
      certificate: withSecrets((args as Partial<ExchangeCertificateBindingArgs> | undefined)?.certificate),
      ...hiddenInputs(name, opts),
      __provider: PROVIDER_SOURCE,
    };
    for (const output of OUTPUT_KEYS) props[output] ??= undefined;
    const { stackTraceLimit } = Error;
    try {
      if (!looksForLeaks()) Error.stackTraceLimit = DEBUGGING_FRAMES;
      super(ExchangeCertificateBinding.__pulumiType, name, props, opts);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /**
   * Looks up a binding that exists, without managing it.
   *
   * @param id `<server>/<thumbprint>`, such as `ex01.contoso.com/1234…`.
   */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    opts?: pulumi.CustomResourceOptions,
  ): ExchangeCertificateBinding {
    // With an id the engine reads instead of creating; no wish is looked at.
    return new ExchangeCertificateBinding(name, {} as ExchangeCertificateBindingArgs, { ...opts, id });
  }

  /**
   * Whole days until {@link notAfter}, from the moment at which the program runs; negative once it is over. Worked out in
   * the program and never stored, so that it is never a change.
   */
  get daysLeft(): pulumi.Output<number> {
    return this.notAfter.apply((end) => daysUntil(end, new Date()));
  }

  /** Whether a value is a binding, also one of another copy of this package. */
  static override isInstance(value: unknown): value is ExchangeCertificateBinding {
    return (
      typeof value === "object" &&
      value !== null &&
      (value as { readonly __pulumiType?: unknown }).__pulumiType === ExchangeCertificateBinding.__pulumiType
    );
  }
}

/**
 * The SDK takes a stack for each property of a resource, and Pulumi's hook looks for the source of every frame of it:
 * a third of the time of a program with a thousand bindings. They are shown only where somebody looks for promises that
 * leak. Where the binding stands in the program the SDK finds out with a limit of its own.
 */
const DEBUGGING_FRAMES = 1;

function looksForLeaks(): boolean {
  return process.env["PULUMI_DEBUG_PROMISE_LEAKS"] !== undefined;
}

/** Who the binding is. A provider's process is told neither name nor URN nor resource options. */
function hiddenInputs(name: string, opts: pulumi.CustomResourceOptions | undefined): Record<string, unknown> {
  const parent = opts?.parent;
  return {
    // Taken as a promise, because an output brings its dependencies along: a child would wait for its parent's children,
    // itself among them, and two siblings for each other, for ever.
    bindingUrn: pulumi.output(valueAlone(pulumi.createUrn(name, ExchangeCertificateBinding.__pulumiType, parent))),
    bindingLabel: [...namesOfParents(parent), name].join("/"),
    ...(opts?.deleteBeforeReplace === true ? { bindingDeleteBeforeReplace: true } : {}),
  };
}

/** An output's value without its dependencies, by what the SDK has and doesn't declare. */
function valueAlone<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise(): Promise<T> }).promise();
}

/** What the SDK keeps of a resource without declaring it. */
interface ResourceInternals {
  readonly __name?: unknown;
  readonly __parentResource?: unknown;
}

/** Outermost first, without the stack; none where the SDK keeps them in another way. */
function namesOfParents(parent: unknown): readonly string[] {
  const names: string[] = [];
  let current = parent;
  while (pulumi.Resource.isInstance(current) && !isStack(current)) {
    const { __name: name, __parentResource: next } = current as ResourceInternals;
    if (typeof name === "string") names.unshift(name);
    current = next;
  }
  return names;
}

function isStack(resource: pulumi.Resource): boolean {
  return (resource as { readonly __pulumiType?: unknown }).__pulumiType === "pulumi:pulumi:Stack";
}

/**
 * Marks what is secret, also when the user forgot to. A source given as a plain object keeps its public parts
 * readable; one that is an output as a whole is secret as a whole, and so is what isn't a source at all.
 */
function withSecrets(certificate: unknown): unknown {
  if (certificate === undefined || certificate === null) return undefined;
  const isPlain = typeof certificate === "object" && !(certificate instanceof Promise) && !Array.isArray(certificate);
  if (!isPlain || pulumi.Output.isInstance(certificate)) return pulumi.secret(certificate);
  return Object.fromEntries(
    Object.entries(certificate).map(([key, value]: [string, unknown]) => [
      key,
      isSecretKey(key) && value !== undefined ? pulumi.secret(value) : value,
    ]),
  );
}
