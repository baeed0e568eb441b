import { coversName } from "../../../certificate/names";
import { findCertificate, type ReadStoredCertificate } from "../certificateStore";
import type { CmdletOutcome } from "../cmdlet";
import { completed, failed, rpcError, type CmdletRun } from "../cmdletRun";
import { VERIFIED_TEXTS } from "../errorTexts";
import { certificateObject, listedCertificates, wantedThumbprint } from "./certificateObject";

/**
 * Get-ExchangeCertificate. An unknown -Thumbprint is an error, but an unknown -Identity means all certificates, as if
 * it hadn't been given: that is how the real one is documented.
 */
export function getExchangeCertificate(run: CmdletRun): CmdletOutcome {
  const { organisation, target, parameters, context } = run;
  const show = (certificates: readonly ReadStoredCertificate[]) =>
    completed(
      organisation,
      certificates.map((certificate) => certificateObject(organisation, target, certificate, context.now)),
    );

  const listed = listedCertificates(target);
  const thumbprint = wantedThumbprint(run);
  if (thumbprint !== undefined) {
    const certificate = findCertificate(target, thumbprint);
    if (certificate !== undefined) return show([certificate]);
    if (parameters.has("Thumbprint")) {
      return failed(organisation, rpcError(run, "CertificateNotFound", VERIFIED_TEXTS.certificateNotFound(thumbprint)));
    }
  }

  const domains = parameters.list("DomainName");
  if (domains === undefined) return show(listed);
  const covering = listed.filter(({ facts }) => domains.every((domain) => coversName(facts, domain)));
  return show(covering.toSorted(inOrderOfChoice));
}

/** The first one is the one that Exchange would choose for the name: a CA's before a self-signed one, then the latest. */
function inOrderOfChoice(a: ReadStoredCertificate, b: ReadStoredCertificate): number {
  const bySigner = Number(a.facts.isSelfSigned) - Number(b.facts.isSelfSigned);
  return bySigner !== 0 ? bySigner : Date.parse(b.facts.notBefore) - Date.parse(a.facts.notBefore);
}
