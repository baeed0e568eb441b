import { lookup } from "node:dns/promises";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { messageOf } from "../errors";
import { isRemotingError, RemotingError } from "../remoting/errors";
import { connectPlain } from "../remoting/http/tcp";
import { connectTls, type TlsOptions } from "../remoting/http/tls";
import type { Address } from "./reachFindings";

/* The looks at the way to a server that need no session. Each ends with its signal and leaves nothing behind. */

/** Rejects with Node's error, whose `code` tells why. */
export async function lookUp(host: string): Promise<readonly Address[]> {
  return lookup(host, { all: true });
}

type Begin<S> = (done: (error: unknown, socket: S | undefined) => void) => Socket;

function connected<S extends Socket>(begin: Begin<S>, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (error: unknown, ready: S | undefined): void => {
      signal.removeEventListener("abort", stop);
      // What comes after the first error has nobody to hear it.
      socket.on("error", () => undefined);
      if (ready !== undefined) {
        resolve(ready);
        return;
      }
      socket.destroy();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- Node's own error, as it is
      reject(error);
    };
    const stop = (): void => {
      settle(signal.reason, undefined);
    };
    const socket = begin(settle);
    socket.once("close", () => {
      settle(new Error("the connection was closed"), undefined);
    });
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** A TCP connection. Rejects with Node's error. */
export function connectTcp(url: URL, signal: AbortSignal): Promise<Socket> {
  return connected<Socket>((done) => connectPlain(url, done), signal);
}

/** A TLS connection whose peer is verified as every session's is. Rejects with a RemotingError. */
export async function connectVerified(url: URL, tls: TlsOptions, signal: AbortSignal): Promise<TLSSocket> {
  try {
    return await connected<TLSSocket>((done) => connectTls(url, tls, done), signal);
  } catch (error) {
    if (isRemotingError(error)) throw error;
    const code = codeOf(error);
    throw new RemotingError("TlsRefused", `TLS could not be agreed on (${code}).`, {
      cause: error,
      facts: { tlsCode: code },
    });
  }
}

/** Node's name for what went wrong; of several addresses that were tried, the first one's. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return messageOf(error);
  if (isRemotingError(error)) return error.cause === undefined ? error.message : codeOf(error.cause);
  if ("code" in error && typeof error.code === "string") return error.code;
  if ("errors" in error && Array.isArray(error.errors) && error.errors.length > 0) return codeOf(error.errors[0]);
  return messageOf(error);
}
