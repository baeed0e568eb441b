import type { Backend } from "../../provider/backends/backend";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { ExchangeBindingError, messageOf } from "../../provider/errors";
import { makeTestAuthority } from "../certificate/testCertificates";
import type { Thumbprint } from "../../provider/certificate/thumbprint";
import type { Deployment } from "../../provider/lifecycle/deployment";
import { identityOf } from "../identities";
import { DEFAULT_TIMEOUT_SECONDS } from "../../provider/inputs";
import { FailedRun, dynamicFrontEnd, givenPfx, makeMiniEngine } from "../miniEngine";
import type { FrontEnd, MiniEngine, MiniEngineParts, Run } from "../miniEngine";
import { EX01, EX02, NOW, farm } from "./bench";
import { FakeTime } from "./fakeTime";

/* The moment in which a send connector names none, so that an old certificate of its issuer and subject can go. */

const authority = makeTestAuthority();
const first = givenPfx({ issuer: authority });
const second = givenPfx({ issuer: authority });
const third = givenPfx({ issuer: authority });
const other = givenPfx({ dnsNames: ["owa.contoso.com"], issuer: authority });
const NAME = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com";
const OTHER = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=owa.contoso.com";

const GAP = { onDelete: "remove", allowConnectorGap: true, connectors: { send: ["Outbound"] } } as const;
const bound = (certificate: unknown, more: object = {}) => ({
  server: EX01,
  certificate,
  services: ["IIS", "SMTP"],
  ...GAP,
  ...more,
});
const outbound = (sourceServers: readonly string[]) => ({
  name: "Outbound",
  fqdn: null,
  tlsCertificateName: null,
  sourceServers,
});

async function begin(
  sendConnectors: Organisation["sendConnectors"] = [outbound(["EX01"])],
  parts: MiniEngineParts = {},
): Promise<MiniEngine> {
  return makeMiniEngine({ ...farm(), sendConnectors }, () => NOW, parts);
}

const touch = (engine: MiniEngine, change: (organisation: Organisation) => Partial<Organisation>): Promise<void> =>
  engine.store.update((organisation) => ({
    organisation: { ...organisation, ...change(organisation) },
    result: undefined,
  }));
const namedBy = async (engine: MiniEngine): Promise<string | null | undefined> =>
  (await engine.store.read()).sendConnectors[0]?.tlsCertificateName;
const thumbprints = async (engine: MiniEngine, server = EX01): Promise<readonly string[]> =>
  (await engine.observe(server)).certificates.map(({ facts }) => facts.thumbprint);
const said = (run: Run | FailedRun, text: string): readonly string[] => run.lines.filter((line) => line.includes(text));

/** A backend that writes down what is done to connectors and removed, and does something else for some calls. */
function watching(calls: string[], changes: Partial<Backend> = {}): (backend: Backend) => Backend {
  return (backend) => ({
    ...backend,
    setSendConnectorCertificate: (server, connector, name, options) => {
      calls.push(`${connector}: ${name ?? "none"}`);
      return (changes.setSendConnectorCertificate ?? backend.setSendConnectorCertificate)(
        server,
        connector,
        name,
        options,
      );
    },
    removeCertificate: (server, thumbprint, options) => {
      calls.push(`remove ${thumbprint}`);
      return (changes.removeCertificate ?? backend.removeCertificate)(server, thumbprint, options);
    },
  });
}

/** Refuses the first removals. */
const refusing = (
  { backend }: MiniEngine,
  times: number,
): Pick<Backend, "removeCertificate"> & { readonly tries: () => number } => {
  let tries = 0;
  return {
    tries: () => tries,
    removeCertificate: (...call) => {
      tries += 1;
      return tries <= times
        ? Promise.reject(new ExchangeBindingError("RemovalRefused", "Outbound names it."))
        : backend.removeCertificate(...call);
    },
  };
};

