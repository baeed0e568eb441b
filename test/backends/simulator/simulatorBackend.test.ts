import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { makeTestCertificate, type TestCertificate } from "../../../provider/backends/contract";
import type { Organisation, ServerFaults } from "../../../provider/backends/simulator/organisation";
import { openSimulator } from "../../../provider/backends/simulator/simulatorBackend";
import { messageOf } from "../../../provider/errors";
import { known } from "../../../provider/model";
import { backendOver, defaultOrganisation, EX01, EX02, withFaults, withServer } from "../simulatedServer";

const unlimited = { signal: new AbortController().signal };

let organisation: Organisation;
let certificate: TestCertificate;

beforeAll(async () => {
  organisation = await defaultOrganisation();
  certificate = await makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
});

const importRequest = () => ({
  thumbprint: certificate.thumbprint,
  pfx: certificate.pfx,
  password: certificate.password,
  friendlyName: undefined,
  privateKeyExportable: false,
});
const enableRequest = (changes: object = {}) => ({
  thumbprint: certificate.thumbprint,
  services: ["IIS", "SMTP"] as const,
  replaceDefaultSmtpCertificate: false,
  requireSsl: true,
  ...changes,
});

function faulty(faults: ServerFaults) {
  return backendOver(withFaults(organisation, EX01, faults)).backend;
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error,
  );
}

