import { randomBytes, randomUUID } from "node:crypto";

import { ApplyFailure, apply, type Applied } from "../provider/apply";
import type { ApplyEnv } from "../provider/applyRun";
import type { Backend } from "../provider/backends/backend";
import { simulatorBackend } from "../provider/backends/simulator/simulatorBackend";
import { memoryState, type StateStore } from "../provider/backends/simulator/stateFile";
import { packPfx } from "../provider/certificate/packPfx";
import { readPfxHere } from "../provider/certificate/pfx";
import { ExchangeBindingError } from "../provider/errors";
import { sleep } from "../provider/lifecycle/timeLimit";
import { known, valueOr } from "../provider/model";
import { decideSend } from "../provider/plan/connectors";
import type { DesiredBinding } from "../provider/plan/desired";
import { findCertificate, heldServices } from "../provider/plan/holdings";
import { observeServer } from "../provider/observe";
import type { ObservedServer } from "../provider/plan/observedServer";
import { plan } from "../provider/plan/plan";
import type { Work } from "../provider/plan/planTypes";
import { madeFriendlyName, named } from "../provider/plan/target";
import type { Secret } from "../provider/secret";
import type { Organisation, ServerState } from "../provider/backends/simulator/organisation";
import { makeTestCertificate } from "./certificate/testCertificates";
import { BUILT_IN, EX01, MAIL, NOW, farm } from "./lifecycle/bench";
import { stored } from "./backends/simulator/lab";
import { lineOf } from "../provider/plan/line";
import { describeLine } from "../provider/plan/lineText";
import { identityOf } from "./identities";

const WILDCARD = makeTestCertificate({ dnsNames: ["*.contoso.com"] });

interface Site {
  readonly store: StateStore;
  readonly backend: Backend;
  readonly observe: () => Promise<ObservedServer>;
  state(): Promise<ServerState>;
  touch(change: (state: ServerState) => Partial<ServerState>): Promise<void>;
}

function serverOf({ servers }: Organisation): ServerState {
  const found = servers[EX01];
  if (found === undefined) throw new Error("there is no EX01");
  return found;
}

function siteWith(changes: Partial<ServerState> = {}): Site {
  const store = memoryState(farm(changes));
  const backend = simulatorBackend(store, { now: () => NOW, newGuid: randomUUID, pause: sleep });
  return {
    store,
    backend,
    observe: () => observeServer(backend, EX01, { signal: new AbortController().signal }),
    state: async () => serverOf(await store.read()),
    touch: (change) =>
      store.update((organisation) => {
        const before = serverOf(organisation);
        return {
          organisation: {
            ...organisation,
            servers: { ...organisation.servers, [EX01]: { ...before, ...change(before) } },
          },
          result: undefined,
        };
      }),
  };
}

function desire(changes: Partial<DesiredBinding> = {}): DesiredBinding {
  return {
    identity: identityOf("mail"),
    deleteBeforeReplace: false,
    server: EX01,
    certificate: { kind: "given", facts: MAIL.facts },
    services: ["SMTP"],
    replaceDefaultSmtpCertificate: false,
    requireSsl: true,
    certificateNames: { IMAP: undefined, POP: undefined },
    successor: undefined,
    onServiceRemoved: "refuse",
    connectors: { send: [], receive: [] },
    onDelete: "retain",
    removeAfterDays: 0,
    allowConnectorGap: false,
    onFailure: "keep",
    friendlyName: undefined,
    privateKeyExportable: false,
    renewBeforeDays: 30,
    timeoutSeconds: 300,
    ...changes,
  };
}

const nobody = (name: string) => ({ kind: "unreachable", name, reason: "not in this test" }) as const;
const decideAmongNobody: ApplyEnv["decideNaming"] = (server, connector, facts) =>
  Promise.resolve(decideSend({ connector, facts, server, sourceOf: nobody, now: NOW }));

/** The work of a new binding. */
async function workFor(site: Site, desired: DesiredBinding): Promise<Work> {
  const decision = plan(desired, undefined, await site.observe(), {
    now: NOW,
    expected: new Map(),
    replaced: undefined,
    superseded: [],
    declaredBy: () => known([]),
    sourceOf: nobody,
  });
  if (decision.kind !== "create") throw new Error(`the plan is ${decision.kind}`, { cause: decision });
  return decision.work;
}

interface Attempt {
  readonly lines: string[];
  readonly slept: number[];
  readonly run: Promise<Applied>;
}

