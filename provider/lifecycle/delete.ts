import { heldServices, findCertificate } from "../plan/holdings";
import { valueOr } from "../model";
import { describeGone, describeRetained } from "../plan/planText";
import { readState } from "../state";
import type { Deployment } from "./deployment";

type Bag = Readonly<Record<string, unknown>>;

/**
 * Forgets a binding. Exchange can't take services away from a certificate, so the certificate stays as it is, and one
 * line says what it still holds. No call is made.
 */
export async function forget(deployment: Deployment, id: string, props: Bag): Promise<void> {
  const stored = readState(id, props);
  const { server, thumbprint } = stored.previous;
  deployment.refuseOffline(`Deleting binding "${stored.identity.label}"`);
  await deployment.refuseOtherBackend(stored);
  const last = deployment.snapshots.last(server);
  const certificate = last === undefined ? undefined : findCertificate(last, thumbprint);
  if (last !== undefined && certificate === undefined) {
    deployment.say(server, stored.identity, [describeGone(server, thumbprint)]);
    return;
  }
  const held =
    last === undefined || certificate === undefined
      ? stored.heldServices
      : valueOr(heldServices(last, certificate), undefined);
  deployment.say(server, stored.identity, [describeRetained(server, thumbprint, held)]);
}
