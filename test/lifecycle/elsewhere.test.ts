import type { ServerState } from "../../provider/backends/simulator/organisation";
import { givenPfx, makeMiniEngine } from "../miniEngine";
import { EX01, EX02, NOW, farm, type Bag } from "./bench";

/*
 * A binding that has moved from one server to another, and the certificate that it has left behind.
 */

const DAY_MS = 24 * 60 * 60 * 1000;
const mail = givenPfx();
const short = mail.thumbprint.slice(0, 8);
const binding = (server: string, more: Bag = {}): Bag => ({
  server,
  certificate: mail.source,
  services: ["SMTP"],
  ...more,
});
const on = (server: string, more: Bag = {}): Record<string, Bag> => ({
  mail: binding(server, { onDelete: "remove", removeAfterDays: 7, ...more }),
});

async function moved(services: readonly string[] = ["SMTP"]) {
  let now = NOW;
  const engine = await makeMiniEngine(farm(), () => now);
  await engine.up(on(EX01, { services }));
  const preview = await engine.preview(on(EX02));
  const move = await engine.up(on(EX02));
  const touch = (change: (state: ServerState) => Partial<ServerState>) =>
    engine.store.update((organisation) => {
      const state = organisation.servers[EX01];
      if (state === undefined) throw new Error("no server");
      const servers = { ...organisation.servers, [EX01]: { ...state, ...change(state) } };
      return { organisation: { ...organisation, servers }, result: undefined };
    });
  return {
    ...engine,
    told: preview.lines,
    move,
    touch,
    wait: (days: number) => {
      now = new Date(now.getTime() + days * DAY_MS);
    },
    isLeft: async () =>
      (await engine.observe(EX01)).certificates.some(({ facts }) => facts.thumbprint === mail.thumbprint),
  };
}

describe("a certificate on a server that its binding has left", () => {
  it("stays there for the days as a way back, and is removed there by a later run, which previews tell", async () => {
    const story = await moved();
    expect(story.told).toContainEqual(
      expect.stringContaining(`removes certificate ${mail.thumbprint} from ${EX01} by a later run, in 7 days`),
    );
    expect(story.move.lines).toContainEqual(expect.stringContaining(`[${EX01}] mail: ${short} (mail.contoso.com`));
    expect((await story.up(on(EX02))).done).toEqual({ mail: "same" });
    expect(await story.isLeft()).toBe(true);
    story.wait(8);
    const preview = await story.preview(on(EX02));
    expect(preview.done).toEqual({ mail: "update" });
    const up = await story.up(on(EX02));
    expect(up.lines).toContainEqual(expect.stringContaining(`[${EX01}] mail: plan: removes ${short}`));
    expect(up.lines).toContainEqual(expect.stringContaining(`[${EX01}] mail: removed ${short}`));
    expect(await story.isLeft()).toBe(false);
    expect(story.outputs("mail")).toMatchObject({ server: EX02, supersedes: [] });
    expect((await story.up(on(EX02))).done).toEqual({ mail: "same" });
  });

  it("stays while something there needs it; that is told each time and is no change", async () => {
    const story = await moved(["IIS", "SMTP"]);
    story.wait(8);
    const run = await story.up(on(EX02));
    expect(run.done).toEqual({ mail: "same" });
    expect(run.lines).toEqual([
      expect.stringMatching(new RegExp(`^\\[${EX01}\\] mail: ${short} .* stays: it is bound to the front end of IIS`)),
    ]);
  });

  it("belongs to whoever declares it there", async () => {
    const story = await moved();
    story.wait(8);
    const other = binding(EX01);
    expect((await story.up({ other, ...on(EX02) })).done).toEqual({ other: "create", mail: "same" });
    await expect(story.preview({ ...on(EX02), later: other })).rejects.toThrow(
      /binding "mail", which comes before this/,
    );
    expect(await story.isLeft()).toBe(true);
  });

  it("on a server that doesn't answer fails nothing, and is given up with the wish to remove", async () => {
    const story = await moved();
    story.wait(8);
    await story.touch(() => ({ faults: { unreachable: true } }));
    const run = await story.up(on(EX02, { services: ["POP", "SMTP"] }));
    expect(run.done).toEqual({ mail: "update" });
    expect(run.lines.filter((line) => line.includes("couldn't be read"))).toEqual([
      expect.stringContaining(`[${EX01}] mail: this binding was on ${EX01} before`),
    ]);
    expect(story.outputs("mail")["supersedes"]).toHaveLength(1);
    await story.up({ mail: binding(EX02, { services: ["POP", "SMTP"] }) });
    expect(story.outputs("mail")["supersedes"]).toEqual([]);
    const settled = await story.up(on(EX02, { services: ["POP", "SMTP"] }));
    expect(settled.lines.filter((line) => line.includes(EX01))).toEqual([]);
  });

  it("that can't be removed after all is an error, with a state from which the next run goes on", async () => {
    const story = await moved();
    story.wait(8);
    const run = await story.killed(on(EX02, { services: ["POP", "SMTP"] }), { call: 1, when: "before" });
    expect(run).toEqual(["enableServices", "removeCertificate"]);
    expect(await story.isLeft()).toBe(true);
    await story.up(on(EX02, { services: ["POP", "SMTP"] }));
    expect(await story.isLeft()).toBe(false);
  });

  it("goes with the move that lets the send connector in its way name another, and its plan says so", async () => {
    const tlsCertificateName = "<I>CN=mail.contoso.com<S>CN=mail.contoso.com";
    const sendConnectors = [{ name: "Partner", fqdn: null, tlsCertificateName, sourceServers: ["EX02"] }];
    const engine = await makeMiniEngine({ ...farm(), sendConnectors }, () => NOW);
    const [between, owa] = [givenPfx({ subject: "CN=between" }), givenPfx({ subject: "CN=owa.contoso.com" })];
    await engine.up({ mail: binding(EX01) });
    await engine.up({ mail: binding(EX01, { certificate: between.source }) });
    const connectors = { send: ["Partner"] };
    const move = { mail: binding(EX02, { certificate: owa.source, connectors, onDelete: "remove" }) };
    const told = expect.stringContaining(`[${EX01}] mail: plan: removes ${short}`);
    expect((await engine.preview(move)).lines).toContainEqual(told);
    const { lines } = await engine.up(move);
    expect(lines).toContainEqual(expect.stringContaining(`[${EX01}] mail: removed ${short}`));
    expect(lines.filter((line) => line.includes(`${short} (mail.contoso.com, `) && line.includes("stays"))).toEqual([]);
    expect((await engine.up(move)).done).toEqual({ mail: "same" });
  });
});
