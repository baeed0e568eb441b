import { isBindingError } from "../provider/errors";
import type { ExchangeService } from "../provider/model";
import type { FollowUp } from "../provider/plan/followUps";
import type { Work } from "../provider/plan/planTypes";
import {
  STATE_VERSION,
  clean,
  idOf,
  inputsFromOutputs,
  observedOutputs,
  outputsOf,
  parseId,
  previousFromInputs,
  readState,
  changedInputs,
} from "../provider/state";
import type { OutputParts } from "../provider/state";
import { BUILT_IN, EX01, EX02, MAIL, NOW, OWA, RENEWED, rawDataOnly, server, shown } from "./plan/servers";
import { called, identityOf } from "./identities";

const ID = idOf(EX01, MAIL.thumbprint);

const OUTPUTS = {
  ...called("mail"),
  server: EX01,
  services: ["IIS", "SMTP"],
  backend: "simulator",
  stateVersion: 1,
  heldServices: ["IIS", "SMTP"],
};

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (isBindingError(error, "StateUnreadable")) return error.message;
    throw error;
  }
  throw new Error("it was read");
}

function parts(changes: Partial<OutputParts> = {}): OutputParts {
  return {
    inputs: { ...called("mail"), server: EX01, services: ["SMTP"] },
    backend: "simulator",
    server: server([shown(MAIL, { services: ["SMTP"] })]),
    serverName: EX01,
    thumbprint: MAIL.thumbprint,
    work: undefined,
    stored: undefined,
    replaces: undefined,
    now: NOW,
    ...changes,
  };
}

function workTaking(service: ExchangeService, from: typeof MAIL): Work {
  const certificate = { kind: "known", thumbprint: MAIL.thumbprint } as const;
  const { thumbprint, subject, notAfter } = from;
  return {
    server: EX01,
    certificate,
    goals: [],
    steps: [
      {
        kind: "enable",
        certificate,
        services: [service],
        defaultSmtp: "notConcerned",
        requireSsl: true,
        takeOvers: [{ service, from: { thumbprint, name: "mail.contoso.com", subject, issuer: subject, notAfter } }],
        because: "missing",
      },
    ],
  };
}

describe("an id", () => {
  it("is the server and the thumbprint, and is read back however it was typed", () => {
    expect(ID).toBe(`ex01.contoso.com/${MAIL.thumbprint}`);
    expect(parseId(ID)).toEqual({ server: EX01, thumbprint: MAIL.thumbprint });
    expect(parseId(`EX01.contoso.com/${MAIL.thumbprint.toLowerCase()}`)).toEqual(parseId(ID));
  });

  it.each(["", "ex01.contoso.com", MAIL.thumbprint, `ex01/${MAIL.thumbprint}`, `${ID}/IIS`, "ex01.contoso.com/12"])(
    'is refused as "%s", with an example of one',
    (id) => {
      expect(refusal(() => parseId(id))).toMatch(/An id is <server>\/<thumbprint>, such as ex01\.contoso\.com\/0{40}/);
    },
  );
});

