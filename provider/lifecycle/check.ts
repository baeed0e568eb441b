import { tlsCertificateNameOf } from "../backends/connectorName";
import type { Thumbprint } from "../certificate/thumbprint";
import { isBindingError } from "../errors";
import { factsAsInputs, readInputs } from "../inputs";
import type { ReadInputs } from "../inputs";
import type { ServerFqdn } from "../model";
import { claimsOf, conflictsWith } from "../plan/claims";
import { FACT_KEYS } from "../certificate/facts";
import type { CertificateFacts } from "../certificate/facts";
import type { BindingIdentity, DesiredBinding } from "../plan/desired";
import { findCertificate } from "../plan/holdings";
import { lineOf } from "../plan/line";
import type { Line } from "../plan/line";
import { linesOfPlan } from "../plan/lines";
import type { ObservedServer } from "../plan/observedServer";
import { plan } from "../plan/plan";
import type { Blocker } from "../plan/planTypes";
import { subjectOfWish } from "../plan/target";
import { clean, previousFromInputs } from "../state";
import { choose } from "./choosing";
import type { Deployment } from "./deployment";
import { materialNotices } from "./materialNotices";
import { limitsOf } from "./requests";
import type { Bag, CheckAnswer, CheckRequest, Failure } from "./requests";

/**
 * Reads the inputs, and refuses at preview what could not be done later: every mistake of the resource at once, each
 * with the property it belongs to. Says what a new binding will do; for an existing one, diff says it.
 */
export async function check(deployment: Deployment, request: CheckRequest): Promise<CheckAnswer> {
  const read = await readInputs(request.inputs, deployment.reading(request));
  const failures: Failure[] = read.failures.map((failure) => ({ ...failure, kind: "mistake" }));
  let inputs = read.normalised;
  // Also where something else is still unknown: others may count on what this binding brings.
  if (read.server !== undefined && read.source?.desired.kind === "given") {
    deployment.expect(read.server, read.source.desired.facts, read.identity);
  }
  try {
    // The engine checks one binding after the other; meanwhile the servers of the others are read.
    deployment.prefetch();
    if (read.desired !== undefined) {
      const { server } = read.desired;
      deployment.wish(read.desired);
      const declared = declareCertificate(deployment, read.desired);
      const looked = await checkOnServer(deployment, read, read.desired, request);
      for (const blocker of [...declared, ...looked.blockers]) {
        // The rules of the inputs have spoken already, and the plan finds some of the mistakes again.
        if (read.failures.some(({ flaw }) => flaw !== undefined && isSameFlaw(flaw, blocker))) continue;
        failures.push({ kind: "blocker", property: blocker.property, server, blocker });
      }
      inputs = { ...inputs, ...looked.facts };
      if (failures.length === 0) deployment.sayOnce(server, read.identity, looked.lines);
    }
  } catch (error) {
    // What is wrong with a setting says which one; the server has no part in it.
    const isSetting = isBindingError(error, "ConfigurationInvalid");
    failures.push({ kind: "error", property: isSetting ? "" : "server", error });
  }
  return { inputs: clean(inputs), failures };
}

function isSameFlaw(one: Blocker, other: Blocker): boolean {
  return one.kind === other.kind && one.property === other.property;
}

/** Remembers what the binding declares, as far as that is known; refused where an earlier one removes it. */
function declareCertificate(
  deployment: Deployment,
  { server, certificate, identity }: DesiredBinding,
): readonly Blocker[] {
  const named = certificate.kind === "given" ? certificate.facts.thumbprint : undefined;
  const thumbprint = certificate.kind === "thumbprint" ? certificate.thumbprint : named;
  if (thumbprint === undefined) return [];
  const removed = declareOn(deployment, server, thumbprint, identity);
  return removed === undefined ? [] : [removed];
}

interface Looked {
  readonly blockers: readonly Blocker[];
  readonly lines: readonly Line[];
  readonly facts: Bag;
}

