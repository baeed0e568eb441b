import {
  EX01,
  STATE_FILE,
  certificatesOf,
  defaultSmtpOf,
  frontEndOf,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
} from "./bindingProgram";
import { killingAdapter, type Mishap } from "../killingAdapter";
import { mustSucceed } from "./engine";

const pfx = makePfx();
const declared = (services: string, more = ""): string =>
  `{ server: "${EX01}", certificate: ${pfxText(pfx)}, services: ${services}, timeoutSeconds: 20${more} }`;

describe("after a failure", () => {
  it("the state remembers how far a creation came, and the next up finishes it in place", async () => {
    const project = await makeBindings({ mail: declared('["IIS", "SMTP", "IMAP"]') });
    mustSucceed(await project.simulator("init"));
    mustSucceed(await project.simulator("fault", EX01, "enableFailsAfter", "SMTP"));
    const failed = await project.up("--skip-preview");
    expect(failed.exitCode).not.toBe(0);
    expect(failed.combined).toContain("The state remembers how far it came; run again to continue");
    expect(failed.combined).not.toMatch(/\n\s+at \S+ \(/);
    const [resource] = await project.resources();
    expect(resource?.id).toBe(`${EX01}/${pfx.thumbprint}`);
    expect(resource?.initErrors).toHaveLength(1);
    expect(resource?.outputs?.["heldServices"]).toEqual(["IMAP", "SMTP"]);

    mustSucceed(await project.refresh());
    mustSucceed(await project.simulator("fault", EX01, "enableFailsAfter", "off"));
    const finished = mustSucceed(await project.up("--skip-preview"));
    expect(finished.combined).not.toContain("created");
    expect(await frontEndOf(project, EX01)).toBe(pfx.thumbprint);
    mustSucceed(await project.preview("--expect-no-changes"));
    mustSucceed(await project.destroy());
  });

  it("a change that didn't come about is an error that names it, never a success", async () => {
    const project = await makeBindings({ mail: declared('["IIS", "SMTP"]') });
    mustSucceed(await project.simulator("init"));
    mustSucceed(await project.simulator("fault", EX01, "enableHasNoEffectOn", "IIS"));
    const failed = await project.up("--skip-preview");
    expect(failed.exitCode).not.toBe(0);
    expect(failed.combined).toContain(`does not show that certificate ${pfx.thumbprint} holds IIS`);
    mustSucceed(await project.simulator("fault", EX01, "enableHasNoEffectOn", "off"));
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.refresh("--expect-no-changes"));
  });

  it("Active Directory may take its time to show the change", async () => {
    const project = await makeBindings({ mail: declared('["SMTP", "POP"]', ", replaceDefaultSmtpCertificate: true") });
    mustSucceed(await project.simulator("init"));
    mustSucceed(await project.simulator("fault", EX01, "directoryDelay", "milliseconds=2500"));
    mustSucceed(await project.up("--skip-preview"));
    expect(await defaultSmtpOf(project, EX01)).toBe(pfx.thumbprint);
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("nothing hangs on a server that doesn't answer within the time limit", async () => {
    const project = await makeBindings({ mail: declared('["SMTP"]', "") });
    mustSucceed(await project.preview());
    mustSucceed(await project.simulator("fault", EX01, "slowMilliseconds", "15000"));
    const failed = await project.up("--skip-preview");
    expect(failed.timedOut).toBe(false);
    expect(failed.exitCode).not.toBe(0);
    expect(failed.combined).toContain("no end after 20 seconds");
  });

  it("what was removed by hand is imported again in place", async () => {
    const project = await makeBindings({ mail: declared('["SMTP"]') });
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(
      await project.simulator(
        "Remove-ExchangeCertificate",
        "-Server",
        EX01,
        "-Thumbprint",
        pfx.thumbprint,
        "-Confirm:$false",
      ),
    );
    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toContain(`imports ${pfx.thumbprint.slice(0, 8)} again: it is gone from the server`);
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.refresh("--expect-no-changes"));
    mustSucceed(
      await project.simulator(
        "Remove-ExchangeCertificate",
        "-Server",
        EX01,
        "-Thumbprint",
        pfx.thumbprint,
        "-Confirm:$false",
      ),
    );
    mustSucceed(await project.refresh());
    expect(await project.resources()).toEqual([]);
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.preview("--expect-no-changes"));
  });
});

describe("a creation that is killed", () => {
  it("finds the certificate it had made and imported, instead of making a second one", async () => {
    const args = `{ server: "${EX01}", certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } }, services: ["IIS"] }`;
    const adapter = killingAdapter({ organisation: STATE_FILE, control: "control.json", calls: "calls.txt" });
    const project = await makeBindings(
      { mail: args },
      { config: { "exchange:backend": "./adapter.cjs" }, files: { "adapter.cjs": adapter, "calls.txt": "" } },
    );
    const expectMishap = (mishap: Mishap): void => {
      project.writeFile("control.json", JSON.stringify(mishap));
    };
    const made = async (): Promise<readonly string[]> =>
      (await certificatesOf(project, EX01))
        .filter(({ Subject }) => Subject === "CN=mail.contoso.com")
        .map(({ Thumbprint }) => Thumbprint);

    expectMishap({ first: "importCertificate", fails: false });
    expect((await project.up("--skip-preview")).exitCode).not.toBe(0);
    expect(await project.resources()).toEqual([]);
    const [orphan] = await made();
    expect(orphan).toBeDefined();

    expectMishap({ fails: false });
    const finished = mustSucceed(await project.up("--skip-preview"));
    expect(finished.combined).toContain(
      `uses certificate ${(orphan ?? "").slice(0, 8)}, which this binding made before`,
    );
    expect(await made()).toEqual([orphan]);
    expect(await frontEndOf(project, EX01)).toBe(orphan);
    mustSucceed(await project.preview("--expect-no-changes"));
  });
});

describe("an operation of the engine that names the same certificate twice", () => {
  it.each([
    [
      "state taint",
      async (project: Awaited<ReturnType<typeof makeBindings>>, urn: string) => {
        mustSucceed(await project.pulumi("state", "taint", "--yes", urn));
        mustSucceed(await project.up("--skip-preview"));
      },
    ],
    [
      "--target-replace",
      async (project: Awaited<ReturnType<typeof makeBindings>>, urn: string) => {
        mustSucceed(await project.up("--skip-preview", "--target-replace", urn));
      },
    ],
    [
      "a rename without alias",
      async (project: Awaited<ReturnType<typeof makeBindings>>) => {
        project.setProgram(programOf({ renamed: declared('["IIS", "SMTP"]') }));
        mustSucceed(await project.up("--skip-preview"));
      },
    ],
  ])("(%s) leaves it on the server", async (_what, operate) => {
    const project = await makeBindings({ mail: declared('["IIS", "SMTP"]') });
    mustSucceed(await project.up("--skip-preview"));
    const [resource] = await project.resources();
    await operate(project, resource?.urn ?? "");
    expect(await frontEndOf(project, EX01)).toBe(pfx.thumbprint);
    expect((await certificatesOf(project, EX01)).map(({ Thumbprint }) => Thumbprint)).toContain(pfx.thumbprint);
    mustSucceed(await project.preview("--expect-no-changes"));
  });
});
