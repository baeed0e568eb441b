import { createHash } from "node:crypto";
import type { Backend, EnableRequest } from "../../../provider/backends/backend";
import * as cmdlets from "../../../provider/backends/cmdlets";
import { openRemote } from "../../../provider/backends/remote/remoteBackend";
import { SNAPSHOT_CMDLETS } from "../../../provider/backends/serverSnapshot";
import { packPfx } from "../../../provider/certificate/packPfx";
import { known } from "../../../provider/model";
import type { Command } from "../../../provider/remoting/psrp/pipelineMessages";
import { openSession, sessionEnv } from "../../../provider/remoting/session";
import { Secret } from "../../../provider/secret";
import { sentCmdlets } from "../../backends/sentCmdlets";
import { EX01 } from "../../backends/simulatedServer";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { exchangeScript, projected, type ScriptedCertificate, whole } from "./exchangeScript";
import { describePeers } from "./peers";
import {
  type PsrpcoreServer,
  type ReceivedPipeline,
  type ReceivedValue,
  type Script,
  startPsrpcoreServer,
  type Step,
} from "./psrpcoreServer";

const PROJECTED = "Get-ExchangeCertificate | Select-Object";

const limited = () => ({ signal: AbortSignal.timeout(300_000) });
const old = makeTestCertificate({ dnsNames: ["ex01.contoso.com"] });
const material = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
const { thumbprint } = material.facts;
const PFX_PASSWORD = "Kennwort äöü € <&> _x0041_";
const FRIENDLY_NAME = "Post ä – 2026 <&>";

let server: PsrpcoreServer;
let backend: Backend;

beforeEach(async () => {
  server = await startPsrpcoreServer({ secrets: [PFX_PASSWORD, PFX_PASSWORD.slice(0, 12)] });
  backend = await openRemote(server.settings(), () => undefined);
});
afterEach(async () => {
  await backend.close();
  const { complaints, open } = await server.report();
  await server.close();
  expect({ complaints, open }).toEqual({ complaints: [], open: 0 });
});

/** Each row: parameter, and as what Exchange's own documentation wants it (a switch is sent as a truth value). */
const SERVER = { Server: ["string"] };
const IDENTITY = { Identity: ["string"] };
const EXCHANGE: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "Get-ExchangeCertificate": SERVER,
  "Select-Object": { Property: ["string[]"] },
  "Import-ExchangeCertificate": {
    ...SERVER,
    FileData: ["byte[]"],
    Password: ["SecureString"],
    PrivateKeyExportable: ["boolean"],
    FriendlyName: ["string"],
  },
  "Enable-ExchangeCertificate": {
    ...SERVER,
    Thumbprint: ["string"],
    Services: ["string[]"],
    DoNotRequireSsl: ["boolean"],
  },
  "Remove-ExchangeCertificate": { ...SERVER, Thumbprint: ["string"], Confirm: ["boolean"] },
  "Set-ImapSettings": { ...SERVER, X509CertificateName: ["string", "null"] },
  "Set-PopSettings": { ...SERVER, X509CertificateName: ["string", "null"] },
  "Get-ImapSettings": SERVER,
  "Get-PopSettings": SERVER,
  "Set-SendConnector": { ...IDENTITY, TlsCertificateName: ["string", "null"] },
  "Set-ReceiveConnector": { ...IDENTITY, TlsCertificateName: ["string", "null"] },
  "Get-ExchangeServer": IDENTITY,
  "Get-TransportService": IDENTITY,
  "Get-SendConnector": {},
  "Get-ReceiveConnector": SERVER,
  "Get-AuthConfig": {},
  "Get-FederationTrust": {},
  "Get-EdgeSubscription": {},
  "Get-UMService": IDENTITY,
  "Get-UMCallRouterSettings": SERVER,
};

const KINDS: Readonly<Record<string, string>> = {
  PSString: "string",
  bool: "boolean",
  PSByteArray: "byte[]",
  PSSecureString: "SecureString",
  null: "null",
};

function kindOf({ type, value }: ReceivedValue): string {
  if (type !== "PSList") return KINDS[type] ?? type;
  const items = new Set((value as readonly ReceivedValue[]).map(kindOf));
  return [...items].map((item) => `${item}[]`).join(" or ");
}

