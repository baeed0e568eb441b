import type { CmdletOutcome } from "../cmdlet";
import { completed, withServer, type CmdletRun } from "../cmdletRun";
import { countRead, shownValue } from "../directoryDelay";
import type { ServerState } from "../organisation";

/** Get-ExchangeServer: one server, or all of them. */
export function getExchangeServer(run: CmdletRun): CmdletOutcome {
  return completed(run.organisation, namedServers(run).map(exchangeServerObject));
}

/** Get-TransportService: where the thumbprint of the default SMTP certificate can be read. */
export function getTransportService(run: CmdletRun): CmdletOutcome {
  const { now } = run.context;
  const servers = namedServers(run);
  const output = servers.map((server) => ({
    Name: server.name,
    InternalTransportCertificateThumbprint: shownValue(server, "internalTransportCertificate", now),
    Identity: server.name,
  }));
  const organisation = servers.reduce(
    (before, server) => withServer(before, countRead(server, "internalTransportCertificate", now)),
    run.organisation,
  );
  return completed(organisation, output);
}

function namedServers({ organisation, target, targetNamed }: CmdletRun): readonly ServerState[] {
  return targetNamed ? [target] : Object.values(organisation.servers);
}

function exchangeServerObject(server: ServerState) {
  const { major, minor, build, revision } = server.version;
  const isEdge = server.roles.includes("Edge");
  const hasMailbox = server.roles.includes("Mailbox");
  // From 2016 on the Mailbox role holds the client access services too.
  const hasClientAccess = server.roles.includes("ClientAccess") || (hasMailbox && minor > 0);
  return {
    Name: server.name,
    Fqdn: server.fqdn,
    AdminDisplayVersion: `Version ${major}.${minor} (Build ${build}.${revision})`,
    Edition: server.edition,
    ServerRole: server.roles.join(", "),
    Site: server.site,
    IsMailboxServer: hasMailbox,
    IsClientAccessServer: hasClientAccess,
    IsHubTransportServer: hasMailbox,
    IsFrontendTransportServer: hasClientAccess,
    IsUnifiedMessagingServer: server.um !== null,
    IsEdgeServer: isEdge,
    Identity: server.name,
  };
}