describe("reading a simulated server", () => {
  it("shows an Exchange 2019 server as setup leaves it", async () => {
    const snapshot = await backendOver(organisation).backend.readSnapshot(EX01, unlimited);
    expect(snapshot).toMatchObject({
      server: EX01,
      version: known({ major: 15, minor: 2, build: 1748, revision: 10 }),
      imapCertificateName: known("EX01"),
      popCertificateName: known("EX01"),
      umStartupMode: known(undefined),
      umCallRouterStartupMode: known(undefined),
      federationThumbprints: known([]),
      edgeSubscriptions: known([]),
    });
    const services = snapshot.certificates.map(({ displayedServices }) => displayedServices);
    expect(services).toEqual([known(["SMTP"]), known(["IIS", "IMAP", "POP", "SMTP"]), known([])]);
  });

  it("shows the start-up modes of unified messaging on an Exchange 2016 server", async () => {
    const snapshot = await backendOver(organisation).backend.readSnapshot(EX02, unlimited);
    expect(snapshot).toMatchObject({ umStartupMode: known("Dual"), umCallRouterStartupMode: known("TCP") });
  });

  it("tells an empty certificate name and an empty default SMTP certificate from unknown ones", async () => {
    const empty = withServer(organisation, EX01, () => ({
      imap: { x509CertificateName: null },
      internalTransportCertificate: null,
    }));
    const snapshot = await backendOver(empty).backend.readSnapshot(EX01, unlimited);
    expect(snapshot).toMatchObject({ imapCertificateName: known(undefined), defaultSmtpThumbprint: known(undefined) });
  });

  it("shows only the Edge subscriptions of the server's own site", async () => {
    const edges = {
      ...organisation,
      edgeSubscriptions: [
        { name: "EDGE01", site: organisation.servers[EX01]?.site ?? "" },
        { name: "EDGE02", site: "contoso.com/Configuration/Sites/Far-Away" },
      ],
    };
    const snapshot = await backendOver(edges).backend.readSnapshot(EX01, unlimited);
    expect(snapshot.edgeSubscriptions).toEqual(known(["EDGE01"]));
  });

  it("shows current, previous and next certificate of the federation trust", async () => {
    const [current, previous, next] = ["A", "B", "C"].map((digit) => digit.repeat(40));
    const trust = {
      name: "Microsoft Federation Gateway",
      currentCertificate: current ?? "",
      previousCertificate: previous ?? null,
      nextCertificate: next ?? null,
    };
    const federated = backendOver({ ...organisation, federationTrust: trust }).backend;
    const snapshot = await federated.readSnapshot(EX01, unlimited);
    expect(snapshot.federationThumbprints).toEqual(known([current, previous, next]));
  });

  it.each([
    ["Get-TransportService", "defaultSmtpThumbprint"],
    ["Get-ImapSettings", "imapCertificateName"],
    ["Get-PopSettings", "popCertificateName"],
    ["Get-SendConnector", "sendConnectors"],
    ["Get-ReceiveConnector", "receiveConnectors"],
    ["Get-AuthConfig", "authCertificates"],
    ["Get-FederationTrust", "federationThumbprints"],
    ["Get-EdgeSubscription", "edgeSubscriptions"],
    ["Get-ExchangeServer", "version"],
  ] as const)("says why a part is unknown when the account has no %s", async (cmdlet, part) => {
    const snapshot = await faulty({ hiddenCmdlets: [cmdlet] }).readSnapshot(EX01, unlimited);
    expect(snapshot[part]).toEqual({ kind: "unknown", reason: expect.stringContaining(cmdlet) });
  });

  it("says of unified messaging that it is unknown when a server that has it hides its cmdlets", async () => {
    const hidden = withFaults(organisation, EX02, { hiddenCmdlets: ["Get-UMService", "Get-UMCallRouterSettings"] });
    const snapshot = await backendOver(hidden).backend.readSnapshot(EX02, unlimited);
    expect([snapshot.umStartupMode.kind, snapshot.umCallRouterStartupMode.kind]).toEqual(["unknown", "unknown"]);
  });

  it("takes the server's name from a certificate when the server itself isn't shown", async () => {
    const backend = faulty({ hiddenCmdlets: ["Get-ExchangeServer"], answersAs: EX02 });
    const hidden = backendOver(
      withFaults(withFaults(organisation, EX01, { answersAs: EX02 }), EX02, { hiddenCmdlets: ["Get-ExchangeServer"] }),
    ).backend;
    expect((await hidden.readSnapshot(EX01, unlimited)).server).toBe(EX02);
    expect((await backend.readSnapshot(EX01, unlimited)).server).toBe(EX02);
  });

  it("fails rather than guess the server's name", async () => {
    const backend = faulty({ hiddenCmdlets: ["Get-ExchangeServer"], servicesUnknown: true });
    expect(await failure(backend.readSnapshot(EX01, unlimited))).toMatchObject({ code: "CmdletNotAvailable" });
  });

  it("fails when the account may not list certificates", async () => {
    const backend = faulty({ hiddenCmdlets: ["Get-ExchangeCertificate"] });
    expect(await failure(backend.readSnapshot(EX01, unlimited))).toMatchObject({
      code: "CmdletNotAvailable",
      message: expect.stringMatching(/^Reading ex01\.contoso\.com: .*Exchange Server Certificates/),
    });
  });

  it("counts the reads that still get an old value from Active Directory", async () => {
    const { backend } = backendOver(withFaults(organisation, EX01, { directoryDelay: { reads: 2 } }));
    await backend.setCertificateName(EX01, "POP", "pop.contoso.com", unlimited);
    const names = [];
    for (let read = 0; read < 3; read++) names.push((await backend.readSnapshot(EX01, unlimited)).popCertificateName);
    expect(names).toEqual([known("EX01"), known("EX01"), known("pop.contoso.com")]);
  });
});

