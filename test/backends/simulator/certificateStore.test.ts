import { storeNotices } from "../../../provider/backends/simulator/certificateStore";
import { organisationTable } from "../../../provider/backends/simulator/console/organisationTable";
import { parseOrganisation } from "../../../provider/backends/simulator/organisationText";
import { simulatorBackend } from "../../../provider/backends/simulator/simulatorBackend";
import { memoryState } from "../../../provider/backends/simulator/stateFile";
import { thumbprintOf } from "../../../provider/certificate/thumbprint";
import { EX01, sessionEnv } from "../simulatedServer";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { NOW, openLab, organisation, server, stored } from "./lab";

const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
/** A sequence that is no certificate, and a certificate with bytes behind it: .NET may read both, we can't. */
const sequence = Buffer.concat([Buffer.from([0x30, 0x81, 0xc8]), Buffer.alloc(200)]);
const withMore = Buffer.concat([mail.der, Buffer.from("behind it")]);

describe.each([
  ["a DER that can't be parsed", sequence],
  ["a DER with bytes behind it", withMore],
])("a store with %s", (_, der) => {
  const thumbprint = thumbprintOf(der);
  const state = server({
    certificates: [
      stored({ der }, { friendlyName: "of a device", privateKey: { networkServiceRead: true } }),
      stored(mail),
    ],
    iis: { frontEnd: thumbprint, backEnd: null, requireSsl: true },
  });

  it("is taken from the file, with a notice", () => {
    const read = parseOrganisation(JSON.stringify(organisation([state])));
    expect(storeNotices(read)).toEqual([expect.stringContaining(`${EX01}: certificate ${thumbprint} can't be parsed`)]);
    expect(organisationTable(read, NOW)).toMatch(
      new RegExp(`${thumbprint} +IIS, SMTP +front end +\\? .*can't be parsed`),
    );
  });

  it("carries it by its thumbprint, with what the server knows of it", () => {
    const lab = openLab(state);
    const [device, other] = lab.output("Get-ExchangeCertificate", { Server: EX01 });
    expect(device).toMatchObject({
      Thumbprint: thumbprint,
      Services: "IIS, SMTP",
      FriendlyName: "of a device",
      HasPrivateKey: true,
    });
    expect(device).not.toHaveProperty("Subject");
    expect(other).toMatchObject({ Thumbprint: mail.facts.thumbprint, Subject: mail.facts.subject });
    lab.complete(
      "Remove-ExchangeCertificate",
      { Server: EX01, Thumbprint: thumbprint },
      { answers: { removeCertificate: "yes" } },
    );
    expect(lab.server().certificates).toHaveLength(1);
  });

  it("comes through the backend, bytes and all", async () => {
    const backend = simulatorBackend(memoryState(organisation([state])), sessionEnv);
    const { certificates } = await backend.readSnapshot(EX01, { signal: new AbortController().signal });
    expect(certificates.map((one) => thumbprintOf(one.der))).toEqual([thumbprint, mail.facts.thumbprint]);
    expect(certificates[0]?.displayedServices).toEqual({ kind: "known", value: ["IIS", "SMTP"] });
  });
});

describe("a certificate that stands in the file twice", () => {
  const state = organisation([server({ certificates: [stored(mail, { friendlyName: "first" }), stored(mail)] })]);

  it("counts once, as its first entry says it, with a notice", () => {
    const listed = openLab(state).output("Get-ExchangeCertificate", { Server: EX01 });
    expect(listed.map(({ FriendlyName }) => FriendlyName)).toEqual(["first"]);
    expect(storeNotices(state)).toEqual([expect.stringContaining("stands in the file more than once; it counts once")]);
    expect(organisationTable(state, NOW).split(mail.facts.thumbprint)).toHaveLength(2);
  });

  it("is gone when it is removed", () => {
    const lab = openLab(state);
    lab.complete(
      "Remove-ExchangeCertificate",
      { Server: EX01, Thumbprint: mail.facts.thumbprint },
      { answers: { removeCertificate: "yes" } },
    );
    expect(lab.server().certificates).toEqual([]);
  });
});
