import { formatJson, formatList } from "../../../../provider/backends/simulator/console/formatList";

const certificate = {
  Thumbprint: "AB",
  Services: "IIS, SMTP",
  CertificateDomains: ["a.example", "b.example"],
  IISServices: [],
  HasPrivateKey: true,
  NotAfter: new Date("2031-02-03T04:05:06.789Z"),
  RawData: new Uint8Array([48, 130, 3, 72, 48]),
  PublicKeySize: 2048,
  FriendlyName: null,
};

it("prints objects as Format-List does", () => {
  expect(formatList([certificate, { Name: "EX01", Version: { Major: 15, Minor: 2 } }])).toBe(
    [
      "Thumbprint         : AB",
      "Services           : IIS, SMTP",
      "CertificateDomains : {a.example, b.example}",
      "IISServices        : {}",
      "HasPrivateKey      : True",
      "NotAfter           : 2031-02-03 04:05:06Z",
      "RawData            : {48, 130, 3, 72...}",
      "PublicKeySize      : 2048",
      "FriendlyName       :",
      "",
      "Name    : EX01",
      "Version : @{Major=15; Minor=2}",
    ].join("\n"),
  );
});

it("prints JSON with Exchange's names, dates as ISO 8601 and bytes as base64", () => {
  expect(JSON.parse(formatJson([certificate]))).toEqual([
    { ...certificate, NotAfter: "2031-02-03T04:05:06.789Z", RawData: "MIIDSDA=" },
  ]);
});

it("prints an array in JSON even for nothing", () => {
  expect(formatJson([])).toBe("[]");
});
