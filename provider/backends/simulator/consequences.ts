import { sameConnectorName, tlsCertificateNameOf } from "../connectorName";
import { coversName } from "../../certificate/names";
import type { CertificateFacts } from "../../certificate/facts";
import { type NameService, type UmService, isWebManagementSubject } from "../../model";
import { factsOfStored, findCertificate, statusOf, type ReadStoredCertificate } from "./certificateStore";
import type { Organisation, ReceiveConnectorState, ServerState } from "./organisation";

/*
 * What does not work on a server as it is, worked out from its store and from what points into it. Exchange lets most
 * certificates be removed whatever still needs them; here it shows what that breaks. The rules are those of Microsoft's
 * "STARTTLS and the selection of a certificate" and of its articles on the events that are named.
 */

export type Consequence =
  /** Event 12014: mail to the connector goes in the clear, or not at all. */
  | { readonly kind: "noStartTls"; readonly connector: string; readonly wanted: string }
  /** Event 12016: offered all the same; whoever checks it turns away. */
  | { readonly kind: "startTlsExpired"; readonly connector: string; readonly thumbprint: string }
  /** Events 12012, 12013 and 12015: TLS between the servers of the organisation. */
  | { readonly kind: "defaultSmtpEmpty" }
  | { readonly kind: "defaultSmtpGone" | "defaultSmtpExpired"; readonly thumbprint: string }
  /** 454 4.7.5: mail waits in the queue. */
  | { readonly kind: "sendConnectorWithout"; readonly connector: string; readonly wanted: string }
  /** The back end is where the server's remote shell is. */
  | { readonly kind: "siteWithout"; readonly site: 1 | 2; readonly thumbprint: string }
  | { readonly kind: "protocolWithout"; readonly service: NameService; readonly name: string }
  | { readonly kind: "umWithout"; readonly service: UmService; readonly thumbprint: string }
  | { readonly kind: "oauthWithout"; readonly which: "current" | "previous" | "next"; readonly thumbprint: string }
  | { readonly kind: "federationWithout"; readonly thumbprint: string }
  | { readonly kind: "webManagementWithout" };

/** Everything that doesn't work on the server. */
export function consequencesOn(organisation: Organisation, server: ServerState, now: Date): readonly Consequence[] {
  return [
    ...server.receiveConnectors.flatMap((connector) => ofReceiveConnector(server, connector, now)),
    ...ofSendConnectors(organisation, server, now),
    ...ofDefaultSmtp(server, now),
    ...ofSites(server),
    ...ofProtocols(server, now),
    ...ofUnifiedMessaging(server),
    ...ofOrganisation(organisation, server),
  ];
}

/** The certificate that transport offers on a receive connector; `undefined` when it offers none. */
export function offeredCertificate(
  server: ServerState,
  connector: ReceiveConnectorState,
  now: Date,
): CertificateFacts | undefined {
  return chosen(
    usable(server).filter(({ facts }) => isWanted(server, connector, facts)),
    now,
  );
}

/** In the store, with a key that the transport service may read. */
function usable(server: ServerState): readonly ReadStoredCertificate[] {
  return server.certificates
    .filter(({ privateKey }) => privateKey.present && privateKey.networkServiceRead)
    .map((stored) => ({ stored, facts: factsOfStored(stored) }));
}

function isWanted(server: ServerState, connector: ReceiveConnectorState, facts: CertificateFacts): boolean {
  const { tlsCertificateName: name } = connector;
  if (name !== null) return sameConnectorName(name, tlsCertificateNameOf(facts));
  return coversName(facts, connector.fqdn ?? server.fqdn);
}

/** The most recent one with a chain, then the most recent self-signed one; one that isn't valid only for want of better. */
function chosen(candidates: readonly ReadStoredCertificate[], now: Date): CertificateFacts | undefined {
  const rank = (one: ReadStoredCertificate): number => {
    if (statusOf(one, now) !== "Valid") return 0;
    return one.facts.isSelfSigned ? 1 : 2;
  };
  const [best] = candidates.toSorted(
    (one, other) => rank(other) - rank(one) || Date.parse(other.facts.notBefore) - Date.parse(one.facts.notBefore),
  );
  return best?.facts;
}

function isOver({ notAfter }: CertificateFacts, now: Date): boolean {
  return Date.parse(notAfter) < now.getTime();
}

function ofReceiveConnector(server: ServerState, connector: ReceiveConnectorState, now: Date): Consequence[] {
  const offered = offeredCertificate(server, connector, now);
  if (offered === undefined) {
    const wanted = connector.tlsCertificateName ?? connector.fqdn ?? server.fqdn;
    return [{ kind: "noStartTls", connector: connector.name, wanted }];
  }
  return isOver(offered, now)
    ? [{ kind: "startTlsExpired", connector: connector.name, thumbprint: offered.thumbprint }]
    : [];
}

