import type { Backend } from "../../provider/backends/backend";
import { ExchangeBindingError } from "../../provider/errors";
import { stored } from "../backends/simulator/lab";
import {
  BUILT_IN,
  EX01,
  EX02,
  MAIL,
  MAIL_PFX,
  PASSWORD,
  PROVIDER,
  RENEWED,
  RENEWED_PFX,
  SELF_SIGNED,
  binding,
  failure,
  farm,
  openBench,
  type Bag,
  type Bench,
  type Made,
} from "./bench";
import { called } from "../identities";

/** A farm on which the certificate is there already: no import, no packing. */
function withMail(): ReturnType<typeof farm> {
  return farm({
    certificates: [stored(BUILT_IN, { privateKey: { networkServiceRead: true } }), stored(MAIL), stored(RENEWED)],
  });
}

const byThumbprint = { thumbprint: MAIL.facts.thumbprint };

/** Checks, compares and carries out what diff decides, as the engine does in one `up`. */
async function up(bench: Bench, made: Made, news: Bag): Promise<Made & { readonly replaced: boolean }> {
  const inputs = await bench.checked(news, made.inputs);
  const { changes, replaces = [] } = await bench.lifecycle.diff(made.id, made.outs, inputs);
  if (!changes) throw new Error("nothing is to be done");
  if (replaces.length === 0) {
    const { outs } = await bench.lifecycle.update(made.id, made.outs, inputs);
    return { id: made.id, inputs, outs: { ...outs, __provider: PROVIDER }, replaced: false };
  }
  const again = await bench.checked(news);
  const { id, outs } = await bench.lifecycle.create(again);
  await bench.lifecycle.delete(made.id, made.outs);
  return { id, inputs: again, outs: { ...outs, __provider: PROVIDER }, replaced: true };
}

/** What a program finds in no message, line or failure. */
function expectNoSecret(text: string): void {
  for (const secret of [PASSWORD, MAIL_PFX.pfx.slice(100, 140), RENEWED_PFX.pfx.slice(100, 140)]) {
    expect(text).not.toContain(secret);
  }
}

describe("making a binding", () => {
  it("gives id and outputs of the contract", async () => {
    const bench = openBench();
    const { id, inputs, outs } = await bench.make(binding({ services: ["IIS", "SMTP"] }));
    expect(id).toBe(`${EX01}/${MAIL.facts.thumbprint}`);
    const { __provider: _text, ...given } = inputs;
    expect(outs).toMatchObject({
      ...given,
      thumbprint: MAIL.facts.thumbprint,
      subject: MAIL.facts.subject,
      heldServices: ["IIS", "SMTP"],
      displayedServices: ["IIS", "SMTP"],
      isDefaultSmtpCertificate: false,
      status: "Valid",
      exchangeVersion: "15.2.1748.10",
      takenOver: [{ service: "IIS", fromThumbprint: BUILT_IN.facts.thumbprint }],
      staysBehind: [],
      supersedes: [],
      backend: "simulator",
      stateVersion: 1,
    });
    expect(JSON.parse(JSON.stringify(outs))).toEqual(outs);
  });

  it("says what is still to do, and keeps it in the outputs", async () => {
    const bench = openBench(withMail());
    const { outs } = await bench.make(binding({ certificate: byThumbprint, services: ["IMAP"] }));
    expect(outs["followUps"]).toEqual(["IMAP: restart the services MSExchangeIMAP4 and MSExchangeIMAP4BE."]);
    expect(outs["followUpTasks"]).toEqual([
      {
        kind: "restartServices",
        service: "IMAP",
        windowsServices: ["MSExchangeIMAP4", "MSExchangeIMAP4BE"],
        since: "2026-11-23",
      },
    ]);
    expect(bench.lines.at(-1)).toBe(
      "[ex01.contoso.com] mail: still to do: IMAP: restart the services MSExchangeIMAP4 and MSExchangeIMAP4BE.",
    );
  });

  it("takes what is there already, and calls nothing that isn't needed", async () => {
    const bench = openBench(withMail());
    await bench.make(binding({ services: ["SMTP"] }));
    expect(bench.calls.filter((call) => !call.startsWith("readSnapshot"))).toEqual([`enableServices ${EX01} SMTP`]);
    const again = bench.again();
    await again.make(binding({ ...called("again"), services: ["SMTP"] }));
    expect(again.calls.filter((call) => !call.startsWith("readSnapshot"))).toEqual([]);
  });

  it("renews what the deployment knows of the server", async () => {
    const bench = openBench(withMail());
    await bench.make(binding({ certificate: byThumbprint, services: ["IIS"] }));
    bench.calls.length = 0;
    await bench.checked(binding({ ...called("post"), certificate: { thumbprint: RENEWED.facts.thumbprint } }));
    expect(bench.calls).toEqual([]);
    expect(bench.deployment.snapshots.last(EX01)).toMatchObject({
      certificates: expect.arrayContaining([
        expect.objectContaining({ facts: MAIL.facts, iisSites: { kind: "known", value: [1] } }) as object,
      ]) as object,
    });
  });

  it("finds its own certificate again after a run that was killed behind the import", async () => {
    const bench = openBench();
    const inputs = await bench.checked(binding({ certificate: SELF_SIGNED }));
    let end = (_reason: Error): void => undefined;
    const hanging = new Promise<never>((_resolve, reject) => (end = reject));
    const killed = bench.again({ backend: (real): Backend => ({ ...real, enableServices: () => hanging }) });
    const unheard = failure(killed.lifecycle.create(inputs));
    while ((await bench.state()).certificates.length < 2) await new Promise((resolve) => setImmediate(resolve));

    const next = bench.again();
    const made = await next.make(binding({ certificate: SELF_SIGNED }));
    expect((await bench.state()).certificates).toHaveLength(2);
    expect(made.outs).toMatchObject({ heldServices: ["SMTP"] });
    expect(next.lines.join("\n")).toContain("which this binding made before");
    end(new Error("the end of the test"));
    await unheard;
  });
});

