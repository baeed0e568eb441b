import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseBackend, openBackend, type BackendSettings } from "../../provider/backends/openBackend";
import type { RemoteSettings } from "../../provider/backends/remote/settings";
import { isBindingError } from "../../provider/errors";
import { Secret } from "../../provider/secret";
import { EX01 } from "./simulatedServer";

const remoteSettings: RemoteSettings = {
  endpoint: "https://{server}/PowerShell/",
  authentication: "basic",
  username: "admin@contoso.com",
  password: new Secret("x"),
  tlsServerName: undefined,
  caFile: undefined,
  maxConnectionsPerServer: 2,
  operationTimeoutSeconds: 20,
  dangerouslySkipTlsVerification: false,
};

let directory: string;
const said: string[] = [];

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "open-backend-")));
  said.length = 0;
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const choose = (choice: string | undefined): BackendSettings =>
  chooseBackend(choice, { simulatorFile: "lab.json", remote: () => remoteSettings });

const open = (settings: BackendSettings) =>
  openBackend(settings, { programDirectory: directory, say: (line) => said.push(line) });

async function refusal(settings: BackendSettings): Promise<string> {
  try {
    await open(settings);
  } catch (error) {
    if (isBindingError(error, "ConfigurationInvalid")) return error.message;
    throw error;
  }
  throw new Error("it was opened");
}

/** An adapter in the program's directory. */
async function adapter(name: string, source: string): Promise<BackendSettings> {
  await writeFile(join(directory, name), source);
  return { kind: "module", specifier: `./${name}` };
}

const COMPLETE = `{
  kind: "lab",
  readSnapshot: async (server) => ({ server, settings }),
  importCertificate: async () => ({}), enableServices: async () => ({}), setCertificateName: async () => {},
  setSendConnectorCertificate: async () => {}, setReceiveConnectorCertificate: async () => {},
  removeCertificate: async () => ({}), close: async () => {},
}`;

describe("choosing a backend", () => {
  it("lists the choices when nothing is chosen", () => {
    for (const choice of [undefined, "", "  "]) {
      expect(() => choose(choice)).toThrow(/No backend is chosen.*exchange:backend.*EXCHANGE_BACKEND.*simulator/);
    }
  });

  it("asks for what the chosen one needs", () => {
    expect(choose("Simulator")).toEqual({ kind: "simulator", file: "lab.json" });
    expect(choose("remote")).toEqual({ kind: "remote", ...remoteSettings });
  });

  it("takes every other word for a module", () => {
    expect(choose(" @contoso/exchange-lab ")).toEqual({ kind: "module", specifier: "@contoso/exchange-lab" });
  });
});

describe("opening the simulator", () => {
  it("keeps the organisation in the program's directory, and says so", async () => {
    const backend = await open({ kind: "simulator", file: "rehearsal.json" });
    expect(backend.kind).toBe("simulator");
    expect(said).toEqual([expect.stringContaining(join(directory, "rehearsal.json"))]);
    expect(await readdir(directory)).toEqual([]);
  });

  it("takes an absolute path as it is", async () => {
    const file = join(directory, "elsewhere", "organisation.json");
    await open({ kind: "simulator", file });
    expect(said).toEqual([expect.stringContaining(`file ${file}.`)]);
  });
});

it("says that this version has no powershell backend yet", async () => {
  expect(await refusal(choose("powershell"))).toMatch(/"powershell".*yet.*simulator/);
});

describe("opening the way to real servers", () => {
  it("asks no server for anything yet", async () => {
    const backend = await open({ kind: "remote", ...remoteSettings });
    expect(backend.kind).toBe("remote");
    await backend.close();
    expect(said).toEqual([]);
  });

  it("takes a user name for Kerberos only as a principal", async () => {
    const settings = { kind: "remote", ...remoteSettings, authentication: "kerberos", username: "A\\anna@b" } as const;
    expect(await refusal(settings)).toMatch(/such as anna@contoso\.com.*exchange:authentication/i);
  });

  it.each([{ username: undefined }, { password: undefined }])("refuses Basic with %j", async (missing) => {
    expect(await refusal({ kind: "remote", ...remoteSettings, ...missing })).toMatch(
      /exchange:username and exchange:password/,
    );
  });

  it("says what is wrong with the file of the CA", async () => {
    const caFile = join(directory, "ca.pem");
    const settings = { kind: "remote", ...remoteSettings, caFile } as const;
    expect(await refusal(settings)).toMatch(/caFile \(.*ca\.pem\) can't be read: it isn't there/);
    await writeFile(caFile, "no certificate");
    expect(await refusal(settings)).toMatch(/ca\.pem\) isn't a certificate: it is neither PEM/);
  });

  it("warns whoever turns the check of certificates off", async () => {
    await (await open({ kind: "remote", ...remoteSettings, dangerouslySkipTlsVerification: true })).close();
    expect(said).toEqual([expect.stringContaining("password included")]);
  });
});

