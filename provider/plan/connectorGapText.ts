import { joined, sentence } from "../sentence";
import type { Sentence } from "../sentence";
import type { GapRefusal } from "./connectorGap";
import type { NotReady } from "./connectors";
import { listOfFew } from "./words";

/** What a gap means, after the sentence about the removal that it is for; nothing where there is none. */
export function describeGap(connectors: readonly string[] | undefined, isDone: boolean): Sentence {
  if (connectors === undefined) return sentence``;
  const one = connectors.length === 1;
  const names = sentence`the ${one ? "name" : "names"} of send ${one ? "connector" : "connectors"} ${quotedNames(connectors)}`;
  return isDone
    ? sentence`; for that moment ${names} ${one ? "was" : "were"} cleared, and ${one ? "is" : "are"} set again`
    : sentence`; for that moment ${names} ${one ? "is" : "are"} cleared and then set again: mail sent then goes out without this certificate, and Microsoft 365 may refuse it for good`;
}

/** Why no gap is made although one is allowed, as a part of a sentence. */
export function describeNoGap(refusal: GapRefusal): Sentence {
  switch (refusal.kind) {
    case "connectorsUnknown":
      return sentence`there is no gap for it, because send connectors couldn't be read (${refusal.reason})`;
    case "notHeld":
      return sentence`there is no gap for it, because ${quotedNames(refusal.connectors)} ${refusal.connectors.length === 1 ? "isn't a connector" : "aren't connectors"} that this binding has set and still declares, so that no later run would set the name again`;
    case "noTurn":
      return sentence`there was no gap for it within the time limit, because other gaps came first; the next run tries again`;
    case "notReady":
      return sentence`there is no gap for it, because of the source servers of "${refusal.connector}" ${joined(
        refusal.for.map((one) => describeNotReady(one)),
        " and ",
      )}`;
  }
}

function describeNotReady(one: NotReady): Sentence {
  switch (one.kind) {
    case "withoutCertificate":
      return sentence`${one.name} has no other valid certificate of that issuer and subject with SMTP`;
    case "unreachable":
      return sentence`${one.name} couldn't be read (${one.reason})`;
    case "edge":
      return sentence`${one.name} is an Edge server, which can't be asked from here`;
  }
}

function quotedNames(names: readonly string[]): Sentence {
  return listOfFew(names.map((name) => sentence`"${name}"`));
}
