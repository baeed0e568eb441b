import { unknown, known } from "../../provider/model";
import type { OnServerWish } from "../../provider/plan/desired";
import { boundBy, chooseOnServer } from "../../provider/plan/onServer";
import type { Choice, OnServerContext } from "../../provider/plan/onServer";
import type { ObservedCertificate } from "../../provider/plan/observedServer";
import { AUTH, BUILT_IN, NOW, certificate, inDays, server, serverOf, shown, status } from "./servers";
import type { Shown } from "./servers";

const NAMES = ["mail.contoso.com", "autodiscover.contoso.com"];
const WISH: OnServerWish = { dnsNames: NAMES, issuers: [], minDaysLeft: 0 };

/** Enrolled so many days ago, for a year. */
function enrolled(daysAgo: number, changes: Parameters<typeof certificate>[1] = {}, names = NAMES) {
  return certificate(names, { notBefore: inDays(-daysAgo), notAfter: inDays(365 - daysAgo), ...changes });
}

const OLD = enrolled(300);
const NEW = enrolled(2);

function choose(
  certificates: readonly (ObservedCertificate | typeof OLD)[],
  wish: Partial<OnServerWish> = {},
  context: Partial<OnServerContext> = {},
): Choice {
  const all = certificates.map((one) => ("facts" in one ? one : shown(one)));
  return chooseOnServer({ ...WISH, ...wish }, serverOf(all), { now: NOW, bound: undefined, ...context });
}

function told(choice: Choice): readonly string[] {
  return choice.others.map(({ why }) => why.kind);
}

/** What is chosen beside {@link OLD}, when something is the matter with the newer one. */
function besideOld(changes: Parameters<typeof certificate>[1], seen: Shown = {}): Choice {
  return choose([OLD, shown(enrolled(2, changes), seen)]);
}

test("the newest is chosen, and the older one is told", () => {
  const choice = choose([OLD, NEW]);
  expect(choice).toMatchObject({ kind: "chosen", certificate: NEW, insteadOf: undefined, byWildcards: [] });
  expect(told(choice)).toEqual(["older"]);
});

test("what has none of the names isn't told", () => {
  expect(choose([NEW, certificate("owa.contoso.com")]).others).toEqual([]);
});

test.each([
  [
    "a self-signed one of the same name",
    besideOld({ isSelfSigned: true, issuer: "CN=mail.contoso.com" }),
    "selfSigned",
  ],
  ["one without its key", besideOld({}, { hasPrivateKey: known(false) }), "withoutKey"],
  ["a pending request", besideOld({}, { status: status("PendingRequest") }), "pending"],
  ["a revoked one", besideOld({}, { status: status("Revoked") }), "status"],
  ["an untrusted one", besideOld({}, { status: status("Untrusted") }), "status"],
  ["an expired one", besideOld({ notAfter: inDays(-1) }), "outOfDates"],
  ["one that isn't valid yet", besideOld({ notBefore: inDays(1) }), "outOfDates"],
  ["the Web Management Service's", besideOld({}, { friendlyName: known("WMSVC-SHA2") }), "reserved"],
  ["the federation trust's", besideOld({}, { displayedServices: known(["SMTP", "Federation"]) } as Shown), "reserved"],
])("%s isn't chosen, and it is told why", (_what, choice, why) => {
  expect(boundBy(choice)).toBe(OLD);
  expect(told(choice)).toEqual([why]);
});

test("the Auth certificate isn't chosen, whatever its names", () => {
  const auth = { ...AUTH, dnsNames: NAMES };
  expect(told(choose([shown(auth)]))).toEqual(["reserved"]);
});

test.each(["Valid", "RevocationCheckFailure", "Unknown"] as const)("one with the status %s is chosen", (value) => {
  expect(boundBy(besideOld({}, { status: status(value) }))?.notBefore).toBe(inDays(-2));
});

test("a status and a key that the server didn't tell don't count against it", () => {
  const no = unknown("RawData only");
  expect(boundBy(besideOld({}, { status: no, hasPrivateKey: no }))?.notBefore).toBe(inDays(-2));
});

