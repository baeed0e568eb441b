import { shownFacts } from "../../provider/certificate/facts";
import { makeTestCertificate } from "./testCertificates";

it("shows names as they are, and those that would steer a terminal or a pipeline so that they don't", () => {
  const { facts } = makeTestCertificate({ subject: "CN=mail.contoso.com, O=Müller & Söhne", dnsNames: ["a.b"] });
  const { subject, issuer, dnsNames } = facts;
  expect(shownFacts(facts)).toMatchObject({ thumbprint: facts.thumbprint, subject, issuer, dnsNames });
  const attack = 'CN="x\n::error::y"';
  const shown = shownFacts({ ...facts, subject: attack, issuer: attack, dnsNames: ["\u001b[31m.contoso.com"] });
  expect(shown).toMatchObject({
    subject: 'CN="x\\u{A}: :error::y"',
    issuer: 'CN="x\\u{A}: :error::y"',
    dnsNames: ["\\u{1B}[31m.contoso.com"],
  });
});
