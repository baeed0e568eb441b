import type { CertificateFacts } from "../../../certificate/facts";
import { sameConnectorName, tlsCertificateNameOf } from "../../connectorName";
import { removeFromStore } from "../certificateStore";
import type { CmdletOutcome } from "../cmdlet";
import { completed, failed, rpcError, withServer, type CmdletRun } from "../cmdletRun";
import { VERIFIED_TEXTS } from "../errorTexts";
import { requireCertificate } from "./certificateObject";

/**
 * Remove-ExchangeCertificate. Exchange refuses in two cases only: the internal transport certificate, and one whose
 * issuer and subject a send connector names. Everything else goes, whatever still points at it.
 */
export function removeExchangeCertificate(run: CmdletRun): CmdletOutcome {
  const { organisation, target, parameters, context } = run;
  const wanted = requireCertificate(run);
  if (wanted.kind === "missing") return failed(organisation, wanted.error);
  const { facts } = wanted.certificate;

  if (parameters.flag("Confirm") !== false) {
    const answer = context.answers.removeCertificate;
    if (answer === "no") return completed(organisation);
    if (answer === undefined) {
      return {
        kind: "question",
        question: {
          kind: "removeCertificate",
          caption: VERIFIED_TEXTS.confirmCaption,
          message: VERIFIED_TEXTS.removeQuestion(facts.thumbprint),
          defaultAnswer: "yes",
        },
      };
    }
  }

  const refusal = refusalText(run, facts);
  if (refusal !== undefined) {
    return failed(organisation, rpcError(run, "RemovalRefused", refusal, "InvalidArgument"));
  }
  return completed(withServer(organisation, removeFromStore(target, facts.thumbprint)));
}

function refusalText({ organisation, target }: CmdletRun, facts: CertificateFacts): string | undefined {
  if (target.internalTransportCertificate?.thumbprint === facts.thumbprint) {
    return VERIFIED_TEXTS.removeInternalTransport;
  }
  const naming = organisation.sendConnectors.filter(
    ({ tlsCertificateName: name }) => name !== null && sameConnectorName(name, tlsCertificateNameOf(facts)),
  );
  if (naming.length === 0) return undefined;
  return VERIFIED_TEXTS.removeNamedBySendConnector(naming.map((one) => one.name));
}
