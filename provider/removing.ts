import type { ApplyEnv, Run } from "./applyRun";
import { tlsCertificateNameOf } from "./backends/connectorName";
import { ExchangeBindingError, asSentence, isBindingError, messageOf } from "./errors";
import { growingDelays } from "./growingDelays";
import { decideGap } from "./plan/connectorGap";
import type { GapDecision, GapRefusal } from "./plan/connectorGap";
import { findCertificate } from "./plan/holdings";
import type { ObservedCertificate, ObservedServer } from "./plan/observedServer";
import { commandOf, quoted, tlsCertificateNameExpression } from "./plan/powershell";
import { judgeRemoval } from "./plan/removal";
import type { Removal } from "./plan/removal";
import { keptNotices } from "./plan/removalWork";
import { withoutCertificate } from "./plan/serverAfter";
import type { RemovalStep } from "./plan/removalWork";

/* The effects of removals, which nothing can take back. */

/**
 * Removes certificates, each judged once more right before: by the server as it has become, and by what the program has
 * declared by then. What stays is no failure; who declares it is told with the outputs. Those that a send connector names
 * go together in one gap.
 */
export async function removeThese(steps: readonly RemovalStep[], before: ObservedServer, run: Run): Promise<void> {
  const { progress, env } = run;
  let server = before;
  const inGap: RemovalStep[] = [];
  for (const step of steps) {
    const removal = judgeNow(step, server, env);
    if (removal.kind === "due") {
      const plain = throughGapOf(step, []);
      progress.begun.push(plain);
      if (await removeNow(plain, run)) server = withoutCertificate(server, step.certificate.thumbprint);
      continue;
    }
    progress.begun.push(step);
    if (step.gap !== undefined && needsOnlyGap(removal)) inGap.push(step);
    else keep(step, removal, run);
  }
  if (inGap.length > 0) await removeInGap(inGap, run);
}

/** The step as it is done: with the names that are cleared for it now, which may be fewer than were planned. */
function throughGapOf(step: RemovalStep, connectors: readonly string[]): RemovalStep {
  return { ...step, gap: connectors.length === 0 ? undefined : connectors };
}

/** First the word, then the look: whoever declares it at the same time sees the one, or is seen by the other. */
function announce({ certificate: { thumbprint } }: RemovalStep, env: ApplyEnv): ReturnType<ApplyEnv["declaredBy"]> {
  env.removing(thumbprint);
  return env.declaredBy(thumbprint);
}

function judgeNow(step: RemovalStep, server: ObservedServer, env: ApplyEnv): Removal {
  const { thumbprint } = step.certificate;
  return judgeRemoval({ server, thumbprint, declaredBy: announce(step, env), notBefore: undefined, now: env.now() });
}

/** Who declares it is told with the outputs. */
function keep(step: RemovalStep, removal: Removal | undefined, { progress, env }: Run): void {
  env.staying(step.certificate.thumbprint);
  progress.leftOut.push(step);
  if (removal?.kind === "kept") keptNotices([removal]).forEach(env.say);
}

/** Removes one; says so, and is no failure, when Exchange doesn't let it go. Gives whether it went. */
export async function removeNow(step: RemovalStep, run: Run): Promise<boolean> {
  const { server, progress, env } = run;
  progress.touched = true;
  try {
    await env.backend.removeCertificate(server, step.certificate.thumbprint, env.options);
    return true;
  } catch (error) {
    // An old certificate that has to stay is no reason to fail: it is tried again by the next run.
    if (!isBindingError(error, "RemovalRefused")) throw error;
    notLetGo(step, error, run);
    return false;
  }
}

function notLetGo(step: RemovalStep, { message }: Error, { progress, env }: Run): void {
  progress.leftOut.push(step);
  env.say({ kind: "removalNotDone", certificate: step.certificate, message });
}

/**
 * Clears the names of the send connectors that name the certificates, removes these, and sets the names again, whatever
 * happens. One gap at a time, with a time limit of its own.
 */