async function checkOnServer(
  deployment: Deployment,
  read: ReadInputs,
  wished: DesiredBinding,
  request: CheckRequest,
): Promise<Looked> {
  const { server, identity } = wished;
  const { oldInputs } = request;
  const isNew = Object.keys(oldInputs).length === 0;
  const observation = await deployment.look(server, wished.timeoutSeconds, request);
  const observed = observation.kind === "observed" ? observation.server : undefined;
  const previous = isNew ? undefined : previousFromInputs(oldInputs);
  const { desired, blocker, lines: choice } = choose(deployment, { ...read, desired: wished }, observed, previous);
  const declared = read.onServer === undefined ? [] : declareCertificate(deployment, desired);
  const claims = claimsOf(desired, observed);
  const conflicts = [...declared, ...conflictsWith(claims, deployment.claim(server, identity, claims), observed)];
  if (observation.kind === "notAsked") {
    const line = lineOf("plan", { kind: "notAsked", reason: observation.reason });
    // Without one that was bound there before nothing is known of the one that will be chosen.
    const isLastKnown = read.onServer !== undefined && previous?.server === server;
    const facts = isLastKnown ? lastKnownFacts(oldInputs) : {};
    return { blockers: conflicts, lines: isNew ? [line] : [], facts };
  }
  // For a certificate named by its thumbprint or chosen there only the server can tell the rest.
  const facts =
    desired.certificate.kind === "thumbprint"
      ? factsAsInputs(findCertificate(observation.server, desired.certificate.thumbprint)?.facts, read.source)
      : {};
  await deployment.sources.read(observation.server, desired.connectors.send, limitsOf(desired, request));
  conflicts.push(...connectorBlockers(deployment, desired, observation.server));
  if (blocker !== undefined) return { blockers: [...conflicts, blocker], lines: [], facts };
  // Which certificate was made stands in the outputs, which only diff gets to see; so diff does the refusing.
  if (previous !== undefined && previous.thumbprint === undefined) return { blockers: conflicts, lines: [], facts };
  const decision = plan(desired, previous, observation.server, deployment.planContext(server, identity));
  const lines = isNew ? [...choice, ...linesOfPlan(decision), ...materialNotices(read, decision)] : [];
  return { blockers: [...conflicts, ...(decision.kind === "blocked" ? decision.blockers : [])], lines, facts };
}

/** As an earlier check found them. */
function lastKnownFacts(inputs: Bag): Bag {
  return Object.fromEntries(FACT_KEYS.map((key) => [key, inputs[key]]));
}

/** Connectors that another binding of the program wants to name something else. */
function connectorBlockers(
  deployment: Deployment,
  desired: DesiredBinding,
  server: ObservedServer,
): readonly Blocker[] {
  const { certificate, connectors, identity } = desired;
  const facts = issuedAs(certificate, server);
  const certificateName = facts === undefined ? undefined : tlsCertificateNameOf(facts);
  const names = [...connectors.send, ...connectors.receive.map((name) => `${desired.server}\\${name}`)];
  const claims = names.map((connector) => ({ identity, server: desired.server, connector, certificateName }));
  return deployment.claimConnectors(identity, claims).map(({ connector, other }) => ({
    kind: "connectorClaimed",
    property: "connectors",
    connector,
    binding: identity,
    other,
  }));
}

/** Issuer and subject, as far as they are known: of one that is still to be made by its wish. */
function issuedAs(
  certificate: DesiredBinding["certificate"],
  server: ObservedServer,
): Pick<CertificateFacts, "issuer" | "subject"> | undefined {
  switch (certificate.kind) {
    case "given":
      return certificate.facts;
    case "thumbprint":
      return findCertificate(server, certificate.thumbprint)?.facts;
    case "selfSigned": {
      const subject = subjectOfWish(certificate.wish);
      return { issuer: subject, subject };
    }
    case "unknown":
      return undefined;
  }
}

/** Remembers what the binding declares; the refusal where one that was looked at before removes it in this run. */
export function declareOn(
  deployment: Deployment,
  server: ServerFqdn,
  thumbprint: Thumbprint,
  binding: BindingIdentity,
): Blocker | undefined {
  const { declarations } = deployment;
  declarations.declare(server, thumbprint, binding);
  const by = declarations.belies(server, thumbprint, binding);
  if (by !== undefined) {
    deployment.say(server, binding, [lineOf("plan", { kind: "keptAfterAll", thumbprint, by: by.label })]);
  }
  const other = declarations.removerOf(server, thumbprint, binding);
  return other === undefined
    ? undefined
    : { kind: "removedByAnother", property: "certificate", thumbprint, binding, other };
}
