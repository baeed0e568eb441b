import { consequencesOn } from "../../provider/backends/simulator/consequences";
import type { Organisation, ServerState } from "../../provider/backends/simulator/organisation";
import { parseOrganisation } from "../../provider/backends/simulator/organisationText";
import { organisation, published, server, stored } from "../backends/simulator/lab";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import { STATE_FILE, makePfx, pfxText, programOf, type TestPfx } from "../engine/bindingProgram";
import { makeProject, mustSucceed, type EngineProject } from "../engine/engine";

/*
 * What becomes of old certificates, story by story, each on a server of its own, so that one run carries all of them on
 * by a step.
 */

/** A server as setup leaves it. */
function serverOf(name: string): ServerState {
  const own = makeTestCertificate({ dnsNames: [name, `${name.toLowerCase()}.contoso.com`] });
  const { thumbprint } = own.facts;
  return server({
    name,
    certificates: [stored(own, { privateKey: { networkServiceRead: true } })],
    iis: { frontEnd: thumbprint, backEnd: thumbprint, requireSsl: true },
    imap: { x509CertificateName: name },
    pop: { x509CertificateName: name },
    internalTransportCertificate: published(own),
    receiveConnectors: [{ name: `Default ${name}`, fqdn: null, tlsCertificateName: null }],
  });
}

const NAMES = [
  "FEWER",
  "MADE",
  "HANDED",
  "BOTH",
  "FORGETS",
  "NAMES",
  "WILD",
  "DEFAULTS",
  "BACKEND",
  "TWICE",
  "RENAMED",
  "UPSTREAM",
  "LATER",
  "MOVED1",
  "MOVED2",
] as const;
/** Servers on which a replacement fails half-way. */
const FAILING = ["BACKAGAIN", "TORETAIN", "TOREMOVE"] as const;
type Name = (typeof NAMES)[number] | (typeof FAILING)[number];
const hostOf = (name: Name): string => `${name.toLowerCase()}.contoso.com`;
const authority = makeTestAuthority();
const pfxFor = (...dnsNames: readonly string[]): TestPfx =>
  makePfx({ dnsNames: dnsNames.length === 0 ? ["mail.contoso.com"] : dnsNames, issuer: authority });
const short = ({ thumbprint }: TestPfx): string => thumbprint.slice(0, 8);

function organisationIn(project: EngineProject): Organisation {
  return parseOrganisation(project.readFile(STATE_FILE));
}

