import { parseThumbprint, type Thumbprint } from "../../certificate/thumbprint";
import {
  CERTIFICATE_STATUSES,
  DISPLAYED_SERVICES,
  known,
  parseServerFqdn,
  sortServices,
  UM_STARTUP_MODES,
  unknown,
  valueOr,
  type ExchangeVersion,
  type Observed,
  type ServerFqdn,
  type UmStartupMode,
} from "../../model";
import type { CertificateSnapshot, ReceiveConnectorSnapshot, SendConnectorSnapshot, ServerSnapshot } from "../backend";
import type { CmdletCall, CmdletError, CmdletObject } from "./cmdlet";
import type { EndedCmdlet } from "./cmdletSession";

/*
 * A snapshot from the answers of the Get cmdlets, as a client at the other end of a remote session has to make it. It
 * knows nothing of the simulator but its cmdlets.
 */

/** Runs a cmdlet that only reads. */
export type Ask = (call: CmdletCall) => EndedCmdlet;

export type ReadSnapshot =
  | { readonly kind: "read"; readonly snapshot: ServerSnapshot }
  /** What keeps the whole server from being read: it isn't there, it isn't reachable, its certificates aren't shown. */
  | { readonly kind: "failed"; readonly cmdlet: string; readonly error: CmdletError };

type Answer =
  | { readonly kind: "objects"; readonly objects: readonly CmdletObject[] }
  | { readonly kind: "error"; readonly error: CmdletError };

/** Errors about the server itself, which no part of a snapshot can do without. */
const ABOUT_THE_SERVER: ReadonlySet<string> = new Set([
  "ServerUnknown",
  "ServerUnreachable",
  "TimedOut",
  "AccessDenied",
  "Throttled",
]);

/** Ends reading; never leaves this file. */
class Unreadable extends Error {
  readonly cmdlet: string;
  readonly error: CmdletError;

  constructor(cmdlet: string, error: CmdletError) {
    super(error.message);
    this.cmdlet = cmdlet;
    this.error = error;
  }
}

/** Everything about one server. The questions are put one after the other, to one state of the organisation. */
export function readSnapshot(server: ServerFqdn, ask: Ask): ReadSnapshot {
  const put = (name: string, parameters: CmdletCall["parameters"] = {}): Answer => {
    const ended = ask({ name, parameters });
    if (ended.kind === "completed") return { kind: "objects", objects: ended.output };
    if (ABOUT_THE_SERVER.has(ended.error.code)) throw new Unreadable(name, ended.error);
    return { kind: "error", error: ended.error };
  };
  try {
    return { kind: "read", snapshot: gather(server, put) };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: "failed", cmdlet: error.cmdlet, error: error.error };
    throw error;
  }
}

function gather(
  server: ServerFqdn,
  put: (name: string, parameters?: CmdletCall["parameters"]) => Answer,
): ServerSnapshot {
  const certificates = put("Get-ExchangeCertificate", { Server: server });
  if (certificates.kind === "error") throw new Unreadable("Get-ExchangeCertificate", certificates.error);
  const exchangeServer = put("Get-ExchangeServer", { Identity: server });
  const version = part(exchangeServer, ([first]) => versionOf(textOf(first, "AdminDisplayVersion")));
  const site = part(exchangeServer, ([first]) => textOf(first, "Site"));
  return {
    server: ownName(exchangeServer, certificates.objects),
    version,
    certificates: certificates.objects.flatMap(certificateOf),
    defaultSmtpThumbprint: optionalPart(put("Get-TransportService", { Identity: server }), (one) =>
      thumbprintOf(one, "InternalTransportCertificateThumbprint"),
    ),
    imapCertificateName: optionalPart(put("Get-ImapSettings", { Server: server }), (one) =>
      textOf(one, "X509CertificateName"),
    ),
    popCertificateName: optionalPart(put("Get-PopSettings", { Server: server }), (one) =>
      textOf(one, "X509CertificateName"),
    ),
    umStartupMode: umMode(version, () => put("Get-UMService", { Identity: server })),
    umCallRouterStartupMode: umMode(version, () => put("Get-UMCallRouterSettings", { Server: server })),
    sendConnectors: part(put("Get-SendConnector"), (objects) => objects.map(sendConnectorOf)),
    receiveConnectors: part(put("Get-ReceiveConnector", { Server: server }), (objects) =>
      objects.map(receiveConnectorOf),
    ),
    authCertificates: part(
      put("Get-AuthConfig"),
      ([first]) =>
        first && {
          current: thumbprintOf(first, "CurrentCertificateThumbprint"),
          previous: thumbprintOf(first, "PreviousCertificateThumbprint"),
          next: thumbprintOf(first, "NextCertificateThumbprint"),
        },
    ),
    federationThumbprints: part(put("Get-FederationTrust"), (trusts) =>
      trusts.flatMap((trust) =>
        ["OrgPrivCertificate", "OrgPrevPrivCertificate", "OrgNextPrivCertificate"].flatMap(
          (name) => thumbprintOf(trust, name) ?? [],
        ),
      ),
    ),
    edgeSubscriptions: edgeSubscriptions(site, put("Get-EdgeSubscription")),
  };
}

const NOT_IN_THE_ANSWER = "the server's answer doesn't hold it";

/** A part of the snapshot; `read` returns `undefined` when the answer doesn't hold it. */
function part<T>(answer: Answer, read: (objects: readonly CmdletObject[]) => T | undefined): Observed<T> {
  if (answer.kind === "error") return unknown(answer.error.message);
  const value = read(answer.objects);
  return value === undefined ? unknown(NOT_IN_THE_ANSWER) : known(value);
}

