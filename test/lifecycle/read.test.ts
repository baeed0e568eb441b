import { createHash } from "node:crypto";

import type { Organisation } from "../../provider/backends/simulator/organisation";
import { stored } from "../backends/simulator/lab";
import {
  BUILT_IN,
  EX01,
  EX02,
  MAIL,
  SELF_SIGNED,
  binding,
  failure,
  farm,
  openBench,
  type Bag,
  type Bench,
  type Made,
} from "./bench";
import { called } from "../identities";

const SERVICES = ["IIS", "IMAP", "SMTP"];
const args = binding({ certificate: { thumbprint: MAIL.facts.thumbprint }, services: SERVICES });

let bench: Bench;
let made: Made;
let organisation: Organisation;

beforeAll(async () => {
  const own = stored(BUILT_IN, { privateKey: { networkServiceRead: true } });
  const first = openBench(farm({ certificates: [own, stored(MAIL)] }));
  made = await first.make(args);
  organisation = await first.store.read();
});
beforeEach(() => {
  bench = openBench(organisation);
});

function withoutText({ __provider: _text, ...bag }: Bag): Bag {
  return bag;
}

describe("reading a binding back", () => {
  it("gives inputs and outputs as they are while nothing has changed", async () => {
    const { id, props, inputs } = await bench.lifecycle.read(made.id, made.outs);
    expect(id).toBe(made.id);
    expect(withoutText(props ?? {})).toEqual(withoutText(made.outs));
    expect(inputs).toEqual(withoutText(made.inputs));
    expect(bench.calls).toEqual([`readSnapshot ${EX01}`]);
  });

  it("is {} only when the server answered and the certificate isn't there", async () => {
    await bench.touch(EX01, ({ certificates }) => ({ certificates: certificates.slice(0, 1) }));
    expect(await bench.lifecycle.read(made.id, made.outs)).toEqual({});
  });

  it.each([
    ["the server can't be reached", { unreachable: true }, "ServerUnreachable"],
    ["another server answers", { answersAs: EX02 }, "ServerMismatch"],
    ["the account may not look", { hiddenCmdlets: ["Get-ExchangeCertificate"] }, "CmdletNotAvailable"],
    ["the server doesn't say which services there are", { servicesUnknown: true }, "ServicesUnknown"],
  ])("fails when %s: that is neither gone nor none", async (_what, faults, code) => {
    await bench.break(EX01, faults);
    expect(await failure(bench.lifecycle.read(made.id, made.outs))).toMatchObject({ code });
  });

  it("is an error, and not {}, where the certificate is there and can't be read", async () => {
    const der = Buffer.from("no certificate at all");
    const thumbprint = createHash("sha1").update(der).digest("hex").toUpperCase();
    const withOddOne = openBench(organisation, {
      backend: (real) => ({
        ...real,
        readSnapshot: async (...asked) => {
          const snapshot = await real.readSnapshot(...asked);
          const [first] = snapshot.certificates;
          if (first === undefined) throw new Error("there is none");
          return { ...snapshot, certificates: [...snapshot.certificates, { ...first, der }] };
        },
      }),
    });
    const { message } = await failure(withOddOne.lifecycle.read(`${EX01}/${thumbprint}`, {}));
    expect(message).toContain(`certificate ${thumbprint} is on ${EX01}, but can't be read`);
  });

  it("says which service isn't known, and what is often the reason", async () => {
    await bench.break(EX01, { servicesUnknown: true });
    const { message } = await failure(bench.lifecycle.read(made.id, made.outs));
    expect(message).toMatch(
      /^Reading binding "mail": ex01\.contoso\.com didn't say whether .* holds IIS .*Auth certificate/,
    );
  });

  it("shows a lost service as one less in the inputs, in their order", async () => {
    await bench.touch(EX01, () => ({ imap: { x509CertificateName: "EX01" } }));
    const { props, inputs } = await bench.lifecycle.read(made.id, made.outs);
    expect(inputs?.["services"]).toEqual(["IIS", "SMTP"]);
    expect(props).toMatchObject({ services: ["IIS", "SMTP"], heldServices: ["IIS", "SMTP"] });
  });

  it("shows extras in what is held and displayed, and never in the inputs", async () => {
    await bench.touch(EX01, () => ({ pop: { x509CertificateName: "mail.contoso.com" } }));
    const { props, inputs } = await bench.lifecycle.read(made.id, made.outs);
    expect(inputs?.["services"]).toEqual(SERVICES);
    expect(props).toMatchObject({ services: SERVICES, heldServices: ["IIS", "IMAP", "POP", "SMTP"] });
  });

  it("shows an empty list when nothing is left, and what the server says of itself", async () => {
    await bench.touch(EX01, ({ iis, certificates }) => ({
      iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint },
      imap: { x509CertificateName: null },
      certificates: certificates.map((one) => ({
        ...one,
        privateKey: { ...one.privateKey, networkServiceRead: false },
      })),
      version: { major: 15, minor: 2, build: 2562, revision: 17 },
    }));
    const { props, inputs } = await bench.lifecycle.read(made.id, made.outs);
    expect(inputs?.["services"]).toEqual([]);
    expect(props).toMatchObject({ heldServices: [], exchangeVersion: "15.2.2562.17" });
  });

  it("keeps secrets under their keys: they have nowhere else to come from", async () => {
    const certificate = { pfx: "AAAA", password: "pw" };
    const { props, inputs } = await bench.lifecycle.read(made.id, { ...made.outs, certificate });
    expect(inputs?.["certificate"]).toEqual(certificate);
    expect(props?.["certificate"]).toEqual(certificate);
  });

  it("takes superseded certificates off the record when they are gone", async () => {
    const gone = `${EX01}/${"AB".repeat(20)}`;
    const supersedes = [{ id: gone, thumbprint: "AB".repeat(20), released: ["POP"] }];
    const staysBehind = [{ service: "POP", thumbprint: "AB".repeat(20) }];
    const { props } = await bench.lifecycle.read(made.id, { ...made.outs, supersedes, staysBehind });
    expect(props).toMatchObject({ supersedes: [], staysBehind: [] });
  });

  it("makes no input of a made certificate's facts", async () => {
    const { inputs, props } = await bench.lifecycle.read(made.id, { ...made.outs, certificate: SELF_SIGNED });
    expect(inputs).not.toHaveProperty("thumbprint");
    expect(props).toMatchObject({ thumbprint: MAIL.facts.thumbprint });
  });

  it("reads each server once for all its bindings", async () => {
    await Promise.all([bench.lifecycle.read(made.id, made.outs), bench.lifecycle.read(made.id, made.outs)]);
    expect(bench.calls).toEqual([`readSnapshot ${EX01}`]);
  });

  it("refuses while offline, through another backend, and what a newer version wrote", async () => {
    const offline = bench.again({ config: { "exchange:offline": "true" } });
    expect(await failure(offline.lifecycle.read(made.id, made.outs))).toMatchObject({ code: "Offline" });
    const other = { ...made.outs, backend: "remote" };
    expect(await failure(bench.lifecycle.read(made.id, other))).toMatchObject({ code: "BackendMismatch" });
    const newer = { ...made.outs, stateVersion: 99 };
    expect(await failure(bench.lifecycle.read(made.id, newer))).toMatchObject({ code: "StateUnreadable" });
    expect([...offline.calls, ...bench.calls]).toEqual([]);
  });
});

describe("looking a binding up by its id", () => {
  it("shows what the server knows, without a state", async () => {
    const { id, props } = await bench.lifecycle.read(made.id, {
      ...called("found"),
    });
    expect(id).toBe(made.id);
    expect(props).toMatchObject({
      server: EX01,
      thumbprint: MAIL.facts.thumbprint,
      heldServices: SERVICES,
      subject: MAIL.facts.subject,
      backend: "simulator",
    });
    // What is there becomes what is declared.
    expect(props).toMatchObject({
      certificate: { thumbprint: MAIL.facts.thumbprint },
      services: ["IIS", "IMAP", "SMTP"],
    });
  });

  it("refuses what is no id, with an example", async () => {
    const error = await failure(bench.lifecycle.read("mail", {}));
    expect(error.message).toMatch(/An id is <server>\/<thumbprint>/);
  });
});
