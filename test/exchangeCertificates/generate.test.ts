import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { stored } from "../backends/simulator/lab";
import { defaultOrganisation, EX01, EX02, withFaults, withServer } from "../backends/simulatedServer";
import { makeTestCertificate } from "../certificate/testCertificates";
import { runCommand } from "./commandRun";

const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
const expired = makeTestCertificate({ dnsNames: ["*.contoso.com"], notAfter: new Date("2025-06-01T00:00:00Z") });
/** Its subject would end a comment, and begin a line of the program. */
const unused = makeTestCertificate({ subject: 'CN="shop\u2028process.exit()"', dnsNames: ["shop.contoso.com"] });

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "generate-"));
  const smtp = { rootStore: "trusted", privateKey: { networkServiceRead: true } } as const;
  const state = withServer(await defaultOrganisation(), EX01, ({ certificates }) => ({
    certificates: [
      ...certificates,
      stored(mail, smtp),
      stored(expired, smtp),
      stored(unused, { rootStore: "trusted" }),
    ],
    pop: { x509CertificateName: "mail.contoso.com" },
    iis: { frontEnd: mail.facts.thumbprint, backEnd: mail.facts.thumbprint, requireSsl: true },
  }));
  writeFileSync(join(directory, "organisation.json"), JSON.stringify(withFaults(state, EX02, { unreachable: true })));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const generate = (...args: readonly string[]) =>
  runCommand(["generate", ...args], {
    workingDirectory: directory,
    environment: { EXCHANGE_BACKEND: "simulator", EXCHANGE_SIMULATOR_FILE: "organisation.json" },
  });

interface ImportFile {
  readonly resources: readonly { readonly type: string; readonly name: string; readonly id: string }[];
}

describe("exchange-certificates generate", () => {
  it("writes a file for pulumi import with what holds services, and says what is left out and why", async () => {
    const { code, out, errors } = await generate("--server", EX01);
    expect(code).toBe(0);
    const { resources } = JSON.parse(out) as ImportFile;
    const type = "exchange:index:ExchangeCertificateBinding";
    expect(resources).toContainEqual({ type, name: "ex01-mail.contoso.com", id: `${EX01}/${mail.facts.thumbprint}` });
    expect(resources).toContainEqual({
      type,
      name: "ex01-wildcard.contoso.com",
      id: `${EX01}/${expired.facts.thumbprint}`,
    });
    expect(new Set(resources.map(({ name }) => name)).size).toBe(resources.length);
    expect(errors).toContain(`Left out: ${EX01}: ${unused.facts.thumbprint}`);
    expect(errors).toMatch(/: it holds no service\.$/m);
    expect(errors).toMatch(/: it is an Auth certificate of the organisation\.$/m);
  });

  it("writes a program, in which everything left out is a comment and no foreign text is code", async () => {
    const { out } = await generate("--server", EX01, "--as", "program");
    expect(out).toContain(
      [
        `new ExchangeCertificateBinding("ex01-mail.contoso.com", {`,
        `  server: "${EX01}",`,
        `  certificate: { thumbprint: "${mail.facts.thumbprint}" },`,
        `  services: ["IIS", "POP", "SMTP"],`,
        `});`,
      ].join("\n"),
    );
    expect(out).toMatch(/^\/\/ - .*: it has expired on 2025-06-01$/m);
    expect(out).toMatch(/^\/\/ - .*: it holds no service$/m);
    const { diagnostics } = ts.transpileModule(out, { reportDiagnostics: true });
    expect(diagnostics).toEqual([]);
    expect(ts.transpileModule(out, { compilerOptions: { removeComments: true } }).outputText).not.toContain("process");
  });

  it("does what it can where a server doesn't answer, and says which", async () => {
    const { code, out, errors } = await generate("--server", `${EX01},${EX02}`);
    expect(code).toBe(1);
    expect((JSON.parse(out) as ImportFile).resources).not.toHaveLength(0);
    expect(errors).toContain(EX02);
  });

  it.each([
    [["--as", "yaml"], "--as takes import or program, not "],
    [["--ends-within", "3"], "--ends-within is an option of: exchange-certificates inventory"],
    [["--json"], "--json is no option of: exchange-certificates generate"],
  ])("refuses %p", async (args, why) => {
    const { code, errors } = await generate("--server", EX01, ...args);
    expect([code, errors]).toEqual([2, expect.stringContaining(why) as string]);
  });
});
