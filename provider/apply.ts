import type { ApplyEnv, Material, Progress, Run } from "./applyRun";
import type { Thumbprint } from "./certificate/thumbprint";
import { ExchangeBindingError, messageOf } from "./errors";
import { growingDelays } from "./growingDelays";
import type { ServerFqdn } from "./model";
import { guardCertificate } from "./plan/guards";
import { isReplicated, unmetGoals } from "./plan/goals";
import type { Resolve } from "./plan/goals";
import { findCertificate } from "./plan/holdings";
import type { ObservedServer } from "./plan/observedServer";
import { describeBlocker } from "./plan/blockerText";
import { goalInWords } from "./plan/lineText";
import type { CertificateRef, Goal, Step, Work } from "./plan/planTypes";
import { nameCertificate } from "./namingConnectors";
import { removeInGap, removeNow, removeThese } from "./removing";
import { Secret } from "./secret";

export interface Applied {
  readonly thumbprint: Thumbprint;
  /** The server after the change, verified. */
  readonly server: ObservedServer;
  /** The steps as they were carried out, without those that were left out. */
  readonly done: readonly Step[];
}

/**
 * A change that did not come to its end. `thumbprint` is set when something on the server may have changed because of
 * it: then the state must remember the resource, or the next run would not know of it.
 */
export class ApplyFailure extends ExchangeBindingError {
  readonly thumbprint: Thumbprint | undefined;
  /** The server as it was last seen, when it could still be read. */
  readonly server: ObservedServer | undefined;
  /** The steps that were begun, the last of them perhaps not done. */
  readonly begun: readonly Step[];
  readonly leftOut: readonly Step[];
  /** The server said that it has imported the certificate. */
  readonly imported: boolean;
  /** All but the removal of old certificates has come about. */
  readonly isVerified: boolean;

  constructor(
    cause: ExchangeBindingError,
    left: Pick<ApplyFailure, "thumbprint" | "server" | "begun" | "leftOut" | "imported" | "isVerified">,
  ) {
    super(cause.code, cause.message, { facts: cause.facts, cause });
    this.name = "ApplyFailure";
    this.thumbprint = left.thumbprint;
    this.server = left.server;
    this.begun = left.begun;
    this.leftOut = left.leftOut;
    this.imported = left.imported;
    this.isVerified = left.isVerified;
  }
}

function begin(work: Work): Progress {
  return {
    thumbprint: work.certificate.kind === "known" ? work.certificate.thumbprint : undefined,
    material: undefined,
    touched: false,
    imported: false,
    isVerified: false,
    leftOut: [],
    begun: [],
  };
}

/**
 * Executes the work of a plan in its order and reads the server again afterwards: a change that did not come about is
 * an error that names it. Every step is idempotent, so that a run that was cut off can be repeated.
 */
export async function apply(work: Work, material: Material | undefined, env: ApplyEnv): Promise<Applied> {
  const progress = begin(work);
  const run: Run = { server: work.server, material, progress, env };
  try {
    const removals = work.steps.filter((step) => step.kind === "removeCertificate");
    for (const step of work.steps) if (step.kind !== "removeCertificate") await execute(step, run);
    // A removal can't be taken back: what the old certificate was needed for must have come about before.
    if (removals.length > 0) {
      const before = { ...work, goals: work.goals.filter(({ kind }) => kind !== "absent") };
      const verified = await verify(before, progress, env);
      progress.isVerified = true;
      await removeThese(removals, verified, run);
    }
    const server = await verify(work, progress, run.env);
    if (progress.thumbprint === undefined) throw new ExchangeBindingError("Internal", "The plan named no certificate.");
    return { thumbprint: progress.thumbprint, server, done: doneOf(progress) };
  } catch (error) {
    throw await failure(error, progress, run.env);
  }
}

/**
 * Executes the removal of one certificate, by itself, and reads the server again. What Exchange refuses is an error
 * with the code `RemovalRefused`.
 */
export async function applyRemoval(
  work: Work,
  env: Pick<ApplyEnv, "backend" | "observe" | "options" | "sleep" | "say">,
): Promise<ObservedServer> {
  for (const step of work.steps) {
    if (step.kind !== "removeCertificate") throw new ExchangeBindingError("Internal", "This only removes.");
    await env.backend.removeCertificate(work.server, step.certificate.thumbprint, env.options);
  }
  return verify(work, begin(work), env);
}

