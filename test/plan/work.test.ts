import type { CertificateFacts } from "../../provider/certificate/facts";
import { known, unknown } from "../../provider/model";
import type { ObservedServer } from "../../provider/plan/observedServer";
import type { Blocker } from "../../provider/plan/planTypes";
import type { Shown } from "./servers";
import {
  BUILT_IN,
  ECC,
  EXCHANGE_2016,
  MAIL,
  OWA,
  WILDCARD,
  certificate,
  given,
  inDays,
  losses,
  named,
  notices,
  noticesOf,
  planned,
  rawDataOnly,
  refusals,
  selfSigned,
  server,
  serverOf,
  services,
  shown,
  steps,
  stepsInShort,
  mode,
  status,
} from "./servers";

const UM_ON = { version: EXCHANGE_2016, umStartupMode: mode("TLS"), umCallRouterStartupMode: mode("Dual") } as const;
const BOUND = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })]);

describe("the steps on one server", () => {
  it("come in one order: import, POP, IMAP and UM together, names, SMTP by itself, IIS last", () => {
    const wish = {
      ...services("IIS", "SMTP", "IMAP", "POP", "UM", "UMCallRouter"),
      certificateNames: { IMAP: "mail.contoso.com", POP: "autodiscover.contoso.com" },
    };
    expect(stepsInShort(planned(wish, undefined, server([], UM_ON)))).toEqual([
      "import",
      "enable IMAP+POP+UM+UMCallRouter",
      "set IMAP mail.contoso.com",
      "set POP autodiscover.contoso.com",
      "enable SMTP",
      "enable IIS",
    ]);
  });

  it("put a successor's other services before SMTP and its IIS at the very end", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "UM"] }), shown(OWA)], UM_ON);
    const decision = planned({ ...services("SMTP"), successor: OWA.thumbprint }, services("IIS", "SMTP", "UM"), on);
    expect(stepsInShort(decision)).toEqual([
      "enable UM for the successor",
      "enable SMTP",
      "enable IIS for the successor",
    ]);
  });

  it("make a certificate before anything else", () => {
    expect(stepsInShort(planned({ ...selfSigned(), ...services("SMTP") }, undefined, server()))).toEqual([
      "make",
      "import",
      "enable SMTP",
    ]);
  });

  it("are none where only the wish is new and the server has it all", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })], {
      imapCertificateName: known("MAIL.contoso.com"),
    });
    expect(planned(services("IIS", "SMTP", "IMAP"), {}, on)).toMatchObject({ kind: "inSync" });
  });

  it("say why an import is needed", () => {
    expect(steps(planned({}, undefined, server()))[0]).toMatchObject({ because: "absent" });
    expect(steps(planned({}, {}, server()))[0]).toMatchObject({ because: "gone" });
    expect(steps(planned(selfSigned(), undefined, server()))[1]).toMatchObject({ because: "made" });
  });

  it("take UM and UMCallRouter from whoever has them", () => {
    const on = server([shown(MAIL), shown(OWA, { services: ["UM", "UMCallRouter"] })], UM_ON);
    expect(losses(planned(services("UM", "UMCallRouter"), undefined, on))).toEqual([
      `UM from ${OWA.thumbprint}`,
      `UMCallRouter from ${OWA.thumbprint}`,
    ]);
  });

  it("take nothing from the back end: IIS there is not IIS here", () => {
    const on = serverOf([shown(MAIL)]);
    expect(losses(planned(services("IIS"), undefined, on))).toEqual([]);
    const backEndOnly = serverOf([shown(MAIL, { services: ["IIS"], sites: [2] })]);
    expect(stepsInShort(planned(services("IIS"), services("IIS"), backEndOnly))).toEqual(["enable IIS"]);
  });

  it("verify what is declared, what is handed over, and that the default SMTP certificate is what it was", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS"] }), shown(OWA)]);
    const decision = planned({ ...services("SMTP"), successor: OWA.thumbprint }, services("IIS", "SMTP"), on);
    const mail = { kind: "known", thumbprint: MAIL.thumbprint };
    expect(decision).toMatchObject({
      work: {
        goals: [
          { kind: "present", certificate: mail },
          { kind: "holds", certificate: mail, service: "SMTP" },
          { kind: "holds", certificate: { thumbprint: OWA.thumbprint }, service: "IIS" },
          { kind: "releases", thumbprint: MAIL.thumbprint, service: "IIS" },
          { kind: "defaultSmtpIs", certificate: { thumbprint: BUILT_IN.thumbprint } },
        ],
      },
    });
  });
});

