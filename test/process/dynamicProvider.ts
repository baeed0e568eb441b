import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import {
  CheckRequest,
  ConfigureRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  DiffResponse,
  ErrorResourceInitFailed,
  ReadRequest,
  UpdateRequest,
  type CheckResponse,
  type ConfigureResponse,
  type CreateResponse,
  type ReadResponse,
  type UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { endProcess } from "../../tools/process.cjs";
import { clientOf } from "../providerClient";
import { PROVIDER_TEXT } from "../providerText";
import { linkModules } from "./linkModules";

export type Properties = Readonly<Record<string, JavaScriptValue>>;

export interface DynamicProviderOptions {
  /** Provider code; {@link PROVIDER_TEXT} by default. */
  readonly providerText?: string;
  /** Stack configuration with namespaces, such as `exchange:backend`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** For temporary files, where the processes of a deployment meet; its own by default. */
  readonly temporary?: string;
  /** Files of the project by relative path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** What the engine would see of a call that failed. */
export class ProviderCallError extends Error {
  /** Name of the gRPC status. */
  readonly status: string;
  /** Present for a partial failure: the engine stores this as the resource's state. */
  readonly partial:
    { readonly id: string; readonly properties: Properties; readonly reasons: readonly string[] } | undefined;

  constructor(error: ServiceError) {
    super(error.details);
    this.name = "ProviderCallError";
    this.status = status[error.code];
    this.partial = partialFailureOf(error);
  }
}

/** What `diff` may answer. "unknown" leaves the comparison to the engine. */
export interface DiffAnswer {
  readonly changes: "none" | "some" | "unknown";
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** The real dynamic-provider process of the Pulumi SDK, spoken to as the engine does. */
export interface DynamicProvider {
  /** Its working directory: the program's. */
  readonly directory: string;
  check(olds: Properties, news: Properties): Promise<{ inputs: Properties; failures: readonly CheckFailureAnswer[] }>;
  diff(id: string, olds: Properties, news: Properties): Promise<DiffAnswer>;
  create(inputs: Properties): Promise<{ id: string; properties: Properties }>;
  /** `properties` are the last outputs. An empty id in the answer means that the resource is gone. */
  read(
    id: string,
    properties: Properties,
  ): Promise<{ id: string; properties: Properties; inputs: Properties | undefined }>;
  update(id: string, olds: Properties, news: Properties): Promise<{ properties: Properties }>;
  delete(id: string, properties: Properties): Promise<void>;
  /** Resolves when the process has printed the text; what it prints may arrive after the answer of the call. */
  printed(text: string): Promise<void>;
  /** Ends the process. Resolves with all that it has printed, both streams. */
  end(): Promise<string>;
  /** Sends the process a signal, twice, and resolves when it has ended. */
  endBy(signal: "SIGINT" | "SIGTERM" | "SIGKILL"): Promise<void>;
}

export interface CheckFailureAnswer {
  readonly property: string;
  readonly reason: string;
}

const URN = "urn:pulumi:test::project::pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding::binding";
/** Where the engine listens, it is said: nobody does. */
export const ENGINE = "127.0.0.1:1";
const NO_METADATA = new Metadata();
/** A call that takes longer than this hangs. */
const CALL_LIMIT_SECONDS = 300;
const PRINT_LIMIT_SECONDS = 120;

const started: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const end of started.reverse()) await end();
});

/**
 * Starts the process in a directory of its own, whose `node_modules` holds the packed package. `configure` has been
 * called when this returns. It ends when the test file has ended.
 */
