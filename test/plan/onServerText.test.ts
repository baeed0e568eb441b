import type { Unsuited } from "../../provider/plan/onServer";
import {
  describeAmbiguous,
  describeChosen,
  describeInstead,
  describeNone,
  describeStaying,
} from "../../provider/plan/onServerText";
import { named } from "../../provider/plan/target";
import { EX01, MAIL, NOW, OWA, RENEWED, inDays } from "./servers";

const TEXT = { server: EX01, now: NOW };
const [mail, owa, renewed] = [named(MAIL), named(OWA), named(RENEWED)];
const short = ({ thumbprint }: { readonly thumbprint: string }): string => thumbprint.slice(0, 8);
const names = ["mail.contoso.com"];

/** Every reason why one won't do. A kind that is missing doesn't compile. */
const REASONS: { readonly [K in Unsuited["kind"]]: readonly (readonly [Unsuited & { kind: K }, string])[] } = {
  selfSigned: [[{ kind: "selfSigned" }, "it is self-signed"]],
  reserved: [
    [{ kind: "reserved", what: "auth" }, "it is an Auth certificate of the organisation"],
    [{ kind: "reserved", what: "federation" }, "it is the certificate of the federation trust"],
    [{ kind: "reserved", what: "webManagement" }, "it is that of the Web Management Service (WMSvc)"],
  ],
  pending: [[{ kind: "pending" }, "it is a request that waits for its certificate"]],
  withoutKey: [[{ kind: "withoutKey" }, "its private key isn't there"]],
  outOfDates: [
    [{ kind: "outOfDates", when: "expired", notBefore: inDays(-90) }, "it has expired"],
    [{ kind: "outOfDates", when: "notYetValid", notBefore: inDays(9) }, "it is valid only from 2026-12-02"],
  ],
  status: [[{ kind: "status", status: "Revoked" }, "its status is Revoked"]],
  namesMissing: [[{ kind: "namesMissing", names: ["a.com", "b.com"] }, "it doesn't cover a.com and b.com"]],
  issuer: [[{ kind: "issuer", issuer: "CN=Other CA" }, "its issuer is CN=Other CA"]],
  endsTooSoon: [[{ kind: "endsTooSoon", minDaysLeft: 20 }, "it ends in less than minDaysLeft (20)"]],
  refused: [
    [
      { kind: "refused", blockers: [{ kind: "statusNotValid", property: "certificate", status: "Untrusted" }] },
      "the binding would be refused with it: ex01.contoso.com shows the certificate's status as Untrusted; Exchange assigns services only to Valid ones. Mend its chain on the server, or give another certificate",
    ],
  ],
};

test.each(Object.values(REASONS).flat())("%j is told", (why, text) => {
  const others = [{ certificate: owa, why }];
  expect(describeNone({ kind: "onServerNone", property: "certificate", names, others }, TEXT)).toBe(
    `no certificate on ex01.contoso.com would do for mail.contoso.com; not ${short(owa)} (owa.contoso.com, 365 days left): ${text}. Enrol one there, or give it here.`,
  );
});

test("which one it is, by which wildcard, and why not the others", () => {
  const chosen = { kind: "onServerChosen", certificate: mail, notBefore: inDays(-10), names } as const;
  expect(
    describeChosen(
      {
        ...chosen,
        byWildcards: [{ name: "mail.contoso.com", wildcard: "*.contoso.com" }],
        others: [{ certificate: renewed, why: { kind: "older", notBefore: inDays(-20) } }],
      },
      TEXT,
    ),
  ).toBe(
    `of the certificates on the server the newest for mail.contoso.com (mail.contoso.com by *.contoso.com) is ${short(mail)} (mail.contoso.com, 365 days left), of 2026-11-13, issued by CN=Contoso Issuing CA; not ${short(renewed)} (mail.contoso.com, 365 days left): older, of 2026-11-03`,
  );
  const others = Array.from({ length: 7 }, () => ({ certificate: owa, why: { kind: "selfSigned" } as const }));
  expect(describeChosen({ ...chosen, byWildcards: [], others }, TEXT)).toMatch(/: it is self-signed; nor 2 more$/);
});

test("what takes the place of one that won't do any more", () => {
  const gone = { certificate: MAIL.thumbprint, why: { kind: "gone" }, byOlder: false } as const;
  expect(describeInstead({ kind: "onServerInstead", certificate: renewed, of: gone }, TEXT)).toBe(
    `certificate ${short(mail)}, which is bound, is gone from the server: ${short(renewed)} (mail.contoso.com, 365 days left) takes its place`,
  );
  const revoked = { certificate: mail, why: { kind: "status", status: "Revoked" }, byOlder: true } as const;
  expect(describeInstead({ kind: "onServerInstead", certificate: renewed, of: revoked }, TEXT)).toBe(
    `${short(mail)} (mail.contoso.com), which is bound, won't do any more (its status is Revoked): ${short(renewed)} (mail.contoso.com, 365 days left), which is older, takes its place`,
  );
});

test("what stays bound although it won't do any more", () => {
  const why = { kind: "none", unsuited: { kind: "withoutKey" } } as const;
  expect(describeStaying({ kind: "onServerStays", certificate: mail, why, others: [] }, TEXT)).toBe(
    `${short(mail)} (mail.contoso.com, 365 days left) stays bound although it won't do any more (its private key isn't there): the server has no other one that would`,
  );
});

test.each([
  [
    { kind: "issuers", among: [mail, owa] } as const,
    `These have different issuers: ${short(mail)} (mail.contoso.com, 365 days left) of CN=Contoso Issuing CA and ${short(owa)} (owa.contoso.com, 365 days left) of CN=Contoso Issuing CA. Name the one that is meant, or all of them, with onServer.issuer`,
  ],
  [
    { kind: "tie", among: [mail, renewed], notBefore: inDays(-1) } as const,
    `These begin at the same moment (2026-11-22T20:00:00.000Z): ${mail.thumbprint} (mail.contoso.com) and ${renewed.thumbprint} (mail.contoso.com). Remove one from the server, or name the other by its thumbprint`,
  ],
  [
    { kind: "notRenewals", among: [mail, owa], differ: ["subject", "names", "purposes", "template"] } as const,
    `These aren't renewals of one another, because they differ in the subject, the DNS names, the purposes (extended key usage) and the certificate template: ${short(mail)} (mail.contoso.com, 365 days left) with CN=mail.contoso.com and ${short(owa)} (owa.contoso.com, 365 days left) with CN=owa.contoso.com. Give names in onServer.dnsNames that only one of them covers, remove the others from the server, or name one by its thumbprint`,
  ],
])("what isn't clear, and the way out: %#", (why, text) => {
  expect(describeAmbiguous({ kind: "onServerAmbiguous", property: "certificate", why, others: [] }, TEXT)).toBe(
    `which certificate on ex01.contoso.com is meant isn't clear. ${text}.`,
  );
  expect(describeStaying({ kind: "onServerStays", certificate: mail, why, others: [] }, TEXT)).toBe(
    `${short(mail)} (mail.contoso.com, 365 days left) stays bound: which one should take its place isn't clear. ${text}`,
  );
});
