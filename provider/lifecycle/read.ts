import { ExchangeBindingError } from "../errors";
import { DEFAULT_TIMEOUT_SECONDS } from "../inputs";
import { findCertificate, holds } from "../plan/holdings";
import type { ObservedServer } from "../plan/observedServer";
import { inputsFromOutputs, outputsOf, readState } from "../state";
import type { StoredBinding } from "../state";
import type { Deployment } from "./deployment";

type Bag = Readonly<Record<string, unknown>>;

export interface ReadResult {
  readonly id?: string;
  readonly props?: Bag;
  readonly inputs?: Bag;
}

/**
 * Reads a binding back. `{}` means: the server answered, and the certificate isn't there. Connection trouble and
 * services that the server didn't tell are errors, never "gone" and never "none".
 */
export async function read(deployment: Deployment, id: string, props: Bag): Promise<ReadResult> {
  const stored = readState(id, props);
  deployment.refuseOffline(`Reading binding "${stored.identity.label}"`);
  await deployment.refuseOtherBackend(stored);
  const server = await deployment.snapshots.get(stored.previous.server, { seconds: DEFAULT_TIMEOUT_SECONDS });
  const { thumbprint } = stored.previous;
  if (findCertificate(server, thumbprint) === undefined) return {};
  const services = stillHeld(stored, server);
  const declared = stored.raw["services"] === undefined ? {} : { services };
  const props_ = outputsOf({
    inputs: { server: server.server, ...stored.raw, ...declared },
    backend: (await deployment.backend()).kind,
    server,
    serverName: server.server,
    thumbprint,
    work: undefined,
    stored,
    replaces: undefined,
  });
  const source = stored.previous.selfSigned === undefined ? "known" : "made";
  return { id, props: props_, inputs: inputsFromOutputs(props_, source) };
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
