import { known } from "../../provider/model";
import type { DesiredBinding } from "../../provider/plan/desired";
import type { ObservedServer } from "../../provider/plan/observedServer";
import { describeSurprise } from "../../provider/plan/lineText";
import { surprises } from "../../provider/plan/surprises";
import { BUILT_IN, MAIL, OWA, certificate, planned, server, serverOf, services, shown } from "./servers";

/** What has become different for a wish between two looks at a server. */
function between(wish: Partial<DesiredBinding>, then: ObservedServer, now: ObservedServer): readonly string[] {
  const at = (on: ObservedServer) => ({ plan: planned(wish, undefined, on), server: on });
  return surprises(at(then), at(now)).map(describeSurprise);
}

describe("right before the first change", () => {
  it("nothing is surprising on a server that nobody has touched", () => {
    expect(between({}, server(), server())).toEqual([]);
  });

  it("less to do than planned is no surprise", () => {
    expect(between({}, server(), server([shown(MAIL, { services: ["SMTP"] })]))).toEqual([]);
    expect(between({}, server(), serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })]))).toEqual([]);
  });

  it("another holder of IIS is", () => {
    const now = serverOf([shown(OWA, { services: ["IIS"] })]);
    expect(between({}, server(), now)).toEqual([`IIS is held by ${OWA.thumbprint}`]);
  });

  it("another default SMTP certificate is, asked to replace it or not", () => {
    const now = server([shown(OWA)], { defaultSmtpThumbprint: known(OWA.thumbprint) });
    const surprise = [`the default SMTP certificate is ${OWA.thumbprint}`];
    expect(between({}, server(), now)).toEqual(surprise);
    expect(between({ replaceDefaultSmtpCertificate: true }, server(), now)).toEqual(surprise);
    expect(between(services("IIS"), server(), now)).toEqual([]);
  });

  it("a service that was held and isn't any more is", () => {
    const then = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })]);
    expect(between({}, then, server([shown(MAIL, { services: ["SMTP"] })]))).toEqual([
      "IIS has to be enabled",
      `IIS is held by ${BUILT_IN.thumbprint}`,
    ]);
  });

  it("a certificate that is gone is", () => {
    expect(between({}, server([shown(MAIL)]), server())).toEqual(["the certificate isn't on the server"]);
  });

  it("another name of IMAP is", () => {
    const wish = { ...services("IMAP"), certificateNames: { IMAP: "autodiscover.contoso.com", POP: undefined } };
    const now = server([], { imapCertificateName: known("owa.contoso.com") });
    expect(between(wish, server(), now)).toEqual(["the certificate name of IMAP is owa.contoso.com"]);
  });

  it("a certificate that would lose IMAP and wasn't there before is", () => {
    const wish = { ...services("IMAP"), certificateNames: { IMAP: "autodiscover.contoso.com", POP: undefined } };
    const twin = certificate("EX01");
    expect(between(wish, server(), server([shown(twin)]))).toEqual([`IMAP is held by ${twin.thumbprint}`]);
    expect(between(services("IMAP"), server(), server([shown(twin)]))).toEqual([`IMAP is held by ${twin.thumbprint}`]);
  });
});