function start(site: Site, desired: DesiredBinding, work: Work, changes: Partial<ApplyEnv> = {}): Attempt {
  const lines: string[] = [];
  const slept: number[] = [];
  const signal = changes.options?.signal ?? new AbortController().signal;
  const within = { backend: site.backend, observe: site.observe, options: { signal }, ...changes };
  const run = apply(work, () => MAIL, {
    ...within,
    anew:
      changes.anew ??
      (() => ({
        sleep: () => sleep(0, signal),
        sourcesOf: () => Promise.resolve(nobody),
        decideNaming: decideAmongNobody,
        ...within,
      })),
    inGap: (_connectors, job) => job(),
    whileCleared: (job) => job(),
    now: () => NOW,
    sleep: (milliseconds) => {
      slept.push(milliseconds);
      return sleep(0, signal);
    },
    randomBytes,
    makeCertificate: () => Promise.resolve(MAIL),
    packPfx,
    onConnector: (_connector, job) => job(),
    sourcesOf: () => Promise.resolve(nobody),
    decideNaming: decideAmongNobody,
    declaredBy: () => known([]),
    removing: () => undefined,
    staying: () => undefined,
    say: (fact) => lines.push(describeLine(lineOf("change", fact), { server: desired.server, now: NOW })),
    ...changes,
  });
  return { lines, slept, run };
}

async function applied(site: Site, desired: DesiredBinding, changes: Partial<ApplyEnv> = {}): Promise<Applied> {
  return start(site, desired, await workFor(site, desired), changes).run;
}

async function failed(run: Promise<unknown>): Promise<ApplyFailure> {
  const outcome = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof ApplyFailure) return outcome;
  throw new Error("it didn't fail", { cause: outcome });
}

function held(server: ObservedServer, thumbprint = MAIL.facts.thumbprint): readonly string[] | undefined {
  const certificate = findCertificate(server, thumbprint);
  return certificate === undefined ? undefined : valueOr(heldServices(server, certificate), undefined);
}

/** The backend with some of its calls replaced. */
function around(site: Site, changes: Partial<Backend>): Partial<ApplyEnv> {
  return { backend: { ...site.backend, ...changes } };
}

