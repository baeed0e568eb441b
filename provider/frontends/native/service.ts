import { setTimeout as sleep } from "node:timers/promises";

import type { sendUnaryData, ServerUnaryCall, ServiceError, UntypedServiceImplementation } from "@grpc/grpc-js";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb";
import type * as Plugin from "@pulumi/pulumi/proto/plugin_pb";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

import { messageOf } from "../../errors";
import { HalfDone } from "../../lifecycle/requests";
import type { Bag, Decision } from "../../lifecycle/requests";
import { clean } from "../../state";
import { UNKNOWN } from "../../unknowns";
import type { EngineFailure } from "../engine/failuresForEngine";
import { fromEngine, toEngine } from "../engine/unknownTexts";
import { checkConfiguration, configurationIn } from "./configuration";
import type { NativeProvider } from "./nativeProvider";
import type { Sdk } from "./sdk";
import { conceal, reveal } from "./secretValues";
import type { Path, Revealed } from "./secretValues";
import { nameIn } from "../engine/urn";

export interface ServiceParts {
  readonly provider: NativeProvider;
  /** The package's schema, JSON. */
  readonly schema: () => string;
  readonly version: string;
  /** The working directory, against which relative paths of the configuration count. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The engine says where it listens. */
  readonly connect: (address: string) => void;
  /** Ends when all lines so far are shown: they come before the answer. */
  readonly flush: () => Promise<void>;
}

/** The names that the engine gives to providers that no program declares: with a version, or where it comes from. */
const DEFAULT_PROVIDER = /^default(?:_(?:\d+_\d+_\d+|https?_|github_|gitlab_|file_).*)?$/;

const CANCEL_MILLISECONDS = 2000;

