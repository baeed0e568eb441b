import type { ReceivedBody, ReceivedRequest } from "../../../remoting/wsman/requests";
import {
  encodeCommandResponse,
  encodeCreateResponse,
  encodeEmptyResponse,
  encodeReceiveResponse,
  type ResponseHeader,
} from "../../../remoting/wsman/responses";
import { Shell, type ShellEnvironment } from "./shell";
import {
  actionNotSupported,
  requestInvalid,
  resourceUriInvalid,
  shellNotFound,
  tooManyShells,
  WsmanFaultError,
} from "./wsmanFaults";

/** The one configuration that answers here. */
const RESOURCE_URI = "http://schemas.microsoft.com/powershell/Microsoft.Exchange";

/** Default of OperationTimeout, and the most that is granted: MaxOperationTimeoutSeconds of the virtual directory. */
const DEFAULT_TIMEOUT_SECONDS = 60;
const MAX_TIMEOUT_SECONDS = 900;
/** What an envelope needs around its fragments. */
const ENVELOPE_BYTES = 4096;
const DEFAULT_ENVELOPE_BYTES = 153_600;

/** What HTTP says about a request. */
export interface RequestContext {
  readonly user: string;
  /** Values of the cookie {@link COOKIE_NAME}. */
  readonly cookies: readonly string[];
  /** FQDN of the server that a new shell is to be on. */
  readonly server: string;
  /** `serializationLevel=Full` in the URL. */
  readonly isFull: boolean;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

export interface ShellAnswer {
  readonly xml: string;
  /** The shell that was made, for its cookie. */
  readonly created?: Shell;
}

export const COOKIE_NAME = "MS-WSMAN";

/** The shells of an endpoint, by what WS-Management calls them. */
export class Shells {
  readonly #shells = new Map<string, Shell>();
  readonly #environment: Omit<ShellEnvironment, "server" | "isFull">;

  constructor(environment: Omit<ShellEnvironment, "server" | "isFull">) {
    this.#environment = environment;
  }

  get count(): number {
    this.#expire();
    return this.#shells.size;
  }

  /** The server that a shell is on; `undefined` when there is no such shell. */
  serverOf(shellId: string | undefined): string | undefined {
    return this.#servers.get(this.#shells.get(shellId ?? "") ?? NO_SHELL);
  }
  readonly #servers = new WeakMap<object, string>();

  /** Does what a request asks for. Throws {@link WsmanFaultError}. */
  async handle(request: ReceivedRequest, context: RequestContext, header: ResponseHeader): Promise<ShellAnswer> {
    this.#expire();
    const { body } = request;
    if (body.kind === "other") throw new WsmanFaultError(actionNotSupported(body.action));
    if (request.resourceUri.toLowerCase() !== RESOURCE_URI.toLowerCase()) {
      throw new WsmanFaultError(resourceUriInvalid(request.resourceUri));
    }
    if (body.kind === "Create") return this.#create(request, body, context, header);
    const shell = this.#require(request.shellId ?? "", context);
    shell.busy += 1;
    try {
      return { xml: await this.#inShell(shell, { ...request, body }, context, header) };
    } finally {
      shell.busy -= 1;
      shell.lastUsed = this.#now();
    }
  }

  /** The shell is gone, as after a restart of the back end. */
  drop(shellId: string): void {
    this.#shells.get(shellId)?.close();
    this.#shells.delete(shellId);
  }

  /** The runspace pool of a shell is broken, while the shell itself is still there. */
  breakPool(shellId: string): void {
    this.#shells.get(shellId)?.break();
  }

  close(): void {
    for (const shellId of [...this.#shells.keys()]) this.drop(shellId);
  }

  #create(
    request: ReceivedRequest,
    body: Extract<ReceivedBody, { readonly kind: "Create" }>,
    context: RequestContext,
    header: ResponseHeader,
  ): ShellAnswer {
    const { env, behaviour, randomBytes } = this.#environment;
    const { maxShellsPerUser, idleTimeoutSeconds } = behaviour();
    const own = [...this.#shells.values()].filter(({ owner }) => owner === context.user);
    if (own.length >= maxShellsPerUser) throw new WsmanFaultError(tooManyShells(context.user, maxShellsPerUser));
    const id = body.shellId ?? env.newGuid().toUpperCase();
    if (this.#shells.has(id)) throw new WsmanFaultError(requestInvalid("There is a shell of that ShellId already."));
    const identity = {
      id,
      owner: context.user,
      // The value of the real one holds "=" too.
      cookie: `${context.user.replace(/[^\w.@\\-]/g, "_")}=${Buffer.from(randomBytes(24)).toString("base64")}`,
      idleTimeoutSeconds: Math.min(body.idleTimeoutSeconds ?? idleTimeoutSeconds, idleTimeoutSeconds),
      lastUsed: this.#now(),
    };
    const { server, isFull } = context;
    const shell = new Shell(identity, body.creationXml, { ...this.#environment, server, isFull });
    this.#shells.set(id, shell);
    this.#servers.set(shell, server);
    const xml = encodeCreateResponse(header, {
      to: request.to,
      resourceUri: RESOURCE_URI,
      shellId: id,
      owner: shell.owner,
      idleTimeoutSeconds: shell.idleTimeoutSeconds,
    });
    return { xml, created: shell };
  }

  async #inShell(
    shell: Shell,
    request: ReceivedRequest & { readonly body: Exclude<ReceivedBody, { readonly kind: "Create" | "other" }> },
    context: RequestContext,
    header: ResponseHeader,
  ): Promise<string> {
    const { body } = request;
    switch (body.kind) {
      case "Command": {
        const commandId = body.commandId ?? this.#environment.env.newGuid().toUpperCase();
        shell.command(commandId, body.fragments);
        return encodeCommandResponse(header, commandId);
      }
      case "Send":
        shell.send(body.streams);
        return encodeEmptyResponse(header, "Send");
      case "Receive": {
        const seconds = Math.min(request.operationTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS);
        const envelope = request.maxEnvelopeBytes ?? DEFAULT_ENVELOPE_BYTES;
        const limits = {
          maxBytes: Math.max(1024, Math.floor(((envelope - ENVELOPE_BYTES) * 3) / 4)),
          timeoutMilliseconds: Math.max(0, seconds * 1000),
        };
        return encodeReceiveResponse(header, await shell.receive(body.commandId, limits, context.signal));
      }
      case "Signal":
        shell.signal(body.commandId, body.code);
        return encodeEmptyResponse(header, "Signal");
      case "Delete":
        this.drop(shell.id);
        return encodeEmptyResponse(header, "Delete");
    }
  }

  /** Another user's shell, or one whose cookie is missing, isn't there: the request has reached another back end. */
  #require(shellId: string, context: RequestContext): Shell {
    const shell = this.#shells.get(shellId);
    const isOwn = shell?.owner === context.user;
    const isHere = this.#environment.behaviour().cookie !== "demanded" || context.cookies.includes(shell?.cookie ?? "");
    if (shell === undefined || !isOwn || !isHere) throw new WsmanFaultError(shellNotFound(shellId));
    return shell;
  }

  #expire(): void {
    const now = this.#now();
    for (const shell of [...this.#shells.values()]) {
      if (shell.busy === 0 && now - shell.lastUsed > shell.idleTimeoutSeconds * 1000) this.drop(shell.id);
    }
  }

  #now(): number {
    return this.#environment.env.now().getTime();
  }
}

const NO_SHELL = {};