describe("changing a binding", () => {
  it("enables only what is missing", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding({ certificate: byThumbprint }));
    const next = bench.again();
    const { outs } = await up(next, made, binding({ certificate: byThumbprint, services: ["IMAP", "SMTP"] }));
    expect(next.calls.filter((call) => !call.startsWith("readSnapshot"))).toEqual([`enableServices ${EX01} IMAP`]);
    expect(outs).toMatchObject({ services: ["IMAP", "SMTP"], heldServices: ["IMAP", "SMTP"] });
  });

  it("calls nothing where only the state has to learn of it", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding({ certificate: byThumbprint }));
    const next = bench.again();
    const { outs } = await up(next, made, binding({ certificate: byThumbprint, timeoutSeconds: 77 }));
    expect(outs).toMatchObject({ timeoutSeconds: 77, followUpTasks: made.outs["followUpTasks"] });
    expect(outs["followUps"]).toEqual([expect.stringMatching(/^since 2026-11-23, if not done yet: SMTP: /)]);
    expect(next.calls.every((call) => call.startsWith("readSnapshot"))).toBe(true);
  });

  it("hands a service that is no longer declared to the successor", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding({ certificate: byThumbprint, services: ["IIS", "SMTP"] }));
    const successor = RENEWED.facts.thumbprint;
    const { outs } = await up(bench.again(), made, binding({ certificate: byThumbprint, successor }));
    expect(outs).toMatchObject({ services: ["SMTP"], heldServices: ["SMTP"] });
    expect((await bench.state()).iis.frontEnd).toBe(successor);
  });

  it("is in its queue: two changes of one server never overlap", async () => {
    const events: string[] = [];
    const bench = openBench(withMail(), {
      backend: (real): Backend => ({
        ...real,
        enableServices: async (server, request, options) => {
          events.push(`begin ${request.thumbprint}`);
          await new Promise((resolve) => setImmediate(resolve));
          const result = await real.enableServices(server, request, options);
          events.push(`end ${request.thumbprint}`);
          return result;
        },
      }),
    });
    const [one, two] = [MAIL, RENEWED].map(({ facts }) => facts.thumbprint);
    const inputs = await Promise.all([
      bench.checked(binding({ certificate: { thumbprint: one } })),
      bench.checked(binding({ ...called("post"), certificate: { thumbprint: two } })),
    ]);
    await Promise.all(inputs.map((each) => bench.lifecycle.create(each)));
    expect(events).toEqual([`begin ${one ?? ""}`, `end ${one ?? ""}`, `begin ${two ?? ""}`, `end ${two ?? ""}`]);
  });
});

