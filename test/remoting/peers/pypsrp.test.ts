import type { Endpoint } from "../../../provider/backends/simulator/endpoint/endpoint";
import { readSerializationData } from "../../../provider/backends/remote/serializationData";
import { factsOf } from "../../../provider/backends/simulator/derFacts";
import { question } from "../../../provider/backends/cmdlets";
import { SNAPSHOT_CMDLETS, UM_CMDLETS } from "../../../provider/backends/serverSnapshot";
import type { StateStore } from "../../../provider/backends/simulator/stateFile";
import { packPfx } from "../../../provider/certificate/packPfx";
import { Secret } from "../../../provider/secret";
import { defaultOrganisation, EX01, EX02, withFaults, withServer } from "../../backends/simulatedServer";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { describePeers, drive, type PipelineOutcome, serve, STATE } from "./peers";

interface Question {
  readonly caption: string;
  readonly message: string;
  readonly labels: readonly string[];
  readonly default: number;
}

const PFX_PASSWORD = "Kennwort äöü €";
const material = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
const pfx = Buffer.from(packPfx(material, new Secret(PFX_PASSWORD)).reveal()).toString("base64");
const der = Buffer.from(material.der).toString("base64");

let endpoint: Endpoint;
let store: StateStore;
beforeEach(async () => {
  ({ endpoint, store } = await serve(await defaultOrganisation()));
});
afterEach(async () => {
  await endpoint.close();
});

const pypsrp = <Outcome = PipelineOutcome>(job: Readonly<Record<string, unknown>>): Promise<Outcome> =>
  drive<Outcome>("pypsrp_peer.py", endpoint, job);

async function ex01() {
  const server = (await store.read()).servers[EX01];
  if (server === undefined) throw new Error("EX01 is gone");
  return server;
}

async function importMail(): Promise<void> {
  await pypsrp({ scenario: "import", pfx, pfxPassword: PFX_PASSWORD });
}

