import { makeMiniEngine, type MiniEngine } from "../miniEngine";
import { defaultOrganisation, EX01 } from "../backends/simulatedServer";

const DAY_MS = 24 * 60 * 60 * 1000;
const made = (more: object = {}, validityDays = 90) => ({
  mail: {
    server: EX01,
    certificate: { selfSigned: { dnsNames: ["mail.contoso.com"], validityDays } },
    services: ["IIS", "SMTP", "IMAP"],
    ...more,
  },
});

let days: number;
let engine: MiniEngine;
beforeEach(async () => {
  const start = Date.now();
  days = 0;
  engine = await makeMiniEngine(await defaultOrganisation(), () => new Date(start + days * DAY_MS));
});

const thumbprints = async (): Promise<readonly string[]> =>
  (await engine.observe(EX01)).certificates.map(({ facts }) => facts.thumbprint);
const current = (): string => engine.outputs("mail")["thumbprint"] as string;

describe("a made certificate", () => {
  it("is renewed through a year, and with remove one of ours is left beside those of the server", async () => {
    const ofServer = await thumbprints();
    const seen = new Set<string>();
    for (; days <= 365; days += 10) {
      await engine.up(made({ onDelete: "remove" }));
      seen.add(current());
      expect(await thumbprints()).toEqual([...ofServer, current()]);
      expect((await engine.preview(made({ onDelete: "remove" }))).done).toEqual({ mail: "same" });
    }
    // Ninety days, renewed in its last thirty: after 60, 120, ...
    expect(seen.size).toBe(7);
    // The last one was removed after the outputs were made.
    expect(engine.outputs("mail")["supersedes"]).toHaveLength(1);
  });

  it("that is valid and ours is taken again by a wish that goes back to it", async () => {
    await engine.up(made());
    const first = current();
    await engine.up(made({}, 365));
    const second = current();
    expect(second).not.toBe(first);
    const back = await engine.up(made());
    expect(back.done).toEqual({ mail: "replace" });
    expect(current()).toBe(first);
    expect(engine.outputs("mail")["supersedes"]).toMatchObject([{ thumbprint: second }]);
    expect((await engine.preview(made())).done).toEqual({ mail: "same" });
    // And forth.
    await engine.up(made({}, 365));
    expect(current()).toBe(second);
    expect(engine.outputs("mail")["supersedes"]).toMatchObject([{ thumbprint: first }]);
  });

  it("isn't taken again where it would bring back a service that was released", async () => {
    await engine.up(made());
    const first = current();
    await engine.up(made({ services: ["SMTP"], onServiceRemoved: "forget" }));
    await engine.up(made({ services: ["SMTP"] }, 365));
    await engine.up(made({ services: ["SMTP"] }));
    expect(current()).not.toBe(first);
  });

  it("isn't taken again when it is due for its renewal", async () => {
    await engine.up(made());
    const first = current();
    await engine.up(made({}, 365));
    days = 61;
    await engine.up(made());
    expect(current()).not.toBe(first);
  });
});
