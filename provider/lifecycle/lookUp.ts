import { readCertificateSource } from "../certificateSource";
import { ExchangeBindingError } from "../errors";
import { DEFAULT_TIMEOUT_SECONDS, readServer } from "../inputs";
import type { CheckFailure } from "../inputs";
import type { ServerFqdn } from "../model";
import { valueOr } from "../model";
import { describeBlocker } from "../plan/blockerText";
import type { OnServerWish } from "../plan/desired";
import { findCertificate } from "../plan/holdings";
import { boundBy, chooseOnServer } from "../plan/onServer";
import { blockerOf } from "../plan/onServerNotices";
import type { ObservedCertificate, ObservedServer } from "../plan/observedServer";
import { sentence } from "../sentence";
import type { Deployment } from "./deployment";
import type { Bag, Limits } from "./requests";
import { foundCertificate, seenServer } from "./seenServer";
import type { FoundCertificate, SeenServer } from "./seenServer";

/*
 * Questions of programs about what is on a server. They are answered from the same reading as a preview, and change
 * nothing.
 */

/** Mistakes in what was asked for, or the answer. A server that can't be asked is an error, and so is an ambiguity. */
export type Answered<T> = { readonly failures: readonly CheckFailure[] } | { readonly answer: T };

export async function getServer(deployment: Deployment, args: Bag, limits: Limits): Promise<Answered<SeenServer>> {
  const failures: CheckFailure[] = [...strangers(args, ["server"])];
  const server = serverOf(args, failures);
  if (server === undefined || failures.length > 0) return { failures };
  return { answer: seenServer(await seen(deployment, server, limits)) };
}

const KEYS = ["thumbprint", "friendlyName", "dnsName"] as const;
const REFINEMENTS = ["issuer", "minDaysLeft"] as const;

export async function getCertificate(
  deployment: Deployment,
  given: Bag,
  limits: Limits,
): Promise<Answered<FoundCertificate>> {
  const args = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined));
  const failures: CheckFailure[] = [...strangers(args, ["server", ...KEYS, ...REFINEMENTS])];
  const server = serverOf(args, failures);
  const [key, ...more] = KEYS.filter((one) => args[one] !== undefined);
  if (key === undefined || more.length > 0) {
    failures.push({ property: "", reason: `Give exactly one of ${KEYS.join(", ")}.` });
  } else if (key !== "dnsName") {
    for (const one of REFINEMENTS) {
      if (args[one] !== undefined) failures.push({ property: one, reason: `${one} goes with dnsName alone.` });
    }
  }
  const find = key === undefined ? undefined : await finderOf(deployment, key, args, failures);
  if (server === undefined || find === undefined || failures.length > 0) return { failures };
  const observed = await seen(deployment, server, limits);
  return { answer: foundCertificate(observed, find(observed)) };
}

type Finder = (server: ObservedServer) => ObservedCertificate;

async function finderOf(
  deployment: Deployment,
  key: (typeof KEYS)[number],
  args: Bag,
  failures: CheckFailure[],
): Promise<Finder | undefined> {
  if (key === "friendlyName") {
    const name = args[key];
    if (typeof name === "string" && name.trim() !== "") return (server) => named(server, name);
    failures.push({ property: key, reason: "friendlyName must be a text, and not empty." });
    return undefined;
  }
  const { dnsName, issuer, minDaysLeft, thumbprint } = args;
  const source = key === "thumbprint" ? { thumbprint } : { onServer: { dnsNames: [dnsName], issuer, minDaysLeft } };
  const kept = { get: () => undefined, keep: () => undefined };
  const read = await readCertificateSource(source, { env: deployment.env, kept });
  if ("problems" in read) {
    failures.push(...read.problems.map((problem) => ({ property: key, reason: asAsked(problem) })));
    return undefined;
  }
  const { desired, onServer } = read.source;
  const now = deployment.env.now();
  if (onServer !== undefined) return (server) => newest(server, onServer, now);
  return (server) => {
    const found = desired.kind === "thumbprint" ? findCertificate(server, desired.thumbprint) : undefined;
    return found ?? none(server, sentence`no certificate of the thumbprint ${String(thumbprint)} is there`);
  };
}

/** What a binding's input is called is another thing here. */
function asAsked(problem: string): string {
  return problem.replaceAll("onServer.dnsNames", "dnsName").replaceAll("onServer.", "");
}

function named(server: ObservedServer, name: string): ObservedCertificate {
  const isIt = (one: ObservedCertificate): boolean =>
    valueOr(one.friendlyName, undefined)?.trim().toLowerCase() === name.trim().toLowerCase();
  const [first, ...more] = server.certificates.filter(isIt);
  const isTold = server.certificates.every(({ friendlyName }) => friendlyName.kind === "known");
  if (first === undefined) {
    const untold = isTold ? "" : " It didn't tell the friendly names of all.";
    return none(server, sentence`no certificate of the friendly name "${name}" is there.${untold}`);
  }
  if (more.length === 0 && !isTold) {
    return none(
      server,
      sentence`${first.facts.thumbprint} has the friendly name "${name}", but the server didn't tell the friendly names of all, and another one may have it too. Name it by its thumbprint`,
    );
  }
  if (more.length === 0) return first;
  const all = [first, ...more].map(({ facts }) => facts.thumbprint).join(", ");
  return none(
    server,
    sentence`${String(more.length + 1)} certificates have the friendly name "${name}": ${all}. Name one by its thumbprint`,
  );
}

function newest(server: ObservedServer, wish: OnServerWish, now: Date): ObservedCertificate {
  const choice = chooseOnServer(wish, server, { now, bound: undefined });
  const chosen = boundBy(choice);
  const found = chosen === undefined ? undefined : findCertificate(server, chosen.thumbprint);
  if (found !== undefined) return found;
  const blocker = blockerOf(choice, wish);
  if (blocker === undefined) return none(server, "nothing was chosen");
  throw new ExchangeBindingError("CertificateNotFound", describeBlocker(blocker, { server: server.server, now }), {
    facts: { server: server.server },
  });
}

function none({ server }: ObservedServer, why: string): never {
  const text = `getCertificate on ${server}: ${why.replace(/\.$/, "")}.`;
  throw new ExchangeBindingError("CertificateNotFound", text, { facts: { server } });
}

function strangers(args: Bag, known: readonly string[]): readonly CheckFailure[] {
  const strange = Object.keys(args).filter((key) => !known.includes(key));
  return strange.map((key) => ({
    property: "",
    reason: `${key} isn't an argument. Arguments are ${known.join(", ")}.`,
  }));
}

function serverOf(args: Bag, failures: CheckFailure[]): ServerFqdn | undefined {
  return readServer(args["server"], false, (property, reason) => {
    failures.push({ property, reason });
  });
}

async function seen(deployment: Deployment, server: ServerFqdn, limits: Limits): Promise<ObservedServer> {
  const observation = await deployment.look(server, DEFAULT_TIMEOUT_SECONDS, limits);
  if (observation.kind === "observed") return observation.server;
  throw new ExchangeBindingError("ServerUnreachable", `${server} wasn't asked: ${observation.reason}`, {
    facts: { server },
  });
}
