import type { Backend } from "../../../provider/backends/backend";
import { backendContract, type BackendSituations } from "../../../provider/backends/contract";
import type { EndpointBehaviour } from "../../../provider/backends/simulator/endpoint/behaviour";
import type { Organisation, ServerFaults } from "../../../provider/backends/simulator/organisation";
import { memoryState } from "../../../provider/backends/simulator/stateFile";
import { defaultOrganisation, EX01, EX02, makeCertificate, withFaults, withServer } from "../simulatedServer";
import { storedCertificate } from "../storedCertificate";
import { remoteOver } from "./remoteOver";

/** What an endpoint can be like; the contract holds for each. */
const endpoints: readonly (readonly [string, Partial<EndpointBehaviour>])[] = [
  ["which lets clients choose properties", {}],
  ["which sends whole objects only, signed", { projection: "refused", signing: "valid" }],
];

beforeAll(async () => {
  await defaultOrganisation();
}, 30_000);

type OpenOver = (organisation: Organisation) => Promise<Backend>;

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
    partlyHidden: withFault({ hiddenCmdlets: ["Get-AuthConfig", "Get-ImapSettings"] }),
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

describe.each(endpoints)("a server behind an endpoint %s", (_like, behaviour) => {
  const openOver: OpenOver = async (organisation) =>
    (await remoteOver(memoryState(organisation), { behaviour })).backend;
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
