import { joined, sentence } from "../sentence";
import type { Sentence } from "../sentence";
import { describeFollowUp, describeTask, describeWayBack } from "./followUpText";
import { describeBlocker } from "./blockerText";
import type { Deed, Fact, Line, Phase } from "./line";
import { describeNotice } from "./noticeText";
import { describeGap } from "./connectorGapText";
import { describeRollBack } from "./rollBackText";
import { NO_WAY_BACK } from "./removalText";
import { days, list, listOfFew, named, refInShort, short, withLife } from "./words";
import type { CertificateRef, Goal, ReplaceReason, TakeOver } from "./planTypes";
import type { Effect } from "./surprises";
import type { TextContext } from "./words";

const REPLACE_BECAUSE: Readonly<Record<ReplaceReason, Sentence>> = {
  server: sentence`the binding moves to another server`,
  certificate: sentence`another certificate is declared`,
  chosen: sentence`another certificate of the server was chosen`,
  notKnownYet: sentence`its certificate isn't known yet`,
  wish: sentence`the wished certificate has changed`,
  renewal: sentence`the certificate is inside its renewal period`,
  gone: sentence`the certificate it made is gone from the server`,
  releasedServices: sentence`a service was removed, and Exchange can only release it with another certificate`,
  asked: sentence`the engine was asked to replace it`,
};

/**
 * A line as a sentence, without the server's and the binding's name, which whoever shows it puts in front. What a plan
 * announces begins with "plan: ", so that it is true in a preview and in an up.
 */
export function describeLine(line: Line, context: TextContext): Sentence {
  const text = describeFact(line, line.phase, context);
  return line.phase === "plan" && ANNOUNCES.has(line.kind) ? sentence`plan: ${text}` : text;
}

/** Lines about what is going to happen; the others say what is. */
const ANNOUNCES: ReadonlySet<Line["kind"]> = new Set([
  "replaces",
  "makes",
  "imports",
  "enables",
  "setsName",
  "removes",
  "setsConnector",
  "removedAtEnd",
  "removedElsewhere",
]);

