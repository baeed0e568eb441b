import fc from "fast-check";

import type { Bag } from "./stack";
import { BY_HAND, FAULTS, GIVEN, BROUGHT, SERVERS, type ByHand } from "./world";

/** What happens in a program of the soak, as data, so that it can be printed and made smaller. */
export type Command =
  | { readonly do: "declare"; readonly stack: number; readonly name: string; readonly wish: Wish }
  | { readonly do: "drop"; readonly stack: number; readonly name: string }
  | { readonly do: "up" | "preview" | "refresh" | "destroy"; readonly stack: number }
  | { readonly do: "up with a fault"; readonly stack: number; readonly server: number; readonly fault: string }
  | { readonly do: "up, killed"; readonly stack: number; readonly call: number; readonly when: "before" | "after" }
  | { readonly do: "by hand"; readonly server: number; readonly what: ByHand }
  | { readonly do: "later"; readonly days: number };

/** A binding, with numbers for what is made beforehand. */
export interface Wish {
  readonly server: number;
  readonly certificate: { readonly brought: number } | { readonly present: number } | { readonly days: number };
  readonly services: readonly string[];
  readonly remove: boolean;
  readonly removeAfterDays: number;
  readonly replaceDefault: boolean;
  readonly connectors: readonly ("send" | "receive")[];
  readonly forget: boolean;
  readonly successor: number | undefined;
}

/** The inputs of that binding. */
export function inputsOf(wish: Wish): Bag {
  const { certificate, successor } = wish;
  const names = { send: ["Outbound"], receive: ["Relay"] };
  const connectors = Object.fromEntries(wish.connectors.map((kind) => [kind, names[kind]]));
  return {
    server: SERVERS[wish.server] ?? "",
    certificate:
      "brought" in certificate
        ? BROUGHT[certificate.brought]
        : "present" in certificate
          ? { thumbprint: GIVEN[certificate.present]?.facts.thumbprint }
          : { selfSigned: { dnsNames: ["mail.contoso.com"], validityDays: certificate.days } },
    services: [...wish.services],
    ...(wish.remove ? { onDelete: "remove", removeAfterDays: wish.removeAfterDays } : {}),
    ...(wish.replaceDefault ? { replaceDefaultSmtpCertificate: true } : {}),
    ...(wish.services.includes("SMTP") && wish.connectors.length > 0 ? { connectors } : {}),
    ...(wish.forget ? { onServiceRemoved: "forget" } : {}),
    ...(successor === undefined ? {} : { successor: GIVEN[successor]?.facts.thumbprint }),
  };
}

const index = (list: readonly unknown[]): fc.Arbitrary<number> => fc.nat({ max: list.length - 1 });
const rarely = fc.nat({ max: 4 }).map((one) => one === 4);
const often = fc.boolean();
const stack = fc.nat({ max: 1 });
const name = fc.constantFrom("a", "b", "c");

const wish: fc.Arbitrary<Wish> = fc.record({
  // Most on the first server, so that there is something to quarrel about.
  server: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, index(SERVERS)),
  certificate: fc.oneof(
    { weight: 4, arbitrary: fc.record({ brought: index(GIVEN) }) },
    { weight: 2, arbitrary: fc.record({ days: fc.constantFrom(90, 91, 365) }) },
    fc.record({ present: index(GIVEN) }),
  ),
  services: fc.subarray(["IIS", "IMAP", "POP", "SMTP"], { minLength: 1 }),
  remove: often,
  removeAfterDays: fc.constantFrom(0, 0, 20),
  replaceDefault: rarely,
  connectors: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray(["send", "receive"] as const)),
  forget: often,
  successor: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, index(GIVEN)),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ do: fc.constant("declare" as const), stack, name, wish }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant("up" as const), stack }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), stack, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("preview" as const), stack }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("refresh" as const), stack }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("destroy" as const), stack }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("up with a fault" as const),
      stack,
      server: index(SERVERS),
      fault: fc.constantFrom(...Object.keys(FAULTS)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("up, killed" as const),
      stack,
      call: fc.nat({ max: 4 }),
      when: fc.constantFrom("before" as const, "after" as const),
    }),
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

/** At least twenty commands, and up to thirty. */
export const randomProgram = fc.array(command, { minLength: 20, maxLength: 30 });
