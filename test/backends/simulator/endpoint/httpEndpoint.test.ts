import { once } from "node:events";
import { connect } from "node:net";
import type { Endpoint } from "../../../../provider/backends/simulator/endpoint/endpoint";
import { factsOf } from "../../../../provider/backends/simulator/derFacts";
import type { RequestFault } from "../../../../provider/backends/simulator/endpoint/behaviour";
import type { StateStore } from "../../../../provider/backends/simulator/stateFile";
import { encodeDelete } from "../../../../provider/remoting/wsman/requests";
import { Secret } from "../../../../provider/secret";
import { defaultOrganisation, EX01, EX02, withFaults, withServer } from "../../simulatedServer";
import { cmdlet, exchange, RawClient, type RawClientOptions, serve } from "./rawClient";

const PASSWORD = "pass:wörd";
const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

let endpoint: Endpoint;
let store: StateStore;
beforeEach(async () => {
  ({ endpoint, store } = await serve(await defaultOrganisation()));
});
afterEach(async () => {
  await endpoint.close();
});

const client = (options?: RawClientOptions): RawClient => new RawClient(endpoint, options);
const keep = (organisation: Awaited<ReturnType<typeof defaultOrganisation>>) =>
  store.update(() => ({ organisation, result: undefined }));
const fault = (code: number): unknown =>
  expect.objectContaining({ kind: "fault", fault: expect.objectContaining({ code }) });

describe("the directory /PowerShell/", () => {
  it.each(["/PowerShell/", "/powershell/", "/POWERSHELL", "/powershell?serializationLevel=Full"])(
    "answers at %s",
    async (path) => {
      expect(await client({ path }).create()).toMatchObject({ kind: "created" });
    },
  );

  it("is nowhere else, and takes nothing but POST", async () => {
    expect(await exchange(endpoint.port, { path: "/wsman" })).toMatchObject({ status: 404 });
    expect(await exchange(endpoint.port, { method: "GET" })).toMatchObject({ status: 405 });
  });

  it("has one configuration", async () => {
    const resourceUri = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell";
    expect(await client({ resourceUri }).create()).toEqual(fault(0x8033803b));
  });

  it.each(["", "<", "<!DOCTYPE s><s/>", "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'/>"])(
    "answers %j with a fault",
    async (body) => {
      const answer = await exchange(endpoint.port, { body });
      expect(answer).toMatchObject({ status: 500, body: expect.stringContaining('Code="2150858767"') });
    },
  );

  it("reads no body of whom it doesn't know", async () => {
    const other = await serve(await defaultOrganisation(), {
      user: { name: "admin", password: new Secret(PASSWORD) },
    });
    const { port } = other.endpoint;
    const socket = connect(port, "127.0.0.1");
    try {
      socket.write("POST /PowerShell/ HTTP/1.1\r\nHost: ex01\r\nContent-Length: 400000\r\n\r\nthe beginning");
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
    } finally {
      socket.destroy();
      await other.endpoint.close();
    }
  });

  it("takes no headers of any length", async () => {
    const answer = await exchange(endpoint.port, { headers: { "X-Long": "x".repeat(17 * 1024) } });
    expect(answer).toMatchObject({ status: 431 });
  });

  it("refuses a request that is longer than it reads", async () => {
    const answer = await exchange(endpoint.port, { body: "x".repeat(512_001) });
    expect(answer).toMatchObject({ status: 500, body: expect.stringContaining('Code="2150858805"') });
  });

  it("reads UTF-16, which Windows may write", async () => {
    const one = await client().open();
    const body = Buffer.from(`\uFEFF${encodeDelete(one.header())}`, "utf16le");
    const headers = { "Content-Type": "application/soap+xml;charset=UTF-16", Cookie: one.cookie ?? "" };
    expect(await exchange(endpoint.port, { body, headers })).toMatchObject({ status: 200 });
    expect(endpoint.shellCount()).toBe(0);
  });

  it("refuses to disconnect", async () => {
    const one = await client().open();
    const disconnect = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Disconnect";
    const request = (header: ReturnType<RawClient["header"]>): string =>
      encodeDelete(header).replace("http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete", disconnect);
    expect(await one.post("Delete", request)).toEqual(fault(0x80338001));
  });
});

describe("who may come", () => {
  let guarded: Endpoint;
  beforeEach(async () => {
    const user = { name: "Administrator@contoso.com", password: new Secret(PASSWORD) };
    ({ endpoint: guarded } = await serve(await defaultOrganisation(), { user }));
  });
  afterEach(async () => {
    await guarded.close();
  });

  it("is who has the password, whatever the case of the name", async () => {
    const one = new RawClient(guarded, { headers: basic("administrator@CONTOSO.com", PASSWORD) });
    expect(await one.create()).toMatchObject({ kind: "created", shell: { owner: "Administrator@contoso.com" } });
  });

  it.each([
    ["nobody", {}],
    ["another user", basic("somebody", PASSWORD)],
    ["who has another password", basic("administrator@contoso.com", "pass")],
    ["who speaks another scheme", { Authorization: "Kerberos YII=" }],
    ["who says nonsense", { Authorization: "Basic !" }],
  ])("is not %s", async (_who, headers) => {
    const { status, headers: answered } = await exchange(guarded.port, { headers });
    expect({ status, challenge: answered["www-authenticate"] }).toEqual({
      status: 401,
      challenge: `Basic realm="127.0.0.1:${guarded.port}"`,
    });
  });
});

