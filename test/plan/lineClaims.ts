import { factsOfStored } from "../../provider/backends/simulator/certificateStore";
import type { CertificateFacts } from "../../provider/certificate/facts";
import type { ChainCertificate } from "../../provider/certificate/fitness";
import { losesClientUse, unfitnessOf } from "../../provider/certificate/fitness";
import { coversName } from "../../provider/certificate/names";
import { DAY_MS, isNameService, valueOr } from "../../provider/model";
import type { ExchangeService, ServerFqdn } from "../../provider/model";
import type { FollowUpTask } from "../../provider/plan/followUps";
import { connectorNames } from "../../provider/plan/connectors";
import { unmetGoals } from "../../provider/plan/goals";
import { certificateNameOf, findCertificate, holds } from "../../provider/plan/holdings";
import type { Line } from "../../provider/plan/line";
import type { ObservedServer } from "../../provider/plan/observedServer";
import type { CertificateRef, NamedCertificate, TakeOver } from "../../provider/plan/planTypes";
import type { Chapter } from "./randomBindings";
import { MADE_THUMBPRINT } from "../../provider/plan/serverAfter";
import { NOW } from "./servers";

/** What a line says is looked up on the server as it was before and as it is afterwards. */
type Claim<K extends Line["kind"]> = (line: Line & { readonly kind: K }, chapter: Chapter) => void;

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

function chainOf({ wish }: Pick<Chapter, "wish">): readonly ChainCertificate[] {
  return wish.certificate.kind === "given" ? (wish.certificate.chain ?? []) : [];
}

/** Somebody holds it who didn't. */
function isGained({ before, after }: Chapter, service: ExchangeService): boolean {
  return after.certificates.some(
    ({ facts }) => holdsNow(after, facts.thumbprint, service) && !holdsNow(before, facts.thumbprint, service),
  );
}

/** Of "Configure IMAP4/POP3" and "Deploying certificates for UM". */
const WINDOWS_SERVICES: Readonly<Partial<Record<ExchangeService, readonly string[]>>> = {
  IMAP: ["MSExchangeIMAP4", "MSExchangeIMAP4BE"],
  POP: ["MSExchangePOP3", "MSExchangePOP3BE"],
  UM: ["MSExchangeUM"],
  UMCallRouter: ["MSExchangeUMCR"],
};

/** What is left to do has come of what this chapter changed. */
function isCaused(task: FollowUpTask, chapter: Chapter): void {
  const { before, after, applied } = chapter;
  if (applied === undefined) return;
  const isDefaultChanged = defaultOf(before) !== defaultOf(after);
  switch (task.kind) {
    case "restartIis":
      expect(isGained(chapter, "IIS")).toBe(true);
      break;
    case "restartServices": {
      const { service, windowsServices } = task;
      const nameOf = (server: ObservedServer) =>
        isNameService(service) ? valueOr(certificateNameOf(server, service), undefined) : undefined;
      expect(windowsServices).toEqual(WINDOWS_SERVICES[service]);
      expect(isGained(chapter, service) || nameOf(before) !== nameOf(after)).toBe(true);
      break;
    }
    case "hybrid":
      expect(isGained(chapter, "SMTP") || isDefaultChanged).toBe(true);
      break;
    case "hybridWizard":
      expect([...chapter.wish.connectors.send, ...chapter.wish.connectors.receive]).not.toEqual([]);
      break;
    case "edgeSubscription":
      expect(task.edgeServers).toEqual(valueOr(before.edgeSubscriptions, []));
      expect(isDefaultChanged).toBe(true);
      break;
    case "connector": {
      const { connector, value } = task;
      const facts = findCertificate(after, applied.thumbprint)?.facts;
      expect(facts).toMatchObject(value);
      expect(facts && connectorNames(after, connector.type, connector.identity, facts)).toBe(false);
    }
  }
}

