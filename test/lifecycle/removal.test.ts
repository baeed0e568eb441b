import type { Organisation, ServerState } from "../../provider/backends/simulator/organisation";
import { consequencesOn } from "../../provider/backends/simulator/consequences";
import { makeTestAuthority } from "../certificate/testCertificates";
import { FailedRun, givenPfx, makeMiniEngine, type MiniEngine, type Run } from "../miniEngine";
import { EX01, farm } from "./bench";

/*
 * What becomes of certificates that are no longer needed, in the order in which the engine calls the provider.
 */

const DAY_MS = 24 * 60 * 60 * 1000;
const authority = makeTestAuthority();
const START = new Date("2026-11-23T20:00:00Z");

interface Story extends MiniEngine {
  /** Lets days pass. */
  wait(days: number): void;
  thumbprints(): Promise<readonly string[]>;
  touch(change: (state: ServerState, organisation: Organisation) => Partial<Organisation> | undefined): Promise<void>;
  /** What doesn't work on the server. */
  broken(): Promise<readonly string[]>;
}

async function begin(): Promise<Story> {
  let now = START;
  const engine = await makeMiniEngine(farm(), () => now);
  const state = async (): Promise<ServerState> => {
    const found = (await engine.store.read()).servers[EX01];
    if (found === undefined) throw new Error("no server");
    return found;
  };
  return {
    ...engine,
    wait: (days) => {
      now = new Date(now.getTime() + days * DAY_MS);
    },
    thumbprints: async () => (await engine.observe(EX01)).certificates.map(({ facts }) => facts.thumbprint),
    touch: (change) =>
      engine.store.update((organisation) => {
        const server = organisation.servers[EX01];
        if (server === undefined) throw new Error("no server");
        return { organisation: { ...organisation, ...change(server, organisation) }, result: undefined };
      }),
    broken: async () =>
      consequencesOn(await engine.store.read(), await state(), now)
        .map(({ kind }) => kind)
        .filter((kind) => kind !== "webManagementWithout"),
  };
}

const REMOVE = { onDelete: "remove" } as const;
const bound = (certificate: unknown, services: readonly string[] = ["IIS", "SMTP"]) => ({
  server: EX01,
  certificate,
  services,
  ...REMOVE,
});
const first = givenPfx({ issuer: authority });
const second = givenPfx({ issuer: authority });
const third = givenPfx({ issuer: authority });
const short = (one: { readonly thumbprint: string }) => one.thumbprint.slice(0, 8);
const said = (run: Run | FailedRun, text: string) => run.lines.filter((line) => line.includes(text));
const failed = async (run: Promise<unknown>): Promise<FailedRun> => {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof FailedRun) return error;
  throw new Error("it didn't fail so", { cause: error });
};
const CONNECTOR = (name: string | null) => ({
  sendConnectors: [{ name: "Outbound", fqdn: null, tlsCertificateName: name, sourceServers: ["EX01"] }],
});
const MAIL_NAME = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com";

