import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";

import { chainsToPublicRoot } from "../../provider/certificate/publicRoots";
import { makeTestAuthority, makeTestCertificate } from "./testCertificates";

const issuing = makeTestAuthority();
const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: issuing });
const [issuer, root] = mail.chain as [Uint8Array, Uint8Array];
const roots = [new X509Certificate(root).toString()];

it.each<[string, readonly Uint8Array[], boolean]>([
  ["with its whole chain", [issuer, root], true],
  ["with the issuer alone", [issuer], true],
  ["without a chain, which tells nothing", [], false],
  ["with a chain that leads nowhere", [root], false],
  ["with what isn't a certificate", [Buffer.from("no certificate")], false],
])("a certificate %s is told to chain to a public root, or not", (_what, chain, expected) => {
  expect(chainsToPublicRoot(mail.der, chain, roots)).toBe(expected);
});

it("doesn't go by the name of the root alone", () => {
  const other = makeTestCertificate({ subject: "CN=Contoso Root, O=Contoso", isAuthority: true, key: "eccB" });
  expect(chainsToPublicRoot(mail.der, [issuer], [new X509Certificate(other.der).toString()])).toBe(false);
});

it("knows the roots that Node brings along, and no private one", () => {
  const [one = ""] = rootCertificates;
  expect(chainsToPublicRoot(new X509Certificate(one).raw, [])).toBe(true);
  expect(chainsToPublicRoot(mail.der, mail.chain)).toBe(false);
});