describe("an old certificate whose issuer and subject a send connector names", () => {
  it("goes in a gap at the end of its replacement, which the preview announces, and then there is nothing to do", async () => {
    const engine = await begin();
    await engine.up({ mail: bound(first.source) });
    expect(await namedBy(engine)).toBe(NAME);
    const preview = await engine.preview({ mail: bound(second.source) });
    expect(
      said(preview, 'for that moment the name of send connector "Outbound" is cleared and then set again'),
    ).toEqual([
      expect.stringContaining("mail sent then goes out without this certificate, and Microsoft 365 may refuse it"),
    ]);
    const calls: string[] = [];
    const up = await engine.up({ mail: bound(second.source) }, watching(calls));
    expect(calls).toEqual(["Outbound: none", `remove ${first.thumbprint}`, `Outbound: ${NAME}`]);
    expect(said(up, 'the name of send connector "Outbound" was cleared, and is set again')).toHaveLength(1);
    expect(await thumbprints(engine)).not.toContain(first.thumbprint);
    expect(await namedBy(engine)).toBe(NAME);
    expect((await engine.up({ mail: bound(second.source) })).done).toEqual({ mail: "same" });
  });

  it("goes with all others that wait for it in one gap, once the program allows one", async () => {
    const engine = await begin();
    for (const one of [first, second, third])
      await engine.up({ mail: bound(one.source, { allowConnectorGap: false }) });
    expect(await thumbprints(engine)).toEqual(expect.arrayContaining([first.thumbprint, second.thumbprint]));
    expect((await engine.preview({ mail: bound(third.source) })).done).toEqual({ mail: "update" });
    const calls: string[] = [];
    await engine.up({ mail: bound(third.source) }, watching(calls));
    const removed = [`remove ${first.thumbprint}`, `remove ${second.thumbprint}`];
    expect(calls).toEqual(["Outbound: none", ...removed, `Outbound: ${NAME}`]);
    expect(engine.outputs("mail")["supersedes"]).toEqual([]);
    expect((await engine.up({ mail: bound(third.source) })).done).toEqual({ mail: "same" });
  });

  it("of two servers goes on each once both have the new one", async () => {
    const engine = await begin([outbound(["EX01", "EX02"])]);
    const both = (certificate: unknown) => ({
      one: bound(certificate, { services: ["SMTP"] }),
      two: bound(certificate, { server: EX02, services: ["SMTP"] }),
    });
    await engine.up(both(first.source));
    await engine.up(both(second.source));
    expect([await thumbprints(engine), await thumbprints(engine, EX02)].flat()).not.toContain(first.thumbprint);
    expect(await namedBy(engine)).toBe(NAME);
    expect((await engine.up(both(second.source))).done).toEqual({ one: "same", two: "same" });
  });

  it.each<[string, Organisation["sendConnectors"], RegExp]>([
    [
      "a connector that the binding doesn't declare names it too",
      [outbound(["EX01"]), { ...outbound(["EX01"]), name: "Partner", tlsCertificateName: NAME }],
      /there is no gap for it, because "Partner" isn't a connector that this binding has set and still declares/,
    ],
    [
      "a source server has no other one",
      [{ ...outbound(["EX01", "EX02"]), tlsCertificateName: NAME }],
      /of the source servers of "Outbound" EX02 has no other valid certificate of that issuer and subject with SMTP/,
    ],
    [
      "a source server can't be read",
      [{ ...outbound(["EX01", "EX09"]), tlsCertificateName: NAME }],
      /of the source servers of "Outbound" EX09 couldn't be read/,
    ],
  ])("stays, and nothing is cleared, where %s", async (_why, sendConnectors, reason) => {
    const engine = await begin(sendConnectors);
    await engine.up({ mail: bound(first.source) });
    const calls: string[] = [];
    const up = await engine.up({ mail: bound(second.source) }, watching(calls));
    expect(calls).toEqual([]);
    expect(said(up, "there is no gap for it").join()).toMatch(reason);
    expect(await thumbprints(engine)).toContain(first.thumbprint);
    const again = await engine.up({ mail: bound(second.source) });
    expect([again.done, said(again, "there is no gap for it").length]).toEqual([{ mail: "same" }, 1]);
  });
});

