import net, { type AddressInfo } from "node:net";
import readline from "node:readline";
import { type Acceptor, startAcceptor } from "../remoting/kerberos/acceptor";
import { startRealm } from "../remoting/kerberos/realm";
import { Secret } from "../../provider/secret";
import { SERVICES, USER_NAME, type LinuxRequest } from "./linuxProtocol";

/*
 * A process on Linux with what Windows' Node under Wine can't start: the KDC, and front ends with Kerberos. It takes
 * requests, one line of JSON each, on a port of loopback, and ends with its standard input. Its first line of output
 * tells the port, and the environment in which Wine finds the realm.
 */

async function work(): Promise<void> {
  const realm = await startRealm({ services: SERVICES });
  const keytabs = new Map<string, string>();
  for (const service of SERVICES) keytabs.set(service, await realm.keytab(service));
  const password = realm.password(USER_NAME);
  const cache = realm.env.KRB5CCNAME;
  const acceptors = new Map<number, Acceptor>();
  let started = 0;

  function acceptorOf(id: number): Acceptor {
    const acceptor = acceptors.get(id);
    if (acceptor === undefined) throw new Error(`no acceptor ${id}`);
    return acceptor;
  }

  async function answer(request: LinuxRequest): Promise<unknown> {
    switch (request.what) {
      case "start": {
        const { service, target, credentials, behaviour, tls } = request;
        const keytab = keytabs.get(service);
        if (keytab === undefined) throw new Error(`no service ${service}`);
        const acceptor = await startAcceptor({
          target,
          env: realm.env,
          keytab,
          behaviour,
          ...(credentials === undefined
            ? {}
            : { credentials: { user: credentials.user, password: new Secret(credentials.password) } }),
          ...(tls === undefined
            ? {}
            : { tls: { certificate: tls.certificate, privateKey: new Secret(tls.privateKey) } }),
        });
        started += 1;
        acceptors.set(started, acceptor);
        return { id: started, url: acceptor.url };
      }
      case "stop":
        await acceptorOf(request.id).stop();
        acceptors.delete(request.id);
        return null;
      case "behave":
        await acceptorOf(request.id).behave(request.behaviour);
        return null;
      case "events":
        return acceptorOf(request.id).events(request.kind);
      case "forgetEvents":
        acceptorOf(request.id).forgetEvents();
        return null;
      case "ticket":
        await realm.kinit({
          user: USER_NAME,
          password,
          cache,
          ...(request.lifetimeSeconds === undefined ? {} : { lifetimeSeconds: request.lifetimeSeconds }),
        });
        return null;
      case "noTicket":
        realm.forgetTickets();
        return null;
      default:
        throw new Error(`nobody knows ${JSON.stringify(request satisfies never)}`);
    }
  }

  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    readline.createInterface({ input: socket }).on("line", (line) => {
      const { id, request } = JSON.parse(line) as { id: number; request: LinuxRequest };
      answer(request).then(
        (result) => socket.write(`${JSON.stringify({ id, result })}\n`),
        (error: unknown) => socket.write(`${JSON.stringify({ id, error: String(error) })}\n`),
      );
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ port, password, env: realm.env })}\n`);
  });
  process.stdin.resume().once("end", () => {
    server.close();
    void Promise.all([...acceptors.values()].map((one) => one.stop()))
      .then(() => realm.stop())
      .then(() => process.exit(0));
  });
}

void work();
