import { table } from "../../../console/table";
import { sortServices } from "../../../model";
import { cleaned } from "../../../sentence";
import { statusOf, storedCertificates, type ReadStoredCertificate } from "../certificateStore";
import { consequencesOn, describeConsequence } from "../consequences";
import { displayedServices, iisSitesOf } from "../displayedServices";
import type { Organisation, ServerFaults, ServerState } from "../organisation";

const DAY_MILLISECONDS = 86_400_000;

function daysLeft(notAfter: string, now: Date): string {
  const days = Math.floor((Date.parse(notAfter) - now.getTime()) / DAY_MILLISECONDS);
  return days < 0 ? "expired" : String(days);
}

function certificateRow(
  organisation: Organisation,
  server: ServerState,
  { stored, facts }: ReadStoredCertificate,
  now: Date,
): readonly string[] {
  const services = sortServices(displayedServices(organisation, server, { stored, facts }, now));
  const siteNames = iisSitesOf(server, facts).map((site) => (site === 1 ? "front end" : "back end"));
  const status = statusOf({ stored, facts }, now);
  const marks = [
    server.internalTransportCertificate?.thumbprint === facts.thumbprint ? "default SMTP" : "",
    stored.privateKey.present ? "" : "no private key",
    facts.isUnreadable === true ? "can't be parsed" : "",
    status === "Valid" ? "" : status,
  ].filter((mark) => mark !== "");
  return [
    facts.thumbprint,
    services.length === 0 ? "-" : services.join(", "),
    siteNames.length === 0 ? "-" : siteNames.join(", "),
    facts.isUnreadable === true ? "?" : daysLeft(facts.notAfter, now),
    cleaned(facts.subject),
    marks.join(", "),
  ];
}

/** `unreachable`, `slowMilliseconds=500`, `directoryDelay=reads=3`: the faults that are on, in short. */
export function faultTexts(server: ServerState): string[] {
  return (Object.keys(server.faults) as (keyof ServerFaults)[]).flatMap((name) => {
    const value = server.faults[name];
    if (value === undefined || value === false) return [];
    return [value === true ? name : `${name}=${faultValueText(value)}`];
  });
}

function faultValueText(value: Exclude<ServerFaults[keyof ServerFaults], boolean | undefined>): string {
  if (typeof value !== "object") return String(value);
  if (isList(value)) return value.join(",");
  return Object.entries(value)
    .map(([key, part]) => `${key}=${part}`)
    .join(",");
}

/** Array.isArray doesn't tell a read-only list from other objects. */
function isList(value: object): value is readonly string[] {
  return Array.isArray(value);
}

function serverLines(organisation: Organisation, server: ServerState, now: Date): string[] {
  const { major, minor, build, revision } = server.version;
  const lines = [`${server.fqdn}  (${cleaned(server.name)}, Version ${major}.${minor} (Build ${build}.${revision}))`];
  const faults = faultTexts(server);
  if (faults.length > 0) lines.push(`  faults: ${cleaned(faults.join("; "))}`);
  const rows = storedCertificates(server).map((one) => certificateRow(organisation, server, one, now));
  const heading = ["Thumbprint", "Services", "IIS site", "Days", "Subject", ""];
  lines.push(...table([heading, ...rows]).map((line) => `  ${line}`));
  const names = [
    ["IMAP", server.imap.x509CertificateName],
    ["POP", server.pop.x509CertificateName],
  ].flatMap(([service, name]) => (name === null ? [] : [`${String(service)} name: ${cleaned(String(name))}`]));
  if (names.length > 0) lines.push(`  ${names.join("; ")}`);
  const broken = consequencesOn(organisation, server, now).map(describeConsequence);
  return [...lines, ...broken.map((text) => `  ! ${cleaned(text)}`)];
}

/** The whole organisation at a glance: per server its certificates, who holds what, and how long they still last. */
export function organisationTable(organisation: Organisation, now: Date): string {
  const servers = Object.values(organisation.servers).sort((one, other) => (one.fqdn < other.fqdn ? -1 : 1));
  if (servers.length === 0) return "There is no server in this organisation.";
  return servers.map((server) => serverLines(organisation, server, now).join("\n")).join("\n\n");
}
