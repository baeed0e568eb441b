import { known } from "../../provider/model";
import type { DesiredBinding } from "../../provider/plan/desired";
import { nameFlaw, nameWrittenByEnable, sameName } from "../../provider/plan/names";
import {
  MAIL,
  OWA,
  WILDCARD,
  certificate,
  given,
  losses,
  planned,
  selfSigned,
  server,
  serverOf,
  services,
  shown,
  stepsInShort,
} from "./servers";

describe("the name that Exchange writes when IMAP or POP is enabled", () => {
  it.each([
    ["the common name", { commonName: "mail.contoso.com", dnsNames: ["owa.contoso.com"] }, "mail.contoso.com"],
    ["a short common name, as setup's own", { commonName: "EX01", dnsNames: ["ex01.contoso.com"] }, "EX01"],
    [
      "none that is known without a common name",
      { commonName: undefined, dnsNames: ["a.contoso.com", "b.contoso.com"] },
      undefined,
    ],
    ["none for an address", { commonName: "10.0.0.5", dnsNames: ["mail.contoso.com"] }, undefined],
    ["none for a wildcard common name", { commonName: "*.contoso.com", dnsNames: ["contoso.com"] }, undefined],
    ["none where all names are wildcards", { commonName: undefined, dnsNames: ["*.contoso.com"] }, undefined],
    [
      "none for a common name that is no host name",
      { commonName: "Contoso Mail", dnsNames: ["mail.contoso.com"] },
      undefined,
    ],
    ["none for a certificate without names", { commonName: undefined, dnsNames: [] }, undefined],
  ])("is %s", (_what, names, written) => {
    expect(nameWrittenByEnable(names)).toBe(written);
  });
});

it("compares names without case", () => {
  expect(sameName("Mail.Contoso.com", "mail.contoso.com")).toBe(true);
  expect(sameName(undefined, undefined)).toBe(true);
  expect(sameName("mail.contoso.com", undefined)).toBe(false);
});

it("finds nothing wrong with an ordinary certificate, with or without one of its names", () => {
  expect(nameFlaw("IMAP", undefined, MAIL, MAIL.subject)).toBeUndefined();
  expect(nameFlaw("IMAP", "MAIL.contoso.com", MAIL, MAIL.subject)).toBeUndefined();
});

describe("a wildcard certificate", () => {
  const wish = (name: string | undefined, service: "IMAP" | "POP" = "IMAP"): Partial<DesiredBinding> => ({
    ...given(WILDCARD),
    ...services(service),
    certificateNames: { IMAP: undefined, POP: undefined, [service]: name },
  });

  it.each(["IMAP", "POP"] as const)("is refused for %s without a name, also where it holds the service", (service) => {
    const property = service === "IMAP" ? "imapCertificateName" : "popCertificateName";
    const refusal = { kind: "blocked", blockers: [{ kind: "nameNeeded", property, service, why: "wildcard" }] };
    expect(planned(wish(undefined, service), undefined, server())).toMatchObject(refusal);
    const holding = serverOf([shown(WILDCARD)], {
      imapCertificateName: known("x.contoso.com"),
      popCertificateName: known("x.contoso.com"),
    });
    const state = { thumbprint: WILDCARD.thumbprint, ...services(service) };
    expect(planned(wish(undefined, service), state, holding)).toMatchObject(refusal);
  });

  it("is given the service by its name alone: enabling it does nothing but warn", () => {
    expect(stepsInShort(planned(wish("imap.contoso.com"), undefined, server()))).toEqual([
      "import",
      "set IMAP imap.contoso.com",
    ]);
  });

  it("is refused with a name that it doesn't cover", () => {
    for (const name of ["imap.fabrikam.com", "contoso.com", "a.b.contoso.com"]) {
      expect(planned(wish(name), undefined, server())).toMatchObject({ blockers: [{ kind: "nameNotCovered", name }] });
    }
  });

  it("needs no name for SMTP and IIS", () => {
    expect(planned(given(WILDCARD), undefined, server()).kind).toBe("create");
  });

  it("that is still to be made follows the same rules", () => {
    const made = { ...selfSigned({ dnsNames: ["*.contoso.com"] }), ...services("POP") };
    expect(planned(made, undefined, server())).toMatchObject({ blockers: [{ kind: "nameNeeded", service: "POP" }] });
    const certificateNames = { IMAP: undefined, POP: "pop.contoso.com" };
    expect(stepsInShort(planned({ ...made, certificateNames }, undefined, server()))).toEqual([
      "make",
      "import",
      "set POP pop.contoso.com",
    ]);
  });
});