describe("what would stop a step is refused where there is a step, and is a notice where there is none", () => {
  const EXPIRED = certificate("mail.contoso.com", { notAfter: inDays(-3) });
  const FUTURE = certificate("mail.contoso.com", { notBefore: inDays(3) });
  const held = { services: ["IIS", "SMTP"] } as const;

  it.each<[string, CertificateFacts, Shown, Partial<ObservedServer>, Blocker["kind"]]>([
    ["an expired certificate", EXPIRED, {}, {}, "outOfDates"],
    ["one that isn't valid yet", FUTURE, {}, {}, "outOfDates"],
    ["a revoked one", MAIL, { status: status("Revoked") }, {}, "statusNotValid"],
    ["an untrusted one", MAIL, { status: status("Untrusted") }, {}, "statusNotValid"],
    ["an invalid one", MAIL, { status: status("Invalid") }, {}, "statusNotValid"],
    ["a pending request", MAIL, { status: status("PendingRequest") }, {}, "statusNotValid"],
    ["one whose dates only the server finds wrong", MAIL, { status: status("DateInvalid") }, {}, "statusNotValid"],
    ["one without a private key", MAIL, { hasPrivateKey: known(false) }, {}, "noPrivateKey"],
    ["an ECC one on a build without ECC", ECC, {}, { version: EXCHANGE_2016 }, "eccNotSupported"],
    [
      "one whose key is neither RSA nor ECC",
      certificate("mail.contoso.com", { keyAlgorithm: "other" }),
      {},
      {},
      "keyAlgorithmNotSupported",
    ],
  ])("%s", (_what, facts, look, changes, kind) => {
    const wish = { ...given(facts), ...services("SMTP") };
    const state = { thumbprint: facts.thumbprint, ...services("SMTP") };
    const withStep = planned(wish, state, serverOf([shown(facts, look)], changes));
    expect(withStep).toMatchObject({ kind: "blocked", blockers: [{ kind, property: "certificate" }] });
    const without = planned(wish, state, serverOf([shown(facts, { ...held, ...look })], changes));
    expect(without.kind).toBe("inSync");
    const told =
      kind === "outOfDates" || kind === "statusNotValid"
        ? { kind }
        : { kind: "wouldBeRefused", blocker: expect.objectContaining({ kind }) };
    expect(without.notices).toContainEqual(expect.objectContaining(told));
  });

  it("also where SMTP alone, IIS alone, a name alone, or the default role is the step", () => {
    for (const service of ["SMTP", "IIS", "POP"] as const) {
      const decision = planned({ ...given(EXPIRED), ...services(service) }, undefined, server([shown(EXPIRED)]));
      expect(decision).toMatchObject({ kind: "blocked", blockers: [{ kind: "outOfDates" }] });
    }
    const asked = { ...given(EXPIRED), ...services("SMTP"), replaceDefaultSmtpCertificate: true };
    const on = serverOf([shown(EXPIRED, { services: ["SMTP"] })]);
    expect(planned(asked, { thumbprint: EXPIRED.thumbprint, ...services("SMTP") }, on)).toMatchObject({
      kind: "blocked",
    });
  });

  it("also where a declared name is what gives IMAP to a wildcard certificate", () => {
    const expired = certificate("*.contoso.com", { notAfter: inDays(-1) });
    const wish = {
      ...given(expired),
      ...services("IMAP"),
      certificateNames: { IMAP: "imap.contoso.com", POP: undefined },
    };
    expect(planned(wish, undefined, server([shown(expired)]))).toMatchObject({ blockers: [{ kind: "outOfDates" }] });
  });

  it("but not where a name is cleared, or the successor alone is touched", () => {
    const cleared = { ...given(EXPIRED), ...services("SMTP"), certificateNames: { IMAP: null, POP: undefined } };
    const on = serverOf([shown(EXPIRED, held), shown(OWA)]);
    const state = { thumbprint: EXPIRED.thumbprint };
    expect(planned({ ...cleared, ...services("IIS", "SMTP") }, state, on).kind).toBe("update");
    const handedOver = { ...given(EXPIRED), ...services("SMTP"), successor: OWA.thumbprint };
    expect(planned(handedOver, state, on).kind).toBe("update");
  });

  it("names the dates once, although the status says the same", () => {
    const decision = planned(given(EXPIRED), undefined, server([shown(EXPIRED, { status: status("DateInvalid") })]));
    expect(decision).toMatchObject({ blockers: [{ kind: "outOfDates" }] });
    expect(refusals(decision)).toHaveLength(1);
  });

  it.each([
    ["RevocationCheckFailure", status("RevocationCheckFailure")],
    ["Unknown", status("Unknown")],
    ["a status that the server didn't tell", unknown("no details")],
  ] as const)("%s is a notice even where there is a step", (_what, observed) => {
    const decision = planned({}, undefined, server([shown(MAIL, { status: observed })]));
    expect(decision.kind).toBe("create");
    expect(noticesOf(decision, "statusUncertain")).toHaveLength(1);
  });

  it("UM on 15.2", () => {
    expect(planned(services("UM"), undefined, server([shown(MAIL)]))).toMatchObject({
      blockers: [{ kind: "umNotOnThisVersion", property: "services" }],
    });
  });

  it.each([
    ["UM", "umStartupMode", mode("TCP"), "umStartupMode"],
    ["UMCallRouter", "umCallRouterStartupMode", mode("TCP"), "umStartupMode"],
    ["UM", "umStartupMode", mode(), "umStartupMode"],
    ["UM", "umStartupMode", unknown("no role"), "umStartupModeUnknown"],
  ] as const)("%s with the %s of the server not fit for it (%#)", (service, part, observed, kind) => {
    const changes = { ...UM_ON, [part]: observed };
    expect(planned(services(service), undefined, server([shown(MAIL)], changes))).toMatchObject({
      kind: "blocked",
      blockers: [{ kind, service }],
    });
    const unchanged = planned(
      services(service),
      services(service),
      server([shown(MAIL, { services: [service] })], changes),
    );
    expect(unchanged).toMatchObject({
      kind: "inSync",
      notices: [{ kind: "wouldBeRefused", blocker: { kind, service } }, {}],
    });
  });

  it.each(["TLS", "Dual"] as const)("but not UM in start-up mode %s", (startUpMode) => {
    const changes = { ...UM_ON, umStartupMode: mode(startUpMode) };
    expect(planned(services("UM"), undefined, server([shown(MAIL)], changes)).kind).toBe("create");
  });
});

