import type { ChainCertificate } from "../../provider/certificate/fitness";
import { known, unknown } from "../../provider/model";
import { describeNotice } from "../../provider/plan/noticeText";
import type { Notice, Plan } from "../../provider/plan/planTypes";
import {
  BUILT_IN,
  ECC,
  EX02,
  EX01,
  EXCHANGE_2016,
  MAIL,
  NOW,
  OWA,
  RENEWED,
  certificate,
  given,
  inDays,
  made,
  named,
  noticesOf,
  planned,
  rawDataOnly,
  selfSigned,
  server,
  serverOf,
  services,
  shown,
  thumbprintOf,
  unreadable,
  status,
} from "./servers";
import { identityOf } from "../identities";

const SMTP = services("SMTP");
const gone = thumbprintOf("gone");
const OLD = certificate("EX01", { notAfter: inDays(-2) });
const SOON = certificate("mail.contoso.com", { notAfter: inDays(12) });
const EXPIRED = certificate("mail.contoso.com", { notAfter: inDays(-3) });
const FUTURE = certificate("mail.contoso.com", { notBefore: inDays(3) });
const bound = (...more: Parameters<typeof serverOf>[0]) =>
  serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), ...more]);
const asDefault = (facts: typeof MAIL) => ({ defaultSmtpThumbprint: known(facts.thumbprint) });
const connector = {
  name: "Outbound",
  fqdn: undefined,
  tlsCertificateName: `<I>${MAIL.issuer}<S>${MAIL.subject}`,
  sourceServers: [],
};
const NAMELESS = certificate("mail.contoso.com", { subject: "", commonName: undefined });
const WMSVC = certificate(["mail.contoso.com", "autodiscover.contoso.com"], {
  subject: "CN=WMSvc-SHA2-EX01",
  commonName: "WMSvc-SHA2-EX01",
});
const oldMade = made();
const manyOld = [1, 2, 3, 4, 5].map((serial) => certificate("mail.contoso.com", { serialNumber: String(serial) }));
const superseded = ({ thumbprint }: { readonly thumbprint: (typeof MAIL)["thumbprint"] }) => ({
  server: EX01,
  thumbprint,
  since: inDays(-1),
  onlyThere: false,
});
const NO_ROLE = unknown("no role");
const NOT_KNOWN = { certificate: { kind: "unknown" } } as const;
const STOPPED = { services: ["IIS"], names: [], defaultSmtp: false } as const;

const short = (facts: { readonly thumbprint: string }) => facts.thumbprint.slice(0, 8);
const builtIn = `${short(BUILT_IN)} (EX01, 365 days left)`;
const mail = `${short(MAIL)} (mail.contoso.com, 365 days left)`;
const owa = `${short(OWA)} (owa.contoso.com, 365 days left)`;

const ISSUING = { subject: MAIL.issuer, issuer: "CN=Contoso Root", isSelfSigned: false } as const;
const ROOT = { subject: "CN=Contoso Root", issuer: "CN=Contoso Root", isSelfSigned: true } as const;
const bringing = (...chain: readonly ChainCertificate[]) =>
  ({ certificate: { kind: "given", facts: MAIL, chain } }) as const;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const FOR_BOTH = { ...MAIL, purposes: [SERVER_AUTH, "1.3.6.1.5.5.7.3.2"] };
const SERVER_ONLY = certificate("mail.contoso.com", { purposes: [SERVER_AUTH] });

/** Notices that the life cycle adds, because no plan can know of them. */
type Added = "keyStorageProviderDropped" | "chainReordered" | "notAsked" | `onServer${string}`;

