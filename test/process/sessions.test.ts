import { readdirSync } from "node:fs";
import path from "node:path";

import { manyServers } from "../../tools/bench/organisation.cjs";
import type { Endpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { defaultOrganisation, EX01 } from "../backends/simulatedServer";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../remoting/endpoint";
import { startDynamicProvider, type DynamicProvider } from "./dynamicProvider";
import { checked, makeMailBinding } from "./mailBinding";

const { inputs: binding } = makeMailBinding(EX01);
/** What the shells ask the server for: one that was left behind ends by itself after so long. */
const IDLE_MILLISECONDS = 60_000;

let endpoint: Endpoint;
/** How far the endpoint's clock is ahead. */
let ahead = 0;

beforeAll(async () => {
  endpoint = await startTestEndpoint({
    store: memoryState(await defaultOrganisation()),
    behaviour: { maxShellsPerUser: 4 },
    env: { now: () => new Date(Date.now() + ahead) },
  });
});
afterAll(() => endpoint.close());

/** A run of the engine that has looked at one binding; its process is still there. */
async function preview(): Promise<DynamicProvider> {
  const provider = await startDynamicProvider({
    config: {
      "exchange:backend": "remote",
      "exchange:endpoint": endpoint.url,
      "exchange:authentication": "basic",
      "exchange:username": USER,
      "exchange:tlsServerName": SERVER_NAME,
      "exchange:caFile": "ca.pem",
    },
    env: { EXCHANGE_PASSWORD: PASSWORD },
    files: { "ca.pem": endpointIdentity().ca },
  });
  await checked(provider, binding());
  return provider;
}

/** What the processes of a run tell each other, in the directory for temporary files: a directory for each engine. */
const toldIn = (temporary: string): readonly string[] =>
  readdirSync(temporary)
    .filter((name) => name.startsWith("exchange-certificates-"))
    .flatMap((name) => readdirSync(path.join(temporary, name)));

describe("sessions on a server that allows four", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("are gone when the engine has ended its run with %s", async (signal) => {
    const provider = await preview();
    expect(endpoint.shellCount()).toBeGreaterThan(0);
    expect(toldIn(provider.directory)).toHaveLength(1);
    await provider.endBy(signal);
    expect(endpoint.shellCount()).toBe(0);
    // An engine that listens at the same address later would take it for its own run's.
    expect(toldIn(provider.directory)).toEqual([]);
  });

  it("are never too many in more than twice as many runs, one after the other", async () => {
    for (let run = 0; run < 9; run += 1) await (await preview()).endBy("SIGINT");
    expect(endpoint.shellCount()).toBe(0);
  });

  it("end by themselves after a minute when the process was killed", async () => {
    const provider = await preview();
    await provider.endBy("SIGKILL");
    const left = endpoint.shellCount();
    expect(left).toBeGreaterThan(0);
    ahead += IDLE_MILLISECONDS / 2;
    expect(endpoint.shellCount()).toBe(left);
    ahead += IDLE_MILLISECONDS / 2 + 1000;
    expect(endpoint.shellCount()).toBe(0);
  });
});

it("what a process has told others is gone with it on a simulator too, whose packages listen for signals themselves", async () => {
  const { text } = await manyServers(1, {});
  const files = { ".exchange-simulator.json": text };
  const provider = await startDynamicProvider({ config: { "exchange:backend": "simulator" }, files });
  await checked(provider, makeMailBinding("ex001.contoso.com").inputs());
  expect(toldIn(provider.directory)).toHaveLength(1);
  await provider.endBy("SIGINT");
  expect(toldIn(provider.directory)).toEqual([]);
});
