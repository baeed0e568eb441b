import * as z from "./zod";

import { FACT_KEYS, shownFacts, type CertificateFacts } from "./certificate/facts";
import { parseThumbprint } from "./certificate/thumbprint";
import type { Thumbprint } from "./certificate/thumbprint";
import { readCertificateSource } from "./certificateSource";
import type { CertificateSource, KeptMaterial, SourceContext, SourceEnv } from "./certificateSource";
import {
  type ExchangeService,
  type NameService,
  type ServerFqdn,
  EXCHANGE_SERVICES,
  flawOfName,
  NAME_SERVICES,
  parseServerFqdn,
  parseService,
  sortServices,
} from "./model";
import { describeNameFlaw } from "./plan/blockerText";
import { declaresAny } from "./plan/desired";
import type { BindingIdentity, DeclaredConnectors, DeclaredName, DesiredBinding, OnServerWish } from "./plan/desired";
import { namePropertyOf, nameFlaw } from "./plan/names";
import type { NameFlaw } from "./plan/names";
import { namesOfWish, subjectOfWish } from "./plan/target";
import { shown, isHarmless, isPlainText, NOT_PLAIN } from "./shownValue";
import { UNKNOWN, containsUnknown } from "./unknowns";

/** A mistake in the inputs, as the engine shows it. `property` is a top-level input, or empty for the whole. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
  /** The same as data, where a plan may find it again. */
  readonly flaw?: NameFlaw;
}

/** The inputs that a program gives. */
export const INPUT_KEYS = [
  "server",
  "certificate",
  "services",
  "replaceDefaultSmtpCertificate",
  "requireSsl",
  "imapCertificateName",
  "popCertificateName",
  "successor",
  "onServiceRemoved",
  "connectors",
  "onDelete",
  "removeAfterDays",
  "allowConnectorGap",
  "onFailure",
  "friendlyName",
  "privateKeyExportable",
  "renewBeforeDays",
  "timeoutSeconds",
] as const;
/** What the constructor adds to them: never a difference. */
export const HIDDEN_KEYS = ["bindingUrn", "bindingLabel", "bindingDeleteBeforeReplace"] as const;

type GivenKey = (typeof INPUT_KEYS)[number];
export type InputKey = GivenKey | (typeof HIDDEN_KEYS)[number];
const ALL_KEYS: readonly InputKey[] = [...INPUT_KEYS, ...HIDDEN_KEYS];

export const DEFAULT_TIMEOUT_SECONDS = 300;

/** What an input means where it is left out; to give it means the same. */
export const INPUT_DEFAULTS = {
  replaceDefaultSmtpCertificate: false,
  requireSsl: true,
  onServiceRemoved: "refuse",
  onDelete: "retain",
  removeAfterDays: 0,
  allowConnectorGap: false,
  onFailure: "keep",
  privateKeyExportable: false,
  renewBeforeDays: 30,
  timeoutSeconds: DEFAULT_TIMEOUT_SECONDS,
} as const satisfies Partial<Record<GivenKey, unknown>>;

type Bag = Readonly<Record<string, unknown>>;

/** The inputs, read as far as they can be. */
export interface ReadInputs {
  readonly failures: readonly CheckFailure[];
  /** Top-level inputs with a value that a preview doesn't know yet. */
  readonly unknown: ReadonlySet<InputKey>;
  /** What the state stores and the display compares: normal forms, and the facts of the certificate. */
  readonly normalised: Bag;
  readonly identity: BindingIdentity;
  readonly server: ServerFqdn | undefined;
  readonly source: CertificateSource | undefined;
  /** Where the certificate is to be chosen on the server: `desired` has an unknown one until then. */
  readonly onServer: OnServerWish | undefined;
  /** Present when nothing needed for planning is unknown or wrong. */
  readonly desired: DesiredBinding | undefined;
}

const wholeNumber = (unit: string, least: number, most: number) =>
  z
    .int({ error: `give a whole number of ${unit}` })
    .min(least, { error: `give at least ${least === 1 ? `1 ${unit.replace(/s$/, "")}` : `${String(least)} ${unit}`}` })
    .max(most, { error: `give at most ${String(most)} ${unit}` });
