import { inspect } from "node:util";
import { type AuthenticationEnv, authenticationOf } from "../../../provider/backends/remote/authentication";
import type * as RemoteBackend from "../../../provider/backends/remote/remoteBackend";
import { ExchangeBindingError } from "../../../provider/errors";
import { Secret } from "../../../provider/secret";

const PASSWORD = new Secret("correct-horse-battery");

let loaded = 0;
const env: AuthenticationEnv = {
  native: {
    platform: "linux",
    loadKoffi: () => {
      loaded++;
      throw new Error("Cannot find module 'koffi'");
    },
  },
  now: () => new Date(0),
  environment: {},
  say: () => undefined,
};
beforeEach(() => {
  loaded = 0;
});

function refusal(run: () => unknown): ExchangeBindingError {
  try {
    run();
  } catch (error) {
    if (error instanceof ExchangeBindingError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

it("loads nothing native for Basic", () => {
  const settings = { authentication: "basic", username: "anna@contoso.com", password: PASSWORD } as const;
  expect(authenticationOf(settings, env)).toMatchObject({ kind: "request", scheme: "Basic" });
  expect(loaded).toBe(0);
});

it.each([{ username: undefined }, { password: undefined }])("refuses Basic with %j", (missing) => {
  const settings = { authentication: "basic", username: "anna", password: PASSWORD, ...missing } as const;
  expect(refusal(() => authenticationOf(settings, env)).message).toMatch(/exchange:username and exchange:password/);
});

it("loads for Kerberos, and says what is missing and what could be used instead", () => {
  const settings = { authentication: "kerberos", username: undefined, password: undefined } as const;
  const error = refusal(() => authenticationOf(settings, env));
  expect(loaded).toBe(1);
  expect(error.code).toBe("ConfigurationInvalid");
  expect(error.message).toMatch(/npm install koffi.*exchange:authentication.*"basic"/);
});

it("refuses a user name that is no principal, without loading anything or telling the password", () => {
  const settings = { authentication: "kerberos", username: "CONTOSO\\anna", password: PASSWORD } as const;
  const error = refusal(() => authenticationOf(settings, env));
  expect([error.code, loaded]).toEqual(["ConfigurationInvalid", 0]);
  expect(error.message).toMatch(/"CONTOSO\\anna".*such as anna@CONTOSO\.COM.*exchange:username/);
  expect(inspect(error, { depth: 10 })).not.toContain("correct-horse-battery");
});

describe("where koffi isn't installed", () => {
  const settings = {
    endpoint: "https://{server}/PowerShell/",
    username: "anna@contoso.com",
    password: PASSWORD,
    tlsServerName: undefined,
    caFile: undefined,
    maxConnectionsPerServer: 2,
    operationTimeoutSeconds: 20,
    dangerouslySkipTlsVerification: false,
  };
  let openRemote: typeof RemoteBackend.openRemote;

  beforeAll(() => {
    jest.resetModules();
    jest.doMock("koffi", () => {
      throw new Error("Cannot find module 'koffi'");
    });
    ({ openRemote } = jest.requireActual<typeof RemoteBackend>("../../../provider/backends/remote/remoteBackend"));
  });
  afterAll(() => {
    jest.dontMock("koffi");
  });

  it("opens the backend with Basic all the same", async () => {
    const backend = await openRemote({ ...settings, authentication: "basic" }, () => undefined);
    expect(backend.kind).toBe("remote");
    await backend.close();
  });

  it("names the alternatives to whoever wants Kerberos", async () => {
    await expect(openRemote({ ...settings, authentication: "kerberos" }, () => undefined)).rejects.toMatchObject({
      code: "ConfigurationInvalid",
      message: expect.stringMatching(/npm install koffi|on Linux.*Basic over https/),
    });
  });
});
