import * as z from "../zod";

import { commonNameOf, parseDistinguishedName } from "../certificate/distinguishedName";
import type { CertificateFacts } from "../certificate/facts";
import { type NameService, known, parseService, sortServices, unknown } from "../model";
import type { ObservedServer } from "../plan/observedServer";
import type { StoredBinding } from "../state";

const factsSchema = z.object({
  subject: z.string(),
  issuer: z.string(),
  serialNumber: z.string(),
  dnsNames: z.array(z.string()),
  notBefore: z.string(),
  notAfter: z.string(),
});

/**
 * The server as the state remembers it, for previews that may not or can't ask: one certificate with the services it
 * held. Undefined when the state doesn't hold enough. What the state never knew is unknown.
 */
export function lastKnownServer(stored: StoredBinding, reason: string): ObservedServer | undefined {
  const facts = factsSchema.safeParse(stored.raw);
  if (!facts.success || stored.heldServices === undefined) return undefined;
  const held = sortServices(stored.heldServices.flatMap((name) => parseService(name) ?? []));
  const { previous, raw } = stored;
  const name = (service: NameService): string | undefined =>
    previous.certificateNames[service] ?? (held.includes(service) ? facts.data.dnsNames[0] : undefined);
  const notAsked = unknown(reason);
  const isDefault = raw["isDefaultSmtpCertificate"] === true;
  const certificate: CertificateFacts = {
    ...facts.data,
    thumbprint: previous.thumbprint,
    commonName: commonNameIn(facts.data.subject),
    keyAlgorithm: "RSA",
    keySizeBits: undefined,
    isSelfSigned: facts.data.subject === facts.data.issuer,
  };
  return {
    server: previous.server,
    version: notAsked,
    certificates: [
      {
        facts: certificate,
        displayedServices: known(held),
        iisSites: known(held.includes("IIS") ? [1] : []),
        status: notAsked,
        friendlyName: notAsked,
        hasPrivateKey: notAsked,
        privateKeyExportable: notAsked,
      },
    ],
    unreadable: [],
    defaultSmtpThumbprint: isDefault ? known(previous.thumbprint) : notAsked,
    imapCertificateName: known(name("IMAP")),
    popCertificateName: known(name("POP")),
    umStartupMode: notAsked,
    umCallRouterStartupMode: notAsked,
    sendConnectors: notAsked,
    receiveConnectors: notAsked,
    authCertificates: notAsked,
    federationThumbprints: notAsked,
    edgeSubscriptions: notAsked,
  };
}

function commonNameIn(subject: string): string | undefined {
  const parsed = parseDistinguishedName(subject);
  return "name" in parsed ? commonNameOf(parsed.name) : undefined;
}