/** The same where send connectors are concerned: names that are set first, and gaps. */
export async function applyWithConnectors(work: Work, env: ApplyEnv): Promise<Pick<Applied, "server" | "done">> {
  const progress = begin(work);
  const run: Run = { server: work.server, material: undefined, progress, env };
  for (const step of work.steps) {
    if (step.kind !== "removeCertificate") await execute(step, run);
    else {
      progress.begun.push(step);
      await removeInGap([step], run);
    }
  }
  return { server: await verify(work, progress, run.env), done: doneOf(progress) };
}

/** What was begun, without what came to nothing; of a change that failed the last one is perhaps not done. */
export function doneOf({ begun, leftOut }: Pick<ApplyFailure, "begun" | "leftOut">): readonly Step[] {
  return begun.filter((step) => !leftOut.includes(step));
}

const EXECUTORS: {
  readonly [K in Step["kind"]]: (step: Step & { readonly kind: K }, run: Run) => Promise<void>;
} = {
  makeCertificate: async ({ wish }, { progress, env }) => {
    progress.material = await env.makeCertificate(wish);
    progress.thumbprint = progress.material.facts.thumbprint;
  },

  importCertificate: async ({ friendlyName, privateKeyExportable }, run) => {
    const { server, material, progress, env } = run;
    progress.material ??= material?.();
    if (progress.material === undefined) {
      throw new ExchangeBindingError("Internal", "The plan imports a certificate, but none was given.");
    }
    const { facts } = progress.material;
    const password = new Secret(env.randomBytes(24).toString("base64url"));
    progress.touched = true;
    const { outcome } = await env.backend.importCertificate(
      server,
      {
        thumbprint: facts.thumbprint,
        pfx: env.packPfx(progress.material, password),
        password,
        friendlyName,
        privateKeyExportable,
      },
      env.options,
    );
    progress.imported = outcome === "imported";
    await judgeImported(facts.thumbprint, run);
  },

  enable: async ({ certificate, services, defaultSmtp, requireSsl }, { server, progress, env }) => {
    progress.touched = true;
    const { warnings } = await env.backend.enableServices(
      server,
      {
        thumbprint: need(resolver(progress)(certificate)),
        services,
        replaceDefaultSmtpCertificate: defaultSmtp === "replace",
        requireSsl,
      },
      env.options,
    );
    for (const warning of warnings) env.say({ kind: "serverWarns", warning });
  },

  setCertificateName: async ({ service, name }, { server, progress, env }) => {
    progress.touched = true;
    await env.backend.setCertificateName(server, service, name, env.options);
  },

  setConnector: async (step, run) => {
    await nameCertificate(step, need(resolver(run.progress)(step.certificate)), run);
  },

  // Removals have an order and a judgement of their own.
  removeCertificate: async (step, run) => {
    await removeNow(step, run);
  },
};

async function execute(step: Step, run: Run): Promise<void> {
  run.progress.begun.push(step);
  const executor = EXECUTORS[step.kind] as (step: Step, run: Run) => Promise<void>;
  await executor(step, run);
}

function resolver(progress: Progress): Resolve {
  return (ref: CertificateRef) => (ref.kind === "known" ? ref.thumbprint : progress.thumbprint);
}

function need(thumbprint: Thumbprint | undefined): Thumbprint {
  if (thumbprint === undefined)
    throw new ExchangeBindingError("Internal", "A step came before its certificate was made.");
  return thumbprint;
}

/**
 * Only the server can say whether it accepts what was imported (chain, revocation, key). When it doesn't, the import
 * is taken back, and the state stays as it was.
 */
async function judgeImported(thumbprint: Thumbprint, run: Run): Promise<void> {
  const { server, env } = run;
  const certificate = findCertificate(await env.observe(), thumbprint);
  if (certificate === undefined) {
    throw new ExchangeBindingError(
      "ChangeDidNotComeAbout",
      `${server} reported that certificate ${thumbprint} was imported, but doesn't show it. Look at the server's certificate store and run again.`,
      { facts: { server, thumbprint } },
    );
  }
  const { blockers } = guardCertificate(certificate.facts, certificate, env.now());
  if (blockers.length === 0) return;
  const reasons = blockers.map((blocker) => describeBlocker(blocker, { server, now: env.now() }));
  const ending = await takeBack(thumbprint, run);
  throw new ExchangeBindingError(
    "Refused",
    `Binding certificate ${thumbprint} on ${server}: ${reasons.join(" ")} ${ending}`,
    { facts: { server, thumbprint } },
  );
}

