import { signsByDefault } from "../../../builds";
import { isBindingError } from "../../../errors";
import { integerOf } from "../../../remoting/clixml/reading";
import { isRemotingError } from "../../../remoting/errors";
import { errorRecord, type ErrorRecord } from "../../../remoting/psrp/errorRecord";
import { choicePromptParameters, type HostResponse } from "../../../remoting/psrp/hostCall";
import type { ServerPipeline } from "../../../remoting/psrp/pipeline";
import type { CreatePipeline } from "../../../remoting/psrp/pipelineMessages";
import type { Secret } from "../../../secret";
import type { CmdletCall, CmdletContext, CmdletQuestion } from "../cmdlet";
import { contextOf, runOnStore, waitForServer, type SessionEnv } from "../cmdletSession";
import { certificateWishOf } from "../exchangeModel";
import type { Organisation } from "../organisation";
import type { StateStore } from "../stateFile";
import type { EndpointBehaviour } from "./behaviour";
import { commandMetadata, runGetCommand, runGetFormatData } from "./commandListing";
import { pipelineStopped, questionUnanswered, recordOf } from "./errorRecords";
import { outputValue, selectedValue, type OutputForm } from "./outputObjects";
import { readCall } from "./receivedCall";

/** Makes the certificate of New-ExchangeCertificate, DER. */
export type MakeCertificate = (
  wish: Parameters<NonNullable<CmdletContext["makeCertificate"]>>[0],
) => Promise<Uint8Array>;

/** What running a pipeline needs of its session. */
export interface PipelineSession {
  readonly store: StateStore;
  readonly env: SessionEnv;
  readonly makeCertificate: MakeCertificate;
  readonly behaviour: EndpointBehaviour;
  /** FQDN of the server that the session is on. */
  readonly server: string;
  /** Whether the URL asked for full serialisation. */
  readonly isFull: boolean;
  /** Whether the client has a host that can be asked. */
  readonly hasHost: boolean;
  readonly decrypt: (cipherText: Uint8Array) => Secret<string>;
  /** Sends what waits to whoever is listening. */
  readonly notify: () => void;
  /** Waits for the client's answer to a host call; rejects when the signal fires. */
  readonly hostAnswer: (callId: bigint, signal: AbortSignal) => Promise<HostResponse>;
}

/** Runs what a pipeline was created for, to its end. Never throws; `signal` stops it. */
export async function runPipeline(
  pipeline: ServerPipeline,
  request: CreatePipeline,
  session: PipelineSession,
  signal: AbortSignal,
): Promise<void> {
  const end = (state: "Completed" | "Stopped" | "Failed", error?: ErrorRecord): void => {
    pipeline.finish(state, error);
    session.notify();
  };
  try {
    const error = await run(pipeline, request, session, signal);
    if (signal.aborted) end("Stopped", pipelineStopped());
    else if (error === undefined) end("Completed");
    else end("Failed", error);
  } catch (error) {
    if (signal.aborted) end("Stopped", pipelineStopped());
    else end("Failed", failureOf(error));
  }
}

/** Tells of the commands of these names. Never throws. */
export async function tellCommands(
  pipeline: ServerPipeline,
  names: readonly string[],
  { store, server, notify }: Pick<PipelineSession, "store" | "server" | "notify">,
): Promise<void> {
  try {
    for (const one of commandMetadata(names, (await store.read()).servers[server])) pipeline.writeOutput(one);
    pipeline.finish("Completed");
  } catch (error) {
    pipeline.finish("Failed", failureOf(error));
  }
  notify();
}