/** Every kind of notice, as it comes out of a plan, with its sentence. A kind that is missing doesn't compile. */
const SENTENCES: Readonly<Record<Exclude<Notice["kind"], Added>, readonly (readonly [Plan, string])[]>> = {
  defaultSmtpStays: [[planned(SMTP, undefined, server()), `the default SMTP certificate stays ${builtIn}`]],
  alreadyThere: [
    [
      planned(SMTP, undefined, serverOf([shown(MAIL, { services: ["SMTP"] })])),
      `${short(MAIL)} (mail.contoso.com) is already there and holds SMTP: nothing changes on the server`,
    ],
  ],
  unfit: [
    [
      planned(given(certificate("mail.contoso.com", { isAuthority: true })), undefined, server()),
      "the certificate is an authority's own, which may sign others: clients may refuse it, and its key doesn't belong on a server. Give one that was issued for the server",
    ],
    [
      planned(given(certificate([], { subject: "CN=Jane Doe", commonName: "Jane Doe" })), undefined, server()),
      "the certificate has no DNS name: clients have nothing to compare with and refuse it",
    ],
    [
      planned(given(certificate("mail.contoso.com", { keySizeBits: 1024 })), undefined, server()),
      "the certificate's RSA key has 1024 bits: clients refuse less than 2048",
    ],
    [
      planned(given(certificate("mail.contoso.com", { signature: "sha1" })), undefined, server()),
      "the certificate is signed with SHA-1: clients refuse that",
    ],
    [
      planned(given(certificate("mail.contoso.com", { signature: "pss" })), undefined, server()),
      "the certificate is signed with RSASSA-PSS: many clients and devices refuse that. An authority of AD CS signs so where AlternateSignatureAlgorithm is set",
    ],
    [
      planned(
        { certificate: { kind: "given", facts: MAIL, chain: [ISSUING], chainsToPublicRoot: true } },
        undefined,
        server(),
      ),
      "the certificate is valid for 376 days, and public authorities may issue for 200 at most when it begins: clients refuse it",
    ],
  ],
  chainLeadsNowhere: [
    [
      planned(bringing({ ...ISSUING, subject: "CN=Other CA" }), undefined, server()),
      "none of the certificates that come along issued this one (its issuer is CN=Contoso Issuing CA): clients get a chain that leads nowhere. Give the issuer's certificate",
    ],
  ],
  chainHasStrays: [
    [
      planned(bringing(ISSUING, { ...ISSUING, subject: "CN=Other CA" }), undefined, server()),
      "CN=Other CA comes along, and belongs to no step of the certificate's chain",
    ],
  ],
  chainHasRoot: [
    [
      planned(bringing(ISSUING, ROOT), undefined, server()),
      "the root CN=Contoso Root comes along: clients have it or don't trust it; it is kept",
    ],
  ],
  clientUseLost: [
    [
      planned(
        given(SERVER_ONLY),
        {},
        serverOf([shown(FOR_BOTH, { services: ["IIS", "SMTP"] })], { sendConnectors: known([connector]) }),
      ),
      `the new certificate isn't for clients (purpose clientAuth), and ${short(FOR_BOTH)} (mail.contoso.com, 365 days left) was: servers that ask for a certificate when mail is sent to them may refuse it; send connector Outbound names the old one`,
    ],
    [
      planned(
        { ...given(SERVER_ONLY), ...SMTP, replaceDefaultSmtpCertificate: true },
        undefined,
        server([shown(FOR_BOTH, { services: ["SMTP"] })], asDefault(FOR_BOTH)),
      ),
      "servers that ask for a certificate when mail is sent to them may refuse it",
    ],
  ],
  defaultSmtpStaysDangling: [
    [
      planned(SMTP, undefined, server([], { defaultSmtpThumbprint: known(gone) })),
      `the default SMTP certificate stays ${gone}, which is NOT in the server's store: Exchange logs event 12013 and mail between servers may fail. Set replaceDefaultSmtpCertificate: true, or import that certificate`,
    ],
  ],
  defaultSmtpStaysExpired: [
    [
      planned(SMTP, undefined, server([shown(OLD)], asDefault(OLD))),
      `the default SMTP certificate stays ${short(OLD)} (EX01, expired 2 days ago): it is out of its dates. Set replaceDefaultSmtpCertificate: true, or renew it`,
    ],
  ],
  defaultSmtpReplaced: [
    [
      planned({ ...SMTP, replaceDefaultSmtpCertificate: true }, undefined, server()),
      `becomes the default SMTP certificate instead of ${builtIn}`,
    ],
    [
      planned(
        { ...SMTP, replaceDefaultSmtpCertificate: true },
        undefined,
        server([], { defaultSmtpThumbprint: known(gone) }),
      ),
      `becomes the default SMTP certificate instead of ${gone.slice(0, 8)}, which isn't in the server's store`,
    ],
    [
      planned(
        { ...SMTP, replaceDefaultSmtpCertificate: true },
        undefined,
        server([], { defaultSmtpThumbprint: known(undefined) }),
      ),
      "becomes the default SMTP certificate; the server had none",
    ],
  ],
  defaultSmtpLeftBehind: [
    [
      planned(given(RENEWED), {}, { ...bound(), ...asDefault(MAIL) }),
      `the default SMTP certificate stays the old ${mail}: set replaceDefaultSmtpCertificate: true before it ends in 365 days`,
    ],
    [
      planned(given(RENEWED), { thumbprint: OLD.thumbprint }, server([shown(OLD)], asDefault(OLD))),
      `the default SMTP certificate stays the old ${short(OLD)} (EX01, expired 2 days ago): set replaceDefaultSmtpCertificate: true`,
    ],
  ],
  defaultSmtpUnknown: [
    [
      planned(
        { replaceDefaultSmtpCertificate: true },
        { replaceDefaultSmtpCertificate: true },
        { ...bound(), defaultSmtpThumbprint: NO_ROLE },
      ),
      "whether it still is the default SMTP certificate couldn't be read (no role): drift can't be told",
    ],
  ],
  sharedByName: [
    [
      planned(services("IMAP"), undefined, server([shown(RENEWED)])),
      `IMAP goes by the name mail.contoso.com, which is also on ${short(RENEWED)} (mail.contoso.com, 365 days left): Exchange chooses among them when a client connects`,
    ],
  ],
  driftedTo: [
    [planned({}, {}, server([shown(MAIL, { services: ["SMTP"] })])), `DRIFT: IIS is now held by ${builtIn}`],
    [
      planned({}, {}, serverOf([shown(MAIL, { services: ["SMTP"] })])),
      "DRIFT: IIS is no longer held, and no certificate of the server holds it now",
    ],
    [
      planned({}, {}, serverOf([shown(MAIL, { services: ["SMTP"] }), rawDataOnly(OWA)])),
      "DRIFT: IIS is no longer held",
    ],
    [planned({}, {}, serverOf([shown(MAIL, { services: ["IIS"] })])), "DRIFT: SMTP is no longer held"],
  ],
  takeOverUnknown: [
    [
      planned({}, {}, serverOf([shown(MAIL, { services: ["SMTP"] }), rawDataOnly(OWA)])),
      "the server didn't say who holds IIS now, so whom it is taken from isn't known",
    ],
  ],
  comes: [
    [
      planned({}, undefined, server()),
      `comes: ${MAIL.thumbprint}: CN=mail.contoso.com; issued by CN=Contoso Issuing CA; 365 days left, until 2027-11-23`,
    ],
    [
      planned(given(NAMELESS), undefined, server()),
      `comes: ${NAMELESS.thumbprint}: mail.contoso.com, without a subject; issued by CN=Contoso Issuing CA; 365 days left, until 2027-11-23`,
    ],
  ],
  goes: [
    [
      planned(given(RENEWED), {}, bound()),
      `goes: ${MAIL.thumbprint}: CN=mail.contoso.com; issued by CN=Contoso Issuing CA; 365 days left, until 2027-11-23`,
    ],
  ],
  namesLost: [
    [
      planned(given(OWA), {}, bound()),
      `clients of mail.contoso.com and autodiscover.contoso.com get a certificate without these names; ${short(MAIL)} has them`,
    ],
    [
      planned(given(SOON), undefined, serverOf([shown(MAIL, { services: ["IIS"] })])),
      `clients of autodiscover.contoso.com get a certificate without that name; ${short(MAIL)} has it`,
    ],
  ],
  namesGained: [[planned(given(OWA), {}, bound()), "new in the certificate: owa.contoso.com"]],
  endsEarlier: [
    [planned(given(SOON), {}, bound()), `the new certificate ends on 2026-12-05, before ${mail}`],
    [planned(selfSigned({ validityDays: 90 }), {}, bound()), `the new certificate ends on 2027-02-21, before ${mail}`],
  ],
  connectorsStay: [
    [
      planned(given(OWA), {}, { ...bound(), sendConnectors: known([connector]) }),
      `connector Outbound (send) names ${mail} by issuer and subject and won't follow: that works until 2027-11-23; what to set is told after the change`,
    ],
    [
      planned(
        given(OWA),
        {},
        {
          ...bound(),
          sendConnectors: known([connector]),
          receiveConnectors: known([{ ...connector, identity: "EX01\\Default Frontend EX01" }]),
        },
      ),
      `connectors Outbound (send) and EX01\\Default Frontend EX01 (receive) name ${mail} by issuer and subject and won't follow: that works until 2027-11-23; what to set is told after the change`,
    ],
    [
      planned(NOT_KNOWN, {}, { ...bound(), sendConnectors: known([connector]) }),
      `connector Outbound (send) names ${mail} by issuer and subject: only a new certificate of the same issuer and subject is found by it`,
    ],
  ],
  successorGets: [
    [
      planned({ ...SMTP, successor: OWA.thumbprint }, {}, bound(shown(OWA))),
      `the successor for IIS is ${OWA.thumbprint}: CN=owa.contoso.com; issued by CN=Contoso Issuing CA; 365 days left, until 2027-11-23; clients of mail.contoso.com and autodiscover.contoso.com get a certificate without that name`,
    ],
    [
      planned({ ...SMTP, successor: WMSVC.thumbprint }, {}, bound(shown(WMSVC))),
      `the successor for IIS is ${WMSVC.thumbprint}: CN=WMSvc-SHA2-EX01; issued by CN=Contoso Issuing CA; 365 days left, until 2027-11-23, the certificate of the Web Management Service`,
    ],
  ],
  certificateNotKnownYet: [
    [
      planned(NOT_KNOWN, undefined, server()),
      "the certificate isn't known yet: what is told here holds for any, once it is issued",
    ],
    [
      planned(NOT_KNOWN, {}, bound()),
      "the certificate isn't known yet: what is told here holds for any, once it is issued",
    ],
  ],
  nameNotKnownYet: [
    [
      planned({ ...NOT_KNOWN, ...services("IMAP") }, undefined, server()),
      `the name of IMAP will be that of the new certificate, once it is issued; whether IMAP leaves ${builtIn} depends on it`,
    ],
    [
      planned(
        { ...NOT_KNOWN, ...services("POP") },
        undefined,
        server([], { popCertificateName: known("x.contoso.com") }),
      ),
      "the name of POP will be that of the new certificate, once it is issued",
    ],
  ],
  unreadableCertificates: [
    [
      planned({}, undefined, server([], { unreadable: [unreadable("odd")] })),
      `certificate ${thumbprintOf("odd")} on ex01.contoso.com can't be read and is left out: whether it has a name of yours can't be told`,
    ],
    [
      planned({}, undefined, server([], { unreadable: [unreadable("odd"), unreadable("even")] })),
      `certificates ${thumbprintOf("odd")} and ${thumbprintOf("even")} on ex01.contoso.com can't be read and are left out: whether they have a name of yours can't be told`,
    ],
  ],
  notDoneYet: [
    [
      planned({}, { notDone: STOPPED }, server([shown(MAIL, { services: ["SMTP"] })])),
      `IIS is not done yet: the last run stopped before it; it is with ${builtIn}`,
    ],
    [
      planned({}, { notDone: STOPPED }, serverOf([shown(MAIL, { services: ["SMTP"] })])),
      "IIS is not done yet: the last run stopped before it",
    ],
  ],
  staysBehind: [
    [
      planned({ ...SMTP, ...given(RENEWED) }, {}, bound()),
      `IIS is NOT released: it stays on ${mail} until that is removed (onDelete: "remove")`,
    ],
    [
      planned(
        { services: ["IIS"], ...given(RENEWED) },
        { services: ["IIS", "SMTP"] },
        serverOf([{ ...shown(MAIL, { services: ["IIS"] }), displayedServices: NO_ROLE }]),
      ),
      `SMTP is NOT released if ${mail} holds it, which isn't known (no role)`,
    ],
  ],
  releasedTo: [
    [
      planned({ ...SMTP, ...given(RENEWED), successor: OWA.thumbprint }, {}, bound(shown(OWA))),
      `IIS leaves ${mail} for the successor ${short(OWA)}`,
    ],
  ],
  forgotten: [
    [
      planned({ ...SMTP, onServiceRemoved: "forget" }, {}, bound()),
      "IIS is no longer managed here; the certificate keeps it, nothing changes on the server",
    ],
  ],
  alreadyReleased: [
    [
      planned(SMTP, {}, server([shown(MAIL, { services: ["SMTP"] })])),
      "IIS is no longer declared, and the certificate won't hold it",
    ],
  ],
  successorHasIt: [
    [
      planned(
        { ...SMTP, successor: OWA.thumbprint },
        {},
        serverOf([shown(MAIL, { services: ["SMTP"] }), shown(OWA, { services: ["IIS"] })]),
      ),
      `IIS is with the successor ${short(OWA)} already`,
    ],
  ],
  successorLater: [
    [planned({ ...SMTP, successor: "unknown" }, {}, bound()), "IIS goes to the successor, once that is on the server"],
  ],
  lifeLeft: [
    [
      planned({}, SMTP, server([shown(MAIL, { services: ["SMTP"] })])),
      `the certificate is ${MAIL.thumbprint}: CN=mail.contoso.com; issued by CN=Contoso Issuing CA; 365 days left, until 2027-11-23`,
    ],
  ],
  expiresSoon: [
    [planned(given(SOON), undefined, server()), "the certificate ends in 12 days (2026-12-05): give a renewed one"],
  ],
  outOfDates: [
    [
      planned(
        given(EXPIRED),
        { thumbprint: EXPIRED.thumbprint },
        serverOf([shown(EXPIRED, { services: ["IIS", "SMTP"] })]),
      ),
      "the certificate expired on 2026-11-20: clients refuse it. Give a renewed one",
    ],
    [
      planned(
        given(FUTURE),
        { thumbprint: FUTURE.thumbprint },
        serverOf([shown(FUTURE, { services: ["IIS", "SMTP"] })]),
      ),
      "the certificate is valid only from 2026-11-26",
    ],
  ],
  statusNotValid: [
    [
      planned({}, {}, serverOf([shown(MAIL, { services: ["IIS", "SMTP"], status: status("Revoked") })])),
      "Exchange shows the certificate's status as Revoked: clients may refuse it",
    ],
  ],
  statusUncertain: [
    [
      planned({}, undefined, server([shown(MAIL, { status: status("RevocationCheckFailure") })])),
      "the server can't reach the revocation list of the certificate's issuer (often a proxy setting); the certificate is used all the same",
    ],
    [
      planned({}, undefined, server([shown(MAIL, { status: status("Unknown") })])),
      "Exchange shows the certificate's status as Unknown; the certificate is used all the same",
    ],
    [
      planned({}, undefined, server([shown(MAIL, { status: unknown("no details") })])),
      "the server didn't tell the certificate's status (no details)",
    ],
  ],
  servicesUnknown: [
    [
      planned({}, {}, server([rawDataOnly(MAIL)])),
      "the server didn't say whether IIS and SMTP are held (RawData only): drift can't be told",
    ],
    [
      planned(SMTP, SMTP, server([rawDataOnly(MAIL)])),
      "the server didn't say whether SMTP is held (RawData only): drift can't be told",
    ],
  ],
  connectorWillMatch: [
    [
      planned({}, undefined, server([], { sendConnectors: known([connector]) })),
      "connector Outbound names its certificate by this issuer and subject: it may use the new one as soon as that is imported",
    ],
  ],
  edgeSubscriptionsBreak: [
    [
      planned(
        { replaceDefaultSmtpCertificate: true },
        undefined,
        server([], { edgeSubscriptions: known(["EDGE01", "EDGE02"]) }),
      ),
      "the Edge subscription of EDGE01 and EDGE02 breaks with the change of the default SMTP certificate and must be created anew",
    ],
  ],
  eccUnverified: [
    [
      planned(given(ECC), undefined, server([], { version: NO_ROLE })),
      "the certificate has an ECC key, and the server's version isn't known: older builds can't use it",
    ],
  ],
  eccNeedsSwitch: [
    [
      planned(given(ECC), undefined, server()),
      "the certificate has an ECC key, which Exchange uses only where that is switched on (registry value EnableEccCertificateSupport, see the documentation of your build)",
    ],
  ],
  wouldBeRefused: [
    [
      planned(
        given(ECC),
        { thumbprint: ECC.thumbprint },
        serverOf([shown(ECC, { services: ["IIS", "SMTP"] })], { version: EXCHANGE_2016 }),
      ),
      "nothing is to be done now, but a change would be refused: the certificate has an ECC key, which Exchange 15.1.2507.6 on ex01.contoso.com can't use for IIS and SMTP. Give an RSA certificate, or update the server",
    ],
  ],
  comesFromBinding: [
    [
      planned(named(MAIL), undefined, server(), {
        expected: new Map([[MAIL.thumbprint, { facts: MAIL, binding: identityOf("imports") }]]),
      }),
      `the certificate isn't on the server yet; binding "imports" of this program imports it`,
    ],
  ],
  foundAgain: [
    [
      planned(selfSigned(), undefined, server([oldMade])),
      `uses certificate ${short(oldMade.facts)}, which this binding made before`,
    ],
  ],
  leftOnServer: [
    [
      planned({ server: EX02 }, {}, server([], { server: EX02 })),
      `certificate ${MAIL.thumbprint} stays on ex01.contoso.com with the services it has there`,
    ],
  ],
  connectorWaits: [
    [
      planned({ ...SMTP, connectors: { send: ["Outbound"], receive: [] } }, SMTP, {
        ...serverOf([shown(MAIL, { services: ["SMTP"] })]),
        sendConnectors: known([{ ...connector, tlsCertificateName: undefined, sourceServers: ["EX01", "EX02"] }]),
      }),
      "send connector \"Outbound\" doesn't name the certificate yet: whether its source server EX02 has one isn't known (not in this test)",
    ],
  ],
  connectorDrifted: [
    [
      planned(
        { ...SMTP, connectors: { send: [], receive: ["Relay"] } },
        { ...SMTP, connectors: { send: [], receive: ["Relay"] } },
        {
          ...serverOf([shown(MAIL, { services: ["SMTP"] })]),
          receiveConnectors: known([{ identity: "EX01\\Relay", fqdn: undefined, tlsCertificateName: undefined }]),
        },
      ),
      'DRIFT: receive connector "Relay" now names no certificate',
    ],
  ],
  connectorLeftEmpty: [
    [
      planned(
        { ...SMTP, onDelete: "remove", allowConnectorGap: true, connectors: { send: ["Outbound"], receive: [] } },
        { ...SMTP, connectors: { send: ["Outbound"], receive: [] } },
        {
          ...serverOf([shown(MAIL, { services: ["SMTP"] })]),
          sendConnectors: known([{ ...connector, tlsCertificateName: undefined, sourceServers: ["EX01"] }]),
        },
      ),
      `send connector "Outbound" names no certificate: it hasn't been set before, somebody has cleared it, or a run of ours was killed in the gap of a removal`,
    ],
  ],
  connectorsForgotten: [
    [
      planned(SMTP, { ...SMTP, connectors: { send: ["Outbound"], receive: [] } }, bound()),
      'no longer managed here, and left as they are: connectors "Outbound"',
    ],
  ],
  removedElsewhere: [
    [
      planned({ server: EX02, onDelete: "remove" }, {}, server([], { server: EX02 })),
      `removes certificate ${MAIL.thumbprint} from ex01.contoso.com at the end, unless something there still needs it`,
    ],
    [
      planned({ server: EX02, onDelete: "remove", removeAfterDays: 7 }, {}, server([], { server: EX02 })),
      `removes certificate ${MAIL.thumbprint} from ex01.contoso.com by a later run, in 7 days, unless something there still needs it`,
    ],
  ],
  notLookedElsewhere: [
    [
      {
        kind: "inSync",
        notices: [{ kind: "notLookedElsewhere", thumbprints: [MAIL.thumbprint], reason: "It doesn't answer." }],
      },
      `this binding was on ex01.contoso.com before, which couldn't be read (It doesn't answer): certificate ${MAIL.thumbprint} may still be there, and a later run tries again. Where there is no such server any more, one pulumi up with onDelete: "retain" ends this`,
    ],
  ],
  removedAtEnd: [
    [
      planned({ ...given(RENEWED), onDelete: "remove" }, {}, bound()),
      `removes the replaced ${mail} after the new one is in place; nothing on the server needs it then as far as can be seen`,
    ],
    [
      planned({ ...given(RENEWED), onDelete: "remove" }, { onlyThere: true }, bound()),
      `removes the replaced ${mail} after the new one is in place; nothing on the server needs it then as far as can be seen. Its key is nowhere else that we know: this can't be undone`,
    ],
  ],
  goesWithIt: [
    [
      planned({ ...given(RENEWED), ...services("IIS"), onDelete: "remove" }, {}, bound()),
      `SMTP goes with ${short(MAIL)} (mail.contoso.com) when that is removed`,
    ],
  ],
  comesAlong: [
    [
      planned({ ...given(RENEWED), ...services("IIS"), onDelete: "remove" }, services("IIS", "IMAP"), {
        ...bound(),
        imapCertificateName: known("mail.contoso.com"),
      }),
      "the new certificate holds IMAP too, by the same name, although it isn't declared",
    ],
  ],
  keptAfterAll: [
    [
      { kind: "inSync", notices: [{ kind: "keptAfterAll", thumbprint: MAIL.thumbprint, by: "web/mail" }] },
      `certificate ${short(MAIL)} stays, because this binding declares it: binding "web/mail", which comes before this one and was to have it removed at the end, leaves it`,
    ],
  ],
  keptDeclared: [
    [
      planned({ ...given(RENEWED), onDelete: "remove" }, {}, bound(), { declaredBy: () => known(["web/mail"]) }),
      `certificate ${short(MAIL)} stays: binding "web/mail" declares it`,
    ],
  ],
  keptOld: [
    [
      planned({ ...given(RENEWED), onDelete: "remove" }, {}, { ...bound(), ...asDefault(MAIL) }),
      `${mail} stays: it is the default SMTP certificate, which Exchange doesn't let go. Let another certificate become the default one first: replaceDefaultSmtpCertificate on its binding`,
    ],
    [
      planned({ ...given(RENEWED), onDelete: "remove" }, {}, { ...bound(), sendConnectors: known([connector]) }),
      `${mail} stays: it has the issuer and subject that send connector "Outbound" names, so Exchange doesn't let it go. Set-SendConnector 'Outbound' -TlsCertificateName $null; Remove-ExchangeCertificate -Server ex01.contoso.com -Thumbprint ${MAIL.thumbprint}; Set-SendConnector 'Outbound' -TlsCertificateName '<I>CN=Contoso Issuing CA<S>CN=mail.contoso.com'`,
    ],
    [
      planned(
        { ...given(RENEWED), onDelete: "remove" },
        { thumbprint: RENEWED.thumbprint, superseded: manyOld.map(superseded) },
        serverOf([shown(RENEWED, { services: ["IIS", "SMTP"] }), ...manyOld.map((one) => shown(one))], {
          sendConnectors: known([connector]),
        }),
      ),
      `${manyOld
        .slice(0, 2)
        .map((one) => `${short(one)} (mail.contoso.com, 365 days left)`)
        .join(", ")} and 3 more stay: each has the issuer and subject`,
    ],
  ],
  keptForNow: [
    [
      planned({ ...given(RENEWED), onDelete: "remove", removeAfterDays: 7 }, {}, bound()),
      `${mail} stays: it is kept as a way back until 2026-11-30`,
    ],
  ],
};

