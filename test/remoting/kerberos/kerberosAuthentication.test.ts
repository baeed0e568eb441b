import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { inspect } from "node:util";
import { isRemotingError, type RemotingError } from "../../../provider/remoting/errors";
import { bodyMemory, type ConnectionAuthentication } from "../../../provider/remoting/http/authentication";
import { HttpConnection } from "../../../provider/remoting/http/connection";
import { CookieJar } from "../../../provider/remoting/http/cookies";
import { type Gssapi, loadGssapi, nativeEnv } from "../../../provider/remoting/http/kerberos/gssapi";
import {
  kerberosAuthentication,
  type KerberosEnv,
  kerberosIdentity,
} from "../../../provider/remoting/http/kerberos/kerberosAuthentication";
import { Secret } from "../../../provider/secret";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { pem, startWebServer, tlsIdentity, type WebServer } from "../http/webServer";
import { type Acceptor, type AcceptorOptions, startAcceptor } from "./acceptor";
import { setNativeEnvironment } from "./environment";
import { describeKerberos } from "./machine";
import { freePort, type Realm, type RealmEnv, startRealm, startSilentKdc } from "./realm";

const USER = "operator@CONTOSO.TEST";
const unlimited = { signal: new AbortController().signal, timeoutSeconds: 20 };
const material = makeTestCertificate({ dnsNames: ["localhost"] });
const identity = tlsIdentity(material);
const tls = { certificate: identity.cert, privateKey: new Secret(identity.key) };