describe("the cookie", () => {
  it("is set with the shell, with a path that isn't written as the URL is", async () => {
    const one = client();
    await one.create();
    expect(one.cookie).toMatch(/^MS-WSMAN=anonymous=[A-Za-z0-9+/]+=*$/);
  });

  it("is demanded: without it the shell isn't there", async () => {
    const one = client();
    await one.create();
    one.cookie = undefined;
    expect(await one.receive()).toEqual(fault(0x8033805b));
  });

  it("of one shell doesn't open another", async () => {
    const [one, other] = [await client().open(), await client().open()];
    one.cookie = other.cookie;
    expect(await one.delete()).toEqual(fault(0x8033805b));
  });

  it("may do without", async () => {
    endpoint.behave({ cookie: "none" });
    const one = await client().open();
    expect(one.cookie).toBeUndefined();
    expect(await one.delete()).toEqual({ kind: "deleted" });
  });
});

describe("the server that a session is on", () => {
  const nameOf = async (options?: RawClientOptions) => {
    const one = await client(options).open();
    const [event] = await one.run(cmdlet("Get-ImapSettings"));
    return event?.kind === "output" && event.value.kind === "Obj" ? event.value.display : undefined;
  };

  it("is the one that the URL names", async () => {
    expect(await nameOf({ headers: { Host: `${EX02}:8443` } })).toBe("EX02\\1");
    expect(await nameOf({ headers: { Host: "ex02" } })).toBe("EX02\\1");
  });

  it("is the organisation's first otherwise", async () => {
    expect(await nameOf()).toBe("EX01\\1");
  });

  it("may be fixed", async () => {
    const { endpoint: fixed } = await serve(await defaultOrganisation(), { server: "EX02" });
    const one = await new RawClient(fixed, { headers: { Host: EX01 } }).open();
    const [event] = await one.run(cmdlet("Get-ImapSettings"));
    expect(event).toMatchObject({ value: { display: "EX02\\1" } });
    await fixed.close();
  });

  it("has to be one of the organisation's", async () => {
    await expect(serve(await defaultOrganisation(), { server: "ex09" })).rejects.toMatchObject({
      code: "ServerUnknown",
    });
  });

  it("answers no more when its back-end site has lost its certificate, while the others do", async () => {
    const organisation = withServer(await defaultOrganisation(), EX01, ({ certificates, iis }) => ({
      certificates: certificates.filter((one) => factsOf(one.der).thumbprint !== iis.backEnd),
    }));
    const open = await client().open();
    await keep(organisation);
    await expect(open.receive()).rejects.toThrow("HTTP 503");
    await expect(client().create()).rejects.toThrow("HTTP 503");
    expect(await client({ headers: { Host: EX02 } }).create()).toMatchObject({ kind: "created" });
  });

  it("answers nothing when it can't be reached", async () => {
    await keep(withFaults(await defaultOrganisation(), EX01, { unreachable: true }));
    await expect(client().create()).rejects.toThrow("HTTP 503");
  });
});

describe("faults", () => {
  it.each<[RequestFault, unknown]>([
    [{ kind: "throttled" }, 0x8033803f],
    [{ kind: "accessDenied" }, 5],
    [{ kind: "shellExpired" }, 0x8033805b],
  ])("can be %j", async (injected, code) => {
    const one = await client().open();
    endpoint.inject({ fault: injected, operation: "Delete" });
    expect(await one.delete()).toEqual(fault(code as number));
  });

  it.each<[RequestFault, string]>([
    [{ kind: "unauthorized" }, "HTTP 401"],
    [{ kind: "unavailable" }, "HTTP 503"],
  ])("can be %j", async (injected, text) => {
    endpoint.inject({ fault: injected });
    await expect(client().create()).rejects.toThrow(text);
    expect(await client().create()).toMatchObject({ kind: "created" });
  });

  it("can lose a request before anything is done", async () => {
    endpoint.inject({ fault: { kind: "requestLost" } });
    await expect(client().create()).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(endpoint.shellCount()).toBe(0);
  });

  it("can cut the connection at any byte of the response, after everything was done", async () => {
    const cuts = [0, 1, 12, 40, 200, 600, 1200];
    for (const [done, atByte] of cuts.entries()) {
      endpoint.inject({ fault: { kind: "responseCut", atByte } });
      await expect(client().create()).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONN|HPE_)/) });
      expect(endpoint.shellCount()).toBe(done + 1);
    }
  });

  it("can make an answer wait", async () => {
    endpoint.inject({ fault: { kind: "slow", milliseconds: 600_000 }, operation: "Delete" });
    const one = client();
    const gone = new AbortController();
    const waiting = one.post("Delete", encodeDelete, gone.signal);
    const quick = await client().create();
    expect(quick).toMatchObject({ kind: "created" });
    gone.abort();
    await expect(waiting).rejects.toThrow(/abort/);
  });

  it("can be called off", async () => {
    endpoint.inject({ fault: { kind: "throttled" } });
    endpoint.clearFaults();
    expect(await client().create()).toMatchObject({ kind: "created" });
  });
});