function describeFact(line: Line, phase: Phase, context: TextContext): Sentence {
  const isDone = phase === "change";
  const verb = (planned: Sentence, done: Sentence): Sentence => (isDone ? done : planned);
  switch (line.kind) {
    case "replaces": {
      const order = line.deletesFirst ? sentence`, the old one forgotten first (deleteBeforeReplace)` : sentence``;
      return sentence`replaces the binding${order}: ${REPLACE_BECAUSE[line.because]}`;
    }
    case "makes":
      return sentence`${verb(sentence`makes`, sentence`made`)} a new self-signed certificate for ${listOfFew(line.wish.dnsNames)}, valid for ${days(line.wish.validityDays)}`;
    case "imports":
      return describeImport(line, isDone);
    case "enables": {
      const who = refInShort(line.certificate);
      const whom = line.because === "successor" ? sentence`the successor ${who}` : who;
      const why = line.because === "defaultSmtpWanted" ? sentence` again, to make it the default SMTP certificate` : "";
      return sentence`${verb(sentence`enables`, sentence`enabled`)} ${list(line.services)} for ${whom}${why}${losing(line.takeOvers, isDone, context)}`;
    }
    case "setsName": {
      const was = line.previousName === undefined ? "" : sentence` (was ${line.previousName})`;
      const losses = losing(line.takeOvers, isDone, context);
      return line.name === undefined
        ? sentence`${verb(sentence`clears`, sentence`cleared`)} the certificate name of ${line.service}${was}${losses}`
        : sentence`${verb(sentence`sets`, sentence`set`)} the certificate name of ${line.service} to ${line.name}${was}${losses}`;
    }
    case "setsConnector":
      return describeConnector(line, isDone);
    case "removes":
      return sentence`${verb(sentence`removes`, sentence`removed`)} ${withLife(line.certificate, context.now)}, which nothing on the server needs as far as can be seen${describeGap(line.gap, isDone)}${line.onlyThere ? NO_WAY_BACK : ""}`;
    case "formerHolderUnknown":
      return sentence`${list(line.services)} ${line.services.length === 1 ? "was" : "were"} with this certificate before this run, which the state didn't know: who had ${line.services.length === 1 ? "it" : "them"} before isn't known`;
    case "rollsBack":
      return sentence`the change has failed and is rolled back: ${describeRollBack(line.steps)}`;
    case "takesBack":
      return sentence`the server doesn't accept certificate ${short(line.thumbprint)}: its import is taken back`;
    case "connectorNotSet":
      return sentence`send connector "${line.connector}" has waited for this server, and couldn't be set; the next run tries again. ${line.message}`;
    case "removalNotDone":
      return sentence`${named(line.certificate)} stays, because Exchange doesn't let it go; the next run tries again. ${line.message}`;
    case "keptUntilReplaced":
      return sentence`certificate ${short(line.thumbprint)} stays until the binding that replaces this one is there; then or in a later run it goes, unless something there still needs it`;
    case "afterwards":
      return sentence`afterwards: ${describeTask(line.task, context)}`;
    case "stillToDo":
      return sentence`still to do: ${describeFollowUp(line.followUp, line.isNew, context)}`;
    case "wayBack":
      return describeWayBack(line, context);
    case "refused":
      return sentence`REFUSED: ${describeBlocker(line.blocker, context)}`;
    case "stopped":
      return describeStopped(line);
    case "serverWarns":
      return sentence`the server warns: ${line.warning}`;
    case "waitsFor":
      return sentence`waiting until ${joined(
        line.goals.map((goal) => goalInWords(goal)),
        " and ",
      )}`;
    case "isGone":
      return sentence`${refInShort(line.certificate)} is gone from the server`;
    case "nameDiffers":
      return sentence`the certificate name of ${line.service} is ${line.actual ?? "empty"}; declared is ${line.declared ?? "that it is empty"}`;
    case "notDefaultSmtp":
      return sentence`${refInShort(line.certificate)} isn't the default SMTP certificate, which is declared`;
    case "needsReplacement":
      return sentence`needs another certificate: ${REPLACE_BECAUSE[line.because]}`;
    case "staysOnServer": {
      const holds =
        line.held === undefined
          ? sentence`which services it holds isn't known`
          : line.held.length === 0
            ? sentence`it holds no service`
            : sentence`it still holds ${list(line.held)}`;
      return sentence`no longer managed; certificate ${line.thumbprint} stays on ${context.server} as it is: ${holds}`;
    }
    case "wasGoneBefore":
      return sentence`no longer managed; certificate ${line.thumbprint} isn't on ${context.server} any more`;
    default:
      return describeNotice(line, context, phase);
  }
}

function describeConnector(
  { type, connector, certificate, previous, waits }: Fact & { readonly kind: "setsConnector" },
  isDone: boolean,
): Sentence {
  const what = sentence`${type} connector "${connector}"`;
  if (waits) {
    return isDone
      ? sentence`looked whether every source server of ${what} is ready`
      : sentence`lets ${what} name ${refInShort(certificate)}, if every source server is ready by then`;
  }
  const was = previous === undefined ? sentence`; it named none` : sentence`; it named ${previous}`;
  return sentence`${isDone ? "let" : "lets"} ${what} name ${refInShort(certificate)} by its issuer and subject${was}`;
}

function describeImport({ certificate, because }: Fact & { readonly kind: "imports" }, isDone: boolean): Sentence {
  const what = sentence`${isDone ? "imported" : "imports"} ${refInShort(certificate)}`;
  switch (because) {
    case "made":
      return sentence`${what} with its key`;
    case "absent":
      return isDone ? what : sentence`${what}, which isn't on the server yet`;
    case "gone":
      return sentence`${what} again: it ${isDone ? "was" : "is"} gone from the server`;
  }
}

function losing(takeOvers: readonly TakeOver[], isDone: boolean, { now }: TextContext): Sentence {
  const parts = takeOvers.map(({ service, from }) =>
    isDone ? sentence`; ${service} left ${named(from)}` : sentence`; ${service} leaves ${withLife(from, now)}`,
  );
  return joined(parts, "");
}

