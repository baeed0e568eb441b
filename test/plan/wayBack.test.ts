import { known } from "../../provider/model";
import { describeWayBack } from "../../provider/plan/followUpText";
import type { ObservedServer } from "../../provider/plan/observedServer";
import type { DesiredBinding } from "../../provider/plan/desired";
import { waysBack } from "../../provider/plan/wayBack";
import {
  BUILT_IN,
  EX01,
  MAIL,
  NOW,
  OWA,
  certificate,
  inDays,
  planned,
  server,
  services,
  shown,
  steps,
} from "./servers";

/** The ways back that are told after a wish came about on `before`, when the server shows `after`. */
function told(wish: Partial<DesiredBinding>, before: ObservedServer, after: ObservedServer): readonly string[] {
  const { requireSsl = true } = wish;
  const outcome = { server: after, thumbprint: MAIL.thumbprint, requireSsl, now: NOW };
  return waysBack(steps(planned(wish, undefined, before)), outcome).map((way) =>
    describeWayBack(way, { server: EX01, now: NOW }),
  );
}

const builtIn = `${BUILT_IN.thumbprint.slice(0, 8)} (EX01)`;
const with_ = () => server([shown(MAIL)]);

describe("after a take-over, the way back", () => {
  it("of IIS is to enable the former holder", () => {
    expect(told(services("IIS"), server(), with_())).toEqual([
      `to give IIS back to ${builtIn}: Enable-ExchangeCertificate -Server ex01.contoso.com -Thumbprint ${BUILT_IN.thumbprint} -Services IIS`,
    ]);
  });

  it("leaves Require SSL alone where the binding says so", () => {
    expect(told({ ...services("IIS"), requireSsl: false }, server(), with_())[0]).toMatch(
      /-Services IIS -DoNotRequireSsl$/,
    );
  });

  it("of IMAP and POP is the former name", () => {
    expect(told(services("IMAP", "POP"), server(), with_())).toEqual([
      `to give IMAP back to ${builtIn}: Set-ImapSettings -Server ex01.contoso.com -X509CertificateName 'EX01'`,
      `to give POP back to ${builtIn}: Set-PopSettings -Server ex01.contoso.com -X509CertificateName 'EX01'`,
    ]);
  });

  it("isn't told where the new certificate has the former name as well", () => {
    const both = certificate(["mail.contoso.com", "EX01"], { thumbprint: MAIL.thumbprint });
    const wish = { ...services("IMAP"), certificateNames: { IMAP: "autodiscover.contoso.com", POP: undefined } };
    expect(told(wish, server(), server([shown(both)]))).toEqual([]);
  });

  it("of the default SMTP role answers the overwrite question", () => {
    expect(told({ ...services("SMTP"), replaceDefaultSmtpCertificate: true }, server(), with_())).toEqual([
      `to make ${builtIn} the default SMTP certificate again: Enable-ExchangeCertificate -Server ex01.contoso.com -Thumbprint ${BUILT_IN.thumbprint} -Services SMTP -Force`,
    ]);
  });

  it("isn't told when the former holder is gone, has expired or has no key", () => {
    const holder = (facts: typeof OWA, more = {}) => shown(facts, { services: ["IIS"], ...more });
    const on = (...certificates: ReturnType<typeof shown>[]) => ({
      ...server(),
      certificates: [shown(MAIL), ...certificates],
    });
    const expired = certificate("owa.contoso.com", { notAfter: inDays(-1) });
    expect(told(services("IIS"), on(holder(OWA)), on())).toEqual([]);
    expect(told(services("IIS"), on(holder(expired)), on(shown(expired)))).toEqual([]);
    expect(told(services("IIS"), on(holder(OWA)), on(shown(OWA, { hasPrivateKey: known(false) })))).toEqual([]);
    expect(told(services("IIS"), on(holder(OWA)), on(shown(OWA)))).toHaveLength(1);
  });
});
