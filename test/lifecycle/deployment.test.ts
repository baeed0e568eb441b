import { readState } from "../../provider/state";
import type { StoredBinding } from "../../provider/state";
import { EX01, EX02, MAIL, RENEWED, binding, failure, farm, fqdn, openBench } from "./bench";
import { lineOf, type Line, type Phase } from "../../provider/plan/line";
import { called, identityOf } from "../identities";

const MODULE = { EXCHANGE_BACKEND: "./adapter.js" };

function storedOf(material: typeof MAIL, outputs: Readonly<Record<string, unknown>> = {}): StoredBinding {
  return readState(`${EX01}/${material.facts.thumbprint}`, { ...called("mail"), backend: "simulator", ...outputs });
}

describe("the backend of a deployment", () => {
  it("is opened once, also when it is needed at once in several places", async () => {
    let opened = 0;
    const bench = openBench(undefined, {
      backend: (real) => {
        opened += 1;
        return real;
      },
    });
    await Promise.all([EX01, EX02].map((server) => bench.deployment.snapshots.get(server, { seconds: 60 })));
    await bench.make(binding());
    expect(opened).toBe(1);
  });

  it("is tried again after it couldn't be opened", async () => {
    let tries = 0;
    const bench = openBench(undefined, {
      backend: (real) => {
        tries += 1;
        if (tries === 1) throw new Error("the session was refused");
        return real;
      },
    });
    await expect(bench.deployment.backend()).rejects.toThrow("the session was refused");
    expect((await bench.deployment.backend()).kind).toBe("simulator");
  });
});

describe("a state of another kind of backend", () => {
  it("is refused with both kinds and the way out", async () => {
    const { deployment } = openBench();
    const refused = deployment.refuseOtherBackend(storedOf(MAIL, { backend: "contoso-proxy" }));
    await expect(refused).rejects.toMatchObject({
      code: "BackendMismatch",
      message: expect.stringMatching(/"contoso-proxy", and now "simulator".*Choose the backend that made it/) as string,
    });
  });

  it("is that of an adapter of one's own by what the adapter calls itself, not by its path", async () => {
    const kind = (name: string): ReturnType<typeof openBench> =>
      openBench(undefined, { environment: MODULE, backend: (real) => ({ ...real, kind: name }) });
    const stored = storedOf(MAIL, { backend: "contoso-proxy" });
    await expect(kind("contoso-proxy").deployment.refuseOtherBackend(stored)).resolves.toBeUndefined();
    await expect(kind("other").deployment.refuseOtherBackend(stored)).rejects.toMatchObject({
      code: "BackendMismatch",
    });
  });

  it("isn't judged where no adapter may be opened, nor where no state says what made it", async () => {
    let opened = 0;
    const bench = openBench(undefined, {
      environment: MODULE,
      config: { "exchange:offline": "true" },
      backend: (real) => {
        opened += 1;
        return real;
      },
    });
    await bench.deployment.refuseOtherBackend(storedOf(MAIL, { backend: "contoso-proxy" }));
    await openBench().deployment.refuseOtherBackend(storedOf(MAIL, { backend: undefined }));
    expect(opened).toBe(0);
  });
});

describe("configuration", () => {
  it("may be given before, after or again: what was stored last counts", async () => {
    const bench = openBench(undefined, { environment: { EXCHANGE_BACKEND: "" } });
    expect(() => bench.deployment.settings).toThrow(/No backend is chosen/);
    await bench.lifecycle.configure({
      config: { get: (key) => (key === "exchange:backend" ? "simulator" : undefined) },
    });
    expect(bench.deployment.settings.backend?.kind).toBe("simulator");
    await bench.lifecycle.configure({ config: { get: () => "true" } });
    expect(() => bench.deployment.settings).toThrow();
  });

  it("that is wrong fails no configure: after that the engine's server would go on without any", async () => {
    const bench = openBench();
    await bench.lifecycle.configure({ config: { get: () => "nonsense" } });
    expect(await failure(bench.lifecycle.read(`${EX01}/${MAIL.facts.thumbprint}`, {}))).toMatchObject({
      code: "ConfigurationInvalid",
    });
  });
});

