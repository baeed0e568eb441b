import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

import type { Organisation } from "../../provider/backends/simulator/organisation";
import { HIDDEN_KEYS, INPUT_KEYS } from "../../provider/inputs";
import type { FollowUp } from "../../provider/plan/followUps";
import { SOURCE_KEYS } from "../../provider/sourceKeys";
import { STATE_VERSION } from "../../provider/state";
import { methodsOf, startNative } from "../frontends/native/nativePlugin";
import { openBench, type Bag, type Bench } from "../lifecycle/bench";
import { PROVIDER_TEXT } from "../providerText";

/*
 * Each file is what a version of that number has left: a program, the simulated servers as its last `up` left them, and
 * the state as `pulumi stack export --show-secrets` gave it, once of the dynamic resource and once of the plugin's. The
 * files that the program reads lie in the folder of that number. What is there is kept as it is for ever. What is new,
 * a source for example, is added to the newest: run the real front ends for it, and take over what they have stored.
 */
interface OldState {
  /** When it was exported. */
  readonly at: string;
  /** Arguments by the binding's name; what stands for a file's content or for a secret has a key with a dollar. */
  readonly program: Readonly<Record<string, Bag>>;
  readonly dynamic: Deployed;
  readonly native: Deployed;
}

interface Deployed {
  readonly organisation: Organisation;
  readonly resources: readonly Stored[];
}

interface Stored {
  readonly urn: string;
  readonly id: string;
  readonly inputs: Bag;
  readonly outputs: Bag;
}

const PASSWORD = "exchange-test";
const DAY = 24 * 60 * 60 * 1000;
/** Stopped on its way: the next run goes on with it. */
const HALF_DONE = "half";

const VERSIONS = readdirSync(__dirname)
  .filter((file) => file.endsWith(".json"))
  .map((file) => Number.parseInt(file, 10))
  .sort((one, other) => one - other);
const oldState = (version: number): OldState =>
  JSON.parse(readFileSync(join(__dirname, `${String(version)}.json`), "utf8")) as OldState;
const filesOf = (version: number): Readonly<Record<string, Buffer>> => {
  const directory = join(__dirname, String(version));
  return Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
};

/** Without what is known only to the front end that stored it. */
function plain(bag: Bag = {}): Bag {
  const hidden: readonly string[] = [...HIDDEN_KEYS, "__provider"];
  return Object.fromEntries(Object.entries(bag).filter(([key]) => !hidden.includes(key)));
}

/** How the engine marks a secret in a state, and on the way to a plugin. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const asSecret = (value: unknown): Bag => ({ [SIGNATURE]: SECRET, value });
const asItIs = (value: unknown): unknown => value;

type Mark = (value: unknown) => unknown;

function replaced(value: unknown, replace: (bag: Bag) => unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => replaced(one, replace));
  if (typeof value !== "object" || value === null) return value;
  const bag = value as Bag;
  const other = replace(bag);
  if (other !== bag) return other;
  return Object.fromEntries(Object.entries(bag).map(([key, one]) => [key, replaced(one, replace)]));
}

/** Stored properties as the engine gives them to a provider: decrypted, and marked for one that takes marks. */
function stored(bag: Bag, mark: Mark): Bag {
  return replaced(bag, (one) =>
    one[SIGNATURE] === undefined ? one : mark(JSON.parse(String(one["plaintext"])) as unknown),
  ) as Bag;
}

/** The program's arguments as the engine gives them to a provider. */
function argsOf(args: Bag | undefined, files: Readonly<Record<string, Buffer>>, mark: Mark): Bag {
  if (args === undefined) throw new Error("The state has a binding that its program doesn't have.");
  const text = (file: unknown, encoding: BufferEncoding): unknown =>
    mark(typeof file === "string" ? files[file]?.toString(encoding) : file);
  return replaced(args, (one) => {
    if ("$base64" in one) return text(one["$base64"], "base64");
    if ("$text" in one) return text(one["$text"], "utf8");
    return "$secret" in one ? mark(one["$secret"]) : one;
  }) as Bag;
}

/** A front end asked about one resource. */
interface Asked {
  check(olds: Bag, news: Bag): Promise<{ readonly inputs: Bag; readonly failures: readonly unknown[] }>;
  diff(id: string, olds: Bag, news: Bag): Promise<{ readonly changes: boolean; readonly replaces?: readonly string[] }>;
  update(id: string, olds: Bag, news: Bag): Promise<{ readonly outs: Bag }>;
  read(id: string, props: Bag): Promise<{ readonly id?: string; readonly props?: Bag; readonly inputs?: Bag }>;
  delete(id: string, props: Bag): Promise<void>;
}

interface World {
  readonly bench: Bench;
  readonly resources: readonly (Stored & { readonly name: string; readonly args: Bag; readonly asked: Asked })[];
}

