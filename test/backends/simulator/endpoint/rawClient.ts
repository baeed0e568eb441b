import { atOnce } from "../../../../provider/remoting/steps";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { request } from "node:http";
import {
  startEndpoint,
  type Endpoint,
  type EndpointOptions,
} from "../../../../provider/backends/simulator/endpoint/endpoint";
import type { Organisation } from "../../../../provider/backends/simulator/organisation";
import { memoryState, type StateStore } from "../../../../provider/backends/simulator/stateFile";
import { encodeFragment } from "../../../../provider/remoting/psrp/fragment";
import { encodeMessage, type MessageType } from "../../../../provider/remoting/psrp/message";
import type { ClientPipeline, PipelineEvent } from "../../../../provider/remoting/psrp/pipeline";
import type { Command } from "../../../../provider/remoting/psrp/pipelineMessages";
import type { HostKind } from "../../../../provider/remoting/psrp/poolMessages";
import { ClientRunspacePool, type RsaKeyPair } from "../../../../provider/remoting/psrp/runspacePool";
import type { Operation, Signal } from "../../../../provider/remoting/wsman/names";
import {
  encodeCommand,
  encodeCreate,
  encodeDelete,
  encodeReceive,
  encodeSend,
  encodeSignal,
} from "../../../../provider/remoting/wsman/requests";
import { decodeResponse, type WsmanResponse } from "../../../../provider/remoting/wsman/responses";

/** What a test may say about an HTTP request. */
export interface Exchange {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One HTTP request on a connection of its own. Rejects when the connection ends before the response does. */
export function exchange(
  port: number,
  { path = "/PowerShell/", method = "POST", ...more }: Exchange,
): Promise<HttpAnswer> {
  const { headers = {}, body = "", signal } = more;
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, headers, agent: false, ...(signal && { signal }) };
    const sent = request(options, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.once("error", reject);
      response.once("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces).toString("utf8"),
        });
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** An organisation in memory behind plain http. */
export async function serve(
  organisation: Organisation,
  options: Partial<EndpointOptions> = {},
): Promise<{ readonly endpoint: Endpoint; readonly store: StateStore }> {
  const store = memoryState(organisation);
  return { store, endpoint: await startEndpoint({ store, ...options }) };
}

const EXCHANGE = "http://schemas.microsoft.com/powershell/Microsoft.Exchange";

export interface RawClientOptions {
  readonly host?: HostKind;
  readonly maxRunspaces?: number;
  readonly resourceUri?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly operationTimeoutSeconds?: number;
  readonly maxEnvelopeBytes?: number;
}

/** Made once per test file: that is slow. */
let keyPair: RsaKeyPair | undefined;

/**
 * A session by hand: the client half of the protocols and one HTTP connection per request, with nothing that tries
 * again or tidies up, so that tests see every answer as it is.
 */
export class RawClient {
  readonly pool: ClientRunspacePool;
  readonly #port: number;
  readonly #options: RawClientOptions;
  readonly #sessionId = randomUUID();
  cookie: string | undefined;
  shellId: string;

  constructor({ port }: { readonly port: number }, options: RawClientOptions = {}) {
    this.#port = port;
    this.#options = options;
    const { host = "prompts", maxRunspaces = 1 } = options;
    this.pool = new ClientRunspacePool({ id: randomUUID(), host, maxRunspaces });
    this.shellId = this.pool.id.toUpperCase();
  }

  header(): Parameters<typeof encodeDelete>[0] & { readonly messageId: string } {
    return {
      to: `http://127.0.0.1:${this.#port}/PowerShell/`,
      resourceUri: this.#options.resourceUri ?? EXCHANGE,
      sessionId: this.#sessionId,
      messageId: randomUUID(),
      operationTimeoutSeconds: this.#options.operationTimeoutSeconds ?? 20,
      maxEnvelopeBytes: this.#options.maxEnvelopeBytes ?? 153_600,
      shellId: this.shellId,
    };
  }

  /** Sends one envelope as it is. */
  async post(
    operation: Operation,
    build: (header: ReturnType<RawClient["header"]>) => string,
    signal?: AbortSignal,
  ): Promise<WsmanResponse> {
    const header = this.header();
    const answer = await exchange(this.#port, {
      ...(this.#options.path !== undefined && { path: this.#options.path }),
      headers: {
        "Content-Type": "application/soap+xml;charset=UTF-8",
        ...(this.cookie !== undefined && { Cookie: this.cookie }),
        ...this.#options.headers,
      },
      body: build(header),
      ...(signal !== undefined && { signal }),
    });
    const [cookie] = answer.headers["set-cookie"] ?? [];
    if (cookie !== undefined) this.cookie = cookie.split(";", 1)[0];
    if (!answer.body.startsWith("<s:Envelope")) throw new Error(`HTTP ${answer.status}: ${answer.body}`);
    return atOnce(decodeResponse(answer.body, { operation, messageId: header.messageId }));
  }

