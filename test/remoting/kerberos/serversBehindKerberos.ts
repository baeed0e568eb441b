import { type Endpoint, startEndpoint } from "../../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../../provider/backends/simulator/stateFile";
import { Secret } from "../../../provider/secret";
import { defaultOrganisation } from "../../backends/simulatedServer";
import { type Acceptor, startAcceptor } from "./acceptor";
import { setNativeEnvironment } from "./environment";
import { type Realm, startRealm } from "./realm";

const BEHIND = { user: "administrator@contoso.com", password: new Secret("correct horse battery staple") };

/** Simulated servers that are reached as real ones are: by Kerberos, over http, with encrypted bodies. */
export interface ServersBehindKerberos {
  readonly realm: Realm;
  readonly endpoint: Endpoint;
  readonly front: Acceptor;
  readonly stop: () => Promise<void>;
}

/** The realm's settings become those of this process. */
export async function startServersBehindKerberos(): Promise<ServersBehindKerberos> {
  const realm = await startRealm();
  setNativeEnvironment({ ...realm.env });
  const user = { name: BEHIND.user, password: BEHIND.password };
  const endpoint = await startEndpoint({ store: memoryState(await defaultOrganisation()), user });
  const front = await startAcceptor({
    target: endpoint.url,
    credentials: BEHIND,
    env: realm.env,
    keytab: await realm.keytab("HTTP/localhost"),
    behaviour: { bodies: "encrypted", boundary: "exchange" },
  });
  return {
    realm,
    endpoint,
    front,
    stop: async () => {
      await front.stop();
      await endpoint.close();
      await realm.stop();
    },
  };
}
