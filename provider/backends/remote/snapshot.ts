import { setImmediate as nextTurn } from "node:timers/promises";
import type { ServerFqdn } from "../../model";
import { displayOf, itemsOf, propertyOf } from "../../remoting/clixml/reading";
import type { ClixmlValue } from "../../remoting/clixml/types";
import { oneLine } from "../../remoting/oneLine";
import type { Command } from "../../remoting/psrp/pipelineMessages";
import type { PipelineResult } from "../../remoting/session";
import type { CertificateSnapshot, ServerSnapshot } from "../backend";
import { CERTIFICATE_PROJECTION, question, type ReadingCmdlet } from "../cmdlets";
import {
  type Answer,
  mayHaveUnifiedMessaging,
  mapRecord,
  ownName,
  SNAPSHOT_CMDLETS,
  type SnapshotAnswers,
  snapshotParts,
  type ShownObject,
  UM_CMDLETS,
  versionOf,
} from "../serverSnapshot";
import type { UsedCmdletName } from "../usedCmdlets";
import type { EndpointMemory } from "./endpointSessions";
import { type ExchangeCertificate, readExchangeCertificate } from "./exchangeCertificateObject";
import { ABOUT_THE_SERVER, codeOfResult, hasFailed } from "./exchangeErrors";

/** Runs a pipeline that only reads. Rejects when no answer is to be had at all. */
export type Ask = (commands: readonly Command[]) => Promise<PipelineResult>;

export type ReadSnapshot =
  | { readonly kind: "read"; readonly snapshot: ServerSnapshot }
  /** What keeps the whole server from being read; no result when the server doesn't say its name. */
  | { readonly kind: "failed"; readonly cmdlet: UsedCmdletName; readonly result: PipelineResult | undefined };

/** Everything about one server. The questions are put side by side; how many really are, the session decides. */
export async function readSnapshot(server: ServerFqdn, ask: Ask, memory: EndpointMemory): Promise<ReadSnapshot> {
  const put = (cmdlet: ReadingCmdlet): Promise<PipelineResult> => ask([question(cmdlet, server)]);
  // The certificates come first, and all the others are waited for before one failure ends everything.
  const [certificates, ...settled] = await Promise.allSettled([
    readCertificates(server, ask, memory),
    ...Object.values(SNAPSHOT_CMDLETS).map(put),
  ]);
  if (certificates.status === "rejected") throw certificates.reason;
  if (certificates.value.kind === "failed") {
    return { kind: "failed", cmdlet: "Get-ExchangeCertificate", result: certificates.value.result };
  }
  const results = new Map<ReadingCmdlet, PipelineResult>();
  for (const [index, name] of Object.values(SNAPSHOT_CMDLETS).entries()) {
    const one = settled[index];
    if (one?.status === "rejected") throw one.reason;
    if (one !== undefined) results.set(name, one.value);
  }
  const exchangeServer = answerOf(results.get(SNAPSHOT_CMDLETS.exchangeServer));
  if (mayHaveUnifiedMessaging(versionOf(exchangeServer))) {
    await Promise.all(Object.values(UM_CMDLETS).map(async (one) => results.set(one, await put(one))));
  }
  for (const [cmdlet, result] of results) {
    if (hasFailed(result) && ABOUT_THE_SERVER.has(codeOfResult(result))) return { kind: "failed", cmdlet, result };
  }
  const answers: SnapshotAnswers = {
    ...mapRecord(SNAPSHOT_CMDLETS, (name) => answerOf(results.get(name))),
    ...mapRecord(UM_CMDLETS, (name) => answerOf(results.get(name))),
  };
  const read = certificates.value.certificates;
  const name = ownName(exchangeServer, identitiesOf(read));
  if (name === undefined) {
    const cmdlet = SNAPSHOT_CMDLETS.exchangeServer;
    return { kind: "failed", cmdlet, result: results.get(cmdlet) };
  }
  return {
    kind: "read",
    snapshot: { server: name, certificates: read.map(certificateSnapshot), ...snapshotParts(answers) },
  };
}

