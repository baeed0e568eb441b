import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Backend, ServerSnapshot } from "../../provider/backends/backend";
import { inventorySchema, type Inventory } from "../../provider/backends/inventory";
import { readSnapshot, type Ask } from "../../provider/backends/remote/snapshot";
import { runCommandLine as runSimulator } from "../../provider/backends/simulator/commandLine";
import { notRecognised } from "../../provider/backends/simulator/errorTexts";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { parseOrganisation } from "../../provider/backends/simulator/organisationText";
import { simulatorBackend } from "../../provider/backends/simulator/simulatorBackend";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { twinOf } from "../../provider/backends/simulator/twin";
import { serverInventory } from "../../provider/inventory/serverInventory";
import { EXCHANGE_SERVICES, type ServerFqdn } from "../../provider/model";
import { decodeClixml } from "../../provider/remoting/clixml/decode";
import { stored } from "../backends/simulator/lab";
import { defaultOrganisation, EX01, EX02, sessionEnv, withFaults, withServer } from "../backends/simulatedServer";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import { givenPfx, makeMiniEngine, RefusedPreview } from "../miniEngine";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../remoting/endpoint";
import { runCommand } from "./commandRun";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "twin-"));
  writeFileSync(join(directory, "ca.pem"), endpointIdentity().ca);
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** What `inventory --json` prints of a served organisation. */
async function servedInventory(organisation: Organisation, servers: readonly string[]): Promise<string> {
  const endpoint = await startTestEndpoint({ store: memoryState(organisation) });
  try {
    const { out } = await runCommand(["inventory", "--json", "--server", servers.join(",")], {
      workingDirectory: directory,
      environment: {
        EXCHANGE_ENDPOINT: endpoint.url,
        EXCHANGE_AUTHENTICATION: "basic",
        EXCHANGE_USERNAME: USER,
        EXCHANGE_PASSWORD: PASSWORD,
        EXCHANGE_TLS_SERVER_NAME: SERVER_NAME,
        EXCHANGE_CA_FILE: "ca.pem",
      },
    });
    return out;
  } finally {
    await endpoint.close();
  }
}

/** `exchange-simulator init --from inventory.json`. */
async function initFrom(inventory: string, file = "twin.json") {
  writeFileSync(join(directory, "inventory.json"), inventory);
  const errors: string[] = [];
  const code = await runSimulator(["init", "--from", "inventory.json", "--file", file], {
    workingDirectory: directory,
    environment: {},
    out: (text) => errors.push(text),
    error: (text) => errors.push(text),
    isInteractive: false,
    ask: () => Promise.resolve(undefined),
    readStandardInput: () => Promise.resolve(""),
    interrupted: () => Promise.resolve(),
  });
  return { code, errors: errors.join("\n") };
}
const twin = (): Organisation => parseOrganisation(readFileSync(join(directory, "twin.json"), "utf8"));

/** An organisation in which much is out of the ordinary. */
async function busyOrganisation(): Promise<Organisation> {
  const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"] });
  const behind = Buffer.concat([mail.der, Buffer.from("behind")]);
  const changed = withServer(await defaultOrganisation(), EX01, (state) => ({
    certificates: [
      ...state.certificates,
      stored(mail, { friendlyName: "Mail 2026", status: "Untrusted", privateKey: { networkServiceRead: true } }),
      stored({ der: behind }),
    ],
    iis: { ...state.iis, frontEnd: mail.facts.thumbprint },
    imap: { x509CertificateName: "mail.contoso.com" },
    receiveConnectors: state.receiveConnectors.map((one) => ({
      ...one,
      tlsCertificateName: `<I>${mail.facts.issuer}<S>${mail.facts.subject}`,
    })),
  }));
  return { ...changed, edgeSubscriptions: [{ name: "EDGE01", site: changed.servers[EX01]?.site ?? "" }] };
}

const preview = async (organisation: Organisation, args: Readonly<Record<string, unknown>>) =>
  (await makeMiniEngine(organisation)).preview({ mail: args });

