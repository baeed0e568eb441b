import { EXCLUSIVE_SERVICES, NAME_SERVICES } from "../model";
import type { ExchangeService, ServerFqdn } from "../model";
import type { DesiredBinding } from "./desired";
import type { Blocker } from "./planTypes";

/** One thing of a server that only one certificate, or only one name, can have. */
export interface Claim {
  readonly server: ServerFqdn;
  readonly bindingName: string;
  readonly what: ExchangeService | "defaultSmtp";
  /** Two claims agree when this is equal: the certificate, or for IMAP and POP the declared name. */
  readonly value: string;
}

function certificateKey(desired: DesiredBinding): string {
  const wanted = desired.certificate;
  switch (wanted.kind) {
    case "thumbprint":
      return wanted.thumbprint;
    case "given":
      return wanted.facts.thumbprint;
    case "selfSigned":
      return `the certificate made by "${desired.bindingName}"`;
  }
}

/** What a binding claims of its server for itself alone. */
export function claimsOf(desired: DesiredBinding): readonly Claim[] {
  const { server, bindingName } = desired;
  const certificate = certificateKey(desired);
  const claims: Claim[] = EXCLUSIVE_SERVICES.filter((service) => desired.services.includes(service)).map((what) => ({
    server,
    bindingName,
    what,
    value: certificate,
  }));
  for (const what of NAME_SERVICES) {
    const name = desired.certificateNames[what];
    if (name !== undefined) claims.push({ server, bindingName, what, value: (name ?? "").toLowerCase() });
  }
  if (desired.replaceDefaultSmtpCertificate)
    claims.push({ server, bindingName, what: "defaultSmtp", value: certificate });
  return claims;
}

/** Claims of other bindings of the program that can't be true together with these. */
export function conflictsWith(mine: readonly Claim[], others: readonly Claim[]): readonly Blocker[] {
  return mine.flatMap((claim) =>
    others
      .filter(
        (other) =>
          other.bindingName !== claim.bindingName &&
          other.server === claim.server &&
          other.what === claim.what &&
          other.value !== claim.value,
      )
      .map((other): Blocker => ({
        kind: "claimedByAnother",
        property: propertyOf(claim),
        what: claim.what,
        bindingName: claim.bindingName,
        other: other.bindingName,
        detail: claim.what === "IMAP" || claim.what === "POP" ? `"${other.value}" and "${claim.value}"` : undefined,
      })),
  );
}

function propertyOf(claim: Claim): string {
  if (claim.what === "defaultSmtp") return "replaceDefaultSmtpCertificate";
  if (claim.what === "IMAP") return "imapCertificateName";
  return claim.what === "POP" ? "popCertificateName" : "services";
}
