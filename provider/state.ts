import * as z from "./zod";

import { FACT_KEYS, shownFacts } from "./certificate/facts";
import { parseThumbprint } from "./certificate/thumbprint";
import type { Thumbprint } from "./certificate/thumbprint";
import { storedWish } from "./certificateSource";
import { ExchangeBindingError } from "./errors";
import { DEFAULT_TIMEOUT_SECONDS, HIDDEN_KEYS, INPUT_DEFAULTS, INPUT_KEYS, identityIn, readConnectors } from "./inputs";
import { NAME_SERVICES, formatVersion, parseServerFqdn, parseService, sortServices, valueOr } from "./model";
import type { ExchangeService, ServerFqdn } from "./model";
import type { BindingIdentity, DeclaredName, NotDone, PreviousBinding, SupersededCertificate } from "./plan/desired";
import { connectorNames, isAmong } from "./plan/connectors";
import { findCertificate, heldServices, isOnServer } from "./plan/holdings";
import type { ObservedServer } from "./plan/observedServer";
import type { FollowUp } from "./plan/followUps";
import type { Work } from "./plan/planTypes";
import { sortedJson } from "./sortedJson";
import { followUpOutputs, followUpsSchema } from "./storedFollowUps";
import { UNKNOWN } from "./unknowns";

/** Written into every state. A released version reads every number up to its own. */
export const STATE_VERSION = 1;

type Bag = Readonly<Record<string, unknown>>;

/** A certificate that a resource replaced: how the hand-over is found again by later runs. */
export interface Superseded {
  /** `<server>/<THUMBPRINT>`. */
  readonly id: string;
  readonly thumbprint: string;
  /** Services that were declared for it and no longer are. */
  readonly released: readonly ExchangeService[];
  /** When it was replaced, ISO 8601. */
  readonly since?: string | undefined;
  /** It was named by its thumbprint: its key may be on that server alone. */
  readonly onlyThere?: boolean | undefined;
}

/** A service that left another certificate because of this binding. */
interface TakenOver {
  readonly service: string;
  readonly fromThumbprint: string;
}

/** What the state says about a binding, parsed. Anything else in it is kept as it is. */
export interface StoredBinding {
  readonly id: string;
  readonly identity: BindingIdentity;
  /** Seconds. */
  readonly timeoutSeconds: number;
  readonly onDelete: "retain" | "remove";
  /** Kind of the backend that made it; undefined where `get` gave no state. */
  readonly backend: string | undefined;
  readonly previous: PreviousBinding & { readonly thumbprint: Thumbprint };
  readonly supersedes: readonly Superseded[];
  readonly heldServices: readonly string[] | undefined;
  readonly takenOver: readonly TakenOver[];
  /** What was left to do when it was written, each with its day. */
  readonly followUps: readonly FollowUp[];
  readonly raw: Bag;
}

export function idOf(server: ServerFqdn, thumbprint: Thumbprint): string {
  return `${server}/${thumbprint}`;
}

interface BindingId {
  readonly server: ServerFqdn;
  readonly thumbprint: Thumbprint;
}

function bindingIdOf(id: string): BindingId | undefined {
  const [host = "", mark = "", ...rest] = id.split("/");
  const server = parseServerFqdn(host);
  const thumbprint = parseThumbprint(mark);
  return server === undefined || thumbprint === undefined || rest.length > 0 ? undefined : { server, thumbprint };
}

/** Reads an id, `<server>/<thumbprint>`. */
export function parseId(id: string): BindingId {
  const parsed = bindingIdOf(id);
  if (parsed !== undefined) return parsed;
  throw unreadable(
    id,
    `The id "${id}" isn't one of a certificate binding. An id is <server>/<thumbprint>, such as ex01.contoso.com/${"0".repeat(40)}.`,
  );
}

function unreadable(id: string, text: string): ExchangeBindingError {
  return new ExchangeBindingError("StateUnreadable", text, { facts: { id } });
}