describe("changing a simulated server", () => {
  it("passes on the server's text, the cmdlet and the error record with an error", async () => {
    const { backend } = backendOver(organisation);
    expect(await failure(backend.enableServices(EX01, enableRequest(), unlimited))).toMatchObject({
      code: "CertificateNotFound",
      message: expect.stringContaining("A special Rpc error occurs on server EX01"),
      facts: {
        server: EX01,
        cmdlet: "Enable-ExchangeCertificate",
        categoryInfo: expect.stringContaining("[Enable-ExchangeCertificate]"),
        fullyQualifiedErrorId: expect.stringContaining("EnableExchangeCertificate"),
      },
    });
  });

  it("requires SSL unless told not to", async () => {
    const lax = withServer(organisation, EX01, ({ iis }) => ({ iis: { ...iis, requireSsl: false } }));
    const { backend, store } = backendOver(lax);
    await backend.importCertificate(EX01, importRequest(), unlimited);
    await backend.enableServices(EX01, enableRequest({ requireSsl: false }), unlimited);
    expect((await store.read()).servers[EX01]?.iis.requireSsl).toBe(false);
    await backend.enableServices(EX01, enableRequest(), unlimited);
    expect((await store.read()).servers[EX01]?.iis.requireSsl).toBe(true);
  });

  it("keeps what an enabling had done before it failed", async () => {
    const { backend } = backendOver(withFaults(organisation, EX01, { enableFailsAfter: "IIS" }));
    await backend.importCertificate(EX01, importRequest(), unlimited);
    const error = await failure(backend.enableServices(EX01, enableRequest(), unlimited));
    expect(error).toMatchObject({ code: "CmdletFailed" });
    const { certificates } = await backend.readSnapshot(EX01, unlimited);
    expect(certificates.at(-1)).toMatchObject({ displayedServices: known(["IIS"]), iisSites: known([1]) });
  });

  it("refuses to call a certificate without its key already there", async () => {
    const { backend, store } = backendOver(organisation);
    await backend.importCertificate(EX01, importRequest(), unlimited);
    const keyless = withServer(await store.read(), EX01, ({ certificates }) => ({
      certificates: certificates.map((one) => ({ ...one, privateKey: { ...one.privateKey, present: false } })),
    }));
    const again = backendOver(keyless).backend.importCertificate(EX01, importRequest(), unlimited);
    expect(await failure(again)).toMatchObject({ code: "ImportRefused" });
  });

  it("says by its code that the account may not import", async () => {
    const backend = faulty({ hiddenCmdlets: ["Import-ExchangeCertificate"] });
    const error = await failure(backend.importCertificate(EX01, importRequest(), unlimited));
    expect(error).toMatchObject({ code: "CmdletNotAvailable" });
    expect(inspect(error, { depth: 9 })).not.toContain(certificate.password.reveal());
  });
});

describe("the time limit of a call", () => {
  it("ends the call with the error that the signal carries", async () => {
    const limit = new AbortController();
    const reading = faulty({ slowMilliseconds: 3_600_000 }).readSnapshot(EX01, { signal: limit.signal });
    const reason = new Error("stop");
    limit.abort(reason);
    expect(await failure(reading)).toMatchObject({ code: "TimedOut", cause: reason });
  });

  it("ends waiting calls when the backend is closed", async () => {
    const backend = faulty({ slowMilliseconds: 3_600_000 });
    const reading = backend.readSnapshot(EX01, unlimited);
    await backend.close();
    expect(messageOf(await failure(reading))).toMatch(/closed/);
  });

  it("lets a slow server answer in the end", async () => {
    const snapshot = await faulty({ slowMilliseconds: 20 }).readSnapshot(EX01, unlimited);
    expect(snapshot.server).toBe(EX01);
  });
});

describe("opening the simulator", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "simulator-"));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it("says once that this is a simulation, in which file, and that no Exchange server is touched", () => {
    const file = join(directory, "said.json");
    const said: string[] = [];
    for (let times = 0; times < 3; times++) openSimulator({ file, say: (line) => said.push(line) });
    expect(said).toEqual([expect.stringMatching(/simulation.*said\.json.*No Exchange server is touched/)]);
  });

  it("makes the organisation with the first call, and keeps no private key in the file", async () => {
    const file = join(directory, "made.json");
    const backend = openSimulator({ file, say: () => undefined });
    await backend.importCertificate(EX01, importRequest(), unlimited);
    const text = await readFile(file, "utf8");
    expect(Object.keys((JSON.parse(text) as Organisation).servers)).toEqual([EX01, EX02]);
    expect(text).not.toMatch(/PRIVATE KEY/);
    const pfx = Buffer.from(certificate.pfx.reveal()).toString("base64");
    for (const secret of [certificate.password.reveal(), pfx]) expect(text).not.toContain(secret);
  });
});
