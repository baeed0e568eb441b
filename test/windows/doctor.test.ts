import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Endpoint, startEndpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { Secret } from "../../provider/secret";
import { run } from "../../tools/process.cjs";
import { defaultOrganisation, EX01 } from "../backends/simulatedServer";
import { type FrontEnd, linuxSide, type LinuxSide } from "./linuxSide";

const BEHIND = { user: "administrator@contoso.com", password: "correct horse battery staple" };
const DOCTOR = path.join(
  process.env["HARNESS_MODULES"] ?? "",
  "pulumi-exchange-certificates",
  "bin",
  "exchange-certificates.js",
);

describe("the installed exchange-certificates doctor on Windows, with Kerberos over http", () => {
  let linux: LinuxSide;
  let endpoint: Endpoint;
  let front: FrontEnd;
  let directory: string;

  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "doctor-"));
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
    fs.rmSync(directory, { recursive: true, force: true });
  });

  const doctor = async (environment: Readonly<Record<string, string>>) => {
    const args = [DOCTOR, "doctor", "--server", EX01, "--endpoint", front.url];
    const env = { ...process.env, EXCHANGE_AUTHENTICATION: "kerberos", ...environment };
    const { exitCode, combined } = await run(process.execPath, args, { cwd: directory, env });
    return { exitCode, said: combined.replace(/\s+/g, " ") };
  };

  it("tells who we are by the ticket of the account that is logged on", async () => {
    await linux.ticket();
    const { exitCode, said } = await doctor({});
    expect({ exitCode, said }).toEqual({
      exitCode: 0,
      said: expect.stringMatching(/ok authentication Kerberos as .*to HTTP\/localhost, bodies encrypted, accepted/),
    });
    const users = (await front.events("authenticated")).map(({ user }) => user);
    expect(new Set(users)).toEqual(new Set(["operator@CONTOSO.TEST"]));
  });

  it("takes a user name and a password, says so, and never the password", async () => {
    await linux.noTicket();
    const known = { EXCHANGE_USERNAME: "CONTOSO.TEST\\operator", EXCHANGE_PASSWORD: linux.password };
    const { exitCode, said } = await doctor(known);
    expect({ exitCode, said }).toEqual({
      exitCode: 0,
      said: expect.stringMatching(/ok authentication Kerberos as .*operator.*, to HTTP\/localhost/),
    });
    expect(said).not.toContain(linux.password);
  });

  it("fails with the system's number and a way out where the password is wrong, or there is no ticket", async () => {
    await linux.noTicket();
    const wrong = await doctor({ EXCHANGE_USERNAME: "CONTOSO.TEST\\operator", EXCHANGE_PASSWORD: "not-this-one" });
    expect(wrong).toEqual({ exitCode: 1, said: expect.stringMatching(/FAIL authentication .*0xC0000001.* -> /) });
    const none = await doctor({});
    expect(none).toEqual({ exitCode: 1, said: expect.stringMatching(/FAIL authentication .*0x8009030E.* -> /) });
  });
});
