import type { Backend } from "../backends/backend";
import { untilFired } from "./timeLimit";

/** The backend with calls that end when the signal fires, whether it pays heed or not. */
export function heeding(backend: Backend, signal: AbortSignal): Backend {
  return {
    kind: backend.kind,
    readSnapshot: (...args) => untilFired(signal, () => backend.readSnapshot(...args)),
    importCertificate: (...args) => untilFired(signal, () => backend.importCertificate(...args)),
    enableServices: (...args) => untilFired(signal, () => backend.enableServices(...args)),
    setCertificateName: (...args) => untilFired(signal, () => backend.setCertificateName(...args)),
    setSendConnectorCertificate: (...args) => untilFired(signal, () => backend.setSendConnectorCertificate(...args)),
    setReceiveConnectorCertificate: (...args) =>
      untilFired(signal, () => backend.setReceiveConnectorCertificate(...args)),
    removeCertificate: (...args) => untilFired(signal, () => backend.removeCertificate(...args)),
    close: () => backend.close(),
  };
}