describe("a twin of a served organisation", () => {
  it("has the same inventory, and the same previews", async () => {
    const original = await busyOrganisation();
    const inventory = await servedInventory(original, [EX01, EX02]);
    const { code, errors } = await initFrom(inventory);
    expect({ code, errors }).toEqual({
      code: 0,
      errors: expect.stringContaining("No Exchange server is touched") as string,
    });
    expect(errors).not.toContain("Displayed otherwise");
    expect(errors).toContain("Private keys: the twin knows that there is one");

    const of = (text: string) => {
      const { servers } = inventorySchema.parse(JSON.parse(text));
      return servers;
    };
    expect(of(await servedInventory(twin(), [EX01, EX02]))).toEqual(of(inventory));

    const { source } = givenPfx({ dnsNames: ["mail.contoso.com"] });
    for (const args of [
      { server: EX01, certificate: source, services: ["IIS", "SMTP", "IMAP"] },
      { server: EX01, certificate: source, services: ["SMTP"], replaceDefaultSmtpCertificate: true },
      { server: EX02, certificate: source, services: ["IIS", "POP"] },
    ]) {
      const there = await preview(original, args);
      expect(there.lines.length).toBeGreaterThan(0);
      expect(await preview(twin(), args)).toEqual(there);
    }
  });

  it("lets a certificate be enabled whose key is only on the server", async () => {
    const original = await busyOrganisation();
    await initFrom(await servedInventory(original, [EX01]));
    const thumbprint = original.servers[EX01]?.iis.frontEnd ?? "";
    const engine = await makeMiniEngine(twin());
    await engine
      .up({ mail: { server: EX01, certificate: { thumbprint }, services: ["POP", "IIS"] } })
      .catch(() => undefined);
    const run = await preview(twin(), { server: EX01, certificate: { thumbprint }, services: ["IIS"] });
    expect(run).toEqual(await preview(original, { server: EX01, certificate: { thumbprint }, services: ["IIS"] }));
  });

  it("tells which servers it lacks, and hides what wasn't told there", async () => {
    const original = withFaults(withFaults(await defaultOrganisation(), EX02, { unreachable: true }), EX01, {
      hiddenCmdlets: ["Get-ImapSettings", "Get-AuthConfig"],
    });
    const { code, errors } = await initFrom(await servedInventory(original, [EX01, EX02]));
    expect(code).toBe(0);
    expect(errors).toContain("ex02.contoso.com: it couldn't be read (ServerUnreachable), so it isn't there.");
    expect(errors).toContain("not told there, and so not here either (hidden): Get-ImapSettings, Get-AuthConfig");
    expect(errors).toContain(
      "the certificate name of IMAP isn't known; EX01 explains what was displayed, and was put in.",
    );
    expect(Object.keys(twin().servers)).toEqual([EX01]);
    const { source } = givenPfx({ dnsNames: ["mail.contoso.com"] });
    const args = { server: EX01, certificate: source, services: ["IIS", "SMTP"] };
    expect(await preview(twin(), args)).toEqual(await preview(original, args));
  });

  it("is never put in the place of a file that is there", async () => {
    const inventory = await servedInventory(await defaultOrganisation(), [EX01]);
    for (const content of ["mine", JSON.stringify(await defaultOrganisation())]) {
      writeFileSync(join(directory, "kept.json"), content);
      expect((await initFrom(inventory, "kept.json")).code).toBe(1);
      expect(readFileSync(join(directory, "kept.json"), "utf8")).toBe(content);
    }
  });

  it.each([
    ["{", "isn't JSON"],
    ["{}", "isn't an inventory (inventory: "],
    [JSON.stringify({ ...EMPTY(), servers: [] }), "There is nothing to make|there is nothing to make"],
  ])("isn't made of something else: %j", async (text, said) => {
    const { code, errors } = await initFrom(text);
    expect(code).toBe(2);
    expect(errors).toMatch(new RegExp(said.replaceAll("(", "\\(")));
    expect(existsSync(join(directory, "twin.json"))).toBe(false);
  });
});

function EMPTY(): Inventory {
  return {
    inventory: 1,
    package: "0",
    readAt: new Date().toISOString(),
    backend: "remote",
    endsWithin: null,
    exitCode: 0,
    servers: [],
  };
}

/* The public captures of github.com/microsoft/CSS-Exchange (MIT). They aren't part of this project. */
const captures = process.env["EXCHANGE_CAPTURES"] ?? "";
const describeCaptures = captures === "" ? describe.skip : describe;

