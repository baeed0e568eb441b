import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";
import { RemotingError } from "../errors";
import type { HttpExchange, Trace } from "../trace";
import { decodeUtf8 } from "../xml";
import type { Authentication, ConnectionAuthentication, SecurityContext } from "./authentication";
import type { CookieJar } from "./cookies";
import { asNotDone, connectFailure, describeUrl, exchangeFailure, type HttpAnswer, statusFailure } from "./failures";
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

/** Far above the largest envelope that we say we take (512,000 bytes), encrypted or not. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const SOAP = "application/soap+xml;charset=UTF-8";
const DEFAULT_CONNECT_SECONDS = 15;
const NOT_DONE = { fate: "notDone" } as const;

interface RawAnswer extends HttpAnswer {
  readonly body: Uint8Array;
}

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

  /** Ends the TCP connection. May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#forgetContext();
    this.#connecting?.destroy();
    this.#agent.destroy();
  }

  async #post(clear: Uint8Array, options: PostOptions): Promise<string> {
    const { authentication, url } = this.#options;
    let answer: RawAnswer;
    if (authentication.kind === "request") {
      answer = await this.#send(clear, SOAP, authentication.authorization().reveal(), options);
      this.#traceKnown(authentication.scheme, answer.status);
    } else {
      answer = await this.#sendInContext(authentication, clear, options);
      // The TCP connection was a new one, and with it we were strangers again: nothing has been done.
      if (answer.status === 401) answer = await this.#sendInContext(authentication, clear, options);
    }
    const sealing = this.#context?.security.sealing;
    const isSealed = isEncrypted(answer.contentType);
    if (isSealed && sealing !== undefined) return decodeUtf8(decryptBody(sealing, answer.body));
    // A server that answers in the clear what was asked encrypted may be someone in between.
    if (sealing === undefined && !isSealed && isSoap(answer)) return decodeUtf8(answer.body);
    throw statusFailure(url, authentication.scheme, answer);
  }

  async #sendInContext(
    authentication: ConnectionAuthentication,
    clear: Uint8Array,
    options: PostOptions,
  ): Promise<RawAnswer> {
    if (this.#context?.socket.destroyed !== false) await this.#authenticate(authentication, options);
    const sealing = this.#context?.security.sealing;
    const sent = sealing === undefined ? { contentType: SOAP, body: clear } : encryptBody(sealing, clear);
    const answer = await this.#send(sent.body, sent.contentType, undefined, options);
    if (answer.status === 401) this.#forgetContext();
    return answer;
  }

  /** Requests without a body until both sides know each other. */
  async #authenticate(authentication: ConnectionAuthentication, options: PostOptions): Promise<void> {
    this.#forgetContext();
    const { url } = this.#options;
    const { scheme } = authentication;
    const security = authentication.begin({ host: url.hostname, isTls: url.protocol === "https:" });
    const tell = (outcome: "begun" | "accepted" | "refused", status?: number): void => {
      const isEncrypted = security.sealing !== undefined;
      this.trace?.({ kind: "authentication", scheme, outcome, status, isEncrypted, ...security.describe?.() });
    };
    let status: number | undefined;
    try {
      let token = await security.step(undefined, options.signal);
      tell("begun");
      for (let round = 0; token !== undefined && round < MAX_ROUNDS; round++) {
        const header = `${scheme} ${Buffer.from(token).toString("base64")}`;
        let socket: Socket | undefined;
        const answer = await this.#send(new Uint8Array(), SOAP, header, options, (used) => (socket = used));
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
          return;
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

  #send(
    body: Uint8Array,
    contentType: string,
    authorization: string | undefined,
    { signal, timeoutSeconds, onExchange }: PostOptions,
    onSocket?: (socket: Socket) => void,
  ): Promise<RawAnswer> {
    const { url, cookies, now } = this.#options;
    if (this.#isClosed) {
      return Promise.reject(
        new RemotingError("SessionClosed", `The connection to ${describeUrl(url)} was closed.`, { facts: NOT_DONE }),
      );
    }
    const cookie = cookies.header(url);
    return new Promise<RawAnswer>((resolve, reject) => {
      let isSent = false;
      let ended: RemotingError | undefined;
      const aborted = (): void => {
        end(new RemotingError("Aborted", `The request to ${describeUrl(url)} was given up.`, { cause: signal.reason }));
      };
      if (signal.aborted) {
        reject(new RemotingError("Aborted", `The request to ${describeUrl(url)} wasn't begun.`, { facts: NOT_DONE }));
        return;
      }
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
      done(
        new RemotingError("ConnectionRefused", `Connecting to ${describeUrl(url)}: the connection was closed.`),
        undefined,
      );
    };
    const timer = setTimeout(() => {
      const what = `nobody answered within ${connectTimeoutSeconds} seconds`;
      const remedy = "Check that the server is up, and that no firewall is in between.";
      done(
        new RemotingError("ConnectionRefused", `Connecting to ${describeUrl(url)}: ${what}. ${remedy}`, {
          facts: NOT_DONE,
        }),
        undefined,
      );
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

function isSoap({ contentType, body }: RawAnswer): boolean {
  return /^\s*(?:application\/soap\+xml|text\/xml)\b/i.test(contentType) && body.length > 0;
}

function answerOf(response: IncomingMessage, body: Uint8Array): RawAnswer {
  const challenges = response.headersDistinct["www-authenticate"] ?? [];
  const frontEnd = response.headers["x-feserver"];
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers["content-type"] ?? "",
    location: response.headers.location,
    challenges,
    frontEnd: typeof frontEnd === "string" && /^[A-Za-z0-9.-]{1,64}$/.test(frontEnd) ? frontEnd : undefined,
    body,
  };
}

async function readBody(response: IncomingMessage, url: URL): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_RESPONSE_BYTES) {
      throw new RemotingError(
        "HttpUnexpected",
        `${describeUrl(url)} sent an answer of more than ${MAX_RESPONSE_BYTES} bytes, which is refused.`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** The token of a challenge of our own scheme. */
function tokenOf(challenges: readonly string[], scheme: string): Uint8Array | undefined {
  for (const challenge of challenges) {
    const [name, token] = challenge.trim().split(/\s+/, 2);
    if (name?.toLowerCase() === scheme.toLowerCase() && token !== undefined && /^[A-Za-z0-9+/]+=*$/.test(token)) {
      return Buffer.from(token, "base64");
    }
  }
  return undefined;
}
