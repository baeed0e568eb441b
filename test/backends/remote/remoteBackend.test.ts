import { inspect } from "node:util";
import type { Backend, EnableRequest, ServerSnapshot } from "../../../provider/backends/backend";
import type { InjectedFault } from "../../../provider/backends/simulator/endpoint/behaviour";
import { endpointUrl } from "../../../provider/backends/remote/remoteBackend";
import type { Organisation } from "../../../provider/backends/simulator/organisation";
import { memoryState, type StateStore } from "../../../provider/backends/simulator/stateFile";
import type { Thumbprint } from "../../../provider/certificate/thumbprint";
import { basicAuthentication } from "../../../provider/remoting/http/authentication";
import { Secret } from "../../../provider/secret";
import { defaultOrganisation, EX01, EX02, makeCertificate, withFaults, withServer } from "../simulatedServer";
import { remoteOver, type RemoteOver, type RemoteOverOptions } from "./remoteOver";
import { bindingFailure } from "../../failures";

const unlimited = { signal: new AbortController().signal };
const opened: Backend[] = [];

beforeAll(async () => {
  await defaultOrganisation();
});
afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.close();
});

type Lab = RemoteOver & { readonly store: StateStore };

async function lab(
  options: RemoteOverOptions & { readonly organisation?: (organisation: Organisation) => Organisation } = {},
): Promise<Lab> {
  const organisation = await defaultOrganisation();
  const store = memoryState(options.organisation?.(organisation) ?? organisation);
  const over = await remoteOver(store, options);
  opened.push(over.backend);
  return { ...over, store };
}