/** Of a state that somebody has edited. `parts`: what is wrong, each with its place. */
function edited(id: string, outputs: Bag, parts: readonly string[]): ExchangeBindingError {
  const { urn } = identityIn(outputs);
  const forget = `pulumi state delete ${urn.startsWith("urn:") && !urn.includes("'") ? `'${urn}'` : "with its URN"}`;
  return unreadable(
    id,
    `The state of ${id} can't be read: ${parts.join("; ")}. No version of pulumi-exchange-certificates writes that; was the state edited by hand? ` +
      `Restore an earlier one (pulumi stack export --version, then pulumi stack import). Or forget the binding (${forget}), which touches no server, and run up: it begins anew with what is there.`,
  );
}

/** Looked at before anything else: what a newer version wrote may have any form. */
const versionSchema = z.object({ stateVersion: z.int().min(0).default(0) });

const bindingId = z.string().refine((id) => bindingIdOf(id) !== undefined, { error: "isn't <server>/<thumbprint>" });
const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)), { error: "isn't a moment (ISO 8601)" });
const service = z.string().refine((name) => parseService(name) !== undefined, { error: "isn't a service" });

const storedSchema = z.object({
  backend: z.string().optional(),
  services: z.array(service).optional(),
  timeoutSeconds: z.number().positive().optional(),
  replaceDefaultSmtpCertificate: z.boolean().optional(),
  imapCertificateName: z.string().optional(),
  popCertificateName: z.string().optional(),
  heldServices: z.array(z.string()).optional(),
  supersedes: z
    .array(
      z.object({
        id: bindingId,
        thumbprint: z.string(),
        released: z.array(service),
        since: moment.optional(),
        onlyThere: z.boolean().optional(),
      }),
    )
    .optional(),
  onDelete: z.enum(["retain", "remove"]).optional(),
  takenOver: z.array(z.object({ service: z.string(), fromThumbprint: z.string() })).optional(),
  connectorsNotSet: z.array(z.string()).optional(),
  followUpTasks: followUpsSchema.optional(),
  notDone: z
    .object({ services: z.array(z.string()), names: z.array(z.enum(NAME_SERVICES)), defaultSmtp: z.boolean() })
    .optional(),
});

function servicesIn(names: readonly string[]): ExchangeService[] {
  return sortServices(names.flatMap((name) => parseService(name) ?? []));
}

function nameIn(stored: string | undefined): DeclaredName {
  return stored === "" ? null : stored;
}

/** Named by its thumbprint alone or chosen on the server, so that nobody could bring it again. */
function isNamedOnly(certificate: unknown): boolean {
  return (
    typeof certificate === "object" &&
    certificate !== null &&
    ("thumbprint" in certificate || "onServer" in certificate)
  );
}

/** Reads the outputs of the state. Throws `StateUnreadable` for a state of a newer version. */
export function readState(id: string, outputs: Bag): StoredBinding {
  const { server, thumbprint } = parseId(id);
  const version = versionSchema.safeParse(outputs);
  if (!version.success) throw edited(id, outputs, ["stateVersion isn't a whole number"]);
  if (version.data.stateVersion > STATE_VERSION) {
    throw unreadable(
      id,
      `The state of ${id} has version ${String(version.data.stateVersion)}, this pulumi-exchange-certificates knows ${String(STATE_VERSION)}. Install the version that wrote it, or a newer one.`,
    );
  }
  const parsed = storedSchema.safeParse(outputs);
  if (!parsed.success) throw edited(id, outputs, parsed.error.issues.map(describeIssue));
  const contradictions = contradictionsIn({ server, thumbprint }, outputs);
  if (contradictions.length > 0) throw edited(id, outputs, contradictions);
  const stored = parsed.data;
  const supersedes = (stored.supersedes ?? []).map((one): Superseded => {
    const old = parseId(one.id);
    const { since, onlyThere } = one;
    return {
      id: idOf(old.server, old.thumbprint),
      thumbprint: old.thumbprint,
      released: servicesIn(one.released),
      since,
      onlyThere,
    };
  });
  const superseded = supersedes.map(({ id: old, since, onlyThere = false }): SupersededCertificate => ({
    ...parseId(old),
    since,
    onlyThere,
  }));
  return {
    id,
    identity: identityIn(outputs),
    timeoutSeconds: stored.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    onDelete: stored.onDelete ?? "retain",
    backend: stored.backend,
    previous: {
      server,
      thumbprint,
      services: servicesIn(stored.services ?? []),
      selfSigned: storedWish(outputs["certificate"]),
      connectors: readConnectors(outputs["connectors"] ?? undefined, () => undefined),
      connectorsNotSet: stored.connectorsNotSet,
      onlyThere: isNamedOnly(outputs["certificate"]),
      superseded,
      replaceDefaultSmtpCertificate: stored.replaceDefaultSmtpCertificate ?? false,
      certificateNames: { IMAP: nameIn(stored.imapCertificateName), POP: nameIn(stored.popCertificateName) },
      ...(stored.notDone === undefined
        ? {}
        : { notDone: { ...stored.notDone, services: servicesIn(stored.notDone.services) } }),
    },
    supersedes,
    heldServices: stored.heldServices,
    takenOver: stored.takenOver ?? [],
    followUps: stored.followUpTasks ?? [],
    raw: outputs,
  };
}

