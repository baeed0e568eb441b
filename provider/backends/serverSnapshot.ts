import { parseThumbprint, type Thumbprint } from "../certificate/thumbprint";
import { hasUnifiedMessaging } from "../builds";
import {
  known,
  parseServerFqdn,
  UM_STARTUP_MODES,
  unknown,
  valueOr,
  type ExchangeVersion,
  type Observed,
  type ServerFqdn,
  type UmStartupMode,
} from "../model";
import type { ReadingCmdlet } from "./cmdlets";
import type { ReceiveConnectorSnapshot, SendConnectorSnapshot, ServerSnapshot } from "./backend";

/*
 * A snapshot from the answers of Exchange's Get cmdlets, however they were asked. Certificates are left out: what is
 * sent of them differs too much.
 */

/** An object that a cmdlet returned, read by its properties. */
export interface ShownObject {
  /** As PowerShell prints it; `undefined` when it is missing, null or empty. */
  readonly text: (name: string) => string | undefined;
  /** Items of a list, as PowerShell prints them; empty when it is missing or none. */
  readonly texts: (name: string) => readonly string[];
}

export type Answer =
  | { readonly kind: "objects"; readonly objects: readonly ShownObject[] }
  /** The cmdlet couldn't be asked, or refused. */
  | { readonly kind: "error"; readonly reason: string };

/** The cmdlets that the parts of a snapshot come from. */
export const SNAPSHOT_CMDLETS = {
  exchangeServer: "Get-ExchangeServer",
  transportService: "Get-TransportService",
  imapSettings: "Get-ImapSettings",
  popSettings: "Get-PopSettings",
  sendConnectors: "Get-SendConnector",
  receiveConnectors: "Get-ReceiveConnector",
  authConfig: "Get-AuthConfig",
  federationTrust: "Get-FederationTrust",
  edgeSubscriptions: "Get-EdgeSubscription",
} as const satisfies Readonly<Record<string, ReadingCmdlet>>;
/** Asked only where {@link mayHaveUnifiedMessaging} says so. */
export const UM_CMDLETS = {
  umService: "Get-UMService",
  umCallRouter: "Get-UMCallRouterSettings",
} as const satisfies Readonly<Record<string, ReadingCmdlet>>;

export type SnapshotQuestion = keyof typeof SNAPSHOT_CMDLETS;
export type UmQuestion = keyof typeof UM_CMDLETS;
export type SnapshotAnswers = Readonly<Record<SnapshotQuestion, Answer>> &
  Readonly<Partial<Record<UmQuestion, Answer>>>;

/** The same keys, each with what `of` makes of its value. */
export function mapRecord<Key extends string, From, To>(
  record: Readonly<Record<Key, From>>,
  of: (value: From) => To,
): Record<Key, To> {
  return Object.fromEntries(Object.entries<From>(record).map(([key, value]) => [key, of(value)])) as Record<Key, To>;
}

/** Everything but the certificates and the server's name. */
export function snapshotParts(answers: SnapshotAnswers): Omit<ServerSnapshot, "server" | "certificates"> {
  const version = versionOf(answers.exchangeServer);
  const site = part(answers.exchangeServer, ([first]) => first?.text("Site"));
  return {
    version,
    defaultSmtpThumbprint: optionalPart(answers.transportService, (one) =>
      thumbprintOf(one, "InternalTransportCertificateThumbprint"),
    ),
    imapCertificateName: optionalPart(answers.imapSettings, (one) => one.text("X509CertificateName")),
    popCertificateName: optionalPart(answers.popSettings, (one) => one.text("X509CertificateName")),
    umStartupMode: umMode(version, answers.umService),
    umCallRouterStartupMode: umMode(version, answers.umCallRouter),
    sendConnectors: part(answers.sendConnectors, (objects) => objects.map(sendConnectorOf)),
    receiveConnectors: part(answers.receiveConnectors, (objects) => objects.map(receiveConnectorOf)),
    authCertificates: part(
      answers.authConfig,
      ([first]) =>
        first && {
          current: thumbprintOf(first, "CurrentCertificateThumbprint"),
          previous: thumbprintOf(first, "PreviousCertificateThumbprint"),
          next: thumbprintOf(first, "NextCertificateThumbprint"),
        },
    ),
    federationThumbprints: part(answers.federationTrust, (trusts) =>
      trusts.flatMap((trust) =>
        ["OrgPrivCertificate", "OrgPrevPrivCertificate", "OrgNextPrivCertificate"].flatMap(
          (name) => thumbprintOf(trust, name) ?? [],
        ),
      ),
    ),
    edgeSubscriptions: edgeSubscriptions(site, answers.edgeSubscriptions),
  };
}