export async function removeInGap(steps: readonly RemovalStep[], run: Run): Promise<void> {
  const { env } = run;
  const connectors = [...new Set(steps.flatMap(({ gap = [] }) => gap))];
  const turn = { hasCome: false };
  try {
    await env.inGap(connectors, async () => {
      turn.hasCome = true;
      const doing = `Removing certificates from ${run.server} in a gap of ${connectors.join(", ")}`;
      run.env = { ...env, ...env.anew(doing) };
      await inTheGap(steps, connectors, run);
    });
  } catch (error) {
    if (turn.hasCome || !env.options.signal.aborted) throw error;
    // What has come about needs no gap. It is looked at once more, which takes a time limit of its own.
    run.env = { ...env, ...env.anew(`Reading ${run.server}`) };
    if (run.env.options.signal.aborted) throw error;
    keepForSendConnectors(steps, connectors, { kind: "noTurn" }, run);
  }
}

/** The wait for it may have been long: everything is looked at once more before a name is cleared. */
async function inTheGap(steps: readonly RemovalStep[], connectors: readonly string[], run: Run): Promise<void> {
  const { env, progress } = run;
  let server = await env.observe();
  const due: RemovalStep[] = [];
  let one: ObservedCertificate | undefined;
  for (const step of steps) {
    const { thumbprint } = step.certificate;
    const removal = judgeNow(step, server, env);
    if (removal.kind !== "due" && !needsOnlyGap(removal)) keep(step, removal, run);
    else {
      due.push(step);
      one ??= findCertificate(server, thumbprint);
      server = withoutCertificate(server, thumbprint);
    }
  }
  if (one === undefined) return;
  const decision = await decideAgain(one, server, connectors, env);
  if (decision.kind === "refused") {
    keepForSendConnectors(due, connectors, decision.because, run);
    return;
  }
  progress.touched = true;
  const { facts } = one;
  const { connectors: cleared } = decision;
  const asDone = due.map((step) => {
    const done = throughGapOf(step, cleared);
    progress.begun[progress.begun.indexOf(step)] = done;
    return done;
  });
  await env.whileCleared(() => clearAndRemove({ connectors: cleared, due: asDone, facts }, run));
}

interface Clearing {
  readonly connectors: readonly string[];
  readonly due: readonly RemovalStep[];
  readonly facts: ObservedCertificate["facts"];
}

async function clearAndRemove({ connectors, due, facts }: Clearing, run: Run): Promise<void> {
  const { env } = run;
  const patience = { left: LONGEST_GAP_MS };
  const begun: string[] = [];
  let isCleared = false;
  let failed: { readonly error: unknown } | undefined;
  try {
    for (const connector of connectors) {
      begun.push(connector);
      await env.backend.setSendConnectorCertificate(run.server, connector, undefined, env.options);
    }
    isCleared = true;
    for (const step of due) await removePatiently(step, patience, run);
  } catch (error) {
    failed = { error };
  }
  // Of the last one whose clearing has failed nobody knows whether it names the certificate.
  const unsure = isCleared ? undefined : begun.at(-1);
  await setAgain({ connectors: begun, unsure, facts, cause: failed?.error }, run);
  if (failed !== undefined) throw failed.error;
}

function needsOnlyGap(removal: Removal): boolean {
  return removal.kind === "kept" && removal.reasons.every(({ kind }) => kind === "sendConnectors");
}

async function decideAgain(
  { facts }: ObservedCertificate,
  server: ObservedServer,
  connectors: readonly string[],
  env: ApplyEnv,
): Promise<GapDecision> {
  const sourceOf = await env.sourcesOf(server, connectors);
  const held = { connectors, certificateName: tlsCertificateNameOf(facts) };
  return decideGap({ facts, server, declared: connectors, held, sourceOf, now: env.now() });
}

