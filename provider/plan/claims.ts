import { coversName } from "../certificate/names";
import {
  type ExchangeService,
  type NameService,
  type ServerFqdn,
  EXCLUSIVE_SERVICES,
  isNameService,
  NAME_SERVICES,
  valueOr,
} from "../model";
import type { BindingIdentity, DeclaredName, DesiredBinding } from "./desired";
import { certificateNameOf, findCertificate } from "./holdings";
import { namePropertyOf, nameWrittenByEnable } from "./names";
import type { CertificateNames } from "./names";
import type { ObservedServer } from "./observedServer";
import type { Blocker } from "./planTypes";
import { namesOfWish } from "./target";

interface ClaimFacts {
  readonly server: ServerFqdn;
  readonly binding: BindingIdentity;
}

/** One thing of a server that only one certificate can have. Two claims agree when the certificate is the same. */
interface CertificateClaim extends ClaimFacts {
  readonly kind: "certificate";
  readonly what: ExchangeService | "defaultSmtp";
  readonly certificate: string;
}

/** The certificate name of IMAP or POP, declared outright or needed by a certificate that is to hold the service. */
interface NameClaim extends ClaimFacts {
  readonly kind: "name";
  readonly what: NameService;
  readonly declared: DeclaredName;
  /** Names of the certificate, when it is to hold the service and its names are known. */
  readonly holder: CertificateNames | undefined;
}

export type Claim = CertificateClaim | NameClaim;

/** Undefined for one that isn't known yet: it may be the same as that of another binding. */
function certificateKey(desired: DesiredBinding): string | undefined {
  const wanted = desired.certificate;
  switch (wanted.kind) {
    case "thumbprint":
      return wanted.thumbprint;
    case "given":
      return wanted.facts.thumbprint;
    case "selfSigned":
      return `the certificate made by ${desired.identity.urn}`;
    case "unknown":
      return undefined;
  }
}

function namesIn(
  { certificate: wanted }: DesiredBinding,
  server: ObservedServer | undefined,
): CertificateNames | undefined {
  switch (wanted.kind) {
    case "thumbprint":
      return server === undefined ? undefined : findCertificate(server, wanted.thumbprint)?.facts;
    case "given":
      return wanted.facts;
    case "selfSigned":
      return namesOfWish(wanted.wish);
    case "unknown":
      return undefined;
  }
}

/** What a binding claims of its server for itself alone. `observed` is that server, when it could be asked. */
export function claimsOf(desired: DesiredBinding, observed: ObservedServer | undefined): readonly Claim[] {
  const { server, identity: binding, services, certificateNames } = desired;
  const certificate = certificateKey(desired);
  const exclusive: readonly CertificateClaim["what"][] = [
    ...EXCLUSIVE_SERVICES.filter((service) => services.includes(service)),
    ...(desired.replaceDefaultSmtpCertificate ? (["defaultSmtp"] as const) : []),
  ];
  const named = NAME_SERVICES.filter((what) => services.includes(what) || certificateNames[what] !== undefined);
  return [
    ...exclusive.flatMap((what): readonly Claim[] =>
      certificate === undefined ? [] : [{ kind: "certificate", server, binding, what, certificate }],
    ),
    ...named.map((what): Claim => ({
      kind: "name",
      server,
      binding,
      what,
      declared: certificateNames[what],
      holder: services.includes(what) ? namesIn(desired, observed) : undefined,
    })),
  ];
}

/** Claims of other bindings of the program that can't be true together with these. */
export function conflictsWith(
  mine: readonly Claim[],
  others: readonly Claim[],
  observed: ObservedServer | undefined,
): readonly Blocker[] {
  return mine.flatMap((claim) =>
    others
      .filter((other) => other.binding.urn !== claim.binding.urn && other.server === claim.server)
      .flatMap((other): Blocker[] => {
        const detail = conflict(claim, other, observed);
        if (detail === undefined) return [];
        const { what, binding } = claim;
        const names = detail === "certificates" ? undefined : detail;
        return [
          {
            kind: "claimedByAnother",
            property: propertyOf(claim),
            what,
            binding,
            other: other.binding,
            detail: names,
          },
        ];
      }),
  );
}

/** What two claims differ in: the certificates, or the two names; undefined when both can be met. */
function conflict(one: Claim, other: Claim, observed: ObservedServer | undefined): string | undefined {
  if (one.what !== other.what) return undefined;
  if (one.kind === "certificate" && other.kind === "certificate") {
    return one.certificate === other.certificate ? undefined : "certificates";
  }
  if (one.kind !== "name" || other.kind !== "name") return undefined;
  const [mine, theirs] = [wantedName(one), wantedName(other)];
  if (mine === undefined || theirs === undefined || mine === theirs) return undefined;
  const current = observed === undefined ? undefined : valueOr(certificateNameOf(observed, one.what), undefined);
  const agreeable = [mine, theirs, ...(current === undefined ? [] : [current])];
  return agreeable.some((name) => suits(one, name) && suits(other, name)) ? undefined : `"${theirs}" and "${mine}"`;
}

/** The name that a claim would write: the declared one, or that of Enable-ExchangeCertificate. */
function wantedName({ declared, holder }: NameClaim): string | undefined {
  if (declared !== undefined) return (declared ?? "").toLowerCase();
  return holder === undefined ? undefined : nameWrittenByEnable(holder)?.toLowerCase();
}

/** Whether a binding would leave the name as it is. */
function suits({ declared, holder }: NameClaim, name: string): boolean {
  if (declared !== undefined) return (declared ?? "").toLowerCase() === name.toLowerCase();
  return holder === undefined || coversName(holder, name);
}

function propertyOf(claim: Claim): string {
  if (claim.what === "defaultSmtp") return "replaceDefaultSmtpCertificate";
  return claim.kind === "name" && isNameService(claim.what) && claim.declared !== undefined
    ? namePropertyOf(claim.what)
    : "services";
}
