import { known } from "../../provider/model";
import type { DesiredBinding, PreviousBinding } from "../../provider/plan/desired";
import type { ObservedServer } from "../../provider/plan/observedServer";
import { planCreate } from "../../provider/plan/plan";
import {
  AUTH,
  BUILT_IN,
  EX02,
  MAIL,
  NOW,
  OWA,
  RENEWED,
  WILDCARD,
  WISH,
  certificate,
  context,
  desired,
  given,
  inDays,
  losses,
  made,
  named,
  noticesOf,
  planned,
  previous,
  refusals,
  selfSigned,
  server,
  serverOf,
  services,
  shown,
  stepsInShort,
} from "./servers";
import { identityOf } from "../identities";

/** {@link MAIL} bound as the state says: IIS and SMTP. */
const BOUND = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })]);

interface Row {
  readonly change: string;
  readonly wish?: Partial<DesiredBinding>;
  readonly state?: Partial<PreviousBinding>;
  readonly on: ObservedServer;
  /** What the plan is, and for a replacement the input it shows at. */
  readonly gives: "inSync" | "update" | "blocked" | `replace by ${string}`;
  readonly steps?: readonly string[];
}

const oldMade = made();
const madeState = { selfSigned: WISH, thumbprint: oldMade.facts.thumbprint };

const TABLE: readonly Row[] = [
  {
    change: "a service is added: only the missing one is enabled",
    wish: services("IIS", "SMTP", "POP"),
    on: BOUND,
    gives: "update",
    steps: ["enable POP"],
  },
  {
    change: "a service is removed that is no longer held: only the state learns of it",
    wish: services("SMTP"),
    on: server([shown(MAIL, { services: ["SMTP"] })]),
    gives: "inSync",
  },
  {
    change: "a service is removed, still held, to be forgotten: only the state learns of it",
    wish: { ...services("SMTP"), onServiceRemoved: "forget" },
    on: BOUND,
    gives: "inSync",
  },
  {
    change: "a service is removed and a successor is named: the successor gets it",
    wish: { ...services("SMTP"), successor: OWA.thumbprint },
    on: serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)]),
    gives: "update",
    steps: ["enable IIS for the successor"],
  },
  {
    change: "a service is removed that the successor has already: nothing to do",
    wish: { ...services("SMTP"), successor: OWA.thumbprint },
    on: serverOf([shown(MAIL, { services: ["SMTP"] }), shown(OWA, { services: ["IIS"] })]),
    gives: "inSync",
  },
  {
    change: "a service is removed and another certificate given: replaced",
    wish: { ...services("SMTP"), ...given(RENEWED) },
    on: BOUND,
    gives: "replace by certificate",
    steps: ["import", "enable SMTP"],
  },
  {
    change: "a service is removed from a made certificate: replaced by a newly made one",
    wish: { ...services("SMTP"), ...selfSigned() },
    state: madeState,
    on: serverOf([{ ...oldMade, displayedServices: known(["IIS", "SMTP"]), iisSites: known([1]) }]),
    gives: "replace by services",
    steps: ["make", "import", "enable SMTP"],
  },
  { change: "a service is removed and nothing else: refused", wish: services("SMTP"), on: BOUND, gives: "blocked" },
  {
    change: "another certificate: replaced",
    wish: given(RENEWED),
    on: BOUND,
    gives: "replace by certificate",
    steps: ["import", "enable SMTP", "enable IIS"],
  },
  {
    change: "another thumbprint: replaced",
    wish: named(OWA),
    on: serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)]),
    gives: "replace by certificate",
    steps: ["enable SMTP", "enable IIS"],
  },
  {
    change: "the same certificate from another source: nothing on the server",
    wish: named(MAIL),
    on: BOUND,
    gives: "inSync",
  },
  {
    change: "another wish for a made certificate: replaced",
    wish: selfSigned({ keySize: 4096 }),
    state: madeState,
    on: serverOf([{ ...oldMade, displayedServices: known(["IIS", "SMTP"]), iisSites: known([1]) }]),
    gives: "replace by certificate",
    steps: ["make", "import", "enable SMTP", "enable IIS"],
  },
  {
    change: "a given certificate gives way to a made one: replaced",
    wish: selfSigned(),
    on: BOUND,
    gives: "replace by certificate",
    steps: ["make", "import", "enable SMTP", "enable IIS"],
  },
  {
    change: "another server: replaced",
    wish: { server: EX02 },
    on: server([], { server: EX02 }),
    gives: "replace by server",
    steps: ["import", "enable SMTP", "enable IIS"],
  },
  {
    change: "a made certificate inside renewBeforeDays: replaced",
    wish: { ...selfSigned(), renewBeforeDays: 365 },
    state: madeState,
    on: serverOf([{ ...oldMade, displayedServices: known(["IIS", "SMTP"]), iisSites: known([1]) }]),
    gives: "replace by certificate",
    steps: ["make", "import", "enable SMTP", "enable IIS"],
  },
  {
    change: "a given certificate is gone from the server: imported again in place",
    on: server(),
    gives: "update",
    steps: ["import", "enable SMTP", "enable IIS"],
  },
  {
    change: "a made certificate is gone from the server: replaced by a new one",
    wish: selfSigned(),
    state: madeState,
    on: server(),
    gives: "replace by certificate",
    steps: ["make", "import", "enable SMTP", "enable IIS"],
  },
  { change: "a named certificate is gone from the server: refused", wish: named(MAIL), on: server(), gives: "blocked" },
  {
    change: "the default SMTP role is asked for: updated in place, SMTP alone",
    wish: { replaceDefaultSmtpCertificate: true },
    on: BOUND,
    gives: "update",
    steps: ["enable SMTP"],
  },
  {
    change: "the default SMTP role is no longer asked for: it stays, and only the state learns of it",
    state: { replaceDefaultSmtpCertificate: true },
    on: serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })], { defaultSmtpThumbprint: known(MAIL.thumbprint) }),
    gives: "inSync",
  },
  {
    change: "the name of IMAP changes: written in place",
    wish: { certificateNames: { IMAP: "imap.contoso.com", POP: undefined } },
    state: { certificateNames: { IMAP: "mail.contoso.com", POP: undefined } },
    on: serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })], { imapCertificateName: known("mail.contoso.com") }),
    gives: "update",
    steps: ["set IMAP imap.contoso.com"],
  },
  {
    change: "the name of POP is cleared: written in place",
    wish: { certificateNames: { IMAP: undefined, POP: null } },
    state: { certificateNames: { IMAP: undefined, POP: "mail.contoso.com" } },
    on: serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })], { popCertificateName: known("mail.contoso.com") }),
    gives: "update",
    steps: ["set POP to nothing"],
  },
  {
    change: "a name is no longer declared: it stays",
    state: { certificateNames: { IMAP: "mail.contoso.com", POP: undefined } },
    on: serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })], { imapCertificateName: known("mail.contoso.com") }),
    gives: "inSync",
  },
  {
    change: "services are held that nobody declared: nothing",
    on: serverOf([shown(MAIL, { services: ["IIS", "SMTP", "UM"] })], {
      imapCertificateName: known("mail.contoso.com"),
      popCertificateName: known("mail.contoso.com"),
    }),
    gives: "inSync",
  },
  {
    change: "friendlyName, requireSsl, timeoutSeconds, identity and renewBeforeDays: nothing on the server",
    wish: {
      friendlyName: "Mail",
      requireSsl: false,
      timeoutSeconds: 10,
      identity: identityOf("renamed"),
      renewBeforeDays: 60,
      privateKeyExportable: true,
    },
    on: BOUND,
    gives: "inSync",
  },
];

