import path from "node:path";
import {
  startEndpoint,
  type Endpoint,
  type EndpointOptions,
} from "../../../provider/backends/simulator/endpoint/endpoint";
import type { Organisation } from "../../../provider/backends/simulator/organisation";
import { memoryState, type StateStore } from "../../../provider/backends/simulator/stateFile";
import { Secret } from "../../../provider/secret";
import { run } from "../../../tools/process.cjs";

const python = process.env["HARNESS_PEERS"];
const why = process.env["HARNESS_PEERS_MISSING"] ?? 'run these tests as the project "peers"';

/**
 * `describe` for tests that need the peers. Without them the tests are skipped with the reason in their name; in CI,
 * where that would go unnoticed, there is one that fails.
 */
export function describePeers(name: string, tests: () => void): void {
  if (python !== undefined) {
    describe(name, tests);
  } else if (process.env["CI"] === "true") {
    it(`${name}: the peer is there`, () => {
      throw new Error(`pypsrp and psrpcore aren't there: ${why}`);
    });
  } else {
    describe.skip(`${name} (skipped: ${why.split("\n", 1)[0] ?? ""})`, tests);
  }
}

const USER = { name: "administrator@contoso.com", password: new Secret("correct horse battery staple") };

/** An organisation behind an endpoint, with Basic authentication. */
export async function serve(
  organisation: Organisation,
  options: Partial<EndpointOptions> = {},
): Promise<{ readonly endpoint: Endpoint; readonly store: StateStore }> {
  const store = memoryState(organisation);
  return { store, endpoint: await startEndpoint({ store, user: USER, ...options }) };
}

/** Lets one of the peers do a job on the endpoint; its outcome is what the script printed. */
export async function drive<Outcome>(
  peer: "pypsrp_peer.py" | "psrpcore_peer.py",
  endpoint: Endpoint,
  job: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  if (python === undefined) throw new Error(why);
  const connection = { host: "127.0.0.1", port: endpoint.port, user: USER.name, password: USER.password.reveal() };
  // -E and -B: neither settings of whoever runs the tests, nor compiled files in the work tree.
  const { exitCode, stdout, stderr } = await run(python, ["-EB", path.join(__dirname, peer)], {
    input: JSON.stringify({ ...connection, ...job }),
    timeLimitSeconds: 300,
  });
  if (exitCode !== 0) throw new Error(`${peer} failed:\n${stderr}`);
  return JSON.parse(stdout) as Outcome;
}

/** What pypsrp_peer.py says about a pipeline. */
export interface PipelineOutcome {
  readonly state: number;
  readonly output: readonly {
    readonly types: readonly string[];
    readonly adapted: Readonly<Record<string, string | null>>;
    readonly extended: Readonly<Record<string, string | null>>;
  }[];
  readonly warnings: readonly string[];
  readonly errors: readonly {
    readonly message: string;
    readonly id: string;
    readonly category: number;
    readonly reason: string;
    readonly activity: string;
  }[];
}

/** MS-PSRP 2.2.3.5. */
export const STATE = { stopped: 3, completed: 4, failed: 5 } as const;
