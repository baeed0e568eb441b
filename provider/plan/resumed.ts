import type { Thumbprint } from "../certificate/thumbprint";
import { type ExchangeService, isNameService, valueOr } from "../model";
import { findCertificate, holds } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { Step } from "./planTypes";
import { named, namedUnreadable } from "./target";

/** What the state has of a certificate. */
export interface Remembered {
  readonly thumbprint: Thumbprint;
  /** Undefined where the state doesn't say. */
  readonly heldServices: readonly string[] | undefined;
  readonly isDefaultSmtp: boolean;
}

export interface ResumeQuestion {
  /** As it was before this run changed anything. */
  readonly server: ObservedServer;
  /** The binding's certificate, when it was there already. */
  readonly own: Thumbprint;
  readonly services: readonly ExchangeService[];
  readonly requireSsl: boolean;
  /** Our own mark is on it: nobody but this binding has brought it. */
  readonly isOurs: boolean;
  /** The binding before this run, when it had this certificate. */
  readonly stored: Remembered | undefined;
  /** The certificate that this one replaces, on the same server. */
  readonly replaces: Remembered | undefined;
}

/** What has been done since the state was written, by a run of ours that didn't live to tell. */
export interface Resumed {
  readonly steps: readonly Step[];
  /** Services of which nobody can know who had them before. */
  readonly unknown: readonly ExchangeService[];
}

const NOTHING: Resumed = { steps: [], unknown: [] };

/**
 * What a run that was killed has done, as far as state, server and our own mark can tell. A given certificate that
 * holds a service before its binding is created may have had it for years: of that nothing is claimed.
 */
export function doneBefore(question: ResumeQuestion): Resumed {
  const { server, own, services, requireSsl, stored, replaces } = question;
  const certificate = findCertificate(server, own);
  if (certificate === undefined) return NOTHING;
  const isDefault = valueOr(server.defaultSmtpThumbprint, undefined) === own;
  const becameDefault = isDefault && (stored === undefined ? replaces?.isDefaultSmtp === true : !stored.isDefaultSmtp);
  const former = replaces === undefined ? undefined : findCertificate(server, replaces.thumbprint);
  const formerHolds = (service: ExchangeService): boolean =>
    former !== undefined && valueOr(holds(server, former, service), true);
  const hasLost = (service: ExchangeService): boolean =>
    replaces?.heldServices?.includes(service) === true && former !== undefined && !formerHolds(service);
  const isGained = (service: ExchangeService): boolean => {
    if (!valueOr(holds(server, certificate, service), false)) return false;
    if (stored !== undefined) return stored.heldServices?.includes(service) === false;
    if (hasLost(service) || (service === "SMTP" && becameDefault)) return true;
    return question.isOurs && !(isNameService(service) && formerHolds(service));
  };
  const gained = services.filter(isGained);
  if (gained.length === 0 && !becameDefault) return NOTHING;
  const lost = replaces === undefined ? [] : gained.filter(hasLost);
  const from = former === undefined ? replaces && namedUnreadable(replaces.thumbprint) : named(former.facts);
  return {
    steps: [
      {
        kind: "enable",
        certificate: { kind: "known", thumbprint: own },
        services: gained,
        defaultSmtp: becameDefault ? "replace" : "keep",
        requireSsl,
        takeOvers: from === undefined ? [] : lost.map((service) => ({ service, from })),
        because: "missing",
      },
    ],
    // Many may hold SMTP: nobody has lost it.
    unknown: gained.filter((service) => service !== "SMTP" && !lost.includes(service)),
  };
}
