import type { Backend } from "../../provider/backends/backend";
import { openRemote } from "../../provider/backends/remote/remoteBackend";
import { type Endpoint, startEndpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { Secret } from "../../provider/secret";
import { defaultOrganisation, EX01 } from "../backends/simulatedServer";
import { type FrontEnd, linuxSide, type LinuxSide } from "./linuxSide";

const BEHIND = { user: "administrator@contoso.com", password: "correct horse battery staple" };
const unlimited = { signal: new AbortController().signal };

describe("the backend of real servers on Windows, with Kerberos over http", () => {
  let linux: LinuxSide;
  let endpoint: Endpoint;
  let front: FrontEnd;

  beforeAll(async () => {
    linux = await linuxSide();
    const user = { name: BEHIND.user, password: new Secret(BEHIND.password) };
    endpoint = await startEndpoint({ store: memoryState(await defaultOrganisation()), user });
    front = await linux.start({
      target: endpoint.url,
      credentials: BEHIND,
      behaviour: { bodies: "encrypted", boundary: "exchange" },
    });
  });
  afterAll(async () => {
    await front.stop();
    await endpoint.close();
    linux.close();
  });

  async function open(who: { username?: string; password?: string }): Promise<Backend> {
    return openRemote(
      {
        endpoint: front.url,
        authentication: "kerberos",
        username: who.username,
        password: who.password === undefined ? undefined : new Secret(who.password),
        tlsServerName: undefined,
        caFile: undefined,
        maxConnectionsPerServer: 2,
        operationTimeoutSeconds: 1,
        dangerouslySkipTlsVerification: false,
      },
      () => undefined,
    );
  }

  it.each(["the account that is logged on", "a user name and a password"])("reads a server as %s", async (way) => {
    const isLoggedOn = way === "the account that is logged on";
    await (isLoggedOn ? linux.ticket() : linux.noTicket());
    await front.forgetEvents();
    const backend = await open(isLoggedOn ? {} : { username: "CONTOSO.TEST\\operator", password: linux.password });
    try {
      const { certificates } = await backend.readSnapshot(EX01, unlimited);
      expect(certificates.length).toBeGreaterThan(0);
      const users = (await front.events("authenticated")).map(({ user }) => user);
      expect(new Set(users)).toEqual(new Set(["operator@CONTOSO.TEST"]));
    } finally {
      await backend.close();
    }
    const requests = await front.events("request");
    expect(requests.filter(({ bytes, encrypted }) => bytes > 0 && !encrypted)).toEqual([]);
    expect(await front.events("refused")).toEqual([]);
  });

  it("says AccessDenied, and with which number, when the password is wrong", async () => {
    await linux.noTicket();
    const backend = await open({ username: "CONTOSO.TEST\\operator", password: "not-this-one" });
    try {
      await expect(backend.readSnapshot(EX01, unlimited)).rejects.toMatchObject({
        code: "AccessDenied",
        facts: { server: EX01, service: "HTTP/localhost", sspiStatus: 0xc0000001 },
      });
    } finally {
      await backend.close();
    }
  });

  it("doesn't take a user name without a password for the account that is logged on", async () => {
    await expect(open({ username: "CONTOSO.TEST\\operator" })).rejects.toMatchObject({
      code: "ConfigurationInvalid",
      message: expect.stringMatching(/no password.*or leave the user name out/),
    });
  });
});
