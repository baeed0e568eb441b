import type { TraceEvent } from "../../../provider/remoting/trace";
import { setNativeEnvironment } from "./environment";
import { describeKerberos } from "./machine";
import { unlimited, USER, workbench } from "./workbench";

describeKerberos("Kerberos through the system's library", () => {
  const { realm, tls, said, use, start, withPassword, kerberos, connectTo, failure } = workbench();

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
      const server = await start({ tls: tls(), behaviour: { bodies: "both" } });
      expect(await connectTo(server.url, kerberos(withPassword())).post("<a/>", unlimited)).toBe("<echo><a/></echo>");
      expect(server.events("opened")).toHaveLength(1);
      expect(said()).toEqual([]);
    });

    it("leaves bodies to TLS where the server refuses encrypted ones, says so once, and remembers it", async () => {
      const server = await start({ tls: tls(), behaviour: { bodies: "plain" } });
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
      expect(said()).toEqual([expect.stringContaining("takes no bodies that Kerberos encrypted")]);
    });

    it("doesn't send in the clear to a server that once took encrypted bodies", async () => {
      const server = await start({ tls: tls() });
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

    it("uses no number up for a request that is given up before it begins", async () => {
      const server = await start({ behaviour: { bodies: "encrypted" } });
      const connection = connectTo(server.url, kerberos(withPassword()));
      await connection.post("<a/>", unlimited);
      const giveUp = new AbortController();
      const [first, second] = [
        connection.post("<b/>", unlimited),
        failure(connection.post("<c/>", { ...unlimited, signal: giveUp.signal })),
      ];
      giveUp.abort();
      expect([await first, (await second).code]).toEqual(["<echo><b/></echo>", "Aborted"]);
      expect(await connection.post("<d/>", unlimited)).toBe("<echo><d/></echo>");
      expect(server.events("refused")).toEqual([]);
      expect(server.events("authenticated")).toHaveLength(1);
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
    it("says who it is once the ticket is there, and not before", async () => {
      const { KRB5CCNAME } = use(realm().env);
      await realm().kinit({ user: "operator", cache: KRB5CCNAME, password: realm().password("operator") });
      const server = await start();
      const events: TraceEvent[] = [];
      const authentication = kerberos({});
      const connection = connectTo(server.url, authentication, (event) => events.push(event));
      await connection.post("<a/>", unlimited);
      const said = events.filter((event) => event.kind === "authentication");
      expect(said.map(({ outcome, principal }) => [outcome, principal])).toEqual([
        ["begun", undefined],
        ["accepted", USER],
      ]);
    });

    it("is whoever the ticket cache says", async () => {
      const { KRB5CCNAME } = use(realm().env);
      await realm().kinit({ user: "operator", cache: KRB5CCNAME, password: realm().password("operator") });
      const server = await start();
      await connectTo(server.url, kerberos({})).post("<a/>", unlimited);
      await connectTo(server.url, kerberos({ username: "operator" })).post("<a/>", unlimited);
      expect(server.events("authenticated").map(({ user }) => user)).toEqual([USER, USER]);
    });

    it("is whoever the client keytab says", async () => {
      setNativeEnvironment({ KRB5_CLIENT_KTNAME: realm().env.KRB5_CLIENT_KTNAME });
      await realm().clientKeytab("operator");
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
      const { KRB5CCNAME } = use(realm().env);
      const server = await start();
      const authentication = kerberos({});
      expect((await failure(connectTo(server.url, authentication).post("<a/>", unlimited))).message).toMatch(
        /no ticket/,
      );
      await realm().kinit({ user: "operator", cache: KRB5CCNAME, password: realm().password("operator") });
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
});
