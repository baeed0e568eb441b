import { valueOr } from "../model";
import type { ObservedServer } from "./observedServer";
import type { Plan } from "./planTypes";

/** Effects of a plan on others, each as a comparable text that also reads well in an error. */
function effectsOf(plan: Plan, server: ObservedServer): ReadonlySet<string> {
  const effects = new Set<string>();
  if (plan.kind === "inSync" || plan.kind === "blocked") return effects;
  for (const step of plan.work.steps) {
    switch (step.kind) {
      case "makeCertificate":
        effects.add("a certificate would be made");
        break;
      case "importCertificate":
        effects.add(step.because === "gone" ? "the certificate is gone" : "the certificate isn't on the server");
        break;
      case "setCertificateName":
        effects.add(`the certificate name of ${step.service} is ${step.previousName ?? "empty"}`);
        break;
      case "enable":
        if (step.services.includes("SMTP")) {
          const holder = valueOr(server.defaultSmtpThumbprint, "unknown") ?? "not set";
          effects.add(`the default SMTP certificate is ${holder}`);
        }
        for (const service of step.services) effects.add(`${service} has to be enabled`);
        break;
    }
    if (step.kind === "enable" || step.kind === "setCertificateName") {
      for (const { service, from } of step.takeOvers) effects.add(`${service} is held by ${from.thumbprint}`);
    }
  }
  return effects;
}

/**
 * What the server, read again right before the first change, demands that the plan people saw did not say. Less to do
 * than planned is no surprise.
 */
export function surprises(
  planned: { readonly plan: Plan; readonly server: ObservedServer },
  actual: { readonly plan: Plan; readonly server: ObservedServer },
): readonly string[] {
  const expected = effectsOf(planned.plan, planned.server);
  return [...effectsOf(actual.plan, actual.server)].filter((effect) => !expected.has(effect));
}
