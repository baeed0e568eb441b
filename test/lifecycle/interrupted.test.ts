import type { Backend } from "../../provider/backends/backend";
import { ExchangeBindingError } from "../../provider/errors";
import type { StoredCertificate } from "../../provider/backends/simulator/organisation";
import { stored } from "../backends/simulator/lab";
import { makeTestCertificate } from "../certificate/testCertificates";
import {
  BUILT_IN,
  EX01,
  MAIL,
  MAIL_PFX,
  NOW,
  PROVIDER,
  RENEWED,
  RENEWED_PFX,
  SELF_SIGNED,
  binding,
  failure,
  farm,
  openBench,
} from "./bench";
import type { Bag, Bench, Made } from "./bench";
import { called } from "../identities";

/** What a failed or interrupted change leaves behind, and how the next one goes on from there. */

const OWA = makeTestCertificate({ dnsNames: ["owa.contoso.com"] });
const withOwa = (more: readonly StoredCertificate[] = []) => {
  const [builtIn] = Object.values(farm().servers).map(({ certificates }) => certificates);
  return farm({ certificates: [...(builtIn ?? []), stored(OWA), ...more] });
};
const never = (): Promise<never> => new Promise(() => undefined);

/** Diffs and updates as the engine does after a check. */
async function change(bench: Bench, { id, inputs, outs }: Made, news: Bag): Promise<Made> {
  const checked = await bench.checked(news, inputs);
  const { changes } = await bench.lifecycle.diff(id, outs, checked);
  if (!changes) throw new Error("nothing to change");
  const updated = await bench.lifecycle.update(id, outs, checked);
  return { id, inputs: checked, outs: { ...updated.outs, __provider: PROVIDER } };
}

describe("an update that fails before a service was handed over", () => {
  it("still knows in the next run whom it was to be taken from, and does it", async () => {
    let isBroken = true;
    const bench = openBench(withOwa(), {
      backend: (real) => ({
        ...real,
        enableServices: (server, request, options) =>
          isBroken && request.thumbprint === OWA.facts.thumbprint
            ? Promise.reject(new ExchangeBindingError("ServerUnreachable", "gone for a moment"))
            : real.enableServices(server, request, options),
      }),
    });
    const made = await bench.make(binding({ services: ["IIS", "SMTP"] }));
    const wish = binding({ services: ["SMTP"], successor: OWA.facts.thumbprint });
    const failed = await failure(change(bench.again(), made, wish));
    expect(failed).toMatchObject({ id: made.id, code: "ServerUnreachable" });
    expect(failed.properties).toMatchObject({
      services: ["IIS", "SMTP"],
      heldServices: ["IIS", "SMTP"],
      __provider: PROVIDER,
    });

    isBroken = false;
    const left: Made = {
      ...made,
      inputs: await bench.again().checked(wish, made.inputs),
      outs: failed.properties ?? {},
    };
    const mended = await change(bench.again(), left, wish);
    expect(mended.outs).toMatchObject({ services: ["SMTP"], heldServices: ["SMTP"] });
    expect((await bench.state()).iis.frontEnd).toBe(OWA.facts.thumbprint);
    expect(await bench.again().lifecycle.diff(mended.id, mended.outs, mended.inputs)).toMatchObject({ changes: false });
  });

  it("keeps nothing to release that was released before it failed", async () => {
    const bench = openBench(withOwa(), {
      backend: (real) => ({
        ...real,
        enableServices: async (server, request, options) => {
          const answer = await real.enableServices(server, request, options);
          if (request.thumbprint === OWA.facts.thumbprint) throw new ExchangeBindingError("TimedOut", "lost");
          return answer;
        },
      }),
    });
    const made = await bench.make(binding({ services: ["IIS", "SMTP"] }));
    const wish = binding({ services: ["SMTP"], successor: OWA.facts.thumbprint });
    const failed = await failure(change(bench.again(), made, wish));
    expect(failed.properties).toMatchObject({ services: ["SMTP"] });
  });
});

describe("take-overs in the state after a failure", () => {
  it("are those of the steps that were begun, and no others", async () => {
    const bench = openBench(farm({ faults: { enableFailsAfter: "SMTP" } }));
    const failed = await failure(bench.make(binding({ services: ["IIS", "SMTP", "IMAP"] })));
    expect(failed.properties).toMatchObject({
      takenOver: [{ service: "IMAP", fromThumbprint: BUILT_IN.facts.thumbprint }],
      heldServices: ["IMAP", "SMTP"],
    });
  });
});

