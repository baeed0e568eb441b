import fc from "fast-check";

import type { Bag } from "./stack";
import { BY_HAND, FAULTS, GIVEN, BROUGHT, SERVERS, type ByHand } from "./world";

/** What happens in a program of the soak, as data, so that it can be printed and made smaller. */
export type Command =
  | { readonly do: "declare"; readonly stack: number; readonly name: string; readonly wish: Wish }
  /** One of its bindings gets another certificate, as a rule of the same name, and `up`. */
  | {
      readonly do: "renew";
      readonly stack: number;
      readonly nth: number;
      readonly certificate: Wish["certificate"];
      readonly trouble: Kill | { readonly fault: string } | undefined;
    }
  | { readonly do: "drop"; readonly stack: number; readonly name: string }
  | { readonly do: "up" | "preview" | "refresh" | "destroy"; readonly stack: number }
  | {
      readonly do: "up with a fault";
      readonly stack: number;
      readonly server: number;
      readonly fault: string;
      readonly kill: Kill | undefined;
    }
  | { readonly do: "up, killed"; readonly stack: number; readonly kill: Kill }
  | { readonly do: "by hand"; readonly server: number; readonly what: ByHand }
  | { readonly do: "later"; readonly days: number };

/** At which changing call of a run its process is killed: the so-maniest, or the first after a connector was cleared. */
export interface Kill {
  readonly call: number | "in a gap";
  readonly when: "before" | "after";
}

/** A binding, with numbers for what is made beforehand. */
export interface Wish {
  readonly server: number;
  readonly certificate:
    | { readonly brought: number }
    | { readonly present: number }
    | { readonly days: number }
    | { readonly enrolled: true };
  readonly services: readonly string[];
  readonly remove: boolean;
  readonly removeAfterDays: number;
  readonly replaceDefault: boolean;
  readonly send: readonly string[];
  readonly receive: readonly string[];
  /** Where it may be. */
  readonly gap: boolean;
  readonly rollback: boolean;
  readonly forget: boolean;
  readonly successor: number | undefined;
}

/** The inputs of that binding. */
export function inputsOf(wish: Wish): Bag {
  const { successor, send, receive } = wish;
  const connectors = { ...(send.length > 0 ? { send } : {}), ...(receive.length > 0 ? { receive } : {}) };
  const hasConnectors = wish.services.includes("SMTP") && send.length + receive.length > 0;
  return {
    server: SERVERS[wish.server] ?? "",
    certificate: certificateOf(wish.certificate),
    services: [...wish.services],
    ...(wish.remove ? { onDelete: "remove", removeAfterDays: wish.removeAfterDays } : {}),
    ...(wish.replaceDefault ? { replaceDefaultSmtpCertificate: true } : {}),
    ...(hasConnectors ? { connectors } : {}),
    ...(hasConnectors && wish.remove && wish.gap && send.length > 0 ? { allowConnectorGap: true } : {}),
    ...(wish.rollback ? { onFailure: "rollback" } : {}),
    ...(wish.forget ? { onServiceRemoved: "forget" } : {}),
    ...(successor === undefined ? {} : { successor: GIVEN[successor]?.facts.thumbprint }),
  };
}

/** The input of that name. */
export function certificateOf(certificate: Wish["certificate"]): unknown {
  if ("brought" in certificate) return BROUGHT[certificate.brought];
  if ("present" in certificate) return { thumbprint: GIVEN[certificate.present]?.facts.thumbprint };
  if ("enrolled" in certificate)
    return { onServer: { dnsNames: ["mail.contoso.com"], issuer: "Contoso Enrolment CA" } };
  return { selfSigned: { dnsNames: ["mail.contoso.com"], validityDays: certificate.days } };
}

const index = (list: readonly unknown[]): fc.Arbitrary<number> => fc.nat({ max: list.length - 1 });
const rarely = fc.nat({ max: 4 }).map((one) => one === 4);
const often = fc.boolean();
// More of some than of others: what follows is about the same binding as a rule.
const stack = fc.constantFrom(0, 0, 1);
const name = fc.constantFrom("a", "a", "a", "b", "b", "c");

const wish: fc.Arbitrary<Wish> = fc.record({
  // Most on the first server, so that there is something to quarrel about.
  server: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, index(SERVERS)),
  certificate: fc.oneof(
    { weight: 4, arbitrary: fc.record({ brought: index(GIVEN) }) },
    { weight: 2, arbitrary: fc.record({ days: fc.constantFrom(90, 91, 365) }) },
    { weight: 2, arbitrary: fc.record({ enrolled: fc.constant(true as const) }) },
    fc.record({ present: index(GIVEN) }),
  ),
  services: fc.oneof(
    fc.subarray(["IIS", "IMAP", "POP", "SMTP"], { minLength: 1 }),
    fc.subarray(["IIS", "IMAP", "POP"]).map((more) => [...more, "SMTP"]),
  ),
  remove: fc.constantFrom(true, true, false),
  removeAfterDays: fc.constantFrom(0, 0, 20),
  replaceDefault: rarely,
  send: fc.constantFrom([], [], ["Partner"], ["Partner"], ["Partner"], ["Outbound"], ["Outbound", "Partner"]),
  receive: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.constant(["Relay"])),
  gap: often,
  rollback: often,
  forget: often,
  successor: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, index(GIVEN)),
});

/** By number in {@link GIVEN}: mostly those of one issuer and subject, and what is made. */
const next: fc.Arbitrary<Wish["certificate"]> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ brought: fc.constantFrom(0, 1, 3) }) },
  { weight: 2, arbitrary: fc.record({ days: fc.constantFrom(90, 91, 365) }) },
  fc.record({ brought: index(GIVEN) }),
);
const kill: fc.Arbitrary<Kill> = fc.record({
  call: fc.oneof({ weight: 2, arbitrary: fc.nat({ max: 4 }) }, fc.constant("in a gap" as const)),
  when: fc.constantFrom("before" as const, "after" as const),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ do: fc.constant("declare" as const), stack, name, wish }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("renew" as const),
      stack,
      nth: fc.nat({ max: 2 }),
      certificate: next,
      trouble: fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        kill,
        fc.record({ fault: fc.constantFrom(...Object.keys(FAULTS)) }),
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("up" as const), stack }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), stack, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("preview" as const), stack }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("refresh" as const), stack }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("destroy" as const), stack }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("up with a fault" as const),
      stack,
      server: index(SERVERS),
      fault: fc.constantFrom(...Object.keys(FAULTS)),
      kill: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, kill),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("up, killed" as const), stack, kill }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("by hand" as const),
      server: index(SERVERS),
      what: fc.constantFrom(...BY_HAND),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("later" as const), days: fc.constantFrom(1, 10, 21, 47) }) },
);

/** At least twenty commands, and a few more. */
export const randomProgram = fc.array(command, { minLength: 20, maxLength: 24 });
