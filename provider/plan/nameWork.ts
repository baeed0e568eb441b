import { coversName } from "../certificate/names";
import { type ExchangeService, type NameService, type Observed, isNameService, known, unknown } from "../model";
import type { DesiredBinding } from "./desired";
import { certificateNameOf, holds } from "./holdings";
import { namePropertyOf, nameFlaw, nameWrittenByEnable, sameName } from "./names";
import type { ObservedServer } from "./observedServer";
import type { Blocker, Step } from "./planTypes";
import { nameTakeOvers } from "./takeOvers";
import { namesOf, subjectOf } from "./target";
import type { Target } from "./target";

/** Holding as seen now, for a certificate that may not be on the server yet (a name may cover it even so). */
export function targetHolds(server: ObservedServer, target: Target, service: ExchangeService): Observed<boolean> {
  if (target.kind === "present") return holds(server, target.certificate, service);
  if (!isNameService(service)) return known(false);
  const name = certificateNameOf(server, service);
  if (name.kind === "unknown") return name;
  return known(name.value !== undefined && coversName(namesOf(target), name.value));
}

/** What IMAP or POP needs. */
export interface NameWork {
  /** Whether the certificate has to be enabled for the service. */
  readonly enable: boolean;
  /** X509CertificateName afterwards, as far as it can be told. */
  readonly finalName: Observed<string | undefined>;
  readonly setStep: (Step & { readonly kind: "setCertificateName" }) | undefined;
  readonly blockers: readonly Blocker[];
}

/** IMAP or POP: which name the protocol's settings get, and whether the certificate must be enabled as well. */
export function workForName(
  desired: DesiredBinding,
  target: Target,
  server: ObservedServer,
  service: NameService,
): NameWork {
  const isThere = target.kind !== "absent" && target.kind !== "unreadable";
  const isDeclared = desired.services.includes(service) && isThere;
  const declaredName = desired.certificateNames[service];
  const current = certificateNameOf(server, service);
  const names = namesOf(target);
  const subject = subjectOf(target);
  const held = targetHolds(server, target, service);
  const isMissing = isDeclared && held.kind === "known" && !held.value;
  const written = nameWrittenByEnable(names);

  const blockers: Blocker[] = [];
  // Nobody knows the names yet: whether they are enough shows once they are known.
  const isUnknown = target.kind === "unknown";
  const flaw = isDeclared && !isUnknown ? nameFlaw(service, declaredName, names, subject) : undefined;
  if (flaw !== undefined) blockers.push(flaw);
  else if (isMissing && !isUnknown && written === undefined && typeof declaredName !== "string") {
    blockers.push({ kind: "nameNeeded", property: namePropertyOf(service), service, subject, why: "noHostName" });
  }
  if (current.kind === "unknown" || blockers.length > 0) {
    return { enable: false, finalName: current, setStep: undefined, blockers };
  }

  // Where Enable finds no name, the declared one is all there is to it: Exchange looks for a certificate by name.
  const enable = isMissing && (written !== undefined || isUnknown);
  if (enable && isUnknown && declaredName === undefined) {
    return { enable, finalName: unknown("the certificate isn't known yet"), setStep: undefined, blockers };
  }
  // Enable overwrites the name, so a declared one is written after it in any case.
  const afterEnable = enable ? written : current.value;
  const wanted = declaredName === null ? undefined : (declaredName ?? afterEnable);
  const mustSet = declaredName !== undefined && (enable || !sameName(current.value, wanted));
  const finalName = mustSet ? wanted : afterEnable;
  return {
    enable,
    finalName: known(finalName),
    blockers,
    setStep: mustSet
      ? {
          kind: "setCertificateName",
          service,
          name: wanted,
          previousName: current.value,
          takeOvers: nameTakeOvers(server, service, finalName),
          because: wanted === undefined ? "cleared" : "declared",
        }
      : undefined,
  };
}
