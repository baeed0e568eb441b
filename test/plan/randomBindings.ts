import fc from "fast-check";

import { apply } from "../../provider/apply";
import type { Applied } from "../../provider/apply";
import type { Backend } from "../../provider/backends/backend";
import type { Organisation, ServerFaults } from "../../provider/backends/simulator/organisation";
import type { CertificateMaterial } from "../../provider/certificate/material";
import {
  CERTIFICATE_STATUSES,
  EXCHANGE_SERVICES,
  UM_STARTUP_MODES,
  parseServerFqdn,
  sortServices,
} from "../../provider/model";
import type { ExchangeService, ServerFqdn } from "../../provider/model";
import type { DesiredBinding, DesiredCertificate, PreviousBinding } from "../../provider/plan/desired";
import type { ObservedServer } from "../../provider/plan/observedServer";
import { tasksOf, withFollowUps } from "../../provider/plan/followUps";
import type { FollowUp } from "../../provider/plan/followUps";
import type { Fact } from "../../provider/plan/line";
import type { Left } from "../../provider/plan/lines";
import { plan } from "../../provider/plan/plan";
import type { Plan } from "../../provider/plan/planTypes";
import type { PlanContext } from "../../provider/plan/target";
import { organisation, published, server, stored } from "../backends/simulator/lab";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import { simulate } from "../simulation";
import type { Simulation } from "../simulation";
import { NOW, WISH, context, desired } from "./servers";

/*
 * Random organisations with certificates of every sort, and random bindings one after the other on one of their
 * servers.
 */

/** The day of what an earlier chapter has left to do. */
const A_DAY_BEFORE = "2026-11-22";

export const SERVER = parseServerFqdn("ex01.contoso.com") as ServerFqdn;

const authority = makeTestAuthority();
const at = (text: string) => new Date(`${text}T00:00:00Z`);

/** The server's own one, ordinary ones, and whatever else is met in the field. */
const BUILT_IN = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["EX01", "ex01.contoso.com"] });
export const POOL: readonly CertificateMaterial[] = [
  BUILT_IN,
  makeTestCertificate({ dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"] }),
  makeTestCertificate({ dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"] }),
  makeTestCertificate({ dnsNames: ["mail.contoso.com", "imap.contoso.com"], issuer: authority }),
  makeTestCertificate({ dnsNames: ["owa.contoso.com", "imap.contoso.com"], issuer: authority }),
  makeTestCertificate({ dnsNames: ["*.contoso.com"], issuer: authority }),
  makeTestCertificate({ dnsNames: ["mail.contoso.com"], key: "ecc" }),
  makeTestCertificate({ dnsNames: ["mail.contoso.com"], notAfter: at("2026-01-01") }),
  makeTestCertificate({ dnsNames: ["imap.contoso.com"], notBefore: at("2030-01-01") }),
  makeTestCertificate({ dnsNames: ["owa.contoso.com"], notAfter: at("2026-12-01") }),
  makeTestCertificate({ subject: "CN=Contoso Mail, O=Contoso", dnsNames: ["mail.contoso.com"] }),
  makeTestCertificate({ subject: "O=Contoso", dnsNames: ["*.contoso.com", "imap.contoso.com"] }),
  // An authority's own.
  authority,
];
const NAMES = ["EX01", "mail.contoso.com", "imap.contoso.com", "owa.contoso.com", "pop.fabrikam.com"];
const ABSENT = "0".repeat(39);

const VERSIONS = [
  { major: 15, minor: 0, build: 1497, revision: 2 },
  { major: 15, minor: 1, build: 2507, revision: 39 },
  { major: 15, minor: 2, build: 1258, revision: 34 },
  { major: 15, minor: 2, build: 1748, revision: 10 },
  { major: 15, minor: 2, build: 2562, revision: 17 },
];

/** Mostly those that can be bound, or every second story ends before it begins. */
const fromPool = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...POOL.slice(0, 5)) },
  { weight: 2, arbitrary: fc.constantFrom(...POOL) },
);
const oneIn = (times: number) => fc.integer({ min: 1, max: times }).map((n) => n === 1);
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 8 });
const thumbprint = fromPool.map(({ facts }) => facts.thumbprint);
/** Sometimes one of a certificate that is nowhere. */
const mayDangle = fc.oneof(
  { weight: 9, arbitrary: thumbprint },
  { weight: 1, arbitrary: fc.constantFrom(`${ABSENT}1`, `${ABSENT}2`) },
);
const um = fc.record({ startupMode: fc.constantFrom(...UM_STARTUP_MODES), certificate: orNull(mayDangle) });
const name = fc.record({ x509CertificateName: orNull(fc.constantFrom(...NAMES)) });
const status = fc.oneof(
  { weight: 14, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(...CERTIFICATE_STATUSES) },
);

const faults: fc.Arbitrary<ServerFaults> = fc.record({
  enableOrder: fc.shuffledSubarray([...EXCHANGE_SERVICES]),
  directoryDelay: fc.option(fc.record({ reads: fc.nat({ max: 3 }) }), { nil: undefined, freq: 2 }),
  servicesUnknown: oneIn(15),
  hiddenCmdlets: fc.oneof(
    { weight: 10, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.subarray([
        "Get-TransportService",
        "Get-ImapSettings",
        "Get-PopSettings",
        "Get-UMService",
        "Get-AuthConfig",
      ]),
    },
  ),
});

