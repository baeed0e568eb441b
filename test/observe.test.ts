import { known } from "../provider/model";
import { observedFrom } from "../provider/observe";
import { describeNotice } from "../provider/plan/noticeText";
import { planned, server, EX01, MAIL, NOW, shown, services, unreadable, losses } from "./plan/servers";
import { makeTestCertificate } from "./certificate/testCertificates";

const { facts: _facts, ...asShown } = shown(MAIL, { services: ["IIS"] });

it("carries a certificate that can't be parsed by its thumbprint and by what the server says of it", () => {
  const good = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
  const { certificates, unreadable: left } = observedFrom({
    ...server(),
    certificates: [
      { ...asShown, der: Buffer.from("no certificate") },
      { ...asShown, der: good.der },
    ],
  });
  expect(certificates.map(({ facts }) => facts.thumbprint)).toEqual([good.facts.thumbprint]);
  // printf 'no certificate' | sha1sum
  expect(left).toEqual([{ ...asShown, thumbprint: "2A6A501E58584D09E523B22509ABA9D918561D9D" }]);
});

describe("a certificate that can't be parsed", () => {
  const odd = unreadable("odd", { iisSites: known([1]) });
  const on = { ...server(), certificates: [], unreadable: [odd] };

  it("loses a service like any other, and is named", () => {
    expect(losses(planned(services("IIS"), undefined, on))).toEqual([`IIS from ${odd.thumbprint}`]);
  });

  it("may be the default SMTP certificate, which doesn't dangle for that", () => {
    const decision = planned(services("SMTP"), undefined, { ...on, defaultSmtpThumbprint: known(odd.thumbprint) });
    const said = decision.notices.map((notice) => describeNotice(notice, { server: EX01, now: NOW }));
    expect(said).toContain(
      `the default SMTP certificate stays ${odd.thumbprint.slice(0, 8)} (unreadable, its dates unknown)`,
    );
  });
});