describe("unknown is not none", () => {
  const raw = server([], { certificates: [rawDataOnly(BUILT_IN), rawDataOnly(MAIL)] });

  it("services that the server didn't tell are refused where they would be enabled", () => {
    expect(planned({}, undefined, raw)).toMatchObject({
      kind: "blocked",
      blockers: [{ kind: "servicesUnknown", services: ["IIS", "SMTP"], reason: "RawData only" }],
    });
  });

  it("and are a notice for an unchanged binding", () => {
    const decision = planned({}, {}, raw);
    expect(decision).toMatchObject({ kind: "inSync" });
    expect(noticesOf(decision, "servicesUnknown")).toMatchObject([{ services: ["IIS", "SMTP"] }]);
  });

  it("nothing is imported where the server would tell its services neither before nor after", () => {
    expect(planned(given(OWA), undefined, raw)).toMatchObject({
      kind: "blocked",
      blockers: [{ kind: "servicesUnknown", services: ["IIS", "SMTP"] }],
    });
    expect(planned(selfSigned(), undefined, raw)).toMatchObject({ blockers: [{ kind: "servicesUnknown" }] });
  });

  it("IMAP and POP are known by their names all the same", () => {
    const on = { ...raw, imapCertificateName: known("mail.contoso.com") };
    expect(planned(services("IMAP"), services("IMAP"), on)).toMatchObject({
      kind: "inSync",
      notices: [{ kind: "lifeLeft" }],
    });
    expect(stepsInShort(planned(services("POP"), undefined, raw))).toEqual(["enable POP"]);
  });

  it("names that the server didn't tell are refused, and a notice for an unchanged binding", () => {
    const on = server([shown(MAIL)], { imapCertificateName: unknown("no role for Get-ImapSettings") });
    expect(planned(services("IMAP"), undefined, on)).toMatchObject({
      blockers: [{ kind: "servicesUnknown", services: ["IMAP"], reason: "no role for Get-ImapSettings" }],
    });
    expect(planned(services("IMAP"), services("IMAP"), on)).toMatchObject({ kind: "inSync" });
  });

  it("a take-over from somebody unknown is said, and not done in silence", () => {
    const on = server([shown(MAIL, { services: ["SMTP"] }), rawDataOnly(OWA)]);
    expect(noticesOf(planned({}, {}, on), "takeOverUnknown")).toEqual([{ kind: "takeOverUnknown", service: "IIS" }]);
    expect(noticesOf(planned({}, {}, on), "driftedTo")).toMatchObject([{ service: "IIS", mayHaveOthers: true }]);
  });

  it("an unknown version lets UM be judged by its mode, and ECC pass with a notice", () => {
    const version = unknown("no role");
    const on = server([shown(MAIL), shown(ECC)], { ...UM_ON, version });
    expect(planned(services("UM"), undefined, on).kind).toBe("create");
    expect(noticesOf(planned(given(ECC), undefined, on), "eccUnverified")).toHaveLength(1);
  });

  it("unknown connectors, subscriptions and federation stop nothing", () => {
    const no = unknown("no role");
    const on = server([], {
      sendConnectors: no,
      receiveConnectors: no,
      edgeSubscriptions: no,
      federationThumbprints: no,
      authCertificates: no,
    });
    expect(planned({ replaceDefaultSmtpCertificate: true }, undefined, on).kind).toBe("create");
  });
});