/** `pulumirpc.ResourceProvider` over the life cycle. What isn't here is answered as not implemented. */
export function serviceOver(sdk: Sdk, parts: ServiceParts): UntypedServiceImplementation {
  const { messages, Struct: StructMessage, Empty: EmptyMessage } = sdk;
  const { provider } = parts;
  const bagIn = (struct: Struct | undefined): Revealed => reveal(fromEngine(struct?.toJavaScript() ?? {}), UNKNOWN);
  const structOf = (bag: Bag, secrets: readonly Path[]): Struct =>
    StructMessage.fromJavaScript(conceal(toEngine(clean(bag)), secrets) as Record<string, JavaScriptValue>);

  const errorOf = (error: unknown, secrets: readonly Path[]): Partial<ServiceError> => {
    const details = messageOf(error instanceof HalfDone ? error.cause : error);
    const metadata = new sdk.grpc.Metadata();
    const code = sdk.grpc.status.UNKNOWN;
    if (error instanceof HalfDone) {
      const failed = new messages.ErrorResourceInitFailed();
      failed.setId(error.id);
      failed.setProperties(structOf(error.outputs, secrets));
      failed.setReasonsList([details]);
      const any = new sdk.Any();
      any.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
      const status = new sdk.Status();
      status.setCode(code);
      status.setMessage(details);
      status.addDetails(any);
      metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
    }
    return { code, details, metadata };
  };

  /** Runs a method. Where the outputs of an operation that failed half-way are secret is told by `secretsOf`. */
  const method =
    <Request, Answer>(
      run: (request: Request) => Answer | Promise<Answer>,
      secretsOf: (request: Request) => readonly Path[] = () => [],
    ) =>
    (call: ServerUnaryCall<Request, Answer>, done: sendUnaryData<Answer>): void => {
      void (async () => {
        try {
          const answer = await run(call.request);
          await parts.flush();
          done(null, answer);
        } catch (error) {
          await parts.flush();
          done(errorOf(error, secretsOf(call.request)));
        }
      })();
    };

  const failuresOf = (failures: readonly EngineFailure[]): Messages.CheckFailure[] =>
    failures.map(({ property, reason }) => {
      const one = new messages.CheckFailure();
      one.setProperty(property);
      one.setReason(reason);
      return one;
    });

  /** A program's own provider resource, by its name. */
  const explicitName = (urn: string): string | undefined =>
    urn === "" || DEFAULT_PROVIDER.test(nameIn(urn)) ? undefined : nameIn(urn);
  /** For engines that don't say it again when they configure. */
  let configuredUrn = "";

  return {
    handshake: method((request: Messages.ProviderHandshakeRequest) => {
      parts.connect(request.getEngineAddress());
      const answer = new messages.ProviderHandshakeResponse();
      answer.setAcceptSecrets(true);
      return answer;
    }),
    attach: method((request: Plugin.PluginAttach) => {
      parts.connect(request.getAddress());
      return new EmptyMessage();
    }),
    getPluginInfo: method(() => {
      const answer = new sdk.plugin.PluginInfo();
      answer.setVersion(parts.version);
      return answer;
    }),
    getSchema: method(() => {
      const answer = new messages.GetSchemaResponse();
      answer.setSchema(parts.schema());
      return answer;
    }),
    checkConfig: method((request: Messages.CheckRequest) => {
      configuredUrn = request.getUrn();
      const news = bagIn(request.getNews());
      const answer = new messages.CheckResponse();
      answer.setInputs(structOf(news.bag, [...news.secrets, ["password"]]));
      if (explicitName(request.getUrn()) !== undefined)
        answer.setFailuresList(failuresOf(checkConfiguration(news.bag, parts.environment, parts.directory)));
      return answer;
    }),
    // Whatever changes, the bindings stay what they are: a provider resource is never replaced.
    diffConfig: method((request: Messages.DiffRequest) => {
      const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
      const olds = configurationIn(bagIn(request.getOldInputs()).bag);
      const news = configurationIn(bagIn(request.getNews()).bag);
      const changed = Object.keys({ ...olds, ...news }).filter((key) => olds[key] !== news[key]);
      const answer = new messages.DiffResponse();
      answer.setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
      answer.setDiffsList(changed);
      return answer;
    }),
    configure: method((request: Messages.ConfigureRequest) => {
      const urn = request.hasUrn() ? (request.getUrn() ?? "") : configuredUrn;
      provider.configure(configurationIn(bagIn(request.getArgs()).bag), explicitName(urn));
      const answer = new messages.ConfigureResponse();
      answer.setAcceptsecrets(true);
      answer.setSupportspreview(true);
      return answer;
    }),
    check: method(async (request: Messages.CheckRequest) => {
      const news = bagIn(request.getNews());
      const oldInputs = bagIn(request.getOlds()).bag;
      const { inputs, failures } = await provider.check({ urn: request.getUrn(), inputs: news.bag, oldInputs });
      const answer = new messages.CheckResponse();
      answer.setInputs(structOf(inputs, news.secrets));
      answer.setFailuresList(failuresOf(failures));
      return answer;
    }),
    diff: method(async (request: Messages.DiffRequest) => {
      const state = bagIn(request.getOlds()).bag;
      const inputs = bagIn(request.getNews()).bag;
      return diffAnswer(messages, await provider.diff({ urn: request.getUrn(), id: request.getId(), state, inputs }));
    }),
    create: method(
      async (request: Messages.CreateRequest) => {
        const inputs = bagIn(request.getProperties());
        const { id, outputs } = await provider.create({
          urn: request.getUrn(),
          inputs: inputs.bag,
          isPreview: request.getPreview(),
          timeout: request.getTimeout(),
        });
        const answer = new messages.CreateResponse();
        answer.setId(id);
        answer.setProperties(structOf(outputs, inputs.secrets));
        return answer;
      },
      (request) => bagIn(request.getProperties()).secrets,
    ),
    update: method(
      async (request: Messages.UpdateRequest) => {
        const inputs = bagIn(request.getNews());
        const outputs = await provider.update({
          urn: request.getUrn(),
          id: request.getId(),
          state: bagIn(request.getOlds()).bag,
          inputs: inputs.bag,
          isPreview: request.getPreview(),
          timeout: request.getTimeout(),
        });
        const answer = new messages.UpdateResponse();
        answer.setProperties(structOf(outputs, inputs.secrets));
        return answer;
      },
      (request) => bagIn(request.getNews()).secrets,
    ),
    read: method(async (request: Messages.ReadRequest) => {
      const state = bagIn(request.getProperties());
      const found = await provider.read({ urn: request.getUrn(), id: request.getId(), state: state.bag });
      const answer = new messages.ReadResponse();
      if (found.kind === "gone") return answer;
      answer.setId(found.id);
      answer.setProperties(structOf(found.outputs, state.secrets));
      answer.setInputs(structOf(found.inputs, state.secrets));
      return answer;
    }),
    delete: method(async (request: Messages.DeleteRequest) => {
      const state = bagIn(request.getProperties()).bag;
      await provider.delete({ urn: request.getUrn(), id: request.getId(), state, timeout: request.getTimeout() });
      return new EmptyMessage();
    }),
    invoke: method(async (request: Messages.InvokeRequest) => {
      const answered = await provider.invoke(request.getTok(), bagIn(request.getArgs()).bag);
      const answer = new messages.InvokeResponse();
      if ("answer" in answered) answer.setReturn(structOf({ ...answered.answer }, []));
      else answer.setFailuresList(failuresOf(answered.failures));
      return answer;
    }),
    cancel: method(async (_request: Empty) => {
      // What has to be put back takes its time, and answers for itself; the engine holds its lock until this is answered.
      await Promise.race([provider.cancel(), sleep(CANCEL_MILLISECONDS, undefined, { ref: false })]);
      return new EmptyMessage();
    }),
  };
}

function diffAnswer(messages: Sdk["messages"], { kind, differences, replaces }: Decision): Messages.DiffResponse {
  const { DiffResponse, PropertyDiff } = messages;
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = PropertyDiff.Kind;
  const kinds = {
    add: [ADD, ADD_REPLACE],
    delete: [DELETE, DELETE_REPLACE],
    update: [UPDATE, UPDATE_REPLACE],
  } as const;
  const answer = new DiffResponse();
  answer.setChanges(kind === "none" ? DiffResponse.DiffChanges.DIFF_NONE : DiffResponse.DiffChanges.DIFF_SOME);
  answer.setReplacesList([...replaces]);
  answer.setDeletebeforereplace(false);
  const topOf = (path: string): string => path.split(/[.[]/)[0] ?? path;
  answer.setDiffsList([...new Set(differences.map(({ path }) => topOf(path)))]);
  answer.setHasdetaileddiff(differences.length > 0);
  for (const difference of differences) {
    const one = new PropertyDiff();
    one.setKind(kinds[difference.kind][replaces.includes(topOf(difference.path)) ? 1 : 0]);
    one.setInputdiff(difference.ofInputs);
    answer.getDetaileddiffMap().set(difference.path, one);
  }
  return answer;
}
