import { commandOf, isPrintable, quoted, tlsCertificateNameExpression } from "../../provider/plan/powershell";
import { describeTask, describeWayBack } from "../../provider/plan/followUpText";
import { isClean } from "../../provider/sentence";
import { valueOf } from "../powershellReader";
import { EX01, MAIL, NOW } from "./servers";

const ATTACKS = [
  ["an ordinary name", "CN=mail.contoso.com, O=Contoso"],
  ["an apostrophe", "CN=O'Brien; calc"],
  ["a typographic one", "CN=O\u2019Brien; Remove-Item C:\\ -Recurse"],
  ["each of the five", "a'b\u2018c\u2019d\u201Ae\u201Bf"],
  ["two different ones in a row", "x'\u2019; calc"],
  ["one at either end", "'x\u2018"],
  ["nothing but quotes", "''\u2019\u2019"],
  ["an expression", "$(calc) `whoami` ${env:PATH}"],
  ["typographic double quotes and dashes", "\u201Cx\u201D \u2013Force"],
  ["redirections", "<I>CN=a<S>CN=b>c|d&e"],
  ["a splat", "@args"],
  ["a line break", "a\r\ncalc"],
  ["a colour", "\u001b[31mred"],
  ["a name that runs backwards", "\u202Emoc.osotnoc"],
  ["nothing to see", "con\u200Btoso"],
  ["half of a pair", "a\uD800b"],
  ["a command of GitHub", "::error::x"],
  ["a command of Azure DevOps", "##vso[task.complete]"],
  ["NUL", "a\u0000b"],
  ["an empty text", ""],
  ["a face", "mail 👍"],
] as const;

describe.each(ATTACKS)("%s in a command", (_what, name) => {
  it("is read back exactly, and shows nothing that steers a terminal or a CI system", () => {
    const expression = quoted(name);
    expect(valueOf(expression ?? "")).toEqual({ value: name, rest: "" });
    expect(isClean(expression ?? "")).toBe(true);
  });

  it("is the connector's, or read from the server by the command itself", () => {
    const told = describeTask(
      {
        kind: "connector",
        connector: { type: "send", identity: name },
        until: MAIL.notAfter,
        value: { thumbprint: MAIL.thumbprint, issuer: name, subject: "CN=mail.contoso.com" },
      },
      { server: EX01, now: NOW },
    );
    expect(isClean(told)).toBe(true);
    const command = /(?:\$c = .*?; )?Set-SendConnector .*$/s.exec(told)?.[0] ?? "";
    const own = isPrintable(`<I>${name}<S>CN=mail.contoso.com`);
    expect(command.startsWith("$c = Get-ExchangeCertificate")).toBe(!own);
    const identity = valueOf(command.slice(command.indexOf("Set-SendConnector ") + "Set-SendConnector ".length));
    expect(identity.value).toBe(name);
    const rest = identity.rest.replace(" -TlsCertificateName ", "");
    if (own) expect(valueOf(rest)).toEqual({ value: `<I>${name}<S>CN=mail.contoso.com`, rest: "" });
    else expect(rest).toBe('"<I>$($c.Issuer)<S>$($c.Subject)"');
  });

  it("is the former name of IMAP", () => {
    const to = { thumbprint: MAIL.thumbprint, name: "x", subject: "", issuer: "", notAfter: undefined };
    const told = describeWayBack(
      { service: "IMAP", to, how: { kind: "setName", service: "IMAP", name } },
      { server: EX01, now: NOW },
    );
    const mark = "-X509CertificateName ";
    expect(valueOf(told.slice(told.indexOf(mark) + mark.length))).toEqual({ value: name, rest: "" });
  });
});

it("a text that nobody can paste makes no command", () => {
  expect(quoted("\u200B".repeat(501))).toBeUndefined();
});

it("the names of a certificate are asked of its own server", () => {
  const { before } = tlsCertificateNameExpression(EX01, { thumbprint: MAIL.thumbprint, issuer: "\n", subject: "" });
  expect(before).toBe(`$c = Get-ExchangeCertificate -Server ex01.contoso.com -Thumbprint ${MAIL.thumbprint}; `);
  expect(commandOf`${before}x`).toBe(`${before}x`);
});
