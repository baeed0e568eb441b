import { known } from "../../provider/model";
import {
  BUILT_IN,
  MAIL,
  OWA,
  certificate,
  given,
  inDays,
  named,
  noticesOf,
  planned,
  previous,
  refusals,
  server,
  serverOf,
  services,
  shown,
} from "./servers";

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const weak = certificate("mail.contoso.com", { keySizeBits: 1024 });
const forClients = certificate("mail.contoso.com", { purposes: [CLIENT_AUTH] });
const FITNESS = ["unfit", "chainLeadsNowhere", "chainHasStrays", "chainHasRoot", "clientUseLost"] as const;
const fitnessOf = (plan: ReturnType<typeof planned>) => FITNESS.flatMap((kind) => noticesOf(plan, kind));

describe("a certificate that doesn't fit", () => {
  it("is told before it is imported, and before it is enabled where it is on the server", () => {
    const flaw = { kind: "shortKey", bits: 1024 };
    expect(fitnessOf(planned(given(weak), undefined, server()))).toEqual([{ kind: "unfit", flaw }]);
    expect(fitnessOf(planned(named(weak), undefined, server([shown(weak)])))).toEqual([{ kind: "unfit", flaw }]);
  });

  it("isn't told again and again once it is bound", () => {
    const on = serverOf([shown(weak, { services: ["IIS", "SMTP"] })]);
    const bound = planned(given(weak), previous({ thumbprint: weak.thumbprint }), on);
    expect([bound.kind, fitnessOf(bound)]).toEqual(["inSync", []]);
  });

  it("is told of once: one without any flaw isn't", () => {
    expect(fitnessOf(planned({}, undefined, server()))).toEqual([]);
    const plain = certificate("mail.contoso.com", { purposes: undefined, keyUsage: undefined, signature: "other" });
    expect(fitnessOf(planned(given(plain), undefined, server()))).toEqual([]);
  });

  it("isn't the server's own, self-signed", () => {
    const own = { ...BUILT_IN, signature: "sha1", purposes: [SERVER_AUTH] } as const;
    const on = serverOf([], { certificates: [shown(own)] });
    const decision = planned({ ...named(own), ...services("IIS") }, undefined, on);
    expect([decision.kind, fitnessOf(decision)]).toEqual(["create", []]);
  });

  it("is told to have too long a life only where its chain leads to a public root", () => {
    const facts = certificate("mail.contoso.com", { notAfter: inDays(800) });
    const chain = [{ subject: facts.issuer, issuer: "CN=Root", isSelfSigned: false }];
    const wish = { kind: "given", facts, chain } as const;
    expect(fitnessOf(planned({ certificate: wish }, undefined, server()))).toEqual([]);
    expect(fitnessOf(planned({ certificate: { ...wish, chainsToPublicRoot: true } }, undefined, server()))).toEqual([
      { kind: "unfit", flaw: { kind: "tooLong", days: 811, allowed: 200 } },
    ]);
  });

  it("has its chain looked at only where that is sent", () => {
    const wish = { certificate: { kind: "given", facts: MAIL, chain: [{ ...OWA, issuer: "CN=Other" }] } } as const;
    expect(fitnessOf(planned(wish, undefined, server()))).toEqual([
      { kind: "chainLeadsNowhere", issuer: MAIL.issuer },
      { kind: "chainHasStrays", subjects: [OWA.subject] },
    ]);
    expect(fitnessOf(planned(wish, undefined, server([shown(MAIL)])))).toEqual([]);
  });
});

describe("a certificate that servers can't use", () => {
  it("is refused where a step would import or enable it", () => {
    expect(refusals(planned(given(forClients), undefined, server()))).toHaveLength(1);
    expect(refusals(planned(named(forClients), undefined, server([shown(forClients)])))).toHaveLength(1);
  });

  it("is only told of where everything is as declared", () => {
    const on = serverOf([shown(forClients, { services: ["IIS", "SMTP"] })]);
    const bound = planned(given(forClients), previous({ thumbprint: forClients.thumbprint }), on);
    expect(bound.kind).toBe("inSync");
    expect(noticesOf(bound, "wouldBeRefused")).toMatchObject([
      { blocker: { kind: "unusable", why: { kind: "notForServers", purposes: [CLIENT_AUTH] } } },
    ]);
  });
});

describe("the use as a client that SMTP makes of a certificate", () => {
  const old = { ...MAIL, purposes: [SERVER_AUTH, CLIENT_AUTH] };
  const next = certificate("mail.contoso.com", { purposes: [SERVER_AUTH] });
  const send = (name: string, facts: typeof MAIL) => ({
    name,
    fqdn: undefined,
    tlsCertificateName: `<I>${facts.issuer}<S>${facts.subject}`,
    sourceServers: [],
  });
  const on = serverOf([shown(old, { services: ["IIS", "SMTP"] })], {
    sendConnectors: known([
      send("Partner", old),
      send("Other", OWA),
      { ...send("None", old), tlsCertificateName: undefined },
    ]),
  });

  it("is told to end, with the send connectors that name the old certificate", () => {
    expect(noticesOf(planned(given(next), {}, on), "clientUseLost")).toMatchObject([
      { from: { thumbprint: old.thumbprint }, connectors: ["Partner"] },
    ]);
  });

  it.each([
    ["the new one has it too", planned(given({ ...next, purposes: old.purposes }), {}, on)],
    ["the new one is for everything", planned(given({ ...next, purposes: undefined }), {}, on)],
    ["SMTP isn't bound", planned({ ...given(next), ...services("IIS") }, previous({ services: ["IIS"] }), on)],
    ["nothing is replaced", planned(given(next), undefined, on)],
    [
      "nobody knows what the old one was for",
      planned(given(next), {}, serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })])),
    ],
  ])("isn't, where %s", (_what, decision) => {
    expect(noticesOf(decision, "clientUseLost")).toEqual([]);
  });
});
