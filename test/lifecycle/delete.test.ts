import type { Organisation } from "../../provider/backends/simulator/organisation";
import { stored } from "../backends/simulator/lab";
import { identityOf } from "../identities";
import { BUILT_IN, EX01, MAIL, binding, failure, farm, openBench, type Bench, type Made } from "./bench";

const args = binding({ certificate: { thumbprint: MAIL.facts.thumbprint }, services: ["IIS", "SMTP"] });
const STAYS = `[${EX01}] mail: no longer managed; certificate ${MAIL.facts.thumbprint} stays on ${EX01} as it is: `;

let bench: Bench;
let made: Made;
let organisation: Organisation;

beforeAll(async () => {
  const first = openBench(farm({ certificates: [stored(BUILT_IN), stored(MAIL)] }));
  made = await first.make(args);
  organisation = await first.store.read();
});
beforeEach(() => {
  bench = openBench(organisation);
});

describe("deleting a binding that is to be retained", () => {
  it("calls nothing, and says in one line which services the certificate still holds", async () => {
    await bench.lifecycle.delete(made.id, made.outs);
    expect(bench.calls).toEqual([]);
    expect(bench.lines).toEqual([`${STAYS}it still holds IIS and SMTP`]);
    expect(await bench.store.read()).toBe(organisation);
  });

  it("says it of the server as the deployment has read it, where it has", async () => {
    await bench.touch(EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint } }));
    await bench.deployment.snapshots.get(EX01, { seconds: 60 });
    await bench.lifecycle.delete(made.id, made.outs);
    expect(bench.lines).toEqual([`${STAYS}it still holds SMTP`]);
  });

  it("works while the server can't be reached", async () => {
    await bench.break(EX01, { unreachable: true });
    await bench.lifecycle.delete(made.id, made.outs);
    expect(bench.lines).toHaveLength(1);
  });

  it("says so when the certificate is gone, or nobody knows what it holds", async () => {
    const { heldServices: _held, ...outs } = made.outs;
    await bench.lifecycle.delete(made.id, outs);
    await bench.lifecycle.delete(made.id, { ...outs, heldServices: [] });
    await bench.touch(EX01, ({ certificates }) => ({ certificates: certificates.slice(0, 1) }));
    await bench.deployment.snapshots.get(EX01, { seconds: 60 });
    await bench.lifecycle.delete(made.id, made.outs);
    expect(bench.lines).toEqual([
      `${STAYS}which services it holds isn't known`,
      `${STAYS}it holds no service`,
      `[${EX01}] mail: no longer managed; certificate ${MAIL.facts.thumbprint} isn't on ${EX01} any more`,
    ]);
  });

  it("is refused while offline, through another backend, and where the state can't be read", async () => {
    const offline = bench.again({ config: { "exchange:offline": "true" } });
    expect(await failure(offline.lifecycle.delete(made.id, made.outs))).toMatchObject({ code: "Offline" });
    const other = await failure(bench.lifecycle.delete(made.id, { ...made.outs, backend: "remote" }));
    expect(other).toMatchObject({ code: "BackendMismatch" });
    expect(other.message).toMatch(/"remote".*"simulator"/);
    expect(await failure(bench.lifecycle.delete(made.id, { ...made.outs, stateVersion: 99 }))).toMatchObject({
      code: "StateUnreadable",
    });
    expect([...bench.lines, ...offline.lines]).toEqual([]);
  });
});

it("that refuses the removal hinders no binding of the run that declares the certificate after it", async () => {
  const [builtIn = []] = Object.values(farm().servers).map(({ certificates }) => certificates);
  const bench = openBench(farm({ certificates: [...builtIn, stored(MAIL)] }));
  const named = { certificate: { thumbprint: MAIL.facts.thumbprint }, onDelete: "remove" };
  const { id, outs } = await bench.make(binding(named));
  const later = bench.again();
  await expect(later.lifecycle.delete(id, outs)).rejects.toThrow(/its key may be nowhere else/);
  const { declarations } = later.deployment;
  expect(declarations.removerOf(EX01, MAIL.facts.thumbprint, identityOf("other"))).toBeUndefined();
});
