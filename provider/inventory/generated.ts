import { safeJson } from "../console/safeJson";
import { asFound } from "../plan/asFound";
import type { AsFound } from "../plan/asFound";
import type { ObservedCertificate, ObservedServer } from "../plan/observedServer";
import { cleaned } from "../sentence";
import { RESERVED_NAMES } from "../plan/reservedText";

/* Bindings for what is on servers already, as text for Pulumi. Pure. */

/** A binding that could be declared. */
export interface Adoptable {
  /** Unlike every other one. */
  readonly name: string;
  readonly server: string;
  readonly certificate: ObservedCertificate;
  readonly found: AsFound & { readonly kind: "declared" };
}

/** A certificate that none is written for. */
export interface LeftOut {
  readonly server: string;
  readonly thumbprint: string;
  readonly subject: string;
  readonly why: string;
}

export interface Adoption {
  readonly bindings: readonly Adoptable[];
  readonly leftOut: readonly LeftOut[];
}

export function adoptionOf(servers: readonly ObservedServer[]): Adoption {
  const bindings: Adoptable[] = [];
  const leftOut: LeftOut[] = [];
  const names = new Set<string>();
  for (const server of servers) {
    for (const certificate of server.certificates) {
      const { thumbprint, subject } = certificate.facts;
      const found = asFound(server, certificate);
      if (found.kind === "declared") {
        const name = nameOf(server.server, certificate, names);
        bindings.push({ name, server: server.server, certificate, found });
      } else leftOut.push({ server: server.server, thumbprint, subject, why: reasonOf(found) });
    }
    for (const { thumbprint } of server.unreadable) {
      leftOut.push({ server: server.server, thumbprint, subject: "", why: "it can't be read" });
    }
  }
  return { bindings, leftOut };
}

/** `ex01-mail.contoso.com`, with the thumbprint's beginning where several certificates would be called so. */
function nameOf(server: string, { facts }: ObservedCertificate, taken: Set<string>): string {
  const short = server.split(".", 1)[0] ?? server;
  const of = (facts.dnsNames[0] ?? facts.commonName ?? "").toLowerCase().replace(/^\*\./, "wildcard.");
  const plain = [short, of.replace(/[^a-z0-9.-]+/g, "-").replace(/^-+|-+$/g, "")]
    .filter((part) => part !== "")
    .join("-");
  const longer = `${plain}-${facts.thumbprint.slice(0, 8).toLowerCase()}`;
  let name = taken.has(plain) ? longer : plain;
  // Servers of several domains may have one short name, and the same certificate.
  for (let count = 2; taken.has(name); count += 1) name = `${longer}-${String(count)}`;
  taken.add(name);
  return name;
}

function reasonOf(found: Exclude<AsFound, { kind: "declared" }>): string {
  switch (found.kind) {
    case "reserved":
      return `it is ${RESERVED_NAMES[found.what]}`;
    case "servicesUnknown":
      return `the server didn't say which services it holds (${found.reason})`;
    case "withoutServices":
      return "it holds no service";
  }
}

/** One line about a certificate that is left out, without an end. */
export function leftOutText({ server, thumbprint, subject, why }: LeftOut): string {
  return cleaned(`${server}: ${thumbprint}${subject === "" ? "" : ` (${subject})`}: ${why}`);
}

const TYPE = "exchange:index:ExchangeCertificateBinding";

/** For `pulumi import --file`. */
export function importFile({ bindings }: Adoption): string {
  const resources = bindings.map(({ name, server, certificate }) => ({
    type: TYPE,
    name,
    id: `${server}/${certificate.facts.thumbprint}`,
  }));
  return safeJson({ resources });
}

/** A program in TypeScript with the dynamic resource. What can't be bound any more is left out there too. */
export function program({ bindings, leftOut }: Adoption, now: Date): string {
  const isExpired = ({ certificate }: Adoptable): boolean => Date.parse(certificate.facts.notAfter) <= now.getTime();
  const left = [
    ...leftOut,
    ...bindings.filter(isExpired).map(({ server, certificate: { facts } }) => ({
      server,
      ...facts,
      why: `it has expired on ${facts.notAfter.slice(0, 10)}`,
    })),
  ];
  const declared = bindings.filter((one) => !isExpired(one)).map(declaration);
  const comments = left.length === 0 ? [] : ["// Left out:", ...left.map((one) => `// - ${leftOutText(one)}`), ""];
  return [
    'import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";',
    "",
    ...comments,
    ...declared,
  ].join("\n");
}

function declaration({ name, server, certificate: { facts }, found }: Adoptable): string {
  const names = Object.entries(found.names).map(([key, value]) => `  ${key}: ${JSON.stringify(value)},`);
  return [
    `// ${cleaned(`${facts.subject}, until ${facts.notAfter.slice(0, 10)}`)}`,
    `new ExchangeCertificateBinding(${JSON.stringify(name)}, {`,
    `  server: ${JSON.stringify(server)},`,
    `  certificate: { thumbprint: ${JSON.stringify(facts.thumbprint)} },`,
    `  services: [${found.services.map((service) => JSON.stringify(service)).join(", ")}],`,
    ...names,
    "});",
    "",
  ].join("\n");
}
