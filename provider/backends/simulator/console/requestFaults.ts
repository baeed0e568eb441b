import type { InjectedFault, RequestFault } from "../endpoint/behaviour";
import type { Refusal } from "../endpoint/wsmanFaults";

/** Only their names: what they say is loaded with the protocols. */
// prettier-ignore
const REFUSAL_KINDS: Readonly<Record<Refusal, undefined>> = {
  throttled: undefined, accessDenied: undefined, accessDeniedByPlugin: undefined, roleless: undefined, timedOut: undefined,
  commandGone: undefined, invalidResourceUri: undefined, malformedHeader: undefined, tooManyShells: undefined,
  tooManyOperations: undefined, tooManyCommands: undefined, requestTooLarge: undefined, responseTooLarge: undefined,
  operationAborted: undefined, operationCancelled: undefined, shellClosed: undefined, operationEnded: undefined,
};

/** Faults by name, with what their number means where they need one. */
const KINDS: Readonly<Record<RequestFault["kind"], "bytes" | "milliseconds" | undefined>> = {
  ...REFUSAL_KINDS,
  requestLost: undefined,
  responseCut: "bytes",
  shellExpired: undefined,
  poolBroken: undefined,
  unauthorized: undefined,
  forbidden: undefined,
  notFound: undefined,
  unavailable: undefined,
  slow: "milliseconds",
};
const OPERATIONS = ["Create", "Command", "Send", "Receive", "Signal", "Delete"] as const;

export const REQUEST_FAULTS = Object.keys(KINDS) as readonly RequestFault["kind"][];

/**
 * Reads `throttled@Receive+1x3,responseCut=100`: a fault, the number that it needs, the operation that it is for, how
 * many requests are spared first and how many are hit. `undefined` when a part makes no sense.
 */
export function readRequestFaults(text: string): readonly InjectedFault[] | undefined {
  const faults = text.split(",").map((part) => readOne(part.trim()));
  return faults.every((fault) => fault !== undefined) ? faults : undefined;
}

function readOne(text: string): InjectedFault | undefined {
  const form = /^([a-z]+)(?:=(\d{1,9}))?(?:@([a-z]+))?(?:\+(\d{1,6}))?(?:x(\d{1,6}))?$/i.exec(text);
  if (form === null) return undefined;
  const [, name = "", number, where, after = "0", times = "1"] = form;
  const kind = REQUEST_FAULTS.find((one) => one.toLowerCase() === name.toLowerCase());
  const operation = OPERATIONS.find((one) => one.toLowerCase() === where?.toLowerCase());
  if (kind === undefined || (where !== undefined && operation === undefined)) return undefined;
  const fault = faultOf(kind, number === undefined ? undefined : Number(number));
  if (fault === undefined) return undefined;
  return { fault, after: Number(after), times: Number(times), ...(operation !== undefined && { operation }) };
}

function faultOf(kind: RequestFault["kind"], number: number | undefined): RequestFault | undefined {
  if ((KINDS[kind] === undefined) !== (number === undefined)) return undefined;
  if (kind === "responseCut") return { kind, atByte: number ?? 0 };
  if (kind === "slow") return { kind, milliseconds: number ?? 0 };
  return { kind };
}
