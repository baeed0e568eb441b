import { cleaned } from "../sentence";
import type { CertificateFacts } from "./facts";

/** Certificates to choose among: subject and thumbprint of each. Names come from a file, and are made harmless. */
export function describeLeaves(leaves: readonly Pick<CertificateFacts, "subject" | "thumbprint">[]): string {
  return leaves.map(({ subject, thumbprint }) => `${cleaned(subject, 200)} (${thumbprint})`).join("; ");
}
