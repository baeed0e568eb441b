import type { Backend } from "../provider/backends/backend";

type ChangingCall = Exclude<keyof Backend, "kind" | "readSnapshot" | "close" | "ownChannel">;

const ALL: Readonly<Record<ChangingCall, true>> = {
  importCertificate: true,
  enableServices: true,
  setCertificateName: true,
  setSendConnectorCertificate: true,
  setReceiveConnectorCertificate: true,
  removeCertificate: true,
};

/** The calls of a backend that change something; a new one doesn't compile until it is here. */
export const CHANGING_CALLS = Object.keys(ALL) as readonly ChangingCall[];
