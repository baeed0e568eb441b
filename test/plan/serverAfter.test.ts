import { known, valueOr } from "../../provider/model";
import { findCertificate, heldServices } from "../../provider/plan/holdings";
import { plan } from "../../provider/plan/plan";
import { MADE_THUMBPRINT, serverAfter } from "../../provider/plan/serverAfter";
import { newTarget } from "../../provider/plan/target";
import type { DesiredBinding } from "../../provider/plan/desired";
import type { ObservedServer } from "../../provider/plan/observedServer";
import type { Thumbprint } from "../../provider/certificate/thumbprint";
import {
  BUILT_IN,
  MAIL,
  NOW,
  OWA,
  WILDCARD,
  context,
  desired,
  given,
  selfSigned,
  server,
  services,
  shown,
  steps,
} from "./servers";

/** The server after the plan for a new binding. */
function after(wish: Partial<DesiredBinding>, before: ObservedServer): ObservedServer {
  const wanted = desired(wish);
  const planned = plan(wanted, undefined, before, context());
  return serverAfter(before, steps(planned), newTarget(wanted, before, context()), NOW);
}

const held = (of: ObservedServer, thumbprint: Thumbprint) => {
  const certificate = findCertificate(of, thumbprint);
  return certificate === undefined ? undefined : valueOr(heldServices(of, certificate), "unknown");
};

it("shows an imported certificate with what it was enabled for, and the old one without", () => {
  const seen = after({ ...given(MAIL), ...services("IIS", "IMAP", "POP", "SMTP") }, server());
  expect(held(seen, MAIL.thumbprint)).toEqual(["IIS", "IMAP", "POP", "SMTP"]);
  expect(held(seen, BUILT_IN.thumbprint)).toEqual(["SMTP"]);
  expect(findCertificate(seen, BUILT_IN.thumbprint)?.iisSites).toEqual(known([2]));
  expect(seen.defaultSmtpThumbprint).toEqual(known(BUILT_IN.thumbprint));
});

it("shows the default SMTP certificate that is asked for", () => {
  const seen = after({ ...given(MAIL), replaceDefaultSmtpCertificate: true }, server());
  expect(seen.defaultSmtpThumbprint).toEqual(known(MAIL.thumbprint));
});

it("shows a certificate that is still to be made by a stand-in of its names", () => {
  const seen = after({ ...selfSigned(), ...services("IIS", "IMAP") }, server());
  expect(held(seen, MADE_THUMBPRINT)).toEqual(["IIS", "IMAP"]);
});

it("shows a declared name, by which a wildcard certificate holds IMAP", () => {
  const wish = {
    ...given(WILDCARD),
    ...services("IMAP"),
    certificateNames: { IMAP: "imap.contoso.com", POP: undefined },
  };
  const seen = after(wish, server());
  expect(seen.imapCertificateName).toEqual(known("imap.contoso.com"));
  expect(held(seen, WILDCARD.thumbprint)).toEqual(["IMAP"]);
});

it("is the same server when nothing is to be done", () => {
  const before = server([shown(OWA, { services: ["SMTP"] })]);
  expect(after({ ...given(OWA), ...services("SMTP") }, before)).toEqual(before);
});