/** An organisation with one server of interest. Its own certificate is always there: without it there is no remote shell. */
const randomOrganisation: fc.Arbitrary<Organisation> = fc
  .record({
    version: fc.constantFrom(...VERSIONS),
    present: fc.tuple(
      ...POOL.map(() =>
        fc.record({ isThere: oneIn(3).map((isMissing) => !isMissing), networkServiceRead: fc.boolean(), status }),
      ),
    ),
    frontEnd: orNull(mayDangle),
    requireSsl: fc.boolean(),
    imap: name,
    pop: name,
    um,
    umCallRouter: um,
    defaultSmtp: orNull(fromPool),
    auth: fc.option(thumbprint, { nil: null, freq: 2 }),
    edges: fc.constantFrom([], ["EDGE01"]),
    named: fc.option(fromPool, { nil: null }),
    faults,
  })
  .map(({ version, present, frontEnd, requireSsl, defaultSmtp, auth, edges, named, ...state }) => {
    const hasUm = version.minor < 2;
    const tlsCertificateName = named === null ? null : `<I>${named.facts.issuer}<S>${named.facts.subject}`;
    return organisation(
      [
        server({
          ...state,
          version,
          um: hasUm ? state.um : null,
          umCallRouter: hasUm ? state.umCallRouter : null,
          iis: { frontEnd, backEnd: BUILT_IN.facts.thumbprint, requireSsl },
          internalTransportCertificate: defaultSmtp === null ? null : published(defaultSmtp),
          certificates: POOL.flatMap((one, i) => {
            const { isThere = false, networkServiceRead = false, status: shown } = present[i] ?? {};
            return isThere || one === BUILT_IN
              ? [stored(one, { privateKey: { networkServiceRead }, ...(shown === undefined ? {} : { status: shown }) })]
              : [];
          }),
        }),
      ],
      {
        // The Auth certificate has to be on the server for its details to be sent; where it is none, nothing is signed.
        authConfig: {
          currentCertificate: version.minor < 2 ? auth : null,
          previousCertificate: null,
          nextCertificate: null,
          nextCertificateEffectiveDate: null,
        },
        edgeSubscriptions: edges.map((edge) => ({ name: edge, site: server().site })),
        sendConnectors: [{ name: "Outbound", fqdn: null, tlsCertificateName, sourceServers: ["EX01"] }],
      },
    );
  });

const declaredName = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES.slice(1)) },
  { weight: 1, arbitrary: fc.constant(null) },
);
/** UM is refused on most servers, so it mustn't be in most wishes. */
const services = fc.oneof(
  { weight: 5, arbitrary: fc.subarray<ExchangeService>(["IIS", "IMAP", "POP", "SMTP"], { minLength: 1 }) },
  { weight: 1, arbitrary: fc.subarray<ExchangeService>([...EXCHANGE_SERVICES], { minLength: 1 }) },
);