describe("opening an adapter of the user's own", () => {
  const unlimited = { signal: new AbortController().signal };

  it("finds it from the program's directory and tells it where that is", async () => {
    const settings = await adapter("lab.js", `exports.createBackend = (settings) => (${COMPLETE});`);
    const backend = await open(settings);
    expect(backend.kind).toBe("lab");
    expect(await backend.readSnapshot(EX01, unlimited)).toMatchObject({ settings: { programDirectory: directory } });
  });

  it("waits for an adapter that takes its time", async () => {
    const settings = await adapter("lab.js", `exports.createBackend = async (settings) => (${COMPLETE});`);
    expect((await open(settings)).kind).toBe("lab");
  });

  it("finds an installed package by its name", async () => {
    const packageDirectory = join(directory, "node_modules", "@contoso", "exchange-lab");
    await mkdir(packageDirectory, { recursive: true });
    await writeFile(join(packageDirectory, "index.js"), `exports.createBackend = (settings) => (${COMPLETE});`);
    expect((await open({ kind: "module", specifier: "@contoso/exchange-lab" })).kind).toBe("lab");
  });

  it("takes the function from a default export too", async () => {
    const settings = await adapter("lab.js", `exports.default = { createBackend: (settings) => (${COMPLETE}) };`);
    expect((await open(settings)).kind).toBe("lab");
  });

  it("passes on the error with which the adapter itself refuses", async () => {
    const settings = await adapter("lab.js", `exports.createBackend = () => { throw new Error("no lab today"); };`);
    await expect(open(settings)).rejects.toThrow("no lab today");
  });

  it("says where it has looked for a module that isn't there", async () => {
    const message = await refusal({ kind: "module", specifier: "simulater" });
    expect(message).toContain(directory);
    expect(message).toMatch(/"simulater".*The choices are: "remote".*"simulator".*Install the package/);
    expect(message).not.toContain("\n");
  });

  it.each(["P@ssw0rd!", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIB", "-----BEGIN PRIVATE KEY-----\nMIIE"])(
    "doesn't repeat what is no name of a module, which may be a secret in the wrong place: %j",
    async (specifier) => {
      const message = await refusal({ kind: "module", specifier });
      expect(message).toContain(`is a text of ${String(specifier.length)} characters, but no such module was found`);
      expect(message).not.toContain(specifier.slice(0, 5));
    },
  );

  it("says which module fails to load, and why", async () => {
    const settings = await adapter("lab.js", `throw new Error("the lab's own mistake");`);
    expect(await refusal(settings)).toMatch(/lab\.js failed: the lab's own mistake/);
  });

  it.each([
    ["", /doesn't export a function createBackend/],
    ["exports.createBackend = {};", /doesn't export a function createBackend/],
    ["exports.createBackend = () => undefined;", /isn't a complete Backend: readSnapshot, .*close are missing/],
    [
      `exports.createBackend = (settings) => { const { close, ...rest } = ${COMPLETE}; return rest; };`,
      /isn't a complete Backend: close is missing/,
    ],
    [`exports.createBackend = (settings) => ({ ...${COMPLETE}, kind: "" });`, /no usable kind/],
    [`exports.createBackend = (settings) => ({ ...${COMPLETE}, kind: "my lab" });`, /no usable kind/],
    [`exports.createBackend = (settings) => ({ ...${COMPLETE}, kind: "remote" });`, /calls itself "remote"/],
  ])("refuses %j", async (source, message) => {
    expect(await refusal(await adapter("lab.js", source))).toMatch(message);
  });
});
