import type { Endpoint } from "../../../provider/backends/simulator/endpoint/endpoint";
import type { StateStore } from "../../../provider/backends/simulator/stateFile";
import { packPfx } from "../../../provider/certificate/packPfx";
import { Secret } from "../../../provider/secret";
import { defaultOrganisation, EX01 } from "../../backends/simulatedServer";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { describePeers, drive, serve } from "./peers";

const PFX_PASSWORD = "p@ss wörd";
const material = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
const pfx = Buffer.from(packPfx(material, new Secret(PFX_PASSWORD)).reveal()).toString("base64");

let endpoint: Endpoint;
let store: StateStore;
beforeEach(async () => {
  ({ endpoint, store } = await serve(await defaultOrganisation()));
});
afterEach(async () => {
  await endpoint.close();
});

describePeers("psrpcore on the simulated endpoint", () => {
  it("understands every message of a cmdlet's run", async () => {
    const outcome = await drive<{ state: string; events: string[] }>("psrpcore_peer.py", endpoint, {
      scenario: "read",
    });
    expect(outcome.state).toBe("Completed");
    expect(new Set(outcome.events)).toEqual(
      new Set([
        "SessionCapabilityEvent",
        "ApplicationPrivateDataEvent",
        "RunspacePoolStateEvent",
        "PipelineOutputEvent",
        "PipelineStateEvent",
      ]),
    );
    expect(endpoint.shellCount()).toBe(0);
  });

  it("exchanges keys, imports, and answers the question on the stream for answers", async () => {
    const { thumbprint } = material.facts;
    const enable = { Thumbprint: thumbprint, Services: ["SMTP"] };
    const job = { scenario: "importAndEnable", pfx, pfxPassword: PFX_PASSWORD, choice: 0, enable };
    const outcome = await drive<{ states: string[]; questions: string[]; errors: string[] }>(
      "psrpcore_peer.py",
      endpoint,
      job,
    );
    expect(outcome).toEqual({
      states: ["Completed", "Completed"],
      questions: [expect.stringContaining("Overwrite the existing default SMTP certificate?")],
      errors: [],
    });
    const server = (await store.read()).servers[EX01];
    expect(server?.internalTransportCertificate?.thumbprint).toBe(thumbprint);
  });
});