/** `AdminDisplayVersion` of Get-ExchangeServer. */
export function versionOf(exchangeServer: Answer): Observed<ExchangeVersion> {
  return part(exchangeServer, ([first]) => parseVersion(first?.text("AdminDisplayVersion")));
}

/** From 15.2 on there is no unified messaging and no cmdlet to ask for it; before, a server may lack the role. */
export function mayHaveUnifiedMessaging(version: Observed<ExchangeVersion>): boolean {
  return version.kind === "unknown" || hasUnifiedMessaging(version.value);
}

/**
 * The server's name as it says it: in Get-ExchangeServer, or in front of a certificate's identity when that cmdlet isn't
 * to be had. A session that landed on another server shows by it, so the name that was asked for won't do.
 */
export function ownName(exchangeServer: Answer, identities: readonly string[]): ServerFqdn | undefined {
  const said = exchangeServer.kind === "objects" ? exchangeServer.objects[0]?.text("Fqdn") : undefined;
  const identity = identities.find((text) => text.includes("\\"));
  for (const text of [said, identity?.split("\\", 1)[0]]) {
    const name = text === undefined ? undefined : parseServerFqdn(text);
    if (name !== undefined) return name;
  }
  return undefined;
}

const NOT_IN_THE_ANSWER = "the server's answer doesn't hold it";

/** A part of the snapshot; `read` returns `undefined` when the answer doesn't hold it. */
function part<T>(answer: Answer, read: (objects: readonly ShownObject[]) => T | undefined): Observed<T> {
  if (answer.kind === "error") return unknown(answer.reason);
  const value = read(answer.objects);
  return value === undefined ? unknown(NOT_IN_THE_ANSWER) : known(value);
}

/** A part that the server may leave empty, read from the one object of the answer. */
function optionalPart<T>(answer: Answer, read: (object: ShownObject) => T | undefined): Observed<T | undefined> {
  if (answer.kind === "error") return unknown(answer.reason);
  const [object] = answer.objects;
  return object === undefined ? unknown(NOT_IN_THE_ANSWER) : known(read(object));
}

function thumbprintOf(object: ShownObject, name: string): Thumbprint | undefined {
  const text = object.text(name);
  return text === undefined ? undefined : parseThumbprint(text);
}

/** `Version 15.2 (Build 1748.10)`. */
function parseVersion(text: string | undefined): ExchangeVersion | undefined {
  const match = /^Version (\d+)\.(\d+) \(Build (\d+)\.(\d+)\)$/.exec(text ?? "");
  if (match === null) return undefined;
  const [major = 0, minor = 0, build = 0, revision = 0] = match.slice(1).map(Number);
  return { major, minor, build, revision };
}

function umMode(version: Observed<ExchangeVersion>, answer: Answer | undefined): Observed<UmStartupMode | undefined> {
  if (!mayHaveUnifiedMessaging(version)) return known(undefined);
  if (answer === undefined) return unknown("the server wasn't asked");
  if (answer.kind === "objects" && answer.objects.length === 0) return known(undefined);
  return part(answer, ([first]) => UM_STARTUP_MODES.find((mode) => mode === first?.text("UMStartupMode")));
}

function sendConnectorOf(object: ShownObject): SendConnectorSnapshot {
  return {
    name: object.text("Name") ?? object.text("Identity") ?? "",
    fqdn: object.text("Fqdn"),
    tlsCertificateName: object.text("TlsCertificateName"),
    sourceServers: object.texts("SourceTransportServers"),
  };
}

function receiveConnectorOf(object: ShownObject): ReceiveConnectorSnapshot {
  return {
    identity: object.text("Identity") ?? "",
    fqdn: object.text("Fqdn"),
    tlsCertificateName: object.text("TlsCertificateName"),
  };
}

/** An Edge server is subscribed to a site; which one is the server's own, only the server can say. */
function edgeSubscriptions(site: Observed<string>, answer: Answer): Observed<readonly string[]> {
  if (answer.kind === "objects" && answer.objects.length > 0 && site.kind === "unknown") return site;
  return part(answer, (subscriptions) =>
    subscriptions
      .filter((one) => one.text("Site")?.toLowerCase() === valueOr(site, undefined)?.toLowerCase())
      .flatMap((one) => one.text("Name") ?? []),
  );
}
