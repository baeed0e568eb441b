import type { Backend } from "../../provider/backends/backend";
import type { BackendSituations } from "../../provider/backends/contract";
import type { Organisation, ServerFaults } from "../../provider/backends/simulator/organisation";
import { defaultOrganisation, EX01, EX02, withFaults, withServer } from "./simulatedServer";
import { storedCertificate } from "./storedCertificate";

/** A backend over an organisation that the test made. */
export type OpenOver = (organisation: Organisation) => Promise<Backend>;

/**
 * What the contract wants servers to be like. `hidden`: cmdlets that the account has no role for, and without which the
 * server can still be told from others.
 */
export function situations(openOver: OpenOver, hidden: readonly string[]): Required<BackendSituations> {
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
    partlyHidden: withFault({ hiddenCmdlets: [...hidden] }),
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
    connectors: async () => ({
      backend: await openOver({
        ...(await defaultOrganisation()),
        sendConnectors: [
          { name: "To partner", fqdn: null, tlsCertificateName: null, sourceServers: ["EX01"] },
          { name: "To archive", fqdn: null, tlsCertificateName: "<I>CN=CA<S>CN=archive", sourceServers: ["EX01"] },
        ],
      }),
      send: "To partner",
      receive: "Default Frontend EX01",
    }),
  };
}
