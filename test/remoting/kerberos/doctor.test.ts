import { memoryState } from "../../../provider/backends/simulator/stateFile";
import { runCommandLine } from "../../../provider/exchangeCertificates/commandLine";
import { defaultOrganisation, EX01 } from "../../backends/simulatedServer";
import { startTestEndpoint } from "../endpoint";
import type { Acceptor } from "./acceptor";
import { describeKerberos } from "./machine";
import type { Realm } from "./realm";
import { type ServersBehindKerberos, startServersBehindKerberos } from "./serversBehindKerberos";

describeKerberos("exchange-certificates doctor, with Kerberos over http", () => {
  let servers: ServersBehindKerberos;
  let realm: Realm;
  let front: Acceptor;

  beforeAll(async () => {
    servers = await startServersBehindKerberos();
    ({ realm, front } = servers);
  });
  afterAll(() => servers.stop());

  async function doctor(
    environment: Readonly<Record<string, string>>,
    url = front.url,
  ): Promise<{ code: number; out: string }> {
    const out: string[] = [];
    const code = await runCommandLine(["doctor", "--server", EX01, "--endpoint", url], {
      workingDirectory: process.cwd(),
      environment,
      out: (text) => out.push(text),
      error: (text) => out.push(text),
      isInteractive: false,
      ask: () => Promise.resolve(undefined),
      readStandardInput: () => Promise.resolve(""),
      interrupted: () => new Promise<void>(() => undefined),
    });
    return { code, out: out.join("\n") };
  }

  it("tells who we are, which service the ticket is for, and that bodies are encrypted", async () => {
    const password = realm.password("operator");
    const { code, out } = await doctor({ EXCHANGE_USERNAME: "operator@contoso.test", EXCHANGE_PASSWORD: password });
    expect(out).toContain("skip  TLS            plain http: Kerberos encrypts what is said\n");
    expect(out).toContain("ok    web server     it takes Kerberos\n");
    expect(out.replace(/\s+/g, " ")).toContain(
      "ok authentication Kerberos as operator@CONTOSO.TEST, to HTTP/localhost, bodies encrypted, accepted",
    );
    expect(out).toMatch(/\n {2}ok {4}services/);
    expect(out).not.toContain(password);
    expect(code).toBe(0);
  });

  it("tells what Kerberos says when the password is wrong, or when there is no ticket", async () => {
    const wrong = await doctor({ EXCHANGE_USERNAME: "operator@contoso.test", EXCHANGE_PASSWORD: "not-this-one" });
    expect(wrong.code).toBe(1);
    expect(wrong.out).toMatch(/FAIL {2}authentication [^]*password is wrong/);
    const none = await doctor({});
    expect(none.code).toBe(1);
    expect(none.out).toMatch(/FAIL {2}authentication [^]*-> /);
    expect(none.out).toContain("klist");
  });

  it("tells that a port which wants TLS isn't for plain http", async () => {
    const secure = await startTestEndpoint({ store: memoryState(await defaultOrganisation()) });
    try {
      const { code, out } = await doctor({}, secure.url.replace("https:", "http:"));
      expect(code).toBe(1);
      expect(out).toMatch(/warn {2}name [^]*FAIL {2}web server [^]*a port that wants TLS \(443\)/);
    } finally {
      await secure.close();
    }
  });
});