describeKerberos("Kerberos through the system's library", () => {
  let realm: Realm;
  let keytab: string;
  let behind: WebServer;
  let gssapi: Gssapi;
  let front: Acceptor | undefined;
  let said: string[] = [];
  const opened: { close: () => unknown }[] = [];

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
    for (const one of opened.splice(0)) await one.close();
    await front?.stop();
    front = undefined;
  });
  afterAll(async () => {
    await behind.close();
    await realm.stop();
  });

  /** What native code finds in the environment; without the tickets and keys of an earlier test. */
  function use(env: RealmEnv): RealmEnv {
    const name = randomBytes(6).toString("hex");
    const own = {
      ...env,
      KRB5CCNAME: `FILE:${realm.directory}/${name}.tickets`,
      KRB5_CLIENT_KTNAME: `FILE:${realm.directory}/${name}.keytab`,
    };
    setNativeEnvironment({ ...own });
    return own;
  }

  async function start(options: Partial<AcceptorOptions> = {}): Promise<Acceptor> {
    const target = `http://127.0.0.1:${behind.port}/`;
    front = await startAcceptor({ target, env: realm.env, keytab, ...options });
    return front;
  }

  interface Who {
    readonly username?: string;
    readonly password?: Secret<string>;
  }
  const withPassword = (): Who => ({
    username: USER,
    password: new Secret(realm.password("operator")),
  });

  function kerberos({ username, password }: Who, changes: Partial<KerberosEnv> = {}): ConnectionAuthentication {
    return kerberosAuthentication(kerberosIdentity(username, password), {
      gssapi,
      now: () => new Date(),
      environment: {},
      bodies: bodyMemory((line) => said.push(line)),
      ...changes,
    });
  }

  function connectTo(url: string, authentication: ConnectionAuthentication): HttpConnection {
    const connection = new HttpConnection({
      url: new URL(url),
      authentication,
      ...(url.startsWith("https:") ? { tls: { ca: pem("CERTIFICATE", material.der) } } : {}),
      cookies: new CookieJar(),
      now: () => new Date(),
    });
    opened.push(connection);
    return connection;
  }

  async function failure(promise: Promise<unknown>): Promise<RemotingError> {
    const error = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!isRemotingError(error)) throw new Error(`No RemotingError, but ${inspect(error)}`);
    if (process.env["SHOW"]) console.log(error.code, error.message);
    expect(inspect(error, { depth: 10 })).not.toContain(realm.password("operator"));
    return error;
  }

  describe("talking", () => {
    it("encrypts every body over http, and takes turns on one TCP connection", async () => {
      const server = await start({ behaviour: { bodies: "encrypted" } });
      const connection = connectTo(server.url, kerberos(withPassword()));
      for (const text of ["", "a", "ä".repeat(1000), "x".repeat(500_000)]) {
        expect(await connection.post(`<t>${text}</t>`, unlimited)).toBe(`<echo><t>${text}</t></echo>`);
      }
      const requests = server.events("request");
      expect(requests.filter(({ bytes, encrypted }) => bytes > 0 && !encrypted)).toEqual([]);
      expect(new Set(requests.map(({ port }) => port)).size).toBe(1);
      expect(server.events("authenticated")).toEqual([expect.objectContaining({ user: USER, scheme: "kerberos" })]);
      expect(server.events("opened")[0]).toMatchObject({ tokenId: "0504", signature: 60 });
    });

    it("reads answers with Exchange's boundary", async () => {
      const server = await start({ behaviour: { bodies: "encrypted", boundary: "exchange" } });
      expect(await connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited)).toBe("<echo><a/></echo>");
    });

    it("encrypts over https, too, where the server takes it", async () => {
      const server = await start({ tls, behaviour: { bodies: "both" } });
      expect(await connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited)).toBe("<echo><a/></echo>");
      expect(server.events("opened")).toHaveLength(1);
      expect(said).toEqual([]);
    });

    it("leaves bodies to TLS where the server refuses encrypted ones, says so once, and remembers it", async () => {
      const server = await start({ tls, behaviour: { bodies: "plain" } });
      const authentication = kerberos(withPassword());
      expect(await connectTo(server.url, authentication).post("<a/>", unlimited)).toBe("<echo><a/></echo>");
      expect(await connectTo(server.url, authentication).post("<b/>", unlimited)).toBe("<echo><b/></echo>");
      expect(server.events("request").map(({ encrypted, bytes }) => bytes > 0 && encrypted)).toEqual([
        false,
        true,
        false,
        false,
        false,
        false,
      ]);
      expect(said).toEqual([expect.stringContaining("takes no bodies that Kerberos encrypted")]);
    });

    it("doesn't send in the clear to a server that once took encrypted bodies", async () => {
      const server = await start({ tls });
      const connection = connectTo(server.url, kerberos(withPassword()));
      await connection.post("<a/>", unlimited);
      await server.behave({ bodies: "plain" });
      server.forgetEvents();
      expect((await failure(connection.post("<b/>", unlimited))).facts.httpStatus).toBe(400);
      expect(server.events("request").every(({ encrypted }) => encrypted)).toBe(true);
    });

    it("never sends in the clear over http", async () => {
      const server = await start({ behaviour: { bodies: "plain" } });
      expect(
        (await failure(connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited))).facts.httpStatus,
      ).toBe(400);
      expect(server.events("request").every(({ bytes, encrypted }) => bytes === 0 || encrypted)).toBe(true);
    });

    it("begins anew when the server has forgotten the connection", async () => {
      const server = await start({ behaviour: { bodies: "encrypted", forgetAfter: 2 } });
      const connection = connectTo(server.url, kerberos(withPassword()));
      for (const text of ["<a/>", "<b/>", "<c/>"]) {
        expect(await connection.post(text, unlimited)).toBe(`<echo>${text}</echo>`);
      }
      expect(server.events("authenticated")).toHaveLength(2);
    });
  });

  describe("who we are", () => {
    it("is whoever the ticket cache says", async () => {
      const { KRB5CCNAME } = use(realm.env);
      await realm.kinit({ user: "operator", cache: KRB5CCNAME, password: realm.password("operator") });
      const server = await start();
      await connectTo(server.url, kerberos({})).post("<a/>", unlimited);
      await connectTo(server.url, kerberos({ username: "operator" })).post("<a/>", unlimited);
      expect(server.events("authenticated").map(({ user }) => user)).toEqual([USER, USER]);
    });

    it("is whoever the client keytab says", async () => {
      setNativeEnvironment({ KRB5_CLIENT_KTNAME: realm.env.KRB5_CLIENT_KTNAME });
      await realm.clientKeytab("operator");
      const server = await start();
      await connectTo(server.url, kerberos({})).post("<a/>", unlimited);
      await connectTo(server.url, kerberos({ username: USER })).post("<a/>", unlimited);
      expect(server.events("authenticated").map(({ user }) => user)).toEqual([USER, USER]);
    });

    it("may be written like a UPN", async () => {
      const server = await start();
      const who = { ...withPassword(), username: "operator@contoso.test" };
      await connectTo(server.url, kerberos(who)).post("<a/>", unlimited);
      expect(server.events("authenticated")).toEqual([expect.objectContaining({ user: USER })]);
    });

    it("comes from the ticket that is there at the moment, not from an earlier one", async () => {
      const { KRB5CCNAME } = use(realm.env);
      const server = await start();
      const authentication = kerberos({});
      expect((await failure(connectTo(server.url, authentication).post("<a/>", unlimited))).message).toMatch(
        /no ticket/,
      );
      await realm.kinit({ user: "operator", cache: KRB5CCNAME, password: realm.password("operator") });
      await connectTo(server.url, authentication).post("<a/>", unlimited);
      expect(server.events("authenticated")).toHaveLength(1);
    });

    it("is proven anew, on a new TCP connection, when the ticket comes to its end", async () => {
      const server = await start();
      let now = new Date();
      const connection = connectTo(server.url, kerberos(withPassword(), { now: () => now }));
      await connection.post("<a/>", unlimited);
      now = new Date(now.getTime() + 2 * 86_400_000);
      // The context of the new connection is as fresh as the clock says.
      const again = connection.post("<b/>", unlimited);
      expect(await again).toBe("<echo><b/></echo>");
      expect(new Set(server.events("authenticated").map(({ port }) => port)).size).toBe(2);
    });
  });

  describe("what goes wrong", () => {
    it("says that there is no ticket, where it looked, and how to get one", async () => {
      const { KRB5CCNAME } = use(realm.env);
      const server = await start();
      const error = await failure(connectTo(server.url, kerberos({})).post("<a/>", unlimited));
      expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
      expect(error.message).toContain(`for HTTP/localhost (ticket cache ${KRB5CCNAME}`);
      expect(error.message).toMatch(/there is no ticket.*kinit.*KRB5_CLIENT_KTNAME/);
      expect(server.events("request")).toEqual([]);
    });

    it("says that the ticket is somebody else's", async () => {
      const { KRB5CCNAME } = use(realm.env);
      await realm.kinit({ user: "operator", cache: KRB5CCNAME, password: realm.password("operator") });
      const error = await failure(
        connectTo("http://localhost:1/", kerberos({ username: "other@CONTOSO.TEST" })).post("", unlimited),
      );
      expect(error.message).toMatch(/as other@CONTOSO\.TEST.*there is no ticket/);
    });

    it("says that the ticket has expired", async () => {
      const { KRB5CCNAME } = use(realm.env);
      await realm.kinit({
        user: "operator",
        cache: KRB5CCNAME,
        password: realm.password("operator"),
        lifetimeSeconds: 1,
      });
      await wait(2000);
      const error = await failure(connectTo("http://localhost:1/", kerberos({})).post("", unlimited));
      expect(error.code).toBe("AuthenticationRefused");
      expect(error.message).toMatch(/the ticket has expired.*kinit/);
    });

    it("says that the password is wrong", async () => {
      const who = { username: USER, password: new Secret("not-this-one") };
      const error = await failure(connectTo("http://localhost:1/", kerberos(who)).post("", unlimited));
      expect(error.code).toBe("AuthenticationRefused");
      expect(error.message).toMatch(/as operator@CONTOSO\.TEST \(with the password given.*the password is wrong/);
      expect(inspect(error, { depth: 10 })).not.toContain("not-this-one");
      expect(error.facts.kerberos).toMatchObject({ service: "HTTP/localhost", principal: USER });
    });

    it("says that nobody knows this user", async () => {
      const who = { username: "nobody@CONTOSO.TEST", password: new Secret("x") };
      const error = await failure(connectTo("http://localhost:1/", kerberos(who)).post("", unlimited));
      expect(error.message).toMatch(/nobody@CONTOSO\.TEST.*doesn't know this principal.*sAMAccountName/);
    });

    it("says that nobody knows this service", async () => {
      const error = await failure(
        connectTo("http://other.contoso.test/", kerberos(withPassword())).post("", unlimited),
      );
      expect(error.code).toBe("AuthenticationRefused");
      expect(error.message).toMatch(/for HTTP\/other\.contoso\.test as.*doesn't know this service.*setspn/);
    });

    it("says that the realm leads nowhere", async () => {
      const who = { username: "anna@FABRIKAM.TEST", password: new Secret("x") };
      const error = await failure(connectTo("http://localhost:1/", kerberos(who)).post("", unlimited));
      expect(error.code).toBe("SettingsRefused");
      expect(error.message).toMatch(
        /anna@FABRIKAM\.TEST.*no domain controller \(KDC\) is known for that realm.*krb5\.conf/,
      );
    });

    it("says that the server doesn't believe the ticket", async () => {
      const server = await start({ keytab: await realm.keytab("HTTP/elsewhere.contoso.test") });
      const error = await failure(connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited));
      expect([error.code, error.facts.httpStatus]).toEqual(["AuthenticationRefused", 401]);
      expect(error.message).toMatch(/doesn't believe the ticket.*clock.*setspn/);
      expect(server.events("authenticated")).toEqual([]);
    });

    it.each([-3600, 3600])(
      "says that the server's clock may be wrong when it is off by %i seconds",
      async (aheadSeconds) => {
        const server = await start({ aheadSeconds });
        const error = await failure(connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited));
        expect([error.code, error.facts.httpStatus]).toEqual(["AuthenticationRefused", 401]);
        expect(error.message).toMatch(/Check that its clock is right/);
      },
    );

    it.each(["none", "wrong"] as const)(
      "believes no server whose proof is %s, and sends it nothing",
      async (mutual) => {
        const server = await start({ behaviour: { mutual } });
        const error = await failure(connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited));
        expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
        expect(error.message).toMatch(mutual === "none" ? /did not prove/ : /doesn't hold the key/);
        expect(server.events("request").every(({ bytes }) => bytes === 0)).toBe(true);
      },
    );

    it("says that the server offers no Kerberos", async () => {
      const server = await start({ behaviour: { challenges: ["Negotiate", 'Basic realm="x"'] } });
      const error = await failure(connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited));
      expect(error.code).toBe("AuthenticationRefused");
      expect(error.message).toMatch(/It takes Negotiate, Basic; we offered Kerberos/);
    });

    it.each(["clear", "corrupt", "wrongLength", "replayed"] as const)(
      "believes no answer that is %s",
      async (answers) => {
        const server = await start();
        const connection = connectTo(server.url, kerberos(withPassword()));
        await connection.post("<a/>", unlimited);
        await server.behave({ answers });
        const error = await failure(connection.post("<b/>", unlimited));
        // It was asked all the same, and may have done what it was asked to.
        expect([error.code, error.facts.fate]).toEqual(["HttpUnexpected", undefined]);
        await server.behave({ answers: "sealed" });
        expect(await connection.post("<c/>", unlimited)).toBe("<echo><c/></echo>");
      },
    );

    it("says that the KDC isn't up", async () => {
      use(realm.envWithKdc(await freePort()));
      const error = await failure(connectTo("http://localhost:1/", kerberos(withPassword())).post("", unlimited));
      expect([error.code, error.facts.fate]).toEqual(["KdcUnreachable", "notDone"]);
      expect(error.message).toMatch(/no domain controller \(KDC\) answers.*port 88/);
    });

    it.each([-3600, 3600])(
      "takes the time of a KDC whose clock is off by %i seconds, as its servers do",
      async (ahead) => {
        const other = await startRealm({ kdcAheadSeconds: ahead });
        opened.push({ close: () => other.stop() });
        use(other.env);
        const who = { username: USER, password: new Secret(other.password("operator")) };
        const own = await other.keytab("HTTP/localhost");
        const server = await start({ keytab: own, aheadSeconds: ahead });
        expect(await connectTo(server.url, kerberos(who)).post("<a/>", unlimited)).toBe("<echo><a/></echo>");
      },
    );

    it("says that the KDC's clock differs, where the library may not take its time", async () => {
      const other = await startRealm({ kdcAheadSeconds: 3600 });
      opened.push({ close: () => other.stop() });
      const strict = `${other.directory}/strict.conf`;
      const settings = fs.readFileSync(other.env.KRB5_CONFIG, "utf8");
      fs.writeFileSync(strict, settings.replace("[libdefaults]", "[libdefaults]\n  kdc_timesync = 0"));
      use({ ...other.env, KRB5_CONFIG: strict });
      const who = { username: USER, password: new Secret(other.password("operator")) };
      const error = await failure(connectTo("http://localhost:1/", kerberos(who)).post("", unlimited));
      expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
      expect(error.message).toMatch(/the clocks differ by more than Kerberos allows/);
    });

    it("says that krb5.conf can't be read", async () => {
      const broken = `${realm.directory}/broken.conf`;
      fs.writeFileSync(broken, "[libdefaults\n nonsense");
      use({ ...realm.env, KRB5_CONFIG: broken });
      const who = kerberos(withPassword(), { environment: { KRB5_CONFIG: broken } });
      const error = await failure(connectTo("http://localhost:1/", who).post("", unlimited));
      expect(error.message).toContain(`krb5.conf can't be read`);
      expect(error.message).toContain(broken);
    });
  });

  it("doesn't hold up anything while the KDC is silent, ends at its limit and at the caller's, and cleans up", async () => {
    const silent = await startSilentKdc();
    use(realm.envWithKdc(silent.port));
    const deleted: unknown[] = [];
    const counting: Gssapi = {
      ...gssapi,
      deleteContext: (context) => {
        deleted.push(context);
        gssapi.deleteContext(context);
      },
    };
    const authentication = kerberos(withPassword(), { gssapi: counting, limitSeconds: 1 });
    const pauses = monitorEventLoopDelay({ resolution: 10 });
    pauses.enable();
    const late = await failure(connectTo("http://localhost:1/", authentication).post("", unlimited));
    const signal = AbortSignal.timeout(200);
    const givenUp = await failure(connectTo("http://localhost:1/", authentication).post("", { ...unlimited, signal }));
    pauses.disable();
    expect([late.code, late.facts.fate]).toEqual(["KdcUnreachable", "notDone"]);
    expect(late.message).toMatch(/no domain controller \(KDC\) answered within 1 seconds/);
    expect([givenUp.code, givenUp.facts.fate]).toEqual(["Aborted", "notDone"]);
    expect(pauses.max / 1e6).toBeLessThan(100);
    // Both native calls are still running, and their contexts are theirs until they come back.
    expect(deleted).toEqual([]);
    await silent.close();
    while (deleted.length < 2) await wait(50);
  }, 60_000);
});
