import type { CertificateWish, CmdletCall, CmdletContext, CmdletError, CmdletOutcome } from "./cmdlet";
import { type CmdletDefinition, isVisible } from "./cmdletDefinition";
import { findCmdlet } from "./cmdletDefinitions";
import { completed, failed, type CmdletBody, type CmdletRun } from "./cmdletRun";
import { wishedCertificate } from "./cmdlets/newExchangeCertificate";
import { hasRemoteShell } from "./displayedServices";
import { exchangeError, notRecognised, sessionUnreachable, shellGone, UNVERIFIED_TEXTS } from "./errorTexts";
import type { Organisation, ServerState } from "./organisation";
import { bindParameters } from "./parameters";

/**
 * Runs one cmdlet on a simulated organisation. Pure: whatever is impure comes in the context, and the organisation
 * afterwards is part of the outcome. A read may change it too, where a delay of Active Directory counts reads.
 *
 * A call that has to ask something ends as a `question` with nothing changed: run it again with the answer in the
 * context.
 */
export function runCmdlet(organisation: Organisation, call: CmdletCall, context: CmdletContext): CmdletOutcome {
  const prepared = prepare(organisation, call, context);
  if (prepared.kind === "refused") return failed(organisation, prepared.error);
  const { run, body } = prepared;
  return run.parameters.flag("WhatIf") === true ? completed(organisation) : body(run);
}

/**
 * The certificate that a call of New-ExchangeCertificate would have made, so that the caller can make it beforehand:
 * making one is slow and random, and a call that ends in a question must get the same one again. `undefined` for any
 * other call, and for one that fails before that.
 */
export function certificateWishOf(
  organisation: Organisation,
  call: CmdletCall,
  context: CmdletContext,
): CertificateWish | undefined {
  const prepared = prepare(organisation, call, context);
  if (prepared.kind === "refused" || prepared.run.cmdlet !== "New-ExchangeCertificate") return undefined;
  return wishedCertificate(prepared.run);
}

type Prepared =
  | { readonly kind: "ready"; readonly run: CmdletRun; readonly body: CmdletBody }
  | { readonly kind: "refused"; readonly error: CmdletError };

/** What happens before a cmdlet's own code runs: the session, the binding of parameters, the way to the server. */
function prepare(organisation: Organisation, call: CmdletCall, context: CmdletContext): Prepared {
  const refused = (error: CmdletError): Prepared => ({ kind: "refused", error });
  const definition = findCmdlet(call.name);
  if (definition === undefined) return refused(notRecognised(call.name));

  const named = namedServer(definition, call);
  const wanted = context.session ?? named ?? Object.keys(organisation.servers)[0] ?? "";
  const session = findServer(organisation, wanted);
  if (session === undefined) return refused(serverUnknown(definition, wanted, wanted, context));
  if (session.faults.unreachable === true) return refused(sessionUnreachable(session.fqdn));
  if (!hasRemoteShell(session)) return refused(shellGone(session.fqdn));
  if (!isVisible(definition, session)) return refused(notRecognised(definition.name));

  const bound = bindParameters(definition, call, session.version);
  if (bound.kind === "refused") return refused(bound.error);
  const target = named === undefined ? session : findServer(organisation, named);
  if (target === undefined) return refused(serverUnknown(definition, named ?? wanted, session.name, context));
  if (definition.viaRpc && target.faults.unreachable === true) {
    return refused(unreachableByRpc(definition, target, session.name, context));
  }
  const { parameters } = bound;
  const { name: cmdlet, body } = definition;
  const run = { organisation, cmdlet, parameters, target, targetNamed: named !== undefined, session, context };
  return { kind: "ready", run, body };
}

/**
 * How long a call takes beyond the model's own time, milliseconds: the fault `slowMilliseconds` of the server that it
 * is about. The model doesn't wait; whoever calls it does.
 */
export function delayOf(organisation: Organisation, call: CmdletCall, context: Pick<CmdletContext, "session">): number {
  const definition = findCmdlet(call.name);
  const named = definition === undefined ? undefined : namedServer(definition, call);
  const wanted = named ?? context.session;
  const server = wanted === undefined ? undefined : findServer(organisation, wanted);
  return server?.faults.slowMilliseconds ?? 0;
}

/** The server that a call names, as it names it. A certificate's identity may have the server in front. */
function namedServer(definition: CmdletDefinition, call: CmdletCall): string | undefined {
  if (definition.server === "none") return undefined;
  const byName = (name: string) => {
    const entry = Object.entries(call.parameters).find(([key]) => key.toLowerCase() === name.toLowerCase());
    return typeof entry?.[1] === "string" && entry[1] !== "" ? entry[1] : undefined;
  };
  const identity = byName("Identity");
  if (definition.server === "Identity") return identity;
  const inIdentity = identity?.includes("\\") === true ? identity.slice(0, identity.indexOf("\\")) : undefined;
  return byName("Server") ?? inIdentity;
}

/** Finds a server by FQDN or short name, and whoever answers in its place. */
function findServer(organisation: Organisation, name: string): ServerState | undefined {
  const wanted = name.trim().toLowerCase();
  const servers = Object.values(organisation.servers);
  const server = servers.find((one) => one.fqdn === wanted || one.name.toLowerCase() === wanted);
  const other = server?.faults.answersAs;
  return other === undefined ? server : (organisation.servers[other] ?? server);
}

function serverUnknown(definition: CmdletDefinition, wanted: string, session: string, context: CmdletContext) {
  const message = UNVERIFIED_TEXTS.serverUnknown(wanted);
  return exchangeError(originOf(definition, session, context), "ServerUnknown", message, {
    category: "InvalidArgument",
  });
}

/** An exception other than InvalidOperationException: that is how tools tell "couldn't ask" from "isn't there". */
function unreachableByRpc(definition: CmdletDefinition, target: ServerState, session: string, context: CmdletContext) {
  const message = UNVERIFIED_TEXTS.serverUnreachable(target.fqdn);
  const origin = originOf(definition, session, context);
  return exchangeError(origin, "ServerUnreachable", message, { exception: "RpcClientException" });
}

function originOf(definition: CmdletDefinition, session: string, context: CmdletContext) {
  return { cmdlet: definition.name, session, now: context.now, requestId: context.newGuid() };
}