/** The same cmdlet by hand: what the other side must have understood. */
function plainly({ name, parameters }: Command): unknown {
  const value = (argument: unknown): unknown => {
    if (argument instanceof Secret) return argument.reveal();
    return argument instanceof Uint8Array ? Buffer.from(argument).toString("base64") : (argument ?? undefined);
  };
  return { name, parameters: Object.fromEntries(Object.entries(parameters).map(([key, one]) => [key, value(one)])) };
}

function received({ name, parameters }: ReceivedPipeline["commands"][number]): unknown {
  const value = ({ type, value: one }: ReceivedValue): unknown =>
    type === "PSList" ? (one as readonly ReceivedValue[]).map(value) : one;
  const named = Object.entries(parameters).filter(([key]) => !key.startsWith("("));
  return { name, parameters: Object.fromEntries(named.map(([key, one]) => [key, value(one)])) };
}

const enabling: EnableRequest = {
  thumbprint,
  services: ["IIS", "SMTP"],
  replaceDefaultSmtpCertificate: true,
  requireSsl: false,
};
const pfx = packPfx(material, new Secret(PFX_PASSWORD));
const importing = {
  thumbprint,
  pfx,
  password: new Secret(PFX_PASSWORD),
  friendlyName: FRIENDLY_NAME,
  privateKeyExportable: true,
};

const SENT: Readonly<Record<keyof typeof cmdlets, readonly Command[]>> = {
  CERTIFICATE_PROJECTION: [cmdlets.CERTIFICATE_PROJECTION],
  ...sentCmdlets(importing),
};

describePeers("the cmdlets of our backend on a server of psrpcore's", () => {
  it("arrive, every one of them, under its name, with the parameters and types that Exchange wants", async () => {
    expect(Object.keys(SENT).sort()).toEqual(Object.keys(cmdlets).sort());
    const all = Object.values(SENT).flat();
    const session = await openSession(server.session({ maxConnections: 1 }), sessionEnv, limited().signal);
    for (const command of all) {
      expect((await session.run([command], limited())).state).toBe("Completed");
    }
    await session.close();

    const commands = (await server.report()).shells.flatMap((shell) => shell.pipelines.flatMap((one) => one.commands));
    expect(commands.map(received)).toEqual(all.map(plainly));
    expect(commands.filter(({ isScript }) => isScript)).toEqual([]);
    const seen = new Map<string, Set<string>>();
    for (const { name, parameters } of commands) {
      const wanted = EXCHANGE[name];
      if (wanted === undefined) throw new Error(`${name} is sent, and isn't in the table of this test.`);
      const ofName = seen.get(name) ?? new Set();
      for (const [key, value] of Object.entries(parameters)) {
        if (key.startsWith("(")) continue;
        expect([name, key, wanted[key]]).toEqual([name, key, expect.arrayContaining([kindOf(value)])]);
        ofName.add(key);
      }
      seen.set(name, ofName);
    }
    // And the table holds nothing that isn't sent.
    expect(Object.fromEntries([...seen].map(([name, keys]) => [name, [...keys].sort()]))).toEqual(
      Object.fromEntries(Object.entries(EXCHANGE).map(([name, row]) => [name, Object.keys(row).sort()])),
    );
  });

  it("bring a PFX byte for byte, with a password that opens it there, and nothing in the clear", async () => {
    expect(await backend.importCertificate(EX01, importing, limited())).toEqual({ outcome: "imported" });
    const [shell] = (await server.report()).shells;
    expect(shell?.events).toContain("PublicKeyEvent");
    const { FileData, Password, ...others } = shell?.pipelines[0]?.commands[0]?.parameters ?? {};
    const bytes = Buffer.from(pfx.reveal());
    expect(FileData).toEqual({
      type: "PSByteArray",
      value: bytes.toString("base64"),
      sha256: createHash("sha256").update(bytes).digest("hex"),
      length: bytes.length,
    });
    expect(Password).toEqual({ type: "PSSecureString", value: PFX_PASSWORD });
    expect(others).toEqual({
      Server: { type: "PSString", value: EX01 },
      PrivateKeyExportable: { type: "bool", value: true },
      FriendlyName: { type: "PSString", value: FRIENDLY_NAME },
      "(opened)": { thumbprint, keyFits: true, others: 0 },
    });
  });
});

