import { resolve } from "node:path";
import { nearSettings, readSettings } from "../provider/config";
import type { Settings } from "../provider/config";
import { isBindingError } from "../provider/errors";

type Texts = Readonly<Record<string, string>>;

function settings(config: Texts, environment: Texts = {}): Settings {
  return readSettings((key) => config[key], environment, "/program");
}

function mistake(config: Texts, environment: Texts = {}): string {
  try {
    settings(config, environment);
  } catch (error) {
    if (isBindingError(error, "ConfigurationInvalid")) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

const simulator = { "exchange:backend": "simulator" };

describe("the backend", () => {
  it("has no default: without one the error lists the choices and both ways to choose", () => {
    const text = mistake({});
    expect(text).toContain("pulumi config set exchange:backend simulator");
    expect(text).toContain("EXCHANGE_BACKEND");
    expect(text).toMatch(/adapter of your own/);
  });

  it("isn't needed where no call is made", () => {
    expect(settings({ "exchange:offline": "true" })).toMatchObject({ backend: undefined, offline: true });
  });

  it("is that of the environment before that of the stack", () => {
    expect(settings(simulator, { EXCHANGE_BACKEND: "./adapter.js" }).backend).toEqual({
      kind: "module",
      specifier: "./adapter.js",
    });
  });

  it("is that of the stack where the variable is empty, as pipelines leave it", () => {
    expect(settings(simulator, { EXCHANGE_BACKEND: " " }).backend?.kind).toBe("simulator");
  });
});

describe("the simulator's file", () => {
  const fileOf = (config: Texts, environment: Texts = {}): unknown =>
    settings({ ...simulator, ...config }, environment).backend;

  it("lies in the program's directory by default", () => {
    expect(fileOf({})).toEqual({ kind: "simulator", file: resolve("/program/.exchange-simulator.json") });
  });

  it("counts from the program's directory, and may be anywhere", () => {
    expect(fileOf({ "exchange:simulatorFile": "../farm.json" })).toMatchObject({ file: resolve("/farm.json") });
    expect(fileOf({ "exchange:simulatorFile": "/srv/farm.json" })).toMatchObject({ file: resolve("/srv/farm.json") });
  });

  it("is that of the environment before that of the stack", () => {
    const config = { "exchange:simulatorFile": "stack.json" };
    expect(fileOf(config, { EXCHANGE_SIMULATOR_FILE: "env.json" })).toMatchObject({
      file: resolve("/program/env.json"),
    });
  });
});

describe("the way to real servers", () => {
  const remote = { "exchange:backend": "remote" };
  const basic = { ...remote, "exchange:authentication": "basic" };

  it("is Kerberos over Exchange's documented endpoint by default", () => {
    expect(settings(remote).backend).toEqual({
      kind: "remote",
      endpoint: "http://{server}/PowerShell/",
      authentication: "kerberos",
      username: undefined,
      password: undefined,
      tlsServerName: undefined,
      caFile: undefined,
      maxConnectionsPerServer: 2,
      operationTimeoutSeconds: 20,
      dangerouslySkipTlsVerification: false,
    });
  });

  it("is https for Basic", () => {
    expect(settings(basic).backend).toMatchObject({
      endpoint: "https://{server}/PowerShell/",
      authentication: "basic",
    });
  });

  it("takes every setting from the stack, and from the environment before it", () => {
    const config = {
      ...remote,
      "exchange:authentication": "Basic",
      "exchange:endpoint": "https://mail.contoso.com/PowerShell/",
      "exchange:username": "stack@contoso.com",
      "exchange:password": "from the stack",
      "exchange:tlsServerName": "mail.contoso.com",
      "exchange:caFile": "ca.pem",
      "exchange:maxConnectionsPerServer": "3",
      "exchange:operationTimeoutSeconds": "60",
      "exchange:dangerouslySkipTlsVerification": "true",
    };
    const environment = { EXCHANGE_USERNAME: "pipeline@contoso.com", EXCHANGE_PASSWORD: " blanks count " };
    const { backend } = settings(config, environment);
    expect(backend).toMatchObject({
      authentication: "basic",
      endpoint: "https://mail.contoso.com/PowerShell/",
      username: "pipeline@contoso.com",
      tlsServerName: "mail.contoso.com",
      caFile: resolve("/program/ca.pem"),
      maxConnectionsPerServer: 3,
      operationTimeoutSeconds: 60,
      dangerouslySkipTlsVerification: true,
    });
    expect(backend?.kind === "remote" && backend.password?.reveal()).toBe(" blanks count ");
    expect(JSON.stringify(backend)).not.toContain("blanks");
  });

  it("isn't looked at where another backend is chosen", () => {
    expect(settings({ ...simulator, "exchange:endpoint": "nonsense" }).backend?.kind).toBe("simulator");
  });

  it.each<[Texts, RegExp]>([
    [
      { ...remote, "exchange:authentication": "ntlm" },
      /exchange:authentication is "ntlm"; it may be "kerberos".*"basic"/,
    ],
    [{ ...remote, "exchange:password": "hunter2" }, /exchange:password is set, but exchange:username isn't/],
    [{ ...basic, "exchange:endpoint": "http://{server}/PowerShell/" }, /in clear text/],
    [{ ...basic, "exchange:endpoint": "https://{host}/PowerShell/" }, /exchange:endpoint isn't a URL/],
    [{ ...basic, "exchange:endpoint": "mail.contoso.com" }, /exchange:endpoint isn't a URL/],
    [{ ...basic, "exchange:endpoint": "ldap://{server}/" }, /begins with neither https:\/\/ nor http:\/\//],
    [{ ...basic, "exchange:endpoint": "https://admin:hunter2@{server}/" }, /belong into exchange:username/],
    [{ ...remote, "exchange:tlsServerName": "mail.contoso.com" }, /exchange:tlsServerName is set.*no TLS/],
    [{ ...remote, "exchange:maxConnectionsPerServer": "0" }, /whole number from 1 to 10 \(default 2\)/],
    [{ ...remote, "exchange:operationTimeoutSeconds": "1.5" }, /whole number from 1 to 600 \(default 20\)/],
    [{ ...basic, "exchange:dangerouslySkipTlsVerification": "perhaps" }, /may be true or false/],
    [{ ...remote, "exchange:authentication": "hunter2" }, /authentication is a text of 7 characters; it may be/],
    [{ ...basic, "exchange:endpoint": "hunter2:x" }, /begins with neither/],
    [
      { ...basic, "exchange:caFile": "-----BEGIN PRIVATE KEY-----\nhunter2" },
      /caFile holds a text of 35 characters, which/,
    ],
    [{ ...simulator, "exchange:simulatorFile": "a\nhunter2" }, /simulatorFile holds a text of 9 characters, which/],
    [{ ...simulator, "exchange:onUnreachable": "hunter2" }, /onUnreachable is a text of 7 characters; it may be/],
    [{ ...simulator, "exchange:offline": "hunter2" }, /offline is a text of 7 characters; it may be/],
    [{ ...simulator, "exchange:servers": "hunter2-P@ssw0rd" }, /names a text of 16 characters, which isn't/],
  ])("refuses %j", (config, message) => {
    expect(mistake(config)).toMatch(message);
    expect(mistake(config)).not.toContain("hunter2");
  });
});

describe("the servers to read ahead", () => {
  const serversOf = (text: string): readonly string[] => settings({ ...simulator, "exchange:servers": text }).servers;

  it.each([
    ["a JSON list, as pulumi config set --path writes it", '["ex01.contoso.com","EX02.contoso.com"]'],
    ["names with commas", "ex01.contoso.com,EX02.contoso.com"],
    ["names with commas and blanks", " ex01.contoso.com , ex02.contoso.com "],
    ["names on lines", "ex01.contoso.com\nex02.contoso.com\n"],
    ["names more than once", "ex01.contoso.com ex02.contoso.com EX01.contoso.com"],
  ])("may be %s", (_what, text) => {
    expect(serversOf(text)).toEqual(["ex01.contoso.com", "ex02.contoso.com"]);
  });

  it("may be none", () => {
    expect(settings(simulator).servers).toEqual([]);
    expect(serversOf("[]")).toEqual([]);
  });

  it.each([
    ["a short name", "ex01", /names "ex01", which isn't a fully qualified/],
    ["a broken list", "[ex01.contoso.com", /can't be read/],
    ["a list of something else", "[1]", /list of server names/],
  ])("may not be %s", (_what, text, reason) => {
    expect(mistake({ ...simulator, "exchange:servers": text })).toMatch(reason);
  });

  it("are named by the variable that holds the mistake", () => {
    expect(mistake(simulator, { EXCHANGE_SERVERS: "ex01" })).toMatch(/EXCHANGE_SERVERS names "ex01"/);
  });
});

describe("several mistakes", () => {
  it("are told together, those of the way to real servers too", () => {
    const config = {
      "exchange:backend": "remote",
      "exchange:authentication": "ntlm",
      "exchange:operationTimeoutSeconds": "1h",
      "exchange:servers": "ex01",
      "exchange:offline": "maybe",
    };
    const text = mistake(config, { EXCHANGE_ON_UNREACHABLE: "stop" });
    expect(text).toMatch(/^Reading the configuration: (?!.*Reading the configuration)/);
    for (const one of [
      'exchange:authentication is "ntlm"; it may be "kerberos" (the default) or "basic".',
      'exchange:operationTimeoutSeconds is "1h"; it may be a whole number from 1 to 600 (default 20).',
      'exchange:servers names "ex01"',
      "exchange:offline is a text of 5 characters; it may be true or false.",
      'EXCHANGE_ON_UNREACHABLE is "stop"; it may be "fail" (the default) or "continue".',
    ]) {
      expect(text).toContain(one);
    }
  });
});

describe("keys of the same namespace that mean nothing here", () => {
  it.each([
    ["exchange:onUnreachabel", "did you mean exchange:onUnreachable?"],
    ["exchange:Backend", "did you mean exchange:backend?"],
    ["exchange:server", "did you mean exchange:servers?"],
    ["exchange:user", "did you mean exchange:username?"],
    ["exchange:offlin", "did you mean exchange:offline?"],
  ])("are told where they are nearly one that does: %s", (key, meant) => {
    const [text] = nearSettings(["aws:region", key, "exchange:backend"]);
    expect(text).toBe(
      `The setting "${key}" means nothing to pulumi-exchange-certificates. If it is one of your program's own, all is well; ${meant}`,
    );
  });

  it.each(["exchange:domain", "exchange:mailNames", "project:backend", "exchange:", "exchanges:backend"])(
    "are left to the program otherwise: %s",
    (key) => {
      expect(nearSettings([key])).toEqual([]);
    },
  );
});

describe("switches", () => {
  it("are off by default: the server is asked, and a preview fails when it can't be", () => {
    expect(settings(simulator)).toMatchObject({ offline: false, onUnreachable: "fail" });
  });

  it.each([
    ["true", true],
    ["TRUE", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ])("offline: %s", (text, offline) => {
    expect(settings({ ...simulator, "exchange:offline": text }).offline).toBe(offline);
    expect(settings(simulator, { EXCHANGE_OFFLINE: text }).offline).toBe(offline);
  });

  it("onUnreachable: fail or continue", () => {
    expect(settings({ ...simulator, "exchange:onUnreachable": "continue" }).onUnreachable).toBe("continue");
    const config = { ...simulator, "exchange:onUnreachable": "continue" };
    expect(settings(config, { EXCHANGE_ON_UNREACHABLE: "fail" }).onUnreachable).toBe("fail");
  });

  it("are refused with anything else, naming the key, what it holds and what it may hold", () => {
    expect(mistake({ ...simulator, "exchange:offline": "yes" })).toBe(
      'Reading the configuration: exchange:offline is "yes"; it may be true or false.',
    );
    expect(mistake(simulator, { EXCHANGE_ON_UNREACHABLE: "ignore" })).toBe(
      'Reading the configuration: EXCHANGE_ON_UNREACHABLE is "ignore"; it may be "fail" (the default) or "continue".',
    );
  });
});
