import {
  consequencesOn,
  describeConsequence,
  offeredCertificate,
} from "../../../provider/backends/simulator/consequences";
import type { Organisation, ServerState } from "../../../provider/backends/simulator/organisation";
import { makeTestAuthority, makeTestCertificate } from "../../certificate/testCertificates";
import { NOW, organisation, published, server, stored } from "./lab";

const authority = makeTestAuthority();
const SMTP = { privateKey: { networkServiceRead: true } };
const own = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["EX01", "ex01.contoso.com"] });
const webManagement = makeTestCertificate({ subject: "CN=WMSvc-SHA2-EX01" });
const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: authority });
const expired = makeTestCertificate({
  dnsNames: ["mail.contoso.com"],
  issuer: authority,
  notBefore: new Date("2026-01-01T00:00:00Z"),
  notAfter: new Date("2026-02-01T00:00:00Z"),
});
const MAIL_NAME = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com";

/** A server on which everything works. */
function healthy(changes: Partial<ServerState> = {}): ServerState {
  return server({
    certificates: [stored(own, SMTP), stored(webManagement)],
    iis: { frontEnd: own.facts.thumbprint, backEnd: own.facts.thumbprint, requireSsl: true },
    imap: { x509CertificateName: "EX01" },
    pop: { x509CertificateName: "EX01" },
    internalTransportCertificate: published(own),
    receiveConnectors: [{ name: "Default", fqdn: "ex01.contoso.com", tlsCertificateName: null }],
    ...changes,
  });
}

function told(state: ServerState, changes: Partial<Organisation> = {}): readonly string[] {
  return consequencesOn(organisation([state], changes), state, NOW).map(describeConsequence);
}

const offered = (state: ServerState, name: string | null, fqdn = "mail.contoso.com") =>
  offeredCertificate(state, { name: "Relay", fqdn, tlsCertificateName: name }, NOW)?.thumbprint;

describe("what transport offers on a receive connector", () => {
  const selfSigned = makeTestCertificate({
    dnsNames: ["mail.contoso.com"],
    notBefore: new Date("2026-11-01T00:00:00Z"),
  });
  const newer = makeTestCertificate({
    dnsNames: ["mail.contoso.com"],
    issuer: authority,
    notBefore: new Date("2026-10-01T00:00:00Z"),
  });

  it("is the newest certificate with a chain among those with SMTP that are for its name", () => {
    const certificates = [own, mail, newer, selfSigned].map((one) => stored(one, SMTP));
    expect(offered(healthy({ certificates }), null)).toBe(newer.facts.thumbprint);
  });

  it("is a self-signed one only where there is none with a chain", () => {
    expect(offered(healthy({ certificates: [own, selfSigned].map((one) => stored(one, SMTP)) }), null)).toBe(
      selfSigned.facts.thumbprint,
    );
  });

  it("goes by issuer and subject where the connector names a certificate, and never by its name then", () => {
    const certificates = [mail, selfSigned].map((one) => stored(one, SMTP));
    expect(offered(healthy({ certificates }), MAIL_NAME)).toBe(mail.facts.thumbprint);
    expect(offered(healthy({ certificates: [stored(selfSigned, SMTP)] }), MAIL_NAME)).toBeUndefined();
  });

  it("is none without SMTP or without the key, and an expired one for want of a better", () => {
    expect(offered(healthy({ certificates: [stored(mail)] }), null)).toBeUndefined();
    const keyless = stored(mail, { privateKey: { present: false, networkServiceRead: true } });
    expect(offered(healthy({ certificates: [keyless] }), null)).toBeUndefined();
    expect(offered(healthy({ certificates: [stored(expired, SMTP)] }), null)).toBe(expired.facts.thumbprint);
  });
});

describe("a server", () => {
  it("as setup leaves it has nothing to complain about", () => {
    expect(told(healthy())).toEqual([]);
  });

  const gone = "AB".repeat(20);
  const rows: readonly (readonly [string, Partial<ServerState>, Partial<Organisation>, string])[] = [
    [
      "a receive connector without a certificate",
      { receiveConnectors: [{ name: "Relay", fqdn: "relay.contoso.com", tlsCertificateName: null }] },
      {},
      'connector "Relay" offers no STARTTLS: no certificate with SMTP is for relay.contoso.com',
    ],
    [
      "a receive connector with an expired one",
      {
        certificates: [stored(own, SMTP), stored(webManagement), stored(expired, SMTP)],
        receiveConnectors: [{ name: "Relay", fqdn: "mail.contoso.com", tlsCertificateName: null }],
      },
      {},
      `connector "Relay" offers ${expired.facts.thumbprint}, which has expired`,
    ],
    ["no default SMTP certificate", { internalTransportCertificate: null }, {}, "there is no default SMTP certificate"],
    [
      "a default SMTP certificate that is gone",
      { internalTransportCertificate: published(mail) },
      {},
      `the default SMTP certificate is ${mail.facts.thumbprint}, which is not in the store`,
    ],
    [
      "a default SMTP certificate that has expired",
      {
        certificates: [stored(own, SMTP), stored(webManagement), stored(expired, SMTP)],
        internalTransportCertificate: published(expired),
      },
      {},
      `the default SMTP certificate is ${expired.facts.thumbprint}, which has expired`,
    ],
    [
      "a send connector that it is a source of, and no certificate for it",
      {},
      { sendConnectors: [{ name: "Out", fqdn: null, tlsCertificateName: MAIL_NAME, sourceServers: ["ex01"] }] },
      `send connector "Out" finds no certificate with SMTP for ${MAIL_NAME}: mail waits`,
    ],
    [
      "a front end whose certificate is gone",
      { iis: { frontEnd: gone, backEnd: null, requireSsl: true } },
      {},
      `the front-end site is ${gone}, which is not in the store`,
    ],
    [
      "a back end whose certificate is gone",
      { iis: { frontEnd: null, backEnd: gone, requireSsl: true } },
      {},
      "OWA, ECP and the remote shell are gone",
    ],
    ["IMAP with a name of no certificate", { imap: { x509CertificateName: "imap.contoso.com" } }, {}, "IMAP has no"],
    ["POP with a name of no certificate", { pop: { x509CertificateName: "pop.contoso.com" } }, {}, "POP has no"],
    [
      "UM whose certificate is gone",
      { um: { startupMode: "TLS", certificate: gone } },
      {},
      `UM is ${gone}, which is not in the store`,
    ],
    [
      "an Auth certificate that is gone",
      {},
      {
        authConfig: {
          currentCertificate: gone,
          previousCertificate: null,
          nextCertificate: null,
          nextCertificateEffectiveDate: null,
        },
      },
      `the current Auth certificate is ${gone}, which is not in the store`,
    ],
    [
      "a federation certificate that is gone",
      {},
      {
        federationTrust: { name: "MFG", currentCertificate: gone, previousCertificate: null, nextCertificate: null },
      },
      `the certificate of the federation trust is ${gone}`,
    ],
    ["no certificate for Web Management", { certificates: [stored(own, SMTP)] }, {}, "the Web Management service"],
  ];

  it.each(rows)("with %s says so, and nothing else", (_what, state, changes, expected) => {
    expect(told(healthy(state), changes)).toEqual([expect.stringContaining(expected)]);
  });

  it("that isn't a source of a send connector isn't concerned by it", () => {
    const connector = { name: "Out", fqdn: null, tlsCertificateName: MAIL_NAME, sourceServers: ["EX02"] };
    expect(told(healthy(), { sendConnectors: [connector] })).toEqual([]);
  });
});
