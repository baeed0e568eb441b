import { ERROR_CATEGORIES, errorRecord, type ErrorRecord } from "../../../remoting/psrp/errorRecord";
import type { CmdletError } from "../cmdlet";

/** .NET types from the most derived on, by the short name that PowerShell prints. */
const EXCEPTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["InvalidOperationException", ["System.InvalidOperationException", "System.SystemException"]],
  ["RpcClientException", ["Microsoft.Exchange.Rpc.RpcException"]],
  ["CommandNotFoundException", runtime("CommandNotFoundException")],
  ["ParameterBindingException", runtime("ParameterBindingException")],
  ["ParameterBindingValidationException", runtime("ParameterBindingValidationException", "ParameterBindingException")],
  ["ParseException", runtime("ParseException")],
  ["PipelineStoppedException", runtime("PipelineStoppedException")],
  ["HostException", ["System.Management.Automation.Host.HostException", ...runtime()]],
]);

function runtime(...names: readonly string[]): readonly string[] {
  const types = [...names, "RuntimeException"].map((name) => `System.Management.Automation.${name}`);
  return [...types, "System.SystemException"];
}

/** Exceptions that PowerShell itself throws before or instead of a cmdlet: they end the pipeline as failed. */
const TERMINATING = new Set(["CommandNotFoundException", "ParameterBindingException", "PSRemotingTransportException"]);

export interface EncodedError {
  readonly record: ErrorRecord;
  /** Whether it ends the pipeline as failed. Errors of Exchange's cmdlets don't: their pipeline "completes". */
  readonly isTerminating: boolean;
}

/** The error record of a cmdlet's error: MS-PSRP 2.2.3.15. */
export function recordOf(error: CmdletError): EncodedError {
  // NotSpecified: (:) [Get-ExchangeCertificate], InvalidOperationException
  const form = /^(\w+): \((.*):(.*)\) \[(.*)\], (\S+)$/.exec(error.categoryInfo);
  const [, category = "NotSpecified", targetName = "", targetType = "", activity = "", reason = "Exception"] =
    form ?? [];
  const plain = errorRecord({
    message: error.message,
    fullyQualifiedErrorId: error.fullyQualifiedErrorId,
    category: ERROR_CATEGORIES.find((one) => one === category) ?? "NotSpecified",
    activity,
    exceptionTypeNames: exceptionTypes(reason),
  });
  return {
    record: {
      ...plain,
      category: { ...plain.category, reason, targetName, targetType, message: error.categoryInfo },
      target: targetName === "" ? undefined : targetName,
    },
    isTerminating: TERMINATING.has(reason),
  };
}

function exceptionTypes(reason: string): readonly string[] {
  return [...(EXCEPTIONS.get(reason) ?? [`Microsoft.Exchange.${reason}`]), "System.Exception", "System.Object"];
}

/** Script text where there is no language. */
export function scriptRefused(): ErrorRecord {
  return errorRecord({
    message: "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
    fullyQualifiedErrorId: "ScriptsNotAllowed",
    category: "ParserError",
    exceptionTypeNames: exceptionTypes("ParseException"),
  });
}

/** What the client asked to stop. */
export function pipelineStopped(): ErrorRecord {
  return errorRecord({
    message: "The pipeline has been stopped.",
    fullyQualifiedErrorId: "PipelineStopped",
    category: "OperationStopped",
    exceptionTypeNames: exceptionTypes("PipelineStoppedException"),
  });
}

/** What a pool that breaks says. */
export function poolBroken(): ErrorRecord {
  return errorRecord({
    message: "The runspace pool was broken: the process that ran it has ended.",
    fullyQualifiedErrorId: "RunspacePoolBroken",
    category: "ResourceUnavailable",
    exceptionTypeNames: exceptionTypes("RuntimeException"),
  });
}

/** A question, and nobody there to ask: no host, or one that refused. */
export function questionUnanswered(cmdlet: string, question: string, why?: string): ErrorRecord {
  return errorRecord({
    message:
      why ??
      "A command that prompts the user failed because the host program or the command type does not support user " +
        `interaction. The host was attempting to request confirmation with the following message: ${question}`,
    fullyQualifiedErrorId: `${why === undefined ? "HostFunctionNotImplemented" : "HostCallFailed"},${cmdlet}`,
    category: "NotImplemented",
    activity: cmdlet,
    exceptionTypeNames: exceptionTypes("HostException"),
  });
}

/** An error of PowerShell's binder at a cmdlet that isn't one of the simulator's, or at a whole pipeline. */
export function bindingRefused(cmdlet: string, id: string, message: string): ErrorRecord {
  const isValidation = id === "ParameterArgumentValidationError";
  return errorRecord({
    message,
    fullyQualifiedErrorId: `${id},${cmdlet}`,
    category: isValidation ? "InvalidData" : "InvalidArgument",
    activity: cmdlet,
    exceptionTypeNames: exceptionTypes(
      isValidation ? "ParameterBindingValidationException" : "ParameterBindingException",
    ),
  });
}
