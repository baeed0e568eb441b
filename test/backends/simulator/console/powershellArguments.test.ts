import { CMDLETS, findCmdlet } from "../../../../provider/backends/simulator/cmdletDefinitions";
import { parseArguments } from "../../../../provider/backends/simulator/console/powershellArguments";

function parse(cmdlet: string, ...words: string[]) {
  const definition = findCmdlet(cmdlet);
  if (definition === undefined) throw new Error(`no cmdlet ${cmdlet}`);
  return parseArguments(words, definition);
}

function parameters(cmdlet: string, ...words: string[]) {
  const parsed = parse(cmdlet, ...words);
  if (parsed.kind === "refused") throw new Error(parsed.message);
  return parsed.parameters;
}

function refusal(cmdlet: string, ...words: string[]): string {
  const parsed = parse(cmdlet, ...words);
  if (parsed.kind === "parsed") throw new Error(`not refused: ${JSON.stringify(parsed.parameters)}`);
  return parsed.message;
}

const ENABLE = "Enable-ExchangeCertificate";
const THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567";

describe("values of parameters", () => {
  it("may stand behind the name or behind a colon", () => {
    expect(parameters("Get-ImapSettings", "-Server", "ex01")).toEqual({ Server: "ex01" });
    expect(parameters("Get-ImapSettings", "-Server:ex01")).toEqual({ Server: "ex01" });
    expect(parameters("Get-ImapSettings", "-Server:", "ex01")).toEqual({ Server: "ex01" });
  });

  it("keep colons, commas and equals signs of their own", () => {
    const subject = "CN=mail.contoso.com, O=Contoso: Mail";
    expect(parameters("New-ExchangeCertificate", "-SubjectName", subject)).toEqual({ SubjectName: subject });
  });

  it("lose the quotes that cmd.exe leaves standing", () => {
    expect(parameters("Get-ImapSettings", "-Server", "'ex01'")).toEqual({ Server: "ex01" });
    expect(parameters(ENABLE, "-Services", "'IIS','SMTP'")).toEqual({ Services: ["IIS", "SMTP"] });
  });

  it("go to the thumbprint when they stand alone", () => {
    expect(parameters(ENABLE, THUMBPRINT, "-Services", "IIS")).toEqual({ Thumbprint: THUMBPRINT, Services: ["IIS"] });
    expect(parameters(ENABLE, "-Services", "IIS", THUMBPRINT)).toEqual({ Thumbprint: THUMBPRINT, Services: ["IIS"] });
    expect(parameters("Get-ExchangeServer", "ex01")).toEqual({ Identity: "ex01" });
  });

  it("are null for $null, in any case", () => {
    expect(parameters("Set-PopSettings", "-X509CertificateName", "$NULL")).toEqual({ X509CertificateName: null });
  });

  it("are whole numbers where a number is wanted", () => {
    expect(parameters("New-ExchangeCertificate", "-KeySize", "4096")).toEqual({ KeySize: 4096 });
    expect(refusal("New-ExchangeCertificate", "-KeySize", "big")).toContain("whole number");
  });

  it("are truth values where a truth value is wanted", () => {
    const exportable = (word: string) => parameters("New-ExchangeCertificate", "-PrivateKeyExportable", word);
    expect(["$true", "$False", "true", "0"].map(exportable)).toEqual(
      [true, false, true, false].map((PrivateKeyExportable) => ({ PrivateKeyExportable })),
    );
    expect(refusal("New-ExchangeCertificate", "-PrivateKeyExportable", "maybe")).toContain("$true or $false");
  });
});

describe("lists", () => {
  it.each([
    [["IIS,SMTP"]],
    [["IIS,", "SMTP"]],
    [["IIS", ",SMTP"]],
    [["IIS", ",", "SMTP"]],
    [["IIS, SMTP"]],
    [["@('IIS','SMTP')"]],
    [["IIS,SMTP,"]],
  ])("are read from %j", (words) => {
    expect(parameters(ENABLE, "-Services", ...words, "-Force")).toEqual({ Services: ["IIS", "SMTP"], Force: true });
  });

  it("may be empty", () => {
    expect(parameters("New-ExchangeCertificate", "-DomainName", "@()")).toEqual({ DomainName: [] });
  });

  it("don't take a word that no comma ties to them", () => {
    expect(refusal(ENABLE, THUMBPRINT, "-Services", "IIS", "SMTP")).toMatch(/"SMTP".*comma/);
  });
});

describe("switches", () => {
  it("are true by being there, and take nothing from behind them", () => {
    expect(parameters(ENABLE, "-Force", THUMBPRINT)).toEqual({ Force: true, Thumbprint: THUMBPRINT });
  });

  it.each([
    [["-Confirm:$false"], false],
    [["-Confirm:$true"], true],
    [["-Confirm:", "$false"], false],
    [["-confirm:False"], false],
  ])("are set by %j", (words, value) => {
    expect(parameters("Remove-ExchangeCertificate", ...words)).toEqual({ Confirm: value });
  });

  it("explain what a Unix shell has done to $false", () => {
    expect(refusal("Remove-ExchangeCertificate", "-Confirm:")).toMatch(/'-Confirm:\$false'.*-Confirm:false/);
  });
});

describe("names of parameters", () => {
  it("are read in any case and as short as they stay unambiguous", () => {
    expect(parameters(ENABLE, "-THUMB", THUMBPRINT, "-serVER", "ex01", "-donot")).toEqual({
      Thumbprint: THUMBPRINT,
      Server: "ex01",
      DoNotRequireSsl: true,
    });
  });

  it("are refused when they are short for two", () => {
    expect(refusal(ENABLE, "-Ser", "ex01")).toMatch(/-Services or -Server|-Server or -Services/);
  });

  it("may begin with the dash that a word processor made of the hyphen", () => {
    expect(parameters("Get-ImapSettings", "\u2013Server", "ex01")).toEqual({ Server: "ex01" });
  });

  it("are refused twice", () => {
    expect(refusal(ENABLE, "-Server", "a", "-Server", "b")).toContain("-Server is given more than once");
  });

  it("suggest the one that was meant", () => {
    expect(refusal(ENABLE, "-Thumprint", THUMBPRINT)).toMatch(/no parameter -Thumprint.*Did you mean -Thumbprint\?/);
  });

  it("of every cmdlet may be those that PowerShell adds, without effect", () => {
    expect(parameters("Get-AuthConfig", "-Verbose", "-WarningAction", "SilentlyContinue")).toEqual({});
  });
});

describe("what must not stand on a command line", () => {
  it.each([["-Password", "secret"], ["-Password:secret"], ["-Pass", "secret"]])("refuses %s", (...words) => {
    const message = refusal("Import-ExchangeCertificate", ...words);
    expect(message).toMatch(/--password-env.*--password-stdin/);
    expect(message).not.toContain("secret");
  });

  it("sends whoever gives bytes to --pfx", () => {
    expect(refusal("Import-ExchangeCertificate", "-FileData", "...")).toContain("--pfx");
  });

  it("says of a name without a value that a shell may have taken it", () => {
    expect(refusal("Set-ImapSettings", "-X509CertificateName", "-Server", "ex01")).toContain("'$null'");
  });
});

it("knows a mandatory parameter of every cmdlet by its full name", () => {
  for (const cmdlet of CMDLETS) {
    for (const parameter of cmdlet.parameters.filter(({ kind }) => kind === "text" || kind === "list")) {
      const parsed = parameters(cmdlet.name, `-${parameter.name}`, "value");
      expect(parsed).toEqual({ [parameter.name]: parameter.kind === "list" ? ["value"] : "value" });
    }
  }
});