describeCaptures("a twin of a captured server", () => {
  const SOLO = "solo-e19a.solo.com" as ServerFqdn;
  const captured = async (): Promise<ServerSnapshot> => {
    const ask: Ask = ([command, projection]) => {
      const name = command?.name ?? "";
      const file = join(captures, `e19-${name}.xml`);
      // Those receive connectors are another server's: of this one they weren't captured.
      if (projection === undefined && name !== "Get-ReceiveConnector" && existsSync(file)) {
        return Promise.resolve({
          state: "Completed",
          output: decodeClixml(readFileSync(file)),
          errors: [],
          warnings: [],
        });
      }
      const { message, fullyQualifiedErrorId } = notRecognised(name);
      return Promise.resolve({
        state: "Failed",
        output: [],
        errors: [{ message, fullyQualifiedErrorId, category: { reason: "CommandNotFoundException" } } as never],
        warnings: [],
      });
    };
    const read = await readSnapshot(SOLO, ask, {});
    if (read.kind !== "read") throw new Error(`${read.cmdlet} failed`);
    return read.snapshot;
  };

  /** A moment at which all its certificates were valid. */
  const now = new Date("2021-12-01T00:00:00Z");
  const twinOfCaptured = (snapshot: ServerSnapshot) => {
    const inventory: Inventory = {
      ...EMPTY(),
      readAt: now.toISOString(),
      servers: [serverInventory(snapshot, { now, endsWithin: undefined })],
    };
    return twinOf(inventorySchema.parse(JSON.parse(JSON.stringify(inventory))));
  };
  const overTwin = (organisation: Organisation): Backend =>
    simulatorBackend(memoryState(organisation), { ...sessionEnv, now: () => now });

  it("displays what the server displayed, and tells and hides the same", async () => {
    const snapshot = await captured();
    const made = twinOfCaptured(snapshot);
    expect(made?.differences).toEqual([]);
    expect(made?.leftOut.join("\n")).toMatch(
      /certificate name of IMAP isn't known; Solo-E19A explains what was displayed/i,
    );
    const again = await overTwin(made?.organisation ?? ({} as never)).readSnapshot(SOLO, {
      signal: new AbortController().signal,
    });
    const shown = ({ certificates }: ServerSnapshot) =>
      certificates.map(({ der, displayedServices, iisSites, status, friendlyName }) => ({
        der: Buffer.from(der).toString("base64"),
        displayedServices,
        iisSites,
        status,
        friendlyName,
      }));
    expect(shown(again)).toEqual(shown(snapshot));
    const { certificates: _, ...parts } = snapshot;
    const { certificates: _also, ...partsAgain } = again;
    expect(partsAgain).toEqual(parts);
  });

  it("is planned on as the server itself, whatever is asked for", async () => {
    const snapshot = await captured();
    const refused = () => Promise.reject(new Error("a capture can only be read"));
    const original: Backend = {
      kind: "simulator",
      readSnapshot: () => Promise.resolve(snapshot),
      importCertificate: refused,
      enableServices: refused,
      setCertificateName: refused,
      setSendConnectorCertificate: refused,
      setReceiveConnectorCertificate: refused,
      removeCertificate: refused,
      close: () => Promise.resolve(),
    };
    const { organisation } = twinOfCaptured(snapshot) ?? {};
    const { source } = givenPfx({
      dnsNames: ["mail.solo.com"],
      notBefore: new Date("2021-01-01T00:00:00Z"),
      issuer: makeTestAuthority(),
    });
    const present = snapshot.certificates.map(({ der }) => new X509Certificate(der).fingerprint.replaceAll(":", ""));
    const selfSigned = { dnsNames: ["mail.solo.com"] };
    const wishes = [
      ...EXCHANGE_SERVICES.map((service) => ({ certificate: source, services: [service] })),
      { certificate: source, services: ["IIS", "SMTP", "IMAP", "POP"], replaceDefaultSmtpCertificate: true },
      { certificate: source, services: ["IMAP"], imapCertificateName: "imap.solo.com" },
      { certificate: source, services: ["SMTP"], connectors: { send: ["Outbound"] } },
      { certificate: { selfSigned }, services: ["IIS"], onDelete: "remove" },
      ...present.map((thumbprint) => ({ certificate: { thumbprint }, services: ["IIS"] })),
      ...present.map((thumbprint) => ({ certificate: { thumbprint }, services: ["SMTP", "POP"] })),
    ];
    const answers = new Set<string>();
    for (const wish of wishes) {
      const of = async (backend: Backend) => {
        const engine = await makeMiniEngine(undefined, () => now, { backend });
        return engine.preview({ mail: { server: SOLO, ...wish } }).catch((error: unknown) => {
          if (error instanceof RefusedPreview) return { refused: error.failures };
          throw error;
        });
      };
      const there = await of(original);
      expect(await of(overTwin(organisation ?? ({} as never)))).toEqual(there);
      answers.add(JSON.stringify("done" in there ? there.lines : there));
    }
    // What that server didn't tell (its certificate names, the default SMTP certificate) is refused; the rest is planned.
    expect(answers.size).toBeGreaterThan(8);
  });
});