const warns = (warning: string, phase: Phase = "plan"): Line => lineOf(phase, { kind: "serverWarns", warning });

describe("lines", () => {
  it("begin with server and binding, and are said once per resource, not once per text", () => {
    const { deployment, lines } = openBench();
    deployment.sayOnce(EX01, identityOf("mail"), [warns("one"), warns("two")]);
    deployment.sayOnce(EX01, identityOf("mail"), [warns("three")]);
    deployment.sayOnce(EX01, identityOf("post"), [warns("one")]);
    deployment.sayOnce(EX02, identityOf("mail"), [warns("one")]);
    expect(lines).toEqual([
      "[ex01.contoso.com] mail: the server warns: one",
      "[ex01.contoso.com] mail: the server warns: two",
      "[ex01.contoso.com] post: the server warns: one",
      "[ex02.contoso.com] mail: the server warns: one",
    ]);
  });

  it("are said once for a plan, and once for a refresh", () => {
    const { deployment, lines } = openBench();
    for (const phase of ["refresh", "plan", "refresh"] as const) {
      deployment.sayOnce(EX01, identityOf("mail"), [warns(phase, phase)]);
    }
    expect(lines).toHaveLength(2);
  });

  it("aren't used up by having nothing to say", () => {
    const { deployment, lines } = openBench();
    deployment.sayOnce(EX01, identityOf("mail"), []);
    deployment.sayOnce(EX01, identityOf("mail"), [warns("one")]);
    expect(lines).toHaveLength(1);
  });
});

describe("what bindings know of each other", () => {
  it("is by server: claims of another server are nobody's concern", () => {
    const { deployment } = openBench();
    const claim = {
      kind: "certificate",
      server: EX01,
      binding: identityOf("mail"),
      what: "IIS",
      certificate: "AB",
    } as const;
    expect(deployment.claim(EX01, identityOf("mail"), [claim])).toEqual([]);
    expect(deployment.claim(EX02, identityOf("post"), [])).toEqual([]);
    expect(deployment.claim(EX01, identityOf("post"), [])).toEqual([claim]);
    expect(deployment.claim(EX01, identityOf("mail"), [])).toEqual([]);
    expect(deployment.claim(EX01, identityOf("post"), [])).toEqual([]);
  });

  it("tells whether the program declared a binding in this process", () => {
    const { deployment } = openBench();
    expect(deployment.wasChecked(EX01, identityOf("mail"))).toBe(false);
    deployment.claim(EX01, identityOf("mail"), []);
    expect(deployment.wasChecked(EX01, identityOf("mail"))).toBe(true);
    expect(deployment.wasChecked(EX02, identityOf("mail"))).toBe(false);
  });

  it("is which certificates the others will bring, not what a binding brings itself", () => {
    const { deployment } = openBench();
    deployment.expect(EX01, MAIL.facts, identityOf("mail"));
    expect([...deployment.planContext(EX01, identityOf("post")).expected.keys()]).toEqual([MAIL.facts.thumbprint]);
    expect(deployment.planContext(EX01, identityOf("mail")).expected.size).toBe(0);
    expect(deployment.planContext(EX02, identityOf("post")).expected.size).toBe(0);
  });
});

describe("the hand-over from diff to create", () => {
  it("is by URN, and ends with the creation", () => {
    const { deployment } = openBench();
    deployment.beginReplacement(identityOf("mail"), storedOf(MAIL));
    expect(deployment.replacementOf(identityOf("mail"))?.id).toBe(`${EX01}/${MAIL.facts.thumbprint}`);
    expect(deployment.replacementOf(identityOf("post"))).toBeUndefined();
    deployment.endReplacement(identityOf("mail"));
    expect(deployment.replacementOf(identityOf("mail"))).toBeUndefined();
  });

  it("tells the certificate that must not be taken for the new one from those before it", () => {
    const { deployment } = openBench();
    const before = { id: `${EX01}/${RENEWED.facts.thumbprint}`, thumbprint: RENEWED.facts.thumbprint, released: [] };
    deployment.beginReplacement(identityOf("mail"), storedOf(MAIL, { supersedes: [before] }));
    expect(deployment.planContext(EX01, identityOf("mail"))).toMatchObject({
      replaced: MAIL.facts.thumbprint,
      superseded: [RENEWED.facts.thumbprint],
    });
    expect(deployment.planContext(EX01, identityOf("post"))).toMatchObject({ replaced: undefined, superseded: [] });
  });
});

