import { spawn, type ChildProcess } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import readline from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { startAcceptor } from "./acceptor";
import { pypsrp, type ClientOutcome } from "./client";
import { describeKerberos } from "./machine";
import { freePort, startRealm, startSilentKdc, type Realm, type RealmOptions } from "./realm";

async function isOpen(port: number): Promise<boolean> {
  const socket = net.connect(port, "127.0.0.1");
  const connected = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}

describeKerberos("the realm of the tests", () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function start(options: RealmOptions = {}): Promise<Realm> {
    const realm = await startRealm(options);
    stops.push(() => realm.stop());
    return realm;
  }

  /** Lets pypsrp knock at an acceptor with nothing behind it. Who is let in gets as far as an answer of HTTP. */
  async function knock(
    realm: Realm,
    aheadSeconds = 0,
    env = realm.env,
  ): Promise<ClientOutcome & { refusals: string[] }> {
    const keytab = await realm.keytab("HTTP/localhost");
    const acceptor = await startAcceptor({
      target: "http://127.0.0.1:9/",
      env: realm.env,
      keytab,
      aheadSeconds,
      behaviour: { bodies: "plain" },
    });
    stops.push(() => acceptor.stop());
    const outcome = await pypsrp({ port: acceptor.port, encryption: "always", cmdlets: [] }, env);
    return { ...outcome, refusals: acceptor.events("refused").map(({ why }) => why) };
  }
  const letIn = { error: "http", status: 400, refusals: ["an encrypted body"] };

  it("gives tickets for the right password and for a keytab, and none for a wrong password", async () => {
    const realm = await start();
    await realm.kinit({ user: "operator", password: realm.password("operator") });
    expect(await knock(realm)).toEqual(letIn);
    const cache = `FILE:${realm.directory}/by-keytab`;
    await realm.kinit({ user: "operator", cache });
    expect(await knock(realm, 0, { ...realm.env, KRB5CCNAME: cache })).toEqual(letIn);
    await expect(realm.kinit({ user: "operator", password: "wrong" })).rejects.toThrow("Password incorrect");
    await expect(realm.kinit({ user: "nobody", password: "any" })).rejects.toThrow("not found in Kerberos database");
  });

  it("lets a client keytab stand for a ticket", async () => {
    const realm = await start();
    expect(await knock(realm)).not.toMatchObject(letIn);
    await realm.clientKeytab("operator");
    expect(await knock(realm)).toEqual(letIn);
  });

  it("has names that lead nowhere as services", async () => {
    const realm = await start({ services: ["HTTP/ex01.contoso.test"] });
    await realm.addService("HTTP/localhost");
    await realm.kinit({ user: "operator" });
    expect(await knock(realm)).toEqual(letIn);
    expect(realm.kdcLog()).toContain("HTTP/localhost@CONTOSO.TEST");
  });

  it("ends tickets when their time is over", async () => {
    const realm = await start();
    await realm.kinit({ user: "operator", lifetimeSeconds: 1 });
    await wait(2000);
    const { outputs, text } = await knock(realm);
    expect({ outputs, text }).toEqual({ outputs: undefined, text: expect.stringMatching(/expired/i) });
  });

  it("has servers whose clock is wrong", async () => {
    const realm = await start();
    await realm.kinit({ user: "operator" });
    expect(await knock(realm, 240)).toEqual(letIn);
    const { error, refusals } = await knock(realm, 1200);
    expect(error).toBeDefined();
    expect(refusals).toEqual([expect.stringContaining("Clock skew too great")]);
  });

  it("can have a clock of its own", async () => {
    const realm = await start({ kdcAheadSeconds: 7200 });
    await realm.kinit({ user: "operator", password: realm.password("operator") });
    // The client reckons with the KDC's clock; the server doesn't know it.
    const { refusals } = await knock(realm);
    expect(refusals).toEqual([expect.stringContaining("Ticket not yet valid")]);
    expect(await knock(realm, 7200)).toEqual(letIn);
  });

  it("can have a KDC that refuses connections", async () => {
    const realm = await start();
    await realm.clientKeytab("operator");
    const { text } = await knock(realm, 0, realm.envWithKdc(await freePort()));
    expect(text).toContain("Cannot contact any KDC");
  });

  it("can have a KDC that takes requests and never answers", async () => {
    const silent = await startSilentKdc();
    stops.push(() => silent.close());
    const heard: string[] = [];
    const tcp = net.connect(silent.port, "127.0.0.1");
    const udp = dgram.createSocket("udp4");
    stops.push(() => Promise.resolve(void tcp.destroy()));
    stops.push(() => Promise.resolve(void udp.close()));
    for (const what of ["data", "end", "error"]) tcp.on(what, () => heard.push(`tcp ${what}`));
    for (const what of ["message", "error"]) udp.on(what, () => heard.push(`udp ${what}`));
    await once(tcp, "connect");
    udp.connect(silent.port, "127.0.0.1");
    await once(udp, "connect");
    tcp.write("\0\0\0\x05hello");
    udp.send("hello");
    await wait(300);
    expect(heard).toEqual([]);
  });

  it("leaves nothing behind when it stops", async () => {
    const realm = await startRealm();
    await realm.stop();
    expect([await isOpen(realm.kdcPort), fs.existsSync(realm.directory)]).toEqual([false, false]);
  });

  it("leaves nothing behind when the process of its test is killed", async () => {
    const hook = path.join(__dirname, "..", "..", "runTypescript.cjs");
    const worker: ChildProcess = spawn(process.execPath, ["--require", hook, path.join(__dirname, "realmWorker.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    stops.push(() => Promise.resolve(void worker.kill("SIGKILL")));
    if (worker.stdout === null) throw new Error("no output to read");
    const said = once(readline.createInterface({ input: worker.stdout }), "line") as Promise<[string]>;
    const [line] = await Promise.race([said, once(worker, "exit").then(() => [undefined])]);
    if (line === undefined) throw new Error("The worker ended before it had a realm.");
    const { directory, ports } = JSON.parse(line) as { directory: string; ports: number[] };
    expect(await Promise.all(ports.map((port) => isOpen(port)))).toEqual([true, true]);
    worker.kill("SIGKILL");
    await once(worker, "exit");
    // Within Jest's limit.
    while (fs.existsSync(directory)) await wait(50);
    for (const port of ports) while (await isOpen(port)) await wait(50);
  });
});
