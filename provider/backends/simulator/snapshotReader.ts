import {
  CERTIFICATE_STATUSES,
  DISPLAYED_SERVICES,
  known,
  sortServices,
  unknown,
  type Observed,
  type ServerFqdn,
} from "../../model";
import type { CertificateSnapshot, ServerSnapshot } from "../backend";
import { question, type ReadingCmdlet } from "../cmdlets";
import {
  mayHaveUnifiedMessaging,
  mapRecord,
  ownName,
  SNAPSHOT_CMDLETS,
  snapshotParts,
  UM_CMDLETS,
  versionOf,
  type Answer as ShownAnswer,
  type ShownObject,
} from "../serverSnapshot";
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
  | { readonly kind: "failed"; readonly cmdlet: ReadingCmdlet; readonly error: CmdletError };

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
  readonly cmdlet: ReadingCmdlet;
  readonly error: CmdletError;

  constructor(cmdlet: ReadingCmdlet, error: CmdletError) {
    super(error.message);
    this.cmdlet = cmdlet;
    this.error = error;
  }
}

/** Everything about one server. The questions are put one after the other, to one state of the organisation. */
export function readSnapshot(server: ServerFqdn, ask: Ask): ReadSnapshot {
  const put = (name: ReadingCmdlet): Answer => {
    const ended = ask(question(name, server));
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

function gather(server: ServerFqdn, put: (name: ReadingCmdlet) => Answer): ServerSnapshot {
  const certificates = put("Get-ExchangeCertificate");
  if (certificates.kind === "error") throw new Unreadable("Get-ExchangeCertificate", certificates.error);
  const exchangeServer = put(SNAPSHOT_CMDLETS.exchangeServer);
  const ask = (name: ReadingCmdlet): ShownAnswer => shown(put(name));
  const { exchangeServer: _, ...others } = SNAPSHOT_CMDLETS;
  const answers = { exchangeServer: shown(exchangeServer), ...mapRecord(others, ask) };
  const identities = certificates.objects.flatMap((one) => shownObject(one).text("Identity") ?? []);
  const name = ownName(answers.exchangeServer, identities);
  if (name === undefined) {
    throw new Unreadable("Get-ExchangeServer", exchangeServer.kind === "error" ? exchangeServer.error : NAMELESS);
  }
  const isUmAsked = mayHaveUnifiedMessaging(versionOf(answers.exchangeServer));
  return {
    server: name,
    certificates: certificates.objects.flatMap(certificateOf),
    ...snapshotParts({ ...answers, ...(isUmAsked ? mapRecord(UM_CMDLETS, ask) : {}) }),
  };
}

const NAMELESS: CmdletError = {
  code: "CmdletFailed",
  message: "The server doesn't say its fully qualified name.",
  categoryInfo: "",
  fullyQualifiedErrorId: "",
};

function shown(answer: Answer): ShownAnswer {
  return answer.kind === "error"
    ? { kind: "error", reason: answer.error.message }
    : { kind: "objects", objects: answer.objects.map(shownObject) };
}

function shownObject(object: CmdletObject): ShownObject {
  return { text: (name) => textOf(object, name), texts: (name) => textsOf(object, name) };
}

function textOf(object: CmdletObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function textsOf(object: CmdletObject, name: string): readonly string[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
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
