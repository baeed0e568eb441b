import { typedCommand } from "../../../../provider/backends/simulator/console/commandText";

describe("a command in one argument", () => {
  it.each([
    ["Get-ExchangeCertificate -Server ex01", ["Get-ExchangeCertificate", "-Server", "ex01"]],
    [
      "Set-SendConnector 'Out to ''net''' -TlsCertificateName $null",
      ["Set-SendConnector", "Out to 'net'", "-TlsCertificateName", "$null"],
    ],
    [
      "Set-SendConnector \u2018Out\u2019\u2019s\u2019 -TlsCertificateName 'x\u201A\u201Ay'",
      ["Set-SendConnector", "Out\u2019s", "-TlsCertificateName", "x\u201Ay"],
    ],
    ['Enable-ExchangeCertificate -Services "IIS", SMTP', ["Enable-ExchangeCertificate", "-Services", "IIS,", "SMTP"]],
    ["New-ExchangeCertificate -DomainName @() -Force", ["New-ExchangeCertificate", "-DomainName", "@()", "-Force"]],
    ["Remove-ExchangeCertificate ABC -Confirm:$false", ["Remove-ExchangeCertificate", "ABC", "-Confirm:$false"]],
  ])("is taken apart as PowerShell does: %s", (line, words) => {
    expect(typedCommand([line])).toEqual({ words, view: undefined });
  });

  it.each([
    [["Get-X -A b | Format-List Thumbprint,Services"], "list", ["Thumbprint", "Services"]],
    [["Get-X -A b|fl"], "list", []],
    [["Get-X", "-A", "b", "| ft Thumbprint, Services"], "table", ["Thumbprint", "Services"]],
    [["Get-X", "-A", "b", "|select -Property Subject"], "select", ["Subject"]],
    [["Get-X -A b | SELECT-OBJECT subject , notafter"], "select", ["subject", "notafter"]],
  ])("may end with how its objects are shown: %j", (words, kind, properties) => {
    expect(typedCommand(words)).toEqual({ words: ["Get-X", "-A", "b"], view: { kind, properties } });
  });

  it.each([
    ["Get-X | fl *", /Wildcards aren't known here: write them out/],
    ["Get-X | fl Sub*", /Wildcards/],
    ["Get-X | Where-Object Subject", /there may be one Format-List, Format-Table or Select-Object/],
    ["Get-X | fl A | ft B", /nothing behind it/],
    ["Get-X | select -First 1", /Only names of properties are known here/],
    ["Get-X | select {$_.Subject}", /script blocks .* aren't known here/],
    ["Get-X -A (Get-Y)", /expressions/],
    ["Get-X -A $x", /Variables/],
    ["Get-X; Get-Y", /several commands/],
    ["Get-X > file", /aren't known here/],
  ])("is answered with what to type, or where to, beyond that: %s", (line, message) => {
    expect(() => typedCommand([line])).toThrow(message);
    expect(() => typedCommand([line])).toThrow("exchange-simulator serve --help");
  });

  it("leaves arguments alone that a shell has taken apart", () => {
    const words = ["Set-SendConnector", "a $b (c)", "-TlsCertificateName", "<I>CN=a<S>CN=b"];
    expect(typedCommand(words)).toEqual({ words, view: undefined });
  });
});
