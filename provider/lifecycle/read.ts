import { ExchangeBindingError } from "../errors";
import type { Thumbprint } from "../certificate/thumbprint";
import { valueOr } from "../model";
import { describeBlocker } from "../plan/blockerText";
import { findCertificate, heldServices, holds, isOnServer } from "../plan/holdings";
import type { ObservedCertificate, ObservedServer } from "../plan/observedServer";
import { inputsFromOutputs, outputsOf, readState } from "../state";
import type { StoredBinding } from "../state";
import type { Deployment } from "./deployment";
import { declaredAsFound } from "./imported";
import type { Bag, ReadAnswer, ReadRequest } from "./requests";

/**
 * Reads a binding back. Gone means: the server answered, and the certificate isn't there. Connection trouble and
 * services that the server didn't tell are errors, never "gone" and never "none". Without a state, what is there
 * becomes what is declared.
 */
export async function read(deployment: Deployment, request: ReadRequest): Promise<ReadAnswer> {
  const { id } = request;
  const stored = readState(id, request.state);
  deployment.refuseOffline(`Reading binding "${stored.identity.label}"`);
  await deployment.refuseOtherBackend(stored);
  const server = await deployment.snapshots.get(stored.previous.server, {
    seconds: stored.timeoutSeconds,
    ...request.limit,
    signal: request.signal,
  });
  const { thumbprint } = stored.previous;
  const certificate = findCertificate(server, thumbprint);
  if (certificate === undefined) {
    if (isOnServer(server, thumbprint)) refuseUnreadable(server, thumbprint);
    return { kind: "gone" };
  }
  const declared =
    request.isImport === true ? declaredAsFound(server, certificate) : declaredIn(stored, server, certificate);
  const outputs = outputsOf({
    inputs: { server: server.server, ...stored.raw, ...declared },
    backend: (await deployment.backend()).kind,
    server,
    serverName: server.server,
    thumbprint,
    work: undefined,
    stored,
    replaces: undefined,
    now: deployment.env.now(),
  });
  const source = stored.previous.selfSigned === undefined ? "known" : "made";
  return { kind: "there", id, outputs, inputs: inputsFromOutputs(outputs, source) };
}

/** It is there, and nothing can be said of it: the state stays what it is. */
function refuseUnreadable({ server }: ObservedServer, thumbprint: Thumbprint): never {
  const context = { server, now: new Date(0) };
  const reason = describeBlocker({ kind: "unreadableCertificate", property: "certificate", thumbprint }, context);
  throw new ExchangeBindingError("Refused", `Reading ${server}/${thumbprint}: ${reason}`, {
    facts: { server, thumbprint },
  });
}

function declaredIn(stored: StoredBinding, server: ObservedServer, certificate: ObservedCertificate): Bag {
  if (stored.raw["services"] !== undefined) return { services: stillHeld(stored, server) };
  if (stored.raw["certificate"] !== undefined) return {};
  const { thumbprint } = stored.previous;
  const held = valueOr(heldServices(server, certificate), undefined);
  return { certificate: { thumbprint }, ...(held === undefined ? {} : { services: held }) };
}

/** The declared services, in their order, without those that have been lost. Extras never show. */
function stillHeld(stored: StoredBinding, server: ObservedServer): readonly string[] {
  const certificate = findCertificate(server, stored.previous.thumbprint);
  if (certificate === undefined) return [];
  return stored.previous.services.filter((service) => {
    const held = holds(server, certificate, service);
    if (held.kind === "unknown") {
      throw new ExchangeBindingError(
        "ServicesUnknown",
        `Reading binding "${stored.identity.label}": ${stored.previous.server} didn't say whether ${stored.previous.thumbprint} holds ${service} (${held.reason}). ` +
          `Unknown isn't "none", so nothing is written to the state. Often the Auth certificate is expired or missing.`,
        { facts: { server: stored.previous.server, service } },
      );
    }
    return held.value;
  });
}
