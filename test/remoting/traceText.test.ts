import { bytes, NIL, secureString, string } from "../../provider/remoting/clixml/types";
import { traceCommand, within, type TraceEvent } from "../../provider/remoting/trace";
import { describeEvent, traceLines } from "../../provider/remoting/traceText";
import { Secret } from "../../provider/secret";

describe("the parameters of a cmdlet in a trace", () => {
  it("are shown as they would be typed, save secrets and bytes", () => {
    const { parameters } = traceCommand({
      name: "Import-ExchangeCertificate",
      parameters: {
        Server: "ex01.contoso.com",
        FriendlyName: "mail, new",
        Services: ["IMAP", "two words"],
        Confirm: false,
        KeySize: 2048,
        X509CertificateName: null,
        FileData: new Uint8Array(2541),
        Password: new Secret("of the file"),
        Wrapped: bytes(new Uint8Array(3)),
        Hidden: secureString(new Secret("as CLIXML")),
        Other: string("any other value"),
        Nothing: NIL,
      },
    });
    expect(parameters.map(([name, shown]) => `-${name} ${shown}`)).toEqual([
      "-Server ex01.contoso.com",
      "-FriendlyName 'mail, new'",
      "-Services IMAP,'two words'",
      "-Confirm $false",
      "-KeySize 2048",
      "-X509CertificateName $null",
      "-FileData <2541 bytes>",
      "-Password [redacted]",
      "-Wrapped <3 bytes>",
      "-Hidden [redacted]",
      "-Other <S>",
      "-Nothing <Nil>",
    ]);
  });
});

describe("a line of a trace", () => {
  const tell = (events: readonly [TraceEvent, { pipeline?: string }?][]): readonly string[] => {
    const lines: string[] = [];
    let milliseconds = 1_000_000;
    const trace = within(
      traceLines(
        (line) => lines.push(line),
        () => new Date((milliseconds += 25)),
      ),
      { session: 1, connection: 2 },
    );
    for (const [event, scope] of events) trace?.(event, scope);
    return lines;
  };

  it("says when, and which session, connection and pipeline; the same pipeline in either case", () => {
    const begun: TraceEvent = { kind: "pipelineBegun", commands: [{ name: "Get-AuthConfig", parameters: [] }] };
    expect(
      tell([
        [begun, { pipeline: "aa-01" }],
        [begun, { pipeline: "bb" }],
        [begun, { pipeline: "AA-01" }],
      ]),
    ).toEqual([
      "trace 0.025 s1 c2 p1 Get-AuthConfig",
      "trace 0.050 s1 c2 p2 Get-AuthConfig",
      "trace 0.075 s1 c2 p1 Get-AuthConfig",
    ]);
  });

  it("stays one line without control characters, and short, whatever the server says", () => {
    const hostile = `first\r\nsecond \u001b[31mred\u0007 ${"x".repeat(5000)}`;
    const [line = ""] = tell([
      [{ kind: "pipelineEnded", state: "Completed", objects: 0, errors: [], warnings: [hostile] }],
    ]);
    expect(line).toMatch(/^trace 0\.025 s1 c2 warning: first second \[31mred x+…$/);
    expect(line.length).toBeLessThan(400);
  });

  it("tells of encryption, principals and plain http", () => {
    const lines = (
      [
        { kind: "connecting", host: "ex01.contoso.com", port: 80, isTls: false },
        { kind: "connected", peer: undefined },
        {
          kind: "authentication",
          scheme: "Kerberos",
          outcome: "accepted",
          status: 200,
          service: "HTTP/ex01.contoso.com",
          principal: "admin@CONTOSO.COM",
          isEncrypted: true,
        },
      ] as const
    ).flatMap(describeEvent);
    expect(lines).toEqual([
      "connecting to ex01.contoso.com:80, plain http",
      "connected",
      "Kerberos accepted, to HTTP/ex01.contoso.com, as admin@CONTOSO.COM, HTTP 200, bodies encrypted",
    ]);
  });
});

it("no event is passed on where nobody listens", () => {
  expect(within(undefined, { session: 1 })).toBeUndefined();
});
