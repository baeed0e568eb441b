import type { Thumbprint } from "../certificate/thumbprint";
import { connectorNames } from "./connectors";
import { certificateNameOf, findCertificate, holds, isOnServer } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { CertificateRef, Goal } from "./planTypes";
import { isNameService } from "../model";

/** The thumbprint behind a reference, once it has one. */
export type Resolve = (ref: CertificateRef) => Thumbprint | undefined;

export function isMet(goal: Goal, server: ObservedServer, resolve: Resolve): boolean {
  switch (goal.kind) {
    case "present": {
      const thumbprint = resolve(goal.certificate);
      return thumbprint !== undefined && findCertificate(server, thumbprint) !== undefined;
    }
    case "holds": {
      const thumbprint = resolve(goal.certificate);
      const certificate = thumbprint === undefined ? undefined : findCertificate(server, thumbprint);
      if (certificate === undefined) return false;
      const held = holds(server, certificate, goal.service);
      return held.kind === "known" && held.value;
    }
    case "releases": {
      const certificate = findCertificate(server, goal.thumbprint);
      if (certificate === undefined) return true;
      const held = holds(server, certificate, goal.service);
      return held.kind === "known" && !held.value;
    }
    case "absent":
      return !isOnServer(server, goal.thumbprint);
    case "connectorNames": {
      const wanted = resolve(goal.certificate);
      const facts = wanted === undefined ? undefined : findCertificate(server, wanted)?.facts;
      return facts !== undefined && connectorNames(server, goal.type, goal.connector, facts);
    }
    case "defaultSmtpIs": {
      const wanted = resolve(goal.certificate);
      const actual = server.defaultSmtpThumbprint;
      return wanted !== undefined && actual.kind === "known" && actual.value === wanted;
    }
    case "certificateNameIs": {
      const name = certificateNameOf(server, goal.service);
      return name.kind === "known" && name.value?.toLowerCase() === goal.name?.toLowerCase();
    }
  }
}

/** Goals that a server, read again, doesn't show. Unknown counts as not shown. */
export function unmetGoals(goals: readonly Goal[], server: ObservedServer, resolve: Resolve): readonly Goal[] {
  return goals.filter((goal) => !isMet(goal, server, resolve));
}

/** Whether Active Directory is in between, so that a change may take a while to be seen. */
export function isReplicated(goal: Goal): boolean {
  switch (goal.kind) {
    case "defaultSmtpIs":
    case "certificateNameIs":
    case "connectorNames":
      return true;
    case "holds":
    case "releases":
      return isNameService(goal.service);
    case "present":
    case "absent":
      return false;
  }
}
