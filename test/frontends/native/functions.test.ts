import type { CertificateMaterial } from "../../../provider/certificate/material";
import { makeSchema } from "../../../tools/native/schema.cjs";
import { stored } from "../../backends/simulator/lab";
import { makeTestAuthority, makeTestCertificate } from "../../certificate/testCertificates";
import { BUILT_IN, EX01, NOW, openBench, type Bag } from "../../lifecycle/bench";
import { methodsOf, startNative } from "./nativePlugin";

const GET_SERVER = "exchange:index:getServer";
const GET_CERTIFICATE = "exchange:index:getCertificate";
const DAY_MS = 24 * 60 * 60 * 1000;
const authority = makeTestAuthority();

/** Enrolled so many days ago. */
function enrolled(daysAgo: number): CertificateMaterial {
  const notBefore = new Date(NOW.getTime() - daysAgo * DAY_MS);
  return makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: authority, notBefore });
}
const [older, newer] = [enrolled(60), enrolled(5)];

async function onServer(...materials: readonly CertificateMaterial[]) {
  const bench = openBench();
  const all = materials.map((one) => stored(one, { rootStore: "trusted", friendlyName: "mail" }));
  await bench.touch(EX01, ({ certificates }) => ({ certificates: [...certificates, ...all] }));
  const methods = methodsOf(await startNative(bench.deployment));
  const certificate = (args: Bag) => methods.invoke(GET_CERTIFICATE, { server: EX01, ...args });
  return { ...bench, ...methods, certificate };
}

describe("getServer", () => {
  it("answers what a preview sees, from the same reading, and says what isn't known instead of leaving it empty", async () => {
    const server = await onServer(newer);
    const { answer, failures } = await server.invoke(GET_SERVER, { server: EX01 });
    expect(failures).toEqual([]);
    expect(answer).toMatchObject({
      server: EX01,
      version: expect.stringMatching(/^15\.2\./) as string,
      defaultSmtpThumbprint: BUILT_IN.facts.thumbprint,
      imapCertificateName: expect.any(String) as string,
      unreadable: [],
    });
    const found = (answer["certificates"] as Bag[]).find(({ thumbprint }) => thumbprint === newer.facts.thumbprint);
    expect(found).toMatchObject({ dnsNames: ["mail.contoso.com"], isSelfSigned: false, friendlyName: "mail" });
    await server.certificate({ thumbprint: newer.facts.thumbprint });
    expect(server.calls).toEqual([`readSnapshot ${EX01}`]);

    const silent = await onServer(newer);
    await silent.break(EX01, { servicesUnknown: true });
    const { certificates, unknown } = (await silent.invoke(GET_SERVER, { server: EX01 })).answer as Record<
      string,
      Bag[]
    >;
    expect(certificates?.at(-1)).not.toHaveProperty("services");
    const part = `certificates[${String((certificates?.length ?? 0) - 1)}].services`;
    expect(unknown).toContainEqual({ part, reason: expect.any(String) as string });
  });

  it.each<[string, Bag, string]>([
    ["a short name", { server: "EX01" }, "server"],
    ["no server", {}, "server"],
    ["something else", { server: EX01, sever: 1 }, ""],
  ])("tells %s as a mistake of the program", async (_what, args, property) => {
    const server = await onServer();
    expect((await server.invoke(GET_SERVER, args)).failures).toEqual([
      { property, reason: expect.any(String) as string },
    ]);
    expect(server.calls).toEqual([]);
  });
});

describe("getCertificate", () => {
  it("finds one by its thumbprint, however that is written, by its friendly name, and the newest for a name", async () => {
    const server = await onServer(newer);
    const { thumbprint } = newer.facts;
    const spaced = thumbprint.toLowerCase().replaceAll(/(..)/g, "$1 ");
    for (const by of [{ thumbprint: spaced }, { friendlyName: "Mail" }, { dnsName: "mail.contoso.com" }]) {
      expect((await server.certificate(by)).answer).toMatchObject({ server: EX01, thumbprint, unknown: [] });
    }
    const two = await onServer(older, newer);
    expect((await two.certificate({ dnsName: "MAIL.contoso.com", minDaysLeft: 10 })).answer).toMatchObject({
      thumbprint,
    });
  });

  it.each<[string, Bag, RegExp]>([
    ["no certificate has the name", { dnsName: "shop.contoso.com" }, /shop\.contoso\.com/],
    ["none has the friendly name", { friendlyName: "shop" }, /no certificate of the friendly name "shop" is there\.$/],
    [
      "several have the friendly name",
      { friendlyName: "mail" },
      /2 certificates have the friendly name "mail": .*, .*\. Name one/,
    ],
    ["the thumbprint isn't there", { thumbprint: "0".repeat(40) }, /0{40} is there\.$/],
    ["only Exchange's own has the name", { dnsName: "ex01.contoso.com" }, /self-signed/],
  ])("chooses none and says why where %s", async (_what, by, why) => {
    const server = await onServer(older, newer);
    await expect(server.certificate(by)).rejects.toThrow(why);
  });

  it.each<[string, Bag, Bag]>([
    ["none of them", {}, { property: "", reason: "Give exactly one of thumbprint, friendlyName, dnsName." }],
    [
      "two of them",
      { friendlyName: "mail", dnsName: "mail.contoso.com" },
      { property: "", reason: "Give exactly one of thumbprint, friendlyName, dnsName." },
    ],
    [
      "days without a name",
      { friendlyName: "mail", minDaysLeft: 1 },
      { property: "minDaysLeft", reason: "minDaysLeft goes with dnsName alone." },
    ],
    [
      "half a day",
      { dnsName: "mail.contoso.com", minDaysLeft: 0.5 },
      { property: "dnsName", reason: expect.stringMatching(/^minDaysLeft must be a whole number/) as string },
    ],
  ])("tells %s as a mistake of the program", async (_what, by, failure) => {
    expect((await (await onServer()).certificate(by)).failures).toEqual([failure]);
  });
});

it("describes each function and each of its parts in the schema", () => {
  const schema = makeSchema({ version: "1.2.3", defaults: {}, isSecret: () => false, settings: [] });
  const functions = schema["functions"] as Record<string, { inputs: Part; outputs: Part }>;
  expect(Object.keys(functions)).toEqual([GET_SERVER, GET_CERTIFICATE]);
  const types = schema["types"] as Record<string, Part>;
  const parts = [...Object.values(functions).flatMap(({ inputs, outputs }) => [inputs, outputs])];
  for (const name of ["SeenCertificate", "SeenConnector", "UnknownPart"]) {
    parts.push(types[`exchange:index:${name}`] ?? { properties: {} });
  }
  for (const { properties } of parts) {
    expect(Object.keys(properties)).not.toHaveLength(0);
    for (const { description } of Object.values(properties)) expect(description).toMatch(/\w/);
  }
});

interface Part {
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
}