/** Undoes an import; the sentence that says how that ended. Never throws: the reason for it is what matters. */
async function takeBack(thumbprint: Thumbprint, { server, progress, env }: Run): Promise<string> {
  if (!progress.imported) {
    progress.touched = false;
    return "It was on the server before this run and was left there.";
  }
  let problem = "it is still there";
  env.say({ kind: "takesBack", thumbprint });
  try {
    const { backend, observe, options } = env.anew(`Taking back the import of ${thumbprint} on ${server}`);
    await backend.removeCertificate(server, thumbprint, options);
    if (findCertificate(await observe(), thumbprint) === undefined) {
      progress.touched = false;
      return "The import was taken back; nothing else was changed.";
    }
  } catch (error) {
    problem = messageOf(error);
  }
  return `The import could not be taken back (${problem.replace(/\.$/, "")}): remove the certificate by hand.`;
}

/** Reads again until every goal shows, where Active Directory has to carry the change; otherwise one second look. */
async function verify(
  work: Work,
  progress: Progress,
  env: Pick<ApplyEnv, "observe" | "options" | "sleep" | "say">,
): Promise<ObservedServer> {
  const resolve = resolver(progress);
  const nextDelay = growingDelays();
  for (let looks = 1; ; looks += 1) {
    const server = await env.observe();
    const unmet = unmetGoals(work.goals, server, resolve).filter((goal) => !isLeftOut(goal, progress));
    if (unmet.length === 0) return server;
    const mayStillCome = unmet.every(isReplicated) ? !env.options.signal.aborted : looks < 2;
    if (!mayStillCome)
      throw notComeAbout(
        work.server,
        unmet.map((goal) => goalInWords(goal, resolve)),
      );
    if (looks === 2) env.say({ kind: "waitsFor", goals: unmet });
    try {
      await env.sleep(nextDelay());
    } catch {
      throw notComeAbout(
        work.server,
        unmet.map((goal) => goalInWords(goal, resolve)),
      );
    }
  }
}

function isLeftOut(goal: Goal, { leftOut }: Progress): boolean {
  return leftOut.some((step) =>
    step.kind === "setConnector"
      ? goal.kind === "connectorNames" && goal.type === step.type && goal.connector === step.connector
      : step.kind === "removeCertificate" && goal.kind === "absent" && goal.thumbprint === step.certificate.thumbprint,
  );
}

function notComeAbout(server: ServerFqdn, wanted: readonly string[]): ExchangeBindingError {
  return new ExchangeBindingError(
    "ChangeDidNotComeAbout",
    `The cmdlets reported success, but ${server}, read again, does not show that ${wanted.join("; nor that ")}. ` +
      `Look at the server's event log, then run again: what is missing is tried once more.`,
    { facts: { server, missing: [...wanted] } },
  );
}

async function failure(error: unknown, progress: Progress, env: ApplyEnv): Promise<ApplyFailure> {
  const cause =
    error instanceof ExchangeBindingError
      ? error
      : new ExchangeBindingError("Internal", messageOf(error), { cause: error });
  const { begun, leftOut, imported, isVerified } = progress;
  const untouched = { thumbprint: undefined, server: undefined, begun, leftOut, imported, isVerified };
  if (!progress.touched) return new ApplyFailure(cause, untouched);
  let server: ObservedServer | undefined;
  try {
    server = await env.observe();
  } catch {
    // The first error says what happened; that the server can't be read now adds nothing to it.
  }
  return seenAgain(new ApplyFailure(cause, { ...untouched, thumbprint: progress.thumbprint }), server);
}

/**
 * The failure with what the server shows after it. An import whose answer was lost may have happened or not: only "not
 * there" is certain enough to forget it.
 */
export function seenAgain(failure: ApplyFailure, server: ObservedServer | undefined): ApplyFailure {
  if (server === undefined) return failure;
  const { thumbprint, begun, leftOut, imported, isVerified } = failure;
  const isAbsent = thumbprint !== undefined && findCertificate(server, thumbprint) === undefined;
  const left = { server, begun, leftOut, imported, isVerified };
  return new ApplyFailure(failure.cause as ExchangeBindingError, {
    ...left,
    thumbprint: isAbsent && !imported ? undefined : thumbprint,
  });
}