describe("a certificate that another one replaces", () => {
  it("stays as long as the program says, also when the binding has a new name in the same change", async () => {
    const story = await begin();
    await story.up({ mail: { ...bound(first.source), removeAfterDays: 0 } });
    const kept = { ...bound(second.source), removeAfterDays: 7, bindingUrn: "urn:renamed", bindingLabel: "renamed" };
    await story.up({ mail: kept });
    expect(await story.thumbprints()).toContain(first.thumbprint);
    story.wait(8);
    await story.up({ mail: kept });
    expect(await story.thumbprints()).not.toContain(first.thumbprint);
  });

  it("goes once the new one is in place, and the preview says so", async () => {
    const story = await begin();
    await story.up({ mail: bound(first.source) });
    const preview = await story.preview({ mail: bound(second.source) });
    expect(said(preview, `removes the replaced ${short(first)}`)).toHaveLength(1);
    const up = await story.up({ mail: bound(second.source) });
    expect(said(up, `removed ${short(first)}`)).toHaveLength(1);
    expect(said(up, `back to ${short(first)}`)).toEqual([]);
    expect(await story.thumbprints()).not.toContain(first.thumbprint);
    expect(await story.broken()).toEqual([]);
    expect(story.outputs("mail")["supersedes"]).toHaveLength(1);
    const again = await story.up({ mail: bound(second.source) });
    expect(again.done).toEqual({ mail: "same" });
  });

  it("takes the services with it that are no longer declared", async () => {
    const story = await begin();
    await story.up({ mail: bound(first.source, ["IIS", "IMAP", "SMTP"]) });
    const preview = await story.preview({ mail: bound(second.source, ["IIS"]) });
    expect(said(preview, `SMTP goes with ${short(first)}`)).toHaveLength(1);
    expect(said(preview, "the new certificate holds IMAP too, by the same name")).toHaveLength(1);
    await story.up({ mail: bound(second.source, ["IIS"]) });
    const server = await story.observe(EX01);
    const renewed = server.certificates.find(({ facts }) => facts.thumbprint === second.thumbprint);
    expect(renewed?.displayedServices).toMatchObject({ value: ["IIS", "IMAP"] });
    expect(await story.thumbprints()).not.toContain(first.thumbprint);
  });

  it("stops a change that gives up IMAP where the new one hasn't its name, before anything is created", async () => {
    const story = await begin();
    await story.up({ mail: bound(first.source, ["IMAP", "SMTP"]) });
    const other = givenPfx({ dnsNames: ["owa.contoso.com"], issuer: authority });
    await expect(story.preview({ mail: bound(other.source, ["SMTP"]) })).rejects.toThrow(
      /onDelete\b.*it is the only valid certificate for mail\.contoso\.com, the name of IMAP\. Give IMAP another certificate for mail\.contoso\.com, or another name \(Set-ImapSettings -X509CertificateName\)\. Or leave it there: set onDelete: "retain"/,
    );
    expect(await story.thumbprints()).not.toContain(other.thumbprint);
    expect(await story.broken()).toEqual([]);
  });

  it("stays where a send connector names it, and goes by itself with a later run once none does", async () => {
    const story = await begin();
    await story.up({ mail: bound(first.source) });
    await story.touch(() => CONNECTOR(MAIL_NAME));
    const preview = await story.preview({ mail: bound(second.source) });
    expect(
      said(preview, "Set-SendConnector 'Outbound' -TlsCertificateName $null; Remove-ExchangeCertificate"),
    ).toHaveLength(1);
    await story.up({ mail: bound(second.source) });
    expect(await story.thumbprints()).toContain(first.thumbprint);
    const waiting = await story.up({ mail: bound(second.source) });
    expect([waiting.done["mail"], said(waiting, short(first)).length]).toEqual(["same", 1]);
    await story.touch(() => CONNECTOR(null));
    expect((await story.preview({ mail: bound(second.source) })).done).toEqual({ mail: "update" });
    const up = await story.up({ mail: bound(second.source) });
    expect(said(up, `removed ${short(first)}`)).toHaveLength(1);
    expect(await story.thumbprints()).not.toContain(first.thumbprint);
    expect(story.outputs("mail")["supersedes"]).toEqual([]);
  });

  it("is kept as a way back for as long as was asked for", async () => {
    const story = await begin();
    const kept = { removeAfterDays: 7 };
    await story.up({ mail: { ...bound(first.source), ...kept } });
    const up = await story.up({ mail: { ...bound(second.source), ...kept } });
    expect(said(up, "kept as a way back until 2026-11-30")).not.toEqual([]);
    story.wait(6);
    expect((await story.up({ mail: { ...bound(second.source), ...kept } })).done).toEqual({ mail: "same" });
    story.wait(2);
    expect((await story.up({ mail: { ...bound(second.source), ...kept } })).done).toEqual({ mail: "update" });
    expect(await story.thumbprints()).not.toContain(first.thumbprint);
  });

  it("that is the default one stops a change that gives services up, and never a renewal", async () => {
    const story = await begin();
    await story.up({ mail: { ...bound(first.source), replaceDefaultSmtpCertificate: true } });
    await expect(story.preview({ mail: bound(second.source, ["IIS"]) })).rejects.toThrow(
      /it is the default SMTP certificate.*replaceDefaultSmtpCertificate on its binding/,
    );
    const renewal = await story.up({ mail: bound(second.source) });
    expect(said(renewal, `${short(first)} (mail.contoso.com`)).not.toEqual([]);
    expect(await story.thumbprints()).toContain(first.thumbprint);
    expect(await story.broken()).toEqual([]);
    // Once the renewed one is the default the old one goes, in the same run.
    await story.up({ mail: { ...bound(second.source), replaceDefaultSmtpCertificate: true } });
    expect(await story.thumbprints()).not.toContain(first.thumbprint);
  });

  it("stays while another binding of the program declares it", async () => {
    const story = await begin();
    const other = { server: EX01, certificate: first.source, services: ["SMTP"] };
    await story.up({ mail: bound(first.source), other });
    const up = await story.up({ mail: bound(second.source), other });
    expect(said(up, 'stays: binding "other" declares it')).not.toEqual([]);
    expect(await story.thumbprints()).toContain(first.thumbprint);
  });

  it("goes or stays as the changed program says, whatever the old one said", async () => {
    const story = await begin();
    await story.up({ mail: { ...bound(first.source), onDelete: "retain" } });
    await story.up({ mail: bound(second.source) });
    expect(await story.thumbprints()).not.toContain(first.thumbprint);
    await story.up({ mail: { ...bound(third.source), onDelete: "retain" } });
    expect(await story.thumbprints()).toContain(second.thumbprint);
  });

  it("is taken again when the program goes back to it, and not removed", async () => {
    const story = await begin();
    await story.touch(() => CONNECTOR(MAIL_NAME));
    await story.up({ mail: bound(first.source) });
    await story.up({ mail: bound(second.source) });
    await story.up({ mail: bound(first.source) });
    await story.touch(() => CONNECTOR(null));
    const up = await story.up({ mail: bound(first.source) });
    expect(said(up, `removed ${short(second)}`)).toHaveLength(1);
    expect(await story.thumbprints()).toContain(first.thumbprint);
  });
});

