import fc from "fast-check";

import { PARTS } from "../../provider/doctor/finding";
import { readInputs } from "../../provider/inputs";
import type { ExchangeService } from "../../provider/model";
import { EXCHANGE_SERVICES, isNameService, unknown, valueOr } from "../../provider/model";
import { unmetGoals } from "../../provider/plan/goals";
import { holds } from "../../provider/plan/holdings";
import type { ObservedServer } from "../../provider/plan/observedServer";
import { lineOf } from "../../provider/plan/line";
import { linesOfChange, linesOfPlan, linesOfRefresh } from "../../provider/plan/lines";
import { plan } from "../../provider/plan/plan";
import { describeLine } from "../../provider/plan/lineText";
import { surprises } from "../../provider/plan/surprises";
import { sameWish } from "../../provider/plan/target";
import { claim } from "./lineClaims";
import { POOL, SERVER, randomStory, tell } from "./randomBindings";
import type { Chapter } from "./randomBindings";
import { NOW, rawDataOnly } from "./servers";
import { freshReading } from "../readings";

/** The laws of the planner, tried on random organisations and bindings with the real plan, apply and observation. */

const RUNS = 1000;
/** One seed for all laws, so that they look at the same stories, each of which is told once. */
const SEED = Math.floor(Math.random() * 2 ** 31);
const told = new Map<string, Promise<readonly Chapter[]>>();

type Story = typeof randomStory extends fc.Arbitrary<infer T> ? T : never;

function tellOnce(story: Story): Promise<readonly Chapter[]> {
  const key = JSON.stringify(story);
  const known = told.get(key);
  if (known !== undefined) return known;
  const telling = tell(story);
  told.set(key, telling);
  return telling;
}

function law(check: (chapter: Chapter) => void): Promise<void> {
  const property = fc.asyncProperty(randomStory, async (story) => {
    for (const chapter of await tellOnce(story)) check(chapter);
  });
  return fc.assert(property, { numRuns: RUNS, seed: SEED });
}

interface Holding {
  readonly thumbprint: string;
  readonly service: ExchangeService;
}

function holdingsIn(server: ObservedServer): readonly Holding[] {
  return server.certificates.flatMap((certificate) =>
    EXCHANGE_SERVICES.filter((service) => valueOr(holds(server, certificate, service), false)).map((service) => ({
      thumbprint: certificate.facts.thumbprint,
      service,
    })),
  );
}

const keyOf = ({ thumbprint, service }: Holding): string => `${service} of ${thumbprint}`;

function stepsOf({ decision }: Chapter) {
  return decision.kind === "create" || decision.kind === "update" || decision.kind === "replace"
    ? decision.work.steps
    : [];
}

function takeOversOf(chapter: Chapter): readonly string[] {
  return stepsOf(chapter).flatMap((step) =>
    step.kind === "enable" || step.kind === "setCertificateName"
      ? step.takeOvers.map(({ service, from }) => keyOf({ thumbprint: from.thumbprint, service }))
      : [],
  );
}

/** What was held before and isn't any more. */
function lossesOf({ before, after }: Chapter): readonly Holding[] {
  const held = new Set(holdingsIn(after).map(keyOf));
  return holdingsIn(before).filter((holding) => !held.has(keyOf(holding)));
}

/** Without regard to the order in which a server lists its certificates. */
function unordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => JSON.stringify(unordered(one))).sort();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unordered(one)]));
}

function inWords(decision: Parameters<typeof linesOfPlan>[0]): readonly string[] {
  return linesOfPlan(decision).map((line) => describeLine(line, { server: SERVER, now: NOW }));
}

