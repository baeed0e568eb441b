import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ExchangeBindingError, messageOf } from "../errors";
import { shownSetting } from "../setting";
import type { AdapterModule, AdapterSettings, Backend } from "./backend";
import type * as RemoteBackend from "./remote/remoteBackend";
import type { RemoteSettings } from "./remote/settings";
import type * as SimulatorBackend from "./simulator/simulatorBackend";

export { DEFAULT_SIMULATOR_FILE } from "./simulatorFile";

/** Which backend, and what it needs to begin. Made from the configuration by {@link chooseBackend}. */
export type BackendSettings =
  /** `file`: path of the organisation's JSON file; a relative one counts from the program's directory. */
  | { readonly kind: "simulator"; readonly file: string }
  | ({ readonly kind: "remote" } & RemoteSettings)
  | { readonly kind: "powershell" }
  /** An adapter of the user's own: a package or a path, as the program itself would `require` it. */
  | { readonly kind: "module"; readonly specifier: string };

/** Everything that opening a backend takes from the process around it. */
export interface OpenBackendEnv {
  /** Absolute path of the directory that the Pulumi program runs in. */
  readonly programDirectory: string;
  /** Shows a line to whoever runs Pulumi. */
  readonly say: (line: string) => void;
  /** Gets a line about everything that is said to and by real servers, without secrets. Default: nobody listens. */
  readonly trace?: ((line: string) => void) | undefined;
}

const BUILT_IN = ["simulator", "remote", "powershell"] as const;

const CHOICES =
  '"remote" (real servers, through their remote PowerShell), ' +
  '"simulator" (a simulated organisation in a file; no Exchange server is touched), ' +
  "or the name of a package or the path of a module with an adapter of your own";

/** Either may have said it. */
const NAMES = "exchange:backend (or EXCHANGE_BACKEND)";

/** What the built-in backends need; asked only of the one that is chosen. */
export interface BuiltInSettings {
  readonly simulatorFile: string;
  /** May throw `ConfigurationInvalid`. */
  readonly remote: () => RemoteSettings;
}

/**
 * The settings for what `exchange:backend` says. There is no silent default: whoever says nothing gets an error with
 * the choices. Throws `ConfigurationInvalid`.
 */
export function chooseBackend(choice: string | undefined, settings: BuiltInSettings): BackendSettings {
  const wanted = choice?.trim() ?? "";
  if (wanted === "") {
    throw new ExchangeBindingError(
      "ConfigurationInvalid",
      "No backend is chosen, so it isn't known where the Exchange servers are. Choose one with " +
        '"pulumi config set exchange:backend simulator" or the environment variable EXCHANGE_BACKEND. ' +
        `The choices are: ${CHOICES}.`,
    );
  }
  const builtIn = BUILT_IN.find((kind) => kind === wanted.toLowerCase());
  if (builtIn === "simulator") return { kind: builtIn, file: settings.simulatorFile };
  if (builtIn === "remote") return { kind: builtIn, ...settings.remote() };
  return builtIn === undefined ? { kind: "module", specifier: wanted } : { kind: builtIn };
}

/**
 * Opens a backend. The only place that knows all of them; each is loaded when it is chosen and not before. Throws
 * `ConfigurationInvalid` for a backend that isn't there or isn't one.
 */
export async function openBackend(settings: BackendSettings, env: OpenBackendEnv): Promise<Backend> {
  switch (settings.kind) {
    case "simulator": {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded only when it is chosen
      const { openSimulator } = require("./simulator/simulatorBackend") as typeof SimulatorBackend;
      return openSimulator({ file: resolve(env.programDirectory, settings.file), say: env.say });
    }
    case "remote": {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded only when it is chosen
      const { openRemote } = require("./remote/remoteBackend") as typeof RemoteBackend;
      return openRemote(settings, env.say, env.trace);
    }
    case "powershell":
      throw new ExchangeBindingError(
        "ConfigurationInvalid",
        `${NAMES} is "${settings.kind}", which this version of pulumi-exchange-certificates doesn't have yet. ` +
          `The choices are: ${CHOICES}.`,
        { facts: { backend: settings.kind } },
      );
    case "module":
      return openAdapter(settings.specifier, env);
  }
}

/** A mistake in an adapter, told to its user. */
function adapterMistake(specifier: string, found: string, cause?: unknown): ExchangeBindingError {
  const backend = shownSetting(specifier, NEARLY_MODULE);
  return new ExchangeBindingError("ConfigurationInvalid", `${NAMES} is ${backend}, but ${found}`, {
    facts: isShown(specifier) ? { backend: specifier } : {},
    cause,
  });
}

