import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { run } from "../../tools/process.cjs";
import { EX01, makeBindings, makePfx } from "./bindingProgram";
import { mustSucceed, type EngineProject } from "./engine";

const PIPELINES = path.join(__dirname, "..", "..", "tools", "docs", "pipelines");
const STACKS = ["farm-north", "farm-south"];
const PASSWORD_VARIABLE = "MAIL_PFX_PASSWORD";

/** Commands of a job as its vendor would run them, for one stack of its matrix, or for all where it has a loop. */
interface Job {
  readonly name: string;
  readonly commands: readonly string[];
}

function fileOf(name: string): unknown {
  return parse(readFileSync(path.join(PIPELINES, name), "utf8"));
}

function githubJobs(): readonly Job[] {
  const { jobs } = fileOf("github.yml") as { jobs: Record<string, { steps: readonly { run?: string }[] }> };
  return Object.entries(jobs).map(([name, { steps }]) => ({
    name: `GitHub ${name}`,
    commands: steps.flatMap(({ run: command }) => command?.replaceAll("${{ matrix.stack }}", "farm-north") ?? []),
  }));
}

function azureJobs(): readonly Job[] {
  const { jobs } = fileOf("azure-pipelines.yml") as {
    jobs: readonly { steps: readonly { bash?: string; script?: string; displayName?: string }[] }[];
  };
  const steps = jobs.flatMap((job) => job.steps);
  return steps.flatMap(({ bash, script, displayName }) => {
    const command = bash ?? script;
    return command === undefined ? [] : [{ name: `Azure DevOps ${displayName ?? ""}`, commands: [command] }];
  });
}

function gitlabJobs(): readonly Job[] {
  const file = fileOf("gitlab-ci.yml") as Record<string, { script?: string[]; before_script?: string[] }>;
  const before = file["default"]?.before_script ?? [];
  return Object.entries(file).flatMap(([name, { script }]) =>
    script === undefined ? [] : [{ name: `GitLab ${name}`, commands: [...before, ...script] }],
  );
}

let project: EngineProject;
let npmCalls: string;
beforeAll(async () => {
  const pfx = makePfx();
  project = await makeBindings(
    {
      mail: `{ server: "${EX01}", certificate: { pfxFile: "mail.pfx", passwordEnv: "${PASSWORD_VARIABLE}" }, services: ["SMTP"] }`,
    },
    { files: { "mail.pfx": pfx.bytes }, env: { [PASSWORD_VARIABLE]: pfx.password } },
  );
  for (const stack of STACKS) {
    mustSucceed(await project.pulumi("stack", "init", stack));
    mustSucceed(await project.pulumi("config", "set", "exchange:backend", "simulator", "--stack", stack));
  }
  // The modules are there already; what matters is that a job asks for them.
  const bin = path.join(project.directory, "bin");
  npmCalls = path.join(project.directory, "npm-calls");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "npm"), `#!/bin/sh\necho "$@" >> "${npmCalls}"\n`);
  chmodSync(path.join(bin, "npm"), 0o755);
});

describe("a pipeline of the documents", () => {
  it.each([...githubJobs(), ...azureJobs(), ...gitlabJobs()])("$name runs", async ({ commands }) => {
    const environment = project.environment({ STACKS: STACKS.join(" "), STACK: "farm-south" });
    const env = { ...environment, PATH: `${path.join(project.directory, "bin")}:${environment["PATH"] ?? ""}` };
    const script = path.join(project.directory, "job.sh");
    writeFileSync(script, ["set -e", ...commands].join("\n"));
    const { combined, exitCode } = await run("bash", [script], { cwd: project.directory, env, timeLimitSeconds: 300 });
    expect({ combined, exitCode }).toEqual({ combined: expect.any(String), exitCode: 0 });
  });

  it("installs before it asks", () => {
    const { length } = readFileSync(npmCalls, "utf8").trim().split("\n");
    expect(length).toBe(githubJobs().length + gitlabJobs().length + 1);
  });
});
