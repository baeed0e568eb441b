import { Secret } from "../../secret";
import { RemotingError } from "../errors";

/** How a connection says who we are. */
export type Authentication = RequestAuthentication | ConnectionAuthentication;

/** A header on each request, such as Basic. The body goes as it is, so TLS has to protect both. */
export interface RequestAuthentication {
  readonly kind: "request";
  /** As in the Authorization header. */
  readonly scheme: string;
  /** Value of the Authorization header, scheme included. */
  readonly authorization: () => Secret<string>;
}

/**
 * A conversation at the beginning of each TCP connection, such as Kerberos. What came out of it belongs to that
 * connection: a new one needs a new conversation.
 */
export interface ConnectionAuthentication {
  readonly kind: "connection";
  /** As in the Authorization and WWW-Authenticate headers: `Kerberos` or `Negotiate`. */
  readonly scheme: string;
  readonly begin: (peer: Peer) => SecurityContext;
  /**
   * Without it bodies are encrypted wherever the context can do so. With it a server behind TLS that refuses its first
   * encrypted body is asked again with a plain one.
   */
  readonly bodies?: BodyMemory;
}

/** How an endpoint takes bodies. `unknown`: encrypted ones are tried first. */
export type BodyForm = "unknown" | "sealed" | "plain";

/** What has been learnt about endpoints, by URL; shared by all connections to them. */
export interface BodyMemory {
  readonly formOf: (url: URL) => BodyForm;
  readonly learn: (url: URL, form: "sealed" | "plain") => void;
}

/** Remembers for as long as it lives. `say` is told once about each endpoint that takes plain bodies only. */
export function bodyMemory(say: (line: string) => void): BodyMemory {
  const forms = new Map<string, BodyForm>();
  const keyOf = ({ origin, pathname }: URL): string => `${origin}${pathname}`;
  const formOf = (url: URL): BodyForm => forms.get(keyOf(url)) ?? "unknown";
  return {
    formOf,
    learn: (url, form) => {
      // What was encrypted once stays so: nobody in between can talk us out of it.
      if (formOf(url) !== "unknown") return;
      forms.set(keyOf(url), form);
      if (form === "plain")
        say(`${keyOf(url)} takes no bodies that Kerberos encrypted; they go as they are, inside TLS.`);
    },
  };
}

/** The other end, as far as authentication has to know it. */
export interface Peer {
  /** Host name of the URL: for the service principal name. */
  readonly host: string;
  readonly isTls: boolean;
}

/** One side of the conversation, and what protects the bodies afterwards. One for each TCP connection. */
export interface SecurityContext {
  /**
   * The next token to send. `undefined` in: the beginning; otherwise the server's token. Nothing out: nothing more to
   * say. Throws when the server's token doesn't prove what it has to.
   */
  readonly step: (token: Uint8Array | undefined, signal: AbortSignal) => Promise<Uint8Array | undefined>;
  /**
   * Whether both sides know each other. Asked when the server has agreed; `false` then is a failure. Asked again before
   * each request; `false` then means that it has expired, and a new TCP connection is needed.
   */
  readonly isEstablished: () => boolean;
  /** Encrypts bodies: needed over plain http. `undefined` sends them as they are. */
  readonly sealing: BodySealing | undefined;
  /**
   * Names for whoever looks for what is wrong: the service principal name, and who we are. `isPrincipalAgreed`: whether
   * both sides agreed on that, or it is only what this system says about the credentials.
   */
  readonly describe?: () => {
    readonly service?: string;
    readonly principal?: string;
    readonly isPrincipalAgreed?: boolean;
  };
  readonly dispose: () => void;
}

/** Encryption of bodies, MS-WSMV 2.2.9.1. Called strictly one after the other, in the order of the messages. */
export interface BodySealing {
  /** Media type of the protected parts, `application/HTTP-Kerberos-session-encrypted`. */
  readonly protocol: string;
  readonly seal: (clear: Uint8Array) => SealedBody;
  readonly open: (sealed: SealedBody) => Uint8Array;
}

export interface SealedBody {
  readonly signature: Uint8Array;
  readonly data: Uint8Array;
  /** How many bytes at the end of `data` fill it up to a whole block. Default 0, as with AES. */
  readonly paddingLength?: number;
}

/**
 * Basic, RFC 7617, in UTF-8. A connection refuses it over plain http.
 *
 * @throws RemotingError `SettingsRefused` for a user name with a colon, which Basic can't carry.
 */
export function basicAuthentication(username: string, password: Secret<string>): RequestAuthentication {
  if (username === "" || username.includes(":")) {
    throw new RemotingError(
      "SettingsRefused",
      "The user name is empty or holds a colon, which Basic authentication can't carry. Write it as user@domain or DOMAIN\\user.",
    );
  }
  return {
    kind: "request",
    scheme: "Basic",
    authorization: () =>
      new Secret(`Basic ${Buffer.from(`${username}:${password.reveal()}`, "utf8").toString("base64")}`),
  };
}
