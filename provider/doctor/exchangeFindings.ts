import type { ServerSnapshot } from "../backends/backend";
import type { EndpointMemory } from "../backends/remote/endpointSessions";
import { codeOfResult, hasFailed } from "../backends/remote/exchangeErrors";
import type { ErrorCode } from "../errors";
import type { Observed } from "../model";
import type { PipelineResult } from "../remoting/session";
import { type Finding, fail, ok, skip, warn } from "./finding";
import { NEEDED_CMDLETS, type NeededCmdlet } from "./neededCmdlets";

/* What Exchange lets us see, judged on data. */

/** A cmdlet that the account sees; `parameters` undefined: the endpoint doesn't tell. */
export interface VisibleCmdlet {
  readonly name: string;
  readonly parameters: readonly string[] | undefined;
}

export type CmdletListing =
  | { readonly kind: "listed"; readonly cmdlets: readonly VisibleCmdlet[] }
  /** Get-Command can't be had here. */
  | { readonly kind: "notTold"; readonly why: string };

export function judgeCmdlets(listing: CmdletListing): readonly Finding[] {
  if (listing.kind === "notTold") {
    return [
      skip("cmdlets", `this endpoint doesn't list its cmdlets (${listing.why}); what is missing shows in what follows`),
    ];
  }
  const lacks = NEEDED_CMDLETS.map((needed) => ({ needed, lack: lackOf(needed, listing.cmdlets) }));
  const missing = lacks.filter(({ lack }) => lack !== undefined);
  const seen = `${NEEDED_CMDLETS.length - missing.length} of ${NEEDED_CMDLETS.length} that are used can be seen`;
  const isWithoutParameters = listing.cmdlets.some(({ parameters }) => parameters === undefined);
  const note = isWithoutParameters ? "; their parameters aren't told" : "";
  if (missing.length === 0) return [ok("cmdlets", `all ${seen.replace(/^\d+ of /, "")}${note}`)];
  const vital = missing.filter(({ needed }) => needed.isVital === true);
  if (vital.length > 0)
    return vital.map(({ needed, lack }) => fail("cmdlets", lackText(needed, lack), remedyFor(needed)));
  // One word about each role, however many cmdlets it would bring.
  const byRole = new Map<string, { readonly texts: string[]; readonly remedy: string }>();
  for (const { needed, lack } of missing) {
    const entry = byRole.get(needed.role) ?? { texts: [], remedy: remedyFor(needed) };
    entry.texts.push(lackText(needed, lack));
    byRole.set(needed.role, entry);
  }
  return [
    ok("cmdlets", `${seen}${note}`),
    ...[...byRole.values()].map(({ texts, remedy }) => warn("cmdlets", texts.join(" "), remedy)),
  ];
}

function lackText({ without }: NeededCmdlet, lack: string | undefined): string {
  return `${lack ?? ""}: ${without}.`;
}

function remedyFor({ role, name }: NeededCmdlet): string {
  return (
    `Give the account the role "${role}" (Get-ManagementRole -Cmdlet ${name} lists all that hold this one); it counts ` +
    "in a new session."
  );
}

/** What of it can't be seen. */
function lackOf({ name, parameters }: NeededCmdlet, visible: readonly VisibleCmdlet[]): string | undefined {
  const found = visible.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) return `${name} can't be seen`;
  const known = found.parameters?.map((one) => one.toLowerCase());
  if (known === undefined) return undefined;
  const lacking = parameters.filter((one) => !known.includes(one.toLowerCase()));
  return lacking.length === 0
    ? undefined
    : `${name} can be seen, but not its ${lacking.map((one) => `-${one}`).join(", ")}`;
}

/** Parts of a snapshot that may be unknown, and their names. */
const PARTS = {
  version: "Exchange's version",
  defaultSmtpThumbprint: "the default SMTP certificate",
  imapCertificateName: "the certificate name of IMAP",
  popCertificateName: "the certificate name of POP",
  umStartupMode: "the startup mode of unified messaging",
  umCallRouterStartupMode: "the startup mode of the UM call router",
  sendConnectors: "the send connectors",
  receiveConnectors: "the receive connectors",
  authCertificates: "the Auth certificate",
  federationThumbprints: "the federation trust's certificates",
  edgeSubscriptions: "the Edge subscriptions",
} as const satisfies Readonly<Partial<Record<keyof ServerSnapshot, string>>>;

/** Parts that only versions with unified messaging tell, through an endpoint whose server has it too. */
const UM_PARTS: ReadonlySet<string> = new Set([PARTS.umStartupMode, PARTS.umCallRouterStartupMode]);