function describeIssue({ path, message, code }: z.core.$ZodIssue): string {
  return `${path.join(".")} ${code === "custom" ? message : "has another form"}`;
}

/** Where outputs say something else than the id, by which the certificate is found. */
function contradictionsIn({ server, thumbprint }: BindingId, outputs: Bag): readonly string[] {
  const [itsServer, itsThumbprint] = [outputs["server"], outputs["thumbprint"]];
  return [
    ...(typeof itsServer === "string" && parseServerFqdn(itsServer) !== server ? ["server isn't that of the id"] : []),
    ...(typeof itsThumbprint === "string" && parseThumbprint(itsThumbprint) !== thumbprint
      ? ["thumbprint isn't that of the id"]
      : []),
  ];
}

/** The same from the inputs alone, as `check` has them; undefined when they name no server. */
export function previousFromInputs(inputs: Bag): PreviousBinding | undefined {
  const server = typeof inputs["server"] === "string" ? parseServerFqdn(inputs["server"]) : undefined;
  const parsed = storedSchema.safeParse(inputs);
  if (server === undefined || !parsed.success) return undefined;
  const stored = parsed.data;
  const thumbprint = typeof inputs["thumbprint"] === "string" ? parseThumbprint(inputs["thumbprint"]) : undefined;
  return {
    server,
    thumbprint,
    services: servicesIn(stored.services ?? []),
    selfSigned: storedWish(inputs["certificate"]),
    connectors: readConnectors(inputs["connectors"] ?? undefined, () => undefined),
    onlyThere: isNamedOnly(inputs["certificate"]),
    superseded: [],
    replaceDefaultSmtpCertificate: stored.replaceDefaultSmtpCertificate ?? false,
    certificateNames: { IMAP: nameIn(stored.imapCertificateName), POP: nameIn(stored.popCertificateName) },
  };
}

/** What the server shows of a binding, as outputs. Parts that aren't known are left out: absent is not "none". */
export function observedOutputs(server: ObservedServer, thumbprint: Thumbprint): Bag {
  const certificate = findCertificate(server, thumbprint);
  const defaultSmtp = server.defaultSmtpThumbprint;
  const version = valueOr(server.version, undefined);
  const shared = {
    thumbprint,
    isDefaultSmtpCertificate: defaultSmtp.kind === "known" ? defaultSmtp.value === thumbprint : undefined,
    exchangeVersion: version === undefined ? undefined : formatVersion(version),
  };
  if (certificate === undefined) return shared;
  return {
    ...shared,
    ...shownFacts(certificate.facts),
    heldServices: valueOr(heldServices(server, certificate), undefined),
    displayedServices: valueOr(certificate.displayedServices, undefined),
    status: valueOr(certificate.status, undefined),
  };
}

