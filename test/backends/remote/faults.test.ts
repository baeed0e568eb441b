import type { Backend } from "../../../provider/backends/backend";
import type { InjectedFault, RequestFault } from "../../../provider/backends/simulator/endpoint/behaviour";
import type { Organisation } from "../../../provider/backends/simulator/organisation";
import { memoryState } from "../../../provider/backends/simulator/stateFile";
import type { Thumbprint } from "../../../provider/certificate/thumbprint";
import { type ErrorCode } from "../../../provider/errors";
import { defaultOrganisation, EX01, withFaults } from "../simulatedServer";
import { remoteOver } from "./remoteOver";
import { bindingFailure } from "../../failures";

/*
 * What users of real endpoints meet, each fault made by the simulator's endpoint and seen through the backend: its cause
 * and what to do about it are said, nothing hangs, and once it is over the next call works.
 */

const within = (seconds: number) => ({ signal: AbortSignal.timeout(seconds * 1000) });
const opened: Backend[] = [];

beforeAll(async () => {
  await defaultOrganisation();
});
afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.close();
});

async function lab(organisation: (one: Organisation) => Organisation = (one) => one) {
  const store = memoryState(organisation(await defaultOrganisation()));
  const there = await remoteOver(store);
  opened.push(there.backend);
  return there;
}

const always = (kind: RequestFault["kind"], operation?: InjectedFault["operation"]): InjectedFault => ({
  fault: { kind } as RequestFault,
  times: 1_000_000,
  ...(operation !== undefined && { operation }),
});