describe("replacing a binding", () => {
  const both = { certificate: { thumbprint: RENEWED.facts.thumbprint } };

  it("keeps on record what was replaced, what was released and what stays behind", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding({ certificate: byThumbprint, services: ["IIS", "SMTP"] }));
    const next = bench.again();
    const { id, outs, replaced } = await up(next, made, binding(both));
    expect(replaced).toBe(true);
    expect(id).toBe(`${EX01}/${RENEWED.facts.thumbprint}`);
    expect(outs).toMatchObject({
      supersedes: [{ id: made.id, thumbprint: MAIL.facts.thumbprint, released: ["IIS"] }],
      staysBehind: [{ service: "IIS", thumbprint: MAIL.facts.thumbprint }],
    });
    expect(next.lines.join("\n")).toContain(`IIS is NOT released: it stays on ${MAIL.facts.thumbprint.slice(0, 8)}`);
    expect(next.lines.at(-1)).toContain(
      `certificate ${MAIL.facts.thumbprint} stays on ${EX01} as it is: it still holds IIS`,
    );
  });

  it("leaves nothing behind where the new certificate takes everything, and is then no change", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding({ certificate: byThumbprint, services: ["IIS", "SMTP"] }));
    const program = binding({ ...both, services: ["IIS", "SMTP"] });
    const { outs, id, inputs } = await up(bench.again(), made, program);
    expect(outs).toMatchObject({ staysBehind: [], supersedes: [{ released: [] }] });
    const next = bench.again();
    const checked = await next.checked(program, inputs);
    expect(await next.lifecycle.diff(id, outs, checked)).toEqual({ changes: false });
  });

  it("is decided by the changed program: its onDelete is what the new outputs say", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding({ certificate: byThumbprint }));
    const { outs } = await up(bench.again(), made, binding({ ...both, onDelete: "retain" }));
    expect(made.outs).not.toHaveProperty("onDelete");
    expect(outs["onDelete"]).toBe("retain");
    expect((await bench.state()).certificates).toHaveLength(3);
  });

  it("isn't taken for one where nothing was compared before: a new binding has replaced nobody", async () => {
    const bench = openBench(withMail());
    const { outs } = await bench.make(binding(both));
    expect(outs["supersedes"]).toEqual([]);
  });

  it("goes to another server without looking for the old certificate there", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding());
    const { outs, id } = await up(bench.again(), made, binding({ server: EX02 }));
    expect(id).toBe(`${EX02}/${MAIL.facts.thumbprint}`);
    expect(outs).toMatchObject({ supersedes: [{ id: made.id }], staysBehind: [] });
  });
});