/** The names by which `of` a front end stored it, and by which one it is served now. */
interface Case {
  readonly of: "dynamic" | "native";
  readonly by: "dynamic" | "native";
}

/** One process of today's code, so many days later. */
async function open(version: number, { of, by }: Case, days = 1): Promise<World> {
  const { at, program, [of]: deployed } = oldState(version);
  const files = filesOf(version);
  const bench = openBench(deployed.organisation, {
    now: new Date(new Date(at).getTime() + days * DAY),
    files: Object.fromEntries(Object.entries(files).map(([name, content]) => [resolve("/program", name), content])),
    environment: { PFX_PASSWORD: PASSWORD },
  });
  const mark = by === "native" ? asSecret : asItIs;
  const plugin = by === "native" ? methodsOf(await startNative(bench.deployment)) : undefined;
  const askedAs = (urn: string): Asked =>
    plugin === undefined
      ? bench.lifecycle
      : {
          check: (...given) => plugin.check(urn, ...given),
          diff: (...given) => plugin.diff(urn, ...given),
          update: (...given) => plugin.update(urn, ...given),
          read: (...given) => plugin.read(urn, ...given),
          delete: (...given) => plugin.delete(urn, ...given),
        };
  return {
    bench,
    resources: deployed.resources.map(({ urn, id, inputs, outputs }) => {
      const name = urn.split("::").at(-1) ?? "";
      const hidden = by === "dynamic" ? { bindingUrn: urn, bindingLabel: name, __provider: PROVIDER_TEXT } : {};
      return {
        name,
        urn,
        id,
        inputs: stored(inputs, mark),
        outputs: stored(outputs, mark),
        args: { ...argsOf(program[name], files, mark), ...hidden },
        asked: askedAs(urn),
      };
    }),
  };
}

/** What an engine would do with each binding of the program. */
async function planned({ resources }: World, more: Bag = {}): Promise<Readonly<Record<string, string>>> {
  const plans: [string, string][] = [];
  for (const { name, id, inputs, outputs, args, asked } of resources) {
    const checked = await asked.check(inputs, { ...args, ...more });
    expect({ name, failures: checked.failures }).toEqual({ name, failures: [] });
    const { changes, replaces = [] } = await asked.diff(id, outputs, checked.inputs);
    plans.push([name, changes ? (replaces.length > 0 ? "replace" : "update") : "same"]);
  }
  return Object.fromEntries(plans);
}

/** That of all, but for some. */
function allOf(
  version: number,
  plan: string,
  but: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return { ...Object.fromEntries(Object.keys(oldState(version).program).map((name) => [name, plan])), ...but };
}

const CASES = VERSIONS.flatMap((version) => [
  { version, of: "dynamic", by: "dynamic", what: "the dynamic resource" } as const,
  { version, of: "native", by: "native", what: "the plugin" } as const,
  { version, of: "dynamic", by: "native", what: "the plugin that takes over from the dynamic resource" } as const,
]);

it("has a state of every version that was ever written", () => {
  expect(VERSIONS).toEqual(Array.from({ length: STATE_VERSION }, (_, i) => i + 1));
});

describe.each(VERSIONS)("the state of version %i", (version) => {
  const { program, dynamic, native } = oldState(version);

  it("is that of both front ends, of the same bindings", () => {
    for (const { urn, inputs, outputs } of [...dynamic.resources, ...native.resources]) {
      expect(outputs["stateVersion"]).toBe(version);
      const isDynamic = urn.includes("::pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding::");
      const code = isDynamic ? PROVIDER_TEXT : undefined;
      expect([inputs["__provider"], outputs["__provider"]]).toEqual([code, code]);
    }
    for (const { resources } of [dynamic, native]) {
      expect(resources.map(({ urn }) => urn.split("::").at(-1)).toSorted()).toEqual(Object.keys(program).toSorted());
      expect(resources.filter(({ outputs }) => JSON.stringify(outputs).includes(SIGNATURE))).toHaveLength(1);
    }
  });

  it("holds no key and no password", () => {
    const text = JSON.stringify([dynamic, native]);
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain("PRIVATE KEY");
    for (const [name, content] of Object.entries(filesOf(version))) {
      const body = name.endsWith(".pfx")
        ? content.toString("base64")
        : /KEY-----\s([\s\S]+?)\s-----END/.exec(content.toString())?.[1];
      if (body === undefined) continue;
      // Of a key the last part, behind what is in the certificate too; of both in lines as PEM breaks them.
      for (const part of body.replace(/\s/g, "").slice(-640).match(/.{64}/g) ?? []) expect(text).not.toContain(part);
    }
  });
});

