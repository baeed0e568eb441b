import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendContract } from "../../provider/backends/contract";
import { simulatorBackend } from "../../provider/backends/simulator/simulatorBackend";
import { openStateFile } from "../../provider/backends/simulator/stateFile";
import { backendOver, defaultOrganisation, EX01, makeCertificate, sessionEnv } from "./simulatedServer";
import { situations, type OpenOver } from "./situations";

let directory: string;
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "backend-contract-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const keptIn: readonly (readonly [string, OpenOver])[] = [
  ["memory", (organisation) => Promise.resolve(backendOver(organisation).backend)],
  [
    "a file",
    async (organisation) => {
      const path = join(directory, `organisation-${++files}.json`);
      await writeFile(path, JSON.stringify(organisation));
      const store = openStateFile(path, { makeOrganisation: () => Promise.reject(new Error("the file is there")) });
      return simulatorBackend(store, sessionEnv);
    },
  ],
];

describe.each(keptIn)("a simulated organisation in %s", (_where, openOver) => {
  const cases = backendContract({
    server: EX01,
    makeCertificate,
    open: async () => openOver(await defaultOrganisation()),
    situations: situations(openOver, ["Get-AuthConfig", "Get-ImapSettings", "Get-ExchangeServer"]),
  });

  it.each(cases)("$title", async ({ skip, run }) => {
    expect(skip).toBeUndefined();
    await run();
  });
});