describe("a change that fails", () => {
  it("after the first effect carries id, complete properties and the provider's text", async () => {
    const bench = openBench();
    await bench.break(EX01, { enableFailsAfter: "SMTP" });
    const inputs = await bench.checked(binding({ services: ["IIS", "SMTP"] }));
    const error = await failure(bench.lifecycle.create(inputs));
    expect(error).toMatchObject({ code: "CmdletFailed", id: `${EX01}/${MAIL.facts.thumbprint}` });
    expect(error.reasons).toEqual([error.message]);
    expect(error.message).toMatch(
      /^Binding "mail" on ex01\.contoso\.com: .*\. The state remembers how far it came; run again to continue\.$/s,
    );
    expect(error.properties).toMatchObject({
      ...inputs,
      __provider: PROVIDER,
      heldServices: ["SMTP"],
      backend: "simulator",
      stateVersion: 1,
    });

    await bench.break(EX01, {});
    const next = bench.again();
    const { outs } = await next.lifecycle.update(error.id ?? "", error.properties ?? {}, inputs);
    expect(outs).toMatchObject({ heldServices: ["IIS", "SMTP"] });
    expect(next.calls).not.toContain(`importCertificate ${EX01}`);
  });

  it("before it carries none: the state stays as it was", async () => {
    const bench = openBench();
    const inputs = await bench.checked(binding());
    await bench.break(EX01, { unreachable: true });
    const error = await failure(bench.lifecycle.create(inputs));
    expect(error).toMatchObject({ code: "ServerUnreachable", id: undefined, properties: undefined });
  });

  it("and was put back and verified carries none either", async () => {
    const revoking =
      (bench: Bench) =>
      (real: Backend): Backend => ({
        ...real,
        importCertificate: async (...args) => {
          const outcome = await real.importCertificate(...args);
          await bench.touch(EX01, ({ certificates }) => ({
            certificates: certificates.map((one, at) => (at === 0 ? one : { ...one, status: "Revoked" as const })),
          }));
          return outcome;
        },
      });
    const bench = openBench();
    const before = await bench.store.read();
    const next = bench.again({ backend: revoking(bench) });
    const error = await failure(next.lifecycle.create(await next.checked(binding())));
    expect(error).toMatchObject({ code: "Refused", id: undefined });
    expect(error.message).toContain("The import was taken back");
    expect(await bench.store.read()).toEqual(before);
  });

  it("is read anew by the next binding of the deployment", async () => {
    const bench = openBench(withMail());
    await bench.break(EX01, { enableFailsAfter: "SMTP" });
    const inputs = await bench.checked(binding({ certificate: byThumbprint, services: ["IIS", "SMTP"] }));
    await failure(bench.lifecycle.create(inputs));
    const known = await bench.deployment.snapshots.get(EX01, { seconds: 60 });
    expect(known.certificates.find(({ facts }) => facts.thumbprint === MAIL.facts.thumbprint)).toMatchObject({
      displayedServices: { value: ["SMTP"] },
    });
  });

  it("never tells a secret: neither in the error, nor in a line", async () => {
    for (const method of ["importCertificate", "enableServices"] as const) {
      const bench = openBench(undefined, {
        backend: (real): Backend => ({
          ...real,
          [method]: () => Promise.reject(new ExchangeBindingError("CmdletFailed", "It broke")),
        }),
      });
      const error = await failure(bench.lifecycle.create(await bench.checked(binding())));
      expectNoSecret([error.message, error.stack, String(error), ...bench.lines].join("\n"));
    }
  });
});

describe("a server that somebody has changed since the plan was shown", () => {
  it("isn't touched when the change would take more than was shown", async () => {
    const bench = openBench(withMail());
    const inputs = await bench.checked(binding({ certificate: byThumbprint, services: ["IIS"] }));
    await bench.touch(EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: RENEWED.facts.thumbprint } }));
    const before = await bench.store.read();
    const error = await failure(bench.lifecycle.create(inputs));
    expect(error).toMatchObject({ code: "ServerChanged", id: undefined });
    expect(error.message).toContain(`IIS is held by ${RENEWED.facts.thumbprint}`);
    expect(error.message).toMatch(/Nothing was changed\. Run a preview/);
    expect(await bench.store.read()).toBe(before);
  });

  it("isn't touched when the default SMTP certificate is another one now", async () => {
    const bench = openBench(withMail());
    const inputs = await bench.checked(binding({ certificate: byThumbprint }));
    const { der } = RENEWED;
    await bench.touch(EX01, () => ({
      internalTransportCertificate: { thumbprint: RENEWED.facts.thumbprint, der: Buffer.from(der).toString("base64") },
    }));
    expect(await failure(bench.lifecycle.create(inputs))).toMatchObject({ code: "ServerChanged" });
  });

  it("is changed where there is merely less to do", async () => {
    const bench = openBench(withMail());
    const inputs = await bench.checked(binding({ certificate: byThumbprint, services: ["IIS", "SMTP"] }));
    await bench.touch(EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: MAIL.facts.thumbprint } }));
    const { outs } = await bench.lifecycle.create(inputs);
    expect(outs["heldServices"]).toEqual(["IIS", "SMTP"]);
    expect(bench.calls.filter((call) => call.startsWith("enable"))).toEqual([`enableServices ${EX01} SMTP`]);
  });

  it("refuses what the server no longer allows, and says that nothing was changed", async () => {
    const bench = openBench(withMail());
    const inputs = await bench.checked(binding({ certificate: byThumbprint }));
    await bench.touch(EX01, ({ certificates }) => ({ certificates: certificates.slice(0, 1) }));
    const error = await failure(bench.lifecycle.create(inputs));
    expect(error).toMatchObject({ code: "Refused", id: undefined });
    expect(error.message).toMatch(/isn't on ex01\.contoso\.com.*Nothing was changed\.$/s);
  });

  it("can't be changed in place when a made certificate has gone meanwhile", async () => {
    const bench = openBench();
    const made = await bench.make(binding({ certificate: SELF_SIGNED }));
    const next = bench.again();
    const inputs = await next.checked(binding({ certificate: SELF_SIGNED, services: ["IIS", "SMTP"] }), made.inputs);
    expect(await next.lifecycle.diff(made.id, made.outs, inputs)).toEqual({ changes: true });
    await bench.touch(EX01, ({ certificates }) => ({ certificates: certificates.slice(0, 1) }));
    const error = await failure(next.lifecycle.update(made.id, made.outs, inputs));
    expect(error).toMatchObject({ code: "ServerChanged", id: undefined });
    expect((await bench.state()).certificates).toHaveLength(1);
  });

  it("isn't touched when another server answers for it", async () => {
    const bench = openBench(withMail());
    const inputs = await bench.checked(binding({ certificate: byThumbprint }));
    await bench.break(EX01, { answersAs: EX02 });
    expect(await failure(bench.lifecycle.create(inputs))).toMatchObject({ code: "ServerMismatch", id: undefined });
  });
});