describe("a certificate whose subject is no host name", () => {
  const odd = certificate(["mail.contoso.com"], { commonName: "Contoso Mail", subject: "CN=Contoso Mail" });

  it("needs a name like a wildcard certificate, because Exchange finds none in it", () => {
    const decision = planned({ ...given(odd), ...services("IMAP") }, undefined, server([shown(odd)]));
    expect(decision).toMatchObject({
      blockers: [{ kind: "nameNeeded", property: "imapCertificateName", why: "noHostName" }],
    });
    const certificateNames = { IMAP: "mail.contoso.com", POP: undefined };
    const withName = planned({ ...given(odd), ...services("IMAP"), certificateNames }, undefined, server([shown(odd)]));
    expect(stepsInShort(withName)).toEqual(["set IMAP mail.contoso.com"]);
  });

  it("needs none while it holds the service by the name that is set", () => {
    const on = server([shown(odd)], { imapCertificateName: known("mail.contoso.com") });
    expect(planned({ ...given(odd), ...services("IMAP") }, undefined, on)).toMatchObject({
      kind: "create",
      work: { steps: [] },
    });
  });

  it("is judged by its wish when it is still to be made", () => {
    const made = { ...selfSigned({ subject: "CN=Contoso Mail, O=Contoso" }), ...services("IMAP") };
    expect(planned(made, undefined, server())).toMatchObject({
      blockers: [{ kind: "nameNeeded", subject: "CN=Contoso Mail, O=Contoso" }],
    });
  });
});

describe("a declared name", () => {
  const wish = { ...services("IMAP"), certificateNames: { IMAP: "autodiscover.contoso.com", POP: undefined } };

  it("is written after enabling, which would write another", () => {
    expect(stepsInShort(planned(wish, undefined, server([shown(MAIL)])))).toEqual([
      "enable IMAP",
      "set IMAP autodiscover.contoso.com",
    ]);
  });

  it("is all there is to do where the certificate holds the service by another of its names", () => {
    const on = server([shown(MAIL)], { imapCertificateName: known("mail.contoso.com") });
    expect(stepsInShort(planned(wish, services("IMAP"), on))).toEqual(["set IMAP autodiscover.contoso.com"]);
  });

  it("takes the service from those that lack it, and from those only", () => {
    const both = certificate(["old.contoso.com", "autodiscover.contoso.com"]);
    const lacking = certificate("old.contoso.com");
    const on = serverOf([shown(MAIL), shown(both), shown(lacking)], { imapCertificateName: known("old.contoso.com") });
    expect(losses(planned(wish, undefined, on))).toEqual([`IMAP from ${lacking.thumbprint}`]);
  });

  it("is looked after without the service, whatever certificate has it", () => {
    const other = { ...services("SMTP"), certificateNames: { IMAP: "owa.contoso.com", POP: undefined } };
    const on = serverOf([shown(MAIL, { services: ["SMTP"] }), shown(OWA)], {
      imapCertificateName: known("mail.contoso.com"),
    });
    const decision = planned(other, services("SMTP"), on);
    expect(stepsInShort(decision)).toEqual(["set IMAP owa.contoso.com"]);
    expect(losses(decision)).toEqual([`IMAP from ${MAIL.thumbprint}`]);
  });

  it("is the same in another case", () => {
    const on = server([shown(MAIL)], { imapCertificateName: known("AutoDiscover.Contoso.com") });
    expect(planned(wish, services("IMAP"), on).kind).toBe("inSync");
  });
});
