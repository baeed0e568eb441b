import fs from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { inspect } from "node:util";
import type { Gssapi } from "../../../provider/remoting/http/kerberos/gssapi";
import { Secret } from "../../../provider/secret";
import { describeKerberos } from "./machine";
import { freePort, startRealm, startSilentKdc } from "./realm";
import { unlimited, USER, workbench } from "./workbench";

describeKerberos("Kerberos that fails", () => {
  const { realm, gssapi, closeLater, use, start, withPassword, kerberos, connectTo, failure } = workbench();

  describe("what goes wrong", () => {
    it("says that there is no ticket, where it looked, and how to get one", async () => {
      const { KRB5CCNAME } = use(realm().env);
      const server = await start();
      const error = await failure(connectTo(server.url, kerberos({})).post("<a/>", unlimited));
      expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
      expect(error.message).toContain(`for HTTP/localhost (ticket cache ${KRB5CCNAME}`);
      expect(error.message).toMatch(/there is no ticket.*kinit.*KRB5_CLIENT_KTNAME/);
      expect(server.events("request")).toEqual([]);
    });

    it("says that the ticket is somebody else's", async () => {
      const { KRB5CCNAME } = use(realm().env);
      await realm().kinit({ user: "operator", cache: KRB5CCNAME, password: realm().password("operator") });
      const error = await failure(
        connectTo("http://localhost:1/", kerberos({ username: "other@CONTOSO.TEST" })).post("", unlimited),
      );
      expect(error.message).toMatch(/as other@CONTOSO\.TEST.*there is no ticket/);
    });

    it("says that the ticket has expired", async () => {
      const { KRB5CCNAME } = use(realm().env);
      await realm().kinit({
        user: "operator",
        cache: KRB5CCNAME,
        password: realm().password("operator"),
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
        /anna@FABRIKAM\.TEST.*no domain controller \(KDC\) is known for that realm().*krb5\.conf/,
      );
    });

    it("says that the server doesn't believe the ticket", async () => {
      const server = await start({ keytab: await realm().keytab("HTTP/elsewhere.contoso.test") });
      const error = await failure(connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited));
      expect([error.code, error.facts.httpStatus]).toEqual(["AuthenticationRefused", 401]);
      expect(error.message).toMatch(
        /doesn't believe the ticket.*clock.*setspn.*Extended Protection.*tokenChecking None/,
      );
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

    it("refuses to encrypt with RC4, before anything is sent", async () => {
      const server = await start();
      // As MIT's library begins its tokens when both sides have nothing but RC4.
      const wrap = (): Buffer => Buffer.from("602f06092a864886f71201020202011100ffffffff", "hex");
      const who = kerberos(withPassword(), { gssapi: { ...gssapi(), wrap } });
      const error = await failure(connectTo(server.url, who).post("<a/>", unlimited));
      expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
      expect(error.message).toMatch(/for HTTP\/localhost as operator@CONTOSO\.TEST.*RC4.*AES/);
      expect(server.events("request").every(({ bytes }) => bytes === 0)).toBe(true);
    });

    it("says that the KDC isn't up", async () => {
      use(realm().envWithKdc(await freePort()));
      const error = await failure(connectTo("http://localhost:1/", kerberos(withPassword())).post("", unlimited));
      expect([error.code, error.facts.fate]).toEqual(["KdcUnreachable", "notDone"]);
      expect(error.message).toMatch(/no domain controller \(KDC\) answers.*port 88/);
    });

    it.each([-3600, 3600])(
      "takes the time of a KDC whose clock is off by %i seconds, as its servers do",
      async (ahead) => {
        const other = await startRealm({ kdcAheadSeconds: ahead });
        closeLater(() => other.stop());
        use(other.env);
        const who = { username: USER, password: new Secret(other.password("operator")) };
        const own = await other.keytab("HTTP/localhost");
        const server = await start({ keytab: own, aheadSeconds: ahead });
        expect(await connectTo(server.url, kerberos(who)).post("<a/>", unlimited)).toBe("<echo><a/></echo>");
      },
    );

    it("says that the KDC's clock differs, where the library may not take its time", async () => {
      const other = await startRealm({ kdcAheadSeconds: 3600 });
      closeLater(() => other.stop());
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
      const broken = `${realm().directory}/broken.conf`;
      fs.writeFileSync(broken, "[libdefaults\n nonsense");
      use({ ...realm().env, KRB5_CONFIG: broken });
      const who = kerberos(withPassword(), { environment: { KRB5_CONFIG: broken } });
      const error = await failure(connectTo("http://localhost:1/", who).post("", unlimited));
      expect(error.message).toContain(`krb5.conf can't be read`);
      expect(error.message).toContain(broken);
    });
  });

  it("doesn't hold up anything while the KDC is silent, ends at its limit and at the caller's, and cleans up", async () => {
    const silent = await startSilentKdc();
    use(realm().envWithKdc(silent.port));
    const deleted: unknown[] = [];
    const counting: Gssapi = {
      ...gssapi(),
      deleteContext: (context) => {
        deleted.push(context);
        gssapi().deleteContext(context);
      },
    };
    const authentication = kerberos(withPassword(), { gssapi: counting, limitSeconds: 1 });
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 10);
    const late = await failure(connectTo("http://localhost:1/", authentication).post("", unlimited));
    const signal = AbortSignal.timeout(200);
    const givenUp = await failure(connectTo("http://localhost:1/", authentication).post("", { ...unlimited, signal }));
    clearInterval(turning);
    expect([late.code, late.facts.fate]).toEqual(["KdcUnreachable", "notDone"]);
    expect(late.message).toMatch(/no domain controller \(KDC\) answered within 1 seconds/);
    expect([givenUp.code, givenUp.facts.fate]).toEqual(["Aborted", "notDone"]);
    // Held up, it would have counted none before either was told.
    expect(turns).toBeGreaterThan(10);
    // Both native calls are still running, and their contexts are theirs until they come back.
    expect(deleted).toEqual([]);
    await silent.close();
    while (deleted.length < 2) await wait(50);
  });
});
