import { createRequire } from "node:module";

import type { Severity } from "../../plan/line";

/** Puts lines under the resource they belong to. */
export interface EngineLog {
  /**
   * Shows a line under the row of that URN; where that fails, `otherwise` does, and for all lines after it too. The
   * lines of one URN keep their order; those of others don't wait for them.
   */
  show(urn: string, severity: Severity, text: string, otherwise: () => void): void;
  /** Ends when everything that was shown so far has reached the engine. Never fails. */
  flush(): Promise<void>;
}

/** The engine's own service, as far as it is used. Undocumented: it may not be there. */
interface EngineClient {
  log(request: unknown, options: { readonly deadline: number }, done: (error: unknown) => void): void;
}

/** How long the engine may take for a line, milliseconds. Long, because an engine that is too late isn't asked again. */
const DEADLINE = 10_000;

/** The engine's address: the last argument of the process that serves dynamic providers. */
export function engineAddressIn(argv: readonly string[]): string | undefined {
  const last = argv.at(-1);
  return last !== undefined && /^[A-Za-z0-9.-]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/.test(last) ? last : undefined;
}

/**
 * The log of the engine at that address. Nothing is loaded or connected before the first line. One that doesn't answer
 * is waited for once: line after line would hold up an operation.
 */
export function engineLogAt(address: string, deadline = DEADLINE): EngineLog {
  let opened: Opened | undefined;
  let isGone = false;
  /** By URN, the last of its lines that are on their way: one at a time, or the engine would mix them up. */
  const underWay = new Map<string, Promise<void>>();
  const show = async (urn: string, severity: Severity, text: string, otherwise: () => void): Promise<void> => {
    if (isGone) {
      otherwise();
      return;
    }
    try {
      opened ??= open(address);
      const { client, requestOf } = opened;
      const request = requestOf(urn, severity, text);
      await new Promise<void>((resolve, reject) => {
        client.log(request, { deadline: Date.now() + deadline }, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(new Error("the engine takes no lines", { cause: error }));
        });
      });
    } catch {
      isGone = true;
      otherwise();
    }
  };
  return {
    show: (urn, severity, text, otherwise) => {
      const before = underWay.get(urn) ?? Promise.resolve();
      const shown = before
        .then(() => show(urn, severity, text, otherwise))
        .finally(() => {
          if (underWay.get(urn) === shown) underWay.delete(urn);
        });
      underWay.set(urn, shown);
    },
    flush: async () => {
      await Promise.all(underWay.values());
    },
  };
}

interface Opened {
  readonly client: EngineClient;
  readonly requestOf: (urn: string, severity: Severity, text: string) => unknown;
}

/** What of the SDK is used. Its own types are for whoever depends on its libraries too. */
interface Sdk {
  readonly EngineClient: new (address: string, credentials: unknown) => EngineClient;
  readonly LogRequest: new () => Record<"setSeverity" | "setMessage" | "setUrn", (value: unknown) => void>;
  readonly LogSeverity: Readonly<Record<"INFO" | "WARNING", number>>;
  readonly credentials: { createInsecure(): unknown };
}

/** Loaded late, and as the SDK itself sees its libraries: the process that serves us has loaded most of it already. */
function loadSdk(): Sdk {
  const sdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));
  const parts = ["@pulumi/pulumi/proto/engine_grpc_pb", "@pulumi/pulumi/proto/engine_pb", "@grpc/grpc-js"];
  return Object.assign({}, ...parts.map((part) => sdk(part) as object)) as Sdk;
}

function open(address: string): Opened {
  const { EngineClient, LogRequest, LogSeverity, credentials } = loadSdk();
  return {
    client: new EngineClient(address, credentials.createInsecure()),
    requestOf: (urn, severity, text) => {
      const request = new LogRequest();
      request.setSeverity(severity === "warning" ? LogSeverity.WARNING : LogSeverity.INFO);
      request.setMessage(text);
      request.setUrn(urn);
      return request;
    },
  };
}