describe("reading a state", () => {
  it("takes server and thumbprint from the id, and the rest from the outputs", () => {
    const read = readState(ID, { ...OUTPUTS, imapCertificateName: "", popCertificateName: "pop.contoso.com" });
    expect(read).toMatchObject({ identity: identityOf("mail"), backend: "simulator", heldServices: ["IIS", "SMTP"] });
    expect(read.previous).toEqual({
      server: EX01,
      thumbprint: MAIL.thumbprint,
      services: ["IIS", "SMTP"],
      selfSigned: undefined,
      connectors: { send: [], receive: [] },
      onlyThere: false,
      superseded: [],
      replaceDefaultSmtpCertificate: false,
      certificateNames: { IMAP: null, POP: "pop.contoso.com" },
    });
  });

  it("finds the wish that a made certificate was made for", () => {
    const certificate = { selfSigned: { dnsNames: ["mail.contoso.com"] } };
    expect(readState(ID, { ...OUTPUTS, certificate }).previous.selfSigned).toMatchObject({
      dnsNames: ["mail.contoso.com"],
      validityDays: 365,
    });
  });

  it("keeps what it doesn't know: outputs of a later version of the same form", () => {
    expect(readState(ID, { ...OUTPUTS, somethingNew: 1 }).raw).toMatchObject({ somethingNew: 1 });
  });

  it("is satisfied with an id alone, as a look-up has it", () => {
    expect(readState(ID, {})).toMatchObject({
      identity: { urn: "binding", label: "binding" },
      backend: undefined,
      supersedes: [],
    });
  });

  it("refuses a state of a newer version, whatever its form, and says what to install", () => {
    const newer = { ...OUTPUTS, stateVersion: STATE_VERSION + 1 };
    expect(refusal(() => readState(ID, newer))).toMatch(
      /has version 2, .* knows 1\. Install the version that wrote it/,
    );
    expect(refusal(() => readState(ID, { ...newer, supersedes: "elsewhere" }))).toMatch(/has version 2/);
  });

  it.each([
    ["services", { services: "SMTP" }],
    ["supersedes", { supersedes: [{ id: 1 }] }],
    ["takenOver", { takenOver: "IIS" }],
    ["followUpTasks", { followUpTasks: [{ kind: "restartIis" }] }],
    ["followUpTasks", { followUpTasks: [{ kind: "danceAround", since: "2026-03-03" }] }],
  ])("refuses one with odd %s before anything is changed, naming the part", (part, changes) => {
    expect(refusal(() => readState(ID, { ...OUTPUTS, ...changes }))).toContain(part);
  });

  const old = { id: ID, thumbprint: MAIL.thumbprint, released: ["SMTP"], since: "2026-03-03T20:00:00.000Z" };
  it.each([
    ["a version in quotes", { stateVersion: "7" }, "stateVersion isn't a whole number"],
    ["a version that is none", { stateVersion: 0.5 }, "stateVersion isn't a whole number"],
    ["another thumbprint than its id", { thumbprint: RENEWED.thumbprint }, "thumbprint isn't that of the id"],
    ["a thumbprint that is none", { thumbprint: "12 34" }, "thumbprint isn't that of the id"],
    ["another server than its id", { server: "ex09.contoso.com" }, "server isn't that of the id"],
    [
      "an odd id of a replaced one",
      { supersedes: [{ ...old, id: "EX01" }] },
      "supersedes.0.id isn't <server>/<thumbprint>",
    ],
    [
      "an odd moment of a replaced one",
      { supersedes: [old, { ...old, since: "soon" }] },
      "supersedes.1.since isn't a moment (ISO 8601)",
    ],
    [
      "an odd service of a replaced one",
      { supersedes: [{ ...old, released: ["FTP"] }] },
      "supersedes.0.released.0 isn't a service",
    ],
    ["an odd service", { services: ["SMTP", "FTP"] }, "services.1 isn't a service"],
  ])("says of one that was edited by hand what is wrong, and the ways out: %s", (_what, changes, wrong) => {
    const urn = "urn:pulumi:test::mail::exchange$exchange::mail";
    const text = refusal(() => readState(ID, { ...OUTPUTS, bindingUrn: urn, ...changes }));
    expect(text).toBe(
      `The state of ${ID} can't be read: ${wrong}. No version of pulumi-exchange-certificates writes that; was the state edited by hand? ` +
        `Restore an earlier one (pulumi stack export --version, then pulumi stack import). Or forget the binding (pulumi state delete '${urn}'), which touches no server, and run up: it begins anew with what is there.`,
    );
  });
});

describe("the binding before, as check knows it from the inputs", () => {
  it("has no thumbprint where the certificate was to be made", () => {
    const inputs = { ...OUTPUTS, certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } } };
    expect(previousFromInputs(inputs)).toMatchObject({ server: EX01, thumbprint: undefined });
    expect(previousFromInputs({ ...inputs, thumbprint: MAIL.thumbprint })?.thumbprint).toBe(MAIL.thumbprint);
  });

  it("isn't known where the inputs name no server", () => {
    expect(previousFromInputs({ services: ["SMTP"] })).toBeUndefined();
    expect(previousFromInputs({ server: "EX01" })).toBeUndefined();
  });
});

