import { known, unknown } from "../../provider/model";
import {
  AUTH,
  ECC,
  EXCHANGE_2016,
  MAIL,
  OWA,
  RENEWED,
  WILDCARD,
  WISH,
  certificate,
  given,
  inDays,
  losses,
  made,
  noticesOf,
  planned,
  rawDataOnly,
  selfSigned,
  serverOf,
  services,
  shown,
  stepsInShort,
  thumbprintOf,
  mode,
  status,
} from "./servers";
import { identityOf } from "../identities";

const BOUND = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)]);
const withSuccessor = { successor: OWA.thumbprint };
/** IMAP goes by the name of {@link MAIL}. */
const IMAP_BOUND = { imapCertificateName: known("mail.contoso.com") };

describe("a removed service that is still held", () => {
  it("is refused, naming certificate and service, unless there is a way out", () => {
    expect(planned(services("SMTP"), {}, BOUND)).toMatchObject({
      kind: "blocked",
      blockers: [
        { kind: "cannotRelease", property: "services", service: "IIS", certificate: { thumbprint: MAIL.thumbprint } },
      ],
    });
  });

  it("is refused for each of several services", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })], {
      popCertificateName: known("mail.contoso.com"),
    });
    expect(planned(services("POP"), services("IIS", "SMTP", "POP"), on)).toMatchObject({
      blockers: [{ service: "IIS" }, { service: "SMTP" }],
    });
  });

  it("is forgotten when that is wished: an extra from now on", () => {
    const decision = planned({ ...services("SMTP"), onServiceRemoved: "forget" }, {}, BOUND);
    expect(decision).toMatchObject({ kind: "inSync" });
    expect(noticesOf(decision, "forgotten")).toEqual([{ kind: "forgotten", service: "IIS" }]);
  });

  it("goes to the successor rather than being forgotten", () => {
    const decision = planned({ ...services("SMTP"), ...withSuccessor, onServiceRemoved: "forget" }, {}, BOUND);
    expect(stepsInShort(decision)).toEqual(["enable IIS for the successor"]);
    expect(losses(decision)).toEqual([`IIS from ${MAIL.thumbprint}`]);
  });

  it("needs nothing where the certificate is gone from the server as well", () => {
    expect(planned(services("SMTP"), {}, serverOf([])).kind).toBe("update");
  });

  it("is refused where nobody can tell whether it is held, unless it is to be forgotten", () => {
    const on = serverOf([rawDataOnly(MAIL)]);
    expect(planned(services("IMAP"), services("IIS", "IMAP"), { ...on, ...IMAP_BOUND })).toMatchObject({
      blockers: [{ kind: "servicesUnknown", property: "services", services: ["IIS"] }],
    });
    const forgetting = { ...services("IMAP"), onServiceRemoved: "forget" } as const;
    expect(planned(forgetting, services("IIS", "IMAP"), { ...on, ...IMAP_BOUND }).kind).toBe("inSync");
  });

  it("says that the successor has it already where that is why it is released", () => {
    const on = serverOf([shown(MAIL, { services: ["SMTP"] }), shown(OWA, { services: ["IIS"] })]);
    const decision = planned({ ...services("SMTP"), ...withSuccessor }, {}, on);
    expect(noticesOf(decision, "successorHasIt")).toEqual([
      { kind: "successorHasIt", service: "IIS", successor: OWA.thumbprint },
    ]);
    expect(noticesOf(planned(services("SMTP"), {}, on), "alreadyReleased")).toHaveLength(1);
  });
});

describe("SMTP", () => {
  const wish = { ...services("IIS"), ...withSuccessor };

  it("can't be handed to a successor", () => {
    expect(planned(wish, {}, BOUND)).toMatchObject({
      blockers: [{ kind: "successorCannotTake", property: "successor", why: "smtp" }],
    });
  });

  it("is refused in a preview although the successor isn't known yet", () => {
    expect(planned({ ...wish, successor: "unknown" }, {}, BOUND)).toMatchObject({
      blockers: [{ kind: "successorCannotTake", why: "smtp" }],
    });
  });

  it("is forgotten or replaced as if no successor had been named", () => {
    expect(planned({ ...wish, onServiceRemoved: "forget" }, {}, BOUND).kind).toBe("inSync");
    const old = made();
    const on = serverOf([{ ...old, displayedServices: known(["IIS", "SMTP"]), iisSites: known([1]) }, shown(OWA)]);
    const state = { selfSigned: WISH, thumbprint: old.facts.thumbprint };
    expect(planned({ ...wish, ...selfSigned() }, state, on)).toMatchObject({
      kind: "replace",
      because: "releasedServices",
    });
  });
});