describe("what a change does", () => {
  it.each(TABLE)("$change", ({ wish = {}, state = {}, on, gives, steps: expected = [] }) => {
    const decision = planned(wish, state, on);
    const kind = decision.kind === "replace" ? `replace by ${decision.properties.join()}` : decision.kind;
    expect([kind, ...refusals(decision).filter(() => gives !== "blocked")]).toEqual([gives]);
    expect(stepsInShort(decision)).toEqual(expected);
  });
});

describe("a new binding", () => {
  it("imports what isn't there and enables everything", () => {
    const decision = planned(services("IIS", "SMTP", "IMAP", "POP"), undefined, server());
    expect(decision.kind).toBe("create");
    expect(stepsInShort(decision)).toEqual(["import", "enable IMAP+POP", "enable SMTP", "enable IIS"]);
  });

  it("adopts what is there, and does nothing where everything is held", () => {
    const decision = planned({}, undefined, BOUND);
    expect(decision).toMatchObject({ kind: "create", work: { steps: [], goals: [] } });
  });

  it("names what is taken from which certificate", () => {
    const decision = planned(services("IIS", "SMTP", "IMAP"), undefined, server());
    expect(losses(decision)).toEqual([`IMAP from ${BUILT_IN.thumbprint}`, `IIS from ${BUILT_IN.thumbprint}`]);
  });

  it("uses a certificate that an earlier binding of the program will import", () => {
    const expected = new Map([[MAIL.thumbprint, { facts: MAIL, binding: identityOf("imports") }]]);
    const decision = planned(named(MAIL), undefined, server(), { expected });
    expect(stepsInShort(decision)).toEqual(["enable SMTP", "enable IIS"]);
    expect(noticesOf(decision, "comesFromBinding")).toEqual([
      { kind: "comesFromBinding", binding: identityOf("imports") },
    ]);
  });

  it("is refused when its certificate is neither there nor brought by anybody", () => {
    expect(planned(named(MAIL), undefined, server())).toMatchObject({
      kind: "blocked",
      blockers: [{ kind: "certificateAbsent", property: "certificate", gone: false }],
    });
  });

  it.each([
    [
      "the current Auth certificate",
      { authCertificates: known({ current: MAIL.thumbprint, previous: undefined, next: undefined }) },
    ],
    [
      "the next Auth certificate",
      { authCertificates: known({ current: undefined, previous: undefined, next: MAIL.thumbprint }) },
    ],
    [
      "the previous Auth certificate",
      { authCertificates: known({ current: undefined, previous: MAIL.thumbprint, next: undefined }) },
    ],
    ["the federation certificate", { federationThumbprints: known([MAIL.thumbprint]) }],
  ])("never takes %s", (_what, changes) => {
    const decision = planned(named(MAIL), undefined, server([shown(MAIL)], changes));
    expect(decision).toMatchObject({ kind: "blocked", blockers: [{ kind: "reservedCertificate" }] });
  });

  it("takes the name of the Auth certificate for the certificate itself where the configuration isn't known", () => {
    const on = server([shown(AUTH)], { authCertificates: { kind: "unknown", reason: "no role" } });
    expect(planned(named(AUTH), undefined, on)).toMatchObject({
      blockers: [{ kind: "reservedCertificate", what: "auth" }],
    });
  });
});

