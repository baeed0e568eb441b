import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";
import { RemotingError } from "../errors";
import type { HttpExchange, Trace } from "../trace";
import { decodeUtf8 } from "../xml";
import type {
  Authentication,
  BodyForm,
  BodySealing,
  ConnectionAuthentication,
  SecurityContext,
} from "./authentication";
import { answerOf, isBodyRefused, isSoap, type RawAnswer, readBody, tokenOf } from "./answer";
import type { CookieJar } from "./cookies";
import {
  asNotDone,
  connectFailure,
  describeUrl,
  exchangeFailure,
  IS_IT_UP,
  notConnected,
  statusFailure,
} from "./failures";
import { decryptBody, encryptBody, isEncrypted } from "./multipart";
import { connectPlain, portOf } from "./tcp";
import { connectTls, peerOf, type TlsOptions } from "./tls";

export interface ConnectionOptions {
  /** `http:` or `https:`, without user name and password. */
  readonly url: URL;
  readonly authentication: Authentication;
  readonly tls?: TlsOptions;
  /** Shared by all connections of a session. */
  readonly cookies: CookieJar;
  readonly now: () => Date;
  /** Until a connection has to be there, TLS included. Default 15. */
  readonly connectTimeoutSeconds?: number;
  readonly trace?: Trace | undefined;
}

export interface PostOptions {
  /** Ends the request at once, and its TCP connection with it. */
  readonly signal: AbortSignal;
  /** From sending to the last byte of the answer. */
  readonly timeoutSeconds: number;
  /** Told of each answer of the web server; there may be several, because of authentication. */
  readonly onExchange?: ((exchange: HttpExchange) => void) | undefined;
}

/** What goes to the web server in one request. */
interface WebRequest {
  readonly body: Uint8Array;
  /** Default: SOAP. */
  readonly contentType?: string;
  readonly authorization?: string;
}

const SOAP = "application/soap+xml;charset=UTF-8";
const DEFAULT_CONNECT_SECONDS = 15;
const NOT_DONE = { fate: "notDone" } as const;

/**
 * One connection to a SOAP endpoint: at most one TCP connection at a time, kept alive, authenticated once where
 * authentication is a matter of the connection. Requests run one after the other. An idle connection doesn't keep the
 * process alive.
 */
export class HttpConnection {
  readonly #options: ConnectionOptions;
  readonly #agent: HttpAgent;
  #tail: Promise<unknown> = Promise.resolve();
  #connecting: Socket | undefined;
  #context: { readonly security: SecurityContext; readonly socket: Socket } | undefined;
  #isClosed = false;
  #isKnown = false;

