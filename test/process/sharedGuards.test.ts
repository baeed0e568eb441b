import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { openStateFile } from "../../provider/backends/simulator/stateFile";
import { defaultOrganisation, EX01 } from "../backends/simulatedServer";
import { urnOf } from "../frontends/native/nativePlugin";
import type { Bag } from "../../provider/lifecycle/requests";
import { called } from "../identities";
import { startDynamicProvider, type Properties } from "./dynamicProvider";
import { makeMailBinding } from "./mailBinding";
import { startNativeProvider } from "./nativeProvider";

/*
 * What several processes of one deployment know of each other: a stack that is moved by halves, and two provider
 * resources for one organisation.
 */

const first = makeMailBinding(EX01);
const second = makeMailBinding(EX01);
const WITHOUT_NAMES = ({ bindingUrn: _, bindingLabel: __, ...rest }: Properties): Bag => rest;
const native = (certificate: unknown, more: Bag = {}): Bag => ({
  ...WITHOUT_NAMES(first.inputs()),
  certificate,
  onDelete: "remove",
  removeAfterDays: 0,
  ...more,
});
const given = ({ pfx, password }: typeof first): Bag => ({ pfx, password });
const MAIL = urnOf("mail");

let directory: string;
beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-shared-"));
  const organisation = await defaultOrganisation();
  await openStateFile(path.join(directory, "org.json"), {
    makeOrganisation: () => Promise.resolve(organisation),
  }).read();
});
afterEach(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

const startNative = (explicit?: string, temporary = directory) =>
  startNativeProvider({
    temporary,
    config: { backend: "simulator", simulatorFile: path.join(directory, "org.json") },
    ...(explicit === undefined ? {} : { explicit }),
  });
const startDynamic = (temporary = directory) =>
  startDynamicProvider({
    temporary,
    config: { "exchange:backend": "simulator", "exchange:simulatorFile": path.join(directory, "org.json") },
  });
type Native = Awaited<ReturnType<typeof startNative>>;

const isThere = async (provider: Native, { thumbprint }: typeof first): Promise<boolean> =>
  "id" in (await provider.read(MAIL, `${EX01}/${thumbprint}`, {}));

async function make(provider: Native, urn: string, inputs: Bag) {
  const checked = await provider.check(urn, {}, inputs);
  expect(checked.failures).toEqual([]);
  return { inputs: checked.inputs, ...(await provider.create(urn, checked.inputs)) };
}

/** A native binding that gets another certificate, up to the moment when the engine deletes what was replaced. */
async function replaced(provider: Native) {
  const made = await make(provider, MAIL, native(given(first)));
  const { inputs } = await provider.check(MAIL, made.inputs, native(given(second)));
  expect((await provider.diff(MAIL, made.id, made.outs, inputs)).replaces).toEqual(["certificate"]);
  await provider.create(MAIL, inputs);
  return made;
}

const declareOther = async (temporary?: string) => {
  const provider = await startDynamic(temporary);
  const { failures } = await provider.check({}, first.inputs(called("other")));
  expect(failures).toEqual([]);
  return provider;
};

describe("a stack of which one half is native", () => {
  it("keeps what the dynamic half declares when the native half has replaced it, and says who declares it", async () => {
    const plugin = await startNative();
    const dynamic = await declareOther();
    const made = await replaced(plugin);
    await plugin.delete(MAIL, made.id, made.outs);
    expect(await isThere(plugin, first)).toBe(true);
    expect(plugin.printed()).toContain('stays: binding "other" declares it');
    // Also when the other process has done its part.
    await dynamic.endBy("SIGINT");
    await plugin.delete(MAIL, made.id, made.outs);
    expect(await isThere(plugin, first)).toBe(true);
    const files = (): string[] =>
      fs.readdirSync(
        path.join(directory, fs.readdirSync(directory).find((one) => /^exchange-certificates-/.test(one)) ?? ""),
      );
    expect(files()).toEqual(["127.0.0.1_1"]);
    await plugin.end();
    expect(files()).toEqual([]);
  });

  it("removes what nobody of the same run declares", async () => {
    const plugin = await startNative();
    fs.mkdirSync(path.join(directory, "another"));
    await declareOther(path.join(directory, "another"));
    const made = await replaced(plugin);
    await plugin.delete(MAIL, made.id, made.outs);
    expect(await isThere(plugin, first)).toBe(false);
  });

  it("refuses a certificate to the dynamic half that the native half is going to remove", async () => {
    const plugin = await startNative();
    const made = await replaced(plugin);
    const late = { ...native(given(second)), removeAfterDays: 0 };
    const successor = await plugin.check(MAIL, made.inputs, late);
    const id = `${EX01}/${second.thumbprint}`;
    const since = new Date(Date.now() - 1000).toISOString();
    const supersedes = [{ id: made.id, thumbprint: first.thumbprint, since, released: [] }];
    const state = { ...(await plugin.read(MAIL, id, {})).props, ...successor.inputs, supersedes, onDelete: "remove" };
    expect(await plugin.diff(MAIL, id, state, successor.inputs)).toMatchObject({ changes: true, replaces: [] });
    const dynamic = await startDynamic();
    const { failures } = await dynamic.check({}, first.inputs(called("other")));
    expect(failures).toEqual([
      {
        property: "",
        reason: expect.stringContaining('binding "mail", which comes before this one, removes') as string,
      },
    ]);
    // It was told, and the program went on all the same: what is declared stays.
    await plugin.update(MAIL, id, state, successor.inputs);
    expect(await isThere(plugin, first)).toBe(true);
  });

  it("removes nothing where the processes can't meet, and says why", async () => {
    const noPlace = path.join(directory, "file");
    fs.writeFileSync(noPlace, "");
    const plugin = await startNative(undefined, noPlace);
    const made = await replaced(plugin);
    await plugin.delete(MAIL, made.id, made.outs);
    expect(plugin.printed()).toMatch(
      /stays.*it may be declared by another provider of this run, which isn't known \(.*can't tell each other/,
    );
    expect(await isThere(plugin, first)).toBe(true);
  });
});

describe("two provider resources for one server", () => {
  it("remove nothing that the other's bindings declare, and are refused what both claim", async () => {
    const [one, two] = [await startNative("one"), await startNative("two")];
    const made = await replaced(one);
    const other = urnOf("other");
    await make(two, other, native(given(first), { onDelete: "retain" }));
    await one.delete(MAIL, made.id, made.outs);
    expect(await isThere(one, first)).toBe(true);

    await make(one, urnOf("web"), native(given(second), { services: ["IIS"] }));
    const contrary = await two.check(urnOf("shop"), {}, native(given(first), { services: ["IIS"] }));
    expect(contrary.failures.map(({ reason }) => reason).join()).toMatch(
      /bindings "web" and "shop" both claim IIS of .* for different certificates/,
    );
  });
});