describe("what is left to do after a run that failed", () => {
  it("is printed by it as far as it caused it, and told with its day by the next one, the same thing once", async () => {
    const bench = openBench(farm({ faults: { enableFailsAfter: "SMTP" } }));
    const wish = binding({ services: ["IIS", "SMTP", "IMAP"] });
    const inputs = await bench.checked(wish);
    const failed = await failure(bench.lifecycle.create(inputs));
    const printed = bench.lines.filter((line) => line.includes("still to do"));
    expect(printed).toEqual([expect.stringContaining("IMAP: restart"), expect.stringContaining("SMTP: where")]);
    expect(failed.properties?.["followUpTasks"]).toEqual([
      expect.objectContaining({ kind: "restartServices", service: "IMAP", since: "2026-11-23" }),
      { kind: "hybrid", since: "2026-11-23" },
    ]);

    await bench.break(EX01, {});
    const later = bench.again({ now: new Date(NOW.getTime() + 3 * 24 * 60 * 60 * 1000) });
    const left = { id: failed.id ?? "", inputs, outs: failed.properties ?? {} };
    const { outs } = await change(later, left, wish);
    expect(outs["followUps"]).toEqual([
      expect.stringMatching(/^since 2026-11-23, if not done yet: IMAP: /),
      expect.stringMatching(/^since 2026-11-23, if not done yet: SMTP: /),
      expect.stringMatching(/^IIS: /),
    ]);
    expect(later.lines.filter((line) => line.includes("still to do"))).toEqual([
      expect.stringContaining("still to do: IIS: "),
      expect.stringContaining("still to do: since 2026-11-23, if not done yet: IMAP: "),
      expect.stringContaining("still to do: since 2026-11-23, if not done yet: SMTP: "),
    ]);
  });
});

describe("a backend that never answers and pays no heed to its signal", () => {
  const stuck =
    (method: keyof Backend): ((real: Backend) => Backend) =>
    (real) => ({ ...real, [method]: never });

  it("ends at the time limit, after an import with the id, so that the state knows of it", async () => {
    const bench = openBench(farm(), { backend: stuck("enableServices") });
    const failed = await failure(bench.make(binding({ timeoutSeconds: 1 })));
    expect(failed).toMatchObject({ code: "TimedOut", id: `${EX01}/${MAIL.facts.thumbprint}` });
    expect(failed.message).toContain("no end after 1 seconds");
    expect(failed.properties).toMatchObject({ services: ["SMTP"], __provider: PROVIDER });
    // The next change of the server doesn't wait for this one for ever.
    expect((await bench.again({ backend: (real) => real }).make(binding())).outs).toMatchObject({
      heldServices: ["SMTP"],
    });
  });

  it("ends at the time limit before anything was touched, without an id", async () => {
    let reads = 0;
    const bench = openBench(farm(), {
      backend: (real) => ({
        ...real,
        readSnapshot: (...args) => ((reads += 1) > 1 ? never() : real.readSnapshot(...args)),
      }),
    });
    const failed = await failure(bench.make(binding({ timeoutSeconds: 1 })));
    expect(failed).toMatchObject({ code: "TimedOut" });
    expect(failed.id).toBeUndefined();
  });
});