describe("outputs", () => {
  it("are the inputs under their own keys, so that secrets stay encrypted, and what the server shows", () => {
    const inputs = { server: EX01, services: ["SMTP"], certificate: { pfx: "AAAA", password: "x" } };
    expect(outputsOf(parts({ inputs }))).toMatchObject({
      ...inputs,
      thumbprint: MAIL.thumbprint,
      subject: MAIL.subject,
      heldServices: ["SMTP"],
      displayedServices: ["SMTP"],
      isDefaultSmtpCertificate: false,
      status: "Valid",
      exchangeVersion: expect.stringMatching(/^15\.2\./) as string,
      takenOver: [],
      staysBehind: [],
      supersedes: [],
      followUps: [],
      backend: "simulator",
      stateVersion: 1,
    });
  });

  it("are plain JSON", () => {
    const outputs = outputsOf(parts({ work: workTaking("SMTP", OWA) }));
    expect(JSON.parse(JSON.stringify(outputs))).toEqual(outputs);
    expect(Object.values(outputs)).not.toContain(undefined);
  });

  it("leave out what the server didn't say: absent isn't none", () => {
    const outputs = observedOutputs(server([rawDataOnly(MAIL)]), MAIL.thumbprint);
    expect(outputs).toMatchObject({ thumbprint: MAIL.thumbprint, subject: MAIL.subject });
    for (const key of ["heldServices", "displayedServices", "status"]) expect(outputs[key]).toBeUndefined();
  });

  it("say of a certificate that isn't there only what is the server's", () => {
    expect(observedOutputs(server([]), MAIL.thumbprint)["subject"]).toBeUndefined();
    expect(observedOutputs(server([]), MAIL.thumbprint)["isDefaultSmtpCertificate"]).toBe(false);
  });

  it("record what was taken from whom, of each service the newest, and keep it", () => {
    const first = outputsOf(parts({ work: workTaking("IIS", BUILT_IN) }));
    expect(first["takenOver"]).toEqual([{ service: "IIS", fromThumbprint: BUILT_IN.thumbprint }]);
    const second = outputsOf(parts({ work: workTaking("UM", OWA), stored: readState(ID, first) }));
    expect(second["takenOver"]).toHaveLength(2);
    const third = outputsOf(parts({ work: workTaking("IIS", OWA), stored: readState(ID, second) }));
    expect(third["takenOver"]).toEqual(
      expect.arrayContaining([
        { service: "UM", fromThumbprint: OWA.thumbprint },
        { service: "IIS", fromThumbprint: OWA.thumbprint },
      ]),
    );
    expect(third["takenOver"]).toHaveLength(2);
  });

  it("keep what is still to do with its day, as data and as sentences, until the certificate is replaced", () => {
    const earlier = { kind: "restartIis", since: "2026-03-03" } as const;
    const first = outputsOf(parts({ followUps: [earlier] }));
    expect(first).toMatchObject({ followUpTasks: [earlier], followUps: [expect.stringMatching(/^IIS: where/)] });
    const stored = readState(ID, first);
    expect(stored.followUps).toEqual([earlier]);
    // A refresh changes nothing about it.
    expect(outputsOf(parts({ stored }))).toMatchObject({ followUps: first["followUps"], followUpTasks: [earlier] });

    const edge = { kind: "edgeSubscription", edgeServers: ["EDGE\u001B[31m::error::"], since: "2026-03-03" } as const;
    const strange = outputsOf(parts({ followUps: [edge] }));
    const again = outputsOf(parts({ stored: readState(ID, strange) }));
    expect(again["followUpTasks"]).toEqual(strange["followUpTasks"]);

    const um = { kind: "restartServices", service: "UM", windowsServices: ["MSExchangeUM"], since: "2026-11-23" };
    const second = outputsOf(parts({ stored, followUps: [...stored.followUps, um as FollowUp] }));
    expect(second["followUpTasks"]).toEqual([earlier, um]);
    expect(second["followUps"]).toEqual([
      expect.stringMatching(/^since 2026-03-03, if not done yet: IIS: where/),
      "UM: restart the service MSExchangeUM.",
    ]);
  });

  it("remember what a failed run left undone until a run comes to its end", () => {
    const notDone = { services: ["IIS"], names: ["POP"], defaultSmtp: true } as const;
    const failed = outputsOf(parts({ notDone }));
    expect(readState(ID, failed).previous.notDone).toEqual(notDone);
    expect(readState(ID, outputsOf(parts({ stored: readState(ID, failed) }))).previous.notDone).toBeUndefined();
  });
});

