import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Endpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import type { EndpointBehaviour, RequestFault } from "../../provider/backends/simulator/endpoint/behaviour";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { memoryState, type StateStore } from "../../provider/backends/simulator/stateFile";
import { displayOf, propertyOf } from "../../provider/remoting/clixml/reading";
import { basicAuthentication } from "../../provider/remoting/http/authentication";
import { choiceAnswer, choicePromptOf } from "../../provider/remoting/psrp/hostCall";
import type { Command } from "../../provider/remoting/psrp/pipelineMessages";
import {
  type HostRule,
  openSession,
  type PipelineResult,
  type Session,
  sessionEnv,
  type SessionOptions,
} from "../../provider/remoting/session";
import type { Operation } from "../../provider/remoting/wsman/names";
import { Secret } from "../../provider/secret";
import { defaultOrganisation, EX01, EX02, makeCertificate, withFaults, withServer } from "../backends/simulatedServer";
import { PASSWORD, sessionOptionsFor, startTestEndpoint, USER } from "./endpoint";
import { remotingFailure } from "../failures";

const unlimited = { signal: new AbortController().signal };
const opened: { close: () => Promise<unknown> }[] = [];

beforeAll(async () => {
  // Its keys take a while.
  await defaultOrganisation();
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Surroundings {
  readonly endpoint: Endpoint;
  readonly store: StateStore;
  readonly open: (changes?: Partial<SessionOptions>, signal?: AbortSignal) => Promise<Session>;
}

async function surroundings(
  changes: {
    readonly behaviour?: Partial<EndpointBehaviour>;
    readonly organisation?: (organisation: Organisation) => Organisation;
  } = {},
): Promise<Surroundings> {
  const organisation = await defaultOrganisation();
  const store = memoryState(changes.organisation?.(organisation) ?? organisation);
  const endpoint = await startTestEndpoint({ store, ...(changes.behaviour && { behaviour: changes.behaviour }) });
  opened.push(endpoint);
  const open = async (options: Partial<SessionOptions> = {}, signal = unlimited.signal): Promise<Session> => {
    const session = await openSession(sessionOptionsFor(endpoint.url, options), sessionEnv, signal);
    opened.push(session);
    return session;
  };
  return { endpoint, store, open };
}

const run = (session: Session, name: string, parameters: Command["parameters"] = {}, answer?: HostRule) =>
  session.run([{ name, parameters }], { ...unlimited, ...(answer && { answer }) });

const texts = (result: PipelineResult, name: string): (string | undefined)[] =>
  result.output.map((one) => displayOf(propertyOf(one, name)));

describe("a session whose password or certificate isn't taken any more", () => {
  it("doesn't try again for what waits, because accounts are locked after a few wrong passwords", async () => {
    const { endpoint, open } = await surroundings();
    const refused: Operation[] = [];
    const session = await open({
      maxConnections: 2,
      trace: (event) => {
        if (event.kind === "request" && event.status === 401) refused.push(event.operation);
      },
    });
    await run(session, "Get-ExchangeServer");
    endpoint.inject({ fault: { kind: "unauthorized" }, times: 100 });
    const failures = await Promise.all(
      Array.from({ length: 12 }, () => remotingFailure(run(session, "Get-ExchangeServer"))),
    );
    expect(failures.map(({ code }) => code)).toEqual(Array(12).fill("AuthenticationRefused"));
    expect(failures.map(({ facts }) => facts.fate)).toEqual(Array(12).fill("notDone"));
    expect(session.isUsable).toBe(false);
    // Two were on their way; the end of the first pipeline may have been one more.
    expect(refused.filter((operation) => operation !== "Signal").length).toBeLessThanOrEqual(2);
    expect(refused.filter((operation) => operation === "Signal").length).toBeLessThanOrEqual(1);
  });
});

describe("a session", () => {
  it("opens, runs cmdlets, and leaves nothing behind when it is closed", async () => {
    const { endpoint, open } = await surroundings();
    const session = await open();
    expect(endpoint.shellCount()).toBe(1);
    const servers = await run(session, "Get-ExchangeServer");
    expect(servers).toMatchObject({ state: "Completed", errors: [], warnings: [] });
    expect(texts(servers, "Fqdn")).toEqual(["ex01.contoso.com", "ex02.contoso.com"]);
    expect(texts(await run(session, "Get-ImapSettings", { Server: EX01 }), "Server")).toEqual(["EX01"]);
    await Promise.all([session.close(), session.close()]);
    expect(endpoint.shellCount()).toBe(0);
    expect(session.isUsable).toBe(false);
    expect(await remotingFailure(run(session, "Get-ExchangeServer"))).toMatchObject({
      code: "SessionClosed",
      facts: { fate: "notDone" },
    });
  });

  it("runs a pipeline of two cmdlets", async () => {
    const { open } = await surroundings();
    const session = await open();
    const commands = [
      { name: "Get-ExchangeCertificate", parameters: { Server: EX01 } },
      { name: "Select-Object", parameters: { Property: ["Thumbprint", "Services"] } },
    ];
    const result = await session.run(commands, unlimited);
    expect(result.state).toBe("Completed");
    expect(texts(result, "Services")).toContain("IMAP, POP, IIS, SMTP");
  });

  it("runs as many pipelines side by side as it has connections, and the others after them", async () => {
    const { open } = await surroundings();
    for (const maxConnections of [1, 3]) {
      const session = await open({ maxConnections });
      const results = await Promise.all(
        [
          "Get-ExchangeServer",
          "Get-AuthConfig",
          "Get-SendConnector",
          "Get-ReceiveConnector",
          "Get-EdgeSubscription",
        ].map((name) => run(session, name)),
      );
      expect(results.map(({ state }) => state)).toEqual(Array(5).fill("Completed"));
    }
  });

  it("ends each command, so that the server doesn't run out of them", async () => {
    const { open } = await surroundings({ behaviour: { maxCommandsPerShell: 2 } });
    const session = await open({ maxConnections: 1 });
    for (let round = 0; round < 6; round++) {
      expect((await run(session, "Get-AuthConfig")).state).toBe("Completed");
    }
  });

  it("lets whoever waits go before it says that commands have ended, and says it then", async () => {
    const { open } = await surroundings();
    const operations: Operation[] = [];
    const session = await open({
      maxConnections: 1,
      trace: (event) => {
        if (event.kind === "request") operations.push(event.operation);
      },
    });
    operations.length = 0;
    await Promise.all(["Get-AuthConfig", "Get-SendConnector"].map((cmdlet) => run(session, cmdlet)));
    while (operations.length < 6) await new Promise((resolve) => setImmediate(resolve));
    expect(operations).toEqual(["Command", "Receive", "Command", "Receive", "Signal", "Signal"]);
  });

  it("keeps asking while the server has nothing to say", async () => {
    const { open } = await surroundings({
      organisation: (organisation) => withFaults(organisation, EX01, { slowMilliseconds: 400 }),
    });
    const session = await open({ operationTimeoutSeconds: 0.1 });
    expect((await run(session, "Get-ImapSettings", { Server: EX01 })).state).toBe("Completed");
  });

  it("passes large parameters in pieces, and secure strings under a key of its own", async () => {
    const { open } = await surroundings({ behaviour: { maxFragmentBytes: 1000 } });
    const session = await open();
    const { pfx, password, thumbprint } = await makeCertificate({ dnsNames: ["session.contoso.com"] });
    const importing = { Server: EX01, FileData: pfx.reveal(), Password: password, PrivateKeyExportable: true };
    const large = await run(session, "Import-ExchangeCertificate", {
      ...importing,
      FileData: new Uint8Array(600_000),
    });
    expect(large.errors[0]?.message).toMatch(/cannot be imported/);
    const imported = await run(session, "Import-ExchangeCertificate", importing);
    expect(imported).toMatchObject({ state: "Completed", errors: [] });
    const listed = await run(session, "Get-ExchangeCertificate", { Server: EX01, Thumbprint: thumbprint });
    expect(listed.output).toHaveLength(1);
  });

  it("agrees on a key once, for however many need it at the same time", async () => {
    const { endpoint, open } = await surroundings();
    const session = await open({ maxConnections: 3 });
    // The second exchange would be lost, and with it its pipeline.
    endpoint.inject({ operation: "Send", after: 1, fault: { kind: "requestLost" } });
    const importing = { Server: EX01, FileData: Uint8Array.of(1), Password: new Secret("x") };
    const results = await Promise.all([1, 2, 3].map(() => run(session, "Import-ExchangeCertificate", importing)));
    for (const { errors } of results) expect(errors).toHaveLength(1);
  });

  it("closes itself when nobody uses it", async () => {
    const { endpoint, open } = await surroundings();
    const session = await open({ idleSeconds: 0.05 });
    await run(session, "Get-AuthConfig");
    while (session.isUsable) await new Promise((resolve) => setTimeout(resolve, 10));
    await session.close();
    expect(endpoint.shellCount()).toBe(0);
  });
});

describe("a session that nobody uses", () => {
  /** A session and its endpoint, each with a clock that the test sets. */
  async function withClocks(options: Partial<SessionOptions> = {}) {
    const clock = { here: Date.parse("2026-03-01T12:00:00Z"), there: Date.parse("2026-03-01T12:00:00Z") };
    const store = memoryState(await defaultOrganisation());
    const endpoint = await startTestEndpoint({ store, env: { now: () => new Date(clock.there) } });
    opened.push(endpoint);
    const env = { ...sessionEnv, now: () => new Date(clock.here) };
    let signals = 0;
    const trace: SessionOptions["trace"] = (event) => {
      if (event.kind === "request" && event.operation === "Signal") signals += 1;
    };
    const session = await openSession(sessionOptionsFor(endpoint.url, { ...options, trace }), env, unlimited.signal);
    opened.push(session);
    /** Runs a cmdlet, and waits until the server has forgotten it too. */
    const use = async (): Promise<void> => {
      const before = signals;
      await run(session, "Get-AuthConfig");
      while (signals === before) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { clock, endpoint, session, use };
  }

  it("is ended by the server after a minute, should this process be killed", async () => {
    const { clock, endpoint, use } = await withClocks();
    await use();
    clock.there += 60_000;
    expect(endpoint.shellCount()).toBe(1);
    clock.there += 1;
    expect(endpoint.shellCount()).toBe(0);
  });

  it("isn't used any more after three quarters of that", async () => {
    const { clock, session, use } = await withClocks();
    await use();
    clock.here += 44_999;
    expect(session.isUsable).toBe(true);
    await use();
    clock.here += 44_999;
    expect(session.isUsable).toBe(true);
    clock.here += 1;
    expect(session.isUsable).toBe(false);
    expect(await remotingFailure(run(session, "Get-AuthConfig"))).toMatchObject({
      code: "SessionClosed",
      facts: { fate: "notDone" },
    });
  });

  it("isn't used any more when the clock was put back: nobody can say for how long", async () => {
    const { clock, session, use } = await withClocks();
    await use();
    clock.here -= 1;
    expect(session.isUsable).toBe(false);
  });

  it("isn't used any more when the process was held up while the answer had long come", async () => {
    const { clock, endpoint, session } = await withClocks({ operationTimeoutSeconds: 1 });
    endpoint.inject({ operation: "Signal", fault: { kind: "slow", milliseconds: 200 } });
    await run(session, "Get-AuthConfig");
    // The Signal that forgets the ended command is under way: such a shell isn't idle.
    expect(session.isUsable).toBe(true);
    clock.here += 45_999;
    expect(session.isUsable).toBe(true);
    clock.here += 1;
    expect(session.isUsable).toBe(false);
  });

  it("goes by what the server grants, where that is less", async () => {
    const { clock, endpoint } = await withClocks();
    endpoint.behave({ idleTimeoutSeconds: 20 });
    const env = { ...sessionEnv, now: () => new Date(clock.here) };
    const session = await openSession(sessionOptionsFor(endpoint.url), env, unlimited.signal);
    opened.push(session);
    clock.here += 14_999;
    expect(session.isUsable).toBe(true);
    clock.here += 1;
    expect(session.isUsable).toBe(false);
  });
});

describe("closing a session", () => {
  it("doesn't wait for a server that doesn't answer", async () => {
    const { endpoint, open } = await surroundings();
    const session = await open();
    endpoint.inject({ operation: "Delete", fault: { kind: "slow", milliseconds: 600_000 } });
    await session.close();
    expect(endpoint.shellCount()).toBe(1);
  });

  it("ends what runs, at the server too", async () => {
    const { endpoint, open } = await surroundings({
      organisation: (organisation) => withFaults(organisation, EX01, { slowMilliseconds: 60_000 }),
    });
    const session = await open();
    const failure = remotingFailure(run(session, "Get-ExchangeCertificate", { Server: EX01 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await session.close();
    expect(endpoint.shellCount()).toBe(0);
    expect((await failure).code).toBe("SessionClosed");
  });

  it("leaves no shell behind when it comes while the session is being opened", async () => {
    const { endpoint, open } = await surroundings();
    endpoint.inject({ operation: "Receive", fault: { kind: "slow", milliseconds: 600_000 } });
    const limit = new AbortController();
    const opening = remotingFailure(open({}, limit.signal));
    while (endpoint.shellCount() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    limit.abort();
    expect((await opening).code).toBe("Aborted");
    expect(endpoint.shellCount()).toBe(0);
  });
});

it("doesn't keep a process alive that forgets to close it", async () => {
  const { endpoint } = await surroundings();
  const hook = join(__dirname, "..", "runTypescript.cjs");
  const worker = join(__dirname, "forgetfulWorker.ts");
  const child = spawn(process.execPath, ["--require", hook, worker, endpoint.url, USER], {
    env: { ...process.env, FORGETFUL_PASSWORD: PASSWORD },
    stdio: ["ignore", "pipe", "inherit"],
  });
  opened.push({ close: () => Promise.resolve(child.kill("SIGKILL")) });
  let said = "";
  child.stdout.on("data", (piece: Buffer) => (said += piece.toString()));
  const [code] = (await once(child, "exit")) as [number | null];
  expect([code, said]).toEqual([0, "Completed"]);
});

describe("what a server asks and says", () => {
  const enableSmtp = async (session: Session, answer?: HostRule): Promise<PipelineResult> => {
    const { pfx, password, thumbprint } = await makeCertificate({ dnsNames: ["session.contoso.com"] });
    await run(session, "Import-ExchangeCertificate", { Server: EX01, FileData: pfx.reveal(), Password: password });
    const parameters = { Server: EX01, Thumbprint: thumbprint, Services: ["SMTP"] };
    return run(session, "Enable-ExchangeCertificate", parameters, answer);
  };

  it("answers a question by the rule that it was given", async () => {
    const { store, open } = await surroundings();
    const before = (await store.read()).servers[EX01]?.internalTransportCertificate?.thumbprint;
    const questions: string[] = [];
    const result = await enableSmtp(await open(), (call) => {
      const prompt = choicePromptOf(call);
      questions.push(prompt?.message ?? "");
      return choiceAnswer(prompt?.choices.findIndex(({ label }) => label === "&No") ?? 0);
    });
    expect(result.state).toBe("Completed");
    expect(questions).toEqual([expect.stringContaining("Overwrite the existing default SMTP certificate?")]);
    expect((await store.read()).servers[EX01]?.internalTransportCertificate?.thumbprint).toBe(before);
  });

  it("refuses a question without a rule, so that nothing waits for ever", async () => {
    const { store, open } = await surroundings();
    const before = await store.read();
    const result = await enableSmtp(await open());
    expect(result.errors).not.toEqual([]);
    expect((await store.read()).servers[EX01]?.internalTransportCertificate).toEqual(
      before.servers[EX01]?.internalTransportCertificate,
    );
  });

  it("returns errors with the server's words and identifiers, whatever the state says", async () => {
    const { open } = await surroundings();
    const result = await run(await open(), "Get-ExchangeCertificate", { Server: EX01, Thumbprint: "0".repeat(40) });
    expect(result.errors[0]?.message).toMatch(/was not found/);
    expect(result.errors[0]?.fullyQualifiedErrorId).toMatch(/RequestId=.*FailureCategory=Cmdlet-/);
  });

  it("returns the error of a cmdlet that isn't there as the result of the pipeline", async () => {
    const { open } = await surroundings();
    const result = await run(await open(), "Get-Nothing");
    expect(result.state).toBe("Failed");
    expect(result.errors[0]?.fullyQualifiedErrorId).toMatch(/CommandNotFoundException/);
  });

  it("returns warnings", async () => {
    const { open } = await surroundings();
    const result = await run(await open(), "Set-ImapSettings", {
      Server: EX01,
      X509CertificateName: "imap.contoso.com",
    });
    expect(result.warnings).toHaveLength(1);
  });
});

describe("how a session fails", () => {
  it.each<[RequestFault, string]>([
    [{ kind: "accessDenied" }, "AccessDenied"],
    [{ kind: "throttled" }, "Throttled"],
    [{ kind: "unauthorized" }, "AuthenticationRefused"],
    [{ kind: "unavailable" }, "HttpUnexpected"],
    [{ kind: "requestLost" }, "ConnectionLost"],
  ])("tells an opening that met %j apart, and leaves no shell", async (fault, code) => {
    const { endpoint, open } = await surroundings();
    endpoint.inject({ operation: "Create", fault });
    expect(await remotingFailure(open())).toMatchObject({ code, facts: { fate: "notDone" } });
    expect(endpoint.shellCount()).toBe(0);
  });

  it("leaves no shell when opening ends half-way", async () => {
    const { endpoint, open } = await surroundings();
    endpoint.inject({ operation: "Receive", fault: { kind: "requestLost" } });
    expect((await remotingFailure(open())).code).toBe("ConnectionLost");
    expect(endpoint.shellCount()).toBe(0);
  });

  it("names the fault of a configuration that isn't there", async () => {
    const { open } = await surroundings();
    const resourceUri = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell";
    expect((await remotingFailure(open({ resourceUri }))).code).toBe("EndpointNotFound");
  });

  it("refuses a wrong password", async () => {
    const { open } = await surroundings();
    const error = await remotingFailure(
      open({ authentication: basicAuthentication("x@contoso.com", new Secret("hunter2")) }),
    );
    expect(error.code).toBe("AuthenticationRefused");
    expect(error.message).not.toContain("hunter2");
  });

  it.each<[Operation, RequestFault, string, "notDone" | undefined]>([
    ["Command", { kind: "shellExpired" }, "ShellGone", "notDone"],
    ["Command", { kind: "throttled" }, "Throttled", "notDone"],
    ["Command", { kind: "unavailable" }, "HttpUnexpected", undefined],
    ["Command", { kind: "requestLost" }, "ConnectionLost", undefined],
    ["Command", { kind: "responseCut", atByte: 0 }, "ConnectionLost", undefined],
    ["Receive", { kind: "shellExpired" }, "ShellGone", undefined],
    ["Receive", { kind: "requestLost" }, "ConnectionLost", undefined],
    ["Receive", { kind: "unavailable" }, "HttpUnexpected", undefined],
    ["Receive", { kind: "responseCut", atByte: 700 }, "ConnectionLost", undefined],
  ])("says after a %s that met %j that its fate is known only when it is", async (operation, fault, code, fate) => {
    const { endpoint, open } = await surroundings();
    const session = await open();
    endpoint.inject({ operation, fault });
    const error = await remotingFailure(run(session, "Set-ImapSettings", { Server: EX01, X509CertificateName: "a.b" }));
    expect([error.code, error.facts.fate]).toEqual([code, fate]);
  });

  it("is no longer usable when its shell is gone", async () => {
    const { endpoint, open } = await surroundings();
    const session = await open();
    endpoint.inject({ operation: "Command", fault: { kind: "shellExpired" } });
    await remotingFailure(run(session, "Get-AuthConfig"));
    expect(session.isUsable).toBe(false);
    expect((await remotingFailure(run(session, "Get-AuthConfig"))).code).toBe("SessionClosed");
  });

  it("works on after a request was lost", async () => {
    const { endpoint, open } = await surroundings();
    const session = await open();
    endpoint.inject({ operation: "Receive", fault: { kind: "requestLost" } });
    await remotingFailure(run(session, "Get-AuthConfig"));
    expect((await run(session, "Get-AuthConfig")).state).toBe("Completed");
  });

  it("gives a running pipeline up when the caller does, and frees its place", async () => {
    const { open } = await surroundings({
      organisation: (organisation) =>
        withServer(organisation, EX01, () => ({ faults: { slowMilliseconds: 3_600_000 } })),
    });
    const session = await open({ maxConnections: 1 });
    const caller = new AbortController();
    const running = remotingFailure(
      session.run([{ name: "Get-ImapSettings", parameters: { Server: EX01 } }], { signal: caller.signal }),
    );
    setTimeout(() => {
      caller.abort();
    }, 30);
    expect((await running).code).toBe("Aborted");
    expect((await run(session, "Get-ImapSettings", { Server: EX02 })).state).toBe("Completed");
  });

  it("begins nothing for a caller whose time is up", async () => {
    const { endpoint, open } = await surroundings();
    expect(await remotingFailure(open({}, AbortSignal.abort()))).toMatchObject({
      code: "Aborted",
      facts: { fate: "notDone" },
    });
    expect(endpoint.shellCount()).toBe(0);
    const session = await open();
    const error = await remotingFailure(
      session.run([{ name: "Get-AuthConfig", parameters: {} }], { signal: AbortSignal.abort() }),
    );
    expect(error).toMatchObject({ code: "Aborted", facts: { fate: "notDone" } });
  });

  it("ends what runs when it is closed", async () => {
    const { endpoint, open } = await surroundings({
      organisation: (organisation) =>
        withServer(organisation, EX01, () => ({ faults: { slowMilliseconds: 3_600_000 } })),
    });
    const session = await open();
    const running = remotingFailure(run(session, "Get-ImapSettings", { Server: EX01 }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    await session.close();
    expect((await running).code).toBe("SessionClosed");
    expect(endpoint.shellCount()).toBe(0);
  });
});
