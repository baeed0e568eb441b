import type { CertificateFacts } from "../../provider/certificate/facts";
import type { ChainCertificate } from "../../provider/certificate/fitness";
import { losesClientUse, unfitnessOf } from "../../provider/certificate/fitness";
import { coversName } from "../../provider/certificate/names";
import { valueOr } from "../../provider/model";
import type { ExchangeService } from "../../provider/model";
import { connectorNames } from "../../provider/plan/connectors";
import { certificateNameOf, findCertificate, holds } from "../../provider/plan/holdings";
import type { Line } from "../../provider/plan/line";
import type { ObservedServer } from "../../provider/plan/observedServer";
import type { CertificateRef, NamedCertificate, TakeOver } from "../../provider/plan/planTypes";
import type { Chapter } from "./randomBindings";
import { MADE_THUMBPRINT } from "../../provider/plan/serverAfter";
import { NOW } from "./servers";

/** What a line says is looked up on the server as it was before and as it is afterwards. */
type Claim<K extends Line["kind"]> = (line: Line & { readonly kind: K }, chapter: Chapter) => void;

const DAY_MS = 24 * 60 * 60 * 1000;

function resolve(ref: CertificateRef, { applied }: Chapter): NamedCertificate["thumbprint"] | undefined {
  return ref.kind === "known" ? ref.thumbprint : applied?.thumbprint;
}

function holdsNow(server: ObservedServer, thumbprint: string | undefined, service: string): boolean {
  const certificate = server.certificates.find(({ facts }) => facts.thumbprint === thumbprint);
  return certificate !== undefined && valueOr(holds(server, certificate, service as ExchangeService), false);
}

function defaultOf(server: ObservedServer): string | undefined {
  return valueOr(server.defaultSmtpThumbprint, "unknown");
}

function isThere(server: ObservedServer, thumbprint: string | undefined): boolean {
  return server.certificates.some(({ facts }) => facts.thumbprint === thumbprint);
}

/** The line's facts about a certificate are those of the certificate itself. */
function isAsTold(told: NamedCertificate, { before, after, wish }: Chapter): void {
  const there = findCertificate(after, told.thumbprint) ?? findCertificate(before, told.thumbprint);
  const facts = there?.facts ?? (wish.certificate.kind === "given" ? wish.certificate.facts : undefined);
  const { thumbprint, subject, issuer, notAfter } = told;
  expect(facts).toMatchObject({ thumbprint, subject, issuer, notAfter });
}

/** Who loses a service had it before and hasn't any more. */
function losesIt({ service, from }: TakeOver, { before, after, applied }: Chapter): void {
  expect(holdsNow(before, from.thumbprint, service)).toBe(true);
  if (applied !== undefined) expect(holdsNow(after, from.thumbprint, service)).toBe(false);
}

const staysDefault = (thumbprint: string, { before, after }: Chapter): void => {
  expect(defaultOf(before)).toBe(thumbprint);
  expect(defaultOf(after)).toBe(thumbprint);
};

/** What is known of the certificate that the binding is about. */
function boundFacts({ wish, before }: Chapter): CertificateFacts | undefined {
  const { certificate } = wish;
  if (certificate.kind === "given") return certificate.facts;
  return certificate.kind === "thumbprint" ? findCertificate(before, certificate.thumbprint)?.facts : undefined;
}

function chainOf({ wish }: Chapter): readonly ChainCertificate[] {
  return wish.certificate.kind === "given" ? (wish.certificate.chain ?? []) : [];
}

/** Said of a time when no server is asked, or of nothing on a server: other tests hold them. */
const OF_NO_SERVER = (): void => undefined;