const certificate = () => makeCertificate({ dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"] });

async function importInto({ backend }: Lab, server = EX01): Promise<{ thumbprint: Thumbprint; outcome: string }> {
  const { thumbprint, pfx, password } = await certificate();
  const request = { thumbprint, pfx, password, friendlyName: "Mail", privateKeyExportable: true };
  return { thumbprint, ...(await backend.importCertificate(server, request, unlimited)) };
}

const enabling = (thumbprint: Thumbprint, changes: Partial<EnableRequest> = {}): EnableRequest => ({
  thumbprint,
  services: ["SMTP"],
  replaceDefaultSmtpCertificate: false,
  requireSsl: true,
  ...changes,
});

const services = (snapshot: ServerSnapshot): string[] =>
  snapshot.certificates.map(({ displayedServices: shown }) =>
    shown.kind === "known" ? shown.value.join(",") : shown.reason,
  );

describe("the URL of an endpoint", () => {
  it("has the server's name in it, and asks for whole objects", () => {
    expect(endpointUrl("https://{server}/PowerShell/", EX01).href).toBe(
      "https://ex01.contoso.com/PowerShell/?serializationLevel=Full",
    );
  });

  it("is left as it is when it has a query of its own", () => {
    const template = "https://mail.contoso.com/PowerShell/?clientApplication=Lab;TargetServer={server}";
    expect(endpointUrl(template, EX02).href).toBe(
      "https://mail.contoso.com/PowerShell/?clientApplication=Lab;TargetServer=ex02.contoso.com",
    );
  });
});

describe("reading", () => {
  it("needs one shell, whatever is asked for at the same time", async () => {
    const { backend, endpoint, opened: sessions } = await lab();
    const snapshots = await Promise.all([EX01, EX02, EX01].map((server) => backend.readSnapshot(server, unlimited)));
    expect(snapshots.map(({ server }) => server)).toEqual([EX01, EX02, EX01]);
    expect([sessions(), endpoint.shellCount()]).toEqual([1, 1]);
    await backend.close();
  });

  it.each<[string, RemoteOverOptions]>([
    ["a projection", { query: "?x=y" }],
    ["SerializationData", { behaviour: { projection: "refused" } }],
    [
      "SerializationData whose signature nobody could verify",
      { behaviour: { projection: "absent", signing: "invalid" } },
    ],
  ])("learns from %s what the certificates serve", async (_way, options) => {
    const { backend } = await lab(options);
    expect(services(await backend.readSnapshot(EX01, unlimited))).toContain("IIS,IMAP,POP,SMTP");
  });

  it("says that services are unknown, and why, where neither is to be had", async () => {
    const { backend } = await lab({ behaviour: { projection: "absent" }, query: "?x=y" });
    const snapshot = await backend.readSnapshot(EX01, unlimited);
    for (const reason of services(snapshot)) expect(reason).toMatch(/RawData/);
    expect(snapshot.server).toBe(EX01);
  });

  it("names the reason of a part that the account may not read", async () => {
    const hidden = { hiddenCmdlets: ["Get-SendConnector"] };
    const { backend } = await lab({ organisation: (one) => withFaults(one, EX01, hidden) });
    const { sendConnectors, receiveConnectors } = await backend.readSnapshot(EX01, unlimited);
    expect(sendConnectors).toEqual({ kind: "unknown", reason: expect.stringContaining("'Get-SendConnector'") });
    expect(receiveConnectors.kind).toBe("known");
  });
});

describe("a passing trouble", () => {
  it.each<InjectedFault>([
    { operation: "Create", fault: { kind: "requestLost" }, times: 2 },
    { operation: "Create", fault: { kind: "throttled" } },
    { operation: "Create", fault: { kind: "unavailable" } },
    { operation: "Command", fault: { kind: "throttled" } },
    { operation: "Command", fault: { kind: "shellExpired" } },
    { operation: "Receive", fault: { kind: "shellExpired" }, after: 3 },
    { operation: "Receive", fault: { kind: "requestLost" }, after: 2 },
    { operation: "Receive", fault: { kind: "responseCut", atByte: 500 }, after: 2 },
    { operation: "Signal", fault: { kind: "requestLost" } },
  ])("doesn't hinder reading: %j", async (injected) => {
    const { backend, endpoint } = await lab();
    endpoint.inject(injected);
    expect((await backend.readSnapshot(EX01, unlimited)).server).toBe(EX01);
  });

  it("that doesn't pass is told after a while", async () => {
    const { backend, endpoint } = await lab();
    endpoint.inject({ fault: { kind: "throttled" }, times: 1000 });
    const error = await bindingFailure(backend.readSnapshot(EX01, unlimited));
    expect(error.code).toBe("Throttled");
    expect(error.message).toMatch(/^Reading ex01\.contoso\.com: .*Run again later/);
  });
});

describe("a change whose fate is unknown", () => {
  const cut: InjectedFault = { operation: "Receive", fault: { kind: "responseCut", atByte: 0 } };
  const lost: InjectedFault = { operation: "Command", fault: { kind: "requestLost" } };
  const ran: InjectedFault = { operation: "Command", fault: { kind: "responseCut", atByte: 0 } };

  /** Lets something happen to the coming change alone: its connection is up, and its keys are agreed on. */
  async function readyLab(): Promise<{ readonly ready: Lab; readonly thumbprint: Thumbprint }> {
    const ready = await lab();
    const { thumbprint } = await importInto(ready);
    return { ready, thumbprint };
  }

  it.each([lost, ran, cut])("is found out by reading, and made up for: the name of IMAP (%j)", async (injected) => {
    const { ready } = await readyLab();
    ready.endpoint.inject(injected);
    await ready.backend.setCertificateName(EX01, "IMAP", "imap.contoso.com", unlimited);
    const { imapCertificateName } = await ready.backend.readSnapshot(EX01, unlimited);
    expect(imapCertificateName).toEqual({ kind: "known", value: "imap.contoso.com" });
  });

  it.each([lost, ran, cut])("is found out by reading, and made up for: IIS (%j)", async (injected) => {
    const { ready, thumbprint } = await readyLab();
    ready.endpoint.inject(injected);
    await ready.backend.enableServices(EX01, enabling(thumbprint, { services: ["IIS"] }), unlimited);
    expect((await ready.store.read()).servers[EX01]?.iis.frontEnd).toBe(thumbprint);
  });

  it.each([lost, ran, cut])("is found out by reading, and made up for: a removal (%j)", async (injected) => {
    const { ready, thumbprint } = await readyLab();
    ready.endpoint.inject(injected);
    expect((await ready.backend.removeCertificate(EX01, thumbprint, unlimited)).outcome).toMatch(
      /^(removed|alreadyGone)$/,
    );
    const { certificates } = await ready.backend.readSnapshot(EX01, unlimited);
    expect(certificates).toHaveLength(3);
  });

  it("isn't claimed as our own when the certificate turns out to be there", async () => {
    const ready = await lab();
    await ready.backend.setCertificateName(EX01, "POP", "pop.contoso.com", unlimited);
    ready.endpoint.inject({ operation: "Receive", fault: { kind: "responseCut", atByte: 0 }, after: 1 });
    expect((await importInto(ready)).outcome).toBe("alreadyThere");
  });

  it("is reported as such when nobody can be asked any more", async () => {
    const { ready } = await readyLab();
    ready.endpoint.inject({ operation: "Command", fault: { kind: "requestLost" } });
    ready.endpoint.inject({ fault: { kind: "unavailable" }, after: 1, times: 1000 });
    const error = await bindingFailure(ready.backend.setCertificateName(EX01, "IMAP", "imap.contoso.com", unlimited));
    expect(error.code).toBe("ServerUnreachable");
    expect(error.message).toMatch(/Whether Set-ImapSettings was carried out isn't known/);
  });
});

describe("the default SMTP certificate", () => {
  it.each([
    [false, "stays", (before: string, _after: string) => before],
    [true, "changes", (_before: string, after: string) => after],
  ])("with replaceDefaultSmtpCertificate %s %s", async (replaceDefaultSmtpCertificate, _what, expected) => {
    const there = await lab();
    const before = (await there.store.read()).servers[EX01]?.internalTransportCertificate?.thumbprint ?? "";
    const { thumbprint } = await importInto(there);
    await there.backend.enableServices(EX01, enabling(thumbprint, { replaceDefaultSmtpCertificate }), unlimited);
    const after = (await there.store.read()).servers[EX01]?.internalTransportCertificate?.thumbprint;
    expect(after).toBe(expected(before, thumbprint));
  });
});

describe("a certificate for IIS", () => {
  it("is looked at over a new connection, which shows at once whether it lets us in", async () => {
    const there = await lab({ followsIis: true });
    const { thumbprint } = await importInto(there);
    await there.backend.enableServices(EX01, enabling(thumbprint, { services: ["SMTP"] }), unlimited);
    expect((await there.backend.readSnapshot(EX01, unlimited)).server).toBe(EX01);
    await there.backend.enableServices(EX01, enabling(thumbprint, { services: ["IIS"] }), unlimited);
    const error = await bindingFailure(there.backend.readSnapshot(EX01, unlimited));
    expect(error.facts).toMatchObject({ transport: "TlsRefused" });
    expect(error.message).toMatch(/the server's certificate is refused.*exchange:caFile/);
  });
});

describe("errors", () => {
  it("keep the server's words, its identifiers and the request's number", async () => {
    const { backend, store } = await lab();
    const thumbprint = (await store.read()).servers[EX01]?.internalTransportCertificate?.thumbprint as Thumbprint;
    const error = await bindingFailure(backend.removeCertificate(EX01, thumbprint, unlimited));
    expect(error.code).toBe("RemovalRefused");
    expect(error.message).toMatch(/^Removing certificate .* The internal transport certificate cannot be removed/);
    expect(error.facts).toMatchObject({
      server: EX01,
      cmdlet: "Remove-ExchangeCertificate",
      categoryInfo: expect.stringContaining("InvalidArgument"),
      fullyQualifiedErrorId: expect.stringContaining("RemoveExchangeCertificate"),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it("tell a target server that can't be reached from one that isn't there", async () => {
    const { backend } = await lab({ organisation: (one) => withFaults(one, EX02, { unreachable: true }) });
    expect((await bindingFailure(backend.readSnapshot(EX02, unlimited))).code).toBe("ServerUnreachable");
    const nowhere = "ex09.contoso.com" as typeof EX01;
    expect((await bindingFailure(backend.readSnapshot(nowhere, unlimited))).code).toBe("ServerUnknown");
    expect(
      (await bindingFailure(backend.removeCertificate(nowhere, "0".repeat(40) as Thumbprint, unlimited))).code,
    ).toBe("ServerUnknown");
  });

  it("say which role is missing when a cmdlet that changes isn't there", async () => {
    const hidden = { hiddenCmdlets: ["Set-ImapSettings"] };
    const { backend } = await lab({ organisation: (one) => withFaults(one, EX01, hidden) });
    const error = await bindingFailure(backend.setCertificateName(EX01, "IMAP", "a.contoso.com", unlimited));
    expect(error.code).toBe("CmdletNotAvailable");
    expect(error.message).toMatch(/role POP3 And IMAP4 Protocols/);
  });

  it.each<[string, RemoteOverOptions["session"], string, RegExp]>([
    [
      "a wrong password",
      { authentication: basicAuthentication("a@contoso.com", new Secret("hunter2")) },
      "AccessDenied",
      /exchange:username/,
    ],
    [
      "an unexpected name",
      { tls: { serverName: "x.contoso.com" } },
      "ServerUnreachable",
      /exchange:tlsServerName.*exchange:caFile/,
    ],
  ])("name the settings that concern %s", async (_what, session, code, message) => {
    const { backend } = await lab({ ...(session && { session }) });
    const error = await bindingFailure(backend.readSnapshot(EX01, unlimited));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(inspect(error, { depth: 10 })).not.toContain("hunter2");
  });

  it("come at once for an access that is denied", async () => {
    const { backend, endpoint, opened: sessions } = await lab();
    endpoint.inject({ operation: "Create", fault: { kind: "accessDenied" } });
    expect((await bindingFailure(backend.readSnapshot(EX01, unlimited))).code).toBe("AccessDenied");
    expect(sessions()).toBeGreaterThan(0);
  });
});

describe("closing", () => {
  it("leaves no shell behind, and ends what still runs", async () => {
    const { backend, endpoint } = await lab({
      organisation: (one) => withServer(one, EX01, () => ({ faults: { slowMilliseconds: 3_600_000 } })),
    });
    const reading = bindingFailure(backend.readSnapshot(EX01, unlimited));
    while (endpoint.shellCount() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await backend.close();
    expect((await reading).code).toBe("TimedOut");
    expect(endpoint.shellCount()).toBe(0);
  });
});