describe("a plan that can be carried out", () => {
  it("imports, enables and shows the server as it is afterwards", async () => {
    const site = siteWith();
    const { thumbprint, server } = await applied(site, desire({ services: ["IIS", "IMAP", "SMTP"] }));
    expect(thumbprint).toBe(MAIL.facts.thumbprint);
    expect(held(server)).toEqual(["IIS", "IMAP", "SMTP"]);
    expect(server).toEqual(await site.observe());
  });

  it("goes in the order of the contract: import, names, SMTP in a call of its own, IIS last", async () => {
    const site = siteWith();
    const calls: string[] = [];
    const listening = around(site, {
      importCertificate: (...args) => (calls.push("import"), site.backend.importCertificate(...args)),
      enableServices: (server, request, options) => (
        calls.push(request.services.join()),
        site.backend.enableServices(server, request, options)
      ),
      setCertificateName: (...args) => (
        calls.push(`name ${String(args[2])}`),
        site.backend.setCertificateName(...args)
      ),
    });
    const desired = desire({
      services: ["IIS", "IMAP", "SMTP"],
      certificateNames: { IMAP: "imap.contoso.com", POP: undefined },
    });
    await applied(site, desired, listening);
    expect(calls).toEqual(["import", "IMAP", "name imap.contoso.com", "SMTP", "IIS"]);
  });

  it("keeps the default SMTP certificate unless told otherwise", async () => {
    const kept = await applied(siteWith(), desire());
    expect(kept.server.defaultSmtpThumbprint).toMatchObject({ value: BUILT_IN.facts.thumbprint });
    const replaced = await applied(siteWith(), desire({ replaceDefaultSmtpCertificate: true }));
    expect(replaced.server.defaultSmtpThumbprint).toMatchObject({ value: MAIL.facts.thumbprint });
  });

  it("passes on whether SSL is required", async () => {
    const requiredAfter = async (requireSsl: boolean): Promise<boolean> => {
      const site = siteWith({ certificates: [stored(BUILT_IN), stored(MAIL)] });
      await site.touch(({ iis }) => ({ iis: { ...iis, requireSsl: false } }));
      await applied(site, desire({ services: ["IIS"], requireSsl }));
      return (await site.state()).iis.requireSsl;
    };
    expect(await requiredAfter(false)).toBe(false);
    expect(await requiredAfter(true)).toBe(true);
  });

  it("imports with the friendly name and the exportability that were asked for", async () => {
    const site = siteWith();
    await applied(site, desire({ friendlyName: "Contoso mail", privateKeyExportable: true }));
    const { certificates } = await site.state();
    expect(certificates.at(-1)).toMatchObject({ friendlyName: "Contoso mail", privateKey: { exportable: true } });
  });

  it("marks a made certificate, so that an interrupted run finds it again", async () => {
    const site = siteWith();
    const wish = { subject: undefined, dnsNames: ["mail.contoso.com"], validityDays: 90, keySize: 2048 };
    const desired = desire({ certificate: { kind: "selfSigned", wish } });
    const { thumbprint } = await applied(site, desired);
    expect(thumbprint).toBe(MAIL.facts.thumbprint);
    const { certificates } = await site.state();
    expect(certificates.at(-1)?.friendlyName).toBe(madeFriendlyName(desired.identity));
  });

  it("sends the key under a password of its own each time, in a form that old servers read", async () => {
    const site = siteWith();
    const sent: { readonly pfx: Secret<Uint8Array>; readonly password: Secret<string> }[] = [];
    const listening = around(site, {
      importCertificate: (server, request, options) => (
        sent.push(request),
        site.backend.importCertificate(server, request, options)
      ),
    });
    await applied(site, desire(), listening);
    await site.touch(({ certificates }) => ({ certificates: certificates.slice(0, 1) }));
    await applied(site, desire(), listening);
    const [first, second] = sent;
    expect(first?.password.reveal()).not.toBe(second?.password.reveal());
    expect(first?.password.reveal().length).toBeGreaterThanOrEqual(32);
    for (const one of sent) expect(readPfxHere(one.pfx, one.password).facts.thumbprint).toBe(MAIL.facts.thumbprint);
  });

  it("tells what the server warns of", async () => {
    const site = siteWith();
    const warning = around(site, {
      enableServices: async (...args) => ({
        ...(await site.backend.enableServices(...args)),
        warnings: ["This certificate will not be used for external TLS connections."],
      }),
    });
    const desired = desire();
    const attempt = start(site, desired, await workFor(site, desired), warning);
    await attempt.run;
    expect(attempt.lines).toEqual([
      "the server warns: This certificate will not be used for external TLS connections.",
    ]);
  });

  it("can be carried out again from the start: every step is idempotent", async () => {
    const site = siteWith();
    const desired = desire({ services: ["IIS", "IMAP", "SMTP"] });
    const work = await workFor(site, desired);
    await start(site, desired, work).run;
    const { server } = await start(site, desired, work).run;
    expect(held(server)).toEqual(["IIS", "IMAP", "SMTP"]);
  });
});

describe("an enabling that fails half-way", () => {
  it("names the cause, and keeps what is to be remembered: certificate, server, steps", async () => {
    const site = siteWith({ faults: { enableFailsAfter: "SMTP" } });
    const error = await failed(applied(site, desire({ services: ["IIS", "SMTP"] })));
    expect(error).toMatchObject({ code: "CmdletFailed", thumbprint: MAIL.facts.thumbprint });
    expect(error.begun.map(({ kind }) => kind)).toEqual(["importCertificate", "enable"]);
    expect(error.server === undefined ? undefined : held(error.server)).toEqual(["SMTP"]);
  });

  it("is remembered also when the server can't be read any more", async () => {
    const site = siteWith({ faults: { enableFailsAfter: "SMTP" } });
    const desired = desire();
    const work = await workFor(site, desired);
    let reads = 0;
    const observe = (): Promise<ObservedServer> => {
      reads += 1;
      return reads === 1 ? site.observe() : Promise.reject(new Error("the connection is gone"));
    };
    const error = await failed(start(site, desired, work, { observe }).run);
    expect(error).toMatchObject({ code: "CmdletFailed", thumbprint: MAIL.facts.thumbprint, server: undefined });
  });
});

