import type { CertificateFacts } from "./facts";

const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const DNS_NAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

/** Whether a text can be a DNS name: also a short one (`EX01`), a wildcard, one with underscores; not an IP address. */
export function looksLikeDnsName(text: string): boolean {
  return text.length <= 253 && !/^[0-9.]+$/.test(text) && DNS_NAME.test(text);
}

/**
 * Whether a certificate is valid for a name: one of its DNS names, or its common name where that looks like a DNS
 * name. Case and a dot at the end don't matter. `*` stands for exactly one label, and only as the whole left-most one.
 */
export function coversName(facts: Pick<CertificateFacts, "dnsNames" | "commonName">, name: string): boolean {
  const wanted = comparable(name);
  const { dnsNames } = facts;
  const commonName = facts.commonName === undefined ? undefined : comparable(facts.commonName);
  const patterns = commonName !== undefined && looksLikeDnsName(commonName) ? [...dnsNames, commonName] : dnsNames;
  return patterns.some((pattern) => matches(comparable(pattern), wanted));
}

/** `mail.contoso.com.` and `mail.contoso.com` are one name; the dot only says that nothing follows. */
function comparable(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function matches(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  if (!pattern.startsWith("*.")) return false;
  const firstDot = name.indexOf(".");
  return firstDot > 0 && name.slice(firstDot) === pattern.slice(1);
}

/**
 * Whether a certificate counts as a wildcard certificate: its common name starts with `*.`; without a common name,
 * all of its DNS names do. A certificate of an ordinary name that has a wildcard among its other names is none.
 */
export function isWildcard(facts: Pick<CertificateFacts, "dnsNames" | "commonName">): boolean {
  if (facts.commonName !== undefined) return facts.commonName.startsWith("*.");
  return facts.dnsNames.length > 0 && facts.dnsNames.every((name) => name.startsWith("*."));
}