describe("drift", () => {
  it("of IIS is repaired and named with whoever has it now", () => {
    const decision = planned({}, {}, server([shown(MAIL, { services: ["SMTP"] })]));
    expect(stepsInShort(decision)).toEqual(["enable IIS"]);
    expect(noticesOf(decision, "driftedTo")).toMatchObject([
      { service: "IIS", holders: [{ thumbprint: BUILT_IN.thumbprint }], mayHaveOthers: false },
    ]);
  });

  it("of SMTP accuses nobody, because many may hold it", () => {
    const decision = planned({}, {}, serverOf([shown(MAIL, { services: ["IIS"] })]));
    expect(noticesOf(decision, "driftedTo")).toMatchObject([{ service: "SMTP", holders: [], mayHaveOthers: true }]);
  });

  it("is none where a service was never held: it is the wish that is new", () => {
    const decision = planned(services("IIS", "SMTP", "POP"), {}, BOUND);
    expect(noticesOf(decision, "driftedTo")).toEqual([]);
  });

  it("of a wildcard's IMAP shows although Exchange never displays it", () => {
    const on = serverOf([shown(WILDCARD, { services: [] })], { imapCertificateName: known("other.fabrikam.com") });
    const wish = {
      ...given(WILDCARD),
      ...services("IMAP"),
      certificateNames: { IMAP: "imap.contoso.com", POP: undefined },
    };
    const state = { ...services("IMAP"), thumbprint: WILDCARD.thumbprint };
    const decision = planned(wish, state, on);
    expect(stepsInShort(decision)).toEqual(["set IMAP imap.contoso.com"]);
    expect(noticesOf(decision, "driftedTo")).toMatchObject([{ service: "IMAP" }]);
    const mended = { ...on, imapCertificateName: known("imap.contoso.com") };
    expect(planned(wish, state, mended).kind).toBe("inSync");
  });
});

