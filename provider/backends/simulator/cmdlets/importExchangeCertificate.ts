import { ExchangeBindingError } from "../../../errors";
import { addCertificate, factsOfStored, findCertificate } from "../certificateStore";
import type { CmdletOutcome } from "../cmdlet";
import { completed, failed, rpcError, withServer, type CmdletRun } from "../cmdletRun";
import { bindingError, UNVERIFIED_TEXTS, VERIFIED_TEXTS } from "../errorTexts";
import type { StoredCertificate } from "../organisation";
import { certificateObject } from "./certificateObject";

const FRIENDLY_NAME_LIMIT = 64;

/** Import-ExchangeCertificate: puts a PFX into the store and assigns nothing. */
export function importExchangeCertificate(run: CmdletRun): CmdletOutcome {
  const { organisation, target, parameters, context } = run;
  const refused = friendlyNameRefused(run);
  if (refused !== undefined) return failed(organisation, refused);

  const fileName = parameters.text("FileName") ?? undefined;
  const fileData = parameters.bytes("FileData") ?? (fileName === undefined ? undefined : readFile(run, fileName));
  if (fileData === undefined && fileName === undefined) {
    const message = VERIFIED_TEXTS.parametersMissing(["FileData"]);
    return failed(organisation, bindingError(run.cmdlet, "MissingMandatoryParameter", message));
  }

  const opened = fileData === undefined ? "unreadable" : openPfx(run, fileData);
  if (opened === "unreadable") {
    return failed(organisation, rpcError(run, "ImportRefused", VERIFIED_TEXTS.importUnreadable, "ReadError"));
  }
  const der = Buffer.from(opened.der).toString("base64");
  const stored: StoredCertificate = {
    der,
    friendlyName: parameters.text("FriendlyName") ?? "",
    privateKey: {
      present: true,
      exportable: parameters.flag("PrivateKeyExportable") ?? false,
      provider: opened.keyProvider,
      networkServiceRead: false,
    },
    rootStore: "none",
  };
  const facts = factsOfStored(stored);
  // Also when it's there without a key, where nobody sees it.
  if (findCertificate(target, facts.thumbprint) !== undefined) {
    return failed(
      organisation,
      rpcError(run, "ImportRefused", VERIFIED_TEXTS.importAlreadyThere(facts.thumbprint), "ReadError"),
    );
  }
  // A certificate of a CA is taken to be of one that everybody knows.
  const added: StoredCertificate = facts.isSelfSigned ? stored : { ...stored, rootStore: "thirdParty" };
  const server = addCertificate(target, added);
  const after = withServer(organisation, server);
  return completed(after, [certificateObject(after, server, { stored: added, facts }, context.now)]);
}

export function friendlyNameRefused(run: CmdletRun) {
  const friendlyName = run.parameters.text("FriendlyName") ?? "";
  if (friendlyName.length < FRIENDLY_NAME_LIMIT) return undefined;
  const message = UNVERIFIED_TEXTS.valueRefused(
    "FriendlyName",
    `it has to be shorter than ${FRIENDLY_NAME_LIMIT} characters`,
  );
  return bindingError(run.cmdlet, "ParameterArgumentValidationError", message);
}

function readFile({ context }: CmdletRun, path: string): Uint8Array | undefined {
  return context.readFile?.(path);
}

function openPfx({ context, parameters }: CmdletRun, fileData: Uint8Array) {
  if (context.openPfx === undefined) {
    throw new ExchangeBindingError(
      "Internal",
      "Running Import-ExchangeCertificate: the simulator was started without a way to open a PFX. Pass openPfx.",
    );
  }
  return context.openPfx(fileData, parameters.secret("Password"));
}