describe("a create that follows a diff", () => {
  it("replaces, and hands on what was replaced before", async () => {
    const bench = openBench();
    const made = await bench.make(binding({ services: ["IIS", "SMTP"] }));
    const second = bench.again();
    const inputs = await second.checked(binding({ services: ["IIS", "SMTP"], certificate: RENEWED_PFX }), made.inputs);
    expect(await second.lifecycle.diff(made.id, made.outs, inputs)).toEqual({
      changes: true,
      replaces: ["certificate"],
      deleteBeforeReplace: false,
    });
    const { id, outs } = await second.lifecycle.create(inputs);
    expect(id).toBe(`${EX01}/${RENEWED.facts.thumbprint}`);
    expect(outs).toMatchObject({
      supersedes: [{ id: made.id, thumbprint: MAIL.facts.thumbprint, released: [] }],
      takenOver: [{ service: "IIS", fromThumbprint: MAIL.facts.thumbprint }],
    });
  });

  it("makes another certificate although only the engine asks for one", async () => {
    const bench = openBench();
    const made = await bench.make(binding({ certificate: SELF_SIGNED }));
    const second = bench.again();
    const inputs = await second.checked(binding({ certificate: SELF_SIGNED }), made.inputs);
    expect(await second.lifecycle.diff(made.id, made.outs, inputs)).toEqual({ changes: false });
    const replaced = await second.lifecycle.create(inputs);
    expect(replaced.id).not.toBe(made.id);
    expect(replaced.outs).toMatchObject({ supersedes: [{ id: made.id }] });
  });

  it("takes up again the certificate of this binding that a wish goes back to, and no other", async () => {
    const wish = (dnsName: string) => binding({ certificate: { selfSigned: { dnsNames: [dnsName] } } });
    const bench = openBench();
    let made = await bench.make(wish("mail.contoso.com"));
    const ids = [made.id];
    for (const name of ["owa.contoso.com", "mail.contoso.com"]) {
      const next = bench.again();
      const inputs = await next.checked(wish(name), made.inputs);
      await next.lifecycle.diff(made.id, made.outs, inputs);
      const { id, outs } = await next.lifecycle.create(inputs);
      made = { id, inputs, outs };
      ids.push(id);
    }
    expect(ids[2]).toBe(ids[0]);
    expect(ids[1]).not.toBe(ids[0]);
  });
});

describe("a create that was killed", () => {
  it("after its import finds its own certificate again and goes on with it", async () => {
    const bench = openBench(farm(), { backend: (real) => ({ ...real, enableServices: never }) });
    const dying = failure(bench.make(binding({ certificate: SELF_SIGNED, timeoutSeconds: 1 })));
    const { id } = await dying;
    const again = bench.again({ backend: (real) => real });
    const made = await again.make(binding({ certificate: SELF_SIGNED }));
    expect(made.id).toBe(id);
    expect((await bench.state()).certificates).toHaveLength(2);
    expect(again.lines.join("\n")).toContain("which this binding made before");
  });
});

describe("a certificate or successor that another binding is still to bring", () => {
  it("is good enough for a preview, and not for the change itself", async () => {
    const bench = openBench();
    await bench.checked(binding({ ...called("imports") }));
    const uses = binding({
      ...called("uses"),
      certificate: { thumbprint: MAIL.facts.thumbprint },
      services: ["IIS"],
    });
    const inputs = await bench.checked(uses);
    const failed = await failure(bench.lifecycle.create(inputs));
    expect(failed).toMatchObject({ code: "Refused" });
    expect(failed.id).toBeUndefined();
    expect(failed.message).toContain("use the thumbprint output of the binding that imports it");
    expect(bench.calls.filter((call) => !call.startsWith("readSnapshot"))).toEqual([]);
  });

  it("isn't forgotten: a service that should have gone to it isn't released in silence", async () => {
    const bench = openBench();
    const made = await bench.make(binding({ services: ["IIS", "SMTP"] }));
    const second = bench.again();
    await second.checked(binding({ ...called("next"), certificate: RENEWED_PFX, services: ["SMTP"] }));
    const wish = binding({ services: ["SMTP"], successor: RENEWED.facts.thumbprint });
    const inputs = await second.checked(wish, made.inputs);
    expect(await second.lifecycle.diff(made.id, made.outs, inputs)).toMatchObject({ changes: true });
    const failed = await failure(second.lifecycle.update(made.id, made.outs, inputs));
    expect(failed.message).toContain(`the successor ${RENEWED.facts.thumbprint} isn't on ${EX01}`);
    expect(failed.message).toContain("Nothing was changed.");
  });

  it("is known also while other inputs of its binding are still unknown", async () => {
    const bench = openBench();
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    await bench.checked(binding({ ...called("imports"), services: unknown, certificate: MAIL_PFX }));
    const uses = binding({
      ...called("uses"),
      certificate: { thumbprint: MAIL.facts.thumbprint },
      services: ["IIS"],
    });
    const { failures } = await bench.lifecycle.check({}, uses);
    expect(failures).toEqual([]);
  });
});
