import { valueOr } from "../model";
import { findCertificate, heldServices } from "../plan/holdings";
import { linesOfForgetting } from "../plan/lines";
import { readState } from "../state";
import type { Deployment } from "./deployment";
import type { StateRequest } from "./requests";

/**
 * Forgets a binding. Exchange can't take services away from a certificate, so the certificate stays as it is, and one
 * line says what it still holds. No call is made.
 */
export async function forget(deployment: Deployment, { id, state }: StateRequest): Promise<void> {
  const stored = readState(id, state);
  const { server, thumbprint } = stored.previous;
  deployment.refuseOffline(`Deleting binding "${stored.identity.label}"`);
  await deployment.refuseOtherBackend(stored);
  const last = deployment.snapshots.last(server);
  const certificate = last === undefined ? undefined : findCertificate(last, thumbprint);
  const held =
    last === undefined || certificate === undefined
      ? stored.heldServices
      : valueOr(heldServices(last, certificate), undefined);
  const isThere = last === undefined || certificate !== undefined;
  deployment.say(server, stored.identity, linesOfForgetting(thumbprint, held, isThere));
}
