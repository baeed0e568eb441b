import type { CmdletOutcome } from "../cmdlet";
import { completed, failed, plainError, rpcError, withServer, type CmdletRun } from "../cmdletRun";
import { bindingError, UNVERIFIED_TEXTS, VERIFIED_TEXTS } from "../errorTexts";
import { parseAllowedServices } from "./allowedServices";
import { requireCertificate } from "./certificateObject";
import { enableServices } from "./enableServices";

/** Enable-ExchangeCertificate. */
export function enableExchangeCertificate(run: CmdletRun): CmdletOutcome {
  const { organisation, target, parameters } = run;
  const parsed = parseAllowedServices(parameters.list("Services") ?? []);
  if (parsed.kind === "unknown") {
    return failed(organisation, unknownService(run, parsed.name));
  }
  if (parsed.services.includes("Federation")) {
    return failed(organisation, plainError(run, "CmdletFailed", UNVERIFIED_TEXTS.federationRefused, "InvalidArgument"));
  }

  const wanted = requireCertificate(run);
  if (wanted.kind === "missing") return failed(organisation, wanted.error);
  const { certificate } = wanted;
  if (!certificate.stored.privateKey.present) {
    const text = VERIFIED_TEXTS.privateKeyMissing(certificate.facts.thumbprint);
    return failed(organisation, rpcError(run, "PrivateKeyMissing", text));
  }

  const enabling = enableServices(run, target, certificate, parsed.services);
  switch (enabling.kind) {
    case "question":
      return enabling;
    case "failed":
      return failed(withServer(organisation, enabling.server), enabling.error, enabling.warnings);
    case "done":
      return completed(withServer(organisation, enabling.server), [], enabling.warnings);
  }
}

export function unknownService(run: CmdletRun, name: string) {
  const message = UNVERIFIED_TEXTS.valueRefused("Services", `there is no service "${name}"`);
  return bindingError(run.cmdlet, "ParameterArgumentTransformationError", message);
}
