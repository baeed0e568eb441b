import { known, unknown } from "../../provider/model";
import { claimsOf, conflictsWith } from "../../provider/plan/claims";
import type { Blocker, Plan } from "../../provider/plan/planTypes";
import {
  AUTH,
  ECC,
  EXCHANGE_2016,
  MAIL,
  OWA,
  RENEWED,
  WILDCARD,
  certificate,
  desired,
  given,
  inDays,
  named,
  planned,
  rawDataOnly,
  refusals,
  server,
  serverOf,
  services,
  shown,
  thumbprintOf,
  mode,
  status,
  unreadable,
} from "./servers";
import { identityOf } from "../identities";

const BOUND = [shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)];
const EXPIRED = certificate("mail.contoso.com", { notAfter: inDays(-3) });
const NAMELESS = certificate("mail.contoso.com", { subject: "", commonName: undefined });
const FUTURE = certificate("mail.contoso.com", { notBefore: inDays(3) });
const TCP = { version: EXCHANGE_2016, umStartupMode: mode("TCP"), umCallRouterStartupMode: mode() } as const;
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const NO_ROLE = unknown("Get-TransportService isn't there");
const gone = thumbprintOf("gone");

/** A conflict of claims, as a plan so that it reads like the others. */
function claimed(first: Parameters<typeof desired>[0], second: Parameters<typeof desired>[0]): Plan {
  const one = claimsOf(desired({ identity: identityOf("first"), ...first }), undefined);
  const other = claimsOf(desired({ identity: identityOf("second"), ...second }), undefined);
  return { kind: "blocked", blockers: conflictsWith(other, one, undefined), notices: [] };
}

const name = (imap: string | null) => ({ certificateNames: { IMAP: imap, POP: undefined } });
const released = (successor: string, service: "IIS" | "SMTP" | "IMAP" = "IIS") => ({
  services: (["IIS", "IMAP", "SMTP"] as const).filter((one) => one !== service),
  successor: successor as typeof gone,
});
const HELD = ["IIS", "IMAP", "SMTP"] as const;
const onImap = (...more: readonly ReturnType<typeof shown>[]) =>
  serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), ...more], { imapCertificateName: known("mail.contoso.com") });

/** With nothing but the last refusal, for one that never comes alone. */
const last = (plan: Plan): Plan => (plan.kind === "blocked" ? { ...plan, blockers: plan.blockers.slice(-1) } : plan);

/**
 * Every kind of refusal, as it comes out of a plan: property and sentence. A kind that is missing doesn't compile. What
 * is refused before there is a plan is held by the test of the choice on a server.
 */