/** The terminating error, if there is one. */
async function run(
  pipeline: ServerPipeline,
  request: CreatePipeline,
  session: PipelineSession,
  signal: AbortSignal,
): Promise<ErrorRecord | undefined> {
  const { store, env, server, behaviour } = session;
  const listing = await runGetCommand(request, behaviour, async () => (await store.read()).servers[server]);
  if (listing?.kind === "refused") return listing.error;
  if (listing !== undefined) {
    listing.output.forEach((one) => {
      pipeline.writeOutput(one);
    });
    listing.errors.forEach((one) => {
      pipeline.writeError(one);
    });
    return undefined;
  }
  const formats = runGetFormatData(request);
  if (formats !== undefined) {
    for (const one of formats) pipeline.writeOutput(one);
    return undefined;
  }
  const received = readCall(request, behaviour.projection, session.decrypt);
  if (received.kind === "refused") return received.error;
  const { call, projection } = received;

  await waitForServer(store, call, env, { session: server, signal });
  signal.throwIfAborted();
  let refusal: string | undefined;
  const result = await runOnStore(store, call, await withCertificate(session, call), {
    session: server,
    answer: async (question) => {
      if (!session.hasHost) return undefined;
      const answer = await ask(pipeline, question, session, signal);
      if ("answer" in answer) return answer.answer;
      refusal = answer.refusal;
      return undefined;
    },
  });
  if (result.kind === "unanswered") return questionUnanswered(call.name, result.question.message, refusal);

  for (const warning of result.warnings) pipeline.writeInformational("Warning", warning);
  if (result.kind === "failed") {
    const { record, isTerminating } = recordOf(result.error);
    if (isTerminating || received.stopsOnError) return record;
    pipeline.writeError(record);
    return undefined;
  }
  const form = outputForm(result.organisation, session);
  for (const output of result.output) {
    pipeline.writeOutput(
      projection === undefined
        ? outputValue(call.name, output, form)
        : selectedValue(call.name, output, projection, form),
    );
  }
  return undefined;
}

function outputForm(organisation: Organisation, { behaviour, server, isFull }: PipelineSession): OutputForm {
  const { signing, utcOffsetMinutes } = behaviour;
  const version = organisation.servers[server]?.version;
  const byVersion = version !== undefined && signsByDefault(version) ? "valid" : "none";
  return {
    isFull,
    signing: signing === "byVersion" ? byVersion : signing,
    authThumbprint: organisation.authConfig.currentCertificate ?? "",
    utcOffsetMinutes,
  };
}

/** New-ExchangeCertificate gets its certificate beforehand: making one is slow, and nothing may be locked meanwhile. */
async function withCertificate(session: PipelineSession, call: CmdletCall): Promise<SessionEnv> {
  const { env, store, server } = session;
  if (call.name.toLowerCase() !== "new-exchangecertificate") return env;
  const wish = certificateWishOf(await store.read(), call, contextOf(env, server));
  if (wish === undefined) return env;
  const der = await session.makeCertificate(wish);
  return { ...env, makeCertificate: () => der };
}

/** The choices of a confirmation that is about several steps, in PowerShell's order. */
const CHOICES = [
  { label: "&Yes", helpMessage: "Continue with only the next step of the operation." },
  { label: "Yes to &All", helpMessage: "Continue with all the steps of the operation." },
  { label: "&No", helpMessage: "Skip this operation and proceed with the next operation." },
  { label: "No to A&ll", helpMessage: "Skip this operation and all subsequent operations." },
];
const FIRST_NO = 2;

async function ask(
  pipeline: ServerPipeline,
  question: CmdletQuestion,
  session: PipelineSession,
  signal: AbortSignal,
): Promise<{ readonly answer: "yes" | "no" } | { readonly refusal: string }> {
  const { caption, message, defaultAnswer } = question;
  const defaultChoice = defaultAnswer === "yes" ? 0 : FIRST_NO;
  const callId = pipeline.callHost(
    "PromptForChoice",
    choicePromptParameters({ caption, message, choices: CHOICES, defaultChoice }),
  );
  const waiting = session.hostAnswer(callId, signal);
  session.notify();
  const response = await waiting;
  if (response.error !== undefined) return { refusal: response.error.message };
  const index = integerOf(response.result);
  if (index === undefined || CHOICES[index] === undefined) {
    return { refusal: "The host's answer to a question with choices is none of the choices." };
  }
  return { answer: index < FIRST_NO ? "yes" : "no" };
}

/** Something that isn't an error of the cmdlet: an unreadable secure string, or the organisation's file. */
function failureOf(error: unknown): ErrorRecord {
  const isKnown = isRemotingError(error) || isBindingError(error);
  return errorRecord({
    message: isKnown ? error.message : "The simulated endpoint failed at running this cmdlet.",
    fullyQualifiedErrorId: isKnown ? error.code : "Internal",
    category: "InvalidOperation",
  });
}