describe("a certificate that was replaced", () => {
  const replaces = readState(idOf(EX01, OWA.thumbprint), { ...OUTPUTS, services: ["IIS", "SMTP"] });

  it("is kept on record with what was released, as long as it is on its server", () => {
    const there = server([shown(MAIL), shown(OWA, { services: ["IIS"] })]);
    const outputs = outputsOf(parts({ server: there, replaces }));
    expect(outputs["supersedes"]).toEqual([
      { id: replaces.id, thumbprint: OWA.thumbprint, released: ["IIS"], since: NOW.toISOString() },
    ]);
    expect(outputs["staysBehind"]).toEqual([{ service: "IIS", thumbprint: OWA.thumbprint }]);

    const gone = outputsOf(parts({ server: server([shown(MAIL)]), stored: readState(ID, outputs) }));
    expect(gone).toMatchObject({ supersedes: [], staysBehind: [] });
  });

  it("is no longer behind in a service that it has lost since", () => {
    const outputs = outputsOf(parts({ server: server([shown(MAIL), shown(OWA)]), replaces }));
    expect(outputs["supersedes"]).toHaveLength(1);
    expect(outputs["staysBehind"]).toEqual([]);
  });

  it("counts as behind where the server doesn't say", () => {
    const outputs = outputsOf(parts({ server: server([shown(MAIL), rawDataOnly(OWA)]), replaces }));
    expect(outputs["staysBehind"]).toEqual([{ service: "IIS", thumbprint: OWA.thumbprint }]);
  });

  it("stays on record on a server that nobody looks at", () => {
    const elsewhere = readState(idOf(EX02, OWA.thumbprint), { ...OUTPUTS, server: EX02, thumbprint: OWA.thumbprint });
    expect(outputsOf(parts({ replaces: elsewhere }))["supersedes"]).toHaveLength(1);
  });

  it("brings along those that it had replaced itself", () => {
    const chain = {
      ...OUTPUTS,
      supersedes: [{ id: idOf(EX01, RENEWED.thumbprint), thumbprint: RENEWED.thumbprint, released: ["POP"] }],
    };
    const there = server([shown(MAIL), shown(OWA), shown(RENEWED)]);
    const outputs = outputsOf(parts({ server: there, replaces: readState(replaces.id, chain) }));
    expect(readState(ID, outputs).supersedes.map(({ thumbprint }) => thumbprint)).toEqual([
      RENEWED.thumbprint,
      OWA.thumbprint,
    ]);
  });

  it("isn't the one that is bound: going back takes it off the record", () => {
    const back = { ...OUTPUTS, supersedes: [{ id: ID, thumbprint: MAIL.thumbprint, released: [] }] };
    expect(outputsOf(parts({ stored: readState(ID, back) }))["supersedes"]).toEqual([]);
  });
});

describe("inputs that read gives back", () => {
  const outputs = { ...OUTPUTS, certificate: { pfx: "AAAA" }, thumbprint: MAIL.thumbprint, subject: MAIL.subject };

  it("are those of the outputs, with the facts of a known certificate", () => {
    expect(inputsFromOutputs(outputs, "known")).toEqual({
      ...called("mail"),
      server: EX01,
      services: ["IIS", "SMTP"],
      certificate: { pfx: "AAAA" },
      thumbprint: MAIL.thumbprint,
      subject: MAIL.subject,
    });
  });

  it("leave out the facts of a made one, for which nobody wished", () => {
    expect(inputsFromOutputs(outputs, "made")).not.toHaveProperty("thumbprint");
  });
});

describe("changes that only the state learns of", () => {
  const changed = (before: object, after: object): readonly string[] =>
    changedInputs(before as Record<string, unknown>, after as Record<string, unknown>);

  it("aren't there where one says what the other leaves out: the default", () => {
    const one = { timeoutSeconds: 300, requireSsl: true, onFailure: "keep" };
    expect(changed(one, { onDelete: "retain", renewBeforeDays: 30, allowConnectorGap: false })).toEqual([]);
  });

  it("are named by their inputs", () => {
    expect(changed({ timeoutSeconds: 300, onDelete: "remove" }, { timeoutSeconds: 60 })).toEqual([
      "onDelete",
      "timeoutSeconds",
    ]);
    expect(changed(called("mail"), called("post"))).toEqual([]);
  });

  const form = (parts: object): object => ({ certificate: { form: { of: "pfxFile", thumbprint: "AB", ...parts } } });

  it("are none where the same certificate comes with another chain", () => {
    expect(changed(form({ chain: "01" }), form({ chain: "02" }))).toEqual([]);
    expect(changed(form({ chain: "01" }), form({}))).toEqual([]);
  });

  it("are some where the source itself is another", () => {
    expect(changed(form({}), form({ of: "pfx" }))).toEqual(["certificate"]);
    expect(changed(form({ pfxFile: "a.pfx" }), form({ pfxFile: "b.pfx" }))).toEqual(["certificate"]);
    expect(changed({}, form({}))).toEqual(["certificate"]);
  });

  it("don't depend on the order of keys, nor on what is left open", () => {
    const one = { selfSigned: { dnsNames: ["a.contoso.com"], validityDays: 30 } };
    const other = { selfSigned: { validityDays: 30, dnsNames: ["a.contoso.com"] } };
    expect(changed({ certificate: one }, { certificate: other })).toEqual([]);
    expect(changed(form({ pfxFile: "a", passwordEnv: "B" }), form({ passwordEnv: "B", pfxFile: "a" }))).toEqual([]);
    expect(
      changed({ certificate: one }, { certificate: { selfSigned: { ...one.selfSigned, validityDays: 31 } } }),
    ).toEqual(["certificate"]);
  });

  it("don't count facts, which follow the certificate", () => {
    expect(changed({ subject: "CN=a", heldServices: [] }, { subject: "CN=b" })).toEqual([]);
  });
});

it("cleans results of what the engine's protocol can't carry", () => {
  expect(clean({ a: undefined, b: { c: undefined, d: [1] } })).toEqual({ b: { d: [1] } });
});