/** What the outputs are made of after a change. */
export interface OutputParts {
  /** Checked inputs: the certificate as a form without its key, nothing secret. */
  readonly inputs: Bag;
  readonly backend: string;
  readonly server: ObservedServer | undefined;
  readonly serverName: ServerFqdn;
  readonly thumbprint: Thumbprint;
  readonly work: Work | undefined;
  /** The state before; undefined for a new resource. */
  readonly stored: StoredBinding | undefined;
  /** The resource that this one replaces. */
  readonly replaces: StoredBinding | undefined;
  /** Ids of replaced certificates about which other bindings decide from now on. */
  readonly leftToOthers?: ReadonlySet<string>;
  readonly now: Date;
  /** What a run that failed left undone. */
  readonly notDone?: NotDone | undefined;
  /** All that is left to do after a change; undefined where nothing was changed, and the state's own stay as they are. */
  readonly followUps?: readonly FollowUp[] | undefined;
}

/** The complete outputs of a binding. Plain JSON. */
export function outputsOf(parts: OutputParts): Bag {
  const { inputs, server, thumbprint, work, stored } = parts;
  const declared = servicesIn((inputs["services"] as readonly string[] | undefined) ?? []);
  const supersedes = supersededBy(parts, declared);
  return clean({
    ...inputs,
    ...(server === undefined ? { thumbprint } : observedOutputs(server, thumbprint)),
    takenOver: takenOver(work, stored, thumbprint),
    staysBehind: staysBehind(server, supersedes),
    supersedes,
    ...followUpsIn(parts),
    connectorsNotSet: notSetYet(parts),
    ...(parts.notDone === undefined ? {} : { notDone: parts.notDone }),
    backend: parts.backend,
    stateVersion: STATE_VERSION,
  });
}

/**
 * Send connectors that are declared and, as far as the server shows, haven't named the certificate yet. One that did
 * never comes in here: who cleared it isn't known. Undefined for none.
 */
function notSetYet({ inputs, server, thumbprint, stored }: OutputParts): readonly string[] | undefined {
  const facts = server === undefined ? undefined : findCertificate(server, thumbprint)?.facts;
  const left = readConnectors(inputs["connectors"] ?? undefined, () => undefined).send.filter((connector) => {
    const wasSet =
      stored !== undefined &&
      isAmong(stored.previous.connectors.send, connector) &&
      !isAmong(stored.previous.connectorsNotSet ?? [], connector);
    const isNamed = server !== undefined && facts !== undefined && connectorNames(server, "send", connector, facts);
    return !wasSet && !isNamed;
  });
  return left.length > 0 ? left : undefined;
}

/** Those of earlier runs stay until the certificate is replaced: nobody tells us that they have been done. */
function followUpsIn({ followUps, stored, serverName }: OutputParts): Bag {
  // Names that can't be shown stand in another form in the state: what is only kept is kept as it stands there.
  return followUps === undefined
    ? { followUps: stored?.raw["followUps"] ?? [], followUpTasks: stored?.raw["followUpTasks"] ?? [] }
    : { ...followUpOutputs({ earlier: stored?.followUps ?? [], all: followUps }, serverName) };
}

/** The newest take-over of each service; those of earlier changes stay on record. */
function takenOver(work: Work | undefined, stored: StoredBinding | undefined, own: Thumbprint): readonly TakenOver[] {
  const records = new Map<string, TakenOver>();
  for (const old of stored?.takenOver ?? []) records.set(`${old.service} ${old.fromThumbprint}`, old);
  const fresh = (work?.steps ?? [])
    .flatMap((step) =>
      (step.kind === "enable" && step.because !== "successor") || step.kind === "setCertificateName"
        ? step.takeOvers
        : [],
    )
    .filter(({ from }) => from.thumbprint !== own);
  for (const { service } of fresh)
    for (const key of records.keys()) if (key.startsWith(`${service} `)) records.delete(key);
  for (const { service, from } of fresh) {
    records.set(`${service} ${from.thumbprint}`, { service, fromThumbprint: from.thumbprint });
  }
  return [...records.values()];
}