describe("in a gap", () => {
  it("a refusal of the directory, which doesn't know yet, is tried again", async () => {
    const engine = await begin();
    await engine.up({ mail: bound(first.source) });
    const calls: string[] = [];
    const slow = refusing(engine, 2);
    await engine.up({ mail: bound(second.source) }, watching(calls, slow));
    expect(slow.tries()).toBe(3);
    expect([calls[0], calls.at(-1)]).toEqual(["Outbound: none", `Outbound: ${NAME}`]);
  });

  it("one that doesn't end sets the name again, keeps the certificate and fails nobody", async () => {
    const engine = await begin();
    await engine.up({ mail: bound(first.source) });
    const calls: string[] = [];
    const up = await engine.up(
      { mail: bound(second.source) },
      watching(calls, refusing(engine, Number.POSITIVE_INFINITY)),
    );
    expect(said(up, "stays, because Exchange doesn't let it go; the next run tries again")).toHaveLength(1);
    expect(said(up, "removed ")).toEqual([]);
    expect(await namedBy(engine)).toBe(NAME);
    expect(engine.outputs("mail")["supersedes"]).toHaveLength(1);
    await engine.up({ mail: bound(second.source) });
    expect(await thumbprints(engine)).not.toContain(first.thumbprint);
  });

  it("another failure sets the name again, too", async () => {
    const engine = await begin();
    await engine.up({ mail: bound(first.source) });
    const lost = { removeCertificate: () => Promise.reject(new ExchangeBindingError("ServerUnreachable", "Gone.")) };
    await expect(engine.up({ mail: bound(second.source) }, watching([], lost))).rejects.toThrow(FailedRun);
    expect(await namedBy(engine)).toBe(NAME);
  });

  it("many that Exchange doesn't let go keep it no longer than one", async () => {
    const engine = await begin();
    for (const one of [first, second, third])
      await engine.up({ mail: bound(one.source, { allowConnectorGap: false }) });
    const alone = await begin();
    for (const one of [second, third]) await alone.up({ mail: bound(one.source, { allowConnectorGap: false }) });
    const tries = async (of: MiniEngine): Promise<number> => {
      const never = refusing(of, Number.POSITIVE_INFINITY);
      await of.up({ mail: bound(third.source) }, watching([], never));
      return never.tries();
    };
    expect(await tries(engine)).toBe((await tries(alone)) + 1);
    expect(engine.outputs("mail")["supersedes"]).toHaveLength(2);
  });

  it("a name that can't be set again is an error that says how, and the next run sets it before anything else", async () => {
    const engine = await begin();
    await engine.up({ mail: bound(first.source) });
    let isCleared = false;
    const broken: Partial<Backend> = {
      setSendConnectorCertificate: async (server, connector, name, options) => {
        if (isCleared) throw new ExchangeBindingError("ServerUnreachable", "The line is dead.");
        isCleared = true;
        await engine.backend.setSendConnectorCertificate(server, connector, name, options);
      },
    };
    const failed: unknown = await engine
      .up({ mail: bound(second.source) }, watching([], broken))
      .catch((e: unknown) => e);
    expect(failed).toMatchObject({
      failures: [
        expect.stringMatching(
          /^Send connector "Outbound" names no certificate: .* The line is dead\. .*Or by hand: Set-SendConnector 'Outbound' -TlsCertificateName '<I>/,
        ),
      ],
    });
    expect(await namedBy(engine)).toBeNull();
    // Whatever else it does: this one moves to another certificate.
    const calls: string[] = [];
    const next = await engine.up({ mail: bound(other.source) }, watching(calls));
    expect(calls.slice(0, 2)).toEqual([`Outbound: ${NAME}`, `Outbound: ${OTHER}`]);
    expect(said(next, 'send connector "Outbound" names no certificate: it hasn\'t been set before')).toHaveLength(1);
    expect((await engine.up({ mail: bound(other.source) })).done).toEqual({ mail: "same" });
  });
});

it("says of a name that couldn't be cleared no more than is known, and of one that it hasn't come to nothing", async () => {
  const engine = await begin([outbound(["EX01"]), { ...outbound(["EX01"]), name: "Partner" }]);
  const both = { connectors: { send: ["Outbound", "Partner"] } };
  await engine.up({ mail: bound(first.source, both) });
  const calls: string[] = [];
  const broken: Partial<Backend> = {
    setSendConnectorCertificate: () =>
      Promise.reject(new ExchangeBindingError("ServerUnreachable", "The line is dead.")),
  };
  const failed: unknown = await engine
    .up({ mail: bound(second.source, both) }, watching(calls, broken))
    .catch((e: unknown) => e);
  expect(failed).toMatchObject({
    failures: [expect.stringMatching(/^Send connector "Outbound" may name no certificate: clearing its name .*failed/)],
  });
  expect(calls.filter((call) => call.startsWith("Partner"))).toEqual([]);
  expect(await namedBy(engine)).toBe(NAME);
});

