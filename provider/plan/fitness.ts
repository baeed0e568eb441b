import { tlsCertificateNameOf } from "../backends/connectorName";
import type { CertificateFacts } from "../certificate/facts";
import { chainFlaws, losesClientUse, unfitnessOf, unusableFor } from "../certificate/fitness";
import { valueOr } from "../model";
import type { Exchange } from "./comparison";
import { connectorsNaming } from "./comparison";
import type { DesiredBinding, DesiredCertificate } from "./desired";
import { findCertificate, holds } from "./holdings";
import type { Blocker, Notice } from "./planTypes";
import { factsOf, named } from "./target";

/*
 * Whether a certificate fits a server that clients come to. Only what can't work is refused; what clients mind is said
 * before it is bound.
 */

/** What forbids TLS servers to use it. */
export function guardUse(facts: CertificateFacts): readonly Blocker[] {
  return unusableFor(facts).map((why): Blocker => ({ kind: "unusable", property: "certificate", why }));
}

/**
 * What is worth saying of a certificate that is to be bound.
 *
 * @param given the source that brings it, where it is imported
 */
export function fitnessNotices(facts: CertificateFacts, given: DesiredCertificate | undefined): readonly Notice[] {
  const brought = given?.kind === "given" ? given : undefined;
  const flaws = unfitnessOf(facts, { chainsToPublicRoot: brought?.chainsToPublicRoot === true });
  return [
    ...flaws.map((flaw): Notice => ({ kind: "unfit", flaw })),
    ...chainFlaws(facts, brought?.chain ?? []).map((flaw): Notice => {
      switch (flaw.kind) {
        case "leadsNowhere":
          return { kind: "chainLeadsNowhere", issuer: flaw.issuer };
        case "strays":
          return { kind: "chainHasStrays", subjects: flaw.subjects };
        case "root":
          return { kind: "chainHasRoot", subject: flaw.subject };
      }
    }),
  ];
}

/**
 * SMTP shows its certificate as a client to servers that ask for one. Told where the certificate that it had could be
 * used so and the next one can't; with the send connectors that name the old one.
 */
export function clientUseLost(
  { services }: DesiredBinding,
  { target, replaced, server, steps }: Exchange,
): Notice | undefined {
  const next = factsOf(target);
  const smtp = steps.find(
    (step) => step.kind === "enable" && step.because !== "successor" && step.services.includes("SMTP"),
  );
  if (next === undefined || smtp?.kind !== "enable" || !services.includes("SMTP")) return undefined;
  const ofBinding = replaced !== undefined && valueOr(holds(server, replaced, "SMTP"), false) ? replaced : undefined;
  const former = smtp.formerDefault === undefined ? undefined : findCertificate(server, smtp.formerDefault.thumbprint);
  const old = [ofBinding, former]
    .flatMap((one) => one?.facts ?? [])
    // Where the state is all that is known of it, nobody knows what it was for.
    .find((facts) => facts.purposes !== undefined && losesClientUse(facts, next));
  if (old === undefined) return undefined;
  const connectors = connectorsNaming(server, tlsCertificateNameOf(old)).filter(({ type }) => type === "send");
  return { kind: "clientUseLost", from: named(old), connectors: connectors.map(({ identity }) => identity) };
}