describe("a change that isn't allowed", () => {
  it("is one while exchange:offline is set", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding());
    const offline = bench.again({ config: { "exchange:offline": "true" } });
    for (const change of [
      offline.lifecycle.create(made.inputs),
      offline.lifecycle.update(made.id, made.outs, { ...made.inputs, timeoutSeconds: 1 }),
    ]) {
      expect(await failure(change)).toMatchObject({ code: "Offline", id: undefined });
    }
    expect(offline.calls).toEqual([]);
  });

  it("is one through another kind of backend than made it", async () => {
    const bench = openBench(withMail());
    const made = await bench.make(binding());
    const next = bench.again();
    const update = next.lifecycle.update(made.id, { ...made.outs, backend: "remote" }, made.inputs);
    expect(await failure(update)).toMatchObject({ code: "BackendMismatch" });
    expect(next.calls).toEqual([]);
  });

  it("is one with inputs that can't be read any more", async () => {
    const inputs = binding({ certificate: { pfxFile: "mail.pfx" } });
    const error = await failure(openBench().lifecycle.create(inputs));
    expect(error).toMatchObject({ code: "Refused", id: undefined });
    expect(error.message).toMatch(/^Changing binding "mail": certificate: the file "mail\.pfx"/);
  });
});

describe("a backend that never answers", () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick"] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const never = (): Promise<never> => new Promise(() => undefined);

  it("ends in a time limit of our own, told once, with the id when something may have been done", async () => {
    const bench = openBench(withMail(), { backend: (real): Backend => ({ ...real, enableServices: never }) });
    const inputs = await bench.checked(binding({ certificate: byThumbprint, timeoutSeconds: 5 }));
    const ended = failure(bench.lifecycle.create(inputs));
    await jest.advanceTimersByTimeAsync(10_000);
    const error = await ended;
    expect(error).toMatchObject({ code: "TimedOut", id: `${EX01}/${MAIL.facts.thumbprint}` });
    expect(error.message).toMatch(/^Binding "mail" on ex01\.contoso\.com: no end after 5 seconds\./);
    expect(error.properties).toMatchObject({ __provider: PROVIDER, thumbprint: MAIL.facts.thumbprint });
  });

  it("doesn't hold up the next change of the server for ever", async () => {
    let silent = true;
    const bench = openBench(withMail(), {
      backend: (real): Backend => ({
        ...real,
        readSnapshot: (...args) => (silent ? never() : real.readSnapshot(...args)),
      }),
    });
    const inputs = { ...binding({ certificate: byThumbprint, timeoutSeconds: 5 }), __provider: PROVIDER };
    const first = failure(bench.lifecycle.create(inputs));
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await first).toMatchObject({ code: "TimedOut", id: undefined });
    silent = false;
    expect((await bench.lifecycle.create(inputs)).outs).toMatchObject({ heldServices: ["SMTP"] });
  });
});