describe("after thirty rotations", () => {
  /** Of each run: the size of the outputs without the source, and the longest line of plan and change. */
  async function rotated(onDelete: "remove" | "retain") {
    const story = await begin();
    const [sizes, lines]: [number[], number[]] = [[], []];
    const wish = (certificate: unknown) => ({ mail: { ...bound(certificate), onDelete } });
    let last = first;
    for (let rotation = 0; rotation < 30; rotation += 1) {
      last = givenPfx({ issuer: authority });
      const run = await story.up(wish(last.source));
      sizes.push(JSON.stringify({ ...story.outputs("mail"), certificate: undefined }).length);
      lines.push(Math.max(...run.lines.map((line) => line.length)));
    }
    const settled = await story.up(wish(last.source));
    return { story, sizes, lines, settled, last };
  }

  it("there are as many certificates as before where they are removed, the state has one size, and so have the lines", async () => {
    const { story, sizes, lines, settled, last } = await rotated("remove");
    expect(settled.done).toEqual({ mail: "same" });
    expect(await story.thumbprints()).toHaveLength(2);
    expect(await story.thumbprints()).toContain(last.thumbprint);
    expect(await story.broken()).toEqual([]);
    // The first replaced none of ours, the second none that had replaced one.
    expect(new Set(sizes.slice(2)).size).toBe(1);
    expect(Math.max(...lines.slice(2))).toBeLessThanOrEqual(Math.max(...lines.slice(0, 2)));
  });

  it("the state and the lines stay small where all are retained: older ones are counted", async () => {
    const { story, sizes, lines, settled } = await rotated("retain");
    expect(settled.done).toEqual({ mail: "same" });
    expect(await story.thumbprints()).toHaveLength(31);
    expect(story.outputs("mail")["supersedes"]).toHaveLength(3);
    expect(new Set(sizes.slice(4)).size).toBe(1);
    expect(Math.max(...sizes)).toBeLessThan(2048);
    expect(Math.max(...lines)).toBeLessThan(400);
  });

  it("those that a send connector keeps are counted, and go together once it may be", async () => {
    const story = await begin();
    await story.touch(() => CONNECTOR(MAIL_NAME));
    let [longest, last] = [0, first];
    for (let rotation = 0; rotation < 8; rotation += 1) {
      last = givenPfx({ issuer: authority });
      const run = await story.up({ mail: bound(last.source) });
      if (rotation > 3) longest = Math.max(longest, ...said(run, "each has the issuer").map((line) => line.length));
    }
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(400);
    await story.touch(() => CONNECTOR(null));
    await story.up({ mail: bound(last.source) });
    expect(await story.thumbprints()).toHaveLength(2);
  });
});