/** The binding leaves a server behind, and its certificate there. */
function isOnTheOldServer(
  { server, thumbprint }: { readonly server: ServerFqdn; readonly thumbprint: string | undefined },
  { previous, wish, organisationAfter }: Chapter,
): void {
  expect([server, thumbprint]).toEqual([previous?.server, previous?.thumbprint]);
  expect(wish.server).not.toBe(server);
  const there = organisationAfter.servers[server]?.certificates ?? [];
  expect(there.map((one) => factsOfStored(one).thumbprint)).toContain(thumbprint);
}

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
  staysBehind: ({ service, certificate, unknown: reason }, { after, applied }) => {
    if (applied !== undefined && reason === undefined)
      expect(holdsNow(after, certificate.thumbprint, service)).toBe(true);
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
  onServerChosen: ({ certificate, notBefore, names }, { before }) => {
    const { thumbprint, subject, issuer, notAfter } = certificate;
    const facts = findCertificate(before, thumbprint)?.facts;
    expect(facts).toMatchObject({ thumbprint, subject, issuer, notBefore, notAfter });
    for (const name of names) expect(facts && coversName(facts, name)).toBe(true);
  },
  onServerInstead: ({ certificate, of }, { before, previous }) => {
    const bound = typeof of.certificate === "string" ? of.certificate : of.certificate.thumbprint;
    expect(bound).toBe(previous?.thumbprint);
    expect([isThere(before, certificate.thumbprint), isThere(before, bound)]).toEqual([true, of.why.kind !== "gone"]);
  },
  onServerStays: ({ certificate }, { before, previous }) => {
    expect(certificate.thumbprint).toBe(previous?.thumbprint);
    expect(isThere(before, certificate.thumbprint)).toBe(true);
  },
  keyStorageProviderDropped: (_line, { organisationAfter, wish, applied }) => {
    const there = organisationAfter.servers[wish.server]?.certificates ?? [];
    expect(there.find((one) => factsOfStored(one).thumbprint === applied?.thumbprint)?.privateKey.provider).toBe("CSP");
  },
  chainReordered: (_line, { wish }) => {
    expect(wish.certificate.kind === "given" && wish.certificate.facts.issuer).toBe(chainOf({ wish })[0]?.subject);
  },
  comesFromBinding: ({ binding }, { seen, context, wish }) => {
    const { certificate } = wish;
    const thumbprint = certificate.kind === "thumbprint" ? certificate.thumbprint : undefined;
    expect(isThere(seen, thumbprint)).toBe(false);
    expect(thumbprint && context.expected.get(thumbprint)?.binding).toEqual(binding);
  },
  foundAgain: ({ thumbprint }, { before }) => {
    expect(isThere(before, thumbprint)).toBe(true);
  },
  leftOnServer: (line, chapter) => {
    isOnTheOldServer(line, chapter);
    expect(chapter.wish.onDelete).toBe("retain");
  },
  notAsked: (_line, { seen }) => {
    expect(seen).toBeUndefined();
  },
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
  afterwards: ({ task }, chapter) => {
    isCaused(task, chapter);
  },
  stillToDo: ({ followUp, isNew }, chapter) => {
    const { earlier, all } = chapter.left;
    expect(all).toContainEqual(followUp);
    expect(earlier.some((one) => JSON.stringify(one) === JSON.stringify(followUp))).toBe(!isNew);
    expect(followUp.since === NOW.toISOString().slice(0, 10)).toBe(isNew);
    if (isNew) isCaused(followUp, chapter);
  },
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
  serverWarns: ({ warning }, { warnings }) => {
    expect(warnings).toContain(warning);
  },
  waitsFor: ({ goals }, { before, after, applied }) => {
    const resolved = (ref: CertificateRef) => (ref.kind === "known" ? ref.thumbprint : applied?.thumbprint);
    expect(goals.length).toBeGreaterThan(0);
    expect(unmetGoals(goals, before, resolved)).toEqual(goals);
    expect(unmetGoals(goals, after, resolved)).toEqual([]);
  },
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
  // Life-cycle tests hold it.
  rollsBack: () => undefined,
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
  removedElsewhere: (line, chapter) => {
    isOnTheOldServer(line, chapter);
    expect(chapter.wish.onDelete).toBe("remove");
  },
  notLookedElsewhere: (_line, { seen }) => {
    expect(seen).toBeUndefined();
  },
  goesWithIt: ({ services, certificate }, { before }) => {
    for (const service of services) expect(holdsNow(before, certificate.thumbprint, service)).toBe(true);
  },
  comesAlong: ({ services }, { after, applied }) => {
    for (const service of services) {
      if (applied !== undefined) expect(holdsNow(after, applied.thumbprint, service)).toBe(true);
    }
  },
  keptAfterAll: ({ thumbprint }, { before, after }) => {
    expect(isThere(after, thumbprint)).toBe(isThere(before, thumbprint));
  },
  keptDeclared: ({ thumbprint }, { before, after }) => {
    expect(isThere(after, thumbprint)).toBe(isThere(before, thumbprint));
  },
  keptOld: ({ certificates }, { after }) => {
    for (const { thumbprint } of certificates) expect(isThere(after, thumbprint)).toBe(true);
  },
  keptForNow: ({ certificates }, { after }) => {
    for (const { thumbprint } of certificates) expect(isThere(after, thumbprint)).toBe(true);
  },
  keptUntilReplaced: ({ thumbprint }, { after }) => {
    expect(isThere(after, thumbprint)).toBe(true);
  },
  formerHolderUnknown: ({ services }, { before, after, applied, previous }) => {
    expect(previous).toBeUndefined();
    for (const service of services) {
      expect(holdsNow(before, applied?.thumbprint, service)).toBe(true);
      expect(holdsNow(after, applied?.thumbprint, service)).toBe(true);
    }
  },
  takesBack: ({ thumbprint }, { before, after, wish }) => {
    expect(wish.certificate.kind === "given" ? wish.certificate.facts.thumbprint : undefined).toBe(thumbprint);
    expect([isThere(before, thumbprint), isThere(after, thumbprint)]).toEqual([false, false]);
  },
  connectorNotSet: ({ connector }, { before, after }) => {
    const [was, is] = [before, after].map(({ sendConnectors }) =>
      valueOr(sendConnectors, []).find(({ name }) => name === connector),
    );
    expect(is?.tlsCertificateName).toBe(was?.tlsCertificateName);
  },
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
