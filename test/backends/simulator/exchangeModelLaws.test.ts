import fc from "fast-check";
import { factsOfStored } from "../../../provider/backends/simulator/certificateStore";
import type { CmdletOutcome } from "../../../provider/backends/simulator/cmdlet";
import { displayedServices } from "../../../provider/backends/simulator/displayedServices";
import { runCmdlet } from "../../../provider/backends/simulator/exchangeModel";
import type { Organisation, ServerState } from "../../../provider/backends/simulator/organisation";
import { parseOrganisation } from "../../../provider/backends/simulator/organisationText";
import { EXCHANGE_SERVICES, type DisplayedService } from "../../../provider/model";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { EXCHANGE_2016, NOW, organisation, published, server, stored } from "./lab";

/** Laws that hold for any state of a server and any cmdlets, tried on random ones. */

const POOL = [
  makeTestCertificate({ subject: "CN=EX01", dnsNames: ["ex01", "ex01.contoso.com"] }),
  makeTestCertificate({ subject: "CN=mail.contoso.com", dnsNames: ["mail.contoso.com", "ex01.contoso.com"] }),
  makeTestCertificate({ subject: "CN=mail.contoso.com", dnsNames: ["mail.contoso.com"] }),
  makeTestCertificate({ subject: "CN=*.contoso.com", dnsNames: ["*.contoso.com"] }),
];
const NAMES = ["EX01", "ex01.contoso.com", "mail.contoso.com", "pop.contoso.com"];

const certificate = fc.constantFrom(...POOL);
const thumbprint = certificate.map(({ facts }) => facts.thumbprint);
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const um = fc.record({ startupMode: fc.constantFrom("TLS", "Dual" as const), certificate: orNull(thumbprint) });
const name = fc.record({ x509CertificateName: orNull(fc.constantFrom(...NAMES)) });

const state: fc.Arbitrary<Organisation> = fc
  .record({
    readable: fc.tuple(...POOL.map(() => fc.boolean())),
    iis: fc.record({ frontEnd: orNull(thumbprint), backEnd: orNull(thumbprint), requireSsl: fc.boolean() }),
    imap: name,
    pop: name,
    um,
    umCallRouter: um,
    internalTransportCertificate: orNull(certificate.map(published)),
    enableOrder: fc.shuffledSubarray([...EXCHANGE_SERVICES]),
  })
  .map(({ readable, enableOrder, ...others }) =>
    organisation([
      server({
        ...others,
        version: EXCHANGE_2016,
        certificates: POOL.map((one, i) => stored(one, { privateKey: { networkServiceRead: readable[i] === true } })),
        faults: { enableOrder },
      }),
    ]),
  );

const services = fc.subarray([...EXCHANGE_SERVICES], { minLength: 1 });
const answer = fc.constantFrom("yes", "no" as const);

function run(before: Organisation, command: string, parameters: object, overwrite?: "yes" | "no"): CmdletOutcome {
  const call = { name: command, parameters: parameters as Record<string, string> };
  const answers = overwrite === undefined ? {} : { overwriteDefaultSmtpCertificate: overwrite };
  return runCmdlet(before, call, { now: NOW, newGuid: () => "", answers });
}

function enable(before: Organisation, Thumbprint: string, Services: readonly string[], overwrite: "yes" | "no") {
  const outcome = run(before, "Enable-ExchangeCertificate", { Thumbprint, Services }, overwrite);
  if (outcome.kind !== "completed") throw new Error(outcome.kind);
  return outcome.organisation;
}

function ex01({ servers }: Organisation): ServerState {
  const found = servers["ex01.contoso.com"];
  if (found === undefined) throw new Error("EX01 is gone");
  return found;
}

/** What each certificate displays, by thumbprint. */
function displayed(model: Organisation): ReadonlyMap<string, readonly DisplayedService[]> {
  const all = ex01(model).certificates.map((one) => ({ stored: one, facts: factsOfStored(one) }));
  return new Map(all.map((one) => [one.facts.thumbprint, displayedServices(model, ex01(model), one, NOW)]));
}