describePeers("pypsrp on the simulated endpoint", () => {
  it("reads the certificates, each as RawData and nothing else, and leaves no shell behind", async () => {
    const { state, output, errors } = await pypsrp({ scenario: "run", cmdlet: "Get-ExchangeCertificate" });
    expect({ state, errors }).toEqual({ state: STATE.completed, errors: [] });
    expect(output).toHaveLength((await ex01()).certificates.length);
    for (const { types, adapted, extended } of output) {
      expect(types[0]).toBe("Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate");
      expect(Object.keys(adapted)).toEqual(["RawData"]);
      expect(extended).toEqual({});
    }
    expect(endpoint.shellCount()).toBe(0);
  });

  it("reads another server with -Server", async () => {
    const job = { scenario: "run", cmdlet: "Get-ExchangeCertificate", parameters: { Server: EX02 } };
    const { output } = await pypsrp({ ...job, select: ["Identity"] });
    expect(output.map(({ extended }) => extended["Identity"])).toEqual(
      expect.arrayContaining([expect.stringMatching(/^ex02\.contoso\.com\\[0-9A-F]{40}$/)]),
    );
  });

  it("reads services through Select-Object", async () => {
    const job = { scenario: "run", cmdlet: "Get-ExchangeCertificate", select: ["Thumbprint", "Services", "NoSuch"] };
    const { state, output } = await pypsrp(job);
    expect(state).toBe(STATE.completed);
    const services = output.map(({ extended }) => extended["Services"]);
    expect(services).toContain("IMAP, POP, IIS, SMTP");
    expect(output[0]?.extended).toMatchObject({ NoSuch: null });
  });

  it("gets SerializationData when the URL asks for full serialisation", async () => {
    const path = "powershell/?serializationLevel=Full;ExchClientVer=15.2.1748.10";
    const blobs = await pypsrp<string[]>({ scenario: "serialized", path });
    const read = blobs.map((blob) => readSerializationData(Buffer.from(blob, "base64")));
    expect(read).toContainEqual({
      kind: "read",
      certificate: expect.objectContaining({ services: 27, status: 1, isSigned: true }),
    });
  });

  it("imports a PFX with a secure string, and finds the very certificate in the store", async () => {
    const job = { scenario: "import", pfx, pfxPassword: PFX_PASSWORD };
    const { state, errors, rawData } = await pypsrp<PipelineOutcome & { rawData: string[] }>(job);
    expect({ state, errors }).toEqual({ state: STATE.completed, errors: [] });
    expect(rawData).toEqual([der]);
    expect((await ex01()).certificates.at(-1)).toMatchObject({ der, privateKey: { present: true, exportable: true } });
  });

  it("is told that a password is wrong, as an error record of a pipeline that completes", async () => {
    const { state, errors } = await pypsrp({ scenario: "import", pfx, pfxPassword: "wrong" });
    expect(state).toBe(STATE.completed);
    expect(errors).toEqual([
      {
        message: expect.stringContaining("The source data cannot be imported or the wrong password was specified."),
        id: expect.stringMatching(/^\[Server=EX01,RequestId=.*\] A39CF339,.*\.ImportExchangeCertificate$/),
        category: 22,
        reason: "InvalidOperationException",
        activity: "Import-ExchangeCertificate",
      },
    ]);
  });

  it.each([
    ["Yes", 0, material.facts.thumbprint],
    ["No", 2, undefined],
  ])("is asked about the default SMTP certificate and answers %s", async (_answer, choice, expected) => {
    await importMail();
    const before = (await ex01()).internalTransportCertificate?.thumbprint;
    const parameters = { Thumbprint: material.facts.thumbprint, Services: "IIS,SMTP" };
    const outcome = await pypsrp<PipelineOutcome & { questions: Question[] }>({
      scenario: "enable",
      choice,
      parameters,
    });
    expect(outcome).toMatchObject({ state: STATE.completed, errors: [] });
    expect(outcome.questions).toEqual([
      {
        caption: "Confirm",
        message: expect.stringContaining(`Replace it with certificate: '${material.facts.thumbprint}'`),
        labels: ["&Yes", "Yes to &All", "&No", "No to A&ll"],
        default: 0,
      },
    ]);
    const after = await ex01();
    expect(after.internalTransportCertificate?.thumbprint).toBe(expected ?? before);
    expect(after.iis.frontEnd).toBe(material.facts.thumbprint);
  });

  it("fails and changes nothing when there is a question and no host to put it to", async () => {
    await importMail();
    const before = await ex01();
    const parameters = { Thumbprint: material.facts.thumbprint, Services: ["SMTP"] };
    const { state, errors } = await pypsrp({ scenario: "run", cmdlet: "Enable-ExchangeCertificate", parameters });
    expect(state).toBe(STATE.failed);
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining("user interaction") })]);
    expect(await ex01()).toEqual(before);
  });

  it.each(Object.values({ ...SNAPSHOT_CMDLETS, ...UM_CMDLETS }))("is answered by %s", async (cmdlet) => {
    const organisation = withServer(await defaultOrganisation(), EX01, () => ({
      version: { major: 15, minor: 1, build: 2507, revision: 6 },
      um: { startupMode: "TLS", certificate: null },
      umCallRouter: { startupMode: "Dual", certificate: null },
    }));
    await store.update(() => ({ organisation, result: undefined }));
    const job = { scenario: "run", cmdlet, parameters: question(cmdlet, EX01).parameters };
    const { state, output, errors } = await pypsrp(job);
    expect({ state, errors }).toEqual({ state: STATE.completed, errors: [] });
    const mayBeNone = ["Get-SendConnector", "Get-FederationTrust", "Get-EdgeSubscription"].includes(cmdlet);
    expect(output.length).toBeGreaterThanOrEqual(mayBeNone ? 0 : 1);
  });

  it("removes a certificate, asking nothing when it is told not to", async () => {
    await importMail();
    const { thumbprint } = material.facts;
    const parameters = { Thumbprint: thumbprint, Server: EX01, Confirm: false };
    const { state, errors } = await pypsrp({ scenario: "run", cmdlet: "Remove-ExchangeCertificate", parameters });
    expect({ state, errors }).toEqual({ state: STATE.completed, errors: [] });
    expect((await ex01()).certificates.map((one) => factsOf(one.der).thumbprint)).not.toContain(thumbprint);
  });

  it("lets connectors name a certificate, which isn't removed then, and clears the name again", async () => {
    await importMail();
    const { thumbprint, issuer, subject } = material.facts;
    const [receive] = (await ex01()).receiveConnectors;
    const send = { name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers: ["EX01"] };
    await store.update((all) => ({ organisation: { ...all, sendConnectors: [send] }, result: undefined }));
    const named = async () => [
      (await store.read()).sendConnectors[0]?.tlsCertificateName,
      (await ex01()).receiveConnectors[0]?.tlsCertificateName,
    ];
    const set = async (name: string | null): Promise<void> => {
      for (const [cmdlet, Identity] of [
        ["Set-SendConnector", "Outbound"],
        ["Set-ReceiveConnector", `EX01\\${receive?.name ?? ""}`],
      ] as const) {
        const parameters = { Identity, TlsCertificateName: name };
        const { state, errors } = await pypsrp({ scenario: "run", cmdlet, parameters });
        expect({ cmdlet, state, errors }).toEqual({ cmdlet, state: STATE.completed, errors: [] });
      }
    };
    const name = `<I>${issuer}<S>${subject}`;
    await set(name);
    expect(await named()).toEqual([name, name]);
    const parameters = { Thumbprint: thumbprint, Server: EX01, Confirm: false };
    const refused = await pypsrp({ scenario: "run", cmdlet: "Remove-ExchangeCertificate", parameters });
    expect(refused.errors).toEqual([expect.objectContaining({ message: expect.stringContaining("Outbound") })]);
    await set(null);
    expect(await named()).toEqual([null, null]);
    const { errors } = await pypsrp({ scenario: "run", cmdlet: "Remove-ExchangeCertificate", parameters });
    expect(errors).toEqual([]);
  });

  it("gets warnings as warnings", async () => {
    const parameters = { X509CertificateName: "imap.contoso.com" };
    const { state, warnings } = await pypsrp({ scenario: "run", cmdlet: "Set-ImapSettings", parameters });
    expect(state).toBe(STATE.completed);
    expect(warnings).toEqual([expect.stringContaining("have to be restarted")]);
  });

  it("clears a name with null", async () => {
    const parameters = { X509CertificateName: null };
    await pypsrp({ scenario: "run", cmdlet: "Set-ImapSettings", parameters });
    expect((await ex01()).imap.x509CertificateName).toBeNull();
  });

  it("gets an error record with its identifier for a certificate that isn't there", async () => {
    const parameters = { Thumbprint: "AB".repeat(20) };
    const { state, errors } = await pypsrp({ scenario: "run", cmdlet: "Get-ExchangeCertificate", parameters });
    expect(state).toBe(STATE.completed);
    expect(errors).toEqual([
      expect.objectContaining({
        message: `A special Rpc error occurs on server EX01: The certificate with thumbprint ${"AB".repeat(20)} was not found.`,
        id: expect.stringContaining("[FailureCategory=Cmdlet-InvalidOperationException] 71D7F7B0,"),
      }),
    ]);
  });

  it("is told that it doesn't know a cmdlet which its role hides", async () => {
    const organisation = withFaults(await defaultOrganisation(), EX01, { hiddenCmdlets: ["Get-SendConnector"] });
    await store.update(() => ({ organisation, result: undefined }));
    const { state, errors } = await pypsrp({ scenario: "run", cmdlet: "Get-SendConnector" });
    expect(state).toBe(STATE.failed);
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringContaining("'Get-SendConnector' is not recognized as the name of a cmdlet"),
        id: "CommandNotFoundException",
      }),
    ]);
  });

  it("may send no script text", async () => {
    const { state, errors } = await pypsrp({ scenario: "script", script: "Get-ExchangeCertificate" });
    expect(state).toBe(STATE.failed);
    expect(errors).toEqual([expect.objectContaining({ id: "ScriptsNotAllowed" })]);
  });

  it.each(["stop", "abandon"])("can %s a cmdlet, and the session goes on", async (scenario) => {
    const organisation = withFaults(await defaultOrganisation(), EX02, { slowMilliseconds: 600_000 });
    await store.update(() => ({ organisation, result: undefined }));
    const states = await pypsrp<number[]>({ scenario, parameters: { Server: EX02 } });
    expect(states).toEqual([STATE.stopped, STATE.completed]);
  });

  it("waits for a slow cmdlet over many Receives that have nothing to say", async () => {
    const organisation = withFaults(await defaultOrganisation(), EX01, { slowMilliseconds: 2500 });
    await store.update(() => ({ organisation, result: undefined }));
    const { state } = await pypsrp({ scenario: "run", cmdlet: "Get-ExchangeCertificate", operationTimeout: 1 });
    expect(state).toBe(STATE.completed);
  });

  it("reads an answer that comes in hundreds of fragments", async () => {
    endpoint.behave({ maxFragmentBytes: 64 });
    const { output } = await pypsrp({ scenario: "run", cmdlet: "Get-ExchangeCertificate" });
    expect(output).toHaveLength((await ex01()).certificates.length);
  });

  it("has several sessions at a time", async () => {
    expect(await pypsrp<number[]>({ scenario: "sideBySide", count: 5 })).toEqual(Array(5).fill(STATE.completed));
  });

  it("is refused with a wrong password", async () => {
    expect(await pypsrp({ scenario: "refused", password: "wrong" })).toEqual({ error: "authentication" });
  });

  it("is refused another configuration", async () => {
    const outcome = await pypsrp({ scenario: "refused", configuration: "Microsoft.PowerShell" });
    expect(outcome).toEqual({ error: "fault", code: 2150858811 });
  });

  it("loses its shell when it loses the cookie, whose path isn't written as in the documented URL", async () => {
    const outcome = await pypsrp({ scenario: "refused", path: "PowerShell/" });
    expect(outcome).toEqual({ error: "fault", code: 2150858843 });
    endpoint.behave({ cookie: "set" });
    expect(await pypsrp({ scenario: "refused", path: "PowerShell/" })).toEqual({ error: null });
  });

  it("has no more shells than its quota allows", async () => {
    endpoint.behave({ maxShellsPerUser: 0 });
    expect(await pypsrp({ scenario: "refused" })).toEqual({ error: "fault", code: 2150859173 });
  });

  it("finds nobody on a server whose back-end site has lost its certificate", async () => {
    const organisation = withServer(await defaultOrganisation(), EX01, ({ certificates, iis }) => ({
      certificates: certificates.filter((one) => factsOf(one.der).thumbprint !== iis.backEnd),
    }));
    await store.update(() => ({ organisation, result: undefined }));
    const outcome = await pypsrp({ scenario: "refused" });
    expect(outcome).toEqual({ error: "http", text: expect.stringContaining("Code: 503") });
  });
});