/** One after the other, and whatever else wants to run in between: each may be a large one. */
async function inTurn<T>(objects: readonly ClixmlValue[], read: (object: ClixmlValue) => T): Promise<readonly T[]> {
  const all: T[] = [];
  for (const object of objects) {
    all.push(read(object));
    if (all.length % OBJECTS_PER_TURN === 0) await nextTurn();
  }
  return all;
}

/** Each may take a millisecond. */
const OBJECTS_PER_TURN = 5;

type ReadCertificates =
  | { readonly kind: "read"; readonly certificates: readonly ExchangeCertificate[] }
  | { readonly kind: "failed"; readonly result: PipelineResult };

/**
 * What the certificates serve is told in one of three ways: a projection at the server, the SerializationData of whole
 * objects, or not at all. Which one an endpoint knows is learnt once. A projection that tells nothing teaches nothing:
 * the next server may be in better health.
 */
export async function readCertificates(
  server: ServerFqdn,
  ask: Ask,
  memory: EndpointMemory,
): Promise<ReadCertificates> {
  if (memory.certificates !== "whole") {
    const projected = await ask([question("Get-ExchangeCertificate", server), CERTIFICATE_PROJECTION]);
    if (!hasFailed(projected)) {
      const certificates = (await inTurn(projected.output, readable)).flat();
      const isWhole = certificates.length === projected.output.length;
      if (isWhole && certificates.every(({ displayedServices }) => displayedServices.kind === "known")) {
        if (certificates.length > 0) memory.certificates = "projected";
        return { kind: "read", certificates };
      }
    } else if (ABOUT_THE_SERVER.has(codeOfResult(projected))) {
      return { kind: "failed", result: projected };
    }
  }
  const whole = await ask([question("Get-ExchangeCertificate", server)]);
  if (hasFailed(whole)) return { kind: "failed", result: whole };
  const certificates = await inTurn(whole.output, readExchangeCertificate);
  if (certificates.some(({ displayedServices }) => displayedServices.kind === "known")) memory.certificates ??= "whole";
  return { kind: "read", certificates };
}

/** A projection without RawData is no certificate; whole objects will have it. */
function readable(value: ClixmlValue): ExchangeCertificate[] {
  return propertyOf(value, "RawData")?.kind === "BA" ? [readExchangeCertificate(value)] : [];
}

function certificateSnapshot(certificate: ExchangeCertificate): CertificateSnapshot {
  const { der, displayedServices, iisSites, status, friendlyName, hasPrivateKey, privateKeyExportable } = certificate;
  return {
    der,
    displayedServices,
    iisSites,
    status,
    friendlyName,
    hasPrivateKey,
    privateKeyExportable,
  };
}

function identitiesOf(certificates: readonly ExchangeCertificate[]): readonly string[] {
  return certificates.flatMap(({ identity }) => (identity.kind === "known" ? [identity.value] : []));
}

function answerOf(result: PipelineResult | undefined): Answer {
  if (result === undefined) return { kind: "error", reason: "the server wasn't asked" };
  if (hasFailed(result)) {
    return { kind: "error", reason: oneLine(result.errors[0]?.message ?? "") || `the cmdlet ended as ${result.state}` };
  }
  return { kind: "objects", objects: result.output.map(shownObject) };
}

/** A property of an object that a cmdlet returned: what PowerShell would print of it. */
export function shownObject(value: ClixmlValue): ShownObject {
  const text = (from: ClixmlValue | undefined): string | undefined => {
    const shown = displayOf(from);
    return shown === undefined || shown === "" ? undefined : shown;
  };
  return {
    text: (name) => text(propertyOf(value, name)),
    texts: (name) => {
      const property = propertyOf(value, name);
      return (itemsOf(property) ?? []).flatMap((item) => text(item) ?? []);
    },
  };
}