const flag = z.boolean({ error: "give true or false" });
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `give ${values.map((value) => `"${value}"`).join(" or ")}` });

const SIMPLE = {
  replaceDefaultSmtpCertificate: flag,
  requireSsl: flag,
  privateKeyExportable: flag,
  onServiceRemoved: oneOf(["refuse", "forget"]),
  onDelete: oneOf(["retain", "remove"]),
  removeAfterDays: wholeNumber("days", 0, 3650),
  allowConnectorGap: flag,
  onFailure: oneOf(["keep", "rollback"]),
  friendlyName: z
    .string({ error: "give a text" })
    .min(1, { error: "the name is empty; leave it out instead" })
    .max(63, { error: "Exchange takes at most 63 characters" })
    .refine(isPlainText, { error: `it ${NOT_PLAIN}` }),
  renewBeforeDays: wholeNumber("days", 0, 3650),
  timeoutSeconds: wholeNumber("seconds", 1, 86_400),
} as const;

/** What reading inputs takes from outside. */
export interface InputReading {
  readonly env: SourceEnv;
  /** The keys that stay in the process, of one binding. */
  readonly keptOf: (binding: BindingIdentity) => KeptMaterial;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the inputs of a program. Collects every mistake; throws only when the signal
 * fires; unknown values are left alone. */
export async function readInputs(raw: Bag, reading: InputReading): Promise<ReadInputs> {
  const failures: CheckFailure[] = [];
  const unknown = new Set<InputKey>(ALL_KEYS.filter((key) => containsUnknown(raw[key])));
  const normalised: Record<string, unknown> = {};
  const fail = (property: string, reason: string): void => {
    failures.push({ property, reason });
  };
  for (const [key, value] of Object.entries(raw)) {
    if (value === undefined || value === null || key === "__provider" || isFactKey(key)) continue;
    if (!(ALL_KEYS as readonly string[]).includes(key))
      fail(key, `isn't an input of ExchangeCertificateBinding${didYouMean(key)}.`);
    else normalised[key] = value;
  }
  /** The value when it is given and known. */
  const given = (key: InputKey): unknown => (unknown.has(key) ? undefined : (raw[key] ?? undefined));
  const simple = <K extends keyof typeof SIMPLE>(key: K): z.infer<(typeof SIMPLE)[K]> | undefined => {
    const value = given(key);
    if (value === undefined) return undefined;
    const read = SIMPLE[key].safeParse(value);
    if (read.success) return read.data as z.infer<(typeof SIMPLE)[K]>;
    fail(key, `${shown(value)} can't be used: ${read.error.issues.map(({ message }) => message).join("; ")}.`);
    return undefined;
  };

  const withDefault = <K extends keyof typeof INPUT_DEFAULTS>(key: K): z.infer<(typeof SIMPLE)[K]> =>
    simple(key) ?? (INPUT_DEFAULTS[key] as z.infer<(typeof SIMPLE)[K]>);

  const identity = identityIn(raw);
  const server = readServer(raw["server"], unknown.has("server"), fail);
  if (server !== undefined) normalised["server"] = server;
  const context = { env: reading.env, kept: reading.keptOf(identity), signal: reading.signal };
  const source = unknown.has("certificate") ? undefined : await readSource(raw["certificate"], context, fail);
  if (source !== undefined) normalised["certificate"] = source.normalised;
  else if (unknown.has("certificate")) Object.assign(normalised, unknownSource(raw["certificate"]));
  // What can't be read may hold a key or a password all the same.
  else delete normalised["certificate"];
  const services = readServices(raw["services"], unknown.has("services"), fail);
  if (services !== undefined && !unknown.has("services")) normalised["services"] = services;

  const certificateNames: Record<NameService, DeclaredName> = {
    IMAP: readName("IMAP", given("imapCertificateName"), services, fail),
    POP: readName("POP", given("popCertificateName"), services, fail),
  };
  if (typeof certificateNames.IMAP === "string") normalised["imapCertificateName"] = certificateNames.IMAP;
  if (typeof certificateNames.POP === "string") normalised["popCertificateName"] = certificateNames.POP;
  // As it is stored: blanks mean the same as nothing at all.
  if (certificateNames.IMAP === null) normalised["imapCertificateName"] = "";
  if (certificateNames.POP === null) normalised["popCertificateName"] = "";
  for (const flaw of nameFlaws(source, services, certificateNames, unknown)) {
    // A name that was refused is none to judge the certificate by.
    if (failures.some(({ property }) => property === flaw.property)) continue;
    failures.push({ property: flaw.property, reason: describeNameFlaw(flaw), flaw });
  }
  const successor = readSuccessor(given("successor"), fail);
  if (successor !== undefined) normalised["successor"] = successor;

  const replaceDefaultSmtpCertificate = withDefault("replaceDefaultSmtpCertificate");
  if (
    replaceDefaultSmtpCertificate &&
    services !== undefined &&
    !unknown.has("services") &&
    !services.includes("SMTP")
  ) {
    fail(
      "replaceDefaultSmtpCertificate",
      "only a certificate with SMTP can become the default SMTP certificate. Add SMTP to services, or leave this out.",
    );
  }
  const connectors = readConnectors(given("connectors"), fail);
  if (declaresAny(connectors) && services?.includes("SMTP") === false && !unknown.has("services")) {
    fail("connectors", "a connector can only name a certificate with SMTP. Add SMTP to services, or leave this out.");
  }
  const onDelete = withDefault("onDelete");
  const removeAfterDays = withDefault("removeAfterDays");
  if (removeAfterDays > 0 && onDelete === "retain" && !unknown.has("onDelete")) {
    fail("removeAfterDays", 'says when a replaced certificate is removed, which only onDelete: "remove" does.');
  }
  const allowConnectorGap = withDefault("allowConnectorGap");
  if (allowConnectorGap && onDelete === "retain" && !unknown.has("onDelete")) {
    fail("allowConnectorGap", 'is for the removal of a certificate, which only onDelete: "remove" asks for.');
  } else if (allowConnectorGap && connectors.send.length === 0 && !unknown.has("connectors")) {
    fail(
      "allowConnectorGap",
      "is for send connectors that the binding declares. Name them in connectors.send, or leave this out.",
    );
  }
  const friendlyName = simple("friendlyName");
  const renewBeforeDays = withDefault("renewBeforeDays");
  const isMade = source?.desired.kind === "selfSigned";
  if (isMade && friendlyName !== undefined) {
    fail(
      "friendlyName",
      "a made certificate carries a friendly name of its own, by which an interrupted run finds it again. Leave it out.",
    );
  }
  if (source?.desired.kind === "selfSigned" && renewBeforeDays >= source.desired.wish.validityDays) {
    fail(
      "renewBeforeDays",
      `a certificate made for ${String(source.desired.wish.validityDays)} days would be due for renewal at once when it is renewed ${String(renewBeforeDays)} days before its end. Give a smaller number, or a longer validityDays.`,
    );
  }

  const facts = source?.desired.kind === "given" ? source.desired.facts : undefined;
  Object.assign(normalised, factsAsInputs(facts, source));
  // Which one it will be shows on the server, once that is known.
  if (source?.onServer !== undefined && unknown.size > 0) Object.assign(normalised, unknownFacts());
  const rest = {
    identity,
    deleteBeforeReplace: raw["bindingDeleteBeforeReplace"] === true,
    replaceDefaultSmtpCertificate,
    requireSsl: withDefault("requireSsl"),
    certificateNames,
    successor: unknown.has("successor") ? ("unknown" as const) : successor,
    onServiceRemoved: withDefault("onServiceRemoved"),
    connectors,
    onDelete,
    removeAfterDays,
    allowConnectorGap,
    onFailure: withDefault("onFailure"),
    friendlyName,
    privateKeyExportable: withDefault("privateKeyExportable"),
    renewBeforeDays,
    timeoutSeconds: withDefault("timeoutSeconds"),
  };
  const plannable = [...unknown].every((key) => key === "successor");
  return {
    failures,
    unknown,
    normalised,
    identity,
    server,
    source,
    onServer: source?.onServer,
    desired:
      plannable && server !== undefined && source !== undefined && services !== undefined && services.length > 0
        ? { ...rest, server, certificate: source.desired, services }
        : undefined,
  };
}

/**
 * Who the binding is, by its inputs or outputs. A resource that another class than ours registered may lack the hidden
 * inputs; it is then known by its label alone.
 */
export function identityIn(bag: Bag): BindingIdentity {
  const text = (key: (typeof HIDDEN_KEYS)[number]): string | undefined => {
    const value = bag[key];
    return typeof value === "string" && value !== "" && !containsUnknown(value) ? value : undefined;
  };
  const urn = text("bindingUrn");
  const label = text("bindingLabel") ?? urn?.split("::").at(-1) ?? "binding";
  return { urn: urn ?? label, label };
}

/** What check itself adds to the inputs, so that previews show it. */
function isFactKey(key: string): boolean {
  return (FACT_KEYS as readonly string[]).includes(key);
}

/** The facts of a known certificate as inputs. */
export function factsAsInputs(facts: CertificateFacts | undefined, source: CertificateSource | undefined): Bag {
  if (facts === undefined) {
    return source?.desired.kind === "thumbprint" ? { thumbprint: source.desired.thumbprint } : {};
  }
  return { ...shownFacts(facts) };
}

/** What is wrong with IMAP or POP on a certificate whose names the source tells; others only the server can judge. */
function nameFlaws(
  source: CertificateSource | undefined,
  services: readonly ExchangeService[] | undefined,
  declared: Readonly<Record<NameService, DeclaredName>>,
  unknown: ReadonlySet<InputKey>,
): readonly NameFlaw[] {
  const wanted = source?.desired;
  if (wanted === undefined || wanted.kind === "thumbprint" || wanted.kind === "unknown") return [];
  const names = wanted.kind === "given" ? wanted.facts : namesOfWish(wanted.wish);
  const subject = wanted.kind === "given" ? wanted.facts.subject : subjectOfWish(wanted.wish);
  return NAME_SERVICES.filter(
    (service) => services?.includes(service) === true && !unknown.has(namePropertyOf(service)),
  ).flatMap((service) => nameFlaw(service, declared[service], names, subject) ?? []);
}

type Fail = (property: string, reason: string) => void;

/** A server as inputs name it. */
export function readServer(given: unknown, isUnknown: boolean, fail: Fail): ServerFqdn | undefined {
  if (isUnknown) return undefined;
  const server = typeof given === "string" ? parseServerFqdn(given) : undefined;
  if (server === undefined) {
    fail(
      "server",
      `${shown(given)} isn't a server's fully qualified name${flawIn(given)}. Write it like ex01.contoso.com: no short name, no distinguished name, no dot at the end.`,
    );
  }
  return server;
}

/** Which character breaks a name, where the name can be shown. */
function flawIn(given: unknown): string {
  const flaw = typeof given === "string" && isHarmless(given) ? flawOfName(given) : undefined;
  return flaw === undefined ? "" : `: it ${flaw}`;
}

async function readSource(given: unknown, context: SourceContext, fail: Fail): Promise<CertificateSource | undefined> {
  const read = await readCertificateSource(given, context);
  if ("source" in read) return read.source;
  for (const problem of read.problems) fail("certificate", `${problem.replace(/\.$/, "")}.`);
  return undefined;
}

/**
 * A source with an unknown part is unknown as a whole: its other parts may be secret. So is what will be read from it;
 * a plan that was saved without these would forbid them. What is stored in its place has the shape of what will be: the
 * engine marks an unknown text in the place of an object with secrets as secret, and the form later breaks the plan.
 */
function unknownSource(given: unknown): Bag {
  const facts = unknownFacts();
  if (typeof given !== "object" || given === null) return { certificate: UNKNOWN, ...facts };
  if ("selfSigned" in given) return { certificate: given };
  if ("onServer" in given) return { certificate: given, ...facts };
  return { certificate: "thumbprint" in given ? { thumbprint: UNKNOWN } : { form: UNKNOWN }, ...facts };
}

function unknownFacts(): Bag {
  return Object.fromEntries(FACT_KEYS.map((key) => [key, UNKNOWN]));
}

/** The known ones among the services; what isn't known can't be judged. */
function readServices(given: unknown, isUnknown: boolean, fail: Fail): readonly ExchangeService[] | undefined {
  const choices = `Services are ${EXCHANGE_SERVICES.join(", ")}.`;
  if (!Array.isArray(given)) {
    if (!isUnknown) fail("services", `${shown(given)} isn't a list of services. ${choices}`);
    return undefined;
  }
  const services: ExchangeService[] = [];
  for (const item of (given as readonly unknown[]).filter((one) => !containsUnknown(one))) {
    const service = typeof item === "string" ? parseService(item) : undefined;
    if (service !== undefined) services.push(service);
    else if (typeof item === "string" && item.trim().toLowerCase() === "federation") {
      fail(
        "services",
        "Federation can't be assigned to a certificate; the federation trust looks after its own (Set-FederationTrust).",
      );
    } else if (typeof item === "string" && item.trim().toLowerCase() === "none") {
      fail("services", `"None" isn't a wish: Exchange can't take services away. ${choices}`);
    } else fail("services", `${shown(item)} isn't a service. ${choices}`);
  }
  if (given.length === 0) {
    fail(
      "services",
      `the list is empty. A binding declares at least one service; to stop managing a certificate, remove the resource. ${choices}`,
    );
  }
  return sortServices(services);
}

function readName(
  service: NameService,
  given: unknown,
  services: readonly ExchangeService[] | undefined,
  fail: Fail,
): DeclaredName {
  if (given === undefined) return undefined;
  const property = namePropertyOf(service);
  if (typeof given !== "string") {
    fail(property, `${shown(given)} isn't a name. Give the host name that ${service} clients use.`);
    return undefined;
  }
  if (given.trim() === "") {
    if (services?.includes(service) !== true) return null;
    fail(
      property,
      `${service} is declared, but without a name no certificate serves it. Give the host name that ${service} clients use, or leave this out.`,
    );
    return undefined;
  }
  const name = parseServerFqdn(given);
  if (name === undefined) {
    fail(
      property,
      `${shown(given)} isn't a fully qualified host name${flawIn(given)}. Give the name that ${service} clients use, like mail.contoso.com.`,
    );
  }
  return name;
}

const NO_CONNECTORS: DeclaredConnectors = { send: [], receive: [] };

/** `{ send?: string[], receive?: string[] }`. */
export function readConnectors(given: unknown, fail: Fail): DeclaredConnectors {
  if (given === undefined) return NO_CONNECTORS;
  const parsed = connectorsSchema.safeParse(given);
  if (!parsed.success) {
    fail(
      "connectors",
      "can't be used: give { send: [names of send connectors], receive: [names on that server] }, with at least one name.",
    );
    return NO_CONNECTORS;
  }
  const { send = [], receive = [] } = parsed.data;
  const full = receive.find((name) => name.includes("\\"));
  if (full !== undefined) {
    fail("connectors", `${shown(full)} has a server in front. Give the name alone: it is the binding's server.`);
  }
  const once = (names: readonly string[]): readonly string[] => [
    ...new Map(names.map((name) => [name.trim().toLowerCase(), name.trim()])).values(),
  ];
  return { send: once(send), receive: once(receive) };
}

const connectorName = z.string().trim().min(1).max(200);
const connectorsSchema = z
  .strictObject({ send: z.array(connectorName).optional(), receive: z.array(connectorName).optional() })
  .refine(({ send = [], receive = [] }) => send.length + receive.length > 0);

function readSuccessor(given: unknown, fail: Fail): Thumbprint | undefined {
  if (given === undefined) return undefined;
  const thumbprint = typeof given === "string" ? parseThumbprint(given) : undefined;
  if (thumbprint === undefined) fail("successor", `${shown(given)} isn't a thumbprint: 40 hexadecimal digits.`);
  return thumbprint;
}

/** A known input that is spelled nearly like the given one. */
function didYouMean(key: string): string {
  const bare = key.toLowerCase();
  const near = INPUT_KEYS.find((known) => {
    const candidate = known.toLowerCase();
    return candidate.startsWith(bare) || bare.startsWith(candidate) || candidate.endsWith(bare);
  });
  return near === undefined ? "" : `; did you mean ${near}?`;
}
