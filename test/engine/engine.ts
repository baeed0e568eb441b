import { rmSync } from "node:fs";
import { join } from "node:path";

import { createWorkspace, type Workspace } from "../../tools/pulumi/workspace.cjs";
import type { RunResult } from "../../tools/process.cjs";

/** The kinds of program that Pulumi runs on Node. */
export const LANGUAGES = ["JavaScript", "TypeScript", "TypeScript of the SDK", "ES module"] as const;
/** "TypeScript of the SDK": the project has no TypeScript of its own, so Pulumi compiles with the one it brings (3.8). */
export type Language = (typeof LANGUAGES)[number];

export interface ProjectOptions {
  /** Text of the program's main file. */
  readonly program: string;
  /** JavaScript by default. */
  readonly language?: Language;
  /** Stack configuration with namespaces, such as `exchange:backend`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Added to the environment of every command. */
  readonly env?: Readonly<Record<string, string>>;
  /** More files, by path relative to the project. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** A step of a plan, as `pulumi preview --json` prints it. */
export interface PlannedStep {
  readonly op: string;
  readonly urn: string;
  readonly diffReasons?: readonly string[];
  readonly replaceReasons?: readonly string[];
  readonly oldState?: ResourceState;
  readonly newState?: ResourceState;
}

/** A resource in `pulumi stack export`. Secrets are encrypted there. */
export interface ResourceState {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly initErrors?: readonly string[];
  /** True for what is "pending delete". */
  readonly delete?: boolean;
}

/** A project with a stack, the real CLI, and the packed package in its node_modules. */
export interface EngineProject {
  readonly directory: string;
  /** Any command. */
  pulumi(...args: string[]): Promise<RunResult>;
  preview(...args: string[]): Promise<RunResult>;
  /** The steps of `preview --json`, without the stack's own. Throws when the preview fails. */
  plan(...args: string[]): Promise<readonly PlannedStep[]>;
  up(...args: string[]): Promise<RunResult>;
  refresh(...args: string[]): Promise<RunResult>;
  destroy(...args: string[]): Promise<RunResult>;
  /** Resources of the stack, without the stack itself and its providers. */
  resources(): Promise<readonly ResourceState[]>;
  setConfig(key: string, value: string): Promise<RunResult>;
  /** The `exchange-simulator` command of the installed package. */
  simulator(...args: string[]): Promise<RunResult>;
  /** The `exchange-certificates` command of the installed package. */
  exchangeCertificates(...args: string[]): Promise<RunResult>;
  /** Replaces the program. */
  setProgram(text: string): void;
  writeFile(name: string, content: string | Uint8Array): void;
  readFile(name: string): string;
  removeFile(name: string): void;
  /** The environment of every command, for a program that is started in another way. */
  environment(more?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
  /** Everything that every command has printed. */
  transcriptText(): string;
  /** Every file of the state backend and the stack's settings. */
  stateText(): string;
}

const PACKAGE = "pulumi-exchange-certificates";
const STACK = "test";

const made: Workspace[] = [];
afterAll(async () => {
  await Promise.all(made.map((workspace) => workspace.dispose()));
});

/**
 * Makes a project with an empty stack. Nothing of it depends on the machine's own Pulumi settings. It goes when the
 * test file has ended.
 */
export async function makeProject(options: ProjectOptions): Promise<EngineProject> {
  const language = options.language ?? "JavaScript";
  const main = MAIN_FILES[language];
  const node = process.env["HARNESS_NODE"];
  const workspace = createWorkspace({
    pulumiDirectory: required("HARNESS_PULUMI"),
    nodeModules: required(language === "TypeScript" ? "HARNESS_TYPESCRIPT_MODULES" : "HARNESS_MODULES"),
    ...(node === undefined ? {} : { nodeDirectory: node }),
    env: options.env ?? {},
    files: {
      "Pulumi.yaml": projectFile(language),
      [`Pulumi.${STACK}.yaml`]: JSON.stringify({ config: options.config ?? {} }),
      "package.json": JSON.stringify(packageFile(language)),
      "tsconfig.json": JSON.stringify({ compilerOptions: TYPESCRIPT_SETTINGS[language] ?? {}, files: [main] }),
      [main]: options.program,
      ...options.files,
    },
  });
  made.push(workspace);
  mustSucceed(await workspace.pulumi(["stack", "init", STACK]));
  return projectIn(workspace, main);
}

function projectIn(workspace: Workspace, main: string): EngineProject {
  const { pulumi } = workspace;
  return {
    directory: workspace.projectDirectory,
    pulumi: (...args) => pulumi(args),
    preview: (...args) => pulumi(["preview", ...args]),
    async plan(...args) {
      const { stdout } = mustSucceed(await pulumi(["preview", "--json", ...args]));
      const { steps } = JSON.parse(stdout) as { readonly steps: readonly PlannedStep[] };
      return steps.filter((step) => !isEngineOwn(step.urn));
    },
    up: (...args) => pulumi(["up", "--yes", ...args]),
    refresh: (...args) => pulumi(["refresh", ...(args.includes("--preview-only") ? [] : ["--yes"]), ...args]),
    destroy: (...args) => pulumi(["destroy", "--yes", ...args]),
    async resources() {
      const { stdout } = mustSucceed(await pulumi(["stack", "export"]));
      const { deployment } = JSON.parse(stdout) as {
        readonly deployment: { readonly resources?: readonly ResourceState[] };
      };
      return (deployment.resources ?? []).filter((resource) => !isEngineOwn(resource.urn));
    },
    setConfig: (key, value) => pulumi(["config", "set", key, value]),
    simulator: (...args) => workspace.installedCommand(PACKAGE, "exchange-simulator", args),
    exchangeCertificates: (...args) => workspace.installedCommand(PACKAGE, "exchange-certificates", args),
    setProgram: (text) => {
      workspace.writeFile(main, text);
    },
    writeFile: workspace.writeFile,
    readFile: workspace.readFile,
    removeFile: (name) => {
      rmSync(join(workspace.projectDirectory, name));
    },
    environment: workspace.environment,
    transcriptText: workspace.transcriptText,
    stateText: workspace.stateText,
  };
}

/** Returns what it gets, unless the command failed: then it throws with all of its output. */
export function mustSucceed(result: RunResult): RunResult {
  if (result.exitCode !== 0) {
    const how = result.timedOut ? "reached its time limit" : `ended with exit code ${String(result.exitCode)}`;
    throw new Error(`"${result.command}" ${how}:\n${result.combined}`);
  }
  return result;
}

const MAIN_FILES: Readonly<Record<Language, string>> = {
  JavaScript: "index.js",
  TypeScript: "index.ts",
  "TypeScript of the SDK": "index.ts",
  "ES module": "index.js",
};

/** As `pulumi new typescript` makes it today, and as it made it when TypeScript 3.8 was new. */
const TYPESCRIPT_SETTINGS: Readonly<Partial<Record<Language, object>>> = {
  TypeScript: { strict: true, target: "es2020", module: "nodenext", moduleResolution: "nodenext" },
  "TypeScript of the SDK": { strict: true, target: "es2016", module: "commonjs", moduleResolution: "node" },
};

function projectFile(language: Language): string {
  const typescript = MAIN_FILES[language].endsWith(".ts");
  return JSON.stringify({ name: "project", runtime: { name: "nodejs", options: { typescript } } });
}

function packageFile(language: Language): object {
  return {
    name: "project",
    main: MAIN_FILES[language],
    ...(language === "ES module" ? { type: "module" } : {}),
    dependencies: { "@pulumi/pulumi": "*", [PACKAGE]: "*" },
  };
}

function isEngineOwn(urn: string): boolean {
  return urn.includes("::pulumi:pulumi:Stack::") || urn.includes("::pulumi:providers:");
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} isn't set. It is made by tools/jest before the tests.`);
  return value;
}
