"use strict";

/**
 * A Pulumi project and its CLI, shut off from the rest of the machine: own PULUMI_HOME, a file backend, a passphrase,
 * and none of the caller's Pulumi or Exchange settings. For the tests, the demonstration and the benchmark.
 */

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { run, endProcess } = require("../process.cjs");

/** @typedef {import("../process.cjs").RunResult} RunResult */

/**
 * @typedef {object} WorkspaceOptions
 * @property {string} pulumiDirectory What tools/pulumi/ensure.mjs printed.
 * @property {string} [projectDirectory] An existing project; by default a new directory is made.
 * @property {Readonly<Record<string, string | Uint8Array>>} [files] Written into the project, by relative path.
 * @property {string} [nodeModules] Linked as the project's node_modules.
 * @property {string} [nodeDirectory] Holds the `node` that the CLI and the provider use; the running one by default.
 * @property {NodeJS.ProcessEnv} [env] Added to the environment of every command.
 * @property {number} [timeLimitSeconds] For each command; 300 by default.
 * @property {(text: string) => void} [onOutput] Everything the commands print, as they print it.
 */

/**
 * @typedef {object} CommandOptions
 * @property {NodeJS.ProcessEnv} [env] Added for this command.
 * @property {number} [timeLimitSeconds]
 * @property {string} [input] Written to stdin; nothing by default.
 */

/** Settings of the caller that would change what a command does. */
const FOREIGN_SETTINGS = /^(PULUMI_|EXCHANGE_|JEST_|HARNESS_|npm_|NODE_OPTIONS$|NODE_ENV$|NODE_PATH$|INIT_CWD$)/i;

/** @typedef {ReturnType<typeof createWorkspace>} Workspace */

/** @param {WorkspaceOptions} options */
function createWorkspace(options) {
  // The real path, because a CLI prints that one where the temporary directory is a link (macOS).
  const base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-workspace-")));
  const projectDirectory = options.projectDirectory ?? path.join(base, "project");
  const stateDirectory = path.join(base, "state");
  const home = path.join(base, "home");
  for (const directory of [projectDirectory, stateDirectory, home]) fs.mkdirSync(directory, { recursive: true });
  if (options.nodeModules !== undefined) {
    fs.symlinkSync(options.nodeModules, path.join(projectDirectory, "node_modules"), "junction");
  }
  for (const [name, content] of Object.entries(options.files ?? {})) writeFile(name, content);

  /** @type {RunResult[]} */
  const transcript = [];
  /** @type {Set<import("node:child_process").ChildProcess>} */
  const running = new Set();

  /**
   * The environment of every command. Also for a program that is started in another way.
   *
   * @param {NodeJS.ProcessEnv} [more]
   * @returns {NodeJS.ProcessEnv}
   */
  function environment(more = {}) {
    const kept = Object.entries(process.env).filter(([name]) => !FOREIGN_SETTINGS.test(name));
    /** @type {NodeJS.ProcessEnv} */
    const env = Object.fromEntries(kept);
    const pathName = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
    // The CLI comes before the running node, whose directory may hold another, older CLI. A node that was asked for
    // comes before the CLI, whose directory may hold another node.
    const { pulumiDirectory, nodeDirectory } = options;
    const own = nodeDirectory === undefined ? [path.dirname(process.execPath)] : [];
    const first = [...(nodeDirectory === undefined ? [] : [nodeDirectory]), pulumiDirectory, ...own];
    return {
      ...env,
      [pathName]: [...first, env[pathName] ?? ""].join(path.delimiter),
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: pathToFileURL(stateDirectory).href,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase for a stack that nobody keeps",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_DISABLE_CI_DETECTION: "true",
      NO_COLOR: "1",
      ...options.env,
      ...more,
    };
  }

  /**
   * Runs a program in the project's directory.
   *
   * @param {string} file
   * @param {readonly string[]} args
   * @param {CommandOptions} [command]
   * @returns {Promise<RunResult>}
   */
  async function execute(file, args, command = {}) {
    const result = await run(file, args, {
      cwd: projectDirectory,
      env: environment(command.env),
      timeLimitSeconds: command.timeLimitSeconds ?? options.timeLimitSeconds ?? 300,
      ...(command.input === undefined ? {} : { input: command.input }),
      ...(options.onOutput === undefined ? {} : { onOutput: options.onOutput }),
      running,
    });
    transcript.push(result);
    const times = process.env["HARNESS_TIMES"];
    if (times !== undefined)
      fs.appendFileSync(
        times,
        `${result.seconds.toFixed(2)}	${result.command}
`,
      );
    return result;
  }

  /**
   * `pulumi <arguments>`, never interactive.
   *
   * @param {readonly string[]} args
   * @param {CommandOptions} [command]
   * @returns {Promise<RunResult>}
   */
  function pulumi(args, command) {
    return execute(path.join(options.pulumiDirectory, "pulumi"), [...args, "--non-interactive"], command);
  }

  /**
   * A command that belongs to the installed package, by the name in its `bin`.
   *
   * @param {string} packageName
   * @param {string} name
   * @param {readonly string[]} args
   * @param {CommandOptions} [command]
   * @returns {Promise<RunResult>}
   */
  function installedCommand(packageName, name, args, command) {
    const directory = path.join(projectDirectory, "node_modules", packageName);
    const { bin } = JSON.parse(fs.readFileSync(path.join(directory, "package.json"), "utf8"));
    const node = path.join(options.nodeDirectory ?? path.dirname(process.execPath), path.basename(process.execPath));
    return execute(node, [path.join(directory, bin[name]), ...args], command);
  }

  /**
   * @param {string} name Relative to the project.
   * @param {string | Uint8Array} content
   */
  function writeFile(name, content) {
    const file = path.join(projectDirectory, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }

  /**
   * @param {string} name Relative to the project.
   * @returns {string}
   */
  function readFile(name) {
    return fs.readFileSync(path.join(projectDirectory, name), "utf8");
  }

  /**
   * Everything that the commands printed, with the commands themselves: what a log of a pipeline would show.
   *
   * @returns {string}
   */
  function transcriptText() {
    return transcript.map(({ command, combined }) => `$ ${command}\n${combined}`).join("\n");
  }

  /**
   * Every file of the state backend (the stack, its history and backups) and the stack's settings, as text.
   *
   * @returns {string}
   */
  function stateText() {
    const settings = fs
      .readdirSync(projectDirectory)
      .filter((name) => /^Pulumi\..+\.yaml$/.test(name))
      .map((name) => path.join(projectDirectory, name));
    const stored = fs
      .readdirSync(stateDirectory, { recursive: true, encoding: "utf8" })
      .map((name) => path.join(stateDirectory, name))
      .filter((file) => fs.statSync(file).isFile());
    return [...settings, ...stored].map((file) => fs.readFileSync(file, "utf8")).join("\n");
  }

  /**
   * Ends what still runs and removes everything that was made here.
   *
   * @returns {Promise<void>}
   */
  async function dispose() {
    await Promise.all([...running].map(endProcess));
    fs.rmSync(base, { recursive: true, force: true, maxRetries: 3 });
  }

  return {
    projectDirectory,
    stateDirectory,
    transcript,
    environment,
    execute,
    pulumi,
    installedCommand,
    writeFile,
    readFile,
    transcriptText,
    stateText,
    dispose,
  };
}

module.exports = { createWorkspace };