/** `isByName`: the endpoint's URL has the server's name in it; a fixed one may lead to a server of another version. */
export function judgeReading(
  asked: string,
  snapshot: ServerSnapshot,
  { isByName }: { readonly isByName: boolean } = { isByName: true },
): readonly Finding[] {
  const { server, version, certificates } = snapshot;
  const shown =
    version.kind === "known"
      ? `, Exchange ${version.value.major}.${version.value.minor}.${version.value.build}.${version.value.revision}`
      : "";
  const read = `${certificates.length} ${certificates.length === 1 ? "certificate" : "certificates"} on ${server}${shown}`;
  if (server !== asked.toLowerCase()) {
    return [
      fail(
        "reading",
        `${server} answered instead of ${asked}.`,
        "Name the server by its own FQDN, as Get-ExchangeServer | Format-List Fqdn shows it.",
      ),
    ];
  }
  const reasons = new Map<string, string[]>();
  for (const [key, label] of Object.entries(PARTS)) {
    const part: Observed<unknown> = snapshot[key as keyof typeof PARTS];
    if (part.kind === "unknown") reasons.set(part.reason, [...(reasons.get(part.reason) ?? []), label]);
  }
  return [
    ok("reading", read),
    ...[...reasons].map(([reason, labels]) =>
      warn(
        "reading",
        `Unknown: ${labels.join(", ")}, because: ${shortened(reason)}`,
        "What is unknown is never taken for none: what depends on it is refused, or not told.",
        ...(!isByName && version.kind === "known" && labels.some((label) => UM_PARTS.has(label))
          ? [
              `The server that exchange:endpoint leads to may be of a version without these cmdlets, as Exchange 2019 is: name a server of this version (${version.value.major}.${version.value.minor}) as exchange:endpoint (--endpoint), or {server} in it.`,
            ]
          : []),
      ),
    ),
  ];
}

/** Of what a server says. */
const LONGEST_TEXT = 160;

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT)}…`;
}

export function judgeServices(snapshot: ServerSnapshot, how: EndpointMemory["certificates"]): Finding {
  const { certificates } = snapshot;
  if (certificates.length === 0) return skip("services", "there is no certificate to tell them by");
  const unknown = certificates.flatMap(({ displayedServices }) =>
    displayedServices.kind === "unknown" ? [displayedServices.reason] : [],
  );
  if (unknown.length > 0) {
    return warn(
      "services",
      `What ${unknown.length} of ${certificates.length} certificates serve isn't told (${shortened(unknown[0] ?? "")}).`,
      "Changed bindings are refused on this server, unchanged ones stay as they are. Ask with serializationLevel=Full: " +
        "leave the query out of exchange:endpoint, or write it there.",
    );
  }
  return ok(
    "services",
    how === "projected"
      ? "told by a projection at the server (Select-Object)"
      : "told by whole objects (SerializationData)",
  );
}

/** What kept a step from an answer: no answer at all, or a failed cmdlet. */
export type ReadingFailure =
  | { readonly seconds: number }
  | { readonly error: Error }
  | { readonly cmdlet: string; readonly result: PipelineResult | undefined };

/** `known`: the organisation's servers, where they are told. */
export function judgeReadingFailure(
  step: "cmdlets" | "reading",
  failure: ReadingFailure,
  known: readonly string[] | undefined,
  server: string,
): Finding {
  if ("seconds" in failure) {
    return fail(
      step,
      `No answer within ${failure.seconds} seconds.`,
      "The server may be overloaded, or may wait for another one that is down: run it again, or allow more (--timeout).",
    );
  }
  if ("error" in failure)
    return fail(step, failure.error.message, "Run it again; EXCHANGE_TRACE=1 shows the conversation.");
  const { cmdlet, result } = failure;
  if (result === undefined || !hasFailed(result)) {
    return fail(
      step,
      "The server doesn't say its fully qualified name.",
      `Look at what ${cmdlet} shows there; without a name nobody knows which server answered.`,
    );
  }
  if (known !== undefined && known.length > 0 && !known.includes(server)) {
    return fail(
      step,
      `There is no server ${server} in this organisation; it has ${shortened(known.join(", "))}.`,
      "Name one of them, as Get-ExchangeServer | Format-List Fqdn shows it.",
    );
  }
  const code = codeOfResult(result);
  const said = result.errors.at(0)?.message ?? `it ended as ${result.state} without saying why`;
  return fail(step, `${cmdlet}: ${shortened(said)}`, READING_REMEDIES[code] ?? OTHER_REMEDY);
}

const OTHER_REMEDY =
  "Run the same cmdlet in an Exchange Management Shell as this account; if it fails there too, it isn't the way we go.";

const READING_REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ServerUnreachable:
    "The session's server can't reach that one by RPC: check that it is up, that MSExchangeServiceHost runs there, and the " +
    "firewalls between them. Or ask it directly: {server} in exchange:endpoint.",
  ServerUnknown: "Name the server by its own FQDN, as Get-ExchangeServer | Format-List Fqdn shows it.",
  CmdletNotAvailable: 'Give the account the role "Exchange Server Certificates", then open a new session.',
  AccessDenied: "Give the account the role, with a scope that holds this server (Get-ManagementRoleAssignment).",
  Throttled: "Close other sessions of this account, or run it again later.",
};
