import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import {
  partValue,
  type Inventory,
  type InventoryCertificate,
  type InventoryEntry,
  type Part,
  type ServerInventory,
} from "../backends/inventory";
import { table } from "../console/table";
import { cleaned, cleanedMessage } from "../sentence";
import { unknownParts } from "./serverInventory";

/* An inventory for people. All that servers and certificates say is cleaned here. */

const HEADING = ["Thumbprint", "Certificate", "Holds", "Displayed", "Days", "Status", "Also"];
/** Of a name in a column. */
const LONGEST_NAME = 60;

/** The whole inventory, without a line break at its end. */
export function inventoryTable(inventory: Inventory): string {
  const { readAt, servers } = inventory;
  const moment = `${readAt.slice(0, 16).replace("T", " ")} UTC`;
  return [
    `${whence(inventory.backend)}, ${moment}. It only reads: nothing on any server was changed.`,
    "",
    ...servers.flatMap((server) => [...serverLines(server), ""]),
    ...summaryLines(inventory),
  ].join("\n");
}

function whence(backend: string): string {
  if (backend === "remote") return "Real servers, over exchange:backend remote";
  if (backend === "simulator") return "A simulated organisation, no Exchange server";
  return `Servers, over the adapter ${cleaned(backend, LONGEST_NAME)}`;
}

function serverLines(server: InventoryEntry): readonly string[] {
  if (server.outcome === "failed") {
    return [cleaned(server.server), `  FAIL  ${cleaned(server.code)}: ${cleanedMessage(server.message)}`];
  }
  const version = partValue(server.version);
  return [
    version === undefined ? cleaned(server.server) : `${cleaned(server.server)}  Exchange ${cleaned(version)}`,
    ...table([HEADING, ...server.certificates.map((one) => certificateRow(one))]).map((line) => `  ${line}`),
    ...connectorLines(server),
    ...dangling(server),
    ...[...unknownParts(server)].map(
      ([reason, labels]) => `  Unknown: ${labels.join(", ")}, because: ${cleaned(reason, 300)}`,
    ),
  ];
}

function certificateRow(one: InventoryCertificate): readonly string[] {
  const { facts } = one;
  const services = new Set<string>([
    ...(partValue(one.heldServices) ?? []),
    ...(partValue(one.displayedServices) ?? []),
  ]);
  const marks = [
    ...one.usedBy.filter((user) => !services.has(user)),
    ...(partValue(one.hasPrivateKey) === false ? ["no private key"] : []),
    ...(facts === null ? ["can't be parsed"] : []),
    ...(one.endsSoon ? ["ENDS SOON"] : []),
  ];
  return [
    cleaned(one.thumbprint),
    facts === null ? "-" : cleaned(facts.commonName ?? facts.dnsNames[0] ?? facts.subject, LONGEST_NAME),
    shownList(one.heldServices),
    shownList(one.displayedServices),
    facts === null ? "?" : facts.daysLeft < 0 ? "ended" : String(facts.daysLeft),
    partValue(one.status) ?? "?",
    marks.map((mark) => cleaned(mark, LONGEST_NAME)).join(", "),
  ];
}

function shownList(part: Part<readonly string[]>): string {
  const value = partValue(part);
  return value === undefined ? "?" : value.length === 0 ? "-" : value.join(", ");
}

function connectorLines(server: ServerInventory): readonly string[] {
  const isHere = (name: string): boolean =>
    server.certificates.some(({ facts }) => facts !== null && sameConnectorName(name, tlsCertificateNameOf(facts)));
  const named = [
    ...(partValue(server.receiveConnectors) ?? []).map(({ identity, tlsCertificateName }) => ({
      name: identity,
      tlsCertificateName,
    })),
    ...(partValue(server.sendConnectors) ?? []),
  ].filter(({ tlsCertificateName: name }) => name !== null && !isHere(name));
  return named.map(
    ({ name, tlsCertificateName }) =>
      `  ! connector ${cleaned(name, LONGEST_NAME)} names ${cleaned(tlsCertificateName ?? "", 200)}, which no certificate here is`,
  );
}

/** What points at a certificate that isn't there. */
function dangling(server: ServerInventory): readonly string[] {
  const there = new Set(server.certificates.map(({ thumbprint }) => thumbprint));
  const auth = partValue(server.authCertificates);
  const pointers = [
    ["the default SMTP certificate", partValue(server.defaultSmtp)],
    ["the Auth certificate", auth?.current],
    ["the next Auth certificate", auth?.next],
  ] as const;
  return pointers.flatMap(([what, thumbprint]) =>
    thumbprint === null || thumbprint === undefined || there.has(thumbprint)
      ? []
      : [`  ! ${what} is ${cleaned(thumbprint)}, which isn't among the certificates here`],
  );
}

function summaryLines({ servers, endsWithin }: Inventory): readonly string[] {
  const failed = servers.filter(({ outcome }) => outcome === "failed").map(({ server }) => cleaned(server));
  const read = servers.filter((one) => one.outcome === "read");
  const soon = read.flatMap((one) =>
    one.certificates
      .filter(({ endsSoon }) => endsSoon)
      .map(({ thumbprint, facts }) => {
        const when =
          facts === null
            ? "its end can't be read"
            : facts.daysLeft < 0
              ? "has ended"
              : `ends on ${facts.notAfter.slice(0, 10)}`;
        return `  ${cleaned(one.server)}  ${cleaned(thumbprint)}  ${when}`;
      }),
  );
  const certificates = read.reduce((sum, one) => sum + one.certificates.length, 0);
  return [
    `${read.length} of ${servers.length} ${servers.length === 1 ? "server" : "servers"} read, ${certificates} certificates.` +
      (failed.length === 0 ? "" : ` Not read: ${failed.join(", ")}.`),
    ...(endsWithin === null
      ? []
      : soon.length === 0
        ? [`Nothing in use ends within ${endsWithin} days.`]
        : [`In use, and ending within ${endsWithin} days:`, ...soon]),
  ];
}