describe("a binding that is taken out of the program", () => {
  it("takes its certificate with it when nothing needs it", async () => {
    const story = await begin();
    await story.up({ mail: bound(first.source, ["SMTP"]) });
    const up = await story.up({});
    expect(said(up, `removed ${short(first)}`)).toHaveLength(1);
    expect(await story.thumbprints()).not.toContain(first.thumbprint);
    expect(await story.broken()).toEqual([]);
  });

  it("is refused with every reason and the way out while something needs the certificate", async () => {
    const story = await begin();
    await story.up({ mail: { ...bound(first.source, ["IIS", "IMAP", "SMTP"]), replaceDefaultSmtpCertificate: true } });
    await story.touch(() => CONNECTOR(MAIL_NAME));
    const { failures } = await failed(story.up({}));
    expect(failures).toEqual([
      expect.stringMatching(
        /it is the default SMTP certificate.*it is bound to the front end of IIS; it is the only valid certificate for mail\.contoso\.com, the name of IMAP; .*send connector "Outbound".*onDelete: "retain", run pulumi up, then delete\. Nothing was changed\.$/,
      ),
    ]);
    expect(await story.broken()).toEqual([]);
    expect(await story.thumbprints()).toContain(first.thumbprint);
  });

  it("is no failure when the certificate is gone already", async () => {
    const story = await begin();
    await story.up({ mail: bound(first.source, ["SMTP"]) });
    await story.touch(({ certificates, ...server }, { servers }) => ({
      servers: { ...servers, [EX01]: { ...server, certificates: certificates.slice(0, 1) } },
    }));
    const up = await story.up({});
    expect(said(up, `certificate ${first.thumbprint} isn't on ${EX01} any more`)).toHaveLength(1);
  });

  it("never takes a certificate with it that was named by its thumbprint: its key may be nowhere else", async () => {
    const story = await begin();
    await story.up({ mail: bound(first.source, ["SMTP"]) });
    await story.up({ mail: { ...bound(first.source, ["SMTP"]), onDelete: "retain" } });
    await story.up({});
    await story.up({ mail: bound({ thumbprint: first.thumbprint }, ["SMTP"]) });
    const { failures } = await failed(story.up({}));
    expect(failures[0]).toMatch(/it was on the server before, so its key may be nowhere else/);
    expect(await story.thumbprints()).toContain(first.thumbprint);
    // With all else that is in the way.
    await story.touch(({ iis, ...server }, { servers }) => ({
      servers: { ...servers, [EX01]: { ...server, iis: { ...iis, backEnd: first.thumbprint } } },
    }));
    const again = (await failed(story.up({}))).failures[0];
    expect(again).toMatch(/is bound to the back end of IIS; it was on the server before/);
  });
});