describe("a fault that stays", () => {
  it.each<[string, InjectedFault, ErrorCode, RegExp, RegExp]>([
    ["401", always("unauthorized"), "AccessDenied", /401 \(not authenticated\)\. It takes Basic/, /check the user name.*exchange:password/],
    ["403 with a page", always("forbidden"), "AccessDenied", /403 \(forbidden, "403\.4 - Forbidden: SSL is required/, /may require SSL/],
    ["404", always("notFound"), "ServerUnreachable", /404 \(not found\)/, /\/PowerShell\/ on port 80 or 443.*exchange:endpoint/],
    ["access denied", always("accessDenied"), "AccessDenied", /refused Create \(5\): Access is denied/, /RemotePowerShellEnabled.*management role/],
    ["access denied by the plug-in", always("accessDeniedByPlugin"), "AccessDenied", /\(2150858819\): \[ClientAccessServer=EX01/, /RemotePowerShellEnabled/],
    ["an account without a role", always("roleless"), "AccessDenied", /isn't assigned to any management roles/, /has a management role/],
    ["too slow a Create", always("timedOut", "Create"), "TimedOut", /Create \(2150858793\): .*OperationTimeout/, /exchange:operationTimeoutSeconds/],
    ["too slow a Command", always("timedOut", "Command"), "TimedOut", /Command \(2150858793\)/, /exchange:operationTimeoutSeconds/],
    ["a shell that is always gone", always("shellExpired", "Command"), "ServerUnreachable", /Command \(2150858843\): .*WSMan-InvalidShellID/, /idle.*load balancer.*exchange:endpoint/],
    ["a command that is always gone", always("commandGone", "Receive"), "ServerUnreachable", /Receive \(2150858843\): .*command identifier that does not exist/, /run again/],
    ["a configuration that isn't there", always("invalidResourceUri"), "ServerUnreachable", /\(2150858811\): .*resource URI/, /\/PowerShell\/ on port 80 or 443, not at \/wsman on 5985/],
    ["a malformed header", always("malformedHeader"), "ServerUnreachable", /\(2150858767\): .*invalid header/, /proxy.*report it.*EXCHANGE_TRACE/],
    ["too many shells", always("tooManyShells"), "Throttled", /\(2150859173\): .*maximum number of 18 concurrent shells/, /Remove-PSSession/],
    ["too many operations", always("tooManyOperations"), "Throttled", /\(2150859174\): .*concurrent operations/, /exchange:maxConnectionsPerServer/],
    ["too many commands in a shell", always("tooManyCommands", "Command"), "Throttled", /\(2150859241\): .*commands per shell/, /new session/],
    ["a quota of requests", always("throttled"), "Throttled", /\(2150858815\): .*system load quota of 1000 requests/, /--parallel/],
    ["too large a request", always("requestTooLarge", "Command"), "ServerUnreachable", /\(2150858823\): .*size of the request/, /MaxEnvelopeSizekb/],
    ["too large a response", always("responseTooLarge", "Receive"), "ServerUnreachable", /\(2150858824\): .*size of the response/, /MaxEnvelopeSizekb/],
    ["an aborted operation", always("operationAborted", "Receive"), "ServerUnreachable", /\(995\): .*I\/O operation has been aborted/, /web server restarts.*run again/],
    ["a cancelled operation", always("operationCancelled", "Receive"), "ServerUnreachable", /\(1223\): .*canceled/, /run again/],
    ["a closed shell", always("shellClosed", "Receive"), "ServerUnreachable", /\(2150859204\): .*closed/, /run again/],
    ["an ended operation", always("operationEnded", "Receive"), "ServerUnreachable", /\(2150859230\): .*ended/, /run again/],
    ["a pool that breaks", always("poolBroken", "Receive"), "ServerUnreachable", /ended the remote session: The runspace pool was broken/, /event log.*run again/],
    ["503", always("unavailable"), "ServerUnreachable", /503 \(unavailable\)/, /Run again in a moment.*MSExchangePowerShellAppPool/],
    ["a connection that is cut off", always("requestLost"), "ServerUnreachable", /connection ended before the answer/, /server was restarted/],
  ])("says its cause and its remedy, and is over when it is over: %s", async (_name, injected, code, cause, remedy) => {
    const { backend, endpoint } = await lab();
    endpoint.inject(injected);
    const error = await bindingFailure(backend.readSnapshot(EX01, within(20)));
    expect(error.message).toMatch(/^Reading ex01\.contoso\.com: /);
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(cause)]);
    expect(error.message).toMatch(remedy);
    endpoint.clearFaults();
    expect((await backend.readSnapshot(EX01, within(20))).server).toBe(EX01);
  }); // prettier-ignore
});

describe("a fault that passes", () => {
  it.each<[string, InjectedFault]>([
    ["nothing to say yet", { fault: { kind: "timedOut" }, operation: "Receive", times: 5 }],
    ["a shell that is gone", { fault: { kind: "shellExpired" }, operation: "Command" }],
    ["a command that is gone", { fault: { kind: "commandGone" }, operation: "Receive", after: 2 }],
    ["a command that is over before it is ended", { fault: { kind: "commandGone" }, operation: "Signal", times: 3 }],
    ["an aborted Receive", { fault: { kind: "operationAborted" }, operation: "Receive", after: 2 }],
    ["a shell closed under a Receive", { fault: { kind: "shellClosed" }, operation: "Receive", after: 2 }],
    ["a pool that breaks while cmdlets run", { fault: { kind: "poolBroken" }, operation: "Receive", after: 2 }],
    ["too many shells", { fault: { kind: "tooManyShells" } }],
    ["too many operations", { fault: { kind: "tooManyOperations" }, operation: "Receive", after: 2 }],
    ["too many commands in a shell", { fault: { kind: "tooManyCommands" }, operation: "Command" }],
    ["a quota of requests", { fault: { kind: "throttled" }, operation: "Command" }],
  ])("isn't seen by whoever reads: %s", async (_name, injected) => {
    const { backend, endpoint } = await lab();
    endpoint.inject(injected);
    expect((await backend.readSnapshot(EX01, within(20))).server).toBe(EX01);
  });

  it.each<[string, InjectedFault]>([
    ["aborted", { fault: { kind: "operationAborted" }, operation: "Receive", after: 1 }],
    ["closed", { fault: { kind: "shellClosed" }, operation: "Command" }],
    ["gone", { fault: { kind: "shellExpired" }, operation: "Receive", after: 1 }],
    ["broken", { fault: { kind: "poolBroken" }, operation: "Receive", after: 1 }],
  ])("leaves a change done, by looking first: the session was %s", async (_name, injected) => {
    const { backend, endpoint } = await lab();
    endpoint.inject(injected);
    await backend.setCertificateName(EX01, "IMAP", "imap.contoso.com", within(20));
    const { imapCertificateName } = await backend.readSnapshot(EX01, within(20));
    expect(imapCertificateName).toEqual({ kind: "known", value: "imap.contoso.com" });
  });
});

describe("an error of a cmdlet", () => {
  it("is one although the pipeline completes, and the session goes on", async () => {
    const { backend, opened: sessions } = await lab();
    const nothing = "0".repeat(40) as Thumbprint;
    const request = { thumbprint: nothing, services: ["POP"], replaceDefaultSmtpCertificate: false, requireSsl: true };
    const error = await bindingFailure(backend.enableServices(EX01, request as never, within(20)));
    expect([error.code, error.message]).toEqual([
      "CertificateNotFound",
      expect.stringMatching(/was not found\. Import/),
    ]);
    expect((await backend.readSnapshot(EX01, within(20))).server).toBe(EX01);
    expect(sessions()).toBe(1);
  });

  it("that ends the pipeline is told with its identifier, and the session goes on", async () => {
    const { backend, opened: sessions } = await lab((one) =>
      withFaults(one, EX01, { hiddenCmdlets: ["Set-ImapSettings"] }),
    );
    const error = await bindingFailure(backend.setCertificateName(EX01, "IMAP", "a.contoso.com", within(20)));
    expect([error.code, error.message]).toEqual([
      "CmdletNotAvailable",
      expect.stringMatching(/'Set-ImapSettings' is not recognized .*give it the role/),
    ]);
    expect(error.facts["fullyQualifiedErrorId"]).toMatch(/CommandNotFoundException/);
    expect((await backend.readSnapshot(EX01, within(20))).server).toBe(EX01);
    expect(sessions()).toBe(1);
  });
});
