import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Backend } from "../../provider/backends/backend";
import { backendContract, type BackendSituations } from "../../provider/backends/contract";
import type { Organisation, ServerFaults } from "../../provider/backends/simulator/organisation";
import { simulatorBackend } from "../../provider/backends/simulator/simulatorBackend";
import { openStateFile } from "../../provider/backends/simulator/stateFile";
import {
  backendOver,
  defaultOrganisation,
  EX01,
  EX02,
  makeCertificate,
  sessionEnv,
  withFaults,
  withServer,
} from "./simulatedServer";
import { storedCertificate } from "./storedCertificate";

let directory: string;
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "backend-contract-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

type OpenOver = (organisation: Organisation) => Promise<Backend>;

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

function situations(openOver: OpenOver): Required<BackendSituations> {
  const withFault = (faults: ServerFaults) => async () =>
    openOver(withFaults(await defaultOrganisation(), EX01, faults));
  const withStored = async (hasKey: boolean, change: (organisation: Organisation, tlsName: string) => Organisation) => {
    const { stored, thumbprint, tlsName } = await storedCertificate(hasKey);
    const organisation = withServer(await defaultOrganisation(), EX01, ({ certificates }) => ({
      certificates: [...certificates, stored],
    }));
    return { backend: await openOver(change(organisation, tlsName)), thumbprint };
  };
  return {
    unreachable: withFault({ unreachable: true }),
    servicesUnknown: withFault({ servicesUnknown: true }),
    slow: withFault({ slowMilliseconds: 3_600_000 }),
    answersAsAnother: withFault({ answersAs: EX02 }),
    partlyHidden: withFault({ hiddenCmdlets: ["Get-AuthConfig", "Get-ImapSettings", "Get-ExchangeServer"] }),
    privateKeyAccessRefused: withFault({ privateKeyAccessRefused: true }),
    unifiedMessaging: async () =>
      openOver(
        withServer(await defaultOrganisation(), EX01, () => ({
          version: { major: 15, minor: 1, build: 2507, revision: 6 },
          um: { startupMode: "TLS", certificate: null },
          umCallRouter: { startupMode: "Dual", certificate: null },
        })),
      ),
    privateKeyMissing: () => withStored(false, (organisation) => organisation),
    namedBySendConnector: () =>
      withStored(true, (organisation, tlsCertificateName) => ({
        ...organisation,
        sendConnectors: [{ name: "To partner", fqdn: null, tlsCertificateName, sourceServers: ["EX01"] }],
      })),
  };
}

describe.each(keptIn)("a simulated organisation in %s", (_where, openOver) => {
  const cases = backendContract({
    server: EX01,
    makeCertificate,
    open: async () => openOver(await defaultOrganisation()),
    situations: situations(openOver),
  });

  it.each(cases)("$title", async ({ skip, run }) => {
    expect(skip).toBeUndefined();
    await run();
  });
});
