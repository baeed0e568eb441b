import { setTimeout as pause } from "node:timers/promises";

import type { Backend } from "../../provider/backends/backend";
import { messageOf } from "../../provider/errors";
import { binding, failure, farm, openBench } from "./bench";
import type { Bag, Bench, Made } from "./bench";
import { FakeTime } from "./fakeTime";
import { called } from "../identities";

/** An adapter that pays no heed to its signal, and whose calls end when the test says so. */
function heedless(method: keyof Backend, from = 1): { backend: (real: Backend) => Backend; goOn: () => void } {
  let goOn = (): void => undefined;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  let calls = 0;
  return {
    goOn: () => {
      goOn();
    },
    backend: (real) => {
      const methods = real as unknown as Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;
      return {
        ...real,
        [method]: async (...args: readonly unknown[]) => {
          calls += 1;
          // What is carried out, is carried out with a signal of its own: the adapter has forgotten ours.
          const deaf = [...args.slice(0, -1), { signal: new AbortController().signal }];
          if (calls >= from) await gate;
          return methods[method]?.(...deaf);
        },
      };
    },
  };
}

const LIMIT: Bag = { timeoutSeconds: 1 };

interface Case {
  readonly name: string;
  readonly method: keyof Backend;
  /** The call of that method from which on it doesn't end. */
  readonly from?: number;
  readonly run: (bench: Bench, before: Bench) => Promise<unknown>;
}

const WISH = binding({ ...LIMIT, services: ["SMTP", "IMAP"] });

const CASES: readonly Case[] = [
  { name: "a create that imports", method: "importCertificate", run: (bench) => bench.make(WISH) },
  { name: "a create that enables", method: "enableServices", run: (bench) => bench.make(WISH) },
  { name: "a create that reads first", method: "readSnapshot", from: 2, run: (bench) => bench.make(WISH) },
  {
    name: "an update",
    method: "enableServices",
    run: async (bench, before) => {
      const made = await before.make(binding(LIMIT));
      const inputs = await bench.checked(WISH, made.inputs);
      await bench.lifecycle.diff(made.id, made.outs, inputs);
      return bench.lifecycle.update(made.id, made.outs, inputs);
    },
  },
  {
    name: "a refresh",
    method: "readSnapshot",
    run: async (bench, before) => {
      const made = await before.make(binding(LIMIT));
      return bench.lifecycle.read(made.id, made.outs);
    },
  },
];

it.each(CASES)("after $name has failed at its limit, nothing is begun on the server", async ({ method, from, run }) => {
  const before = openBench(farm());
  const adapter = heedless(method, from);
  const bench = before.again({ backend: adapter.backend });
  expect(await failure(run(bench, before))).toMatchObject({ code: "TimedOut" });
  const begun = [...bench.calls];
  adapter.goOn();
  // The call that was under way ends now, and whatever waited for it goes on.
  await pause(100);
  expect(bench.calls).toEqual(begun);
});

it("a preview fails at the limit, and begins nothing after it", async () => {
  const adapter = heedless("readSnapshot");
  const bench = openBench(farm(), { backend: adapter.backend });
  const { failures } = await bench.lifecycle.check({}, WISH);
  expect(failures).toEqual([expect.objectContaining({ reason: expect.stringContaining("after 1 seconds") as string })]);
  const begun = [...bench.calls];
  adapter.goOn();
  await pause(100);
  expect(bench.calls).toEqual(begun);
});

describe.each([5, 900])("timeoutSeconds: %i", (seconds) => {
  const wish = binding({ timeoutSeconds: seconds });
  const failureOf = (run: Promise<unknown>): Promise<string> => run.then((answer) => JSON.stringify(answer), messageOf);
  const RUNS: readonly [string, number, (bench: Bench, made: Made) => Promise<unknown>][] = [
    ["a preview", 1, (bench) => bench.lifecycle.check({}, { ...wish, ...called("second") })],
    ["a refresh", 1, (bench, made) => bench.lifecycle.read(made.id, made.outs)],
    ["an up", 2, (bench) => bench.make({ ...wish, ...called("second") })],
  ];

  it.each(RUNS)("is what %s waits for a server that doesn't answer", async (_name, from, run) => {
    const before = openBench(farm());
    const made = await before.make(wish);
    const time = new FakeTime();
    const adapter = heedless("readSnapshot", from);
    const bench = before.again({ backend: adapter.backend, limitTimer: time.timer });
    let said: string | undefined;
    const end = failureOf(run(bench, made)).then((text) => (said = text));
    while (bench.calls.length < from) await pause(5);
    time.pass(seconds * 1000 - 1);
    await pause(20);
    expect(said).toBeUndefined();
    time.pass(1);
    time.pass(2000);
    await end;
    expect(said).toContain(`no end after ${String(seconds)} seconds`);
    adapter.goOn();
  });
});
