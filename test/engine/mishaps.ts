import { randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";

import { startEndpoint, type Endpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import { makeEndpointCertificate } from "../../provider/backends/simulator/endpoint/tlsCertificate";
import type { Operation } from "../../provider/remoting/wsman/names";
import { decodeRequest, type ReceivedBody } from "../../provider/remoting/wsman/requests";
import { Secret } from "../../provider/secret";
import type { EngineProject } from "./engine";
import { PASSWORD, USER, storeOf } from "./served";

/** What goes wrong with a request of a certain cmdlet. */
export interface Mishap {
  readonly cmdlet: string;
  readonly operation: Operation;
  /**
   * `lost`: the connection ends and nothing was done. A number: it is done, and the connection ends after so many bytes
   * of the answer; negative: so many before its end. `restart`: it is done, and the endpoint is started anew before
   * there is an answer. Otherwise a fault of the endpoint.
   */
  readonly what: "lost" | "restart" | "shellExpired" | "throttled" | number;
  /** So many such requests are spared first. Default 0. */
  readonly after?: number;
  /** So many are hit. Default 1. */
  readonly times?: number;
}

/**
 * A front end between the CLI and the endpoint, over which the endpoint is reached at all. It reads along, so that
 * something can go wrong at a certain cmdlet.
 */
export interface BreakingFrontEnd {
  readonly url: string;
  /** PEM of the CA to trust. */
  readonly authority: string;
  /** Lets these go wrong from now on, forgets the earlier ones, and begins to count anew. */
  expect(...mishaps: readonly Mishap[]): void;
  /** How often each cmdlet has reached the endpoint. */
  reached(cmdlet: string): number;
  /** Mishaps that have not happened as often as they were to. */
  outstanding(): readonly Mishap[];
  close(): Promise<void>;
}

export async function startBreakingFrontEnd(project: EngineProject): Promise<BreakingFrontEnd> {
  let endpoint = await startBehind(project);
  const identity = makeEndpointCertificate(["localhost"], { now: new Date(), randomBytes });
  const sockets = new Set<Socket>();
  const cmdlets = new Map<string, string>();
  let counts = new Map<string, number>();
  let waiting: { readonly mishap: Mishap; seen: number; hit: number }[] = [];

  const mishapFor = (cmdlet: string | undefined, operation: string): Mishap | undefined => {
    let chosen: Mishap | undefined;
    for (const one of waiting) {
      const { mishap } = one;
      if (mishap.cmdlet !== cmdlet || mishap.operation !== operation) continue;
      one.seen += 1;
      const isDue = one.seen > (mishap.after ?? 0) && one.hit < (mishap.times ?? 1);
      if (!isDue || chosen !== undefined) continue;
      one.hit += 1;
      chosen = mishap;
    }
    return chosen;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bytesOf(request);
    const { body: asked } = decodeRequest(body.toString("utf8"));
    const commandId = commandIdOf(asked);
    const begun = asked.kind === "Command" ? cmdletOf(asked.fragments) : undefined;
    if (begun !== undefined && commandId !== undefined) cmdlets.set(commandId, begun);
    const cmdlet = cmdlets.get(commandId ?? "");
    const what = mishapFor(cmdlet, asked.kind)?.what;
    if (what === "lost") {
      request.socket.destroy();
      return;
    }
    if (what === "shellExpired" || what === "throttled") endpoint.inject({ fault: { kind: what } });
    else if (begun !== undefined) counts.set(begun, (counts.get(begun) ?? 0) + 1);
    const gone = new AbortController();
    response.once("close", () => {
      gone.abort();
    });
    const answered = await forward(request, body, endpoint.port, gone.signal);
    if (what === "restart") {
      await endpoint.close();
      endpoint = await startBehind(project);
      for (const socket of sockets) socket.destroy();
      return;
    }
    if (typeof what !== "number") {
      response.writeHead(answered.status, answered.headers);
      response.end(answered.body);
      return;
    }
    const raw = rawAnswer(answered);
    const cut = raw.subarray(0, what < 0 ? raw.length + what : what);
    // An empty write would never be confirmed.
    if (cut.length === 0) request.socket.destroy();
    else request.socket.write(cut, () => request.socket.destroy());
  };

  const server = createServer(
    { cert: identity.certificate, key: identity.privateKey.reveal() },
    (request, response) => {
      answer(request, response).catch(() => {
        request.socket.destroy();
      });
    },
  );
  server.on("secureConnection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  const port = await listen(server);
  return {
    url: `https://localhost:${String(port)}/PowerShell/`,
    authority: identity.authority,
    expect: (...mishaps) => {
      waiting = mishaps.map((mishap) => ({ mishap, seen: 0, hit: 0 }));
      counts = new Map();
    },
    reached: (cmdlet) => counts.get(cmdlet) ?? 0,
    outstanding: () => waiting.filter(({ mishap, hit }) => hit < (mishap.times ?? 1)).map(({ mishap }) => mishap),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, endpoint.close()]);
    },
  };
}

/** Plain http, because TLS ends in front of it. */
function startBehind(project: EngineProject): Promise<Endpoint> {
  return startEndpoint({ store: storeOf(project), user: { name: USER, password: new Secret(PASSWORD) } });
}

function commandIdOf(asked: ReceivedBody): string | undefined {
  if (asked.kind === "Send") return asked.streams[0]?.commandId;
  return "commandId" in asked ? asked.commandId : undefined;
}

/** The name of the first cmdlet in CREATE_PIPELINE. */
function cmdletOf(fragments: Uint8Array): string | undefined {
  return /<S N="Cmd">([^<]+)<\/S>/.exec(Buffer.from(fragments).toString("latin1"))?.[1];
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/** A client that has gone, which the signal tells, waits for nothing. */
function forward(request: IncomingMessage, body: Buffer, port: number, signal: AbortSignal): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { method, url: path, headers } = request;
    const behind = { host: "127.0.0.1", port, method, path, headers, signal, agent: false };
    const sent = httpRequest(behind, (response) => {
      bytesOf(response).then((answer) => {
        // The connection behind isn't the one in front.
        const own = Object.entries(response.headers).filter(([name]) => !/^(connection|keep-alive|date)$/.test(name));
        const kept = own.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(kept), body: answer });
      }, reject);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The answer byte by byte, to be cut anywhere. */
function rawAnswer({ status, headers, body }: Answered): Buffer {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`));
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${String(status)} Cut\r\n${lines.join("")}\r\n`), body]);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}
