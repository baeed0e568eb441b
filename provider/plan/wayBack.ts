import { coversName } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import { type ExchangeService, isNameService, type NameService } from "../model";
import { outOfDates } from "./guards";
import { findCertificate } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { NamedCertificate, Step, TakeOver } from "./planTypes";

/** How a service that was taken over goes back to the certificate that had it. */
export interface WayBack {
  readonly service: ExchangeService;
  readonly to: NamedCertificate;
  readonly how:
    | { readonly kind: "enable"; readonly requireSsl: boolean; readonly replacesDefaultSmtp: boolean }
    | { readonly kind: "setName"; readonly service: NameService; readonly name: string };
}

/** What there is to know once a change has been made. */
export interface Outcome {
  /** The server as it is afterwards. */
  readonly server: ObservedServer;
  /** The binding's certificate. */
  readonly thumbprint: Thumbprint;
  readonly requireSsl: boolean;
  readonly now: Date;
}

/**
 * The ways back after these steps, as far as they are true: the former holder is still there, with its key and within
 * its dates, and the call really gives the service back.
 */
export function waysBack(steps: readonly Step[], outcome: Outcome): readonly WayBack[] {
  const ways = steps.flatMap((step): readonly WayBack[] => {
    if (step.kind === "setCertificateName") return step.takeOvers.flatMap((one) => nameBack(one, outcome));
    if (step.kind !== "enable" || step.because === "successor") return [];
    const { requireSsl } = outcome;
    const back = step.takeOvers.flatMap((one): readonly WayBack[] =>
      isNameService(one.service)
        ? nameBack(one, outcome)
        : [{ ...toFormer(one), how: { kind: "enable", requireSsl, replacesDefaultSmtp: false } }],
    );
    return step.formerDefault === undefined
      ? back
      : [
          ...back,
          { service: "SMTP", to: step.formerDefault, how: { kind: "enable", requireSsl, replacesDefaultSmtp: true } },
        ];
  });
  return ways.filter(({ to }) => to.thumbprint !== outcome.thumbprint && canTakeBack(to, outcome));
}

function toFormer({ service, from }: TakeOver): Pick<WayBack, "service" | "to"> {
  return { service, to: from };
}

/** The former name is no way back where the new certificate has it as well: Exchange would choose between the two. */
function nameBack(takeOver: TakeOver, { server, thumbprint }: Outcome): readonly WayBack[] {
  const { service, formerName } = takeOver;
  const own = findCertificate(server, thumbprint);
  if (!isNameService(service) || formerName === undefined) return [];
  if (own === undefined || coversName(own.facts, formerName)) return [];
  return [{ ...toFormer(takeOver), how: { kind: "setName", service, name: formerName } }];
}

function canTakeBack({ thumbprint }: NamedCertificate, { server, now }: Outcome): boolean {
  const certificate = findCertificate(server, thumbprint);
  if (certificate === undefined || outOfDates(certificate.facts, now) !== undefined) return false;
  return !(certificate.hasPrivateKey.kind === "known" && !certificate.hasPrivateKey.value);
}
