import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { isRemotingError, type RemotingError } from "../../../provider/remoting/errors";
import { bodyMemory, type ConnectionAuthentication } from "../../../provider/remoting/http/authentication";
import { HttpConnection } from "../../../provider/remoting/http/connection";
import { CookieJar } from "../../../provider/remoting/http/cookies";
import { type Gssapi, loadGssapi } from "../../../provider/remoting/http/kerberos/gssapi";
import { gssapiLibrary } from "../../../provider/remoting/http/kerberos/gssapiLibrary";
import {
  kerberosAuthentication,
  type KerberosEnv,
  kerberosIdentity,
} from "../../../provider/remoting/http/kerberos/kerberosAuthentication";
import { nativeEnv } from "../../../provider/remoting/http/kerberos/nativeCalls";
import type { Trace } from "../../../provider/remoting/trace";
import { Secret } from "../../../provider/secret";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { pem, startWebServer, tlsIdentity, type WebServer } from "../http/webServer";
import { type Acceptor, type AcceptorOptions, startAcceptor } from "./acceptor";
import { setNativeEnvironment } from "./environment";
import { type Realm, type RealmEnv, startRealm } from "./realm";

/** The realm's one user. */
export const USER = "operator@CONTOSO.TEST";
export const unlimited = { signal: new AbortController().signal, timeoutSeconds: 20 };

interface Who {
  readonly username?: string;
  readonly password?: Secret<string>;
}

interface Changes extends Partial<KerberosEnv> {
  readonly gssapi?: Gssapi;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What a test of our client has at hand. */
export interface Workbench {
  readonly realm: () => Realm;
  readonly gssapi: () => Gssapi;
  /** Of the acceptor over https. */
  readonly tls: () => NonNullable<AcceptorOptions["tls"]>;
  /** What was said to whoever runs Pulumi. */
  readonly said: () => readonly string[];
  /** Is closed after the test. */
  readonly closeLater: (close: () => unknown) => void;
  /** Lets native code find this in the environment, with a ticket cache and a client keytab that don't exist yet. */
  readonly use: (env: RealmEnv) => RealmEnv;
  /** An acceptor that is `HTTP/localhost`, in front of a server that answers `<echo>` with what it was asked in it. */
  readonly start: (options?: Partial<AcceptorOptions>) => Promise<Acceptor>;
  readonly withPassword: () => Who;
  readonly kerberos: (who: Who, changes?: Changes) => ConnectionAuthentication;
  readonly connectTo: (url: string, authentication: ConnectionAuthentication, trace?: Trace) => HttpConnection;
  /** The error that it fails with, in which the password doesn't stand. */
  readonly failure: (promise: Promise<unknown>) => Promise<RemotingError>;
}

/** To be called in a `describe`: prepares before its tests, and cleans up after each and all of them. */
export function workbench(): Workbench {
  const material = makeTestCertificate({ dnsNames: ["localhost"] });
  let realm: Realm;
  let keytab: string;
  let behind: WebServer;
  let gssapi: Gssapi;
  let said: string[] = [];
  const opened: (() => unknown)[] = [];

  const use: Workbench["use"] = (env) => {
    const name = randomBytes(6).toString("hex");
    const own = {
      ...env,
      KRB5CCNAME: `FILE:${realm.directory}/${name}.tickets`,
      KRB5_CLIENT_KTNAME: `FILE:${realm.directory}/${name}.keytab`,
    };
    setNativeEnvironment({ ...own });
    return own;
  };

  beforeAll(async () => {
    realm = await startRealm({ services: ["HTTP/localhost", "HTTP/elsewhere.contoso.test"] });
    keytab = await realm.keytab("HTTP/localhost");
    behind = await startWebServer(({ body }, response) => {
      response.writeHead(200, { "Content-Type": "application/soap+xml" }).end(`<echo>${body.toString()}</echo>`);
    });
    gssapi = loadGssapi(nativeEnv);
  });
  beforeEach(() => {
    said = [];
    use(realm.env);
  });
  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
  });
  afterAll(async () => {
    await behind.close();
    await realm.stop();
  });

  return {
    realm: () => realm,
    gssapi: () => gssapi,
    tls: () => {
      const { cert, key } = tlsIdentity(material);
      return { certificate: cert, privateKey: new Secret(key) };
    },
    said: () => said,
    closeLater: (close) => opened.push(close),
    use,
    start: async (options = {}) => {
      const target = `http://127.0.0.1:${behind.port}/`;
      const acceptor = await startAcceptor({ target, env: realm.env, keytab, ...options });
      opened.push(() => acceptor.stop());
      return acceptor;
    },
    withPassword: () => ({ username: USER, password: new Secret(realm.password("operator")) }),
    kerberos: ({ username, password }, { gssapi: other = gssapi, environment = {}, ...changes } = {}) =>
      kerberosAuthentication(kerberosIdentity(process.platform, username, password), {
        library: gssapiLibrary(other, environment),
        now: () => new Date(),
        bodies: bodyMemory((line) => said.push(line)),
        ...changes,
      }),
    connectTo: (url, authentication, trace) => {
      const connection = new HttpConnection({
        url: new URL(url),
        authentication,
        ...(url.startsWith("https:") ? { tls: { ca: pem("CERTIFICATE", material.der) } } : {}),
        cookies: new CookieJar(),
        now: () => new Date(),
        trace,
      });
      opened.push(() => {
        connection.close();
      });
      return connection;
    },
    failure: async (promise) => {
      const error = await promise.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!isRemotingError(error)) throw new Error(`No RemotingError, but ${inspect(error)}`);
      expect(inspect(error, { depth: 10 })).not.toContain(realm.password("operator"));
      return error;
    },
  };
}