test("every name has to be covered, and a wildcard counts", () => {
  const wildcard = enrolled(2, {}, ["*.contoso.com"]);
  const choice = choose([certificate("mail.contoso.com"), wildcard], { dnsNames: ["contoso.com", ...NAMES] });
  expect(choice).toMatchObject({ kind: "none" });
  const covering = choose([certificate("mail.contoso.com"), wildcard]);
  expect(covering).toMatchObject({
    kind: "chosen",
    certificate: wildcard,
    byWildcards: NAMES.map((name) => ({ name, wildcard: "*.contoso.com" })),
  });
  expect(covering.others[0]?.why).toEqual({ kind: "namesMissing", names: ["autodiscover.contoso.com"] });
});

test("one that ends too soon for the wish isn't chosen", () => {
  const choice = choose([enrolled(2, { notAfter: inDays(9) })], { minDaysLeft: 10 });
  expect(told(choice)).toEqual(["endsTooSoon"]);
  expect(choose([enrolled(2, { notAfter: inDays(10) })], { minDaysLeft: 10 }).kind).toBe("chosen");
});

test("one that the binding's own plan would be refused for is told and left out", () => {
  const blocker = { kind: "keyAlgorithmNotSupported", property: "certificate" } as const;
  const refusedFor: OnServerContext["refusedFor"] = (facts) => (facts === NEW ? [blocker] : []);
  const choice = choose([OLD, NEW], {}, { refusedFor });
  expect(boundBy(choice)).toBe(OLD);
  expect(choice.others[0]?.why).toEqual({ kind: "refused", blockers: [blocker] });
});

describe("the issuer", () => {
  const CA = "CN=Contoso Issuing CA 2, DC=contoso, DC=com";
  const issued = enrolled(2, { issuer: CA });
  const other = enrolled(1, { issuer: "CN=Other CA" });

  test.each([CA, "CN=Contoso Issuing CA 2,DC=contoso,DC=com", "contoso issuing ca 2", ` ${CA.toUpperCase()} `])(
    "is found by %j",
    (name) => {
      const choice = choose([issued, other], { issuers: [name] });
      expect(boundBy(choice)).toBe(issued);
      expect(choice.others[0]?.why).toEqual({ kind: "issuer", issuer: "CN=Other CA" });
    },
  );

  test.each(["Contoso", "CN=Contoso Issuing CA 2", "Contoso Issuing CA"])("isn't found by %j", (name) => {
    expect(choose([issued], { issuers: [name] }).kind).toBe("none");
  });

  test("may be one above, where the server has the authority's certificate", () => {
    const middle = certificate([], { subject: CA, issuer: "CN=Contoso Root CA", isAuthority: true });
    expect(choose([issued], { issuers: ["Contoso Root CA"] }).kind).toBe("none");
    expect(boundBy(choose([issued, middle], { issuers: ["Contoso Root CA"] }))).toBe(issued);
  });

  test("a chain that leads in a circle ends all the same", () => {
    const one = certificate([], { subject: CA, issuer: "CN=B", isAuthority: true });
    const two = certificate([], { subject: "CN=B", issuer: CA, isAuthority: true });
    expect(choose([issued, one, two], { issuers: ["Nobody"] }).kind).toBe("none");
  });

  test("that rotates is named by a list", () => {
    const [r10, r11] = [
      enrolled(60, { issuer: "CN=R10, O=Let's Encrypt" }),
      enrolled(1, { issuer: "CN=R11, O=Let's Encrypt" }),
    ];
    expect(choose([r10, r11])).toMatchObject({ kind: "ambiguous", why: { kind: "issuers" } });
    expect(boundBy(choose([r10, r11], { issuers: ["R10", "R11"] }))).toBe(r11);
  });
});

