import { setTimeout as wait } from "node:timers/promises";
import type { Backend } from "../../../provider/backends/backend";
import { remoteBackend } from "../../../provider/backends/remote/remoteBackend";
import type { EndpointBehaviour } from "../../../provider/backends/simulator/endpoint/behaviour";
import type { Endpoint } from "../../../provider/backends/simulator/endpoint/endpoint";
import type { StateStore } from "../../../provider/backends/simulator/stateFile";
import { openSession, sessionEnv, type SessionOptions } from "../../../provider/remoting/session";
import { Secret } from "../../../provider/secret";
import { endpointIdentity, sessionOptionsFor, startTestEndpoint } from "../../remoting/endpoint";

export interface RemoteOverOptions {
  readonly behaviour?: Partial<EndpointBehaviour>;
  readonly session?: Partial<SessionOptions>;
  /** New connections see the certificate that IIS holds. */
  readonly followsIis?: boolean;
  /** Added to the endpoint's URL. */
  readonly query?: string;
}

export interface RemoteOver {
  readonly backend: Backend;
  readonly endpoint: Endpoint;
  /** Sessions opened so far. */
  readonly opened: () => number;
}

const endpoints: Endpoint[] = [];
afterAll(async () => {
  await Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()));
});

/** The remote backend over the simulated organisation behind https. The endpoint is closed when the test file has ended. */
export async function remoteOver(store: StateStore, options: RemoteOverOptions = {}): Promise<RemoteOver> {
  const { certificate, key } = endpointIdentity();
  const endpoint = await startTestEndpoint({
    store,
    tls: { certificate, privateKey: new Secret(key), followsIis: options.followsIis ?? false },
    ...(options.behaviour && { behaviour: options.behaviour }),
  });
  endpoints.push(endpoint);
  let opened = 0;
  const backend = remoteBackend(`${endpoint.url}${options.query ?? ""}`, {
    open: (url, signal) => {
      opened++;
      return openSession(sessionOptionsFor(url.href, options.session), sessionEnv, signal);
    },
    pause: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
    retryDelaysMilliseconds: [1, 1],
  });
  return { endpoint, opened: () => opened, backend };
}
