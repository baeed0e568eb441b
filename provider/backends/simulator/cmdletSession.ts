import { ExchangeBindingError, isBindingError } from "../../errors";
import type { CertificateMaterial } from "../../certificate/material";
import { readPfxHere } from "../../certificate/pfx";
import { Secret } from "../../secret";
import type { CmdletCall, CmdletContext, CmdletOutcome, CmdletQuestion, OpenedPfx, QuestionKind } from "./cmdlet";
import { delayOf, runCmdlet } from "./exchangeModel";
import type { Organisation } from "./organisation";
import type { StateStore } from "./stateFile";

/** A cmdlet that has ended: its questions are answered. */
export type EndedCmdlet = Exclude<CmdletOutcome, { readonly kind: "question" }>;

/** Answers a question; `undefined` when there is nobody to ask, which ends the cmdlet. */
export type AnswerQuestion = (question: CmdletQuestion) => Promise<"yes" | "no" | undefined>;

export type RunResult = EndedCmdlet | { readonly kind: "unanswered"; readonly question: CmdletQuestion };

/** Everything impure about running cmdlets. */
export interface SessionEnv {
  readonly now: () => Date;
  readonly newGuid: () => string;
  /** Resolves after so many milliseconds; rejects as soon as the signal fires. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly makeCertificate?: CmdletContext["makeCertificate"];
  readonly readFile?: CmdletContext["readFile"];
  /** Default: {@link openPfx}. */
  readonly openPfx?: CmdletContext["openPfx"];
}

/**
 * Opens the PFX of Import-ExchangeCertificate. Only the public parts come out; the key is shown to `withKey` alone.
 */
export function openPfx(
  fileData: Uint8Array,
  password: Secret<string> | undefined,
  withKey?: (material: CertificateMaterial) => void,
): OpenedPfx | "unreadable" {
  try {
    const material = readPfxHere(new Secret(fileData), password);
    withKey?.(material);
    const { der, chain, notices } = material;
    return { der, chain, keyProvider: notices.includes("keyStorageProviderDropped") ? "KSP" : "CSP" };
  } catch (error) {
    if (isBindingError(error)) return "unreadable";
    throw error;
  }
}

/** The context of one run. */
export function contextOf(
  env: SessionEnv,
  session: string | undefined,
  answers: CmdletContext["answers"] = {},
): CmdletContext {
  return {
    now: env.now(),
    newGuid: env.newGuid,
    answers,
    openPfx: env.openPfx ?? openPfx,
    ...(session === undefined ? {} : { session }),
    ...(env.makeCertificate === undefined ? {} : { makeCertificate: env.makeCertificate }),
    ...(env.readFile === undefined ? {} : { readFile: env.readFile }),
  };
}

/** Waits as long as the server of the call takes to answer, when it was told to be slow. */
export async function waitForServer(
  store: StateStore,
  call: CmdletCall,
  env: SessionEnv,
  { session, signal }: { readonly session: string | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const milliseconds = delayOf(await store.read(), call, session === undefined ? {} : { session });
  if (milliseconds > 0) await env.pause(milliseconds, signal);
}

/**
 * Lets something happen to the kept organisation. Most reads leave it as it is and need no lock; only where a delay of
 * Active Directory counts reads they run once more, with one.
 */
export async function withOrganisation<Result>(
  store: StateStore,
  change: (organisation: Organisation) => { readonly organisation: Organisation; readonly result: Result },
  { isRead }: { readonly isRead: boolean },
): Promise<Result> {
  if (isRead) {
    const seen = await store.read();
    const tried = change(seen);
    if (tried.organisation === seen) return tried.result;
  }
  return store.update(change);
}

/**
 * Runs one cmdlet on the kept organisation. A question is put to `answer` while nothing is locked; then the cmdlet runs
 * anew with the answer.
 */
export async function runOnStore(
  store: StateStore,
  call: CmdletCall,
  env: SessionEnv,
  options: { readonly session?: string | undefined; readonly answer: AnswerQuestion },
): Promise<RunResult> {
  const isRead = call.name.toLowerCase().startsWith("get-");
  let answers: CmdletContext["answers"] = {};
  for (;;) {
    const outcome = await withOrganisation(
      store,
      (organisation) => {
        const result = runCmdlet(organisation, call, contextOf(env, options.session, answers));
        return { organisation: result.kind === "question" ? organisation : result.organisation, result };
      },
      { isRead },
    );
    if (outcome.kind !== "question") return outcome;
    const { question } = outcome;
    const answer = await options.answer(question);
    if (answer === undefined) return { kind: "unanswered", question };
    answers = withAnswer(answers, question.kind, answer);
  }
}

function withAnswer(
  answers: CmdletContext["answers"],
  kind: QuestionKind,
  answer: "yes" | "no",
): CmdletContext["answers"] {
  if (answers[kind] !== undefined) {
    throw new ExchangeBindingError("Internal", `The simulated cmdlet asked the same question (${kind}) twice.`);
  }
  return { ...answers, [kind]: answer };
}
