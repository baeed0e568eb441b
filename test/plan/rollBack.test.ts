import { tlsCertificateNameOf } from "../../provider/backends/connectorName";
import { known, unknown } from "../../provider/model";
import type { ExchangeService } from "../../provider/model";
import type { ObservedServer } from "../../provider/plan/observedServer";
import type { Step } from "../../provider/plan/planTypes";
import { differencesOf, planRollBack } from "../../provider/plan/rollBack";
import type { RollBackQuestion } from "../../provider/plan/rollBack";
import { describeDifferences } from "../../provider/plan/rollBackText";
import { MAIL, OWA, RENEWED, server, shown, unreadable } from "./servers";

/* What of a failed change is taken back, and what isn't ours to take or can't be told. */

const NO = unknown("it wasn't read");
const ref = (of: typeof MAIL) => ({ kind: "known", thumbprint: of.thumbprint }) as const;
const enable = (...services: ExchangeService[]): Step => ({
  kind: "enable",
  certificate: ref(RENEWED),
  services,
  defaultSmtp: "keep",
  requireSsl: false,
  because: "missing",
  takeOvers: [],
});
const set = (type: "send" | "receive", more: Partial<Step> = {}): Step =>
  ({
    kind: "setConnector",
    type,
    connector: "Outbound",
    certificate: ref(RENEWED),
    previous: undefined,
    ...more,
  }) as Step;
const outbound = (tlsCertificateName: string | undefined): ObservedServer["sendConnectors"] =>
  known([{ name: "Outbound", fqdn: undefined, tlsCertificateName, sourceServers: ["EX01"] }]);

const before = server([], {
  certificates: [shown(MAIL, { services: ["IIS", "SMTP", "UM"] }), shown(RENEWED), shown(OWA)],
});
const ask = (
  now: Partial<ObservedServer>,
  begun: readonly Step[],
  was: Partial<ObservedServer> = {},
): RollBackQuestion => ({
  begun,
  before: { ...before, ...was },
  now: { ...before, ...was, ...now },
  thumbprint: RENEWED.thumbprint,
  declaredBy: [],
});
const told = (question: RollBackQuestion): string => describeDifferences(differencesOf(question));

describe("what can't be told is never taken for being as before", () => {
  it.each<[string, RollBackQuestion, RegExp]>([
    [
      "connectors",
      ask({ sendConnectors: NO }, [set("send")], { sendConnectors: outbound(undefined) }),
      /the name that send connector "Outbound" has is as before isn't known/,
    ],
    [
      "connectors before",
      ask({ sendConnectors: outbound(undefined) }, [set("send")], { sendConnectors: NO }),
      /connector "Outbound" .* isn't known/,
    ],
    [
      "who has IIS",
      ask({ certificates: [shown(MAIL), { ...shown(RENEWED), iisSites: NO }] }, [enable("IIS")]),
      /whether the certificate of IIS is as before isn't known/,
    ],
    [
      "SMTP",
      ask({ certificates: [shown(MAIL), { ...shown(RENEWED), displayedServices: NO }] }, [enable("SMTP")]),
      /whether SMTP of .* is as before isn't known/,
    ],
    [
      "the default SMTP certificate",
      ask({ defaultSmtpThumbprint: NO }, [enable("SMTP")]),
      /whether the default SMTP certificate is as before isn't known/,
    ],
    [
      "the name of IMAP",
      ask({ imapCertificateName: NO }, [enable("IMAP")]),
      /whether the certificate name of IMAP is as before isn't known/,
    ],
  ])("%s", (_what, question, sentence) => {
    expect(told(question)).toMatch(sentence);
    expect(planRollBack(question)).toEqual([]);
  });
});

describe("what is neither as before nor as this change made it is left to whoever did it", () => {
  it("IIS with a certificate of somebody else's", () => {
    const now = { certificates: [shown(MAIL), shown(RENEWED), shown(OWA, { services: ["IIS"] })] };
    const question = ask(now, [enable("IIS")]);
    expect(planRollBack(question)).toEqual([]);
    expect(told(question)).toBe("the certificate of IIS was changed by somebody else meanwhile, and is left so");
  });

  it("a connector that names another certificate", () => {
    const question = ask({ sendConnectors: outbound(tlsCertificateNameOf(OWA)) }, [set("send")], {
      sendConnectors: outbound(undefined),
    });
    expect(planRollBack(question)).toEqual([]);
    expect(told(question)).toMatch(/connector "Outbound" has was changed by somebody else meanwhile/);
  });
});

it("gives IIS back to a certificate that nobody can read", () => {
  const odd = unreadable("odd", { iisSites: known([1]) });
  const question = ask({ certificates: [shown(RENEWED, { services: ["IIS"] })], unreadable: [] }, [enable("IIS")], {
    certificates: [shown(RENEWED)],
    unreadable: [odd],
  });
  expect(planRollBack(question)).toMatchObject([{ kind: "giveBack", to: { thumbprint: odd.thumbprint } }]);
});

it("takes a removed certificate that is there and can't be read for no loss", () => {
  const odd = unreadable("odd");
  const certificate = { thumbprint: odd.thumbprint, name: "odd", subject: "", issuer: "", notAfter: undefined };
  const question = ask({ unreadable: [odd] }, [{ kind: "removeCertificate", certificate, onlyThere: false }]);
  expect(told(question)).toBe("");
});

it("never clears a name again that an earlier run had left cleared", () => {
  const own = set("send", { isPutBack: true });
  const was = { sendConnectors: outbound(undefined) };
  expect(differencesOf(ask({ sendConnectors: outbound(tlsCertificateNameOf(RENEWED)) }, [own], was))).toEqual([]);
  const moved = { ...own, certificate: ref(OWA), isPutBack: false } as Step;
  expect(planRollBack(ask({ sendConnectors: outbound(tlsCertificateNameOf(OWA)) }, [own, moved], was))).toMatchObject([
    { kind: "connectorBack", name: tlsCertificateNameOf(RENEWED) },
  ]);
});
