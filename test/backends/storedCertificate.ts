import { openPfx } from "../../provider/backends/simulator/cmdletSession";
import type { StoredCertificate } from "../../provider/backends/simulator/organisation";
import { readCertificate } from "../../provider/certificate/readCertificate";
import type { Thumbprint } from "../../provider/certificate/thumbprint";
import { makeCertificate } from "./simulatedServer";

/** A certificate that is on the server from the beginning. */
export async function storedCertificate(
  hasKey: boolean,
): Promise<{ readonly stored: StoredCertificate; readonly thumbprint: Thumbprint; readonly tlsName: string }> {
  const { pfx, password, thumbprint } = await makeCertificate({ dnsNames: ["was-there.contract.example"] });
  const opened = openPfx(pfx.reveal(), password);
  if (opened === "unreadable") throw new Error("the PFX of the test can't be read");
  const { issuer, subject } = readCertificate(opened.der);
  return {
    thumbprint,
    tlsName: `<I>${issuer}<S>${subject}`,
    stored: {
      der: Buffer.from(opened.der).toString("base64"),
      friendlyName: "",
      privateKey: { present: hasKey, exportable: false, provider: "CSP", networkServiceRead: false },
      rootStore: "none",
    },
  };
}
