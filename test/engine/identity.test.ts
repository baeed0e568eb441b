import { EX01, EX02, certificatesOf, enableByHand, makeBindings } from "./bindingProgram";
import { mustSucceed, type EngineProject } from "./engine";
import { WITH_EVENTS, eventsIn, type Diagnostic } from "./events";

const made = (names: string): string => `{ selfSigned: { dnsNames: [${names}] } }`;
const NAMES = made('"mail.contoso.com"');

/** Components of three types; the program of a test puts them together. */
const COMPONENTS = `
  const pulumi = require("@pulumi/pulumi");
  const { ExchangeCertificateBinding } = require("pulumi-exchange-certificates");
  class Component extends pulumi.ComponentResource {
    constructor(type, name, opts) { super("contoso:mail:" + type, name, {}, opts); }
  }
  const binding = (name, server, services, opts, certificate = ${NAMES}) =>
    new ExchangeCertificateBinding(name, { server, certificate, services }, opts);
`;
const CONFLICT = `${COMPONENTS}
  binding("mail", "${EX01}", ["IIS"], { parent: new Component("Web", "web") });
  const inner = new Component("Inner", "inner", { parent: new Component("Edge", "edge") });
  binding("mail", "${EX01}", ["IIS"], { parent: inner });
`;
/** What differs between the programs: the name of one binding, with its options, and the parent of another. */
const together = (renamed: string, moved: string): string => `${COMPONENTS}
  const web = new Component("Web", "web");
  const inner = new Component("Inner", "inner", { parent: web });
  const edge = new Component("Edge", "edge");
  const attic = new Component("Attic", "attic");
  binding("mail", "${EX01}", ["IIS", "SMTP"], { parent: web });
  binding(${renamed});
  binding("mail", "${EX01}", ["SMTP"], { parent: inner });
  binding("mail", "${EX01}", ["SMTP"], ${moved});
`;
const BEFORE = together(`"post", "${EX02}", ["SMTP"], { parent: web }`, "{ parent: edge }");
const ALIASED = together(
  `"letters", "${EX02}", ["SMTP"], { parent: web, aliases: [{ name: "post" }] }`,
  "{ parent: edge }",
);
const MOVED = together(
  `"letters", "${EX02}", ["SMTP"], { parent: web, aliases: [{ name: "post" }] }`,
  "{ parent: attic, aliases: [{ parent: edge }] }",
);

const TYPE = "pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding";
const urnIn = (stack: string, types: readonly string[], name: string): string =>
  `urn:pulumi:${stack}::project::${[...types.map((type) => `contoso:mail:${type}`), TYPE].join("$")}::${name}`;
const isOfStack = (urn: string): boolean => urn.includes("::pulumi:pulumi:Stack::");

describe("bindings in components, in the real engine", () => {
  it("are told apart by their URNs, keep their certificates under every new name, and each has its own lines", async () => {
    const project = await makeBindings({}, { program: CONFLICT, env: WITH_EVENTS });
    const before = await certificatesOf(project, EX01);
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    for (const label of ["web/mail", "edge/inner/mail"]) expect(refused.combined).toContain(`"${label}"`);

    project.setProgram(BEFORE);
    const urns = {
      "web/mail": urnIn("test", ["Web"], "mail"),
      "web/post": urnIn("test", ["Web"], "post"),
      "web/inner/mail": urnIn("test", ["Web", "Inner"], "mail"),
      "edge/mail": urnIn("test", ["Edge"], "mail"),
    };
    mustSucceed(await project.preview("--event-log", "preview.json"));
    expectOwnLines(project, "preview.json", urns, /plan: .*(creates|makes|imports)/);
    mustSucceed(await project.up("--skip-preview", "--event-log", "up.json"));
    expectOwnLines(project, "up.json", urns, /enabled SMTP/);
    const after = await certificatesOf(project, EX01);
    expect(after).toHaveLength(before.length + 3);
    expect(new Set(after.map(({ Thumbprint }) => Thumbprint)).size).toBe(after.length);
    const shown = after.map(({ FriendlyName }) => FriendlyName).join();
    for (const label of ["web/mail", "web/inner/mail", "edge/mail"]) expect(shown).toContain(`pulumi ${label}~`);

    mustSucceed(await project.pulumi("stack", "rename", "production"));
    mustSucceed(await project.preview("--expect-no-changes"));
    project.setProgram(ALIASED);
    mustSucceed(await project.preview("--expect-no-changes"));
    project.setProgram(MOVED);
    mustSucceed(await project.preview("--expect-no-changes"));
    mustSucceed(await project.up("--skip-preview", "--expect-no-changes"));
    const ids = (await project.resources()).filter(({ type }) => type === TYPE).map(({ urn, id }) => [urn, id]);
    expect(ids.map(([urn]) => urn).sort()).toEqual(
      [
        urnIn("production", ["Web"], "mail"),
        urnIn("production", ["Web"], "letters"),
        urnIn("production", ["Web", "Inner"], "mail"),
        urnIn("production", ["Attic"], "mail"),
      ].sort(),
    );
    expect(await certificatesOf(project, EX01)).toEqual(after);

    // The outputs have the URNs of before, and a refresh and a destroy get nothing else: no line under a row of then.
    const builtIn = before.find(({ Subject }) => Subject === "CN=EX01");
    await enableByHand(project, EX01, builtIn?.Thumbprint ?? "", "IIS");
    mustSucceed(await project.preview("--refresh", "--event-log", "refreshed.json"));
    const refreshed = expectNoStrays(project, "refreshed.json");
    expect(linesOf(refreshed.filter(({ urn = "" }) => urn === ""))).toContain("web/mail: DRIFT: IIS is now held by");
    expect(linesOf(refreshed.filter(({ urn }) => urn === urnIn("production", ["Web"], "mail")))).toMatch(
      /plan: enables IIS for .*; IIS leaves /,
    );
    mustSucceed(await project.refresh("--skip-preview", "--event-log", "refresh.json"));
    expect(linesOf(expectNoStrays(project, "refresh.json"))).toContain("web/mail: DRIFT: IIS is now held by");
    mustSucceed(await project.destroy("--skip-preview", "--event-log", "destroy.json"));
    const gone = linesOf(expectNoStrays(project, "destroy.json"));
    for (const label of ["web/mail", "web/post", "web/inner/mail", "edge/mail"]) {
      expect(gone).toContain(`${label}: no longer managed; certificate `);
    }
  });
});

/** No line stands under a row that isn't shown. Returns all of them. */
function expectNoStrays(project: EngineProject, file: string): readonly Diagnostic[] {
  const { lines, rows } = eventsIn(project, file);
  expect(lines.filter(({ urn = "" }) => urn !== "" && !isOfStack(urn) && !rows.has(urn))).toEqual([]);
  return lines;
}

function linesOf(lines: readonly Diagnostic[]): string {
  return lines.map(({ message }) => message).join("");
}

/** Each of these bindings has such a line under its row, with its label, and none has another's. */
function expectOwnLines(
  project: EngineProject,
  file: string,
  urns: Readonly<Record<string, string>>,
  expected: RegExp,
): void {
  const lines = expectNoStrays(project, file);
  for (const [label, urn] of Object.entries(urns)) {
    const own = lines.filter((line) => line.urn === urn).map(({ message }) => message);
    expect(own.join("")).toMatch(expected);
    expect(own.filter((message) => !message.includes(`${label}: `))).toEqual([]);
  }
}