function describeStopped({ done, uncertain, undone }: Fact & { readonly kind: "stopped" }): Sentence {
  const parts = [
    ...done.map((deed) => deedDone(deed)),
    ...(uncertain.length === 0 ? [] : [sentence`whether ${list(uncertain.map(deedToDo))} came about isn't known`]),
    ...(undone.length === 0 ? [] : [sentence`${list(undone.map(deedToDo))} not yet`]),
  ];
  return sentence`stopped on the way: ${done.length === 0 ? sentence`nothing done for certain; ` : ""}${joined(parts, "; ")}`;
}

function deedDone(deed: Deed): Sentence {
  switch (deed.kind) {
    case "made":
      return sentence`made`;
    case "imported":
      return sentence`imported`;
    case "enabled":
      return sentence`${deed.service} enabled`;
    case "becameDefaultSmtp":
      return sentence`became the default SMTP certificate`;
    case "connectorSet":
      return sentence`${deed.type} connector "${deed.connector}" set`;
    case "removed":
      return sentence`${short(deed.thumbprint)} removed`;
    case "named":
      return deed.name === undefined
        ? sentence`name of ${deed.service} cleared`
        : sentence`name of ${deed.service} set to ${deed.name}`;
  }
}

function deedToDo(deed: Deed): Sentence {
  switch (deed.kind) {
    case "made":
      return sentence`the making`;
    case "imported":
      return sentence`the import`;
    case "enabled":
      return sentence`${deed.service}`;
    case "becameDefaultSmtp":
      return sentence`the default SMTP role`;
    case "connectorSet":
      return sentence`${deed.type} connector "${deed.connector}"`;
    case "removed":
      return sentence`the removal of ${short(deed.thumbprint)}`;
    case "named":
      return sentence`the name of ${deed.service}`;
  }
}

/** What was to come about. */
export function goalInWords(goal: Goal, resolve?: (ref: CertificateRef) => string | undefined): Sentence {
  const thumbprintOf = (ref: CertificateRef): string | undefined =>
    resolve?.(ref) ?? (ref.kind === "known" ? ref.thumbprint : undefined);
  const who = (ref: CertificateRef): Sentence => {
    const thumbprint = thumbprintOf(ref);
    return thumbprint === undefined ? sentence`the new certificate` : sentence`certificate ${thumbprint}`;
  };
  switch (goal.kind) {
    case "present":
      return sentence`${who(goal.certificate)} is on the server`;
    case "holds":
      return sentence`${who(goal.certificate)} holds ${goal.service}`;
    case "releases":
      return sentence`certificate ${goal.thumbprint} no longer holds ${goal.service}`;
    case "connectorNames":
      return sentence`${goal.type} connector "${goal.connector}" names ${who(goal.certificate)}`;
    case "absent":
      return sentence`certificate ${goal.thumbprint} is gone`;
    case "defaultSmtpIs":
      return sentence`the default SMTP certificate is ${thumbprintOf(goal.certificate) ?? "the new one"}`;
    case "certificateNameIs":
      return goal.name === undefined
        ? sentence`the certificate name of ${goal.service} is empty`
        : sentence`the certificate name of ${goal.service} is ${goal.name}`;
  }
}

/** What has become different on a server since the plan was shown. */
export function describeSurprise(effect: Effect): Sentence {
  switch (effect.kind) {
    case "certificateIsMade":
      return sentence`a certificate would be made`;
    case "certificateIsGone":
      return sentence`the certificate is gone`;
    case "certificateIsAbsent":
      return sentence`the certificate isn't on the server`;
    case "certificateNameIs":
      return sentence`the certificate name of ${effect.service} is ${effect.name ?? "empty"}`;
    case "defaultSmtpIs":
      return sentence`the default SMTP certificate is ${effect.thumbprint ?? "not set"}`;
    case "mustBeEnabled":
      return sentence`${effect.service} has to be enabled`;
    case "connectorIsSet":
      return sentence`connector "${effect.connector}" would be set`;
    case "isRemoved":
      return sentence`certificate ${effect.thumbprint} would be removed`;
    case "isHeldBy":
      return sentence`${effect.service} is held by ${effect.thumbprint}`;
  }
}
