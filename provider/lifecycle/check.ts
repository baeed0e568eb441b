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
import type { Deployment, Observation } from "./deployment";

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
  if (read.desired !== undefined) {
    try {
      const looked = await checkOnServer(deployment, read, read.desired, olds);
      for (const blocker of looked.blockers) {
        const reason = describeBlocker(blocker, { server: read.desired.server, now: deployment.env.now() });
        // Input rules have spoken already; the plan finds some of them again.
        failures.push({ property: blocker.property, reason });
      }
      inputs = { ...inputs, ...looked.facts };
      if (failures.length === 0) {
        deployment.sayOnce(read.desired.server, read.bindingName, looked.lines);
      }
    } catch (error) {
      failures.push({ property: "server", reason: messageOf(error) });
    }
  }
  return { inputs: { ...clean(inputs) }, failures };
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
  const { server, bindingName } = desired;
  const claims = claimsOf(desired);
  const conflicts = conflictsWith(claims, deployment.claim(server, bindingName, claims));
  if (desired.certificate.kind === "given") deployment.expect(server, desired.certificate.facts, bindingName);
  const context = deployment.planContext(server, bindingName);
  const observation = await deployment.look(server);
  const isNew = Object.keys(olds).length === 0;
  if (observation.kind === "notAsked") {
    return { blockers: conflicts, lines: isNew ? notAskedLines(deployment, desired, observation) : [], facts: {} };
  }
  const observed = observation.server;
  const decision = plan(desired, isNew ? undefined : previousFromInputs(olds), observed, context);
  const now = deployment.env.now();
  const material = read.source?.material?.();
  const dropped = material?.notices.includes("keyStorageProviderDropped") === true;
  const lines = isNew
    ? [
        ...describePlan(decision, { server, now }),
        ...(dropped ? [describeNotice({ kind: "keyStorageProviderDropped" }, { server, now })] : []),
      ]
    : [];
  // For a certificate named by its thumbprint only the server can tell the rest.
  const facts =
    desired.certificate.kind === "thumbprint"
      ? factsAsInputs(findCertificate(observed, desired.certificate.thumbprint)?.facts, read.source)
      : {};
  return { blockers: [...conflicts, ...(decision.kind === "blocked" ? decision.blockers : [])], lines, facts };
}

function notAskedLines(
  deployment: Deployment,
  desired: DesiredBinding,
  observation: Observation & { readonly kind: "notAsked" },
): readonly string[] {
  const context = { server: desired.server, now: deployment.env.now() };
  return [describeNotice({ kind: "notAsked", reason: observation.reason }, context)];
}
