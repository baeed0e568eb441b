import { messageOf } from "../errors";
import { factsAsInputs, readInputs } from "../inputs";
import type { CheckFailure, ReadInputs } from "../inputs";
import { claimsOf, conflictsWith } from "../plan/claims";
import type { DesiredBinding } from "../plan/desired";
import { findCertificate } from "../plan/holdings";
import { plan } from "../plan/plan";
import { describeBlocker, describeNotice, describePlan } from "../plan/planText";
import type { Blocker } from "../plan/planTypes";
import { clean, previousFromInputs } from "../state";
import type { Deployment } from "./deployment";
import { failuresForEngine } from "./failuresForEngine";
import { materialNotices } from "./materialNotices";

type Bag = Readonly<Record<string, unknown>>;

export interface CheckResult {
  readonly inputs: Record<string, unknown>;
  readonly failures: CheckFailure[];
}

/**
 * Reads the inputs, and refuses at preview what could not be done later: every mistake of the resource at once, each
 * with the property it belongs to. Says what a new binding will do; for an existing one, diff says it.
 */
export async function check(deployment: Deployment, olds: Bag, news: Bag): Promise<CheckResult> {
  const read = readInputs(news, deployment.env);
  const failures = [...read.failures];
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
      const looked = await checkOnServer(deployment, read, read.desired, olds);
      for (const blocker of looked.blockers) {
        const reason = describeBlocker(blocker, { server, now: deployment.env.now() });
        // The rules of the inputs have spoken already, and the plan finds some of the mistakes again.
        const isTold = failures.some((one) => one.property === blocker.property && one.reason === reason);
        if (!isTold) failures.push({ property: blocker.property, reason });
      }
      inputs = { ...inputs, ...looked.facts };
      if (failures.length === 0) deployment.sayOnce(server, read.identity, looked.lines);
    }
  } catch (error) {
    failures.push({ property: "server", reason: messageOf(error) });
  }
  return { inputs: { ...clean(inputs) }, failures: failuresForEngine(failures, news) };
}

interface Looked {
  readonly blockers: readonly Blocker[];
  readonly lines: readonly string[];
  readonly facts: Bag;
}

async function checkOnServer(
  deployment: Deployment,
  read: ReadInputs,
  desired: DesiredBinding,
  olds: Bag,
): Promise<Looked> {
  const { server, identity } = desired;
  const text = { server, now: deployment.env.now() };
  const isNew = Object.keys(olds).length === 0;
  const observation = await deployment.look(server, desired.timeoutSeconds);
  const observed = observation.kind === "observed" ? observation.server : undefined;
  const claims = claimsOf(desired, observed);
  const conflicts = conflictsWith(claims, deployment.claim(server, identity, claims), observed);
  if (observation.kind === "notAsked") {
    const notice = describeNotice({ kind: "notAsked", reason: observation.reason }, text);
    return { blockers: conflicts, lines: isNew ? [notice] : [], facts: {} };
  }
  // For a certificate named by its thumbprint only the server can tell the rest.
  const facts =
    desired.certificate.kind === "thumbprint"
      ? factsAsInputs(findCertificate(observation.server, desired.certificate.thumbprint)?.facts, read.source)
      : {};
  const previous = isNew ? undefined : previousFromInputs(olds);
  // Which certificate was made stands in the outputs, which only diff gets to see; so diff does the refusing.
  if (previous !== undefined && previous.thumbprint === undefined) return { blockers: conflicts, lines: [], facts };
  const decision = plan(desired, previous, observation.server, deployment.planContext(server, identity));
  const lines = isNew ? [...describePlan(decision, text), ...materialNotices(read, decision, text)] : [];
  return { blockers: [...conflicts, ...(decision.kind === "blocked" ? decision.blockers : [])], lines, facts };
}
