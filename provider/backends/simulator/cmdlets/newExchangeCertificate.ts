import { ExchangeBindingError } from "../../../errors";
import { addCertificate, factsOfStored } from "../certificateStore";
import type { CertificateWish, CmdletOutcome } from "../cmdlet";
import { completed, failed, withServer, type CmdletRun } from "../cmdletRun";
import { bindingError, UNVERIFIED_TEXTS } from "../errorTexts";
import type { StoredCertificate } from "../organisation";
import { parseAllowedServices } from "./allowedServices";
import { certificateObject } from "./certificateObject";
import { unknownService } from "./enableExchangeCertificate";
import { enableServices } from "./enableServices";
import { friendlyNameRefused } from "./importExchangeCertificate";

const KEY_SIZES = [1024, 2048, 4096];

/**
 * New-ExchangeCertificate: makes a self-signed certificate and enables it, for IMAP, POP and SMTP unless told
 * otherwise. Requests (-GenerateRequest) and renewal through the pipeline are not simulated.
 */
export function newExchangeCertificate(run: CmdletRun): CmdletOutcome {
  const { organisation, target, parameters, context } = run;
  const refused = friendlyNameRefused(run);
  if (refused !== undefined) return failed(organisation, refused);
  const parsed = parseAllowedServices(parameters.list("Services") ?? ["IMAP", "POP", "SMTP"]);
  if (parsed.kind === "unknown") return failed(organisation, unknownService(run, parsed.name));
  if (!KEY_SIZES.includes(wishedCertificate(run).keySize)) {
    const message = UNVERIFIED_TEXTS.valueRefused("KeySize", `it has to be one of ${KEY_SIZES.join(", ")}`);
    return failed(organisation, bindingError(run.cmdlet, "ParameterArgumentValidationError", message));
  }

  const stored: StoredCertificate = {
    der: Buffer.from(makeCertificate(run)).toString("base64"),
    friendlyName: parameters.text("FriendlyName") ?? "Microsoft Exchange",
    privateKey: {
      present: true,
      exportable: parameters.flag("PrivateKeyExportable") ?? false,
      provider: "CSP",
      // A certificate made for federation is used by the transport service too, as its display shows.
      networkServiceRead: parsed.services.includes("Federation"),
    },
    rootStore: "none",
  };
  const facts = factsOfStored(stored);
  const enabling = enableServices(run, addCertificate(target, stored), { stored, facts }, parsed.services);
  if (enabling.kind === "question") return enabling;
  const after = withServer(organisation, enabling.server);
  if (enabling.kind === "failed") return failed(after, enabling.error, enabling.warnings);

  const now = enabling.server.certificates.find((one) => one.der === stored.der) ?? stored;
  const output = certificateObject(after, enabling.server, { stored: now, facts }, context.now);
  return completed(after, [output], enabling.warnings);
}

/** The certificate to make: by default for the server's own names. */
export function wishedCertificate({ parameters, target }: CmdletRun): CertificateWish {
  return {
    subject: parameters.text("SubjectName") ?? `CN=${target.name}`,
    dnsNames: wantedNames({ parameters, target }),
    keySize: parameters.number("KeySize") ?? 2048,
  };
}

function makeCertificate(run: CmdletRun): Uint8Array {
  const { context } = run;
  if (context.makeCertificate === undefined) {
    throw new ExchangeBindingError(
      "Internal",
      "Running New-ExchangeCertificate: the simulator was started without a certificate to use. Pass makeCertificate.",
    );
  }
  return context.makeCertificate(wishedCertificate(run));
}

/** The server's two names unless the call says otherwise. An empty -DomainName means no names at all. */
function wantedNames({ parameters, target }: Pick<CmdletRun, "parameters" | "target">): string[] {
  const withFqdn = parameters.flag("IncludeServerFQDN") === true;
  const withShortName = parameters.flag("IncludeServerNetBIOSName") === true;
  const given = parameters.list("DomainName");
  if (given === undefined && !withFqdn && !withShortName) return [target.name, target.fqdn];
  const names = [...(given ?? []), ...(withShortName ? [target.name] : []), ...(withFqdn ? [target.fqdn] : [])];
  return names.filter((name, place) => names.findIndex((one) => one.toLowerCase() === name.toLowerCase()) === place);
}
