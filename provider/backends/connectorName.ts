import type { CertificateFacts } from "../certificate/facts";
import type { ConnectorCertificateName } from "./backend";

/** `<I>issuer<S>subject`: how connectors name a certificate, and with it every other one of that issuer and subject. */
export function tlsCertificateNameOf({
  issuer,
  subject,
}: Pick<CertificateFacts, "issuer" | "subject">): ConnectorCertificateName {
  return `<I>${issuer}<S>${subject}`;
}

/**
 * Whether two of these names mean the same certificates. They are compared as the parts of distinguished names that they
 * are: letter case and blanks beside commas say nothing, and the directory keeps both as somebody wrote them.
 */
export function sameConnectorName(one: string, other: string): boolean {
  return sameNameAs(one)(other);
}

/** The same for one name and many others. */
export function sameNameAs(one: string): (other: string) => boolean {
  const wanted = normal(one);
  return (other) => normal(other) === wanted;
}

function normal(name: string): string {
  return name
    .toLowerCase()
    .split(",")
    .map((part) => part.trim())
    .join(",");
}
