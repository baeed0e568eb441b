import type { CmdletOutcome } from "../cmdlet";
import { completed, type CmdletRun } from "../cmdletRun";

/** Get-AuthConfig: the certificates that servers sign with when they talk to each other and to other products. */
export function getAuthConfig({ organisation }: CmdletRun): CmdletOutcome {
  const { currentCertificate, previousCertificate, nextCertificate, nextCertificateEffectiveDate } =
    organisation.authConfig;
  const output = {
    CurrentCertificateThumbprint: currentCertificate,
    PreviousCertificateThumbprint: previousCertificate,
    NextCertificateThumbprint: nextCertificate,
    NextCertificateEffectiveDate: nextCertificateEffectiveDate === null ? null : new Date(nextCertificateEffectiveDate),
    ServiceName: "00000002-0000-0ff1-ce00-000000000000",
    Identity: "Auth Configuration",
  };
  return completed(organisation, [output]);
}

/** Get-FederationTrust: nothing, or the one trust. The thumbprints stand in the properties with "Priv" in their names. */
export function getFederationTrust({ organisation }: CmdletRun): CmdletOutcome {
  const trust = organisation.federationTrust;
  if (trust === null) return completed(organisation);
  const output = {
    Name: trust.name,
    OrgPrivCertificate: trust.currentCertificate,
    OrgPrevPrivCertificate: trust.previousCertificate,
    OrgNextPrivCertificate: trust.nextCertificate,
    Identity: trust.name,
  };
  return completed(organisation, [output]);
}

/** Get-EdgeSubscription: the Edge servers that are subscribed, each to an Active Directory site. */
export function getEdgeSubscription({ organisation, parameters }: CmdletRun): CmdletOutcome {
  const identity = parameters.text("Identity")?.toLowerCase();
  const output = organisation.edgeSubscriptions
    .filter((one) => identity === undefined || one.name.toLowerCase() === identity)
    .map((one) => ({ Name: one.name, Site: one.site, Identity: one.name }));
  return completed(organisation, output);
}
