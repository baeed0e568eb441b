import type { ServerSnapshot } from "../backends/backend";
import type { EndpointMemory } from "../backends/remote/endpointSessions";
import { codeOfResult, hasFailed } from "../backends/remote/exchangeErrors";
import type { PipelineResult } from "../remoting/session";
import { type AskingStep, type Finding, type Lack, type Part, PARTS } from "./finding";
import { NEEDED_CMDLETS, type NeededCmdlet } from "./neededCmdlets";

/* What Exchange lets us see, judged on data. */

/** A cmdlet that the account sees; `parameters` undefined: the endpoint doesn't tell. */
export interface VisibleCmdlet {
  readonly name: string;
  readonly parameters: readonly string[] | undefined;
}

export type CmdletListing =
  | { readonly kind: "listed"; readonly cmdlets: readonly VisibleCmdlet[] }
  /** Get-Command can't be had here. */
  | { readonly kind: "notTold"; readonly why: string };

export function judgeCmdlets(listing: CmdletListing): readonly Finding[] {
  const step = "cmdlets";
  if (listing.kind === "notTold") return [{ step, outcome: "skip", kind: "cmdletsNotListed", why: listing.why }];
  const { cmdlets } = listing;
  const missing = NEEDED_CMDLETS.flatMap((needed) => {
    const lack = lackOf(needed, cmdlets);
    return lack === undefined ? [] : [{ needed, lack }];
  });
  const count = NEEDED_CMDLETS.length;
  const areParametersTold = cmdlets.every(({ parameters }) => parameters !== undefined);
  if (missing.length === 0) return [{ step, outcome: "ok", kind: "cmdletsAllSeen", count, areParametersTold }];
  const vital = missing.filter(({ needed }) => needed.isVital);
  if (vital.length > 0) {
    return vital.map(({ needed: { role }, lack }) => ({ step, outcome: "fail", kind: "vitalLacking", role, lack }));
  }
  // One word about each role, however many cmdlets it would bring.
  const byRole = new Map<string, [Lack, ...Lack[]]>();
  for (const { needed, lack } of missing) {
    const others = byRole.get(needed.role);
    if (others === undefined) byRole.set(needed.role, [lack]);
    else others.push(lack);
  }
  return [
    { step, outcome: "ok", kind: "cmdletsSeen", count, areParametersTold, seen: count - missing.length },
    ...[...byRole].map(([role, lacks]): Finding => ({ step, outcome: "warn", kind: "roleLacking", role, lacks })),
  ];
}

/** What of it can't be seen. */
function lackOf({ name, parameters, without }: NeededCmdlet, visible: readonly VisibleCmdlet[]): Lack | undefined {
  const found = visible.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) return { cmdlet: name, parameters: undefined, without };
  const known = found.parameters?.map((one) => one.toLowerCase());
  if (known === undefined) return undefined;
  const lacking = parameters.filter((one) => !known.includes(one.toLowerCase()));
  return lacking.length === 0 ? undefined : { cmdlet: name, parameters: lacking, without };
}

/** Parts that only versions with unified messaging tell, through an endpoint whose server has it too. */
const UM_PARTS: ReadonlySet<Part> = new Set(["umStartupMode", "umCallRouterStartupMode"]);

/** `isByName`: the endpoint's URL has the server's name in it; a fixed one may lead to a server of another version. */
export function judgeReading(
  asked: string,
  snapshot: ServerSnapshot,
  { isByName }: { readonly isByName: boolean } = { isByName: true },
): readonly Finding[] {
  const step = "reading";
  const { server, certificates } = snapshot;
  if (server !== asked.toLowerCase()) return [{ step, outcome: "fail", kind: "otherAnswered", server, asked }];
  const version = snapshot.version.kind === "known" ? snapshot.version.value : undefined;
  const reasons = new Map<string, Part[]>();
  for (const name of PARTS) {
    const part = snapshot[name];
    if (part.kind === "unknown") reasons.set(part.reason, [...(reasons.get(part.reason) ?? []), name]);
  }
  return [
    { step, outcome: "ok", kind: "read", server, certificates: certificates.length, version },
    ...[...reasons].map(([reason, parts]): Finding => {
      const endpointFor = !isByName && parts.some((part) => UM_PARTS.has(part)) ? version : undefined;
      return { step, outcome: "warn", kind: "partsUnknown", parts, reason, endpointFor };
    }),
  ];
}

export function judgeServices(snapshot: ServerSnapshot, how: EndpointMemory["certificates"]): Finding {
  const step = "services";
  const { certificates } = snapshot;
  if (certificates.length === 0) return { step, outcome: "skip", kind: "noCertificate" };
  const reasons = certificates.flatMap(({ displayedServices }) =>
    displayedServices.kind === "unknown" ? [displayedServices.reason] : [],
  );
  const [reason] = reasons;
  if (reason !== undefined) {
    const unknown = reasons.length;
    return { step, outcome: "warn", kind: "servicesUntold", unknown, certificates: certificates.length, reason };
  }
  return { step, outcome: "ok", kind: "servicesTold", by: how === "projected" ? "projection" : "objects" };
}

/** What kept a step from an answer: no answer at all, or a failed cmdlet. */
export type ReadingFailure =
  | { readonly seconds: number }
  | { readonly error: Error }
  | { readonly cmdlet: string; readonly result: PipelineResult | undefined };

/** `known`: the organisation's servers, where they are told. */
export function judgeReadingFailure(
  step: AskingStep,
  failure: ReadingFailure,
  known: readonly string[] | undefined,
  server: string,
): Finding {
  const outcome = "fail";
  if ("seconds" in failure) return { step, outcome, kind: "askingTimedOut", seconds: failure.seconds };
  if ("error" in failure) return { step, outcome, kind: "askingBroke", says: failure.error.message };
  const { cmdlet, result } = failure;
  if (result === undefined || !hasFailed(result)) return { step, outcome, kind: "serverNameless", cmdlet };
  if (known !== undefined && known.length > 0 && !known.includes(server)) {
    return { step, outcome, kind: "noSuchServer", server, known };
  }
  const { state } = result;
  const says = result.errors.at(0)?.message;
  return { step, outcome, kind: "cmdletFailed", cmdlet, says, state, code: codeOfResult(result) };
}
