import fs from "node:fs";
import path from "node:path";
import { manyServers } from "../../tools/bench/organisation.cjs";
import { PROVIDER_TEXT } from "../providerText";
import { ProviderCallError, startDynamicProvider, type DynamicProvider } from "./dynamicProvider";
import { checked, makeMailBinding } from "./mailBinding";
import { called } from "../identities";

/** What a Node program sends in the place of a value that isn't known yet. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SERVER = "ex001.contoso.com";
const { inputs: binding, thumbprint, pfx, password, secrets } = makeMailBinding(SERVER);

/** The provider as it is installed, on one simulated server. */
async function start(faults: object = {}): Promise<DynamicProvider> {
  const { text } = await manyServers(1, faults);
  const files = { ".exchange-simulator.json": text };
  return startDynamicProvider({ config: { "exchange:backend": "simulator" }, files });
}

describe("the provider in the process of the Pulumi SDK", () => {
  it("makes, reads, compares, updates and forgets a binding", async () => {
    const provider = await start();
    const inputs = await checked(provider, binding());
    expect(inputs).toMatchObject({ thumbprint, services: ["SMTP"] });

    const made = await provider.create(inputs);
    expect(made.id).toBe(`${SERVER}/${thumbprint}`);
    expect(made.properties).toMatchObject({ heldServices: ["SMTP"], isDefaultSmtpCertificate: false });
    expect(await provider.diff(made.id, made.properties, inputs)).toMatchObject({ changes: "none" });
    const read = await provider.read(made.id, made.properties);
    expect(read.inputs).toMatchObject({ services: ["SMTP"], certificate: { form: { of: "pfx", thumbprint } } });

    const more = await checked(provider, binding({ services: ["SMTP", "IIS"] }), inputs);
    expect(await provider.diff(made.id, made.properties, more)).toEqual({
      changes: "some",
      replaces: [],
      deleteBeforeReplace: false,
    });
    const updated = await provider.update(made.id, made.properties, more);
    expect(updated.properties).toMatchObject({ heldServices: ["IIS", "SMTP"] });
    await provider.delete(made.id, updated.properties);
    expect(await provider.read(made.id, updated.properties)).toMatchObject({ id: made.id });

    const printed = await provider.end();
    expect(printed).toContain(SERVER);
    for (const secret of secrets) expect(printed).not.toContain(secret);
  });

  it("has its configuration in the first calls, also when several come at once", async () => {
    const provider = await start();
    const names = ["one", "two", "three", "four"];
    const answers = await Promise.all(names.map((name) => provider.check({}, binding(called(name)))));
    expect(answers.map(({ failures }) => failures)).toEqual([[], [], [], []]);
  });

  it("takes unknown values of every kind without a failure", async () => {
    const provider = await start();
    for (const unknown of [
      { server: UNKNOWN },
      { certificate: UNKNOWN },
      { services: UNKNOWN },
      { services: ["SMTP", UNKNOWN] },
      { replaceDefaultSmtpCertificate: UNKNOWN, timeoutSeconds: UNKNOWN },
    ]) {
      const inputs = await checked(provider, binding(unknown));
      expect(inputs).toMatchObject(unknown);
    }
    // A source with an unknown part is unknown as a whole: the others may be secret.
    const inputs = await checked(provider, binding({ certificate: { pfx, password: UNKNOWN } }));
    expect(inputs).toMatchObject({ certificate: { form: UNKNOWN }, thumbprint: UNKNOWN });
  });

  it("keeps the state of a create that fails half-way", async () => {
    const provider = await start({ enableFailsAfter: "SMTP" });
    const inputs = await checked(provider, binding({ services: ["SMTP", "IIS"] }));
    const error = await provider.create(inputs).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ProviderCallError);
    const { partial } = error as ProviderCallError;
    expect(partial?.id).toBe(`${SERVER}/${thumbprint}`);
    expect(partial?.properties).toMatchObject({
      __provider: PROVIDER_TEXT,
      server: SERVER,
      certificate: { form: { of: "pfx", thumbprint } },
      heldServices: ["SMTP"],
    });
    expect(partial?.reasons.join()).toContain("SMTP");
    expect(partial?.reasons.join()).not.toContain(password);
  });

  it("ends a change on a server that no longer answers", async () => {
    const provider = await start();
    // With the usual limit, so that looking at the server comes to an end on a slow machine too.
    const inputs = await checked(provider, binding());
    const { text } = await manyServers(1, { slowMilliseconds: 3_600_000 });
    fs.writeFileSync(path.join(provider.directory, ".exchange-simulator.json"), text);
    await expect(provider.create({ ...inputs, timeoutSeconds: 1 })).rejects.toThrow(SERVER);
  });

  it("refuses a mistake by property, and prints no stack trace for it", async () => {
    const provider = await start();
    const { failures } = await provider.check({}, binding({ services: ["HTTP"], server: "ex001" }));
    expect(failures.map(({ property }) => property).sort()).toEqual(["server", "services"]);
    expect(await provider.end()).not.toMatch(/^\s+at /m);
  });
});