describe("a change that is reported and doesn't come about", () => {
  it("is an error that names it", async () => {
    const site = siteWith({ faults: { enableHasNoEffectOn: ["IIS"] } });
    const error = await failed(applied(site, desire({ services: ["IIS", "SMTP"] })));
    expect(error).toMatchObject({ code: "ChangeDidNotComeAbout", thumbprint: MAIL.facts.thumbprint });
    expect(error.message).toContain(`does not show that certificate ${MAIL.facts.thumbprint} holds IIS.`);
    expect(error.message).not.toContain("SMTP");
    expect(error.facts["missing"]).toHaveLength(1);
  });

  it("is looked at twice and not more, where no directory is in between", async () => {
    const site = siteWith({ faults: { enableHasNoEffectOn: ["IIS"] } });
    const desired = desire({ services: ["IIS"] });
    const attempt = start(site, desired, await workFor(site, desired));
    await failed(attempt.run);
    expect(attempt.slept).toHaveLength(1);
  });

  it("is one where the default SMTP certificate changed unasked", async () => {
    const site = siteWith();
    const disobedient = around(site, {
      enableServices: (server, request, options) =>
        site.backend.enableServices(server, { ...request, replaceDefaultSmtpCertificate: true }, options),
    });
    const desired = desire();
    const attempt = start(site, desired, await workFor(site, desired), {
      ...disobedient,
      sleep: () => Promise.reject(new Error("the time is up")),
    });
    const error = await failed(attempt.run);
    expect(error.message).toContain(`the default SMTP certificate is ${BUILT_IN.facts.thumbprint}`);
  });

  it("is one where an import left nothing behind", async () => {
    const site = siteWith();
    const lost = around(site, { importCertificate: () => Promise.resolve({ outcome: "imported" }) });
    const error = await failed(applied(site, desire(), lost));
    expect(error.code).toBe("ChangeDidNotComeAbout");
    expect(error.message).toMatch(/reported that certificate .* was imported, but doesn't show it/);
  });
});

describe("Active Directory between a change and its sight", () => {
  it("is waited for, longer each time, and the waiting is told once", async () => {
    const site = siteWith();
    const desired = desire({ services: ["IMAP", "SMTP"], replaceDefaultSmtpCertificate: true });
    const work = await workFor(site, desired);
    await site.touch(() => ({ faults: { directoryDelay: { reads: 5 } } }));
    const attempt = start(site, desired, work);
    const { server } = await attempt.run;
    expect(held(server)).toEqual(["IMAP", "SMTP"]);
    expect(server.defaultSmtpThumbprint).toMatchObject({ value: MAIL.facts.thumbprint });
    expect(attempt.slept.slice(0, 3)).toEqual([500, 1000, 2000]);
    expect(attempt.lines.filter((line) => line.startsWith("waiting until"))).toHaveLength(1);
  });

  it("is given up on when the time is up, naming what is missing", async () => {
    const site = siteWith();
    const desired = desire({ services: ["IMAP"] });
    const work = await workFor(site, desired);
    await site.touch(() => ({ faults: { directoryDelay: { reads: 1_000_000 } } }));
    const limit = new AbortController();
    let looks = 0;
    const attempt = start(site, desired, work, {
      options: { signal: limit.signal },
      sleep: () => {
        looks += 1;
        if (looks === 4) limit.abort(new ExchangeBindingError("TimedOut", "the time is up"));
        return sleep(0, limit.signal);
      },
    });
    const error = await failed(attempt.run);
    expect(error).toMatchObject({ code: "ChangeDidNotComeAbout", thumbprint: MAIL.facts.thumbprint });
    expect(error.message).toContain("holds IMAP");
  });
});

describe("an import that the server then judges badly", () => {
  const revoked = (site: Site): Partial<ApplyEnv> =>
    around(site, {
      importCertificate: async (...args) => {
        const outcome = await site.backend.importCertificate(...args);
        await site.touch(({ certificates }) => ({
          certificates: certificates.map((one, at) =>
            at === certificates.length - 1 ? { ...one, status: "Revoked" } : one,
          ),
        }));
        return outcome;
      },
    });

  it("is taken back: the server and the state are as they were", async () => {
    const site = siteWith();
    const before = await site.store.read();
    const error = await failed(applied(site, desire(), revoked(site)));
    expect(error).toMatchObject({ code: "Refused", thumbprint: undefined });
    expect(error.message).toMatch(/status as Revoked.*The import was taken back; nothing else was changed\./);
    expect(await site.store.read()).toEqual(before);
  });

  it("is taken back with a limit of its own, which is said before it begins", async () => {
    const site = siteWith();
    const desired = desire();
    const events: string[] = [];
    const own = new AbortController();
    const revoking = revoked(site).backend ?? site.backend;
    const attempt = start(site, desired, await workFor(site, desired), {
      backend: revoking,
      say: ({ kind }) => events.push(kind),
      anew: (doing) => {
        events.push(doing);
        const removeCertificate: Backend["removeCertificate"] = (server, thumbprint, { signal }) => {
          events.push(signal === own.signal ? "removes within it" : "removes without it");
          return site.backend.removeCertificate(server, thumbprint, { signal });
        };
        return {
          backend: { ...site.backend, removeCertificate },
          observe: site.observe,
          options: { signal: own.signal },
          sleep: () => Promise.resolve(),
          sourcesOf: () => Promise.resolve(nobody),
          decideNaming: decideAmongNobody,
        };
      },
    });
    await failed(attempt.run);
    expect(events).toEqual([
      "takesBack",
      `Taking back the import of ${MAIL.facts.thumbprint} on ${EX01}`,
      "removes within it",
    ]);
  });

  it("is remembered when it can't be taken back", async () => {
    const site = siteWith();
    const stubborn = around(site, {
      ...revoked(site).backend,
      removeCertificate: () => Promise.reject(new ExchangeBindingError("RemovalRefused", "It is in use.")),
    });
    const error = await failed(applied(site, desire(), stubborn));
    expect(error).toMatchObject({ code: "Refused", thumbprint: MAIL.facts.thumbprint });
    expect(error.message).toMatch(/could not be taken back \(It is in use\): remove the certificate by hand/);
  });

  it("isn't removed when it was there before", async () => {
    const site = siteWith();
    const desired = desire();
    const work = await workFor(site, desired);
    await site.touch(({ certificates }) => ({
      certificates: [...certificates, stored(MAIL, { status: "Untrusted" })],
    }));
    const error = await failed(start(site, desired, work).run);
    expect(error).toMatchObject({ code: "Refused", thumbprint: undefined });
    expect(error.message).toMatch(/It was on the server before this run and was left there/);
    expect(held(await site.observe())).toEqual([]);
  });

  it("goes on where only the revocation list couldn't be reached", async () => {
    const site = siteWith();
    const offline = around(site, {
      importCertificate: async (...args) => {
        const outcome = await site.backend.importCertificate(...args);
        await site.touch(({ certificates }) => ({
          certificates: certificates.map((one) => ({ ...one, status: "RevocationCheckFailure" as const })),
        }));
        return outcome;
      },
    });
    expect(held((await applied(site, desire(), offline)).server)).toEqual(["SMTP"]);
  });
});

it("tells a removal that was to come in a gap as one without, where no connector names the certificate any more", async () => {
  const site = siteWith();
  const old = makeTestCertificate({ dnsNames: ["old.contoso.com"] });
  await site.touch(({ certificates }) => ({ certificates: [...certificates, stored(old)] }));
  const desired = desire();
  const work = await workFor(site, desired);
  const removal = { kind: "removeCertificate", certificate: named(old.facts), onlyThere: false } as const;
  const { done, server } = await start(site, desired, {
    ...work,
    steps: [...work.steps, { ...removal, gap: ["Outbound"] }],
  }).run;
  expect(findCertificate(server, old.facts.thumbprint)).toBeUndefined();
  expect(done.at(-1)).toEqual({ ...removal, gap: undefined });
});

describe("an answer that is lost", () => {
  const lost = new ExchangeBindingError("ServerUnreachable", "The connection broke.");

  it("leaves nothing to remember when the import didn't happen", async () => {
    const site = siteWith();
    const error = await failed(
      applied(site, desire(), around(site, { importCertificate: () => Promise.reject(lost) })),
    );
    expect(error).toMatchObject({ code: "ServerUnreachable", thumbprint: undefined });
  });

  it("is remembered when the import did happen", async () => {
    const site = siteWith();
    const dropped = around(site, {
      importCertificate: async (...args) => {
        await site.backend.importCertificate(...args);
        throw lost;
      },
    });
    const error = await failed(applied(site, desire(), dropped));
    expect(error).toMatchObject({ code: "ServerUnreachable", thumbprint: MAIL.facts.thumbprint });
  });

  it("is remembered when nobody can tell", async () => {
    const site = siteWith();
    const desired = desire();
    const work = await workFor(site, desired);
    const error = await failed(
      start(site, desired, work, {
        ...around(site, { importCertificate: () => Promise.reject(lost) }),
        observe: () => Promise.reject(lost),
      }).run,
    );
    expect(error.thumbprint).toBe(MAIL.facts.thumbprint);
  });
});

describe("what fails before anything is touched", () => {
  it("leaves nothing to remember: a certificate that couldn't be made", async () => {
    const site = siteWith();
    const wish = { subject: undefined, dnsNames: ["mail.contoso.com"], validityDays: 90, keySize: 2048 };
    const desired = desire({ certificate: { kind: "selfSigned", wish } });
    const broken = { makeCertificate: () => Promise.reject(new Error("no randomness")) };
    const error = await failed(applied(site, desired, broken));
    expect(error).toMatchObject({ code: "Internal", thumbprint: undefined, message: "no randomness" });
  });

  it("has begun nothing with a connector before the call that sets it", async () => {
    const relay = { name: "Relay", fqdn: null, tlsCertificateName: null };
    const site = siteWith({
      certificates: [stored(BUILT_IN), stored(MAIL, { privateKey: { networkServiceRead: true } })],
      receiveConnectors: [relay],
    });
    const desired = desire({
      certificate: { kind: "thumbprint", thumbprint: MAIL.facts.thumbprint },
      connectors: { send: [], receive: ["Relay"] },
    });
    const work = await workFor(site, desired);
    expect(work.steps.map(({ kind }) => kind)).toEqual(["setConnector"]);
    const before = start(site, desired, work, { observe: () => Promise.reject(new Error("no answer")) });
    expect(await failed(before.run)).toMatchObject({ thumbprint: undefined, message: "no answer" });
    const refused = around(site, { setReceiveConnectorCertificate: () => Promise.reject(new Error("refused")) });
    expect(await failed(start(site, desired, work, refused).run)).toMatchObject({ thumbprint: MAIL.facts.thumbprint });
  });

  it("says so when the plan wants an import and nothing was given", async () => {
    const site = siteWith();
    const desired = desire();
    const work = await workFor(site, desired);
    const none = apply(work, undefined, {
      backend: site.backend,
      observe: site.observe,
      options: { signal: new AbortController().signal },
      anew: () => {
        throw new Error("nothing is taken back here");
      },
      now: () => NOW,
      sleep: () => Promise.resolve(),
      randomBytes,
      makeCertificate: () => Promise.resolve(MAIL),
      packPfx,
      onConnector: (_connector, job) => job(),
      inGap: (_connectors, job) => job(),
      whileCleared: (job) => job(),
      sourcesOf: () => Promise.resolve(nobody),
      decideNaming: decideAmongNobody,
      declaredBy: () => known([]),
      removing: () => undefined,
      staying: () => undefined,
      say: () => undefined,
    });
    expect(await failed(none)).toMatchObject({ code: "Internal", thumbprint: undefined });
  });
});

describe("IMAP and POP by name", () => {
  it("gives a wildcard certificate its service by the declared name alone", async () => {
    const site = siteWith({ certificates: [stored(BUILT_IN), stored(WILDCARD)] });
    const desired = desire({
      certificate: { kind: "thumbprint", thumbprint: WILDCARD.facts.thumbprint },
      services: ["IMAP"],
      certificateNames: { IMAP: "imap.contoso.com", POP: undefined },
    });
    const { server } = await applied(site, desired);
    expect(held(server, WILDCARD.facts.thumbprint)).toEqual(["IMAP"]);
    expect(server.imapCertificateName).toMatchObject({ value: "imap.contoso.com" });
  });
});

it("never lets a secret into an error, whatever fails", async () => {
  const secrets: string[] = [];
  for (const method of ["importCertificate", "enableServices", "setCertificateName"] as const) {
    const site = siteWith();
    const listening = around(site, {
      importCertificate: (server, request, options) => {
        secrets.push(request.password.reveal(), Buffer.from(request.pfx.reveal()).toString("base64").slice(100, 160));
        return site.backend.importCertificate(server, request, options);
      },
    });
    const broken: Partial<ApplyEnv> = {
      backend: { ...(listening.backend ?? site.backend), [method]: () => Promise.reject(new Error("broken")) },
    };
    const desired = desire({ services: ["IMAP"], certificateNames: { IMAP: "imap.contoso.com", POP: undefined } });
    const error = await failed(applied(site, desired, broken));
    const printed = JSON.stringify([error.message, error.facts, error.begun, error.server]) + String(error.stack);
    for (const secret of secrets) expect(printed).not.toContain(secret);
  }
  expect(secrets.length).toBeGreaterThan(0);
});
