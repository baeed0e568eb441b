import type { Thumbprint } from "../certificate/thumbprint";
import { valueOr } from "../model";
import type { ExchangeService, NameService } from "../model";
import type { ObservedServer } from "./observedServer";
import type { Plan } from "./planTypes";
import { stepsOf } from "./steps";

/** Something about a server that a plan takes for granted, or does to others. */
export type Effect =
  | { readonly kind: "certificateIsMade" }
  | { readonly kind: "certificateIsGone" }
  | { readonly kind: "certificateIsAbsent" }
  | { readonly kind: "certificateNameIs"; readonly service: NameService; readonly name: string | undefined }
  /** `undefined`: there is none. */
  | { readonly kind: "defaultSmtpIs"; readonly thumbprint: Thumbprint | "unknown" | undefined }
  | { readonly kind: "mustBeEnabled"; readonly service: ExchangeService }
  | { readonly kind: "connectorIsSet"; readonly connector: string }
  | { readonly kind: "isRemoved"; readonly thumbprint: Thumbprint }
  | { readonly kind: "isHeldBy"; readonly service: ExchangeService; readonly thumbprint: Thumbprint };

function effectsOf(plan: Plan, server: ObservedServer): readonly Effect[] {
  const effects: Effect[] = [];
  for (const step of stepsOf(plan)) {
    switch (step.kind) {
      case "setConnector":
        effects.push({ kind: "connectorIsSet", connector: step.connector });
        break;
      case "makeCertificate":
        effects.push({ kind: "certificateIsMade" });
        break;
      case "importCertificate":
        effects.push({ kind: step.because === "gone" ? "certificateIsGone" : "certificateIsAbsent" });
        break;
      case "removeCertificate":
        effects.push({ kind: "isRemoved", thumbprint: step.certificate.thumbprint });
        break;
      case "setCertificateName":
        effects.push({ kind: "certificateNameIs", service: step.service, name: step.previousName });
        break;
      case "enable":
        if (step.services.includes("SMTP")) {
          effects.push({ kind: "defaultSmtpIs", thumbprint: valueOr(server.defaultSmtpThumbprint, "unknown") });
        }
        for (const service of step.services) effects.push({ kind: "mustBeEnabled", service });
        break;
    }
    if (step.kind === "enable" || step.kind === "setCertificateName") {
      for (const { service, from } of step.takeOvers) {
        effects.push({ kind: "isHeldBy", service, thumbprint: from.thumbprint });
      }
    }
  }
  return effects;
}

/** The same for the same effect. */
function keyOf(effect: Effect): string {
  const facts = Object.entries(effect).map(([key, value]: [string, unknown]) => `${key}=${String(value)}`);
  return facts.sort().join(" ");
}

/**
 * What the server, read again right before the first change, demands that the plan people saw did not say. Less to do
 * than planned is no surprise.
 */
export function surprises(
  planned: { readonly plan: Plan; readonly server: ObservedServer },
  actual: { readonly plan: Plan; readonly server: ObservedServer },
): readonly Effect[] {
  const expected = new Set(effectsOf(planned.plan, planned.server).map(keyOf));
  const found = new Map(effectsOf(actual.plan, actual.server).map((effect) => [keyOf(effect), effect]));
  return [...found].filter(([key]) => !expected.has(key)).map(([, effect]) => effect);
}
