import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { isRemotingError } from "../../../remoting/errors";
import type { FaultParts } from "../../../remoting/wsman/fault";
import { decodeRequest, type ReceivedRequest } from "../../../remoting/wsman/requests";
import { encodeFault, type ResponseHeader } from "../../../remoting/wsman/responses";
import type { Secret } from "../../../secret";
import type { EndpointBehaviour, FaultPlan, RequestFault } from "./behaviour";
import { COOKIE_NAME, type RequestContext, type Shells } from "./shells";
import { isRefusal, REFUSALS, requestInvalid, requestTooLarge, WsmanFaultError } from "./wsmanFaults";

export interface EndpointUser {
  readonly name: string;
  readonly password: Secret<string>;
}

/** What answers a request. */
export interface HttpEnvironment {
  readonly shells: Shells;
  readonly faults: FaultPlan;
  readonly behaviour: () => EndpointBehaviour;
  readonly newGuid: () => string;
  /** Whoever may come; `undefined` lets everybody in. */
  readonly user: EndpointUser | undefined;
  /** Cookies are marked for https. */
  readonly isTls: boolean;
  /** The server of that name, or the one that a request with this Host header is for, if its endpoint is there at all. */
  readonly serverFor: (host: string | undefined, named: string | undefined) => Promise<string | undefined>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The connection ends; nothing is answered. */
class ConnectionLost extends Error {}

/** Answers the HTTP requests of a `/PowerShell/` virtual directory. */
export function requestListener(environment: HttpEnvironment): RequestListener {
  return (request, response) => {
    void answerRequest(request, response, environment).catch(() => {
      request.socket.destroy();
    });
  };
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  environment: HttpEnvironment,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const cut: { atByte: number | undefined } = { atByte: undefined };
  let answer: Answer;
  try {
    answer = await answerFor(request, environment, gone.signal, cut);
  } catch (error) {
    if (gone.signal.aborted || error instanceof ConnectionLost) {
      request.socket.destroy();
      return;
    }
    answer = plain(500, "The simulated endpoint failed.");
  }
  if (cut.atByte === undefined) {
    response.writeHead(answer.status, headersOf(answer));
    response.end(answer.body);
    return;
  }
  const bytes = rawResponse(answer).subarray(0, cut.atByte);
  // An empty write would never be confirmed.
  if (bytes.length === 0) request.socket.destroy();
  else request.socket.write(bytes, () => request.socket.destroy());
}

function headersOf(answer: Answer): Record<string, string> {
  return { ...answer.headers, "Content-Length": String(Buffer.byteLength(answer.body)) };
}

/** The response byte by byte, to be cut anywhere. */
function rawResponse(answer: Answer): Buffer {
  const lines = Object.entries(headersOf(answer)).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`HTTP/1.1 ${answer.status} Simulated\r\n${lines.join("")}\r\n${answer.body}`);
}

async function answerFor(
  request: IncomingMessage,
  environment: HttpEnvironment,
  signal: AbortSignal,
  cut: { atByte: number | undefined },
): Promise<Answer> {
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  if (!/^\/powershell\/?$/i.test(path)) return plain(404, "Not found. The endpoint is /PowerShell/.");
  if (request.method !== "POST") return plain(405, "WS-Management is spoken with POST.");
  const user = userOf(request.headers.authorization, environment.user);
  if (user === undefined) return unauthorized(request);
  const body = await readBody(request, environment.behaviour().maxRequestBytes);

  let decoded: ReceivedRequest | undefined;
  const header = (): ResponseHeader => ({ messageId: environment.newGuid(), relatesTo: decoded?.messageId ?? "" });
  try {
    if (body === undefined) throw new WsmanFaultError(requestTooLarge(environment.behaviour().maxRequestBytes));
    decoded = decode(body, request.headers["content-type"]);
    const { kind } = decoded.body;
    const fault = environment.faults.take(kind === "other" ? undefined : kind);
    if (fault?.kind === "unauthorized") return unauthorized(request);
    if (fault?.kind === "forbidden") return page(403, "403.4 - Forbidden: SSL is required to view this resource.");
    if (fault?.kind === "notFound") return page(404, "404 - File or directory not found.");
    if (fault?.kind === "unavailable") return unavailable();
    await befall(fault, decoded, environment, signal);
    const server = await environment.serverFor(request.headers.host, environment.shells.serverOf(decoded.shellId));
    if (server === undefined) return unavailable();

    const context: RequestContext = {
      user,
      cookies: cookiesOf(request.headers.cookie),
      server,
      isFull: /(?:^|[;&])serializationLevel=Full(?:$|[;&])/i.test(decodeQuery(query)),
      signal,
    };
    if (fault?.kind === "responseCut") cut.atByte = fault.atByte;
    const { xml, created } = await environment.shells.handle(decoded, context, header());
    const isCookieSet = created !== undefined && environment.behaviour().cookie !== "none";
    const cookie = isCookieSet ? { "Set-Cookie": cookieFor(created.cookie, environment.isTls) } : {};
    return soap(200, xml, { ...cookie, "X-FEServer": server.split(".")[0]?.toUpperCase() ?? "" });
  } catch (error) {
    if (signal.aborted || error instanceof ConnectionLost) throw new ConnectionLost();
    return soap(500, encodeFault(header(), faultOf(error)));
  }
}