const source: fc.Arbitrary<DesiredCertificate> = fc.oneof(
  { weight: 5, arbitrary: fromPool.map(({ facts }): DesiredCertificate => ({ kind: "given", facts })) },
  { weight: 3, arbitrary: thumbprint.map((one): DesiredCertificate => ({ kind: "thumbprint", thumbprint: one })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(["mail.contoso.com"], ["imap.contoso.com", "owa.contoso.com"], ["*.contoso.com"])
      .map((dnsNames): DesiredCertificate => ({ kind: "selfSigned", wish: { ...WISH, dnsNames } })),
  },
);

const randomBinding: fc.Arbitrary<DesiredBinding> = fc
  .record({
    certificate: source,
    services: services.map((some) => sortServices(some)),
    replaceDefaultSmtpCertificate: oneIn(4),
    requireSsl: fc.boolean(),
    imap: declaredName,
    pop: declaredName,
    successor: fc.option(thumbprint, { nil: undefined, freq: 2 }),
    onServiceRemoved: fc.constantFrom("refuse", "forget" as const),
  })
  .map(({ imap, pop, ...wish }) => {
    // The rules of the inputs: a service without a name, or the default role without SMTP, never comes this far.
    const isHeld = (service: "IMAP" | "POP") => wish.services.includes(service);
    return desired({
      ...wish,
      replaceDefaultSmtpCertificate: wish.replaceDefaultSmtpCertificate && wish.services.includes("SMTP"),
      certificateNames: {
        IMAP: imap === null && isHeld("IMAP") ? undefined : imap,
        POP: pop === null && isHeld("POP") ? undefined : pop,
      },
    });
  });

/** A binding is made, and then changed into others: sometimes in its services alone, sometimes altogether. */
export const randomStory: fc.Arbitrary<{ readonly start: Organisation; readonly wishes: readonly DesiredBinding[] }> =
  fc
    .record({
      start: randomOrganisation,
      first: randomBinding,
      others: fc.array(fc.record({ wish: randomBinding, keepsCertificate: fc.boolean() }), {
        minLength: 1,
        maxLength: 2,
      }),
    })
    .map(({ start, first, others }) => {
      const wishes = [first];
      for (const { wish, keepsCertificate } of others) {
        wishes.push(keepsCertificate ? { ...wish, certificate: first.certificate } : wish);
      }
      return { start, wishes };
    });

/** One wish of a story: what was seen, decided and done. */
export interface Chapter {
  readonly wish: DesiredBinding;
  readonly previous: PreviousBinding | undefined;
  readonly context: PlanContext;
  readonly seen: ObservedServer;
  readonly decision: Plan;
  readonly before: ObservedServer;
  readonly after: ObservedServer;
  readonly organisationBefore: Organisation;
  readonly organisationAfter: Organisation;
  /** Undefined when the plan was blocked or had nothing to do. */
  readonly applied: Applied | undefined;
  /** The plan of the same wish afterwards. */
  readonly next: Plan | undefined;
  /** What was said while the plan was applied, and what the server warned of. */
  readonly told: readonly Fact[];
  readonly warnings: readonly string[];
  /** What is left to do: of earlier chapters, and with what this one caused. */
  readonly left: Left;
}

function materialOf(wish: DesiredBinding): (() => CertificateMaterial) | undefined {
  const { certificate } = wish;
  if (certificate.kind !== "given") return undefined;
  const found = POOL.find(({ facts }) => facts.thumbprint === certificate.facts.thumbprint);
  return found === undefined ? undefined : () => found;
}

function remember(wish: DesiredBinding, thumbprint_: Applied["thumbprint"]): PreviousBinding {
  return {
    server: wish.server,
    thumbprint: thumbprint_,
    services: wish.services,
    selfSigned: wish.certificate.kind === "selfSigned" ? wish.certificate.wish : undefined,
    onlyThere: wish.certificate.kind === "thumbprint",
    connectors: wish.connectors,
    superseded: [],
    replaceDefaultSmtpCertificate: wish.replaceDefaultSmtpCertificate,
    certificateNames: wish.certificateNames,
  };
}

/** A backend that has something to say about each time services are enabled, and writes down what. */
function warning(backend: Backend, warnings: string[]): Backend {
  return {
    ...backend,
    enableServices: async (server, request, options) => {
      const done = await backend.enableServices(server, request, options);
      const all = [...done.warnings, `about ${request.services.join()} of ${server}`];
      warnings.push(...all);
      return { ...done, warnings: all };
    },
  };
}

async function settled(simulation: Simulation): Promise<ObservedServer> {
  // Enough reads for what Active Directory holds back.
  for (let reads = 0; reads < 3; reads += 1) await simulation.observe(SERVER);
  return simulation.observe(SERVER);
}

/** Lets a story happen: plan, apply, look again, for one wish after the other. Throws what planning or applying throws. */
export async function tell({
  start,
  wishes,
}: {
  start: Organisation;
  wishes: readonly DesiredBinding[];
}): Promise<readonly Chapter[]> {
  const simulation = simulate(start, NOW);
  const chapters: Chapter[] = [];
  let previous: PreviousBinding | undefined;
  let earlier: readonly FollowUp[] = [];
  let replaced: readonly Applied["thumbprint"][] = [];
  for (const wish of wishes) {
    const seen = await settled(simulation);
    const before = await simulation.truth(SERVER);
    const organisationBefore = await simulation.store.read();
    const planContext = context({ superseded: replaced });
    const decision = plan(wish, previous, seen, planContext);
    const hasWork = decision.kind === "create" || decision.kind === "update" || decision.kind === "replace";
    const told: Fact[] = [];
    const warnings: string[] = [];
    const env = simulation.applyEnv(SERVER, {
      backend: warning(simulation.backend, warnings),
      say: (fact) => told.push(fact),
    });
    const applied = hasWork ? await apply(decision.work, materialOf(wish), env) : undefined;
    const after = await simulation.truth(SERVER);
    const organisationAfter = await simulation.store.read();
    const tasks = applied === undefined || !hasWork ? [] : tasksOf(decision.work, after, applied.thumbprint);
    const left = { earlier, all: withFollowUps(earlier, tasks, NOW) };
    earlier = left.all.map((one) => ({ ...one, since: A_DAY_BEFORE }));
    const kept = decision.kind === "inSync" ? previous?.thumbprint : undefined;
    const thumbprintNow = applied?.thumbprint ?? kept;
    let next: Plan | undefined;
    let rememberedNow = previous;
    if (thumbprintNow !== undefined) {
      if (previous?.thumbprint !== undefined && previous.thumbprint !== thumbprintNow) {
        replaced = [...replaced, previous.thumbprint];
      }
      rememberedNow = remember(wish, thumbprintNow);
      next = plan(wish, rememberedNow, await settled(simulation), context({ superseded: replaced }));
    }
    chapters.push({
      wish,
      previous,
      context: planContext,
      seen,
      decision,
      before,
      after,
      organisationBefore,
      organisationAfter,
      applied,
      next,
      told,
      warnings,
      left,
    });
    previous = rememberedNow;
  }
  return chapters;
}