describe("the company a certificate keeps", () => {
  const name = `<I>${MAIL.issuer}<S>${MAIL.subject}`;

  it("connectors that name it by issuer and subject are named before the import", () => {
    const on = server([], {
      sendConnectors: known([
        { name: "Outbound", fqdn: undefined, tlsCertificateName: name, sourceServers: [] },
        { name: "Other", fqdn: undefined, tlsCertificateName: undefined, sourceServers: [] },
      ]),
      receiveConnectors: known([
        { identity: "EX01\\Default Frontend EX01", fqdn: undefined, tlsCertificateName: name },
      ]),
    });
    expect(noticesOf(planned({}, undefined, on), "connectorWillMatch")).toEqual([
      { kind: "connectorWillMatch", connectors: ["Outbound", "EX01\\Default Frontend EX01"] },
    ]);
    const present = { ...on, certificates: [...on.certificates, shown(MAIL)] };
    expect(noticesOf(planned({}, undefined, present), "connectorWillMatch")).toEqual([]);
  });

  it("certificates that share the name of IMAP are listed", () => {
    const on = server([shown(WILDCARD), shown(OWA)]);
    expect(noticesOf(planned(services("IMAP"), undefined, on), "sharedByName")).toMatchObject([
      { service: "IMAP", name: "mail.contoso.com", others: [{ thumbprint: WILDCARD.thumbprint }] },
    ]);
  });

  it("a wildcard certificate loses IMAP to another name without a word about sharing", () => {
    const on = serverOf([shown(WILDCARD)], { imapCertificateName: known("imap.contoso.com") });
    const other = certificate("mail.fabrikam.com");
    const decision = planned({ ...given(other), ...services("IMAP") }, undefined, on);
    expect(losses(decision)).toEqual([`IMAP from ${WILDCARD.thumbprint}`]);
    expect(notices(decision).join()).not.toContain("Exchange chooses among them");
  });
});

it("doesn't take anything of an unchanged binding for a reason to speak of ECC", () => {
  const on = serverOf([shown(ECC, { services: ["IIS", "SMTP"] })]);
  expect(noticesOf(planned(given(ECC), { thumbprint: ECC.thumbprint }, on), "eccNeedsSwitch")).toEqual([]);
  expect(noticesOf(planned(named(ECC), undefined, server([shown(ECC)])), "eccNeedsSwitch")).toHaveLength(1);
  expect(planned(given(MAIL), {}, BOUND).kind).toBe("inSync");
});