/** The certificates that this binding has replaced and that are, as far as anybody knows, still on their server. */
function supersededBy(parts: OutputParts, declared: readonly ExchangeService[]): readonly Superseded[] {
  const { server, serverName, thumbprint, stored, replaces } = parts;
  const entries = new Map<string, Superseded>();
  for (const entry of [...(replaces?.supersedes ?? []), ...(stored?.supersedes ?? [])]) entries.set(entry.id, entry);
  if (replaces !== undefined) {
    const released = replaces.previous.services.filter((service) => !declared.includes(service));
    const { thumbprint: old, onlyThere } = replaces.previous;
    const since = entries.get(replaces.id)?.since ?? parts.now.toISOString();
    entries.set(replaces.id, {
      id: replaces.id,
      thumbprint: old,
      released,
      since,
      ...(onlyThere ? { onlyThere } : {}),
    });
  }
  entries.delete(idOf(serverName, thumbprint));
  const left = [...entries.values()].filter(({ id }) => {
    const old = parseId(id);
    if (parts.leftToOthers?.has(id) === true) return false;
    return server === undefined || old.server !== server.server || isOnServer(server, old.thumbprint);
  });
  if (parts.inputs["onDelete"] === "remove") return left;
  // Where nothing is removed they pile up: after years the newest will do, and those that may still hold something.
  // What has been left on another server before concerns nobody then.
  const own = left.filter(({ id }) => id === replaces?.id || parseId(id).server === serverName);
  const newest = own.slice(-RETAINED_LISTED);
  return own.filter((entry) => entry.released.length > 0 || newest.includes(entry));
}

/** That many replaced certificates with nothing to release are listed when none is ever removed. */
const RETAINED_LISTED = 3;

/** Released services that an old certificate of this server still holds. */
function staysBehind(server: ObservedServer | undefined, supersedes: readonly Superseded[]): readonly Bag[] {
  if (server === undefined) return [];
  return supersedes.flatMap(({ id, released }) => {
    const old = parseId(id);
    const certificate = old.server === server.server ? findCertificate(server, old.thumbprint) : undefined;
    const held = certificate === undefined ? [] : valueOr(heldServices(server, certificate), released);
    return released
      .filter((service) => held.includes(service))
      .map((service) => ({ service, thumbprint: old.thumbprint }));
  });
}

/** Inputs as `read` gives them back: those of the outputs, `services` reduced to what is held, in their order. */
export function inputsFromOutputs(outputs: Bag, source: "made" | "known"): Bag {
  const inputs: Record<string, unknown> = {};
  for (const key of [...INPUT_KEYS, ...HIDDEN_KEYS]) if (outputs[key] !== undefined) inputs[key] = outputs[key];
  // A made certificate's facts aren't inputs: nobody wished for them.
  if (source === "known") for (const key of FACT_KEYS) if (outputs[key] !== undefined) inputs[key] = outputs[key];
  return inputs;
}

/** Without `undefined`, which the engine's protocol can't carry; everything else must be plain JSON already. */
export function clean(bag: Bag): Bag {
  return withoutUndefined(bag) as Bag;
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]: [string, unknown]) => [key, withoutUndefined(part)]),
  );
}

/**
 * Inputs that differ from the stored ones. What the constructor adds is never a difference. Of a certificate its source
 * and its public parts are compared; another thumbprint is seen elsewhere.
 */
export function changedInputs(stored: Bag, inputs: Bag): readonly (typeof INPUT_KEYS)[number][] {
  const changed = INPUT_KEYS.filter(
    (key) =>
      key !== "certificate" && comparable(stored[key] ?? defaultOf(key)) !== comparable(inputs[key] ?? defaultOf(key)),
  );
  return sourceShape(stored["certificate"]) === sourceShape(inputs["certificate"])
    ? changed
    : [...changed, "certificate"];
}

function defaultOf(key: (typeof INPUT_KEYS)[number]): unknown {
  return (INPUT_DEFAULTS as Readonly<Record<string, unknown>>)[key];
}

/** Which source it is and its public parts: a rotated secret of the same certificate is no change, nor is its chain. */
function sourceShape(certificate: unknown): string | undefined {
  if (typeof certificate !== "object" || certificate === null) return comparable(certificate);
  return comparable(certificate, "chain");
}

/** The engine's protocol doesn't keep the order of keys. */
function comparable(value: unknown, leaveOut?: string): string | undefined {
  return sortedJson(value, (key, part) => (key === leaveOut ? undefined : part === UNKNOWN ? { unknown: true } : part));
}