  /** Throws RemotingError `SettingsRefused` for what would give a password away. */
  constructor(options: ConnectionOptions) {
    refuseUnsafe(options);
    this.#options = options;
    const isTls = options.url.protocol === "https:";
    // One socket: whatever was agreed on it (Kerberos) is of no use on another.
    const agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    agent.createConnection = (_options, callback) => {
      this.#connect((error, socket) => {
        // @types/node wants a stream even beside an error.
        callback?.(error, socket as Duplex);
      });
      return undefined;
    };
    this.#agent = agent;
  }

  /** Where what happens on this connection is told. */
  get trace(): Trace | undefined {
    return this.#options.trace;
  }

  /**
   * Sends an envelope and returns the one that came back; a fault is one too. Throws RemotingErrors: the codes from
   * `HostUnknown` to `Aborted`.
   */
  post(envelope: string, options: PostOptions): Promise<string> {
    const result = this.#tail.then(() => this.#post(Buffer.from(envelope, "utf8"), options));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** From the next request on another TCP connection is used: for whoever wants to see what a newcomer sees. */
  renew(): void {
    this.#tail = this.#tail.then(() => {
      this.#forgetContext();
      this.#agent.destroy();
    });
  }

  /** Ends the TCP connection. May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#forgetContext();
    this.#connecting?.destroy();
    this.#agent.destroy();
  }

  async #post(clear: Uint8Array, options: PostOptions): Promise<string> {
    const { authentication, url } = this.#options;
    if (authentication.kind === "request") {
      const answer = await this.#send({ body: clear, authorization: authentication.authorization().reveal() }, options);
      this.#traceKnown(authentication.scheme, answer.status);
      return this.#read(answer, undefined);
    }
    const form = this.#formOf(authentication);
    const { answer, sealing } = await this.#sendInContext(authentication, clear, options, form === "plain");
    if (form !== "unknown" || sealing === undefined || !isBodyRefused(answer)) {
      const text = this.#read(answer, sealing);
      if (sealing !== undefined) authentication.bodies?.learn(url, "sealed");
      return text;
    }
    // Many a server hangs up after such an answer; a new TCP connection is certainly there.
    this.#context?.socket.destroy();
    const plain = await this.#sendInContext(authentication, clear, options, true);
    const text = this.#read(plain.answer, undefined);
    if (plain.answer.status === 200) authentication.bodies?.learn(url, "plain");
    return text;
  }

  /**
   * Plain bodies are for TLS alone, and for a server that TLS has proven: otherwise whoever is in between could refuse
   * encrypted ones to get at what they say.
   */
  #formOf({ bodies }: ConnectionAuthentication): BodyForm {
    const { url, tls } = this.#options;
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated for users, not for this place
    if (url.protocol !== "https:" || tls?.dangerouslySkipVerification === true) return "sealed";
    return bodies?.formOf(url) ?? "sealed";
  }

  #read(answer: RawAnswer, sealing: BodySealing | undefined): string {
    const isSealed = isEncrypted(answer.contentType);
    if (isSealed && sealing !== undefined) {
      try {
        return decodeUtf8(decryptBody(sealing, answer.body));
      } catch (error) {
        // Both sides count their messages: after one that can't be read, no other could be.
        this.#context?.socket.destroy();
        throw error;
      }
    }
    if (!isSealed && isSoap(answer)) {
      if (sealing === undefined) return decodeUtf8(answer.body);
      const what =
        "answered in the clear what it was asked encrypted. It may be someone in between, so it isn't believed.";
      throw new RemotingError("HttpUnexpected", `${describeUrl(this.#options.url)} ${what}`, {
        facts: { httpStatus: answer.status, frontEnd: answer.frontEnd },
        said: { what: `It ${what}` },
      });
    }
    throw statusFailure(this.#options.url, this.#options.authentication.scheme, answer);
  }

  async #sendInContext(
    authentication: ConnectionAuthentication,
    clear: Uint8Array,
    options: PostOptions,
    isPlain: boolean,
  ): Promise<{ readonly answer: RawAnswer; readonly sealing: BodySealing | undefined }> {
    for (let attempt = 0; ; attempt++) {
      const { sealing: offered } = await this.#authenticated(authentication, options);
      this.#refuseEnded(options);
      const sealing = isPlain ? undefined : offered;
      if (sealing === undefined && this.#options.url.protocol !== "https:") throw unprotected(this.#options.url);
      const sent = sealing === undefined ? { contentType: SOAP, body: clear } : encryptBody(sealing, clear);
      const answer = await this.#send(sent, options).catch((error: unknown) => {
        // Its number is used up, and whether it arrived isn't known: the server could refuse the next one as out of order.
        this.#context?.socket.destroy();
        throw error;
      });
      if (answer.status !== 401) return { answer, sealing };
      // The TCP connection was a new one, and with it we were strangers again: nothing has been done.
      this.#forgetContext();
      if (attempt > 0) return { answer, sealing };
    }
  }

  /** The context of the TCP connection; a new one where there is none, or what was agreed on has expired. */
  async #authenticated(authentication: ConnectionAuthentication, options: PostOptions): Promise<SecurityContext> {
    const { socket, security } = this.#context ?? {};
    if (socket?.destroyed === false && security?.isEstablished() === true) return security;
    socket?.destroy();
    return this.#authenticate(authentication, options);
  }

  /** Requests without a body until both sides know each other. */
  async #authenticate(authentication: ConnectionAuthentication, options: PostOptions): Promise<SecurityContext> {
    this.#forgetContext();
    const { url } = this.#options;
    const { scheme } = authentication;
    const security = authentication.begin({ host: url.hostname, isTls: url.protocol === "https:" });
    const tell = (outcome: "begun" | "accepted" | "refused", status?: number): void => {
      const isEncrypted = security.sealing !== undefined && this.#formOf(authentication) !== "plain";
      this.trace?.({ kind: "authentication", scheme, outcome, status, isEncrypted, ...security.describe?.() });
    };
    let status: number | undefined;
    try {
      let token = await security.step(undefined, options.signal);
      tell("begun");
      for (let round = 0; token !== undefined && round < MAX_ROUNDS; round++) {
        const header = `${scheme} ${Buffer.from(token).toString("base64")}`;
        let socket: Socket | undefined;
        const answer = await this.#send({ body: new Uint8Array(), authorization: header }, options, (used) => {
          socket = used;
        });
        status = answer.status;
        const said = tokenOf(answer.challenges, scheme);
        const isAgreed = answer.status !== 401;
        if (!isAgreed && said === undefined) throw statusFailure(url, scheme, answer);
        // 403 and 404 speak about the place; anything else only answers an empty request.
        if (answer.status === 403 || answer.status === 404) throw statusFailure(url, scheme, answer);
        token = said === undefined ? undefined : await security.step(said, options.signal);
        if (isAgreed && security.isEstablished() && socket !== undefined) {
          this.#context = { security, socket };
          tell("accepted", status);
          return security;
        }
      }
      throw new RemotingError(
        "AuthenticationRefused",
        `${describeUrl(url)} did not prove that it is the server it says it is (${scheme}).`,
        { facts: NOT_DONE },
      );
    } catch (error) {
      tell("refused", status);
      security.dispose();
      throw error;
    }
  }

  /** Basic is said with each request; it is told once, and when it is refused. */
  #traceKnown(scheme: string, status: number): void {
    const isRefused = status === 401;
    if (isRefused || !this.#isKnown) {
      this.trace?.({ kind: "authentication", scheme, outcome: isRefused ? "refused" : "accepted", status });
    }
    this.#isKnown = !isRefused;
  }

  #forgetContext(): void {
    this.#context?.security.dispose();
    this.#context = undefined;
  }

  /** Before a body is encrypted: that uses up a number, and what isn't sent would be missing at the other side. */
  #refuseEnded({ signal }: Pick<PostOptions, "signal">): void {
    const where = describeUrl(this.#options.url);
    if (this.#isClosed) {
      throw new RemotingError("SessionClosed", `The connection to ${where} was closed.`, { facts: NOT_DONE });
    }
    if (signal.aborted) {
      throw new RemotingError("Aborted", `The request to ${where} wasn't begun.`, { facts: NOT_DONE });
    }
  }

  #send(
    { body, contentType = SOAP, authorization }: WebRequest,
    { signal, timeoutSeconds, onExchange }: PostOptions,
    onSocket?: (socket: Socket) => void,
  ): Promise<RawAnswer> {
    const { url, cookies, now } = this.#options;
    return new Promise<RawAnswer>((resolve, reject) => {
      this.#refuseEnded({ signal });
      const cookie = cookies.header(url);
      let isSent = false;
      let ended: RemotingError | undefined;
      const aborted = (): void => {
        end(new RemotingError("Aborted", `The request to ${describeUrl(url)} was given up.`, { cause: signal.reason }));
      };
      const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, {
        method: "POST",
        agent: this.#agent,
        headers: {
          "Content-Type": contentType,
          "Content-Length": body.length,
          // IIS would compress the answer otherwise.
          "Accept-Encoding": "identity",
          "User-Agent": "pulumi-exchange-certificates",
          ...(cookie === undefined ? {} : { Cookie: cookie }),
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
      });
      const timer = setTimeout(() => {
        end(new RemotingError("TimedOut", `${describeUrl(url)} gave no answer within ${timeoutSeconds} seconds.`));
      }, timeoutSeconds * 1000);
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
      };
      const fail = (error: unknown): void => {
        settle();
        const failure = ended ?? (isSent ? exchangeFailure(url, error) : connectFailure(url, error));
        reject(isSent ? failure : asNotDone(failure));
      };
      /** Ends the request for a reason of our own. */
      const end = (why: RemotingError): void => {
        ended ??= why;
        this.#connecting?.destroy();
        request.destroy(why);
        fail(why);
      };
      signal.addEventListener("abort", aborted, { once: true });
      request.on("error", fail);
      request.on("socket", (socket) => {
        isSent = true;
        onSocket?.(socket);
      });
      request.on("response", (response) => {
        readBody(response, url).then((bytes) => {
          settle();
          const given = response.headers["set-cookie"] ?? [];
          cookies.store(given, url, now());
          if (given.length > 0) this.trace?.({ kind: "cookies", names: given.map(cookieName) });
          const answer = answerOf(response, bytes);
          onExchange?.({
            status: answer.status,
            sent: body.length,
            received: bytes.length,
            frontEnd: answer.frontEnd,
          });
          resolve(answer);
        }, fail);
      });
      request.end(body);
    });
  }

  /** A TCP connection, with TLS where the URL wants it; handed over when the peer is verified. */
  #connect(callback: (error: Error | null, socket: Socket | undefined) => void): void {
    const { url, tls = {}, connectTimeoutSeconds = DEFAULT_CONNECT_SECONDS } = this.#options;
    let isSettled = false;
    const done = (error: unknown, ready: Socket | undefined): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      this.#connecting = undefined;
      socket.off("close", closed);
      if (ready === undefined) {
        // What comes after the first error has nobody to hear it.
        socket.on("error", () => undefined);
        const failure = connectFailure(url, error);
        this.trace?.({ kind: "connectionFailed", code: failure.code, message: failure.message });
        callback(failure, undefined);
        return;
      }
      this.#isKnown = false;
      this.trace?.({ kind: "connected", peer: ready instanceof TLSSocket ? peerOf(ready) : undefined });
      callback(null, ready);
    };
    const closed = (): void => {
      done(notConnected("ConnectionRefused", url, { what: "the connection was closed." }), undefined);
    };
    const timer = setTimeout(() => {
      const said = { what: `nobody answered within ${connectTimeoutSeconds} seconds.`, remedy: IS_IT_UP };
      done(notConnected("ConnectionRefused", url, said, { facts: NOT_DONE }), undefined);
      socket.destroy();
    }, connectTimeoutSeconds * 1000);
    const isTls = url.protocol === "https:";
    this.trace?.({ kind: "connecting", host: url.hostname, port: portOf(url), isTls });
    const socket = isTls ? connectTls(url, tls, done) : connectPlain(url, done);
    this.#connecting = socket;
    socket.once("close", closed);
  }
}

