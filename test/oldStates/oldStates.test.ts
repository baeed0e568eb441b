import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

import { readPfxHere } from "../../provider/certificate/pfx";
import { FACT_KEYS } from "../../provider/certificate/facts";
import { Secret } from "../../provider/secret";
import { STATE_VERSION } from "../../provider/state";
import { published, stored } from "../backends/simulator/lab";
import { EX01, EX02, openBench, type Bag, type Bench } from "../lifecycle/bench";
import { PROVIDER_TEXT } from "../providerText";

/*
 * Each file is a state as a released version of that number wrote it: never change one, add the next. The certificate
 * of them all is that of the PFX fixtures.
 */
interface StoredResource {
  readonly id: string;
  readonly inputs: Bag;
  readonly outputs: Bag & { readonly stateVersion: number };
}

const PFX = readFileSync(join(__dirname, "..", "certificate", "fixtures", "openssl3-aes.pfx"));
const material = readPfxHere(new Secret(PFX), new Secret("exchange-test"));
const { thumbprint } = material.facts;

const VERSIONS = readdirSync(__dirname)
  .filter((file) => file.endsWith(".json"))
  .map((file) => Number.parseInt(file, 10));

function resourcesOf(version: number): readonly StoredResource[] {
  return JSON.parse(readFileSync(join(__dirname, `${String(version)}.json`), "utf8")) as StoredResource[];
}

const RESOURCES = VERSIONS.flatMap((version) =>
  resourcesOf(version).map((resource) => [version, String(resource.inputs["bindingLabel"]), resource] as const),
);

/** The servers as the bindings of these states left them. */
async function openFarm(): Promise<Bench> {
  const bench = openBench(undefined, {
    now: new Date("2027-01-15T08:00:00Z"),
    files: { [resolve("/program/mail.pfx")]: PFX },
    environment: { MAIL_PASSWORD: "exchange-test" },
  });
  const held = stored(material, { privateKey: { networkServiceRead: true } });
  await bench.touch(EX01, ({ certificates, iis }) => ({
    certificates: [...certificates, held],
    iis: { ...iis, frontEnd: thumbprint },
    imap: { x509CertificateName: "mail.contoso.com" },
    internalTransportCertificate: published(material),
  }));
  await bench.touch(EX02, ({ certificates, um }) => ({
    certificates: [...certificates, held],
    pop: { x509CertificateName: null },
    um: um === null ? null : { ...um, certificate: thumbprint },
  }));
  return bench;
}

/** What the provider makes of the program's inputs, without what it adds to them. */
function checkedOf({ inputs }: StoredResource): Bag {
  const added: readonly string[] = [...FACT_KEYS, "__provider"];
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => !added.includes(key)));
}

/** Sources of keys as the program gives them: what is stored of them holds no key. */
const SOURCES: Readonly<Record<string, Bag>> = {
  mail: { pfx: PFX.toString("base64"), password: "exchange-test" },
  file: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PASSWORD" },
};

function argsOf(resource: StoredResource): Bag {
  const certificate = SOURCES[String(resource.inputs["bindingLabel"])];
  return { ...checkedOf(resource), ...(certificate === undefined ? {} : { certificate }) };
}

it("has a state of every version that was ever written", () => {
  expect(VERSIONS.sort((one, other) => one - other)).toEqual(Array.from({ length: STATE_VERSION }, (_, i) => i + 1));
  for (const [version, , { outputs, inputs }] of RESOURCES) {
    expect(outputs.stateVersion).toBe(version);
    expect([inputs["__provider"], outputs["__provider"]]).toEqual([PROVIDER_TEXT, PROVIDER_TEXT]);
  }
});

describe.each(RESOURCES)("a state of version %i, binding %s", (_version, _name, resource) => {
  it("is no change in a preview", async () => {
    const bench = await openFarm();
    const inputs = await bench.checked(argsOf(resource), resource.inputs);
    expect(inputs).toMatchObject(checkedOf(resource));
    expect(await bench.lifecycle.diff(resource.id, resource.outputs, inputs)).toEqual({ changes: false });
    expect(bench.lines.filter((line) => !/days/.test(line))).toEqual([]);
  });

  it("is no drift in a refresh, which keeps its outputs", async () => {
    const bench = await openFarm();
    const read = await bench.lifecycle.read(resource.id, resource.outputs);
    expect(read.id).toBe(resource.id);
    expect(read.inputs).toMatchObject(checkedOf(resource));
    const {
      supersedes: _supersedes,
      staysBehind: _staysBehind,
      heldServices: _held,
      displayedServices: _shown,
      ...kept
    } = resource.outputs;
    expect(read.props).toMatchObject(kept);
    expect(await bench.lifecycle.diff(resource.id, read.props ?? {}, resource.inputs)).toEqual({ changes: false });
  });

  it("can be changed and deleted", async () => {
    const bench = await openFarm();
    const inputs = await bench.checked({ ...argsOf(resource), timeoutSeconds: 77 }, resource.inputs);
    expect(await bench.lifecycle.diff(resource.id, resource.outputs, inputs)).toEqual({ changes: true });
    const { outs } = await bench.lifecycle.update(resource.id, resource.outputs, inputs);
    expect(outs).toMatchObject({ timeoutSeconds: 77, thumbprint, stateVersion: STATE_VERSION });
    expect(bench.calls.filter((call) => !call.startsWith("readSnapshot"))).toEqual([]);
    await bench.lifecycle.delete(resource.id, { ...outs, __provider: PROVIDER_TEXT });
    expect(bench.lines.at(-1)).toMatch(/no longer managed/);
  });
});
