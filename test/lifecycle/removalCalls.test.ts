import type { Backend } from "../../provider/backends/backend";
import { ExchangeBindingError } from "../../provider/errors";
import { makeTestAuthority } from "../certificate/testCertificates";
import { called } from "../identities";
import { givenPfx } from "../miniEngine";
import { EX01, NOW, failure, farm, openBench, type Bag, type Bench } from "./bench";

/*
 * Removals by an update: the call itself, and what is said of it.
 */

/** The engine's text for a value that isn't known yet. */
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const DAY_MS = 24 * 60 * 60 * 1000;
const authority = makeTestAuthority();
const first = givenPfx({ issuer: authority });
const second = givenPfx({ issuer: authority });
const short = first.thumbprint.slice(0, 8);
const args = (certificate: unknown, more: Bag = {}): Bag => ({
  ...called("mail"),
  server: EX01,
  certificate,
  services: ["SMTP"],
  onDelete: "remove",
  removeAfterDays: 7,
  ...more,
});

interface Due {
  readonly bench: Bench;
  /** The update that removes the first certificate, and does what `more` wants besides. */
  readonly update: Promise<{ readonly outs: Bag }>;
}

/** A binding whose first certificate is due for removal, and the update that removes it over that backend. */
async function dueOver(backend: (real: Backend) => Backend, more: Bag = {}): Promise<Due> {
  const start = openBench(farm());
  const made = await start.make(args(first.source));
  const between = start.again();
  const inputs = await between.checked(args(second.source), made.inputs);
  await between.lifecycle.diff(made.id, made.outs, inputs);
  const { id, outs } = await between.lifecycle.create(inputs);
  const bench = start.again({ now: new Date(NOW.getTime() + 8 * DAY_MS), backend });
  const wished = await bench.checked(args(second.source, more), inputs);
  await bench.lifecycle.diff(id, outs, wished);
  return { bench, update: bench.lifecycle.update(id, outs, wished) };
}

const refusing = (real: Backend): Backend => ({
  ...real,
  removeCertificate: () => Promise.reject(new ExchangeBindingError("RemovalRefused", "It is in use by SendConnector.")),
});
const changes = ({ lines }: Bench) => lines.filter((line) => !line.includes("plan: "));

describe("a certificate that is due for removal", () => {
  it("that Exchange doesn't let go is never said to be removed, and is tried again", async () => {
    const { bench, update } = await dueOver(refusing, { services: ["POP", "SMTP"] });
    const { outs } = await update;
    expect(changes(bench).filter((line) => line.includes("Exchange doesn't let it go"))).toHaveLength(1);
    expect(changes(bench).filter((line) => line.includes(`removed ${short}`))).toEqual([]);
    expect(changes(bench).filter((line) => line.includes("enabled POP"))).toHaveLength(1);
    expect(outs["supersedes"]).toMatchObject([{ thumbprint: first.thumbprint }]);
  });

  it("that Exchange doesn't let go is not among what was done when something fails after it, either", async () => {
    let isAsked = false;
    const { bench, update } = await dueOver((real) => ({
      ...refusing(real),
      removeCertificate: (...rest) => ((isAsked = true), refusing(real).removeCertificate(...rest)),
      readSnapshot: (...rest) =>
        isAsked
          ? Promise.reject(new ExchangeBindingError("ServerUnreachable", "The server is gone."))
          : real.readSnapshot(...rest),
    }));
    const error = await failure(update);
    expect(error.message).toContain(`the removal of ${short} not yet`);
    expect(error.message).not.toContain(`${short} removed`);
    expect(bench.lines.join("\n")).not.toContain(`removed ${short}`);
  });

  it("stays while what it may be needed for hasn't come about", async () => {
    const { bench, update } = await dueOver(
      (real) => ({ ...real, enableServices: () => Promise.resolve({ warnings: [] }) }),
      { services: ["IIS", "SMTP"] },
    );
    expect((await failure(update)).message).toMatch(/does not show that .* holds IIS/);
    expect(bench.calls).not.toContain(`removeCertificate ${EX01}`);
  });

  it("is judged once more right before the call, by the server as it has become", async () => {
    // Somebody gives it the front end while the update is on its way.
    let readings = 0;
    const { bench, update } = await dueOver((real) => ({
      ...real,
      readSnapshot: async (...rest) => {
        readings += 1;
        if (readings === 3) {
          await bench_().touch(EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: first.thumbprint } }));
        }
        return real.readSnapshot(...rest);
      },
    }));
    const bench_ = (): Bench => bench;
    const { outs } = await update;
    expect(bench.calls).not.toContain(`removeCertificate ${EX01}`);
    expect(changes(bench).filter((line) => line.includes("it is bound to the front end of IIS"))).toHaveLength(1);
    expect(changes(bench).filter((line) => line.includes(`removed ${short}`))).toEqual([]);
    expect(outs["supersedes"]).toMatchObject([{ thumbprint: first.thumbprint }]);
  });
});

it("a refresh says nothing of the program: a certificate that is deleted after it, in the same process, goes", async () => {
  const start = openBench(farm());
  const { id, inputs, outs } = await start.make(args(first.source));
  const { lifecycle, lines, calls } = start.again();
  const read = await lifecycle.read(id, outs);
  expect(await lifecycle.diff(id, read.props ?? {}, read.inputs ?? inputs)).toMatchObject({ changes: false });
  await lifecycle.delete(id, outs);
  expect(calls).toContain(`removeCertificate ${EX01}`);
  expect(lines).toEqual([expect.stringContaining(`removed ${short}`)]);
});

it("stays when what its binding depends on is deleted first, and goes with the run after the one that replaces it", async () => {
  const start = openBench(farm());
  const { id, inputs, outs } = await start.make(args(first.source, { services: ["IIS", "SMTP"], removeAfterDays: 0 }));
  const again = start.again();
  const { lifecycle, lines, calls } = again;
  // The engine asks with the inputs in the state, and what won't be known, before the program declares anything.
  const ahead = await lifecycle.diff(id, outs, { ...inputs, certificate: UNKNOWN_TEXT });
  expect(ahead.replaces).toEqual(["certificate"]);
  await lifecycle.delete(id, outs);
  expect(calls).not.toContain(`removeCertificate ${EX01}`);
  expect(lines).toEqual([
    expect.stringContaining(
      `certificate ${short} stays until the binding that replaces this one is there; then or in a later run it goes`,
    ),
  ]);
  const { outs: created } = await lifecycle.create(
    await again.checked(args(second.source, { services: ["IIS", "SMTP"], removeAfterDays: 0 })),
  );
  expect(created["supersedes"]).toMatchObject([{ thumbprint: first.thumbprint }]);
});
