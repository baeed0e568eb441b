import { known } from "../../provider/model";
import { daysUntil } from "../../provider/plan/days";
import { isRenewalDue, madeFriendlyName, namesOfWish } from "../../provider/plan/target";
import {
  NOW,
  WISH,
  certificate,
  desired,
  inDays,
  made,
  noticesOf,
  planned,
  selfSigned,
  server,
  serverOf,
  steps,
  stepsInShort,
} from "./servers";
import { identityOf } from "../identities";

const oldMade = made();
const madeState = { selfSigned: WISH, thumbprint: oldMade.facts.thumbprint };

describe("a certificate to be made", () => {
  it("is found again when a killed run has made and imported it", () => {
    const decision = planned(selfSigned(), undefined, server([oldMade]));
    expect(stepsInShort(decision)).toEqual(["enable SMTP", "enable IIS"]);
    expect(noticesOf(decision, "foundAgain")).toEqual([{ kind: "foundAgain", thumbprint: oldMade.facts.thumbprint }]);
  });

  it.each([
    ["somebody else's friendly name", { ...oldMade, friendlyName: known("pulumi contoso/test other") }],
    ["an unknown friendly name", { ...oldMade, friendlyName: { kind: "unknown", reason: "no" } as const }],
    ["other names", made({ dnsNames: ["other.contoso.com"] })],
    ["another common name", made({ commonName: "other.contoso.com" })],
    ["another key size", made({ keySizeBits: 4096 })],
    ["another validity", made({ notAfter: inDays(100) })],
    ["an issuer", made({ isSelfSigned: false })],
    ["no more than its renewal period left", made({ notBefore: inDays(-360), notAfter: inDays(5) })],
  ])("isn't taken to be one with %s", (_what, other) => {
    expect(stepsInShort(planned(selfSigned(), undefined, server([other])))).toContain("make");
  });

  it("isn't taken to be one that this binding has replaced before", () => {
    const decision = planned(selfSigned(), undefined, server([oldMade]), { replaced: oldMade.facts.thumbprint });
    expect(stepsInShort(decision)).toContain("make");
  });

  it("keeps the one in the state whatever its friendly name", () => {
    const on = serverOf([
      { ...oldMade, friendlyName: known(""), displayedServices: known(["IIS", "SMTP"]), iisSites: known([1]) },
    ]);
    expect(planned(selfSigned(), madeState, on).kind).toBe("inSync");
  });

  it("is compared by its wish without regard to the order, case and number of its names", () => {
    const two = { ...WISH, dnsNames: ["mail.contoso.com", "owa.contoso.com"] };
    const on = serverOf([{ ...oldMade, displayedServices: known(["IIS", "SMTP"]), iisSites: known([1]) }]);
    const state = { ...madeState, selfSigned: two };
    const shuffled = selfSigned({ dnsNames: ["OWA.contoso.com", "mail.contoso.com", "owa.contoso.com"] });
    expect(planned(shuffled, state, on).kind).toBe("inSync");
    expect(planned(selfSigned({ dnsNames: ["mail.contoso.com"] }), state, on)).toMatchObject({ because: "wish" });
  });

  it("carries what it is made for in its step", () => {
    expect(steps(planned(selfSigned(), undefined, server()))[0]).toEqual({ kind: "makeCertificate", wish: WISH });
  });
});

describe("the friendly name of a made certificate", () => {
  it("shows the binding's label and tells it from others of that label", () => {
    const { urn, label } = desired().identity;
    expect(madeFriendlyName({ urn, label: "web/mail" })).toMatch(/^pulumi web\/mail~[0-9a-f]{16}$/);
    expect(madeFriendlyName({ urn, label })).toMatch(/^pulumi mail~/);
    expect(madeFriendlyName({ urn, label })).not.toBe(madeFriendlyName({ urn: `${urn}2`, label }));
  });

  it("stays below Exchange's limit, and differs where long names differ only at their end", () => {
    const long = (end: string) => madeFriendlyName(identityOf(`${"m".repeat(80)}${end}`));
    expect(long("1")).toHaveLength(63);
    expect(long("1")).not.toBe(long("2"));
    // Half of a letter outside the basic plane would be no text any more.
    expect(madeFriendlyName(identityOf("\u{1F4E7}".repeat(40)))).toMatch(/^pulumi \u{1F4E7}+~/u);
    expect(madeFriendlyName(identityOf("a\u0000b\u202Ec\nd"))).toMatch(/^pulumi abcd~/);
  });
});

describe("the names of a certificate that is still to be made", () => {
  it("begin with the first that fits into a common name", () => {
    const long = `${"a".repeat(60)}.contoso.com`;
    expect(namesOfWish({ ...WISH, dnsNames: [long, "Mail.contoso.com"] })).toEqual({
      commonName: "Mail.contoso.com",
      dnsNames: [long, "mail.contoso.com"],
    });
  });

  it("take the common name of a declared subject, also a quoted one, or none", () => {
    const common = (subject: string) => namesOfWish({ ...WISH, subject }).commonName;
    expect(common("O=Contoso, CN=owa.contoso.com")).toBe("owa.contoso.com");
    expect(common('CN="Contoso, Mail", O=Contoso')).toBe("Contoso, Mail");
    expect(common("O=Contoso")).toBeUndefined();
  });
});

it("counts whole days, and the renewal from the very moment on", () => {
  expect(daysUntil(inDays(1.9), NOW)).toBe(1);
  expect(daysUntil(inDays(-0.1), NOW)).toBe(-1);
  expect(isRenewalDue(certificate("a.contoso.com", { notAfter: inDays(30) }), 30, NOW)).toBe(true);
  expect(isRenewalDue(certificate("a.contoso.com", { notAfter: inDays(30.01) }), 30, NOW)).toBe(false);
});