function stateOf(project: EngineProject, name: Name): ServerState {
  const found = organisationIn(project).servers[hostOf(name)];
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

function edit(project: EngineProject, name: Name, change: (state: ServerState) => Partial<ServerState>): void {
  const all = organisationIn(project);
  const state = stateOf(project, name);
  const servers = { ...all.servers, [hostOf(name)]: { ...state, ...change(state) } };
  project.writeFile(STATE_FILE, JSON.stringify({ ...all, servers }));
}

/** As the simulator's file has it. */
const derOf = ({ certificatePem }: TestPfx): string => certificatePem.replace(/-----[A-Z ]+-----|\s/g, "");

const COUNTS: Readonly<Partial<Record<Name, number>>> = { BOTH: 3, TWICE: 3, LATER: 3, MOVED1: 1 };

/** What doesn't work on any server. */
function broken(project: EngineProject): readonly string[] {
  const all = organisationIn(project);
  return Object.values(all.servers).flatMap((one) =>
    consequencesOn(all, one, new Date())
      .filter(({ kind }) => kind !== "webManagementWithout")
      .map((consequence) => `${one.name}: ${JSON.stringify(consequence)}`),
  );
}

const bind = (name: string, at: Name, certificate: string, services: string, more = "", options = "{}"): string =>
  `const ${name} = new ExchangeCertificateBinding("${name}", { server: "${hostOf(at)}", certificate: ${certificate}, services: ${services}, onDelete: "remove", ${more} }, ${options});`;

const program = (...statements: readonly string[]): string => `
  const pulumi = require("@pulumi/pulumi");
  const { ExchangeCertificateBinding } = require("pulumi-exchange-certificates");
  const pfxs = ${JSON.stringify(issued)};
  const issue = (inputs) => ({ ...inputs, ...pfxs[inputs.serial] });
  class Issued extends pulumi.dynamic.Resource {
    constructor(name, args) {
      super({
        create: async (inputs) => ({ id: String(inputs.serial), outs: issue(inputs) }),
        diff: async (_id, olds, news) => ({ changes: olds.serial !== news.serial, replaces: ["serial"], deleteBeforeReplace: true }),
      }, name, { pfx: undefined, password: undefined, ...args }, { additionalSecretOutputs: ["pfx", "password"] });
    }
  }
  ${statements.join("\n  ")}
`;

const pfx = {
  fewer: [pfxFor(), pfxFor()],
  handed: pfxFor(),
  both: [pfxFor(), pfxFor("owa.contoso.com")],
  forgets: pfxFor(),
  names: [pfxFor(), pfxFor("owa.contoso.com")],
  wild: [pfxFor("*.contoso.com"), pfxFor()],
  defaults: [pfxFor(), pfxFor()],
  backend: [pfxFor(), pfxFor()],
  twice: [pfxFor(), pfxFor()],
  renamed: [pfxFor(), pfxFor()],
  upstream: [pfxFor(), pfxFor()],
  later: [pfxFor(), pfxFor()],
  moved: pfxFor(),
} as const;
const issued = pfx.upstream.map(({ base64, password }) => ({ pfx: base64, password }));
const made = (services: string): string =>
  bind("made", "MADE", '{ selfSigned: { dnsNames: ["mail.contoso.com"] } }', services);
const upstream = (serial: number): string => `
  const issuer = new Issued("issuer", { serial: ${String(serial)} });
  ${bind("upstream", "UPSTREAM", "{ pfx: issuer.pfx, password: issuer.password }", '["IIS", "SMTP"]')}`;
const SMTP = '["SMTP"]';
const BOTH = '["IIS", "SMTP"]';

function first(): string {
  return program(
    bind("fewer", "FEWER", pfxText(pfx.fewer[0]), '["IIS", "IMAP", "SMTP"]'),
    made(BOTH),
    bind("handed", "HANDED", pfxText(pfx.handed), BOTH),
    bind("both", "BOTH", pfxText(pfx.both[0]), BOTH),
    bind("forgets", "FORGETS", pfxText(pfx.forgets), '["IIS", "POP", "SMTP"]'),
    bind("names", "NAMES", pfxText(pfx.names[0]), '["IMAP", "SMTP"]'),
    bind("wild", "WILD", pfxText(pfx.wild[0]), '["IMAP", "SMTP"]', 'imapCertificateName: "mail.contoso.com"'),
    bind("defaults", "DEFAULTS", pfxText(pfx.defaults[0]), SMTP, "replaceDefaultSmtpCertificate: true"),
    bind("backend", "BACKEND", pfxText(pfx.backend[0]), BOTH),
    bind("twice", "TWICE", pfxText(pfx.twice[0]), '["IIS"]'),
    bind("again", "TWICE", pfxText(pfx.twice[0]), SMTP),
    bind("renamed", "RENAMED", pfxText(pfx.renamed[0]), SMTP),
    upstream(0),
    bind("later", "LATER", pfxText(pfx.later[0]), SMTP),
    bind("moved", "MOVED1", pfxText(pfx.moved), SMTP),
  );
}

function second(builtIn: string): string {
  return program(
    bind("fewer", "FEWER", pfxText(pfx.fewer[1]), '["IIS"]'),
    made('["IIS"]'),
    bind("handed", "HANDED", pfxText(pfx.handed), SMTP, `successor: "${builtIn}"`),
    bind("successor", "BOTH", pfxText(pfx.both[1]), SMTP),
    bind("both", "BOTH", pfxText(pfx.both[0]), SMTP, "successor: successor.thumbprint"),
    bind("forgets", "FORGETS", pfxText(pfx.forgets), BOTH, 'onServiceRemoved: "forget"'),
    bind("names", "NAMES", pfxText(pfx.names[1]), '["IMAP", "SMTP"]'),
    bind("wild", "WILD", pfxText(pfx.wild[1]), '["IMAP", "SMTP"]', 'imapCertificateName: "mail.contoso.com"'),
    bind("defaults", "DEFAULTS", pfxText(pfx.defaults[1]), SMTP),
    bind("backend", "BACKEND", pfxText(pfx.backend[1]), BOTH),
    bind("again", "TWICE", pfxText(pfx.twice[0]), SMTP),
    bind("twice", "TWICE", pfxText(pfx.twice[1]), '["IIS"]', "", "{ dependsOn: [again] }"),
    bind("newName", "RENAMED", pfxText(pfx.renamed[1]), SMTP, "", '{ aliases: [{ name: "renamed" }] }'),
    upstream(1),
    bind("later", "LATER", pfxText(pfx.later[1]), SMTP, "removeAfterDays: 1"),
    bind("moved", "MOVED2", pfxText(pfx.moved), SMTP, "removeAfterDays: 1"),
  );
}

function third(builtIn: string, order: "first" | "last"): string {
  const after = (name: string): string => `{ dependsOn: [${name}] }`;
  const other = bind("other", "LATER", pfxText(pfx.later[0]), SMTP, "", order === "last" ? after("later") : "{}");
  const later = bind("later", "LATER", pfxText(pfx.later[1]), SMTP, "", order === "first" ? after("other") : "{}");
  return program(
    bind("fewer", "FEWER", pfxText(pfx.fewer[1]), '["IIS"]'),
    made('["IIS"]'),
    bind("handed", "HANDED", pfxText(pfx.handed), SMTP, `successor: "${builtIn}"`),
    bind("successor", "BOTH", pfxText(pfx.both[1]), SMTP),
    bind("both", "BOTH", pfxText(pfx.both[0]), SMTP, "successor: successor.thumbprint"),
    bind("forgets", "FORGETS", pfxText(pfx.forgets), BOTH),
    bind("names", "NAMES", pfxText(pfx.names[1]), '["IMAP", "SMTP"]'),
    bind("wild", "WILD", pfxText(pfx.wild[0]), '["IMAP", "SMTP"]', 'imapCertificateName: "mail.contoso.com"'),
    bind("defaults", "DEFAULTS", pfxText(pfx.defaults[1]), SMTP, "replaceDefaultSmtpCertificate: true"),
    bind("backend", "BACKEND", pfxText(pfx.backend[1]), BOTH),
    bind("again", "TWICE", pfxText(pfx.twice[0]), SMTP),
    bind("twice", "TWICE", pfxText(pfx.twice[1]), '["IIS"]', "", "{ dependsOn: [again] }"),
    bind("newName", "RENAMED", pfxText(pfx.renamed[1]), SMTP, "", '{ aliases: [{ name: "renamed" }] }'),
    upstream(1),
    ...(order === "first" ? [other, later] : [later, other]),
    bind("moved", "MOVED2", pfxText(pfx.moved), SMTP),
  );
}

describe("old certificates in the real engine", () => {
  let project: EngineProject;
  let builtIn: string;

  beforeAll(async () => {
    project = await makeProject({
      program: first(),
      config: { "exchange:backend": "simulator" },
      files: { [STATE_FILE]: JSON.stringify(organisation(NAMES.map(serverOf))) },
    });
    builtIn = stateOf(project, "HANDED").iis.frontEnd ?? "";
    mustSucceed(await project.up("--skip-preview"));
    edit(project, "BACKEND", ({ iis }) => ({ iis: { ...iis, backEnd: pfx.backend[0].thumbprint } }));
  });

  it("go with their replacement, or stay for a reason that preview and up tell", async () => {
    project.setProgram(second(builtIn));
    const preview = mustSucceed(await project.preview()).combined;
    const up = mustSucceed(await project.up("--skip-preview")).combined;
    const goes = [pfx.fewer[0], pfx.names[0], pfx.wild[0], pfx.renamed[0]];
    for (const one of goes) {
      expect(preview).toContain(`plan: removes the replaced ${short(one)}`);
      expect(up).toContain(`removed ${short(one)}`);
      expect(project.readFile(STATE_FILE)).not.toContain(derOf(one));
    }
    for (const said of [preview, up]) {
      expect(said).toContain(`SMTP goes with ${short(pfx.fewer[0])} (mail.contoso.com) when that is removed`);
      expect(said).toContain("the new certificate holds IMAP too, by the same name");
      expect(said).toMatch(/SMTP goes with [0-9A-F]{8} \(mail\.contoso\.com\) when that is removed/);
      expect(said).toContain(`${short(pfx.defaults[0])} (mail.contoso.com, 6`);
      expect(said).toContain("stays: it is the default SMTP certificate, which Exchange doesn't let go");
      expect(said).toContain("stays: it is bound to the back end of IIS");
      expect(said).toContain(`certificate ${short(pfx.twice[0])} stays: binding "again" declares it`);
      expect(said).toContain("stays: it is kept as a way back until");
      expect(said).toContain("POP is no longer managed here; the certificate keeps it");
      expect(said).toContain(`removes certificate ${pfx.moved.thumbprint} from ${hostOf("MOVED1")} by a later run`);
    }
    expect(up).toContain(`enabled IIS for the successor ${builtIn.slice(0, 8)}; IIS left ${short(pfx.handed)}`);
    expect(preview).toContain("IIS goes to the successor, once that is on the server");
    expect(up).toContain(`enabled IIS for the successor ${short(pfx.both[1])}; IIS left ${short(pfx.both[0])}`);
    expect(up).toContain(
      `certificate ${short(pfx.upstream[0])} stays until the binding that replaces this one is there`,
    );
    // What is removed at the end is no way back.
    for (const one of goes) expect(up).not.toContain(`back to ${short(one)}`);
    expect(up).toContain(`to give IIS back to ${short(pfx.backend[0])}`);
    expect(broken(project)).toEqual([]);
  });

  it("are refused to a binding that comes later and declares them, with the way out", async () => {
    project.setProgram(third(builtIn, "last"));
    const preview = await project.preview();
    expect(preview.exitCode).not.toBe(0);
    expect(preview.combined).toContain(
      `certificate: binding "later", which comes before this one, removes certificate ${pfx.later[0].thumbprint} from ${hostOf("LATER")}`,
    );
    expect(preview.combined).toContain('Let "later" depend on "other" (dependsOn)');
  });

  it("go with a later run when what kept them is over, and then nothing is left to do", async () => {
    edit(project, "BACKEND", ({ iis, internalTransportCertificate }) => ({
      iis: { ...iis, backEnd: internalTransportCertificate?.thumbprint ?? null },
    }));
    project.setProgram(third(builtIn, "first"));
    const preview = mustSucceed(await project.preview()).combined;
    const up = mustSucceed(await project.up("--skip-preview")).combined;
    for (const one of [pfx.backend[0], pfx.defaults[0], pfx.upstream[0], pfx.moved]) {
      expect(preview).toContain(`plan: removes ${short(one)}`);
      expect(up).toContain(`removed ${short(one)}`);
    }
    expect(up).toContain(`on ${hostOf("MOVED1")}: removed ${short(pfx.moved)}`);
    // A wildcard certificate, back again.
    expect(up).toContain(`removed ${short(pfx.wild[1])}`);
    expect(up).toContain(
      `certificate ${short(pfx.later[0])} stays: binding "other" declares it, and its onDelete decides about it from now on`,
    );
    expect(broken(project)).toEqual([]);
    const left = (name: Name): number => stateOf(project, name).certificates.length;
    // That of the server itself, and the binding's; two where two bindings, or a successor, have one each.
    for (const name of NAMES) expect([name, left(name)]).toEqual([name, COUNTS[name] ?? 2]);
    mustSucceed(await project.preview("--expect-no-changes"));
    mustSucceed(await project.refresh("--expect-no-changes"));
  });
});

describe("a replacement that fails half-way in the real engine", () => {
  const was = [pfxFor(), pfxFor(), pfxFor()] as const;
  const next = [pfxFor(), pfxFor(), pfxFor()] as const;
  const declared = (pfxs: readonly [TestPfx, TestPfx, TestPfx], wishes: readonly [string, string, string]): string =>
    programOf({
      backAgain: declare("BACKAGAIN", pfxs[0], wishes[0]),
      toRetain: declare("TORETAIN", pfxs[1], wishes[1]),
      toRemove: declare("TOREMOVE", pfxs[2], wishes[2]),
    });
  const declare = (at: Name, one: TestPfx, onDelete: string): string =>
    `{ server: "${hostOf(at)}", certificate: ${pfxText(one)}, services: ["IIS", "SMTP"], onDelete: "${onDelete}" }`;
  const setFaults = (project: EngineProject, faults: ServerState["faults"]): void => {
    for (const name of FAILING) edit(project, name, () => ({ faults }));
  };

  it("is taken back, or goes on with another word about the old certificate; what the program says last counts", async () => {
    const project = await makeProject({
      program: declared(was, ["remove", "remove", "retain"]),
      config: { "exchange:backend": "simulator" },
      files: { [STATE_FILE]: JSON.stringify(organisation(FAILING.map(serverOf))) },
    });
    mustSucceed(await project.up("--skip-preview"));
    setFaults(project, { enableHasNoEffectOn: ["IIS"] });
    project.setProgram(declared(next, ["remove", "remove", "retain"]));
    const failed = await project.up("--skip-preview", "--continue-on-error");
    expect(failed.exitCode).not.toBe(0);
    expect(broken(project)).toEqual([]);

    setFaults(project, {});
    project.setProgram(declared([was[0], next[1], next[2]], ["remove", "retain", "remove"]));
    const up = mustSucceed(await project.up("--skip-preview")).combined;
    const frontEnd = (name: Name): string | null => stateOf(project, name).iis.frontEnd;
    expect(FAILING.map(frontEnd)).toEqual([was[0].thumbprint, next[1].thumbprint, next[2].thumbprint]);
    expect(broken(project)).toEqual([]);
    mustSucceed(await project.up("--skip-preview"));
    const state = project.readFile(STATE_FILE);
    const left = [...was, ...next].map((one) => state.includes(derOf(one)));
    expect(left).toEqual([true, true, false, false, true, true]);
    expect(up).toContain(`removed ${short(next[0])}`);
    expect(up).toContain(`plan: removes ${short(was[2])}`);
    mustSucceed(await project.preview("--expect-no-changes"));
  });
});