it("sets an empty name first also where the binding is taken out, and then refuses the removal", async () => {
  const engine = await begin();
  await engine.up({ mail: bound(first.source, { services: ["SMTP"] }) });
  await touch(engine, ({ sendConnectors }) => ({
    sendConnectors: sendConnectors.map((one) => ({ ...one, tlsCertificateName: null })),
  }));
  const refusal: unknown = await engine.up({}).catch((error: unknown) => error);
  expect(messageOf(refusal)).toMatch(/send connector "Outbound" names, so Exchange doesn't let it go/);
  expect(messageOf(refusal)).not.toContain("Nothing was changed");
  expect(await namedBy(engine)).toBe(NAME);
});

it("sets an empty name first also where the change fails and goes back, and leaves it set", async () => {
  const engine = await begin();
  await engine.up({ mail: bound(first.source) });
  await touch(engine, ({ sendConnectors }) => ({
    sendConnectors: sendConnectors.map((one) => ({ ...one, tlsCertificateName: null })),
  }));
  const more = { services: ["IIS", "POP", "SMTP"], popCertificateName: "mail.contoso.com", onFailure: "rollback" };
  const broken = (backend: Backend): Backend => ({
    ...backend,
    enableServices: () => Promise.reject(new ExchangeBindingError("CmdletFailed", "The fault of the test.")),
    setCertificateName: () => Promise.reject(new ExchangeBindingError("CmdletFailed", "The fault of the test.")),
  });
  await expect(engine.up({ mail: bound(first.source, more) }, broken)).rejects.toThrow(/The fault of the test.*roll/s);
  expect(await namedBy(engine)).toBe(NAME);
});

describe("whoever waits for the gaps of others", () => {
  /** One binding with an old certificate; what happens when it comes for its gap is the test's. */
  async function waiting(
    meanwhile: (engine: MiniEngine, block: () => void, deployment: Deployment) => unknown,
  ): Promise<MiniEngine> {
    const hook: { comes?: (block: () => void, deployment: Deployment) => unknown } = {};
    const frontEnd: FrontEnd = (deployment) => {
      const inGap = deployment.inGap.bind(deployment);
      deployment.inGap = async (connectors, job) => {
        await hook.comes?.(() => void inGap([], () => new Promise(() => undefined)), deployment);
        return inGap(connectors, job);
      };
      if (hook.comes !== undefined) Object.assign(deployment.env, { limitTimer: time.timer });
      return dynamicFrontEnd(deployment);
    };
    const engine = await begin(undefined, { frontEnd });
    for (const one of [first, second]) await engine.up({ mail: bound(one.source, { allowConnectorGap: false }) });
    hook.comes = (block, deployment) => meanwhile(engine, block, deployment);
    return engine;
  }
  let time = new FakeTime();
  beforeEach(() => (time = new FakeTime()));

  it("removes nothing that has got a use by then, and clears nothing for it", async () => {
    const engine = await waiting((of) =>
      touch(of, ({ servers }) => {
        const ex01 = servers[EX01] as Organisation["servers"][string];
        return {
          servers: { ...servers, [EX01]: { ...ex01, iis: { ...ex01.iis, backEnd: first.thumbprint } } },
        };
      }),
    );
    const calls: string[] = [];
    const up = await engine.up({ mail: bound(second.source) }, watching(calls));
    expect(calls).toEqual([]);
    expect(up.lines.join("\n")).toMatch(/is bound to the back end of IIS/);
    expect(engine.outputs("mail")["supersedes"]).toHaveLength(1);
  });

  it("as a delete says who has declared the certificate by then", async () => {
    // The first gap is that of the one before.
    let gaps = 0;
    const engine = await waiting((_of, _block, { declarations }) => {
      gaps += 1;
      if (gaps === 2) declarations.declare(EX01, second.thumbprint as Thumbprint, identityOf("late"));
    });
    const calls: string[] = [];
    const up = await engine.up({ mail: bound(third.source, { removeAfterDays: 0 }) }, watching(calls));
    expect(calls.filter((call) => call.includes(second.thumbprint))).toEqual([]);
    expect(said(up, '"late"').join()).toMatch(/declare/);
  });

  it("in vain has done all else, keeps the old certificate, says why, and comes again in the next run", async () => {
    const engine = await waiting((_of, block) => {
      block();
      setImmediate(() => {
        time.pass(DEFAULT_TIMEOUT_SECONDS * 1000);
      });
    });
    const calls: string[] = [];
    const more = { services: ["IIS", "POP", "SMTP"], popCertificateName: "mail.contoso.com" };
    const up = await engine.up({ mail: bound(second.source, more) }, watching(calls));
    expect(calls).toEqual([]);
    expect(said(up, "there was no gap for it within the time limit, because other gaps came first")).toHaveLength(1);
    expect(engine.outputs("mail")).toMatchObject({ heldServices: ["IIS", "POP", "SMTP"], supersedes: [{}] });
  });
});

it("tells with a refusal that a connector names nothing, which the refused run would have mended first", async () => {
  const engine = await begin();
  await engine.up({ mail: bound(first.source) });
  await touch(engine, ({ sendConnectors }) => ({
    sendConnectors: sendConnectors.map((one) => ({ ...one, tlsCertificateName: null })),
  }));
  const without = bound(first.source, { services: ["SMTP"], onServiceRemoved: "replace" });
  await expect(engine.preview({ mail: without })).rejects.toThrow(
    'send connector "Outbound" names no certificate, which the next run would mend first',
  );
});