/** Paths, and names of packages as the registry takes them. */
const NEARLY_MODULE = /^(?:\.{1,2}|[A-Za-z]:)?[\\/]|^(?:@[a-z0-9._~-]+\/)?[a-z0-9._~-]+(?:\/[A-Za-z0-9._~/-]+)?$/;

function isShown(specifier: string): boolean {
  return shownSetting(specifier, NEARLY_MODULE) === `"${specifier}"`;
}

async function openAdapter(specifier: string, env: OpenBackendEnv): Promise<Backend> {
  const loaded = await loadModule(specifier, env.programDirectory);
  const createBackend = exportedFunction(loaded);
  if (createBackend === undefined) {
    throw adapterMistake(
      specifier,
      "this module doesn't export a function createBackend. An adapter exports createBackend(settings), which returns " +
        "a Backend (see pulumi-exchange-certificates/backend).",
    );
  }
  const settings: AdapterSettings = { programDirectory: env.programDirectory, say: env.say };
  return checkBackend(specifier, await createBackend(settings));
}

/**
 * Loads the module as the program would: found from the program's directory, required where that is possible, else
 * imported. Node 20.19 and later require ES modules as well, save those with a top-level await.
 */
async function loadModule(specifier: string, programDirectory: string): Promise<unknown> {
  const require = createRequire(join(programDirectory, "index.js"));
  let path: string;
  try {
    path = require.resolve(specifier);
  } catch (error) {
    throw adapterMistake(
      specifier,
      `no such module was found from ${programDirectory}${isShown(specifier) ? `: ${firstLine(error)}` : ""}. ` +
        `The choices are: ${CHOICES}. Install the package there, or begin the path with "./".`,
      error,
    );
  }
  try {
    try {
      return require(path) as unknown;
    } catch (error) {
      if (!wantsImport(error)) throw error;
      return (await import(pathToFileURL(path).href)) as unknown;
    }
  } catch (error) {
    throw adapterMistake(specifier, `loading ${path} failed: ${firstLine(error)}`, error);
  }
}

function wantsImport(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("code" in error)) return false;
  return error.code === "ERR_REQUIRE_ESM" || error.code === "ERR_REQUIRE_ASYNC_MODULE";
}

/** Node puts the list of requiring files under the message of a module that it can't find. */
function firstLine(error: unknown): string {
  return messageOf(error).split("\n", 1)[0] ?? "";
}

function property(value: unknown, name: string): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** The function itself, or that of the default export: what `import` makes of some CommonJS modules. */
function exportedFunction(loaded: unknown): AdapterModule["createBackend"] | undefined {
  const candidates = [property(loaded, "createBackend"), property(property(loaded, "default"), "createBackend")];
  const found = candidates.find((candidate) => typeof candidate === "function");
  return found as AdapterModule["createBackend"] | undefined;
}

type MethodOf<T> = { [Name in keyof T]: T[Name] extends (...args: never[]) => unknown ? Name : never }[keyof T];

/** A record, so that a method added to the interface and forgotten here doesn't compile. */
const METHODS: Readonly<Record<MethodOf<Backend>, true>> = {
  readSnapshot: true,
  importCertificate: true,
  enableServices: true,
  setCertificateName: true,
  setSendConnectorCertificate: true,
  setReceiveConnectorCertificate: true,
  removeCertificate: true,
  close: true,
};

function checkBackend(specifier: string, made: unknown): Backend {
  const missing = Object.keys(METHODS).filter((name) => typeof property(made, name) !== "function");
  if (missing.length > 0) {
    throw adapterMistake(
      specifier,
      `what its createBackend returns isn't a complete Backend: ${missing.join(", ")} ` +
        `${missing.length === 1 ? "is" : "are"} missing.`,
    );
  }
  const kind = property(made, "kind");
  if (typeof kind !== "string" || !/^\S+$/.test(kind)) {
    throw adapterMistake(
      specifier,
      "its Backend has no usable kind: one word that stays the same for good, because it is stored with each resource.",
    );
  }
  if (BUILT_IN.some((name) => name === kind)) {
    throw adapterMistake(
      specifier,
      `its Backend calls itself "${kind}". That kind belongs to this package: resources made by one kind are never ` +
        "changed through another.",
    );
  }
  return made as Backend;
}