describe("what is ambiguous is never chosen", () => {
  test("a tie", () => {
    const twin = { ...NEW, thumbprint: OLD.thumbprint };
    expect(choose([NEW, twin])).toMatchObject({ kind: "ambiguous", why: { kind: "tie" }, stays: undefined });
  });

  test("a tie among older ones doesn't matter", () => {
    const twin = { ...OLD, thumbprint: AUTH.thumbprint };
    expect(boundBy(choose([OLD, twin, NEW]))).toBe(NEW);
  });

  test.each([
    ["subject", { subject: "CN=mail.contoso.com, O=Contoso" }],
    ["names", { dnsNames: [...NAMES, "owa.contoso.com"] }],
    ["purposes", { purposes: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"] }],
    ["template", { template: "1.3.6.1.4.1.311.21.8.1.2" }],
  ])("two that differ in %s", (what, changes) => {
    expect(choose([OLD, enrolled(2, changes)])).toMatchObject({
      kind: "ambiguous",
      why: { kind: "notRenewals", differ: [what] },
    });
  });

  test("the order of names and their case are no difference", () => {
    expect(choose([OLD, enrolled(2, { subject: "CN=MAIL.contoso.com", dnsNames: [...NAMES].reverse() })]).kind).toBe(
      "chosen",
    );
  });
});

describe("what is bound", () => {
  const bound = OLD.thumbprint;

  test("is replaced by its renewal", () => {
    expect(choose([OLD, NEW], {}, { bound })).toMatchObject({ kind: "chosen", certificate: NEW, insteadOf: undefined });
  });

  test("stays when nothing newer is there", () => {
    const choice = choose([OLD, NEW], {}, { bound: NEW.thumbprint });
    expect(choice).toMatchObject({ kind: "chosen", certificate: NEW, insteadOf: undefined });
    expect(told(choice)).toEqual(["older"]);
  });

  test("stays when a newer one is self-signed", () => {
    const own = enrolled(1, { isSelfSigned: true });
    expect(boundBy(choose([OLD, own], {}, { bound }))).toBe(OLD);
  });

  test.each([
    ["of another issuer", enrolled(2, { issuer: "CN=Other CA" })],
    ["of another template", enrolled(2, { template: "WebServer" })],
    ["of the same moment", { ...OLD, thumbprint: NEW.thumbprint }],
  ])("stays beside a later one %s, which is told", (_what, later) => {
    expect(choose([OLD, later], {}, { bound })).toMatchObject({ kind: "ambiguous", stays: OLD });
  });

  test("is no longer ambiguous beside older ones", () => {
    const choice = choose([enrolled(310, { template: "WebServer" }), OLD, NEW], {}, { bound });
    expect(boundBy(choice)).toBe(NEW);
  });

  test("gives way to an older one when it won't do any more", () => {
    const expired = enrolled(100, { notAfter: inDays(-1) });
    expect(choose([OLD, expired], {}, { bound: expired.thumbprint })).toMatchObject({
      kind: "chosen",
      certificate: OLD,
      insteadOf: { certificate: { thumbprint: expired.thumbprint }, why: { kind: "outOfDates" }, byOlder: true },
    });
  });

  test("gives way when it is gone", () => {
    expect(choose([OLD], {}, { bound: NEW.thumbprint })).toMatchObject({
      kind: "chosen",
      certificate: OLD,
      insteadOf: { certificate: NEW.thumbprint, why: { kind: "gone" } },
    });
  });

  test("and won't do any more, among several that would, has to be decided", () => {
    const expired = enrolled(100, { notAfter: inDays(-1) });
    const choice = choose([OLD, enrolled(2, { template: "WebServer" }), expired], {}, { bound: expired.thumbprint });
    expect(choice).toMatchObject({ kind: "ambiguous", stays: undefined });
    expect(told(choice)).toEqual(["outOfDates"]);
  });

  test("stays when none would do, itself neither", () => {
    const expired = enrolled(100, { notAfter: inDays(-1) });
    expect(choose([expired], {}, { bound: expired.thumbprint })).toMatchObject({
      kind: "none",
      stays: { certificate: expired, why: { kind: "outOfDates" } },
    });
  });

  test("and gone, where none would do, leaves nothing", () => {
    const choice = chooseOnServer(WISH, server(), { now: NOW, bound });
    expect(boundBy(choice)).toBeUndefined();
  });
});

test("the server's own certificate is never the one", () => {
  const choice = choose([], { dnsNames: BUILT_IN.dnsNames.slice(1) });
  expect(choice.kind).toBe("none");
  expect(told(choice)).toEqual(["selfSigned"]);
});