  create(): Promise<WsmanResponse> {
    this.pool.open();
    const creationXml = this.pool.take(100_000)?.bytes ?? new Uint8Array();
    return this.post("Create", (header) => encodeCreate(header, { runspacePoolId: this.pool.id, creationXml }));
  }

  receive(pipelineId?: string, signal?: AbortSignal): Promise<WsmanResponse> {
    return this.post("Receive", (header) => encodeReceive(header, { pipelineId }), signal);
  }

  delete(): Promise<WsmanResponse> {
    return this.post("Delete", encodeDelete);
  }

  signal(pipelineId: string, signal: Signal): Promise<WsmanResponse> {
    return this.post("Signal", (header) => encodeSignal(header, { pipelineId, signal }));
  }

  /** Opens the pool. */
  async open(): Promise<this> {
    await this.create();
    while (this.pool.state !== "Opened") this.#toPool(await this.receive());
    return this;
  }

  async exchangeKeys(): Promise<void> {
    keyPair ??= generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.pool.exchangeKeys(keyPair);
    await this.#send(this.pool);
    while (!this.pool.hasSessionKey) this.#toPool(await this.receive());
  }

  #toPool(response: WsmanResponse): void {
    if (response.kind !== "received") throw new Error(`The pool got ${JSON.stringify(response)}`);
    for (const { bytes } of response.streams) this.pool.receive(bytes);
  }

  /** Starts a pipeline and leaves it alone. */
  async start(...commands: readonly Command[]): Promise<ClientPipeline> {
    const pipeline = this.pool.createPipeline(randomUUID(), commands);
    const firstFragments = pipeline.take(100_000)?.bytes ?? new Uint8Array();
    const started = await this.post("Command", (header) =>
      encodeCommand(header, { pipelineId: pipeline.id, firstFragments }),
    );
    if (started.kind !== "commandStarted") throw new Error(`The pipeline got ${JSON.stringify(started)}`);
    await this.#send(pipeline);
    return pipeline;
  }

  /** Sends the first message of a command as it is. */
  async startWith(
    type: MessageType,
    xml: string,
  ): Promise<{ readonly pipeline: ClientPipeline; answer: WsmanResponse }> {
    const pipeline = this.pool.createPipeline(randomUUID(), [cmdlet("Get-Nothing")]);
    while (pipeline.take(100_000) !== undefined);
    const parts = { destination: "server", type, runspacePoolId: this.pool.id, pipelineId: pipeline.id } as const;
    const head = encodeMessage({ ...parts, value: undefined });
    const blob = Buffer.concat([head, Buffer.from(xml, "utf8")]);
    const firstFragments = encodeFragment({ objectId: 99n, fragmentId: 0n, isStart: true, isEnd: true, blob });
    const answer = await this.post("Command", (header) =>
      encodeCommand(header, { pipelineId: pipeline.id, firstFragments }),
    );
    return { pipeline, answer };
  }

  /** Reads a pipeline to its end; `onEvent` may answer host calls. */
  async finish(
    pipeline: ClientPipeline,
    onEvent: (event: PipelineEvent) => void = () => undefined,
  ): Promise<readonly PipelineEvent[]> {
    const events: PipelineEvent[] = [];
    for (;;) {
      const response = await this.receive(pipeline.id);
      if (response.kind !== "received") throw new Error(`The pipeline got ${JSON.stringify(response)}`);
      for (const event of response.streams.flatMap(({ bytes }) => pipeline.receive(bytes))) {
        events.push(event);
        onEvent(event);
      }
      await this.#send(pipeline);
      if (response.commandState?.state === "Done") return events;
    }
  }

  /** Runs a pipeline from start to end. */
  async run(...commands: readonly Command[]): Promise<readonly PipelineEvent[]> {
    return this.finish(await this.start(...commands));
  }

  async #send(from: ClientPipeline | ClientRunspacePool): Promise<void> {
    const pipelineId = from === this.pool ? undefined : from.id;
    for (let part = from.take(50_000); part !== undefined; part = from.take(50_000)) {
      const { stream, bytes } = part;
      await this.post("Send", (header) => encodeSend(header, { pipelineId, stream, fragments: bytes }));
    }
  }
}

/** The last event: how a pipeline ended. */
export function endOf(events: readonly PipelineEvent[]): Extract<PipelineEvent, { readonly kind: "state" }> {
  const last = events.at(-1);
  if (last?.kind !== "state") throw new Error("The pipeline didn't end.");
  return last;
}

export function cmdlet(name: string, parameters: Command["parameters"] = {}): Command {
  return { name, parameters };
}