describe("the planner's laws", () => {
  it("planning and applying never throw, and a plan can always be put into words", async () => {
    await law(({ decision }) => {
      for (const line of inWords(decision)) {
        expect(line).not.toMatch(/undefined|\[object|NaN/);
      }
    });
  });

  it("every line says what was and what came about, in each phase", async () => {
    const kinds = new Set<string>();
    await law((chapter) => {
      const { decision, applied, after, wish, told, left } = chapter;
      const lines = [...linesOfPlan(decision), ...linesOfRefresh(decision)];
      if (applied !== undefined && "work" in decision) {
        const outcome = { server: after, thumbprint: applied.thumbprint, requireSsl: wish.requireSsl, now: NOW };
        lines.push(...linesOfChange(decision.work, left, outcome), ...told.map((fact) => lineOf("change", fact)));
      }
      for (const line of lines) {
        kinds.add(line.kind);
        claim(line, chapter);
      }
    });
    expect(kinds.size).toBeGreaterThan(30);
    const ofChanges = ["afterwards", "stillToDo", "serverWarns", "waitsFor"];
    expect([...kinds]).toEqual(expect.arrayContaining(ofChanges));
  });

  it("a plan is frozen through and through", async () => {
    const isFrozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    await law(({ decision }) => {
      expect(isFrozen(decision)).toBe(true);
    });
  });

  it("after applying there is nothing left to do", async () => {
    await law(({ applied, next, decision }) => {
      if (next === undefined) return;
      expect(next.kind).toBe("inSync");
      if (applied === undefined || decision.kind === "inSync" || decision.kind === "blocked") return;
      const resolve = () => applied.thumbprint;
      const known = decision.work.goals.filter((goal) => !("certificate" in goal) || goal.certificate.kind === "made");
      expect(unmetGoals(known, applied.server, resolve)).toEqual([]);
    });
  });

  it("planning twice gives the same", async () => {
    await law(({ wish, previous, seen, context, decision }) => {
      expect(plan(wish, previous, seen, context)).toEqual(decision);
      const once = { plan: decision, server: seen };
      expect(surprises(once, once)).toEqual([]);
    });
  });

  it("a plan that is blocked, or has nothing to do, changes nothing", async () => {
    await law(({ decision, organisationBefore, organisationAfter }) => {
      if (decision.kind === "blocked" || decision.kind === "inSync") expect(organisationAfter).toBe(organisationBefore);
    });
  });

  it("a certificate loses a service only to what was declared: the service, a hand-over, another name", async () => {
    await law((chapter) => {
      const { wish } = chapter;
      const handedOver = stepsOf(chapter).flatMap((step) =>
        step.kind === "enable" && step.because === "successor" ? step.services : [],
      );
      for (const { service } of lossesOf(chapter)) {
        const isDeclared =
          wish.services.includes(service) ||
          handedOver.includes(service) ||
          (isNameService(service) && wish.certificateNames[service] !== undefined);
        expect(isDeclared).toBe(true);
      }
    });
  });

  it("the take-overs that the plan names happen, and no others", async () => {
    await law((chapter) => {
      expect([...new Set(takeOversOf(chapter))].sort()).toEqual(lossesOf(chapter).map(keyOf).sort());
    });
  });

  it("SMTP is never taken from anybody", async () => {
    await law((chapter) => {
      expect(lossesOf(chapter).filter(({ service }) => service === "SMTP")).toEqual([]);
    });
  });

  it("the default SMTP certificate changes only when that is asked for, and then to the binding's own", async () => {
    await law(({ wish, before, after, applied }) => {
      const [then, now] = [
        valueOr(before.defaultSmtpThumbprint, "unknown"),
        valueOr(after.defaultSmtpThumbprint, "unknown"),
      ];
      if (!wish.replaceDefaultSmtpCertificate) expect(now).toBe(then);
      else if (applied !== undefined) expect(now).toBe(applied.thumbprint);
    });
  });

  it("no certificate is removed, and none comes but the binding's own", async () => {
    await law(({ before, after, applied }) => {
      const then = before.certificates.map(({ facts }) => facts.thumbprint);
      const now = after.certificates.map(({ facts }) => facts.thumbprint);
      expect(now.filter((one) => !then.includes(one) && one !== applied?.thumbprint)).toEqual([]);
      expect(then.filter((one) => !now.includes(one))).toEqual([]);
    });
  });

  it("the order in which a server lists its certificates doesn't matter", async () => {
    await law(({ wish, previous, seen, context, decision }) => {
      const reversed = { ...seen, certificates: [...seen.certificates].reverse() };
      expect(unordered(plan(wish, previous, reversed, context))).toEqual(unordered(decision));
    });
  });

  it("the order, case and number of the declared services and names don't matter", async () => {
    const read = async (services: readonly string[], dnsNames: readonly string[]) => {
      const { desired, failures } = await readInputs(
        { server: SERVER, services, certificate: { selfSigned: { dnsNames } } },
        freshReading(),
      );
      if (desired === undefined) throw new Error(JSON.stringify(failures));
      return desired;
    };
    const inAnyCase = (text: string, random: number) =>
      random % 3 === 0 ? text : random % 3 === 1 ? text.toLowerCase() : text.toUpperCase();
    const wild = <T extends string>(values: fc.Arbitrary<readonly T[]>) =>
      values.chain((own) =>
        fc
          .tuple(
            fc.shuffledSubarray([...own, ...own], { minLength: own.length }),
            fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
          )
          .map(([some, cases]) => [...own, ...some].reverse().map((one, i) => inAnyCase(one, cases[i] ?? 0)))
          .map((odd) => ({ own, odd })),
      );
    const services = wild(
      fc.subarray([...EXCHANGE_SERVICES], { minLength: 1 }).filter((some) => !some.some(isNameService)),
    );
    const names = wild(fc.subarray(["mail.contoso.com", "owa.contoso.com", "imap.contoso.com"], { minLength: 1 }));
    const property = fc.asyncProperty(services, names, async (one, other) => {
      const plainly = await read(one.own, other.own);
      const oddly = await read(one.odd, other.odd);
      expect(oddly.services).toEqual(plainly.services);
      const [wish, oddWish] = [plainly.certificate, oddly.certificate];
      if (wish.kind !== "selfSigned" || oddWish.kind !== "selfSigned") throw new Error("another source was read");
      expect(sameWish({ ...wish.wish, subject: "CN=a" }, { ...oddWish.wish, subject: "CN=a" })).toBe(true);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it("whatever a server leaves unknown, a plan never throws, and never changes what it would have to guess", async () => {
    const property = fc.asyncProperty(
      randomStory,
      fc.subarray([...PARTS]),
      fc.array(fc.boolean(), { minLength: POOL.length, maxLength: POOL.length }),
      fc.boolean(),
      async (story, unknownParts, isRaw, isUnknownSuccessor) => {
        for (const { wish, previous, seen, context } of await tellOnce(story)) {
          const reason = unknown("not told");
          const server: ObservedServer = {
            ...seen,
            ...Object.fromEntries(unknownParts.map((part) => [part, reason])),
            certificates: seen.certificates.map((one, i) => (isRaw[i] === true ? rawDataOnly(one.facts) : one)),
          };
          const asked = { ...wish, ...(isUnknownSuccessor ? { successor: "unknown" as const } : {}) };
          const decision = plan(asked, previous, server, context);
          inWords(decision);
          if (decision.kind !== "create" && decision.kind !== "update" && decision.kind !== "replace") continue;
          const enabled = decision.work.steps.flatMap((step) => (step.kind === "enable" ? [step] : []));
          if (server.defaultSmtpThumbprint.kind === "unknown") {
            expect(enabled.filter(({ services }) => services.includes("SMTP"))).toEqual([]);
          }
          for (const { certificate, services } of enabled) {
            const target = server.certificates.find(
              ({ facts }) => certificate.kind === "known" && facts.thumbprint === certificate.thumbprint,
            );
            // What is shown as RawData only may hold anything already, save for what follows a name.
            if (target?.displayedServices.kind === "unknown")
              expect(services.filter((one) => !isNameService(one))).toEqual([]);
          }
        }
      },
    );
    await fc.assert(property, { numRuns: RUNS, seed: SEED });
  });

  it("the stories are about something: every kind of plan comes up in them, and most certificates", async () => {
    const kinds = new Map<string, number>();
    const bound = new Set<string>();
    for (const telling of told.values()) {
      for (const { decision, applied } of await telling) {
        kinds.set(decision.kind, (kinds.get(decision.kind) ?? 0) + 1);
        if (applied !== undefined) bound.add(applied.thumbprint);
      }
    }
    for (const kind of ["create", "update", "replace", "blocked", "inSync"]) {
      expect(kinds.get(kind) ?? 0).toBeGreaterThan(20);
    }
    expect(POOL.filter(({ facts }) => bound.has(facts.thumbprint)).length).toBeGreaterThan(7);
  });
});