function ofSendConnectors({ sendConnectors }: Organisation, server: ServerState, now: Date): Consequence[] {
  return sendConnectors
    .filter(({ sourceServers }) => sourceServers.some((one) => one.toLowerCase() === server.name.toLowerCase()))
    .flatMap(({ name: connector, tlsCertificateName: wanted }): Consequence[] => {
      if (wanted === null) return [];
      const isThere = usable(server).some(
        (one) => sameConnectorName(wanted, tlsCertificateNameOf(one.facts)) && !isOver(one.facts, now),
      );
      return isThere ? [] : [{ kind: "sendConnectorWithout", connector, wanted }];
    });
}

function ofDefaultSmtp(server: ServerState, now: Date): Consequence[] {
  const published = server.internalTransportCertificate;
  if (published === null) return [{ kind: "defaultSmtpEmpty" }];
  const { thumbprint } = published;
  const found = findCertificate(server, thumbprint);
  if (found === undefined) return [{ kind: "defaultSmtpGone", thumbprint }];
  return isOver(found.facts, now) ? [{ kind: "defaultSmtpExpired", thumbprint }] : [];
}

function ofSites(server: ServerState): Consequence[] {
  const sites = [
    [1, server.iis.frontEnd],
    [2, server.iis.backEnd],
  ] as const;
  return sites.flatMap(([site, thumbprint]) =>
    thumbprint === null || findCertificate(server, thumbprint) !== undefined
      ? []
      : [{ kind: "siteWithout", site, thumbprint }],
  );
}

/** IMAP and POP look for their name at each connection; a wildcard certificate will do. */
function ofProtocols(server: ServerState, now: Date): Consequence[] {
  const protocols = [
    ["IMAP", server.imap.x509CertificateName],
    ["POP", server.pop.x509CertificateName],
  ] as const;
  return protocols.flatMap(([service, name]): Consequence[] => {
    if (name === null) return [];
    const isThere = server.certificates
      .map((stored) => ({ stored, facts: factsOfStored(stored) }))
      .some(({ stored, facts }) => stored.privateKey.present && coversName(facts, name) && !isOver(facts, now));
    return isThere ? [] : [{ kind: "protocolWithout", service, name }];
  });
}

function ofUnifiedMessaging(server: ServerState): Consequence[] {
  const services = [
    ["UM", server.um],
    ["UMCallRouter", server.umCallRouter],
  ] as const;
  return services.flatMap(([service, state]): Consequence[] => {
    const thumbprint = state?.certificate ?? null;
    if (thumbprint === null || findCertificate(server, thumbprint) !== undefined) return [];
    return [{ kind: "umWithout", service, thumbprint }];
  });
}

/** Certificates that Exchange wants on every server. */
function ofOrganisation({ authConfig, federationTrust }: Organisation, server: ServerState): Consequence[] {
  const isMissing = (thumbprint: string | null): thumbprint is string =>
    thumbprint !== null && findCertificate(server, thumbprint) === undefined;
  const auth = [
    ["current", authConfig.currentCertificate],
    ["previous", authConfig.previousCertificate],
    ["next", authConfig.nextCertificate],
  ] as const;
  const federation = federationTrust?.currentCertificate ?? null;
  const hasWebManagement = server.certificates.some((stored) => isWebManagementSubject(factsOfStored(stored).subject));
  return [
    ...auth.flatMap(([which, thumbprint]): Consequence[] =>
      isMissing(thumbprint) ? [{ kind: "oauthWithout", which, thumbprint }] : [],
    ),
    ...(isMissing(federation) ? [{ kind: "federationWithout", thumbprint: federation } as const] : []),
    ...(hasWebManagement ? [] : [{ kind: "webManagementWithout" } as const]),
  ];
}

/** In one line, as `show` prints it. */
export function describeConsequence(consequence: Consequence): string {
  switch (consequence.kind) {
    case "noStartTls":
      return `connector "${consequence.connector}" offers no STARTTLS: no certificate with SMTP is for ${consequence.wanted}`;
    case "startTlsExpired":
      return `connector "${consequence.connector}" offers ${consequence.thumbprint}, which has expired`;
    case "defaultSmtpEmpty":
      return "there is no default SMTP certificate: servers of the organisation have no TLS between them";
    case "defaultSmtpGone":
      return `the default SMTP certificate is ${consequence.thumbprint}, which is not in the store`;
    case "defaultSmtpExpired":
      return `the default SMTP certificate is ${consequence.thumbprint}, which has expired`;
    case "sendConnectorWithout":
      return `send connector "${consequence.connector}" finds no certificate with SMTP for ${consequence.wanted}: mail waits`;
    case "siteWithout":
      return consequence.site === 1
        ? `the front-end site is ${consequence.thumbprint}, which is not in the store`
        : `the back-end site is ${consequence.thumbprint}, which is not in the store: OWA, ECP and the remote shell are gone`;
    case "protocolWithout":
      return `${consequence.service} has no certificate for its name ${consequence.name}`;
    case "umWithout":
      return `${consequence.service} is ${consequence.thumbprint}, which is not in the store`;
    case "oauthWithout":
      return `the ${consequence.which} Auth certificate is ${consequence.thumbprint}, which is not in the store`;
    case "federationWithout":
      return `the certificate of the federation trust is ${consequence.thumbprint}, which is not in the store`;
    case "webManagementWithout":
      return "the Web Management service has no certificate (CN=WMSvc-…)";
  }
}
