import type { Organisation } from "../../provider/backends/simulator/organisation";
import type { CertificateMaterial } from "../../provider/certificate/material";
import { stored } from "../backends/simulator/lab";
import { makeTestAuthority, makeTestCertificate, type TestCertificateWish } from "../certificate/testCertificates";
import { EX01, EX02, STATE_FILE, enableByHand, makeBindings, programOf } from "../engine/bindingProgram";
import { mustSucceed, type EngineProject } from "../engine/engine";

const EX03 = "ex03.contoso.com";
const DAY_MS = 24 * 60 * 60 * 1000;
const authority = makeTestAuthority();
const nextAuthority = makeTestCertificate({ subject: "CN=R11, O=Encrypt", isAuthority: true, key: "rsa2048b" });
const START = Date.now();

/** Enrolled so many days ago (less a half, so that a day's turn changes no number), for 90 days. */
function enrolled(name: string, daysAgo: number, wish: TestCertificateWish = {}): CertificateMaterial {
  const notBefore = new Date(START - (daysAgo - 0.5) * DAY_MS);
  const notAfter = new Date(START + (90.5 - daysAgo) * DAY_MS);
  return makeTestCertificate({ dnsNames: [`${name}.contoso.com`], issuer: authority, notBefore, notAfter, ...wish });
}

/** What somebody else does to the stores of the servers. */
function change(project: EngineProject, put: Place, take: Place = {}): void {
  const organisation = JSON.parse(project.readFile(STATE_FILE)) as Organisation;
  const servers = Object.fromEntries(
    Object.entries(organisation.servers).map(([fqdn, server]) => {
      const gone = (take[fqdn] ?? []).map(({ der }) => Buffer.from(der).toString("base64"));
      const come = (put[fqdn] ?? []).map((one) => stored(one, { rootStore: "trusted" }));
      return [
        fqdn,
        { ...server, certificates: [...server.certificates.filter(({ der }) => !gone.includes(der)), ...come] },
      ];
    }),
  );
  project.writeFile(STATE_FILE, JSON.stringify({ ...organisation, servers }));
}
type Place = Readonly<Record<string, readonly CertificateMaterial[]>>;

const short = ({ facts }: CertificateMaterial): string => facts.thumbprint.slice(0, 8);

function onServer(name: string, server = EX01, more = ""): string {
  return `{ server: "${server}", certificate: { onServer: { dnsNames: ["${name}.contoso.com"]${more} } }, services: ["SMTP"] }`;
}

async function boundBy(project: EngineProject): Promise<Readonly<Record<string, unknown>>> {
  const resources = await project.resources();
  return Object.fromEntries<unknown>(
    resources.map(({ urn, outputs }) => [urn.split("::").at(-1) ?? "", outputs?.["thumbprint"]]),
  );
}

const print = ({ facts }: CertificateMaterial): string => facts.thumbprint;

