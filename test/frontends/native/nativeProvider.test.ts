import path from "node:path";

import {
  farm,
  EX01,
  EX02,
  MAIL,
  MAIL_PFX,
  BUILT_IN,
  openBench,
  RENEWED_PFX,
  SELF_SIGNED,
  type Bag,
} from "../../lifecycle/bench";
import type { BenchOptions } from "../../lifecycle/bench";
import { stored } from "../../backends/simulator/lab";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { called } from "../../identities";
import { CallError, methodsOf, startNative, urnOf } from "./nativePlugin";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});
const mail = urnOf("mail");
const args = (more: Bag = {}): Bag => ({ server: EX01, certificate: MAIL_PFX, services: ["SMTP", "IIS"], ...more });

async function open(organisation = farm(), options: BenchOptions = {}) {
  const bench = openBench(organisation, options);
  const plugin = methodsOf(await startNative(bench.deployment));
  return { ...bench, plugin };
}
type Opened = Awaited<ReturnType<typeof open>>;

async function make({ plugin }: Opened, wish: Bag = args()) {
  const { inputs, failures } = await plugin.check(mail, {}, wish);
  expect(failures).toEqual([]);
  return { inputs, ...(await plugin.create(mail, inputs)) };
}

async function failureOf(attempt: Promise<unknown>): Promise<CallError> {
  const outcome = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof CallError) return outcome;
  throw new Error("it didn't fail");
}

describe("the native front end", () => {
  it("takes who the binding is from the URN, and shows neither that nor a key among the inputs", async () => {
    const opened = await open();
    const { inputs, outs, id } = await make(
      opened,
      args({ certificate: { pfx: secret(MAIL_PFX.pfx), password: secret(MAIL_PFX.password) } }),
    );
    expect(id).toBe(`${EX01}/${MAIL.facts.thumbprint}`);
    expect(inputs).toMatchObject({ certificate: { form: { of: "pfx" } }, thumbprint: MAIL.facts.thumbprint });
    expect(Object.keys(inputs).filter((key) => key.startsWith("binding"))).toEqual([]);
    expect(outs).toMatchObject({ heldServices: ["IIS", "SMTP"], bindingUrn: mail });
    expect(JSON.stringify([inputs, outs])).not.toContain(MAIL_PFX.password);
    expect(opened.lines.join("\n")).toContain(`[${EX01}] mail: `);
  });

  it("marks as secret what came as a secret, in outputs and in what a failed run leaves too", async () => {
    const opened = await open(farm({ faults: { enableHasNoEffectOn: ["IIS"] } }));
    const { plugin } = opened;
    const { inputs } = await plugin.check(
      mail,
      {},
      args({ friendlyName: secret("hidden"), services: ["SMTP", secret("IIS")] }),
    );
    expect(inputs).toMatchObject({ friendlyName: secret("hidden"), services: secret(["IIS", "SMTP"]) });
    const failed = await failureOf(plugin.create(mail, inputs));
    expect(failed.half).toMatchObject({
      id: `${EX01}/${MAIL.facts.thumbprint}`,
      properties: { friendlyName: secret("hidden"), notDone: { services: ["IIS"] } },
    });
    expect(failed.message).toContain("run again to continue");
  });

  it("refuses mistakes by their input", async () => {
    const { plugin } = await open();
    const { failures } = await plugin.check(mail, {}, args({ services: ["SNTP"], certificate: { selfSigned: {} } }));
    expect(failures.map(({ property }) => property)).toEqual(["certificate", "services"]);
    expect(failures[0]?.reason).toContain("dnsNames");
  });

  it("shows in a preview what is known, and leaves open what only the server will say", async () => {
    const opened = await open();
    const { plugin } = opened;
    const given = await plugin.check(mail, {}, args());
    const planned = await plugin.create(mail, given.inputs, { preview: true });
    expect(planned.id).toBe("");
    expect(planned.outs).toMatchObject({ thumbprint: MAIL.facts.thumbprint, heldServices: UNKNOWN, backend: UNKNOWN });
    const made = await plugin.check(mail, {}, args({ certificate: SELF_SIGNED }));
    expect((await plugin.create(mail, made.inputs, { preview: true })).outs).toMatchObject({ thumbprint: UNKNOWN });

    const { id, outs } = await make(opened);
    const more = await plugin.check(mail, {}, args({ services: ["SMTP", "IIS", "POP"] }));
    const changed = await plugin.update(mail, id, outs, more.inputs, { preview: true });
    expect(changed.outs).toMatchObject({
      thumbprint: MAIL.facts.thumbprint,
      backend: "simulator",
      heldServices: UNKNOWN,
    });
    expect(await opened.state()).toMatchObject({ pop: { x509CertificateName: "EX01" } });
  });

  it("tells by property what differs: in the inputs, and at the server", async () => {
    const opened = await open();
    const { plugin } = opened;
    const { id, inputs, outs } = await make(opened);
    expect(await plugin.diff(mail, id, outs, inputs)).toEqual({ changes: false, replaces: [], details: {} });
    await opened.touch(EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint } }));
    const drifted = methodsOf(await startNative(opened.again().deployment));
    const again = await drifted.check(mail, inputs, args());
    expect(await drifted.diff(mail, id, outs, again.inputs)).toMatchObject({ details: { "services[0]": "ADD" } });
    const other = await plugin.check(mail, inputs, args({ certificate: RENEWED_PFX, timeoutSeconds: 60 }));
    expect(await plugin.diff(mail, id, outs, other.inputs)).toEqual({
      changes: true,
      replaces: ["certificate"],
      details: { certificate: "UPDATE_REPLACE of inputs", timeoutSeconds: "ADD of inputs" },
    });
  });

  it("limits an operation by customTimeouts where they are set", async () => {
    const opened = await open(farm(), {
      backend: (real) => ({ ...real, enableServices: () => new Promise(() => undefined) }),
    });
    const { inputs } = await opened.plugin.check(mail, {}, args());
    const failed = await failureOf(opened.plugin.create(mail, inputs, { timeout: 0.2 }));
    expect(failed.message).toContain("no end after 0.2 seconds");
    expect(failed.message).toContain("customTimeouts.create sets the limit");
  });

  it("ends what runs when it is cancelled, tells the state how far it came, and closes what is open", async () => {
    let begun = (): void => undefined;
    const enabling = new Promise<void>((resolve) => (begun = resolve));
    let closed = 0;
    const opened = await open(farm(), {
      backend: (real) => ({
        ...real,
        enableServices: () => {
          begun();
          return new Promise(() => undefined);
        },
        close: () => {
          closed += 1;
          return Promise.resolve();
        },
      }),
    });
    const { inputs } = await opened.plugin.check(mail, {}, args());
    const running = failureOf(opened.plugin.create(mail, inputs));
    await enabling;
    await opened.plugin.cancel();
    const failed = await running;
    expect(failed.message).toMatch(/^Binding "mail" on ex01\.contoso\.com: Pulumi was told to stop\./);
    expect(failed.half?.id).toBe(`${EX01}/${MAIL.facts.thumbprint}`);
    expect(closed).toBe(1);
    expect((await failureOf(opened.plugin.create(urnOf("other"), inputs))).message).toContain("told to stop");
  });
});

