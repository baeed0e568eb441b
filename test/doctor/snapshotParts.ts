import type { ServerSnapshot } from "../../provider/backends/backend";
import { known } from "../../provider/model";
import { EX01 } from "../backends/simulatedServer";

/** A snapshot of EX01 without certificates, all of it known unless told otherwise. */
export function makeSnapshotParts(parts: Partial<ServerSnapshot>): ServerSnapshot {
  return {
    server: EX01,
    version: known({ major: 15, minor: 2, build: 1748, revision: 10 }),
    certificates: [],
    defaultSmtpThumbprint: known(undefined),
    imapCertificateName: known(undefined),
    popCertificateName: known(undefined),
    umStartupMode: known(undefined),
    umCallRouterStartupMode: known(undefined),
    sendConnectors: known([]),
    receiveConnectors: known([]),
    authCertificates: known({ current: undefined, previous: undefined, next: undefined }),
    federationThumbprints: known([]),
    edgeSubscriptions: known([]),
    ...parts,
  };
}
