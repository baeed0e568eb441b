import { joined, sentence } from "../sentence";
import type { Sentence } from "../sentence";
import type { Difference, Part, RollBackStep } from "./rollBack";
import type { Step } from "./planTypes";
import { list, listOfFew, named, short } from "./words";

/** What is going to be put back, as parts of one sentence. */
export function describeRollBack(steps: readonly RollBackStep[]): Sentence {
  return joined(steps.map(describeStep), "; ");
}

function describeStep(step: RollBackStep): Sentence {
  switch (step.kind) {
    case "giveBack":
      return sentence`${step.service === "IIS" ? "IIS (the front end)" : step.service} goes back to ${named(step.to)}`;
    case "nameBack":
      return step.name === undefined
        ? sentence`the certificate name of ${step.service} is cleared again`
        : sentence`the certificate name of ${step.service} is ${step.name} again`;
    case "defaultSmtpBack":
      return sentence`${named(step.to)} becomes the default SMTP certificate again`;
    case "connectorBack":
      return sentence`${step.type} connector "${step.connector}" names ${step.name ?? "no certificate"} again`;
    case "removeImport":
      return sentence`${named(step.certificate)}, which this run imported, is removed again`;
  }
}

/** In what the server isn't as before, as parts of one sentence. */
export function describeDifferences(differences: readonly Difference[]): Sentence {
  return joined(differences.map(describeDifference), "; ");
}

function describeDifference(difference: Difference): Sentence {
  switch (difference.kind) {
    case "importStays": {
      const { certificate, holds, connectors, declaredBy } = difference;
      const why =
        connectors.length > 0
          ? sentence`, because send ${connectors.length === 1 ? "connector" : "connectors"} ${quotedNames(connectors)} ${connectors.length === 1 ? "names" : "name"} its issuer and subject and Exchange doesn't let it go: transport may prefer it to the one before`
          : declaredBy.length > 0
            ? sentence`, because ${declaredBy.length === 1 ? "binding" : "bindings"} ${quotedNames(declaredBy)} ${declaredBy.length === 1 ? "declares" : "declare"} it`
            : holds.length > 0
              ? sentence`, because nobody else had ${list(holds)} before`
              : sentence``;
      return sentence`${named(certificate)}, which this run imported, is still on the server${why}`;
    }
    case "certificateGone":
      return sentence`${named(difference.certificate)} was removed, and nobody here could bring it again`;
    case "serviceNotBack":
      return difference.from === undefined
        ? sentence`no certificate had ${difference.service} before, and Exchange can't take it away`
        : sentence`${difference.service} isn't with ${named(difference.from)} again`;
    case "smtpStays":
      return sentence`${named(difference.certificate)} has SMTP now, which Exchange can't take away`;
    case "nameNotBack":
      return sentence`the certificate name of ${difference.service} isn't ${difference.name ?? "empty"} again`;
    case "defaultSmtpNotBack":
      return difference.from === undefined
        ? sentence`there was no default SMTP certificate before, and Exchange can't take the role away`
        : sentence`${short(difference.from)} isn't the default SMTP certificate again`;
    case "connectorNotBack":
      return sentence`${difference.type} connector "${difference.connector}" doesn't name ${difference.name ?? "no certificate"} again`;
    case "notKnown":
      return sentence`whether ${describePart(difference.part)} is as before isn't known`;
    case "othersDoing":
      return sentence`${describePart(difference.part)} was changed by somebody else meanwhile, and is left so`;
    case "requireSsl":
      return sentence`enabling IIS has switched on Require SSL of the Default Web Site, and whether it was on before isn't known`;
  }
}

function describePart(part: Part): Sentence {
  switch (part.kind) {
    case "service":
      return sentence`the certificate of ${part.service}`;
    case "name":
      return sentence`the certificate name of ${part.service}`;
    case "defaultSmtp":
      return sentence`the default SMTP certificate`;
    case "smtp":
      return sentence`SMTP of ${named(part.certificate)}`;
    case "connector":
      return sentence`the name that ${part.type} connector "${part.connector}" has`;
  }
}

/** In what a server that is as before isn't: names that an earlier run may have left cleared stay set in any case. */
export function describePutBack(begun: readonly Step[]): Sentence {
  const set = begun.flatMap((step) =>
    step.kind === "setConnector" && step.isPutBack === true ? [step.connector] : [],
  );
  return set.length === 0
    ? sentence``
    : sentence` but for send connector${set.length === 1 ? "" : "s"} ${quotedNames(set)}, which named none and name${set.length === 1 ? "s" : ""} the certificate of the state now`;
}

function quotedNames(names: readonly string[]): Sentence {
  return listOfFew(names.map((name) => sentence`"${name}"`));
}