/** A part that the server may leave empty, read from the one object of the answer. */
function optionalPart<T>(answer: Answer, read: (object: CmdletObject) => T | undefined): Observed<T | undefined> {
  if (answer.kind === "error") return unknown(answer.error.message);
  const [object] = answer.objects;
  return object === undefined ? unknown(NOT_IN_THE_ANSWER) : known(read(object));
}

function textOf(object: CmdletObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function textsOf(object: CmdletObject, name: string): readonly string[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function thumbprintOf(object: CmdletObject | undefined, name: string): Thumbprint | undefined {
  const text = textOf(object, name);
  return text === undefined ? undefined : parseThumbprint(text);
}

/** `Version 15.2 (Build 1748.10)`. */
function versionOf(text: string | undefined): ExchangeVersion | undefined {
  const match = /^Version (\d+)\.(\d+) \(Build (\d+)\.(\d+)\)$/.exec(text ?? "");
  if (match === null) return undefined;
  const [major = 0, minor = 0, build = 0, revision = 0] = match.slice(1).map(Number);
  return { major, minor, build, revision };
}

/**
 * The server's name as it says it: in Get-ExchangeServer, or in front of a certificate's identity when that cmdlet
 * isn't to be had. A session that landed on another server shows by it, so the name that was asked for won't do.
 */
function ownName(answer: Answer, certificates: readonly CmdletObject[]): ServerFqdn {
  const said = answer.kind === "objects" ? textOf(answer.objects[0], "Fqdn") : undefined;
  const identity = certificates.map((one) => textOf(one, "Identity")).find((text) => text?.includes("\\"));
  for (const text of [said, identity?.split("\\", 1)[0]]) {
    const name = text === undefined ? undefined : parseServerFqdn(text);
    if (name !== undefined) return name;
  }
  const nameless: CmdletError = {
    code: "CmdletFailed",
    message: "The server doesn't say its fully qualified name.",
    categoryInfo: "",
    fullyQualifiedErrorId: "",
  };
  throw new Unreadable("Get-ExchangeServer", answer.kind === "error" ? answer.error : nameless);
}

const RAW_DATA_ONLY =
  "the server sent no more of the certificate than its bytes (RawData), which happens when its details can't be " +
  "verified: look at the Auth certificate, which signs them";

function certificateOf(object: CmdletObject): CertificateSnapshot[] {
  const der = object["RawData"];
  if (!(der instanceof Uint8Array)) return [];
  const say = <T>(value: T | undefined): Observed<T> => (value === undefined ? unknown(RAW_DATA_ONLY) : known(value));
  const flag = (name: string): boolean | undefined => {
    const value = object[name];
    return typeof value === "boolean" ? value : undefined;
  };
  const services = textOf(object, "Services")?.split(", ");
  const iisServices = object["IISServices"] === undefined ? undefined : textsOf(object, "IISServices");
  const friendlyName = object["FriendlyName"];
  return [
    {
      der,
      displayedServices: say(
        services && sortServices(DISPLAYED_SERVICES.filter((service) => services.includes(service))),
      ),
      iisSites: say(iisServices?.flatMap((path) => siteOf(path) ?? []).toSorted((one, other) => one - other)),
      status: say(CERTIFICATE_STATUSES.find((status) => status === object["Status"])),
      friendlyName: say(typeof friendlyName === "string" ? friendlyName : undefined),
      hasPrivateKey: say(flag("HasPrivateKey")),
      privateKeyExportable: say(flag("PrivateKeyExportable")),
    },
  ];
}

/** `IIS://EX01/W3SVC/1`. */
function siteOf(path: string): number | undefined {
  const number = /\/W3SVC\/(\d+)$/i.exec(path)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** From 15.2 on there is no unified messaging and no cmdlet to ask for it; before, a server may lack the role. */
function umMode(version: Observed<ExchangeVersion>, put: () => Answer): Observed<UmStartupMode | undefined> {
  if (version.kind === "known" && (version.value.major > 15 || version.value.minor >= 2)) return known(undefined);
  const answer = put();
  if (answer.kind === "objects" && answer.objects.length === 0) return known(undefined);
  return part(answer, ([first]) => UM_STARTUP_MODES.find((mode) => mode === first?.["UMStartupMode"]));
}

function sendConnectorOf(object: CmdletObject): SendConnectorSnapshot {
  return {
    name: textOf(object, "Name") ?? "",
    fqdn: textOf(object, "Fqdn"),
    tlsCertificateName: textOf(object, "TlsCertificateName"),
    sourceServers: textsOf(object, "SourceTransportServers"),
  };
}

function receiveConnectorOf(object: CmdletObject): ReceiveConnectorSnapshot {
  return {
    identity: textOf(object, "Identity") ?? "",
    fqdn: textOf(object, "Fqdn"),
    tlsCertificateName: textOf(object, "TlsCertificateName"),
  };
}

/** An Edge server is subscribed to a site; which one is the server's own, only the server can say. */
function edgeSubscriptions(site: Observed<string>, answer: Answer): Observed<readonly string[]> {
  if (answer.kind === "objects" && answer.objects.length > 0 && site.kind === "unknown") return site;
  return part(answer, (subscriptions) =>
    subscriptions
      .filter((one) => textOf(one, "Site")?.toLowerCase() === valueOr(site, undefined)?.toLowerCase())
      .flatMap((one) => textOf(one, "Name") ?? []),
  );
}
