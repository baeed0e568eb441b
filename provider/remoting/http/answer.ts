import type { IncomingMessage } from "node:http";
import { RemotingError } from "../errors";
import { GrowingBytes } from "../growingBytes";
import { describeUrl, type HttpAnswer } from "./failures";
import { isEncrypted } from "./multipart";

/** Far above the largest envelope that we say we take (512,000 bytes), encrypted or not. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

export interface RawAnswer extends HttpAnswer {
  readonly body: Uint8Array;
}

/**
 * Whether a server that was sent an encrypted body doesn't take such. Nothing has been done then: it either didn't read
 * the body, or says by a fault in the clear that it doesn't understand it.
 */
export function isBodyRefused(answer: RawAnswer): boolean {
  if (isEncrypted(answer.contentType)) return false;
  if (answer.status === 400 || answer.status === 415) return true;
  return answer.status === 500 && isSoap(answer) && FAULT.test(Buffer.from(answer.body).toString("utf8"));
}

const FAULT = /<(?:[A-Za-z0-9]+:)?Fault[\s>]/;

export function isSoap({ contentType, body }: RawAnswer): boolean {
  return /^\s*(?:application\/soap\+xml|text\/xml)\b/i.test(contentType) && body.length > 0;
}

export function answerOf(response: IncomingMessage, body: Uint8Array): RawAnswer {
  const challenges = response.headersDistinct["www-authenticate"] ?? [];
  const frontEnd = response.headers["x-feserver"];
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers["content-type"] ?? "",
    location: response.headers.location,
    challenges,
    frontEnd: typeof frontEnd === "string" && /^[A-Za-z0-9.-]{1,64}$/.test(frontEnd) ? frontEnd : undefined,
    title: titleOf(response.headers["content-type"] ?? "", body),
    body,
  };
}

/** The title of a page that isn't SOAP, or the first line of a text; what can't be printed left out. */
function titleOf(contentType: string, body: Uint8Array): string | undefined {
  if (!/^\s*text\/(?:html|plain)\b/i.test(contentType)) return undefined;
  const start = Buffer.from(body.subarray(0, 4096)).toString("utf8");
  const said =
    /<title>([^<]{1,200})/i.exec(start)?.[1] ??
    start
      .replace(/<[^>]*>/g, "")
      .trim()
      .split("\n", 1)[0] ??
    "";
  const title = said
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, " ")
    .trim()
    .slice(0, 120);
  return title === "" ? undefined : title;
}

export async function readBody(response: IncomingMessage, url: URL): Promise<Uint8Array> {
  // No list of the pieces: they may come byte by byte, and each would take a hundred.
  const body = new GrowingBytes();
  for await (const piece of response as AsyncIterable<Buffer>) {
    if (body.length + piece.length > MAX_RESPONSE_BYTES) {
      throw new RemotingError(
        "HttpUnexpected",
        `${describeUrl(url)} sent an answer of more than ${MAX_RESPONSE_BYTES} bytes, which is refused.`,
      );
    }
    body.append(piece);
  }
  return body.bytes;
}

/** The token of a challenge of our own scheme. */
export function tokenOf(challenges: readonly string[], scheme: string): Uint8Array | undefined {
  for (const challenge of challenges) {
    const [name, token] = challenge.trim().split(/\s+/, 2);
    if (name?.toLowerCase() === scheme.toLowerCase() && token !== undefined && /^[A-Za-z0-9+/]+=*$/.test(token)) {
      return Buffer.from(token, "base64");
    }
  }
  return undefined;
}
