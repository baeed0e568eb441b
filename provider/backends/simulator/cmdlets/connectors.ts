import type { CmdletOutcome } from "../cmdlet";
import { completed, failed, plainError, withServer, type CmdletRun } from "../cmdletRun";
import { bindingError, UNVERIFIED_TEXTS } from "../errorTexts";
import type { ReceiveConnectorState, SendConnectorState, ServerState } from "../organisation";

/** Get-SendConnector. Send connectors belong to the organisation, not to a server. */
export function getSendConnector(run: CmdletRun): CmdletOutcome {
  const { organisation, parameters } = run;
  const identity = parameters.text("Identity") ?? undefined;
  const found = organisation.sendConnectors.filter((one) => identity === undefined || isSame(one.name, identity));
  if (identity !== undefined && found.length === 0) return notFound(run, "send connector", identity);
  return completed(organisation, found.map(sendConnectorObject));
}

/** Set-SendConnector -TlsCertificateName. */
export function setSendConnector(run: CmdletRun): CmdletOutcome {
  const { organisation, parameters } = run;
  const identity = parameters.text("Identity") ?? "";
  const connector = organisation.sendConnectors.find((one) => isSame(one.name, identity));
  if (connector === undefined) return notFound(run, "send connector", identity);
  const wanted = wantedName(run);
  if (wanted.kind === "refused") return failed(organisation, wanted.error);
  if (wanted.name === undefined || wanted.name === connector.tlsCertificateName) return completed(organisation);
  const changed = { ...connector, tlsCertificateName: wanted.name };
  const sendConnectors = organisation.sendConnectors.map((one) => (one === connector ? changed : one));
  return completed({ ...organisation, sendConnectors });
}

/** Get-ReceiveConnector: of one server, of all, or one by its identity `EX01\Default Frontend EX01`. */
export function getReceiveConnector(run: CmdletRun): CmdletOutcome {
  const { organisation, target, targetNamed, parameters } = run;
  const identity = parameters.text("Identity") ?? undefined;
  const servers = targetNamed ? [target] : Object.values(organisation.servers);
  const all = servers.flatMap((server) => server.receiveConnectors.map((connector) => ({ server, connector })));
  const found = all.filter((one) => identity === undefined || isReceiveConnector(one.server, one.connector, identity));
  if (identity !== undefined && found.length === 0) return notFound(run, "receive connector", identity);
  return completed(
    organisation,
    found.map(({ server, connector }) => receiveConnectorObject(server, connector)),
  );
}

/** Set-ReceiveConnector -TlsCertificateName. */
export function setReceiveConnector(run: CmdletRun): CmdletOutcome {
  const { organisation, parameters } = run;
  const identity = parameters.text("Identity") ?? "";
  const wanted = wantedName(run);
  if (wanted.kind === "refused") return failed(organisation, wanted.error);
  for (const server of Object.values(organisation.servers)) {
    const connector = server.receiveConnectors.find((one) => isReceiveConnector(server, one, identity));
    if (connector === undefined) continue;
    if (wanted.name === undefined || wanted.name === connector.tlsCertificateName) return completed(organisation);
    const changed = { ...connector, tlsCertificateName: wanted.name };
    const receiveConnectors = server.receiveConnectors.map((one) => (one === connector ? changed : one));
    return completed(withServer(organisation, { ...server, receiveConnectors }));
  }
  return notFound(run, "receive connector", identity);
}

function sendConnectorObject(connector: SendConnectorState) {
  return {
    Name: connector.name,
    Identity: connector.name,
    Fqdn: connector.fqdn,
    TlsCertificateName: connector.tlsCertificateName,
    SourceTransportServers: connector.sourceServers,
  };
}

function receiveConnectorObject(server: ServerState, connector: ReceiveConnectorState) {
  return {
    Name: connector.name,
    Identity: `${server.name}\\${connector.name}`,
    Server: server.name,
    Fqdn: connector.fqdn,
    TlsCertificateName: connector.tlsCertificateName,
  };
}

function isReceiveConnector(server: ServerState, connector: ReceiveConnectorState, identity: string): boolean {
  return isSame(`${server.name}\\${connector.name}`, identity) || isSame(connector.name, identity);
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.trim().toLowerCase();
}

/** The wished -TlsCertificateName: `null` clears, `undefined` when it wasn't given. */
function wantedName(run: CmdletRun) {
  const given = run.parameters.text("TlsCertificateName");
  if (given === null || given === "") return { kind: "name", name: null } as const;
  if (given === undefined || /^<I>.+<S>.+$/s.test(given)) return { kind: "name", name: given } as const;
  const message = UNVERIFIED_TEXTS.valueRefused("TlsCertificateName", "it has the form <I>issuer<S>subject");
  return {
    kind: "refused",
    error: bindingError(run.cmdlet, "ParameterArgumentTransformationError", message),
  } as const;
}

function notFound(run: CmdletRun, what: string, identity: string): CmdletOutcome {
  return failed(
    run.organisation,
    plainError(run, "ConnectorNotFound", UNVERIFIED_TEXTS.notFoundInDirectory(what, identity)),
  );
}
