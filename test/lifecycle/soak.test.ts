import type { Command, Wish } from "./soak/commands";
import { FAULTS } from "./soak/world";
import { soak, summaryOf } from "./soak/soak";
import { tell, type Counts } from "./soak/tell";

/* A hundred random programs here; `npm run soak` tells ten thousand, and `-- --seed` these ones again. */

it("keeps the laws through drift, faults, kills and time, whatever a program asks for", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { finding, programs, counts } = await soak(100, seed);
  expect(finding).toBeUndefined();
  expect(programs).toBe(100);
  const came = summaryOf(counts);
  for (const what of [
    ...[
      "up",
      "up with a fault",
      "up, killed",
      "preview",
      "refresh",
      "destroy",
      "by hand",
      "later",
      "declare",
      "renew",
      "drop",
    ].map((command) => `command: ${command}`),
    ...Object.keys(FAULTS).map((fault) => `fault: ${fault}`),
    ...["importCertificate", "enableServices", "removeCertificate"].map((call) => `call: ${call}`),
    ...["up: done", "up: refused", "up, killed: killed", "up with a fault: failed", "onServer: chosen"],
  ]) {
    expect(came).toContain(what);
  }
});

/* What the random ones come to now and then, and these always. */

const WISH: Wish = {
  server: 0,
  certificate: { brought: 0 },
  services: ["SMTP"],
  remove: true,
  removeAfterDays: 0,
  replaceDefault: false,
  send: ["Partner"],
  receive: [],
  gap: true,
  rollback: false,
  forget: false,
  successor: undefined,
};
const declare = (changes: Partial<Wish> = {}): Command => {
  return { do: "declare", stack: 0, name: "a", wish: { ...WISH, ...changes } };
};
const renew = (brought: number, trouble?: (Command & { readonly do: "renew" })["trouble"]): Command => {
  return { do: "renew", stack: 0, nth: 0, certificate: { brought }, trouble };
};
const up: Command = { do: "up", stack: 0 };

async function told(...program: readonly Command[]): Promise<Counts> {
  const counts: Counts = new Map();
  await tell(program, counts);
  return counts;
}

it("comes to gaps, to kills in them, and to names that the next run sets again", async () => {
  const counts = await told(
    ...[declare(), up, renew(1), renew(0, { call: "in a gap", when: "before" }), up],
    ...[renew(1, { call: "in a gap", when: "after" }), up],
  );
  expect(counts.get("gap")).toBe(4);
  expect(counts.get("killed in a gap")).toBe(2);
  expect(counts.get("up after a kill in a gap")).toBe(2);
});

it("comes to roll-backs, complete and incomplete", async () => {
  const trouble = { fault: "enabling ends after SMTP" };
  const wish = { services: ["IMAP", "SMTP"], rollback: true };
  const complete = await told(declare({ ...wish, send: [] }), up, renew(1, trouble));
  expect(complete.get("roll-back: complete")).toBe(1);
  // Exchange lets no certificate go whose issuer and subject a send connector names.
  const incomplete = await told(declare(wish), up, renew(1, trouble));
  expect(incomplete.get("roll-back: incomplete")).toBe(1);
});

/* Each of these breaks a law when the one decision is taken out of the planner that keeps it. */

const destroy: Command = { do: "destroy", stack: 0 };
const byHand = (what: (Command & { readonly do: "by hand" })["what"]): Command => ({ do: "by hand", server: 0, what });
const enrolled = { certificate: { enrolled: true } } as const;
const faulty = (fault: string): Command => ({ do: "up with a fault", stack: 0, server: 0, fault, kill: undefined });
const gapOver = renew(0, { call: "in a gap", when: "before" });

it.each<[situation: string, program: readonly Command[]]>([
  ["the only certificate with SMTP that hasn't ended is destroyed", [declare({ server: 2, send: [] }), up, destroy]],
  ["the certificate of IIS is destroyed", [declare({ services: ["IIS"], send: [] }), up, destroy]],
  ["a receive connector names the certificate that is destroyed", [declare({ receive: ["Relay"] }), up, destroy]],
  ["nobody could bring again what is destroyed", [declare({ ...enrolled, send: [] }), up, destroy]],
  ["a later certificate is enrolled", [declare({ ...enrolled, send: [] }), up, byHand("enrols a certificate"), up]],
  ["a gap is left open, and another certificate comes", [declare(), up, renew(1), gapOver, renew(2)]],
  [
    "another binding declares the certificate that is replaced",
    [declare({ send: [] }), { ...declare({ services: ["IMAP"], send: [] }), name: "b" } as Command, up, renew(1)],
  ],
  [
    "IIS is taken from a foreign certificate",
    [
      byHand("binds the front end to a certificate of their own"),
      declare({ services: ["IIS"], send: [] }),
      up,
      renew(1),
    ],
  ],
  [
    "a roll-back leaves a send connector set that may have been left empty",
    [
      declare({ services: ["IIS", "SMTP"], rollback: true }),
      faulty("no role for connectors"),
      faulty("enabling IIS without effect"),
    ],
  ],
  [
    "a roll-back can't put the name of IMAP back",
    [
      declare({ services: ["IMAP", "SMTP"], rollback: true, send: [] }),
      faulty("enabling ends after IMAP, no role to set names"),
    ],
  ],
])("keeps the laws where %s", async (_situation, program) => {
  await expect(told(...program)).resolves.toBeDefined();
});

it("leaves nothing to a second up where a binding moves to another server and older ones wait on the first", async () => {
  const kept = { removeAfterDays: 20, send: [] };
  const program = [
    declare(kept),
    up,
    renew(1),
    { do: "later", days: 21 } as const,
    declare({ ...kept, server: 1 }),
    up,
  ];
  const counts = await told(...program);
  expect(counts.get("call: removeCertificate")).toBe(1);
});

it("comes to certificates that are chosen on the server, and to later ones", async () => {
  const counts = await told(
    ...[declare({ certificate: { enrolled: true } }), up],
    ...[{ do: "by hand", server: 0, what: "enrols a certificate" } as const, up],
  );
  expect(counts.get("onServer: chosen")).toBe(1);
  expect(counts.get("onServer: later")).toBe(1);
});
