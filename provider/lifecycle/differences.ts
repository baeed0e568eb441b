import { INPUT_KEYS } from "../inputs";
import { namePropertyOf } from "../plan/names";
import { REPLACED_PROPERTY } from "../plan/plan";
import type { Plan, Step } from "../plan/planTypes";
import { changedInputs } from "../state";
import type { Bag, Difference } from "./requests";

/** Inputs that differ from those in the state; a rotated secret of the same certificate doesn't. */
export function differencesOfInputs(stored: Bag, inputs: Bag): readonly Difference[] {
  return changedInputs(stored, inputs).map((path) => ({
    path,
    kind: stored[path] === undefined ? "add" : inputs[path] === undefined ? "delete" : "update",
    ofInputs: true,
  }));
}

/** The same, and what the server lacks of what is declared: lost services and names, a certificate that is gone. */
export function differencesOf(decision: Plan, stored: Bag, inputs: Bag): readonly Difference[] {
  const all = new Map(differencesOfInputs(stored, inputs).map((one) => [one.path, one]));
  const put = (path: string, kind: Difference["kind"]): void => {
    const [top = path] = path.split("[");
    // What the inputs tell already needs no second mention.
    if (!all.has(path) && !all.has(top)) all.set(path, { path, kind, ofInputs: false });
  };
  if (decision.kind === "replace") put(REPLACED_PROPERTY[decision.because], "update");
  if (decision.kind === "update") {
    const services = Array.isArray(inputs["services"]) ? (inputs["services"] as readonly unknown[]) : [];
    for (const step of decision.work.steps) for (const [path, kind] of pathsOf(step, services)) put(path, kind);
  }
  return [...all.values()].sort((one, other) => rank(one) - rank(other));
}

function pathsOf(step: Step, services: readonly unknown[]): readonly (readonly [string, Difference["kind"]])[] {
  switch (step.kind) {
    case "makeCertificate":
    case "importCertificate":
      return [["certificate", "update"]];
    case "setCertificateName":
      return [[namePropertyOf(step.service), "update"]];
    case "setConnector":
      return [["connectors", "update"]];
    case "removeCertificate":
      return [["onDelete", "update"]];
    case "enable":
      if (step.because === "successor") return [];
      if (step.because === "defaultSmtpWanted") return [["replaceDefaultSmtpCertificate", "update"]];
      return step.services
        .map((service) => services.indexOf(service))
        .filter((index) => index >= 0)
        .map((index) => [`services[${String(index)}]`, "add"] as const);
  }
}

function rank({ path }: Difference): number {
  return (INPUT_KEYS as readonly string[]).indexOf(path.split("[")[0] ?? path);
}
