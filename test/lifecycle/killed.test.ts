import type { Backend } from "../../provider/backends/backend";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { PROVIDER, RENEWED_PFX, BUILT_IN, EX01, SELF_SIGNED, binding, farm, openBench } from "./bench";
import type { Bag, Bench, Made } from "./bench";

/*
 * A process that is killed stores nothing: the next run finds the state as it was, and a server on which some of the
 * calls have been made. Every call is a place to be killed at, before it and after it.
 */

const COMPARED = ["takenOver", "followUpTasks", "supersedes"] as const;

interface Story {
  readonly name: string;
  /** What there is before; undefined for a new binding. */
  readonly before?: Bag;
  readonly wish: Bag;
  /** What somebody else does before the run. */
  readonly meddle?: (bench: Bench) => Promise<void>;
  /** What neither state nor server nor our own mark can tell; it may be left out, and nothing else may stand there. */
  readonly untold?: readonly (typeof COMPARED)[number][];
}

const services = ["IIS", "IMAP", "SMTP"];
const ON_MAIL = { services, replaceDefaultSmtpCertificate: true };
const takesIisBack = (bench: Bench): Promise<void> =>
  bench.touch(EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint } }));

const STORIES: readonly Story[] = [
  // It may have been on the server for years, services and all: adopted, not resumed.
  { name: "create, given", wish: binding(ON_MAIL), untold: ["takenOver", "followUpTasks"] },
  { name: "create, made", wish: binding({ ...ON_MAIL, certificate: SELF_SIGNED }), untold: ["takenOver"] },
  { name: "update", before: binding({ services: ["SMTP"] }), wish: binding(ON_MAIL), untold: ["takenOver"] },
  { name: "replace, given", before: binding(ON_MAIL), wish: binding({ ...ON_MAIL, certificate: RENEWED_PFX }) },
  {
    name: "replace, made",
    before: binding({ ...ON_MAIL, certificate: SELF_SIGNED }),
    wish: binding({ ...ON_MAIL, certificate: { selfSigned: { dnsNames: ["mail.contoso.com"], validityDays: 90 } } }),
  },
  { name: "drift repair", before: binding(ON_MAIL), wish: binding(ON_MAIL), meddle: takesIisBack },
];

/** Check, diff and what follows from it, as the engine goes about it. */
async function up(bench: Bench, made: Made | undefined, wish: Bag): Promise<Bag> {
  const { lifecycle } = bench;
  const inputs = await bench.checked(wish, made?.inputs);
  if (made === undefined) return (await lifecycle.create(inputs)).outs;
  const { changes, replaces = [] } = await lifecycle.diff(made.id, made.outs, inputs);
  if (!changes) return made.outs;
  if (replaces.length > 0) return (await lifecycle.create(await bench.checked(wish))).outs;
  return { ...(await lifecycle.update(made.id, made.outs, inputs)).outs, __provider: PROVIDER };
}

/** The backend of a process that is killed at that changing call; afterwards nothing of it reaches a server. */
function killedAt(call: number, when: "before" | "after"): (real: Backend) => Backend {
  let calls = 0;
  let isDead = false;
  const mortal =
    <A extends readonly unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const isLast = !isDead && (calls += 1) === call;
      if (isDead || (isLast && when === "before")) {
        isDead = true;
        throw new Error("killed");
      }
      const answer = await method(...args);
      if (isLast) {
        isDead = true;
        throw new Error("killed");
      }
      return answer;
    };
  return (real) => ({
    ...real,
    readSnapshot: (...args) => (isDead ? Promise.reject(new Error("killed")) : real.readSnapshot(...args)),
    importCertificate: mortal((...args) => real.importCertificate(...args)),
    enableServices: mortal((...args) => real.enableServices(...args)),
    setCertificateName: mortal((...args) => real.setCertificateName(...args)),
    removeCertificate: mortal((...args) => real.removeCertificate(...args)),
  });
}

const isChange = (call: string): boolean => !call.startsWith("readSnapshot");

/** The outputs that a run hands on to later ones, in no order; made certificates are other ones in each run. */
function compared(outs: Bag, made: Made | undefined): Readonly<Record<(typeof COMPARED)[number], readonly string[]>> {
  const own = String(outs["thumbprint"]);
  const old = String(made?.outs["thumbprint"]);
  const set = (key: string): readonly string[] =>
    (outs[key] as readonly object[])
      .map((one) => JSON.stringify(Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))))
      .map((text) => text.replaceAll(own, "OWN").replaceAll(old, "OLD"))
      .sort();
  return { takenOver: set("takenOver"), followUpTasks: set("followUpTasks"), supersedes: set("supersedes") };
}

describe.each(STORIES)("$name", ({ before, wish, meddle, untold = [] }) => {
  /** A server with what was there before, and the state of it. */
  const prepared = async (): Promise<{ readonly bench: Bench; readonly made: Made | undefined }> => {
    const bench = openBench(memoryState(farm()));
    const made = before === undefined ? undefined : await bench.make(before);
    await meddle?.(bench);
    return { bench, made };
  };

  it("ends with the same outputs when it was killed at any call and run again", async () => {
    const whole = await prepared();
    const first = whole.bench.again();
    const unkilled = compared(await up(first, whole.made, wish), whole.made);
    const count = first.calls.filter(isChange).length;
    expect(count).toBeGreaterThan(0);
    const differing: string[] = [];
    const invented: string[] = [];
    for (let call = 1; call <= count; call += 1) {
      for (const when of ["before", "after"] as const) {
        const { bench, made } = await prepared();
        const death = up(bench.again({ backend: killedAt(call, when) }), made, wish);
        await expect(death).rejects.toThrow("killed");
        const next = bench.again();
        const resumed = compared(await up(next, made, wish), made);
        for (const key of COMPARED) {
          invented.push(...resumed[key].filter((one) => !unkilled[key].includes(one)));
          const missing = unkilled[key].filter((one) => !resumed[key].includes(one));
          if (missing.length === 0) continue;
          if (!untold.includes(key)) differing.push(`${when} call ${String(call)}: ${key} lacks ${missing.join()}`);
          else if (!untold.includes("followUpTasks")) expect(next.lines.join("\n")).toMatch(/before isn't known/);
        }
      }
    }
    expect({ differing, invented }).toEqual({ differing: [], invented: [] });
  });
});
