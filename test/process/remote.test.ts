import type { Endpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import { memoryState, type StateStore } from "../../provider/backends/simulator/stateFile";
import { defaultOrganisation, EX01, EX02 } from "../backends/simulatedServer";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../remoting/endpoint";
import { startDynamicProvider, type DynamicProvider } from "./dynamicProvider";
import { checked, makeMailBinding } from "./mailBinding";
import { called } from "../identities";

const { inputs: binding, thumbprint, secrets } = makeMailBinding(EX01);

let store: StateStore;
let endpoint: Endpoint;

beforeAll(async () => {
  store = memoryState(await defaultOrganisation());
  endpoint = await startTestEndpoint({ store });
});
afterAll(() => endpoint.close());

/** The provider as it is installed; all that it knows of the servers comes over the wire. */
function start(config: Readonly<Record<string, string>> = {}): Promise<DynamicProvider> {
  return startDynamicProvider({
    config: {
      "exchange:backend": "remote",
      "exchange:endpoint": endpoint.url,
      "exchange:authentication": "basic",
      "exchange:username": USER,
      "exchange:tlsServerName": SERVER_NAME,
      "exchange:caFile": "ca.pem",
      ...config,
    },
    env: { EXCHANGE_PASSWORD: PASSWORD },
    files: { "ca.pem": endpointIdentity().ca },
  });
}

describe("a binding on a server behind remote PowerShell", () => {
  it("is made, compared, read and changed", async () => {
    const provider = await start();
    const before = (await store.read()).servers[EX01]?.internalTransportCertificate?.thumbprint;
    const inputs = await checked(provider, binding());
    const made = await provider.create(inputs);
    expect(made.id).toBe(`${EX01}/${thumbprint}`);
    expect(made.properties).toMatchObject({
      heldServices: ["SMTP"],
      isDefaultSmtpCertificate: false,
      backend: "remote",
      exchangeVersion: expect.stringMatching(/^15\.2\./),
    });
    expect((await store.read()).servers[EX01]?.internalTransportCertificate?.thumbprint).toBe(before);
    expect(await provider.diff(made.id, made.properties, inputs)).toMatchObject({ changes: "none" });
    expect((await provider.read(made.id, made.properties)).inputs).toMatchObject({ services: ["SMTP"] });

    const more = await checked(provider, binding({ services: ["SMTP", "IIS"] }), inputs);
    const updated = await provider.update(made.id, made.properties, more);
    expect(updated.properties).toMatchObject({ heldServices: ["IIS", "SMTP"] });
    expect((await store.read()).servers[EX01]?.iis.frontEnd).toBe(thumbprint);

    const printed = await provider.end();
    for (const secret of [PASSWORD, ...secrets]) expect(printed).not.toContain(secret);
  });

  it("is there for several servers through one entry", async () => {
    const provider = await start({ "exchange:servers": `${EX01},${EX02}` });
    for (const server of [EX01, EX02]) await checked(provider, binding({ server, ...called(server) }));
    const made = await provider.create(await checked(provider, binding({ server: EX02 })));
    expect(made.id).toBe(`${EX02}/${thumbprint}`);
    await provider.end();
  });

  it.each([
    [{ "exchange:tlsServerName": "owa.fabrikam.com" }, /isn't made out to owa\.fabrikam\.com.*exchange:tlsServerName/],
    [{ "exchange:username": "nobody@contoso.com" }, /401.*exchange:username/],
    [{ "exchange:authentication": "kerberos", "exchange:endpoint": "" }, /no TLS/],
  ])("is refused with what to do when %j", async (config, message) => {
    const provider = await start(config);
    const refusal = await provider.check({}, binding()).then(
      ({ failures }) => failures.map(({ reason }) => reason).join(" "),
      (error: unknown) => (error as Error).message,
    );
    expect(refusal).toMatch(message);
    const printed = await provider.end();
    for (const said of [refusal, printed]) expect(said).not.toContain(PASSWORD);
  });
});
