import { request } from "node:http";
import type { Socket } from "node:net";
import { answerOf } from "./answer";
import { exchangeFailure, offeredSchemes } from "./failures";

/** What a web server answers to somebody who doesn't say who he is. */
export interface StrangerAnswer {
  readonly status: number;
  /** Methods of authentication that it takes; their parameters are left out. */
  readonly offers: readonly string[];
  /** The server that says it answered (X-FEServer). */
  readonly frontEnd: string | undefined;
  /** Its clock, to the second. */
  readonly date: Date | undefined;
  /** That was asked for. */
  readonly path: string;
}

/**
 * One empty request without credentials, over a connection that is already there and that isn't used again. Nothing
 * can come of it but an answer. Throws RemotingErrors.
 */
export function askAsStranger(url: URL, socket: Socket, signal: AbortSignal): Promise<StrangerAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({
      // The socket speaks TLS already where the URL wants it.
      createConnection: () => socket,
      method: "POST",
      path: `${url.pathname}${url.search}`,
      headers: {
        Host: url.host,
        "Content-Type": "application/soap+xml;charset=UTF-8",
        "Content-Length": 0,
        "User-Agent": "pulumi-exchange-certificates",
        Connection: "close",
      },
      signal,
    });
    asked.on("error", (error) => {
      reject(exchangeFailure(url, error));
    });
    asked.on("response", (response) => {
      const { status, challenges, frontEnd } = answerOf(response, new Uint8Array());
      const date = new Date(response.headers.date ?? Number.NaN);
      response.destroy();
      resolve({
        status,
        offers: offeredSchemes(challenges),
        frontEnd,
        date: Number.isNaN(date.getTime()) ? undefined : date,
        path: url.pathname,
      });
    });
    asked.end();
  });
}
