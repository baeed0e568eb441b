import { type KerberosFacts, RemotingError } from "../../errors";
import type { KerberosCallError, Meaning, Operation } from "./kerberosLibrary";

/* What is said about a conversation that failed, whichever library it was held with. */

/** Where a conversation got to, and with what. No secrets. */
export interface KerberosAttempt {
  /** `HTTP/host`. */
  readonly service: string;
  /** Default: whomever the system says we are. */
  readonly principal: string | undefined;
  /** What credentials are used: parts of a sentence. */
  readonly origin: readonly string[];
  /** The same as facts. */
  readonly facts: Pick<KerberosFacts, "cache" | "keytab">;
}

export const SKEW: Meaning = [
  "AuthenticationRefused",
  "the clocks differ by more than Kerberos allows (5 minutes by default)",
  "Set this machine's clock by the domain's, and look at the server's and the domain controller's.",
];
export const NO_PROOF: Meaning = [
  "AuthenticationRefused",
  "the server doesn't hold the key that the ticket is made out for",
  "Check that the service principal name belongs to the account that the web server runs as, and to no other " +
    "(setspn -Q). Behind a load balancer all servers need the same account.",
];
export const UNREACHABLE: Meaning = [
  "KdcUnreachable",
  "no domain controller (KDC) answers",
  "Check that it is up and that nothing blocks port 88 (TCP and UDP).",
];

export const BODY_MEANINGS: Readonly<Record<"wrap" | "unwrap", Meaning>> = {
  wrap: ["AuthenticationRefused", "a message could not be encrypted", "Run it again."],
  unwrap: [
    "HttpUnexpected",
    "the server's answer is forged, came twice, or is out of order",
    "Look whether something between this machine and the server changes what they say.",
  ],
};

const DOING: Readonly<Record<Operation, string>> = {
  name: "Reading the names for Kerberos",
  acquire: "Getting Kerberos credentials",
  init: "Getting a Kerberos ticket",
  prove: "Checking by Kerberos who the server is",
  wrap: "Encrypting with Kerberos",
  unwrap: "Decrypting with Kerberos",
};

/** A failed call as an error. */
export function kerberosFailure(call: KerberosCallError, attempt: KerberosAttempt): RemotingError {
  const { operation, meaning, numbers, message: text } = call;
  const [, what, remedy] = meaning;
  const said = text === "" ? numbers : `${text}, ${numbers}`;
  return failed(
    meaning,
    attempt,
    `${DOING[operation]} ${describeAttempt(attempt)}: ${what} (${said}). ${remedy}`,
    call,
  );
}

/** A message whose form is refused: the same error, saying whose it is. */
export function kerberosRefusal(
  error: RemotingError,
  operation: "wrap" | "unwrap",
  attempt: KerberosAttempt,
): RemotingError {
  const message = `${DOING[operation]} ${describeAttempt(attempt)}: ${error.message}`;
  return new RemotingError(error.code, message, {
    cause: error,
    facts: { ...error.facts, kerberos: factsOf(attempt) },
  });
}

/** Nobody answered within our own limit. */
export function kerberosTimeout(attempt: KerberosAttempt, seconds: number): RemotingError {
  const [, , remedy] = UNREACHABLE;
  const what = `no domain controller (KDC) answered within ${seconds} seconds`;
  return failed(UNREACHABLE, attempt, `${DOING.init} ${describeAttempt(attempt)}: ${what}. ${remedy}`);
}

/** The conversation came to an end without what was asked for. */
export function kerberosIncomplete(attempt: KerberosAttempt): RemotingError {
  const what = "mutual authentication and encryption were not agreed on";
  return failed(NO_PROOF, attempt, `${DOING.prove} ${describeAttempt(attempt)}: ${what}.`);
}

function failed([code]: Meaning, attempt: KerberosAttempt, message: string, call?: KerberosCallError): RemotingError {
  return new RemotingError(code, message, {
    cause: call,
    // An answer that can't be read is one all the same: the server has done something.
    facts: {
      fate: call?.operation === "unwrap" ? undefined : "notDone",
      kerberos: factsOf(attempt, call),
    },
  });
}

function factsOf({ service, principal, facts }: KerberosAttempt, call?: KerberosCallError): KerberosFacts {
  return { service, principal, ...facts, ...call?.facts };
}

/** "for HTTP/ex01 as anna@CONTOSO.COM (ticket cache FILE:/tmp/krb5cc_1000, krb5.conf: /etc/krb5.conf)" */
function describeAttempt({ service, principal, origin }: KerberosAttempt): string {
  const who = principal === undefined ? "" : ` as ${principal}`;
  return `for ${service}${who} (${origin.join(", ")})`;
}
