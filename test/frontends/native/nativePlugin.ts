import { Metadata, type ServiceError } from "@grpc/grpc-js";
import type { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";

import { NativeProvider } from "../../../provider/frontends/native/nativeProvider";
import { loadSdk } from "../../../provider/frontends/native/sdk";
import { serve } from "../../../provider/frontends/native/serve";
import { serviceOver } from "../../../provider/frontends/native/service";
import { messageOf } from "../../../provider/errors";
import type { Deployment } from "../../../provider/lifecycle/deployment";
import type { Bag } from "../../../provider/lifecycle/requests";
import { RefusedPreview, type FrontEnd } from "../../miniEngine";
import { clientOf } from "../../providerClient";

export const TYPE = "exchange:index:ExchangeCertificateBinding";
export const urnOf = (name: string, type = TYPE): string => `urn:pulumi:dev::shop::${type}::${name}`;

/** What the engine would see of a call that failed. */
export class CallError extends Error {
  /** Where the operation was half done: what the engine stores. */
  readonly half: { readonly id: string; readonly properties: Bag } | undefined;

  constructor(error: ServiceError) {
    super(error.details);
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    const [detail] = Buffer.isBuffer(bytes) ? Status.deserializeBinary(bytes).getDetailsList() : [];
    const failure = detail?.unpack(
      (value) => messages.ErrorResourceInitFailed.deserializeBinary(value),
      "pulumirpc.ErrorResourceInitFailed",
    );
    this.half = failure ? { id: failure.getId(), properties: bagOf(failure.getProperties()) } : undefined;
  }
}

type Call = <Response>(
  start: (
    client: ResourceProviderClient,
    metadata: Metadata,
    done: (error: ServiceError | null, response: Response) => void,
  ) => unknown,
) => Promise<Response>;

export interface NativePlugin {
  readonly call: Call;
}

const started: (() => void)[] = [];
afterAll(() => {
  for (const end of started.splice(0).reverse()) end();
});

/** The plugin in this process, over a deployment, spoken to as the engine does. It ends when the test file has ended. */
export async function startNative(deployment: Deployment): Promise<NativePlugin> {
  const sdk = loadSdk();
  const provider = new NativeProvider(deployment);
  const service = serviceOver(sdk, {
    provider,
    schema: () => "{}",
    version: "1.2.3",
    directory: deployment.env.directory,
    environment: deployment.env.environment,
    connect: () => undefined,
    flush: () => Promise.resolve(),
  });
  const { port, close } = await serve(sdk, service);
  started.push(() => void close());
  return connectTo(port);
}

/** The plugin that listens there. The connection ends when the test file has ended. */
export function connectTo(port: number): NativePlugin {
  const client = clientOf(port);
  started.push(() => {
    client.close();
  });
  const call: Call = (start) =>
    new Promise((resolve, reject) => {
      start(client, new Metadata(), (error, response) => {
        if (error === null) resolve(response);
        else reject(new CallError(error));
      });
    });
  return { call };
}

function structOf(bag: Bag): Struct {
  return Struct.fromJavaScript(bag as Record<string, JavaScriptValue>);
}

function bagOf(struct: Struct | undefined): Bag {
  return struct?.toJavaScript() ?? {};
}

/** The methods of a plugin with plain values. `timeout` is in seconds. */
export function methodsOf({ call }: Pick<NativePlugin, "call">) {
  return {
    async check(urn: string, olds: Bag, news: Bag) {
      const request = new messages.CheckRequest();
      request.setUrn(urn);
      request.setOlds(structOf(olds));
      request.setNews(structOf(news));
      const answer = await call<messages.CheckResponse>((client, metadata, done) =>
        client.check(request, metadata, done),
      );
      const failures = answer.getFailuresList();
      return {
        inputs: bagOf(answer.getInputs()),
        failures: failures.map((one) => ({ property: one.getProperty(), reason: one.getReason() })),
      };
    },
    async diff(urn: string, id: string, olds: Bag, news: Bag) {
      const request = new messages.DiffRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setOlds(structOf(olds));
      request.setNews(structOf(news));
      const answer = await call<messages.DiffResponse>((client, metadata, done) =>
        client.diff(request, metadata, done),
      );
      const kinds = Object.entries(messages.PropertyDiff.Kind);
      const details: [string, messages.PropertyDiff][] = [];
      answer.getDetaileddiffMap().forEach((one, path) => details.push([path, one]));
      return {
        changes: answer.getChanges() !== messages.DiffResponse.DiffChanges.DIFF_NONE,
        replaces: answer.getReplacesList(),
        details: Object.fromEntries(
          details.map(([path, one]) => [
            path,
            `${kinds.find(([, value]) => value === one.getKind())?.[0] ?? ""}${one.getInputdiff() ? " of inputs" : ""}`,
          ]),
        ),
      };
    },
    async create(urn: string, inputs: Bag, { preview = false, timeout = 0 } = {}) {
      const request = new messages.CreateRequest();
      request.setUrn(urn);
      request.setProperties(structOf(inputs));
      request.setPreview(preview);
      request.setTimeout(timeout);
      const answer = await call<messages.CreateResponse>((client, metadata, done) =>
        client.create(request, metadata, done),
      );
      return { id: answer.getId(), outs: bagOf(answer.getProperties()) };
    },
    async update(urn: string, id: string, olds: Bag, news: Bag, { preview = false, timeout = 0 } = {}) {
      const request = new messages.UpdateRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setOlds(structOf(olds));
      request.setNews(structOf(news));
      request.setPreview(preview);
      request.setTimeout(timeout);
      const answer = await call<messages.UpdateResponse>((client, metadata, done) =>
        client.update(request, metadata, done),
      );
      return { outs: bagOf(answer.getProperties()) };
    },
    async read(urn: string, id: string, props: Bag) {
      const request = new messages.ReadRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setProperties(structOf(props));
      const answer = await call<messages.ReadResponse>((client, metadata, done) =>
        client.read(request, metadata, done),
      );
      return answer.getId() === ""
        ? {}
        : { id: answer.getId(), props: bagOf(answer.getProperties()), inputs: bagOf(answer.getInputs()) };
    },
    async delete(urn: string, id: string, props: Bag, timeout = 0) {
      const request = new messages.DeleteRequest();
      request.setUrn(urn);
      request.setId(id);
      request.setProperties(structOf(props));
      request.setTimeout(timeout);
      await call<Empty>((client, metadata, done) => client.delete(request, metadata, done));
    },
    async configure(args: Bag, urn = "urn:pulumi:dev::shop::pulumi:providers:exchange::default") {
      const request = new messages.ConfigureRequest();
      request.setUrn(urn);
      request.setArgs(structOf(args));
      return call<messages.ConfigureResponse>((client, metadata, done) => client.configure(request, metadata, done));
    },
    async checkConfig(urn: string, news: Bag) {
      const request = new messages.CheckRequest();
      request.setUrn(urn);
      request.setNews(structOf(news));
      const answer = await call<messages.CheckResponse>((client, metadata, done) =>
        client.checkConfig(request, metadata, done),
      );
      return { inputs: bagOf(answer.getInputs()), failures: answer.getFailuresList().map((one) => one.getReason()) };
    },
    async diffConfig(olds: Bag, news: Bag) {
      const request = new messages.DiffRequest();
      request.setOldInputs(structOf(olds));
      request.setNews(structOf(news));
      const answer = await call<messages.DiffResponse>((client, metadata, done) =>
        client.diffConfig(request, metadata, done),
      );
      return { changed: answer.getDiffsList(), replaces: answer.getReplacesList() };
    },
    async schema() {
      const request = new messages.GetSchemaRequest();
      const answer = await call<messages.GetSchemaResponse>((client, metadata, done) =>
        client.getSchema(request, metadata, done),
      );
      return answer.getSchema();
    },
    async invoke(token: string, args: Bag) {
      const request = new messages.InvokeRequest();
      request.setTok(token);
      request.setArgs(structOf(args));
      const answer = await call<messages.InvokeResponse>((client, metadata, done) =>
        client.invoke(request, metadata, done),
      );
      const failures = answer.getFailuresList();
      return {
        answer: bagOf(answer.getReturn()),
        failures: failures.map((one) => ({ property: one.getProperty(), reason: one.getReason() })),
      };
    },
    cancel: () => call<Empty>((client, metadata, done) => client.cancel(new Empty(), metadata, done)),
  };
}

/** The native front end for the small engine. What its half-done operations leave is lost there, as with the other. */
export const nativeFrontEnd: FrontEnd = async (deployment) => {
  const methods = methodsOf(await startNative(deployment));
  return {
    check: (name, ...given) => methods.check(urnOf(name), ...given),
    diff: (name, ...given) => methods.diff(urnOf(name), ...given),
    create: (name, inputs) => methods.create(urnOf(name), inputs),
    update: (name, ...given) => methods.update(urnOf(name), ...given),
    read: (name, ...given) => methods.read(urnOf(name), ...given),
    delete: (name, ...given) => methods.delete(urnOf(name), ...given),
    preview: async (name, inputs, old) => {
      try {
        await (old === undefined
          ? methods.create(urnOf(name), inputs, { preview: true })
          : methods.update(urnOf(name), old.id, old.outputs, inputs, { preview: true }));
      } catch (error) {
        throw new RefusedPreview([{ property: "", reason: messageOf(error) }]);
      }
    },
  };
};