describe("a replacement", () => {
  const replaced = (wish: Partial<DesiredBinding>, on = BOUND, state: Partial<PreviousBinding> = {}) =>
    planned({ ...given(RENEWED), ...wish }, state, on);

  it("names who loses what to the new certificate", () => {
    expect(losses(replaced({}))).toEqual([`IIS from ${MAIL.thumbprint}`]);
  });

  it("says of each released service that it stays with the old certificate", () => {
    const decision = replaced(services("SMTP"));
    expect(noticesOf(decision, "staysBehind")).toMatchObject([
      { service: "IIS", certificate: { thumbprint: MAIL.thumbprint } },
    ]);
  });

  it("says that SMTP stays with the old certificate: it goes when that one goes", () => {
    expect(noticesOf(replaced(services("IIS")), "staysBehind")).toMatchObject([{ service: "SMTP" }]);
  });

  it("hands a released service to the successor of the same change", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)]);
    const decision = replaced({ ...services("SMTP"), successor: OWA.thumbprint }, on);
    expect(stepsInShort(decision)).toEqual(["import", "enable SMTP", "enable IIS for the successor"]);
    expect(noticesOf(decision, "releasedTo")).toMatchObject([
      { service: "IIS", from: { thumbprint: MAIL.thumbprint } },
    ]);
    expect(noticesOf(decision, "staysBehind")).toEqual([]);
  });

  it("leaves with the old certificate what no successor can take", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)]);
    const decision = replaced({ ...services("IIS"), successor: OWA.thumbprint }, on);
    expect(decision.kind).toBe("replace");
    expect(noticesOf(decision, "staysBehind")).toMatchObject([{ service: "SMTP" }]);
  });

  it("says of a successor that is still to come only that, and not that the service stays", () => {
    const decision = replaced({ ...services("SMTP"), successor: "unknown" });
    expect(noticesOf(decision, "successorLater")).toMatchObject([{ services: ["IIS"] }]);
    expect(noticesOf(decision, "staysBehind")).toEqual([]);
  });

  it("names IMAP as released where the new certificate writes a name that the old one lacks", () => {
    const on = serverOf([shown(MAIL)], {
      imapCertificateName: known("mail.contoso.com"),
      popCertificateName: known("mail.contoso.com"),
    });
    const wish = { ...given(OWA), ...services("POP"), certificateNames: { IMAP: null, POP: undefined } };
    const decision = replaced(wish, on, services("IMAP", "POP"));
    expect(noticesOf(decision, "alreadyReleased")).toEqual([{ kind: "alreadyReleased", service: "IMAP" }]);
    expect(losses(decision)).toEqual([`POP from ${MAIL.thumbprint}`, `IMAP from ${MAIL.thumbprint}`]);
  });

  it("warns with the days left when the old certificate stays the default SMTP one", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })], {
      defaultSmtpThumbprint: known(MAIL.thumbprint),
    });
    const decision = replaced({}, on);
    expect(noticesOf(decision, "defaultSmtpLeftBehind")).toMatchObject([
      { certificate: { thumbprint: MAIL.thumbprint }, daysLeft: 365 },
    ]);
    // Said once.
    expect(noticesOf(decision, "defaultSmtpStays")).toEqual([]);
    expect(noticesOf(replaced({ replaceDefaultSmtpCertificate: true }, on), "defaultSmtpLeftBehind")).toEqual([]);
  });

  it("on another server says what stays on the old one", () => {
    const decision = planned({ server: EX02 }, {}, server([], { server: EX02 }));
    expect(noticesOf(decision, "leftOnServer")).toEqual([
      { kind: "leftOnServer", server: "ex01.contoso.com", thumbprint: MAIL.thumbprint },
    ]);
  });

  it("that nothing but the engine asks for makes another certificate, and never takes the old one for it", () => {
    const on = serverOf([{ ...oldMade, displayedServices: known(["IIS", "SMTP"]), iisSites: known([1]) }]);
    const decision = planCreate(desired(selfSigned()), previous(madeState), on, context());
    expect(decision).toMatchObject({ kind: "replace", because: "asked" });
    expect(stepsInShort(decision)).toEqual(["make", "import", "enable SMTP", "enable IIS"]);
  });

  it("that nothing but the engine asks for adopts the same given certificate and says nothing of an old one", () => {
    const on = { ...BOUND, defaultSmtpThumbprint: known(MAIL.thumbprint) };
    const decision = planCreate(desired(), previous(), on, context());
    expect(decision).toMatchObject({ kind: "replace", because: "asked", work: { steps: [] } });
    expect(noticesOf(decision, "defaultSmtpLeftBehind")).toEqual([]);
  });
});

it("plans the same for the same wish, state, server and moment", () => {
  const one = planned({}, {}, server([shown(MAIL)]));
  expect(planned({}, {}, server([shown(MAIL)]))).toEqual(one);
  expect(planned({}, {}, server([shown(MAIL)]), { now: new Date(NOW) })).toEqual(one);
});

it("calls a certificate that ends soon by its days, and a fresh one by its life", () => {
  const ending = certificate("mail.contoso.com", { notAfter: inDays(12) });
  const on = serverOf([shown(ending, { services: ["IIS", "SMTP"] })]);
  const decision = planned(given(ending), { thumbprint: ending.thumbprint }, on);
  expect(noticesOf(decision, "expiresSoon")).toMatchObject([{ daysLeft: 12 }]);
  expect(noticesOf(planned({}, {}, BOUND), "lifeLeft")).toMatchObject([
    { certificate: { thumbprint: MAIL.thumbprint } },
  ]);
});