it("answers a cancel although what is open can't be closed", async () => {
  const opened = await open(farm(), {
    backend: (real) => ({ ...real, close: () => new Promise(() => undefined) }),
  });
  await make(opened);
  await expect(opened.plugin.cancel()).resolves.toBeDefined();
});

it("refuses in check what bindings of the program contradict each other in, on a broken server too", async () => {
  const { plugin } = await open();
  expect((await plugin.check(mail, {}, args())).failures).toEqual([]);
  const { failures } = await plugin.check(urnOf("other"), {}, args({ certificate: RENEWED_PFX }));
  expect(failures.map(({ reason }) => reason).join()).toMatch(/"mail"/);
});

describe("a server that is broken", () => {
  const broken = () => open(farm({ faults: { servicesUnknown: true } }));

  it("fails no check and no diff, which would end the whole run, but the change, and its preview", async () => {
    const opened = await broken();
    const { plugin } = opened;
    const { inputs, failures } = await plugin.check(mail, {}, args());
    expect(failures).toEqual([]);
    for (const preview of [true, false]) {
      const { message } = await failureOf(plugin.create(mail, inputs, { preview }));
      expect(message).toMatch(/^Binding "mail": ex01\.contoso\.com didn't say whether/);
    }
    expect(opened.calls).toEqual([`readSnapshot ${EX01}`]);
    const healthy = await plugin.check(urnOf("healthy"), {}, { ...args(), server: EX02 });
    expect((await plugin.create(urnOf("healthy"), healthy.inputs)).id).toContain(EX02);
  });

  it("counts as a change for what is there already", async () => {
    const opened = await open();
    const { id, inputs, outs } = await make(opened);
    await opened.break(EX01, { unreachable: true });
    const plugin = methodsOf(await startNative(opened.again().deployment));
    const checked = await plugin.check(mail, inputs, args());
    expect(checked.failures).toEqual([]);
    expect(await plugin.diff(mail, id, outs, checked.inputs)).toEqual({ changes: true, replaces: [], details: {} });
    expect((await failureOf(plugin.update(mail, id, outs, checked.inputs, { preview: true }))).message).toContain(EX01);
  });

  it("is told with the binding's name once", async () => {
    const opened = await open();
    const made = { certificate: SELF_SIGNED, services: ["IIS"] };
    const { id, inputs, outs } = await make(opened, args(made));
    const checked = await opened.plugin.check(mail, inputs, args({ ...made, services: ["IIS", "UM"] }));
    await opened.plugin.diff(mail, id, outs, checked.inputs);
    const { message } = await failureOf(opened.plugin.update(mail, id, outs, checked.inputs));
    expect(message).toMatch(/^Planning binding "mail" on ex01\.contoso\.com: /);
    expect(message.match(/"mail"/g)).toHaveLength(1);
  });

  it("is named beside the first that a preview fails for", async () => {
    const opened = await open(farm({ faults: { unreachable: true } }));
    const { plugin } = opened;
    await opened.break(EX02, { servicesUnknown: true });
    const first = await plugin.check(mail, {}, args());
    await plugin.check(urnOf("second"), {}, { ...args(), server: EX02 });
    const preview = await failureOf(plugin.create(mail, first.inputs, { preview: true }));
    expect(preview.message).toContain(`Also refused by now: ${EX02}.`);
    expect((await failureOf(plugin.create(mail, first.inputs))).message).not.toContain(EX02);
  });

  it("is no excuse for a mistake, nor for a configuration that can't be used", async () => {
    const { plugin } = await open(farm(), { environment: { EXCHANGE_ON_UNREACHABLE: "perhaps" } });
    const { failures } = await plugin.check(mail, {}, args());
    expect(failures.map(({ reason }) => reason).join()).toContain("EXCHANGE_ON_UNREACHABLE");
  });
});

describe("a state that the dynamic resource has left", () => {
  it.each([
    ["a given certificate", args()],
    ["a made one", args({ certificate: SELF_SIGNED })],
    [
      "one with names and options",
      args({ services: ["SMTP", "POP"], popCertificateName: "imap.contoso.com", onDelete: "remove" }),
    ],
  ])(
    "of %s needs no change, is read as it is, and loses the provider's code with the next change",
    async (_what, wish) => {
      const bench = openBench();
      const { id, inputs, outs } = await bench.make({ ...called("mail"), ...wish });
      const plugin = methodsOf(await startNative(bench.again().deployment));
      const checked = await plugin.check(mail, inputs, wish);
      expect(checked.failures).toEqual([]);
      expect(await plugin.diff(mail, id, outs, checked.inputs)).toMatchObject({ changes: false });
      const { props, inputs: found } = await plugin.read(mail, id, outs);
      const { __provider: _code, bindingLabel: _label, ...shown } = outs;
      expect(props).toEqual(shown);
      expect(found).toEqual(checked.inputs);
      const more = await plugin.check(mail, inputs, { ...wish, timeoutSeconds: 60 });
      const updated = await plugin.update(mail, id, outs, more.inputs);
      expect(Object.keys(updated.outs)).not.toContain("__provider");
      expect(updated.outs).toMatchObject({ bindingUrn: mail, timeoutSeconds: 60 });
    },
  );
});

describe("an import", () => {
  const wildcard = makeTestCertificate({ subject: "CN=*.contoso.com", dnsNames: ["*.contoso.com"] });
  const certificates = [
    stored(BUILT_IN, { privateKey: { networkServiceRead: true } }),
    stored(MAIL, { privateKey: { networkServiceRead: true } }),
    stored(wildcard, { privateKey: { networkServiceRead: true } }),
  ];

  it.each([
    ["the server's own", BUILT_IN, {}],
    ["one with a name of its own for POP", MAIL, { pop: { x509CertificateName: "imap.contoso.com" } }],
    ["a wildcard", wildcard, { imap: { x509CertificateName: "Mail.contoso.com" } }],
  ])("of %s plans nothing", async (_what, { facts }, more) => {
    const { plugin } = await open(farm({ certificates, ...more }));
    const id = `${EX01}/${facts.thumbprint}`;
    const { props = {}, inputs = {} } = await plugin.read(mail, id, {});
    expect(inputs).toMatchObject({ server: EX01, certificate: { thumbprint: facts.thumbprint } });
    const checked = await plugin.check(mail, inputs, inputs);
    expect(checked.failures).toEqual([]);
    expect(checked.inputs).toEqual(inputs);
    expect(await plugin.diff(mail, id, props, checked.inputs)).toMatchObject({ changes: false });
  });

  it("declares the names of IMAP and POP that Exchange wouldn't write by itself", async () => {
    const { plugin } = await open(
      farm({
        certificates,
        imap: { x509CertificateName: "mail.contoso.com" },
        pop: { x509CertificateName: "imap.contoso.com" },
      }),
    );
    const { inputs } = await plugin.read(mail, `${EX01}/${MAIL.facts.thumbprint}`, {});
    expect(inputs).toMatchObject({ services: ["IMAP", "POP", "SMTP"], popCertificateName: "imap.contoso.com" });
    expect(inputs).not.toHaveProperty("imapCertificateName");
  });

  it("refuses what no binding may have, and what holds nothing", async () => {
    const auth = makeTestCertificate({ subject: "CN=Microsoft Exchange Server Auth Certificate", dnsNames: [] });
    const web = makeTestCertificate({ subject: "CN=WMSvc-SHA2-EX01", dnsNames: [] });
    const idle = makeTestCertificate({ dnsNames: ["idle.contoso.com"] });
    const organisation = farm({ certificates: [...certificates, stored(auth), stored(web), stored(idle)] });
    const authConfig = { ...organisation.authConfig, currentCertificate: auth.facts.thumbprint };
    const { plugin } = await open({ ...organisation, authConfig });
    const reason = async (thumbprint: string): Promise<string> =>
      (await failureOf(plugin.read(mail, `${EX01}/${thumbprint}`, {}))).message;
    expect(await reason(auth.facts.thumbprint)).toMatch(/^Reading ex01.*Auth certificate/);
    expect(await reason(web.facts.thumbprint)).toContain("Web Management Service");
    expect(await reason(idle.facts.thumbprint)).toContain("it holds no service");
    expect((await failureOf(plugin.read(mail, "mail", {}))).message).toContain("An id is <server>/<thumbprint>");
    expect(await plugin.read(mail, `${EX01}/${"0".repeat(40)}`, {})).toEqual({});
  });
});

describe("a provider resource of the program's own", () => {
  const environment = { EXCHANGE_BACKEND: "remote", EXCHANGE_ENDPOINT: "https://third.example/PowerShell/" };
  const provider = "urn:pulumi:dev::shop::pulumi:providers:exchange::first";

  it("has inputs that come before the environment, which is said", async () => {
    const { plugin, deployment, lines } = await open(farm(), { environment });
    await plugin.configure(
      { backend: "simulator", simulatorFile: "first.json", servers: '["ex01.contoso.com"]' },
      provider,
    );
    expect(deployment.settings).toMatchObject({
      backend: { kind: "simulator", file: path.resolve("/program/first.json") },
      servers: [EX01],
    });
    expect(lines).toEqual([
      `Provider "first" has a configuration of its own, so the environment's EXCHANGE_BACKEND, EXCHANGE_ENDPOINT are ignored for it.`,
    ]);
  });

  it("is told from a default one by its name, as the engine gives it", async () => {
    for (const [name, isOwn] of [
      ["default_0_1_0", false],
      ["default_0_1_0_github_/api.github.com", false],
      ["default_eu", true],
    ] as const) {
      const { plugin, lines } = await open(farm(), { environment });
      await plugin.configure({ backend: "simulator" }, `urn:pulumi:dev::shop::pulumi:providers:exchange::${name}`);
      expect([name, lines.length > 0]).toEqual([name, isOwn]);
    }
  });

  it("is checked: settings that don't exist, and values that can't be used; its password is a secret", async () => {
    const { plugin } = await open();
    const misspelt = await plugin.checkConfig(provider, { endpont: "https://first.example/", version: "0.1.0" });
    expect(misspelt.failures.join()).toMatch(/^endpont isn't a setting of this provider\. Settings are backend, /);
    const wrong = await plugin.checkConfig(provider, { backend: "simulator", onUnreachable: "perhaps" });
    expect(wrong.failures.join()).toContain('it may be "fail" (the default) or "continue"');
    const unknown = await plugin.checkConfig(provider, { backend: "remote", endpoint: UNKNOWN, password: "pw" });
    expect(unknown).toEqual({ inputs: { backend: "remote", endpoint: UNKNOWN, password: secret("pw") }, failures: [] });
  });

  it("is changed in place by whatever differs, and never replaced", async () => {
    const { plugin } = await open();
    const olds = { backend: "remote", password: secret("one"), version: "0.1.0" };
    expect(await plugin.diffConfig(olds, { backend: "remote", password: secret("two"), version: "0.2.0" })).toEqual({
      changed: ["password"],
      replaces: [],
    });
    expect(await plugin.diffConfig(olds, olds)).toEqual({ changed: [], replaces: [] });
  });

  it("is what the default provider isn't: there the environment comes first", async () => {
    const { plugin, deployment, lines } = await open(farm(), { environment });
    await plugin.configure({ backend: "simulator" });
    expect(deployment.settings.backend).toMatchObject({
      kind: "remote",
      endpoint: "https://third.example/PowerShell/",
    });
    expect(lines).toEqual([]);
  });
});
