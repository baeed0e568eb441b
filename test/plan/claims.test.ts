import { known } from "../../provider/model";
import type { DesiredBinding } from "../../provider/plan/desired";
import { claimsOf, conflictsWith } from "../../provider/plan/claims";
import type { ObservedServer } from "../../provider/plan/observedServer";
import {
  EX02,
  MAIL,
  OWA,
  RENEWED,
  WILDCARD,
  desired,
  given,
  named,
  selfSigned,
  server,
  services,
  shown,
} from "./servers";
import { identityOf } from "../identities";

/** What two bindings of a program, "first" and "second", disagree about on a server. */
function disputes(
  first: Partial<DesiredBinding>,
  second: Partial<DesiredBinding>,
  observed: ObservedServer | undefined = server(),
) {
  const one = claimsOf(desired({ identity: identityOf("first"), ...first }), observed);
  const other = claimsOf(desired({ identity: identityOf("second"), ...second }), observed);
  const conflicts = conflictsWith(one, other, observed);
  // Whichever comes first, the same is found.
  expect(conflictsWith(other, one, observed)).toHaveLength(conflicts.length);
  return conflicts;
}

const imapName = (name: string | null) => ({ certificateNames: { IMAP: name, POP: undefined } });
const onlyImap = services("IMAP");

describe("two bindings on one server", () => {
  it.each(["IIS", "UM", "UMCallRouter"] as const)("can't both have %s for different certificates", (service) => {
    expect(disputes(services(service), { ...services(service), ...given(OWA) })).toMatchObject([
      {
        kind: "claimedByAnother",
        property: "services",
        what: service,
        binding: identityOf("first"),
        other: identityOf("second"),
      },
    ]);
  });

  it("may share a certificate, however each of them names it", () => {
    expect(disputes(services("IIS"), { ...services("IIS"), ...named(MAIL) })).toEqual([]);
  });

  it("may both have SMTP", () => {
    expect(disputes(services("SMTP"), { ...services("SMTP"), ...given(OWA) })).toEqual([]);
  });

  it("can't both be the default SMTP certificate", () => {
    const wish = { ...services("SMTP"), replaceDefaultSmtpCertificate: true };
    expect(disputes(wish, { ...wish, ...given(OWA) })).toMatchObject([
      { property: "replaceDefaultSmtpCertificate", what: "defaultSmtp" },
    ]);
    expect(disputes(wish, { ...services("SMTP"), ...given(OWA) })).toEqual([]);
  });

  it("make two certificates, even from the same wish", () => {
    const wish = { ...services("IIS"), ...selfSigned() };
    expect(disputes(wish, wish)).toMatchObject([{ what: "IIS" }]);
  });

  it("may have the same services on different servers", () => {
    expect(disputes(services("IIS"), { ...services("IIS"), ...given(OWA), server: EX02 })).toEqual([]);
  });

  it("can't declare different names for IMAP, or one a name and the other none", () => {
    expect(disputes(imapName("mail.contoso.com"), imapName("owa.contoso.com"))).toMatchObject([
      { property: "imapCertificateName", what: "IMAP", detail: '"owa.contoso.com" and "mail.contoso.com"' },
    ]);
    expect(disputes(imapName("mail.contoso.com"), imapName(null))).toHaveLength(1);
    expect(disputes(imapName("mail.contoso.com"), imapName("MAIL.contoso.com"))).toEqual([]);
  });

  it("can't both have IMAP when neither certificate knows the other's name", () => {
    expect(disputes(onlyImap, { ...onlyImap, ...given(OWA) })).toMatchObject([
      { property: "services", what: "IMAP", detail: '"owa.contoso.com" and "mail.contoso.com"' },
    ]);
  });

  it("may both have IMAP when a name suits both certificates", () => {
    expect(disputes(onlyImap, { ...onlyImap, ...given(RENEWED) })).toEqual([]);
    const wildcard = { ...onlyImap, ...given(WILDCARD), ...imapName("mail.contoso.com") };
    expect(disputes(onlyImap, wildcard)).toEqual([]);
  });

  it("can't when one declares a name that the other's certificate lacks", () => {
    const wildcard = { ...onlyImap, ...given(WILDCARD), ...imapName("other.contoso.com") };
    expect(disputes(onlyImap, wildcard)).toMatchObject([{ what: "IMAP" }]);
  });

  it("may when the name that is set suits both, though neither would write it", () => {
    const shared = server([], { imapCertificateName: known("autodiscover.contoso.com") });
    const other = { ...MAIL, commonName: "owa.contoso.com", dnsNames: ["owa.contoso.com", "autodiscover.contoso.com"] };
    expect(disputes(onlyImap, { ...onlyImap, ...given(other) }, shared)).toEqual([]);
    expect(disputes(onlyImap, { ...onlyImap, ...given(other) })).toHaveLength(1);
  });

  it("are compared by a certificate's own names where it is on the server, and not at all where nobody knows them", () => {
    expect(disputes(onlyImap, { ...onlyImap, ...named(OWA) }, server([shown(OWA)]))).toHaveLength(1);
    expect(disputes(onlyImap, { ...onlyImap, ...named(OWA) }, undefined)).toEqual([]);
  });

  it("dispute IMAP with a binding that clears its name", () => {
    expect(disputes(onlyImap, { ...services("SMTP"), ...imapName(null) })).toMatchObject([{ what: "IMAP" }]);
  });
});

it("a binding has no dispute with itself when it is checked again", () => {
  const claims = claimsOf(desired(), server());
  expect(conflictsWith(claims, claimsOf(desired(given(OWA)), server()), server())).toEqual([]);
});