it("counts no pending request among the certificates that Exchange chooses among", () => {
  const pending = shown(RENEWED, { status: status("PendingRequest") });
  expect(noticesOf(planned(services("IMAP"), undefined, server([pending])), "sharedByName")).toEqual([]);
});

describe.each(Object.entries(SENTENCES))("a notice of kind %s", (kind, rows) => {
  it.each(rows.map(([plan, sentence]) => [sentence, plan] as const))("says %s", (sentence, plan) => {
    const said = noticesOf(plan, kind as Notice["kind"]).map((notice) =>
      describeNotice(notice, { server: EX01, now: NOW }),
    );
    expect(said).toContainEqual(expect.stringContaining(sentence));
    expect(plan.kind).not.toBe("blocked");
  });
});

it.each<[Notice & { kind: Added }, string]>([
  [
    { kind: "keyStorageProviderDropped" },
    "the PFX asks for a key storage provider (CNG), with which sign-in to Outlook on the web breaks; it is imported without",
  ],
  [
    { kind: "chainReordered" },
    "the certificates of the chain aren't in order, each followed by its issuer; they are sent in order",
  ],
  [
    { kind: "notAsked", reason: "exchange:offline is set" },
    "the server wasn't asked (exchange:offline is set); planned from the last known state, drift can't be seen",
  ],
])("a notice of the life cycle says so (%#)", (notice, sentence) => {
  expect(describeNotice(notice, { server: EX01, now: NOW })).toBe(sentence);
});

it("tells days as people do", () => {
  const at = (days: number) => certificate("mail.contoso.com", { notAfter: inDays(days) });
  const life = (days: number) =>
    describeNotice(
      {
        kind: "staysBehind",
        service: "IIS",
        certificate: { ...at(days), name: "mail.contoso.com", thumbprint: MAIL.thumbprint },
      },
      { server: EX01, now: NOW },
    );
  expect(life(3)).toContain("(mail.contoso.com, 3 days left)");
  expect(life(1)).toContain("(mail.contoso.com, 24 hours left, until 2026-11-24 20:00 UTC)");
  expect(life(1 / 24)).toContain("1 hour left, until 2026-11-23 21:00 UTC");
  expect(life(0.01)).toContain("less than an hour left, until 2026-11-23 20:14 UTC");
  expect(life(-0.5)).toContain("expired 12 hours ago");
  expect(life(-3)).toContain("expired 3 days ago");
  expect(owa).toContain("365 days left");
});