describe("Enable-ExchangeCertificate, whatever the state of the server", () => {
  it("gives the certificate what is asked and leaves it what it had; only wildcards get no IMAP and POP", () => {
    fc.assert(
      fc.property(state, certificate, services, answer, (before, { facts }, wanted, overwrite) => {
        const had = displayed(before).get(facts.thumbprint) ?? [];
        const has = displayed(enable(before, facts.thumbprint, wanted, overwrite)).get(facts.thumbprint);
        const isWildcard = facts.dnsNames.includes("*.contoso.com");
        const due = wanted.filter((service) => !(isWildcard && (service === "IMAP" || service === "POP")));
        expect(has).toEqual(expect.arrayContaining([...had, ...due]));
      }),
    );
  });

  it("takes from other certificates only services that it was asked to move, and SMTP never", () => {
    fc.assert(
      fc.property(state, thumbprint, services, answer, (before, target, wanted, overwrite) => {
        const after = displayed(enable(before, target, wanted, overwrite));
        for (const [other, had] of displayed(before)) {
          const lost = had.filter((service) => after.get(other)?.includes(service) !== true);
          expect(lost).not.toContain("SMTP");
          expect(wanted).toEqual(expect.arrayContaining(lost));
        }
      }),
    );
  });

  it("replaces the default SMTP certificate only on Yes, fills an empty one, and never touches the back end", () => {
    fc.assert(
      fc.property(state, thumbprint, services, answer, (before, target, wanted, overwrite) => {
        const old = ex01(before);
        const now = ex01(enable(before, target, wanted, overwrite));
        const becomesDefault =
          wanted.includes("SMTP") && (overwrite === "yes" || old.internalTransportCertificate === null);
        expect(now.internalTransportCertificate?.thumbprint).toBe(
          becomesDefault ? target : old.internalTransportCertificate?.thumbprint,
        );
        expect(now.iis.backEnd).toBe(old.iis.backEnd);
      }),
    );
  });

  it("changes nothing the second time, down to the reference, and in no state depends on the order", () => {
    fc.assert(
      fc.property(state, thumbprint, services, answer, (before, target, wanted, overwrite) => {
        const once = enable(before, target, wanted, overwrite);
        expect(enable(once, target, wanted, overwrite)).toBe(once);
        const inOtherOrder = organisation([{ ...ex01(before), faults: {} }]);
        expect(displayed(enable(inOtherOrder, target, wanted, overwrite))).toEqual(displayed(once));
      }),
    );
  });
});

describe("any run of cmdlets", () => {
  const command = fc.oneof(
    fc.record({
      name: fc.constant("Enable-ExchangeCertificate"),
      parameters: fc.record({ Thumbprint: thumbprint, Services: services, Force: fc.boolean() }),
    }),
    fc.record({
      name: fc.constant("Remove-ExchangeCertificate"),
      parameters: fc.record({ Thumbprint: thumbprint, Confirm: fc.constant(false) }),
    }),
    fc.record({
      name: fc.constantFrom("Set-ImapSettings", "Set-PopSettings"),
      parameters: fc.record({ X509CertificateName: orNull(fc.constantFrom(...NAMES)) }),
    }),
    fc.record({
      name: fc.constant("Set-UMService"),
      parameters: fc.record({ Identity: fc.constant("EX01"), UMStartupMode: fc.constantFrom("TCP", "TLS", "Dual") }),
    }),
  );

  it("keeps the default SMTP certificate in the store, and the organisation fit for its file", () => {
    fc.assert(
      fc.property(state, fc.array(fc.tuple(command, answer), { maxLength: 12 }), (initial, commands) => {
        let current = initial;
        for (const [{ name: cmdlet, parameters }, overwrite] of commands) {
          const outcome = run(current, cmdlet, parameters, overwrite);
          if (outcome.kind === "question") throw new Error("an answered question was asked again");
          current = outcome.organisation;
        }
        const { internalTransportCertificate } = ex01(current);
        if (internalTransportCertificate !== null) {
          expect([...displayed(current).keys()]).toContain(internalTransportCertificate.thumbprint);
        }
        expect(parseOrganisation(JSON.stringify(current))).toEqual(current);
      }),
    );
  });
});