/** One for each kind of line: one that is missing doesn't compile. */
const CLAIMS: { readonly [K in Line["kind"]]: Claim<K> } = {
  defaultSmtpStays: ({ certificate }, chapter) => {
    staysDefault(certificate.thumbprint, chapter);
  },
  defaultSmtpStaysDangling: ({ thumbprint }, chapter) => {
    staysDefault(thumbprint, chapter);
    expect(isThere(chapter.before, thumbprint)).toBe(false);
  },
  defaultSmtpStaysExpired: ({ certificate }, chapter) => {
    staysDefault(certificate.thumbprint, chapter);
  },
  defaultSmtpReplaced: ({ from }, { before, after, applied }) => {
    expect(defaultOf(before)).toBe(typeof from === "object" ? from.thumbprint : from);
    if (applied !== undefined) expect(defaultOf(after)).toBe(applied.thumbprint);
  },
  defaultSmtpLeftBehind: ({ certificate }, chapter) => {
    staysDefault(certificate.thumbprint, chapter);
  },
  defaultSmtpUnknown: (_line, { seen }) => {
    expect(seen.defaultSmtpThumbprint.kind).toBe("unknown");
  },
  sharedByName: ({ service, name, others }, { after, applied, before }) => {
    if (applied !== undefined)
      expect(valueOr(certificateNameOf(after, service), undefined)?.toLowerCase()).toBe(name.toLowerCase());
    for (const { thumbprint } of others) {
      const facts = findCertificate(before, thumbprint)?.facts;
      expect(facts !== undefined && coversName(facts, name)).toBe(true);
    }
  },
  driftedTo: ({ service, holders }, { before, previous }) => {
    expect(holdsNow(before, previous?.thumbprint, service)).toBe(false);
    for (const { thumbprint } of holders) expect(holdsNow(before, thumbprint, service)).toBe(true);
  },
  notDoneYet: ({ service }, { before, previous }) => {
    expect(holdsNow(before, previous?.thumbprint, service)).toBe(false);
  },
  takeOverUnknown: ({ service }, { seen }) => {
    expect(seen.certificates.some((one) => holds(seen, one, service).kind === "unknown")).toBe(true);
  },
  staysBehind: ({ service, certificate }, { after, applied }) => {
    if (applied !== undefined) expect(holdsNow(after, certificate.thumbprint, service)).toBe(true);
  },
  releasedTo: ({ service, holder, from }, chapter) => {
    if (chapter.applied === undefined) return;
    expect(holdsNow(chapter.after, resolve(holder, chapter), service)).toBe(true);
    expect(holdsNow(chapter.after, from.thumbprint, service)).toBe(false);
  },
  forgotten: ({ service }, { before, after, previous }) => {
    expect(holdsNow(after, previous?.thumbprint, service)).toBe(holdsNow(before, previous?.thumbprint, service));
  },
  alreadyReleased: ({ service }, { after, applied, previous, decision }) => {
    if (applied !== undefined && decision.kind === "update") {
      expect(holdsNow(after, previous?.thumbprint, service)).toBe(false);
    }
  },
  successorHasIt: ({ service, successor }, { before }) => {
    expect(holdsNow(before, successor, service)).toBe(true);
  },
  successorLater: ({ services }, { wish }) => {
    for (const service of services) expect(wish.services).not.toContain(service);
  },
  successorGets: ({ certificate, services }, chapter) => {
    isAsTold(certificate, chapter);
    for (const service of services) {
      if (chapter.applied !== undefined) expect(holdsNow(chapter.after, certificate.thumbprint, service)).toBe(true);
    }
  },
  comes: ({ certificate }, chapter) => {
    isAsTold(certificate, chapter);
    if (chapter.applied !== undefined) expect(chapter.applied.thumbprint).toBe(certificate.thumbprint);
  },
  goes: ({ certificate }, chapter) => {
    isAsTold(certificate, chapter);
    expect(chapter.previous?.thumbprint).toBe(certificate.thumbprint);
  },
  namesLost: ({ names, from }, { before, after, applied }) => {
    const [old, own] = [
      findCertificate(before, from.thumbprint),
      applied && findCertificate(after, applied.thumbprint),
    ];
    for (const name of names) {
      expect(old?.facts.dnsNames).toContain(name);
      if (own !== undefined) expect(coversName(own.facts, name)).toBe(false);
    }
  },
  namesGained: ({ names }, { after, applied }) => {
    const own = applied && findCertificate(after, applied.thumbprint);
    if (own !== undefined) for (const name of names) expect(coversName(own.facts, name)).toBe(true);
  },
  endsEarlier: ({ notAfter, than }, { after, applied }) => {
    expect(Date.parse(notAfter)).toBeLessThan(Date.parse(than.notAfter ?? ""));
    const own = applied && findCertificate(after, applied.thumbprint);
    if (own !== undefined) expect(Math.abs(Date.parse(own.facts.notAfter) - Date.parse(notAfter))).toBeLessThan(DAY_MS);
  },
  connectorsStay: ({ connectors, certificate }, { before }) => {
    const named = `<I>${certificate.issuer}<S>${certificate.subject}`;
    const values = [
      ...valueOr(before.sendConnectors, []).map((one) => [one.name, one.tlsCertificateName]),
      ...valueOr(before.receiveConnectors, []).map((one) => [one.identity, one.tlsCertificateName]),
    ];
    for (const { identity } of connectors) expect(values).toContainEqual([identity, named]);
  },
  certificateNotKnownYet: (_line, { wish }) => {
    expect(wish.certificate.kind).toBe("unknown");
  },
  nameNotKnownYet: ({ service, holders }, { before }) => {
    for (const { thumbprint } of holders) expect(holdsNow(before, thumbprint, service)).toBe(true);
  },
  unreadableCertificates: ({ thumbprints }, { before }) => {
    for (const thumbprint of thumbprints) expect(isThere(before, thumbprint)).toBe(false);
  },
  lifeLeft: ({ certificate }, chapter) => {
    isAsTold(certificate, chapter);
  },
  alreadyThere: ({ certificate, services }, { before, organisationBefore, organisationAfter }) => {
    for (const service of services) expect(holdsNow(before, certificate.thumbprint, service)).toBe(true);
    expect(organisationAfter).toBe(organisationBefore);
  },
  expiresSoon: ({ notAfter }, { wish }) => {
    expect(Date.parse(notAfter) - NOW.getTime()).toBeLessThanOrEqual(wish.renewBeforeDays * DAY_MS);
  },
  outOfDates: ({ when, notBefore, notAfter }) => {
    expect(when === "expired" ? Date.parse(notAfter) <= NOW.getTime() : Date.parse(notBefore) > NOW.getTime()).toBe(
      true,
    );
  },
  statusNotValid: ({ status }, { before }) => {
    expect(before.certificates.map((one) => valueOr(one.status, undefined))).toContain(status);
  },
  statusUncertain: ({ status }, { seen }) => {
    expect(seen.certificates.map((one) => valueOr(one.status, undefined))).toContain(status);
  },
  servicesUnknown: ({ services }, { seen }) => {
    const isUnknown = (service: ExchangeService) =>
      seen.certificates.some((one) => holds(seen, one, service).kind === "unknown");
    expect(services.every(isUnknown)).toBe(true);
  },
  connectorWillMatch: ({ connectors }, { before }) => {
    const names = [
      ...valueOr(before.sendConnectors, []).map(({ name }) => name),
      ...valueOr(before.receiveConnectors, []).map(({ identity }) => identity),
    ];
    for (const connector of connectors) expect(names).toContain(connector);
  },
  edgeSubscriptionsBreak: ({ edgeServers }, { before }) => {
    expect(valueOr(before.edgeSubscriptions, [])).toEqual(edgeServers);
  },
  unfit: ({ flaw }, chapter) => {
    const facts = boundFacts(chapter);
    expect(facts && unfitnessOf(facts, { chainsToPublicRoot: flaw.kind === "tooLong" })).toContainEqual(flaw);
  },
  chainLeadsNowhere: ({ issuer }, chapter) => {
    expect(boundFacts(chapter)?.issuer).toBe(issuer);
    expect(chainOf(chapter).map(({ subject }) => subject)).not.toContain(issuer);
  },
  chainHasStrays: ({ subjects }, chapter) => {
    expect(chainOf(chapter).map(({ subject }) => subject)).toEqual(expect.arrayContaining([...subjects]));
  },
  chainHasRoot: ({ subject }, chapter) => {
    expect(chainOf(chapter)).toContainEqual({ subject, issuer: subject, isSelfSigned: true });
  },
  clientUseLost: ({ from, connectors }, chapter) => {
    const facts = boundFacts(chapter);
    const old = findCertificate(chapter.before, from.thumbprint)?.facts;
    expect(facts && old && losesClientUse(old, facts)).toBe(true);
    const named = valueOr(chapter.before.sendConnectors, []).filter((one) => connectors.includes(one.name));
    for (const one of named) expect(one.tlsCertificateName).toBe(`<I>${from.issuer}<S>${from.subject}`);
  },
  eccUnverified: (_line, { seen }) => {
    expect(seen.version.kind).toBe("unknown");
  },
  eccNeedsSwitch: (_line, { wish, before }) => {
    const { certificate } = wish;
    const facts =
      certificate.kind === "thumbprint" ? findCertificate(before, certificate.thumbprint)?.facts : undefined;
    expect(certificate.kind === "given" ? certificate.facts.keyAlgorithm : facts?.keyAlgorithm).toBe("ECC");
  },
  wouldBeRefused: (_line, { organisationBefore, organisationAfter, decision }) => {
    if (decision.kind === "inSync") expect(organisationAfter).toBe(organisationBefore);
  },
  onServerChosen: OF_NO_SERVER,
  onServerInstead: OF_NO_SERVER,
  onServerStays: OF_NO_SERVER,
  keyStorageProviderDropped: OF_NO_SERVER,
  comesFromBinding: OF_NO_SERVER,
  foundAgain: ({ thumbprint }, { before }) => {
    expect(isThere(before, thumbprint)).toBe(true);
  },
  leftOnServer: OF_NO_SERVER,
  notAsked: OF_NO_SERVER,
  replaces: ({ deletesFirst }, { previous, wish }) => {
    expect(previous).toBeDefined();
    expect(deletesFirst).toBe(wish.deleteBeforeReplace);
  },
  makes: (_line, { before, after, applied }) => {
    if (applied === undefined) return;
    expect([isThere(before, applied.thumbprint), isThere(after, applied.thumbprint)]).toEqual([false, true]);
  },
  imports: ({ certificate }, chapter) => {
    const thumbprint = resolve(certificate, chapter);
    if (thumbprint !== undefined) expect(isThere(chapter.before, thumbprint)).toBe(false);
    if (chapter.applied !== undefined) expect(isThere(chapter.after, thumbprint)).toBe(true);
  },
  enables: ({ certificate, services, takeOvers }, chapter) => {
    const thumbprint = resolve(certificate, chapter);
    for (const takeOver of takeOvers) losesIt(takeOver, chapter);
    for (const service of services) {
      // A declared name that follows may be another one than Enable writes; the binding's own covers it all the same.
      if (chapter.applied !== undefined) expect(holdsNow(chapter.after, thumbprint, service)).toBe(true);
    }
  },
  setsName: ({ service, name, takeOvers }, chapter) => {
    for (const takeOver of takeOvers) losesIt(takeOver, chapter);
    const now = valueOr(certificateNameOf(chapter.after, service), undefined);
    if (chapter.applied !== undefined) expect(now?.toLowerCase()).toBe(name?.toLowerCase());
  },
  afterwards: OF_NO_SERVER,
  stillToDo: OF_NO_SERVER,
  wayBack: ({ service, to, how }, { before, after }) => {
    expect(isThere(after, to.thumbprint)).toBe(true);
    if (how.kind === "enable" && how.replacesDefaultSmtp) expect(defaultOf(before)).toBe(to.thumbprint);
    else
      expect([holdsNow(before, to.thumbprint, service), holdsNow(after, to.thumbprint, service)]).toEqual([
        true,
        false,
      ]);
  },
  refused: (_line, { organisationBefore, organisationAfter }) => {
    expect(organisationAfter).toBe(organisationBefore);
  },
  stopped: ({ done }, { after, applied }) => {
    for (const deed of done) {
      if (deed.kind === "enabled") {
        const { certificate } = deed;
        const thumbprint = certificate.kind === "known" ? certificate.thumbprint : applied?.thumbprint;
        expect(holdsNow(after, thumbprint, deed.service)).toBe(true);
      }
    }
  },
  serverWarns: OF_NO_SERVER,
  waitsFor: OF_NO_SERVER,
  isGone: ({ certificate }, chapter) => {
    expect(isThere(chapter.before, resolve(certificate, { ...chapter, applied: undefined }))).toBe(false);
  },
  nameDiffers: ({ service, actual }, { before }) => {
    expect(valueOr(certificateNameOf(before, service), "unknown")).toBe(actual);
  },
  notDefaultSmtp: ({ certificate }, chapter) => {
    expect(defaultOf(chapter.before)).not.toBe(resolve(certificate, chapter));
  },
  needsReplacement: (_line, { decision }) => {
    expect(decision.kind).toBe("replace");
  },
  staysOnServer: ({ thumbprint, held }, { before }) => {
    for (const service of held ?? []) expect(holdsNow(before, thumbprint, service)).toBe(true);
  },
  setsConnector: ({ type, connector, certificate, waits }, chapter) => {
    const facts = findCertificate(chapter.after, resolve(certificate, chapter) ?? MADE_THUMBPRINT)?.facts;
    if (chapter.applied === undefined || waits) return;
    expect(facts !== undefined && connectorNames(chapter.after, type, connector, facts)).toBe(true);
  },
  connectorWaits: ({ for: reasons }) => {
    expect(reasons.length).toBeGreaterThan(0);
  },
  connectorDrifted: ({ type, connector, actual }, { before }) => {
    const shown = type === "send" ? valueOr(before.sendConnectors, []) : valueOr(before.receiveConnectors, []);
    const names = shown.map((one) => ["name" in one ? one.name : one.identity, one.tlsCertificateName] as const);
    expect(names.find(([name]) => name.endsWith(connector))?.[1]).toBe(actual);
  },
  connectorLeftEmpty: ({ connector }, { before }) => {
    const shown = valueOr(before.sendConnectors, []).find(({ name }) => name === connector);
    expect(shown).toMatchObject({ tlsCertificateName: undefined });
  },
  connectorsForgotten: ({ connectors }, { wish }) => {
    for (const one of connectors) expect([...wish.connectors.send, ...wish.connectors.receive]).not.toContain(one);
  },
  removes: ({ certificate }, { before, after, applied }) => {
    expect(isThere(before, certificate.thumbprint)).toBe(true);
    if (applied !== undefined) expect(isThere(after, certificate.thumbprint)).toBe(false);
  },
  // The engine removes it when everything else is done; until then it is there.
  removedAtEnd: ({ certificate }, { after }) => {
    expect(isThere(after, certificate.thumbprint)).toBe(true);
  },
  removedElsewhere: OF_NO_SERVER,
  notLookedElsewhere: OF_NO_SERVER,
  goesWithIt: ({ services, certificate }, { before }) => {
    for (const service of services) expect(holdsNow(before, certificate.thumbprint, service)).toBe(true);
  },
  comesAlong: ({ services }, { after, applied }) => {
    for (const service of services) {
      if (applied !== undefined) expect(holdsNow(after, applied.thumbprint, service)).toBe(true);
    }
  },
  keptDeclared: ({ thumbprint }, { before, after }) => {
    expect(isThere(after, thumbprint)).toBe(isThere(before, thumbprint));
  },
  keptOld: ({ certificates }, { after }) => {
    for (const { thumbprint } of certificates) expect(isThere(after, thumbprint)).toBe(true);
  },
  keptAsWayBack: ({ certificates }, { after }) => {
    for (const { thumbprint } of certificates) expect(isThere(after, thumbprint)).toBe(true);
  },
  keptUntilReplaced: ({ thumbprint }, { after }) => {
    expect(isThere(after, thumbprint)).toBe(true);
  },
  // Of a time that nobody has seen; test/lifecycle/killed.test.ts.
  formerHolderUnknown: OF_NO_SERVER,
  // The server as it is then is seen by test/apply.test.ts.
  takesBack: OF_NO_SERVER,
  removalNotDone: ({ certificate }, { after }) => {
    expect(isThere(after, certificate.thumbprint)).toBe(true);
  },
  wasGoneBefore: ({ thumbprint }, { before }) => {
    expect(isThere(before, thumbprint)).toBe(false);
  },
};

/** Checks a line's claim. */
export function claim(line: Line, chapter: Chapter): void {
  (CLAIMS[line.kind] as (line: Line, chapter: Chapter) => void)(line, chapter);
}