function keepForSendConnectors(
  steps: readonly RemovalStep[],
  connectors: readonly string[],
  noGap: GapRefusal,
  run: Run,
): void {
  const kept = steps.map(({ certificate }) => {
    const { issuer, subject, thumbprint } = certificate;
    const reason = { kind: "sendConnectors", connectors, issuer, subject, thumbprints: [thumbprint], noGap } as const;
    return { certificate, reasons: [reason] };
  });
  keptNotices(kept).forEach(run.env.say);
  for (const step of steps) keep(step, undefined, run);
}

/** Mail goes out without its certificate meanwhile: that long the directory is waited for, and no longer. */
const LONGEST_GAP_MS = 60_000;

/** The directory may not know yet that the name is cleared: a refusal is tried again. */
async function removePatiently(step: RemovalStep, patience: { left: number }, run: Run): Promise<void> {
  const { env } = run;
  const { certificate } = step;
  const declaredBy = announce(step, env);
  if (declaredBy.kind === "unknown" || declaredBy.value.length > 0) {
    keep(step, undefined, run);
    return;
  }
  const nextDelay = growingDelays();
  for (;;) {
    try {
      await env.backend.removeCertificate(run.server, certificate.thumbprint, env.options);
      return;
    } catch (error) {
      if (!isBindingError(error, "RemovalRefused")) throw error;
      if (patience.left <= 0) {
        notLetGo(step, error, run);
        return;
      }
    }
    const delay = nextDelay();
    await env.sleep(delay);
    patience.left -= delay;
  }
}

const TRIES = 4;
const DELAY_MS = 500;

interface Cleared {
  readonly connectors: readonly string[];
  /** One of them that may not have been cleared. */
  readonly unsure: string | undefined;
  readonly facts: ObservedCertificate["facts"];
  readonly cause: unknown;
}

/** In any case: also when the run is told to end. What can't be set is an error, which says how to set it by hand. */
async function setAgain({ connectors, unsure, facts, cause }: Cleared, run: Run): Promise<void> {
  run.env = { ...run.env, ...run.env.anew(`Setting ${connectors.join(", ")} again`, { inAnyCase: true }) };
  const { env } = run;
  const problems: string[] = [];
  for (const connector of connectors) {
    for (let tries = 1; ; tries += 1) {
      try {
        await env.backend.setSendConnectorCertificate(run.server, connector, tlsCertificateNameOf(facts), env.options);
        break;
      } catch (error) {
        if (tries === TRIES) {
          problems.push(leftEmpty({ connector, isSure: connector !== unsure, facts, error }, run.server));
          break;
        }
        await env.sleep(DELAY_MS * tries).catch(() => undefined);
      }
    }
  }
  if (problems.length === 0) return;
  throw new ExchangeBindingError("ChangeDidNotComeAbout", problems.join(" "), {
    facts: { server: run.server, connectors: [...connectors] },
    cause,
  });
}

interface LeftEmpty {
  readonly connector: string;
  readonly isSure: boolean;
  readonly facts: ObservedCertificate["facts"];
  readonly error: unknown;
}

function leftEmpty({ connector, isSure, facts, error }: LeftEmpty, server: Run["server"]): string {
  const { before, expression } = tlsCertificateNameExpression(server, facts);
  const name = quoted(connector);
  const command =
    name === undefined
      ? ""
      : ` Or by hand: ${commandOf`${before}Set-SendConnector ${name} -TlsCertificateName ${expression}`}`;
  if (!isSure) {
    return (
      `Send connector "${connector}" may name no certificate: clearing its name for the removal of an old one failed, and setting it again too. ` +
      `${asSentence(messageOf(error))} Look at it; the next run sets a name that is empty.${command}`
    );
  }
  return (
    `Send connector "${connector}" names no certificate: its name was cleared for the removal of an old one and couldn't be set again. ` +
    `${asSentence(messageOf(error))} Mail goes out without the certificate until the next run, which sets it first.${command}`
  );
}