/** What goes wrong before anything is done. */
async function befall(
  fault: RequestFault | undefined,
  request: ReceivedRequest,
  { shells }: HttpEnvironment,
  signal: AbortSignal,
): Promise<void> {
  if (fault !== undefined && isRefusal(fault.kind)) throw new WsmanFaultError(REFUSALS[fault.kind]());
  switch (fault?.kind) {
    case "requestLost":
      throw new ConnectionLost();
    case "poolBroken":
      if (request.shellId !== undefined) shells.breakPool(request.shellId);
      return;
    case "shellExpired":
      if (request.shellId !== undefined) shells.drop(request.shellId);
      return;
    case "slow":
      await wait(fault.milliseconds, undefined, { signal });
      return;
    default:
      return;
  }
}

function faultOf(error: unknown): FaultParts {
  if (error instanceof WsmanFaultError) return error.parts;
  if (isRemotingError(error)) return requestInvalid(error.message);
  return {
    role: "Receiver",
    subcode: "w:InternalError",
    code: 0x80338012,
    message: `The simulated endpoint failed: ${error instanceof Error ? error.message : "for an unknown reason"}`,
  };
}

/** The whole body; `undefined` when it is longer than the limit, whose rest is read and dropped. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length <= limit) pieces.push(piece);
  }
  return length > limit ? undefined : Buffer.concat(pieces);
}

/** Windows' own client may write UTF-16. */
function decode(body: Buffer, contentType = ""): ReceivedRequest {
  const isWide = /charset="?utf-16/i.test(contentType) || (body[0] === 0xff && body[1] === 0xfe);
  return decodeRequest(new TextDecoder(isWide ? "utf-16le" : "utf-8").decode(body));
}

/** The user's name when the credentials are right. Without a user everybody is somebody. */
function userOf(authorization: string | undefined, user: EndpointUser | undefined): string | undefined {
  const token = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  const clear = token === undefined ? undefined : Buffer.from(token, "base64").toString("utf8");
  const colon = clear?.indexOf(":") ?? -1;
  if (user === undefined) return colon > 0 ? clear?.slice(0, colon) : "anonymous";
  if (clear === undefined || colon < 0) return undefined;
  const isName = clear.slice(0, colon).toLowerCase() === user.name.toLowerCase();
  const isPassword = timingSafeEqual(digest(clear.slice(colon + 1)), digest(user.password.reveal()));
  return isName && isPassword ? user.name : undefined;
}

/** Of equal length, which comparing in constant time needs. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function decodeQuery(query: string): string {
  try {
    return decodeURIComponent(query);
  } catch {
    return query;
  }
}

function cookiesOf(header = ""): string[] {
  return header
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${COOKIE_NAME}=`))
    .map((part) => part.slice(COOKIE_NAME.length + 1));
}

/** The path isn't written as in the URL: clients have to compare it without regard to case. */
function cookieFor(value: string, isTls: boolean): string {
  return `${COOKIE_NAME}=${value}; path=/powershell${isTls ? "; secure" : ""}; HttpOnly`;
}

function soap(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return { status, headers: { "Content-Type": "application/soap+xml;charset=UTF-8", ...headers }, body };
}

function plain(status: number, body: string): Answer {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: `${body}\n` };
}

function unauthorized(request: IncomingMessage): Answer {
  const realm = (request.headers.host ?? "").replace(/[^\w.:-]/g, "");
  return { status: 401, headers: { "WWW-Authenticate": `Basic realm="${realm}"` }, body: "" };
}

/** A page of the web server's own. */
function page(status: number, title: string): Answer {
  const body = `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h2>${title}</h2></body></html>\n`;
  return { status, headers: { "Content-Type": "text/html" }, body };
}

/** What the front end says when nothing answers behind it. */
function unavailable(): Answer {
  return { status: 503, headers: { "Content-Type": "text/html" }, body: "<h2>Service Unavailable</h2>\n" };
}