const certificates: readonly ScriptedCertificate[] = [
  {
    material: old,
    services: "IMAP, POP, IIS, SMTP",
    iisServices: ["IIS://EX01/W3SVC/1", "IIS://EX01/W3SVC/2"],
    friendlyName: FRIENDLY_NAME,
  },
  { material, services: "None", status: "RevocationCheckFailure" },
];
const scriptOf = (version: string, told: Script): Script =>
  exchangeScript(EX01, { version, defaultSmtp: old.facts.thumbprint }, told);

describePeers("a snapshot by our backend from a server of psrpcore's", () => {
  const expected = {
    server: EX01,
    certificates: [
      {
        der: expect.any(Uint8Array),
        displayedServices: known(["IIS", "IMAP", "POP", "SMTP"]),
        iisSites: known([1, 2]),
        status: known("Valid"),
        friendlyName: known(FRIENDLY_NAME),
        hasPrivateKey: known(true),
        privateKeyExportable: known(false),
      },
      {
        der: expect.any(Uint8Array),
        displayedServices: known([]),
        iisSites: known([]),
        status: known("RevocationCheckFailure"),
        friendlyName: known(""),
        hasPrivateKey: known(true),
        privateKeyExportable: known(false),
      },
    ],
    defaultSmtpThumbprint: known(old.facts.thumbprint),
    imapCertificateName: known("imap.contoso.com"),
    popCertificateName: known(undefined),
    sendConnectors: known([
      {
        name: "To the Internet",
        fqdn: "mail.contoso.com",
        tlsCertificateName: "<I>CN=CA<S>CN=mail",
        sourceServers: ["EX01"],
      },
    ]),
    receiveConnectors: known([{ identity: "EX01\\Default EX01", fqdn: EX01, tlsCertificateName: undefined }]),
    authCertificates: known({ current: "A".repeat(40), previous: undefined, next: undefined }),
    federationThumbprints: known([]),
    edgeSubscriptions: known(["EDGE01"]),
  };

  it("is whole, from a projection", async () => {
    const told = { [PROJECTED]: projected(EX01, certificates) };
    await server.play(scriptOf("Version 15.2 (Build 1748.10)", told));
    const snapshot = await backend.readSnapshot(EX01, limited());
    expect(snapshot).toEqual({
      ...expected,
      version: known({ major: 15, minor: 2, build: 1748, revision: 10 }),
      umStartupMode: known(undefined),
      umCallRouterStartupMode: known(undefined),
    });
    expect(snapshot.certificates.map(({ der }) => Buffer.from(der))).toEqual(
      certificates.map((one) => Buffer.from(one.material.der)),
    );
    const { shells } = await server.report();
    expect(shells.map(({ query }) => query)).toEqual(["serializationLevel=Full"]);
    const names = shells.flatMap((shell) =>
      shell.pipelines.map(({ commands }) => commands.map(({ name }) => name).join(" | ")),
    );
    const asked = [PROJECTED, ...Object.values(SNAPSHOT_CMDLETS)];
    expect(names.sort()).toEqual(asked.sort());
  });

  it("is whole, from objects that a server of 2016 sends, unified messaging included, where it has no projection", async () => {
    const refused: Step = {
      fail: {
        message: "The term 'Select-Object' is not recognized as the name of a cmdlet.",
        id: "CommandNotFoundException",
        category: "ObjectNotFound",
        reason: "CommandNotFoundException",
        targetName: "Select-Object",
        targetType: "String",
      },
    };
    const told = { [PROJECTED]: [refused], "Get-ExchangeCertificate": whole(EX01, certificates) };
    await server.play(scriptOf("Version 15.1 (Build 2507.6)", told));
    expect(await backend.readSnapshot(EX01, limited())).toEqual({
      ...expected,
      version: known({ major: 15, minor: 1, build: 2507, revision: 6 }),
      umStartupMode: known("Dual"),
      umCallRouterStartupMode: known("TLS"),
    });
  });

  it("leaves unknown, with the server's reason, what the account may not ask", async () => {
    const reason = "The term 'Get-SendConnector' is not recognized as the name of a cmdlet.";
    const told = {
      [PROJECTED]: projected(EX01, certificates),
    };
    await server.play({
      ...scriptOf("Version 15.2 (Build 1748.10)", told),
      "Get-SendConnector": [{ fail: { message: reason, id: "CommandNotFoundException" } }],
    });
    const { sendConnectors, receiveConnectors } = await backend.readSnapshot(EX01, limited());
    expect(sendConnectors).toEqual({ kind: "unknown", reason });
    expect(receiveConnectors).toEqual(expected.receiveConnectors);
  });

  it("is read in a new session when the server has forgotten the old one", async () => {
    await server.play(scriptOf("Version 15.2 (Build 1748.10)", { [PROJECTED]: projected(EX01, certificates) }));
    const before = await backend.readSnapshot(EX01, limited());
    await server.forget();
    expect(await backend.readSnapshot(EX01, limited())).toEqual(before);
    expect((await server.report()).shells.map(({ state }) => state)).toEqual(["Closed", "Opened"]);
  });

  it("fails with the server's words and identifiers where the server can't be read at all", async () => {
    const error: Step = {
      fail: {
        message: "The operation couldn't be performed because object 'ex01' couldn't be found on 'dc01.contoso.com'.",
        id: "[Server=EX02,RequestId=01234567-89ab-cdef-0123-456789abcdef,TimeStamp=now] [FailureCategory=Cmdlet-ManagementObjectNotFoundException] 2B5A,Microsoft.Exchange.Management.SystemConfigurationTasks.GetExchangeCertificate",
        category: "InvalidData",
        reason: "ManagementObjectNotFoundException",
      },
    };
    await server.play({ [PROJECTED]: [error], "Get-ExchangeCertificate": [error] });
    await expect(backend.readSnapshot(EX01, limited())).rejects.toMatchObject({
      code: "ServerUnknown",
      message: expect.stringContaining("couldn't be found on 'dc01.contoso.com'"),
      facts: { requestId: "01234567-89ab-cdef-0123-456789abcdef", cmdlet: "Get-ExchangeCertificate" },
    });
  });
});