export async function startDynamicProvider(options: DynamicProviderOptions = {}): Promise<DynamicProvider> {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-provider-")));
  const modules = required("HARNESS_MODULES");
  linkModules(modules, directory);
  for (const [name, content] of Object.entries(options.files ?? {})) {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), content);
  }
  const nodeDirectory = process.env["HARNESS_NODE"] ?? path.dirname(process.execPath);
  const script = createRequire(path.join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/dynamic-provider");
  const child = spawn(path.join(nodeDirectory, path.basename(process.execPath)), [script, ENGINE], {
    cwd: directory,
    env: {
      ...neutralEnvironment(),
      ...temporaryDirectory(options.temporary ?? directory),
      PULUMI_NODEJS_PROJECT: "project",
      PULUMI_CONFIG: "{}",
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = new Promise((resolve) => child.once("close", resolve));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
    });
  }
  started.push(async () => {
    await endProcess(child);
    fs.rmSync(directory, { recursive: true, force: true });
  });
  const port = await new Promise<number>((resolve, reject) => {
    // The first line is the port; it may arrive in pieces.
    child.stdout.on("data", () => {
      const line = /^(\d+)\r?\n/.exec(output)?.[1];
      if (line !== undefined) resolve(Number(line));
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      reject(new Error(`The provider process ended with ${String(code)} before it was ready:\n${output}`));
    });
  });
  const client = clientOf(port);
  started.push(() => {
    client.close();
  });
  const request = configureRequest(options.config ?? {});
  await call<ConfigureResponse>((done) => client.configure(request, NO_METADATA, deadline(), done));
  const withProvider = (properties: Properties): Struct =>
    Struct.fromJavaScript({ ...properties, __provider: options.providerText ?? PROVIDER_TEXT });

  return {
    directory,
    async check(olds, news) {
      const request = new CheckRequest();
      request.setUrn(URN);
      // The engine passes no old inputs when there is no old resource.
      request.setOlds(Object.keys(olds).length === 0 ? Struct.fromJavaScript({}) : withProvider(olds));
      request.setNews(withProvider(news));
      const response = await call<CheckResponse>((done) => client.check(request, NO_METADATA, deadline(), done));
      const failures = response.getFailuresList();
      return {
        inputs: propertiesOf(response.getInputs()),
        failures: failures.map((each) => ({ property: each.getProperty(), reason: each.getReason() })),
      };
    },
    async diff(id, olds, news) {
      const request = new DiffRequest();
      request.setId(id);
      request.setUrn(URN);
      request.setOlds(withProvider(olds));
      request.setNews(withProvider(news));
      const response = await call<DiffResponse>((done) => client.diff(request, NO_METADATA, deadline(), done));
      const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
      const changes = response.getChanges();
      return {
        changes: changes === DIFF_NONE ? "none" : changes === DIFF_SOME ? "some" : "unknown",
        replaces: response.getReplacesList(),
        deleteBeforeReplace: response.getDeletebeforereplace(),
      };
    },
    async create(inputs) {
      const request = new CreateRequest();
      request.setUrn(URN);
      request.setProperties(withProvider(inputs));
      const response = await call<CreateResponse>((done) => client.create(request, NO_METADATA, deadline(), done));
      return { id: response.getId(), properties: propertiesOf(response.getProperties()) };
    },
    async read(id, properties) {
      const request = new ReadRequest();
      request.setId(id);
      request.setUrn(URN);
      request.setProperties(withProvider(properties));
      const response = await call<ReadResponse>((done) => client.read(request, NO_METADATA, deadline(), done));
      return {
        id: response.getId(),
        properties: propertiesOf(response.getProperties()),
        inputs: response.hasInputs() ? propertiesOf(response.getInputs()) : undefined,
      };
    },
    async update(id, olds, news) {
      const request = new UpdateRequest();
      request.setId(id);
      request.setUrn(URN);
      request.setOlds(withProvider(olds));
      request.setNews(withProvider(news));
      const response = await call<UpdateResponse>((done) => client.update(request, NO_METADATA, deadline(), done));
      return { properties: propertiesOf(response.getProperties()) };
    },
    async delete(id, properties) {
      const request = new DeleteRequest();
      request.setId(id);
      request.setUrn(URN);
      request.setProperties(withProvider(properties));
      await call<Empty>((done) => client.delete(request, NO_METADATA, deadline(), done));
    },
    async printed(text) {
      const limit = Date.now() + PRINT_LIMIT_SECONDS * 1000;
      while (!output.includes(text)) {
        if (Date.now() > limit) throw new Error(`The provider process has not printed "${text}", but:\n${output}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async end() {
      await endProcess(child);
      await closed;
      return output;
    },
    async endBy(signal) {
      child.kill(signal);
      // The engine sends one; whoever is told again ends in order all the same.
      await new Promise((resolve) => setTimeout(resolve, 1));
      child.kill(signal);
      await closed;
    },
  };
}

export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} isn't set. It is made by tools/jest before the tests.`);
  return value;
}

/** Under its names on every system. */
export function temporaryDirectory(path: string): Readonly<Record<"TMPDIR" | "TEMP" | "TMP", string>> {
  return { TMPDIR: path, TEMP: path, TMP: path };
}

/** The caller's own settings must not decide about a test. */
export function neutralEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PULUMI_|EXCHANGE_|JEST_|NODE_OPTIONS$|NODE_ENV$)/.test(name),
  );
  return Object.fromEntries(kept);
}

function configureRequest(config: Readonly<Record<string, string>>): ConfigureRequest {
  const request = new ConfigureRequest();
  request.setArgs(Struct.fromJavaScript({ ...config }));
  return request;
}

function deadline(): { deadline: number } {
  return { deadline: Date.now() + CALL_LIMIT_SECONDS * 1000 };
}

function call<Response>(
  start: (done: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (error === null) resolve(response);
      else reject(new ProviderCallError(error));
    });
  });
}

function propertiesOf(struct: Struct | undefined): Properties {
  const { __provider: _, ...properties } = struct?.toJavaScript() ?? {};
  return properties;
}

function partialFailureOf(error: ServiceError): ProviderCallError["partial"] {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(bytes)) return undefined;
  const [detail] = Status.deserializeBinary(bytes).getDetailsList();
  const failure = detail?.unpack(
    (value) => ErrorResourceInitFailed.deserializeBinary(value),
    "pulumirpc.ErrorResourceInitFailed",
  );
  if (failure === undefined || failure === null) return undefined;
  return {
    id: failure.getId(),
    properties: failure.getProperties()?.toJavaScript() ?? {},
    reasons: failure.getReasonsList(),
  };
}
