import {
  cmdletFailure,
  codeOfRecord,
  hasFailed,
  transportFailure,
} from "../../../provider/backends/remote/exchangeErrors";
import { REMOTING_ERROR_CODES, RemotingError } from "../../../provider/remoting/errors";
import { type ErrorRecord, errorRecord } from "../../../provider/remoting/psrp/errorRecord";
import type { PipelineResult } from "../../../provider/remoting/session";

const REQUEST = "0f0ad3e5-9f0c-4d0e-8d1a-3f5c0d8a1b2c";

/** An error of an Exchange cmdlet, as servers write its identifier. */
function exchangeRecord(exception: string, message = "Etwas ging schief."): ErrorRecord {
  const bracket = `[Server=EX01,RequestId=${REQUEST},TimeStamp=7/5/2018 7:45:01 AM]`;
  return errorRecord({
    message,
    fullyQualifiedErrorId: `${bracket} [FailureCategory=Cmdlet-${exception}] DCA528C3,Microsoft.Exchange.Management.SystemConfigurationTasks.RemoveExchangeCertificate`,
    category: "InvalidArgument",
    activity: "Remove-ExchangeCertificate",
    exceptionTypeNames: [`Microsoft.Exchange.${exception}`],
  });
}

const result = (changes: Partial<PipelineResult>): PipelineResult => ({
  state: "Completed",
  output: [],
  errors: [],
  warnings: [],
  ...changes,
});

const attempt = {
  doing: "Removing a certificate from ex01.contoso.com",
  server: "ex01.contoso.com",
  cmdlet: "Remove-ExchangeCertificate",
};

describe("what an error record means", () => {
  it.each([
    ["InvalidOperationException", "CmdletFailed"],
    ["ManagementObjectNotFoundException", "ServerUnknown"],
    ["RpcClientException", "ServerUnreachable"],
    ["CmdletAccessDeniedException", "AccessDenied"],
    ["UnauthorizedAccessException", "AccessDenied"],
    ["AddAccessRuleUnauthorizedAccessException", "PrivateKeyAccess"],
    ["AddAccessRuleCryptographicException", "PrivateKeyAccess"],
    ["OverBudgetException", "Throttled"],
  ])("is told by the exception %s, whatever the server's language: %s", (exception, code) => {
    expect(codeOfRecord(exchangeRecord(exception))).toBe(code);
  });

  it("is told by the reason that stands in a text of any language", () => {
    const message = "Das Zertifikat ist nicht gültig (Grund: PrivateKeyMissing).";
    expect(codeOfRecord(exchangeRecord("InvalidOperationException", message))).toBe("PrivateKeyMissing");
  });

  it.each(["CommandNotFoundException", "NamedParameterNotFound,Enable-ExchangeCertificate"])(
    "is a missing role where the account doesn't see a cmdlet or a parameter (%s)",
    (fullyQualifiedErrorId) => {
      const record = errorRecord({ message: "?", fullyQualifiedErrorId, category: "ObjectNotFound" });
      expect(codeOfRecord(record)).toBe("CmdletNotAvailable");
    },
  );
});

describe("a pipeline", () => {
  it("has failed when it says so, and when it completed with errors", () => {
    expect(hasFailed(result({}))).toBe(false);
    expect(hasFailed(result({ warnings: ["careful"] }))).toBe(false);
    expect(hasFailed(result({ errors: [exchangeRecord("InvalidOperationException")] }))).toBe(true);
    expect(hasFailed(result({ state: "Failed" }))).toBe(true);
    expect(hasFailed(result({ state: "Stopped" }))).toBe(true);
  });

  it("that failed keeps every text and the identifiers of the error that tells most", () => {
    const errors = [
      exchangeRecord("InvalidOperationException", "First."),
      exchangeRecord("RpcClientException", "Second"),
    ];
    const error = cmdletFailure(attempt, result({ errors, warnings: ["careful"] }));
    expect(error.code).toBe("ServerUnreachable");
    expect(error.message).toBe(
      "Removing a certificate from ex01.contoso.com: First. Second. Check that the server is up and that its Exchange services run.",
    );
    expect(error.facts).toMatchObject({
      server: "ex01.contoso.com",
      cmdlet: "Remove-ExchangeCertificate",
      requestId: REQUEST,
      fullyQualifiedErrorId: expect.stringContaining("RpcClientException"),
      categoryInfo: "InvalidArgument: (:) [Remove-ExchangeCertificate], RpcClientException",
      warnings: ["careful"],
    });
  });

  it("that failed without a word is told as such", () => {
    expect(cmdletFailure(attempt, result({ state: "Failed" })).message).toMatch(
      /Remove-ExchangeCertificate ended as Failed without saying why\./,
    );
  });
});

describe("a session that fails", () => {
  it("has a code for everything that can go wrong below", () => {
    for (const code of REMOTING_ERROR_CODES) {
      const error = transportFailure(attempt, new RemotingError(code, "It went wrong"));
      expect(error.code).toMatch(/^(ServerUnreachable|AccessDenied|Throttled|TimedOut|ConfigurationInvalid)$/);
      expect(error.message).toMatch(/^Removing a certificate from ex01\.contoso\.com: It went wrong\./);
      expect(error.facts["transport"]).toBe(code);
    }
  });

  it("because the account has no role is told by the category in the fault", () => {
    const message =
      `The server refused Create: [ClientAccessServer=EX01,RequestId=${REQUEST}] ` +
      "[FailureCategory=AuthZ-CmdletAccessDeniedException] Der Benutzer hat keine Rolle.";
    const error = transportFailure(attempt, new RemotingError("FaultReceived", message));
    expect(error.code).toBe("AccessDenied");
    expect(error.facts["requestId"]).toBe(REQUEST);
  });

  it("says when nobody knows whether the change was made", () => {
    const error = transportFailure(attempt, new RemotingError("ConnectionLost", "Cut off."), true);
    expect(error.message).toMatch(/Whether Remove-ExchangeCertificate was carried out isn't known/);
  });
});

it("a server's words can't end a line of ours, nor steer a terminal", () => {
  const errors = [exchangeRecord("InvalidOperationException", "Not\r\nfound\u001b[2K")];
  expect(cmdletFailure(attempt, result({ errors })).message).toBe(
    "Removing a certificate from ex01.contoso.com: Not found [2K.",
  );
});