type Planned = Exclude<Blocker["kind"], `onServer${string}`>;
const SENTENCES: Readonly<Record<Planned, readonly (readonly [Plan, string])[]>> = {
  unreadableCertificate: [
    [
      planned(named(MAIL), undefined, server([], { unreadable: [unreadable("odd", { thumbprint: MAIL.thumbprint })] })),
      `certificate: certificate ${MAIL.thumbprint} is on ex01.contoso.com, but can't be read: it isn't an X.509 certificate that this program understands. Give another certificate.`,
    ],
  ],
  certificateAbsent: [
    [
      planned(named(MAIL), undefined, server()),
      `certificate: certificate ${MAIL.thumbprint} isn't on ex01.contoso.com (Exchange shows none without its private key), and no binding of this program imports it there. Give it here as pfx, pfxFile or pem, or use the thumbprint output of the binding that imports it.`,
    ],
    [
      planned(named(MAIL), {}, server()),
      `certificate: certificate ${MAIL.thumbprint} is gone from ex01.contoso.com. Import it there again, or give it here as pfx, pfxFile or pem, so that it can be imported.`,
    ],
  ],
  connectorNeedsSubject: [
    [
      planned({ ...given(NAMELESS), connectors: { send: ["Out"], receive: [] } }, undefined, server()),
      "connectors: connectors name a certificate by its issuer and subject, and this one has no subject, only names (mail.contoso.com). Have it issued with a common name, or take it out of connectors.",
    ],
  ],
  connectorStaysEmpty: [
    [
      last(
        planned(
          {
            services: ["SMTP"],
            certificate: { kind: "thumbprint", thumbprint: gone },
            connectors: { send: ["Out"], receive: [] },
          },
          { services: ["SMTP"], connectors: { send: ["Out"], receive: [] } },
          {
            ...serverOf([shown(MAIL, { services: ["SMTP"] })]),
            sendConnectors: known([
              { name: "Out", fqdn: undefined, tlsCertificateName: undefined, sourceServers: ["EX01"] },
            ]),
          },
        ),
      ),
      'connectors: send connector "Out" names no certificate, which the next run would mend first: mail goes out without one as long as something here is refused, or until somebody sets the name (Set-SendConnector -TlsCertificateName).',
    ],
  ],
  connectorMissing: [
    [
      planned({ connectors: { send: ["Out"], receive: [] } }, undefined, server()),
      'connectors: there is no send connector "Out". Get-SendConnector lists them.',
    ],
    [
      planned({ connectors: { send: [], receive: ["Relay"] } }, undefined, server()),
      'connectors: ex01.contoso.com has no receive connector "Relay". Get-ReceiveConnector -Server ex01.contoso.com lists them; the name stands without the server in front.',
    ],
  ],
  connectorUnknown: [
    [
      planned(
        { connectors: { send: ["Out"], receive: [] } },
        undefined,
        server([], { sendConnectors: unknown("no role") }),
      ),
      "connectors: the server didn't tell its connectors (no role), so \"Out\" can't be looked after. Give the account the role View-Only Configuration.",
    ],
  ],
  removedByAnother: [
    [
      {
        kind: "blocked",
        notices: [],
        blockers: [
          {
            kind: "removedByAnother",
            property: "certificate",
            thumbprint: MAIL.thumbprint,
            binding: identityOf("second"),
            other: identityOf("first"),
          },
        ],
      },
      `certificate: binding "first", which comes before this one, removes certificate ${MAIL.thumbprint} from ex01.contoso.com in this run, because it has replaced it; "second" declares it. Let "first" depend on "second" (dependsOn), so that it is known in time, or take onDelete: "remove" from "first".`,
    ],
  ],
  connectorClaimed: [
    [
      {
        kind: "blocked",
        notices: [],
        blockers: [
          {
            kind: "connectorClaimed",
            property: "connectors",
            connector: "Out",
            binding: identityOf("second"),
            other: identityOf("first"),
          },
        ],
      },
      'connectors: bindings "first" and "second" want connector "Out" to name different certificates. Declare it in one of them.',
    ],
  ],
  removalRefused: [
    [
      planned(
        { ...given(RENEWED), ...services("IIS"), onDelete: "remove" },
        {},
        { ...serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })]), defaultSmtpThumbprint: known(MAIL.thumbprint) },
      ),
      `onDelete: onDelete is "remove", but ${MAIL.thumbprint.slice(0, 8)} (mail.contoso.com) can't be removed: it is the default SMTP certificate, which Exchange doesn't let go. Let another certificate become the default one first: replaceDefaultSmtpCertificate on its binding. Or leave it there: set onDelete: "retain".`,
    ],
  ],
  reservedCertificate: [
    [
      planned(named(AUTH), undefined, server([shown(AUTH)])),
      `certificate: ${AUTH.thumbprint} is an Auth certificate of the organisation; Set-AuthConfig looks after it, and it must not be bound. Name another certificate.`,
    ],
    [
      planned(named(MAIL), undefined, server([shown(MAIL, { services: ["SMTP", "Federation"] })])),
      `certificate: ${MAIL.thumbprint} is the certificate of the federation trust; Set-FederationTrust looks after it, and it must not be bound. Name another certificate.`,
    ],
  ],
  outOfDates: [
    [
      planned(given(EXPIRED), undefined, server()),
      "certificate: the certificate expired on 2026-11-20, so nothing was enabled with it. Give a renewed certificate.",
    ],
    [
      planned(given(FUTURE), undefined, server()),
      "certificate: the certificate is valid only from 2026-11-26. Wait until then, or give one that is valid now.",
    ],
  ],
  statusNotValid: [
    [
      planned({}, undefined, server([shown(MAIL, { status: status("Revoked") })])),
      "certificate: ex01.contoso.com shows the certificate's status as Revoked; Exchange assigns services only to Valid ones. Mend its chain on the server, or give another certificate.",
    ],
  ],
  noPrivateKey: [
    [
      planned({}, undefined, server([shown(MAIL, { hasPrivateKey: known(false) })])),
      `certificate: certificate ${MAIL.thumbprint} has no private key on ex01.contoso.com. Import it with its key (pfx, pfxFile or pem).`,
    ],
  ],
  umNotOnThisVersion: [
    [
      planned(services("UM", "UMCallRouter"), undefined, server()),
      "services: UM and UMCallRouter can't be enabled on ex01.contoso.com: its version is 15.2.1748.10, and Unified Messaging ended with Exchange 2016. Leave it out of services.",
    ],
  ],
  umStartupMode: [
    [
      planned(services("UM"), undefined, server([], TCP)),
      'services: the start-up mode of UM on ex01.contoso.com is TCP, in which no certificate can be enabled. Run "Set-UMService ex01.contoso.com -UMStartupMode Dual" and restart the service first.',
    ],
    [
      planned(services("UMCallRouter"), undefined, server([], { ...TCP, umCallRouterStartupMode: mode("TCP") })),
      'services: the start-up mode of UMCallRouter on ex01.contoso.com is TCP, in which no certificate can be enabled. Run "Set-UMCallRouterSettings -Server ex01.contoso.com -UMStartupMode Dual" and restart the service first.',
    ],
    [
      planned(services("UMCallRouter"), undefined, server([], TCP)),
      "services: ex01.contoso.com runs no UMCallRouter service. Take it out of services.",
    ],
  ],
  umStartupModeUnknown: [
    [
      planned(services("UM"), undefined, server([], { ...TCP, umStartupMode: unknown("no role") })),
      "services: the start-up mode of UM on ex01.contoso.com couldn't be read (no role), and without it enabling would be a guess. Give the account the role to read it.",
    ],
  ],
  breaksOwnChannel: [
    [
      planned(given(OWA), undefined, server([], { ownChannel: { name: "mail.contoso.com", trusted: [] } })),
      "certificate: the certificate would lock this program out: its connection to ex01.contoso.com goes through IIS and expects the name mail.contoso.com, which the certificate doesn't cover. Give one that covers it. What the connection expects is set by exchange:tlsServerName (the name) and exchange:caFile (the CAs to trust).",
    ],
    [
      planned(
        given(certificate("mail.contoso.com", { isSelfSigned: true })),
        undefined,
        server([], { ownChannel: { name: "mail.contoso.com", trusted: [] } }),
      ),
      "certificate: the certificate would lock this program out: its connection to ex01.contoso.com goes through IIS and trusts no self-signed certificate that isn't among its CAs. Give one of a CA that is trusted; or bind this one without IIS first, add it to the file of CAs, and declare IIS then. What the connection expects is set by exchange:tlsServerName (the name) and exchange:caFile (the CAs to trust).",
    ],
    [
      planned(
        given(certificate("mail.contoso.com", { issuer: "CN=Contoso CA" })),
        undefined,
        server([], { ownChannel: { name: "mail.contoso.com", trusted: [], authorities: ["CN=Fabrikam CA"] } }),
      ),
      "certificate: the certificate would lock this program out: its connection to ex01.contoso.com goes through IIS and trusts no CA by the name of its issuer, CN=Contoso CA. Give a certificate of a CA that is trusted, or add that CA to the file of CAs first. What the connection expects is set by exchange:tlsServerName (the name) and exchange:caFile (the CAs to trust).",
    ],
  ],
  eccNotSupported: [
    [
      planned(given(ECC), undefined, server([], { version: EXCHANGE_2016 })),
      "certificate: the certificate has an ECC key, which Exchange 15.1.2507.6 on ex01.contoso.com can't use for IIS and SMTP. Give an RSA certificate, or update the server.",
    ],
  ],
  keyAlgorithmNotSupported: [
    [
      planned(given(certificate("mail.contoso.com", { keyAlgorithm: "other" })), undefined, server()),
      "certificate: the certificate's key is neither RSA nor ECC; Exchange can't use it. Give an RSA certificate.",
    ],
  ],
  unusable: [
    [
      planned(given(certificate("mail.contoso.com", { purposes: [CLIENT_AUTH, "1.2.3"] })), undefined, server()),
      "certificate: the certificate isn't for servers: of its purposes (extended key usage) it names clientAuth and 1.2.3, and serverAuth isn't among them. Give one that was issued for server authentication.",
    ],
    [
      planned(given(certificate("mail.contoso.com", { purposes: [] })), undefined, server()),
      "certificate: the certificate isn't for servers: of its purposes (extended key usage) it names none, and serverAuth isn't among them. Give one that was issued for server authentication.",
    ],
    [
      planned(given(certificate("mail.contoso.com", { keyUsage: ["cRLSign"] })), undefined, server()),
      "certificate: the certificate's key usage allows cRLSign, with which no TLS connection comes about. Give one that allows digitalSignature.",
    ],
    [
      planned(
        given(certificate("mail.contoso.com", { keyAlgorithm: "ECC", keySizeBits: 256, curve: "secp256k1" })),
        undefined,
        server(),
      ),
      "certificate: the certificate's key is on the curve secp256k1, which Windows doesn't have for TLS. Give one on P-256, P-384 or P-521, or an RSA certificate.",
    ],
  ],
  servicesUnknown: [
    [
      planned({}, undefined, server([rawDataOnly(MAIL)])),
      `services: ex01.contoso.com didn't say whether the certificate holds IIS and SMTP (RawData only). Unknown isn't "none", so nothing is changed on a guess. Often the Auth certificate is expired or missing, or the account lacks a role.`,
    ],
  ],
  defaultSmtpUnknown: [
    [
      planned({}, undefined, server([], { defaultSmtpThumbprint: NO_ROLE })),
      "replaceDefaultSmtpCertificate: the default SMTP certificate of ex01.contoso.com couldn't be read (Get-TransportService isn't there), so it couldn't be kept or replaced with certainty. Give the account the role to run Get-TransportService.",
    ],
  ],
  defaultSmtpMissing: [
    [
      planned({}, undefined, server([], { defaultSmtpThumbprint: known(undefined) })),
      "replaceDefaultSmtpCertificate: ex01.contoso.com has no default SMTP certificate, and Exchange would make this one the default as soon as SMTP is enabled. Set replaceDefaultSmtpCertificate: true if that is wanted, or make one for the server first (New-ExchangeCertificate -Services SMTP).",
    ],
  ],
  nameNeeded: [
    [
      planned(
        { ...given(certificate("mail.contoso.com", { commonName: undefined, subject: "" })), ...services("IMAP") },
        undefined,
        server(),
      ),
      "imapCertificateName: IMAP can't be enabled for a certificate without a subject. Name the host that IMAP clients use with imapCertificateName; it is set with Set-ImapSettings -X509CertificateName.",
    ],
    [
      planned({ ...given(WILDCARD), ...services("IMAP") }, undefined, server()),
      "imapCertificateName: IMAP can't be enabled for a wildcard certificate (CN=*.contoso.com). Name the host that IMAP clients use with imapCertificateName; it is set with Set-ImapSettings -X509CertificateName.",
    ],
    [
      planned(
        {
          ...given(certificate("mail.contoso.com", { commonName: "Contoso Mail", subject: "CN=Contoso Mail" })),
          ...services("POP"),
        },
        undefined,
        server(),
      ),
      "popCertificateName: POP can't be enabled for a certificate whose subject (CN=Contoso Mail) isn't a host name. Name the host that POP clients use with popCertificateName; it is set with Set-PopSettings -X509CertificateName.",
    ],
  ],
  nameNotCovered: [
    [
      planned({ ...services("IMAP"), ...name("imap.contoso.com") }, undefined, server()),
      "imapCertificateName: imap.contoso.com isn't a name of the certificate, which covers mail.contoso.com and autodiscover.contoso.com. Name one of these, or give a certificate that covers it.",
    ],
  ],
  cannotRelease: [
    [
      planned(services("SMTP"), {}, serverOf(BOUND)),
      `services: IIS was removed, but ${MAIL.thumbprint.slice(0, 8)} (mail.contoso.com, 365 days left) still holds it, and Exchange can't take a service away from a certificate. Ways out: give another certificate in the same change (it replaces this one); name a successor, a certificate on ex01.contoso.com that gets IIS; set onServiceRemoved: "forget" to stop managing IIS and leave it where it is; or declare IIS again.`,
    ],
    [
      planned(services("IIS"), {}, serverOf(BOUND)),
      `services: SMTP was removed, but ${MAIL.thumbprint.slice(0, 8)} (mail.contoso.com, 365 days left) still holds it, and Exchange can't take a service away from a certificate. Ways out: give another certificate in the same change (it replaces this one); set onServiceRemoved: "forget" to stop managing SMTP and leave it where it is; or declare SMTP again.`,
    ],
    [
      planned(services("IIS", "SMTP"), services(...HELD), onImap()),
      `services: IMAP was removed, but ${MAIL.thumbprint.slice(0, 8)} (mail.contoso.com, 365 days left) still holds it, and Exchange can't take a service away from a certificate. Ways out: give another certificate in the same change (it replaces this one); name a successor, a certificate on ex01.contoso.com that gets IMAP; give IMAP another name with imapCertificateName that this certificate doesn't cover; set onServiceRemoved: "forget" to stop managing IMAP and leave it where it is; or declare IMAP again.`,
    ],
  ],
  successorCannotTake: [
    [
      planned(released(OWA.thumbprint, "SMTP"), services(...HELD), onImap(shown(OWA))),
      `successor: SMTP can't be handed to a successor: many certificates may hold it, and this one would keep it. Set onServiceRemoved: "forget", or give another certificate in the same change.`,
    ],
    [
      planned(released(RENEWED.thumbprint, "IMAP"), services(...HELD), onImap(shown(RENEWED))),
      `successor: IMAP can't be handed to ${RENEWED.thumbprint}: it has the same names, so this certificate would keep IMAP. Set onServiceRemoved: "forget", or choose a name with imapCertificateName that only the successor covers.`,
    ],
    [
      planned(
        { ...released(OWA.thumbprint, "IMAP"), ...name("mail.contoso.com") },
        services(...HELD),
        onImap(shown(OWA)),
      ),
      "successor: IMAP can't be handed to a successor while imapCertificateName declares a name that this certificate covers: it would keep IMAP. Leave that name out, or declare one that only the successor covers.",
    ],
  ],
  successorAbsent: [
    [
      planned(released(gone), services(...HELD), onImap()),
      `successor: the successor ${gone} isn't on ex01.contoso.com. Use the thumbprint output of the binding that imports it, or import it first.`,
    ],
  ],
  successorIsItself: [
    [
      planned(released(MAIL.thumbprint), services(...HELD), onImap()),
      "successor: the successor is the binding's own certificate. Name the certificate that is to get the released services.",
    ],
  ],
  successorNotUsable: [
    [
      planned(released(thumbprintOf("odd")), services(...HELD), { ...onImap(), unreadable: [unreadable("odd")] }),
      `successor: the successor ${thumbprintOf("odd")} is on ex01.contoso.com, but can't be read. Name another certificate.`,
    ],
    [
      planned(released(EXPIRED.thumbprint), services(...HELD), onImap(shown(EXPIRED))),
      `successor: the successor ${EXPIRED.thumbprint} has expired. Name a valid certificate.`,
    ],
    [
      planned(released(FUTURE.thumbprint), services(...HELD), onImap(shown(FUTURE))),
      `successor: the successor ${FUTURE.thumbprint} isn't valid yet. Name a valid certificate.`,
    ],
    [
      planned(released(OWA.thumbprint), services(...HELD), onImap(shown(OWA, { status: status("Untrusted") }))),
      `successor: the successor ${OWA.thumbprint} isn't Valid on ex01.contoso.com. Mend it there, or name another certificate.`,
    ],
    [
      planned(released(OWA.thumbprint), services(...HELD), onImap(shown(OWA, { hasPrivateKey: known(false) }))),
      `successor: the successor ${OWA.thumbprint} has no private key on ex01.contoso.com. Import it with its key.`,
    ],
    [
      planned(released(AUTH.thumbprint), services(...HELD), onImap(shown(AUTH))),
      `successor: the successor ${AUTH.thumbprint} is an Auth certificate of the organisation or the certificate of the federation trust, which must not serve clients. Name another certificate.`,
    ],
    [
      planned(released(ECC.thumbprint), services(...HELD), { ...onImap(shown(ECC)), version: EXCHANGE_2016 }),
      `successor: the successor ${ECC.thumbprint} has a key that ex01.contoso.com can't use. Name an RSA certificate, or update the server.`,
    ],
    [
      planned(released(WILDCARD.thumbprint, "IMAP"), services(...HELD), onImap(shown(WILDCARD))),
      `successor: the successor ${WILDCARD.thumbprint} is a wildcard certificate, or its subject isn't a host name: Exchange can't enable it for IMAP or POP. Declare a name that only it covers with imapCertificateName or popCertificateName instead.`,
    ],
  ],
  claimedByAnother: [
    [
      claimed(services("IIS"), { ...services("IIS"), ...given(OWA) }),
      'services: bindings "first" and "second" both claim IIS of ex01.contoso.com for different certificates; they would take it from each other in every run. Declare it in one of them.',
    ],
    [
      claimed(
        { replaceDefaultSmtpCertificate: true, ...services("SMTP") },
        { replaceDefaultSmtpCertificate: true, ...services("SMTP"), ...given(OWA) },
      ),
      'replaceDefaultSmtpCertificate: bindings "first" and "second" both claim the default SMTP role of ex01.contoso.com for different certificates; they would take it from each other in every run. Declare it in one of them.',
    ],
    [
      claimed({ ...services("SMTP"), ...name("a.contoso.com") }, { ...services("SMTP"), ...name("b.contoso.com") }),
      'imapCertificateName: bindings "first" and "second" both claim IMAP of ex01.contoso.com for different names ("a.contoso.com" and "b.contoso.com"); they would take it from each other in every run. Declare it in one of them.',
    ],
  ],
};

describe.each(Object.entries(SENTENCES))("a refusal of kind %s", (_kind, rows) => {
  it.each(rows.map(([plan, sentence]) => [sentence, plan] as const))("says %s", (sentence, plan) => {
    expect(refusals(plan)).toEqual([sentence]);
  });
});

it("every mistake is told at once, each with its property", () => {
  const wish = { ...given(EXPIRED), ...services("SMTP", "UM", "IMAP"), ...name("imap.contoso.com") };
  const decision = planned(wish, undefined, server([], { defaultSmtpThumbprint: known(undefined) }));
  expect(refusals(decision).map((line) => line.split(":", 1)[0])).toEqual([
    "imapCertificateName",
    "replaceDefaultSmtpCertificate",
    "certificate",
    "services",
  ]);
});
