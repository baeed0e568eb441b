import { known, unknown } from "../../provider/model";
import { certificateNameOf, heldServices, holdersOf, holds, someHolderUnknown } from "../../provider/plan/holdings";
import { BUILT_IN, MAIL, OWA, WILDCARD, rawDataOnly, server, shown } from "./servers";

describe("a certificate holds", () => {
  it("IIS when it is bound to the front end, whatever the flag says", () => {
    expect(holds(server(), shown(MAIL, { services: ["IIS"], sites: [2] }), "IIS")).toEqual(known(false));
    expect(holds(server(), shown(MAIL, { services: [], sites: [1] }), "IIS")).toEqual(known(true));
  });

  it("IMAP and POP when the name of the protocol is one of its own, whatever the flag says", () => {
    const on = server([], { imapCertificateName: known("Mail.Contoso.com"), popCertificateName: known(undefined) });
    expect(holds(on, shown(MAIL), "IMAP")).toEqual(known(true));
    expect(holds(on, shown(WILDCARD), "IMAP")).toEqual(known(true));
    expect(holds(on, shown(OWA, { services: ["IMAP"] }), "IMAP")).toEqual(known(false));
    expect(holds(on, shown(MAIL, { services: ["POP"] }), "POP")).toEqual(known(false));
  });

  it("SMTP, UM and UMCallRouter when the flag says so", () => {
    const certificate = shown(MAIL, { services: ["SMTP", "UM"] });
    expect(holds(server(), certificate, "SMTP")).toEqual(known(true));
    expect(holds(server(), certificate, "UM")).toEqual(known(true));
    expect(holds(server(), certificate, "UMCallRouter")).toEqual(known(false));
  });

  it("nobody knows what, where the server didn't say: that is never nothing", () => {
    expect(holds(server(), rawDataOnly(MAIL), "SMTP")).toEqual(unknown("RawData only"));
    expect(holds(server(), rawDataOnly(MAIL), "IIS")).toEqual(unknown("RawData only"));
    const nameless = server([], { popCertificateName: unknown("no role") });
    expect(holds(nameless, shown(MAIL), "POP")).toEqual(unknown("no role"));
    expect(heldServices(server(), rawDataOnly(MAIL))).toEqual(unknown("RawData only"));
  });

  it("its services in one order", () => {
    const [builtIn] = server().certificates;
    expect(builtIn && heldServices(server(), builtIn)).toEqual(known(["IIS", "IMAP", "POP", "SMTP"]));
  });
});

it("lists who is known to hold a service, and says when there may be more", () => {
  const on = server([shown(MAIL, { services: ["SMTP"] }), rawDataOnly(OWA)]);
  expect(holdersOf(on, "SMTP").map(({ facts }) => facts.thumbprint)).toEqual([BUILT_IN.thumbprint, MAIL.thumbprint]);
  expect(someHolderUnknown(on, "SMTP")).toBe(true);
  expect(someHolderUnknown(on, "IMAP")).toBe(false);
});

it("knows the two names apart", () => {
  const on = server([], { imapCertificateName: known("i.contoso.com"), popCertificateName: known("p.contoso.com") });
  expect(certificateNameOf(on, "IMAP")).toEqual(known("i.contoso.com"));
  expect(certificateNameOf(on, "POP")).toEqual(known("p.contoso.com"));
});