describePeers("a change by our backend on a server of psrpcore's", () => {
  const question = (mine: string): Step => ({
    ask: {
      caption: "Confirm",
      message: `Overwrite the existing default SMTP certificate?\n\nCurrent certificate: '${old.facts.thumbprint}'\nReplace it with certificate: '${mine}'`,
      choices: ["&Yes", "Yes to &All", "&No", "No to A&ll", "&Suspend"],
      default: 0,
      then: { 0: [{ warning: "It was replaced." }], 2: [{ warning: "It was kept." }] },
    },
  });
  const enableWith = async (mine: string): Promise<void> => {
    const told = { [PROJECTED]: projected(EX01, certificates), "Enable-ExchangeCertificate": [question(mine)] };
    await server.play(scriptOf("Version 15.2 (Build 1748.10)", told));
  };
  const answers = async () =>
    (await server.report()).shells.flatMap((shell) => shell.pipelines.flatMap((one) => one.answers));

  it.each([
    [true, 0, "It was replaced."],
    [false, 2, "It was kept."],
  ])("answers the question with its plan: replace %s is choice %d", async (replace, choice, warning) => {
    await enableWith(thumbprint);
    const request = { ...enabling, replaceDefaultSmtpCertificate: replace };
    expect(await backend.enableServices(EX01, request, limited())).toEqual({ warnings: [warning] });
    expect(await answers()).toEqual([{ method: "PromptForChoice", result: { type: "PSInt", value: choice } }]);
  });

  it("refuses a question that it has no answer to, and fails with it", async () => {
    await enableWith("B".repeat(40));
    await expect(backend.enableServices(EX01, enabling, limited())).rejects.toMatchObject({
      code: "CmdletFailed",
      message: expect.stringContaining("nobody is there to answer"),
    });
    expect(await answers()).toEqual([expect.objectContaining({ errorId: "HostCallRefused" })]);
  });

  it("keeps what it does apart from what failed beside it: an error of a pipeline that completed", async () => {
    const told = {
      [PROJECTED]: projected(EX01, certificates),
      "Remove-ExchangeCertificate": [
        { error: { message: "The internal transport certificate cannot be removed.", category: "InvalidOperation" } },
      ],
    };
    await server.play(scriptOf("Version 15.2 (Build 1748.10)", told));
    await expect(backend.removeCertificate(EX01, old.facts.thumbprint, limited())).rejects.toMatchObject({
      code: "RemovalRefused",
      message: expect.stringContaining("The internal transport certificate cannot be removed."),
    });
    await backend.setCertificateName(EX01, "POP", "mail.contoso.com", limited());
  });
});