describe("certificates that something else enrols on the servers, in the real engine", () => {
  // One name for each story, so that all of them run in the same few commands.
  const web = [enrolled("web", 80), enrolled("web", 80), enrolled("web", 80)] as const;
  const webRenewed = [enrolled("web", 20), enrolled("web", 20), enrolled("web", 20)] as const;
  const own = enrolled("own", 60);
  const [taken, takenOlder] = [enrolled("taken", 20), enrolled("taken", 60)];
  const [expired, valid] = [enrolled("expired", 30, { notAfter: new Date(START - DAY_MS) }), enrolled("expired", 60)];
  const [two, twoOther] = [enrolled("two", 60), enrolled("two", 10, { issuer: nextAuthority })];
  const [turns, turnsNext] = [enrolled("turns", 60), enrolled("turns", 10, { issuer: nextAuthority })];
  const [tie, tieTwin] = [enrolled("tie", 60), enrolled("tie", 60)];
  const template = (version: number): string => `1.3.6.1.4.1.311.21.8.4711.${String(version)}`;
  const [kind, kindOther] = [
    enrolled("kind", 60, { template: template(1) }),
    enrolled("kind", 10, { template: template(2) }),
  ];
  const program = {
    web1: onServer("web", EX01),
    web2: onServer("web", EX02),
    web3: onServer("web", EX03),
    own: onServer("own"),
    taken: onServer("taken"),
    expired: onServer("expired"),
    two: onServer("two"),
    turns: onServer("turns", EX01, ', issuer: ["Contoso Issuing CA", "R11"]'),
    tie: onServer("tie"),
    kind: onServer("kind"),
  };
  const first = {
    ...program,
    expired: program.expired.replace(/\{ onServer: .*? \} \}/, `{ thumbprint: "${print(expired)}" }`),
  };

  it("are found, followed when they are renewed, and never taken for one another", async () => {
    const project = await makeBindings(first);
    mustSucceed(await project.simulator("add-server", EX03));
    change(project, {
      [EX01]: [web[0], own, taken, takenOlder, expired, valid, two, turns, tie, kind],
      [EX02]: [web[1]],
      [EX03]: [web[2]],
    });
    await enableByHand(project, EX01, print(expired), "SMTP");
    mustSucceed(await project.up("--skip-preview"));
    expect(await boundBy(project)).toMatchObject({
      web1: print(web[0]),
      web3: print(web[2]),
      taken: print(taken),
      expired: print(expired),
    });

    // Renewed on one of three servers; and all that may happen besides.
    const selfSigned = makeTestCertificate({ dnsNames: ["own.contoso.com"], notBefore: new Date(START - DAY_MS) });
    change(
      project,
      { [EX01]: [webRenewed[0], selfSigned, twoOther, turnsNext, tieTwin, kindOther] },
      { [EX01]: [taken] },
    );
    project.setProgram(programOf(program));
    const preview = mustSucceed(await project.preview()).combined;
    for (const line of [
      `of the certificates on the server the newest for web.contoso.com is ${short(webRenewed[0])}`,
      `goes: ${print(web[0])}`,
      `not ${short(selfSigned)} (own.contoso.com`,
      `certificate ${short(taken)}, which is bound, is gone from the server: ${short(takenOlder)} (taken.contoso.com, 30 days left) takes its place`,
      `${short(expired)} (expired.contoso.com), which is bound, won't do any more (it has expired): ${short(valid)} (expired.contoso.com, 30 days left), which is older, takes its place`,
      `${short(two)} (two.contoso.com, 30 days left) stays bound: which one should take its place isn't clear. These have different issuers`,
      `of the certificates on the server the newest for turns.contoso.com is ${short(turnsNext)}`,
      `${short(tie)} (tie.contoso.com, 30 days left) stays bound: which one should take its place isn't clear. These begin at the same moment`,
      `${short(kind)} (kind.contoso.com, 30 days left) stays bound: which one should take its place isn't clear. These aren't renewals of one another, because they differ in the certificate template`,
    ]) {
      expect(preview).toContain(line);
    }
    expect(preview).toContain("7 unchanged");
    mustSucceed(await project.up("--skip-preview"));
    const bound = {
      web1: print(webRenewed[0]),
      web2: print(web[1]),
      web3: print(web[2]),
      own: print(own),
      taken: print(takenOlder),
      expired: print(valid),
      two: print(two),
      turns: print(turnsNext),
      tie: print(tie),
      kind: print(kind),
    };
    expect(await boundBy(project)).toEqual(bound);

    for (let run = 0; run < 10; run += 1) mustSucceed(await project.up("--skip-preview", "--expect-no-changes"));
    mustSucceed(await project.refresh("--expect-no-changes"));

    // Renewed on the others too. What is enrolled after a preview whose plan was saved isn't bound by it.
    change(project, { [EX02]: [webRenewed[1]], [EX03]: [webRenewed[2]] });
    mustSucceed(await project.preview("--save-plan", "plan.json"));
    const later = enrolled("web", 5);
    change(project, { [EX02]: [later] });
    const refused = await project.up("--skip-preview", "--plan", "plan.json");
    expect(refused.exitCode).not.toBe(0);
    expect((await boundBy(project))["web2"]).toBe(print(web[1]));
    mustSucceed(await project.up("--skip-preview"));
    expect(await boundBy(project)).toEqual({ ...bound, web2: print(later), web3: print(webRenewed[2]) });

    // The same for a new binding.
    project.setProgram(programOf({ again: onServer("two") }));
    const unclear = await project.preview();
    expect(unclear.exitCode).not.toBe(0);
    expect(unclear.combined).toContain(
      "certificate: which certificate on ex01.contoso.com is meant isn't clear. These have different issuers",
    );
  });
});