describe("the newest state", () => {
  const { program, dynamic, native } = oldState(STATE_VERSION);
  const args = Object.values(program);

  it.each(Object.entries(SOURCE_KEYS))("has bindings with each part of the source %s", (source, parts) => {
    const given = args
      .map(({ certificate }) => Object.keys(certificate as Bag))
      .filter((keys) => keys.includes(source));
    expect(Object.keys(parts).filter((part) => !given.flat().includes(part))).toEqual([]);
  });

  it("has every input", () => {
    expect(INPUT_KEYS.filter((key) => args.every((one) => one[key] === undefined))).toEqual([]);
  });

  it("has all that is remembered of earlier runs", () => {
    // Whoever adds a kind adds it here: otherwise this doesn't compile.
    const kinds = {
      restartIis: true,
      restartServices: true,
      hybrid: true,
      hybridWizard: true,
      edgeSubscription: true,
      connector: true,
    } satisfies Record<FollowUp["kind"], true>;
    for (const { resources } of [dynamic, native]) {
      const outputs = resources.map((one) => one.outputs);
      const all = (key: string): readonly Bag[] => outputs.flatMap((one) => (one[key] ?? []) as readonly Bag[]);
      expect([...new Set(all("followUpTasks").map(({ kind }) => String(kind)))].toSorted()).toEqual(
        Object.keys(kinds).toSorted(),
      );
      expect(all("followUpTasks").filter(({ since }) => since === undefined)).toEqual([]);
      expect(all("takenOver")).not.toEqual([]);
      expect(all("staysBehind")).not.toEqual([]);
      const supersedes = all("supersedes");
      expect(supersedes.filter(({ released }) => (released as readonly unknown[]).length > 0)).not.toEqual([]);
      expect(supersedes.filter(({ onlyThere }) => onlyThere === true)).not.toEqual([]);
      expect(resources.filter(({ outputs }) => outputs["notDone"] !== undefined)).toEqual([
        expect.objectContaining({ id: expect.stringMatching(/^ex05/) as string }),
      ]);
    }
  });
});

describe.each(CASES)("a state of version $version, read by $what", ({ version, ...how }) => {
  it("is no change in a preview, but for what a run had left half done", async () => {
    const world = await open(version, how);
    expect(await planned(world)).toEqual(allOf(version, "same", { [HALF_DONE]: "update" }));
    const lines = world.bench.lines.join("\n");
    expect(lines).toContain("not done yet");
    expect(lines).not.toMatch(/DRIFT|plan: (?!enables SMTP)/);
  });

  it("is no drift in a refresh, which keeps its outputs", async () => {
    const world = await open(version, how);
    for (const { name, id, inputs, outputs, asked } of world.resources) {
      const read = await asked.read(id, outputs);
      // Of what wasn't done the state says what there is.
      const services = name === HALF_DONE ? outputs["heldServices"] : inputs["services"];
      expect({ name, id: read.id, props: plain(read.props) }).toMatchObject({
        name,
        id,
        props: plain({ ...outputs, services }),
      });
      expect({ name, inputs: plain(read.inputs) }).toMatchObject({ name, inputs: plain({ ...inputs, services }) });
      const { changes } = await asked.diff(id, read.props ?? {}, inputs);
      expect({ name, changes }).toEqual({ name, changes: name === HALF_DONE });
    }
    expect(world.bench.lines.join("\n")).not.toContain("DRIFT");
  });

  it("can be changed, finished and deleted", async () => {
    const world = await open(version, how);
    const more = { timeoutSeconds: 78 };
    expect(await planned(world, more)).toEqual(allOf(version, "update"));
    for (const { name, id, inputs, outputs, args, asked } of world.resources) {
      const checked = await asked.check(inputs, { ...args, ...more });
      const { outs } = await asked.update(id, outputs, checked.inputs);
      expect({ name, outs }).toMatchObject({ name, outs: { ...more, stateVersion: STATE_VERSION } });
      expect({ name, changes: (await asked.diff(id, outs, checked.inputs)).changes }).toEqual({ name, changes: false });
      if (args["onDelete"] !== "remove") await asked.delete(id, outs);
    }
    const changing = world.bench.calls.filter((call) => !call.startsWith("readSnapshot"));
    expect(changing).toEqual(["enableServices ex05.contoso.com SMTP"]);
  });

  it("lets go what is due when its days are over", async () => {
    const world = await open(version, how, 45);
    expect(await planned(world)).toEqual(allOf(version, "same", { [HALF_DONE]: "update", mail: "update" }));
    const mail = world.resources.find(({ name }) => name === "mail");
    if (mail === undefined) throw new Error("there is no mail");
    const { inputs } = await mail.asked.check(mail.inputs, mail.args);
    const { outs } = await mail.asked.update(mail.id, mail.outputs, inputs);
    expect(outs["supersedes"]).toEqual([]);
    expect(
      world.bench.calls.filter((call) => !call.startsWith("readSnapshot")).map((call) => call.split(" ")[0]),
    ).toEqual(["setSendConnectorCertificate", "removeCertificate", "setSendConnectorCertificate"]);
  });
});