it("says of a server nobody knows that it isn't known, and not that it can't be reached", async () => {
  const { deployment } = openBench(undefined, { config: { "exchange:onUnreachable": "continue" } });
  await expect(deployment.look(fqdn("ex99.contoso.com"), 300)).rejects.toMatchObject({ code: "ServerUnknown" });
});

describe("what is open on servers", () => {
  /** A bench whose time stands still until it is told. */
  function idle() {
    const timers: (() => void)[] = [];
    let closed = 0;
    const bench = openBench(undefined, {
      timer: (_milliseconds, run) => {
        timers.push(run);
        return () => timers.splice(timers.indexOf(run), 1);
      },
      backend: (real) => ({
        ...real,
        close: () => {
          closed += 1;
          return Promise.resolve();
        },
      }),
    });
    return { bench, timers, closings: () => closed };
  }

  it("is closed when nothing was called for a while, and opened anew by the next call", async () => {
    const { bench, timers, closings } = idle();
    await bench.lifecycle.check({}, binding());
    expect(timers).toHaveLength(1);
    timers[0]?.();
    await new Promise(setImmediate);
    expect(closings()).toBe(1);
    await bench.lifecycle.create(await bench.checked(binding()));
    expect((await bench.state()).certificates).toHaveLength(2);
  });

  it("isn't closed below a call that is under way", async () => {
    const { bench, timers, closings } = idle();
    await bench.lifecycle.check({}, binding());
    const [late] = timers;
    await bench.deployment.busy(async () => {
      expect(timers).toHaveLength(0);
      // The timer may have run when it was to be stopped.
      late?.();
      await new Promise(setImmediate);
      expect(closings()).toBe(0);
    });
  });

  it("is closed at once when the process is told to end, and nothing is where nothing was opened", async () => {
    const { bench, closings } = idle();
    await bench.deployment.close();
    expect(closings()).toBe(0);
    await bench.lifecycle.check({}, binding());
    await bench.deployment.close();
    expect(closings()).toBe(1);
  });
});

describe("gaps of send connectors", () => {
  it("come one after the other, whatever the connectors, and beside what is done to these", async () => {
    const { deployment } = openBench();
    const events: string[] = [];
    let close = (): void => undefined;
    const first = deployment.inGap(["Outbound", "Partner"], async () => {
      events.push("first opens");
      await new Promise<void>((resolve) => (close = resolve));
      events.push("first closes");
    });
    await new Promise((resolve) => setImmediate(resolve));
    const after = (what: string) => () => {
      events.push(what);
      return Promise.resolve();
    };
    const others = [deployment.inGap(["Other"], after("second")), deployment.onConnector("partner", after("set"))];
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(["first opens"]);
    close();
    await Promise.all([first, ...others]);
    expect(events.slice(0, 2)).toEqual(["first opens", "first closes"]);
    expect(events.slice(2).sort()).toEqual(["second", "set"]);
  });

  it("are nothing that a reading shows, whether it began before, in or between them", async () => {
    let isCleared = false;
    const reads: boolean[] = [];
    let answer = (): void => undefined;
    const { deployment } = openBench(farm(), {
      backend: (real) => ({
        ...real,
        readSnapshot: async (...asked) => {
          const during = isCleared;
          if (reads.length === 0) await new Promise<void>((resolve) => (answer = resolve));
          reads.push(during || isCleared);
          return real.readSnapshot(...asked);
        },
      }),
    });
    const { signal } = new AbortController();
    const before = deployment.observe(EX01, signal);
    await new Promise((resolve) => setImmediate(resolve));
    let end = (): void => undefined;
    const gap = deployment.whileCleared(async () => {
      isCleared = true;
      await new Promise<void>((resolve) => (end = resolve));
      isCleared = false;
    });
    answer();
    const within = deployment.observe(EX01, signal);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reads.filter((one) => !one)).toEqual([]);
    end();
    await Promise.all([gap, before, within]);
    expect(reads).toEqual([true, false, false]);
  });
});
