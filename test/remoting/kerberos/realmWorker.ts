import { startAcceptor } from "./acceptor";
import { startRealm } from "./realm";

/* A process with a realm and an acceptor that it never stops; see realm.test.ts. */

async function work(): Promise<void> {
  const realm = await startRealm();
  const keytab = await realm.keytab("HTTP/localhost");
  const acceptor = await startAcceptor({ target: "http://127.0.0.1:9/", env: realm.env, keytab });
  const { directory, kdcPort } = realm;
  process.stdout.write(`${JSON.stringify({ directory, ports: [kdcPort, acceptor.port] })}\n`);
  setInterval(() => undefined, 1000);
}

void work();