/** Kerberos needs one or two, SPNEGO up to four. */
const MAX_ROUNDS = 8;

/** Of a Set-Cookie header; the value says who we are. */
function cookieName(header: string): string {
  const at = header.indexOf("=");
  return at < 1 ? "?" : header.slice(0, at).trim();
}

function refuseUnsafe({ url, authentication, tls }: ConnectionOptions): void {
  const refuse = (why: string): never => {
    throw new RemotingError("SettingsRefused", `The connection to ${describeUrl(url)} is refused: ${why}`, {
      facts: NOT_DONE,
    });
  };
  if (url.protocol !== "http:" && url.protocol !== "https:") refuse("its URL must begin with https:// or http://.");
  if (url.username !== "" || url.password !== "") refuse("a URL is no place for a user name or a password.");
  if (url.protocol === "https:") return;
  if (authentication.kind === "request") {
    refuse(`${authentication.scheme} over plain http would send the password in clear text. Use https.`);
  }
  if (tls?.ca !== undefined || tls?.serverName !== undefined) {
    refuse("a CA or a server name was given for TLS, but the URL begins with http://.");
  }
}

function unprotected(url: URL): RemotingError {
  return new RemotingError(
    "AuthenticationRefused",
    `Nothing is sent to ${describeUrl(url)}: over plain http bodies have to be encrypted, which wasn't agreed on.`,
    { facts: NOT_DONE },
  );
}