describe("IMAP and POP", () => {
  const on = serverOf([shown(MAIL), shown(OWA), shown(RENEWED), shown(WILDCARD)], {
    ...IMAP_BOUND,
    popCertificateName: known("mail.contoso.com"),
  });
  const state = services("IMAP", "POP");

  it("go to a successor with another name, and the plan names all who lose them", () => {
    const decision = planned({ ...services("POP"), ...withSuccessor }, state, on);
    expect(stepsInShort(decision)).toEqual(["enable IMAP for the successor"]);
    expect([...losses(decision)].sort()).toEqual(
      [`IMAP from ${MAIL.thumbprint}`, `IMAP from ${RENEWED.thumbprint}`].sort(),
    );
  });

  it("stay with this certificate when the successor has the same names, so that is refused", () => {
    expect(planned({ ...services("POP"), successor: RENEWED.thumbprint }, state, on)).toMatchObject({
      blockers: [{ kind: "successorCannotTake", service: "IMAP", why: "sameNames" }],
    });
    const forgetting = { ...services("POP"), successor: RENEWED.thumbprint, onServiceRemoved: "forget" } as const;
    expect(planned(forgetting, state, on).kind).toBe("inSync");
  });

  it("can't go to a wildcard certificate, which Exchange can't enable for them", () => {
    expect(planned({ ...services("POP"), successor: WILDCARD.thumbprint }, state, on)).toMatchObject({
      blockers: [{ kind: "successorNotUsable", why: "noHostName" }],
    });
  });

  it("are released by another declared name, or a cleared one, without a successor", () => {
    for (const name of ["owa.contoso.com", null]) {
      const decision = planned({ ...services("POP"), certificateNames: { IMAP: name, POP: undefined } }, state, on);
      expect(decision.kind).toBe("update");
      expect(stepsInShort(decision)).toEqual([`set IMAP ${name ?? "to nothing"}`]);
      expect(losses(decision)).toContain(`IMAP from ${MAIL.thumbprint}`);
    }
  });

  it("can't go to a successor while a name is declared that this certificate covers", () => {
    const certificateNames = { IMAP: "autodiscover.contoso.com", POP: undefined };
    expect(planned({ ...services("POP"), ...withSuccessor, certificateNames }, state, on)).toMatchObject({
      blockers: [{ kind: "successorCannotTake", why: "nameDeclared" }],
    });
  });
});

describe("a successor", () => {
  const wish = (successor: typeof MAIL) => ({ ...services("SMTP"), successor: successor.thumbprint });
  const UM_2016 = {
    version: EXCHANGE_2016,
    umStartupMode: mode("TCP"),
    umCallRouterStartupMode: mode("TLS"),
  } as const;

  it("can't be the binding's own certificate", () => {
    expect(planned(wish(MAIL), {}, BOUND)).toMatchObject({
      blockers: [{ kind: "successorIsItself", property: "successor" }],
    });
  });

  it("has to be on the server, or be brought by another binding", () => {
    const absent = { ...services("SMTP"), successor: thumbprintOf("nowhere") };
    expect(planned(absent, {}, BOUND)).toMatchObject({
      blockers: [{ kind: "successorAbsent", property: "successor" }],
    });
    const expected = new Map([
      [absent.successor, { facts: certificate("new.contoso.com"), binding: identityOf("next") }],
    ]);
    const decision = planned(absent, {}, BOUND, { expected });
    expect(decision.kind).toBe("inSync");
    expect(noticesOf(decision, "successorLater")).toEqual([{ kind: "successorLater", services: ["IIS"] }]);
  });

  it("that isn't known yet gets the service later", () => {
    const decision = planned({ ...services("SMTP"), successor: "unknown" }, {}, BOUND);
    expect(noticesOf(decision, "successorLater")).toEqual([{ kind: "successorLater", services: ["IIS"] }]);
  });

  it.each([
    ["has expired", shown(certificate("owa.contoso.com", { notAfter: inDays(-1) })), "expired"],
    ["isn't valid yet", shown(certificate("owa.contoso.com", { notBefore: inDays(1) })), "notYetValid"],
    ["isn't Valid on the server", shown(OWA, { status: status("Untrusted") }), "status"],
    ["has no private key", shown(OWA, { hasPrivateKey: known(false) }), "noPrivateKey"],
    ["is the Auth certificate", shown(AUTH), "reserved"],
    ["has a key the server can't use", shown(ECC), "keyAlgorithm"],
    ["isn't for servers", shown(certificate("owa.contoso.com", { purposes: ["1.3.6.1.5.5.7.3.2"] })), "unusable"],
  ] as const)("is refused when it %s", (_what, observed, why) => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), observed], { version: EXCHANGE_2016 });
    expect(planned(wish(observed.facts), {}, on)).toMatchObject({ blockers: [{ kind: "successorNotUsable", why }] });
  });

  it("is refused where the server doesn't say what it has: nobody could tell afterwards whether it got the service", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), rawDataOnly(OWA)]);
    expect(planned(wish(OWA), {}, on)).toMatchObject({
      blockers: [{ kind: "servicesUnknown", property: "successor", services: ["IIS"] }],
    });
  });

  it("passes with a status that nobody could determine", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA, { status: unknown("no details") })]);
    expect(planned(wish(OWA), {}, on).kind).toBe("update");
  });

  it("gets UM only where UM takes certificates at all", () => {
    const on = serverOf([shown(MAIL, { services: ["UM", "UMCallRouter"] }), shown(OWA)], UM_2016);
    const state = services("SMTP", "UM", "UMCallRouter");
    expect(planned({ ...services("SMTP", "UMCallRouter"), ...withSuccessor }, state, on)).toMatchObject({
      blockers: expect.arrayContaining([expect.objectContaining({ kind: "umStartupMode", service: "UM" })]),
    });
    const fit = { ...on, umStartupMode: mode("Dual") };
    const decision = planned({ ...services("SMTP"), ...withSuccessor }, state, fit);
    expect(stepsInShort(decision).slice(0, 2)).toEqual([
      "enable UM for the successor",
      "enable UMCallRouter for the successor",
    ]);
  });

  it("changes nothing while nothing is released", () => {
    expect(planned(withSuccessor, {}, BOUND)).toMatchObject({ kind: "inSync" });
    expect(planned({ ...given(MAIL), successor: thumbprintOf("nowhere") }, {}, BOUND).kind).toBe("inSync");
  });
});
