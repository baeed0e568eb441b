import { isDeepStrictEqual } from "node:util";

import type { Backend } from "../../../provider/backends/backend";
import type { Organisation } from "../../../provider/backends/simulator/organisation";
import type { ServerFqdn } from "../../../provider/model";
import { CHANGING_CALLS } from "../../changingCalls";
import type { Kill } from "./commands";
import { LAWS, connectorNames, isAnnouncedGap, newestEnrolled, type Caller, type Turn } from "./laws";
import type { Bag, Ending, RunBackend, Stack } from "./stack";
import { thumbprintOf, type World } from "./world";

/* One run of a stack: every changing call is held against the laws, and one of them may be its process's last. */

/** A send connector that a run, which was killed, has left without a name. */
export interface LeftEmpty {
  readonly stack: Stack;
  readonly binding: string;
  readonly connector: string;
}

/** A law, and what is wrong. */
export type Broken = readonly [law: string, ...details: string[]];

export interface WatchParts {
  readonly world: World;
  readonly stack: Stack;
  readonly count: (what: string) => unknown;
  readonly kill?: Kill | undefined;
  readonly leftEmpty: readonly LeftEmpty[];
}

const NOTHING_LEFT = "no connector is left without its name by a run of ours";

export class Watch {
  readonly backend: RunBackend;
  /** The first: within a call it couldn't be thrown, for whoever makes the call would catch it. */
  broken: Broken | undefined;
  /** Changing calls that were made. */
  readonly calls: string[] = [];
  readonly #parts: WatchParts;
  readonly #caller: Caller;
  /** By this run, and not set again: the connector, and for which binding. */
  readonly #cleared = new Map<string, string>();
  /** What others have left, as long as it is. */
  #leftEmpty: readonly LeftEmpty[];
  #turn: Omit<Turn, "leftEmpty"> | undefined;
  #calls = 0;
  #isDead = false;

  constructor(parts: WatchParts) {
    const { world, stack } = parts;
    this.#parts = parts;
    this.#leftEmpty = parts.leftEmpty;
    this.#caller = {
      program: stack.program,
      known: stack.resources,
      everOwn: stack.everOwn,
      outputs: (binding) => stack.outputs(binding),
      imported: new Set(),
      now: world.now(),
    };
    const real = world.backend;
    const changing = Object.fromEntries(
      CHANGING_CALLS.map((name) => [
        name,
        (server: ServerFqdn, ...args: readonly unknown[]) =>
          this.#judged({ name, server, args }, () =>
            (real[name] as (...all: readonly unknown[]) => Promise<unknown>)(server, ...args),
          ),
      ]),
    ) as unknown as Pick<Backend, (typeof CHANGING_CALLS)[number]>;
    this.backend = {
      ...changing,
      kind: real.kind,
      isDead: () => this.#isDead,
      readSnapshot: (...args) => (this.#isDead ? dead() : real.readSnapshot(...args)),
      close: () => real.close(),
      begins: async (binding) => {
        this.#turn = { binding, before: await world.store.read(), isRollingBack: false };
      },
      says: ({ kind }) => {
        if (kind === "rollsBack" && this.#turn !== undefined) this.#turn = { ...this.#turn, isRollingBack: true };
      },
    };
  }

  /** What holds when a run is over. */
  async ended(ending: Ending): Promise<void> {
    if (ending.how === "killed") return;
    const organisation = await this.#parts.world.store.read();
    if (this.#cleared.size > 0) this.#breaks([NOTHING_LEFT, ...this.#cleared.keys()]);
    const before = this.#turn?.before;
    for (const reason of ending.reasons) {
      const count = (how: string): unknown => this.#parts.count(`roll-back: ${how}`);
      const asBefore = /is as it was before(.*), and so is the state/.exec(reason);
      if (asBefore !== null) {
        count("complete");
        // Names that stay set although they were empty, each in quotes.
        const butFor = [...(asBefore[1] ?? "").matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? "");
        if (
          before !== undefined &&
          !isDeepStrictEqual(sorted(named(before, butFor, organisation)), sorted(organisation))
        )
          this.#breaks(["a server is as before where a roll-back says so", reason]);
      } else if (/rolled back|[Rr]olling it back/.test(reason)) count("incomplete");
    }
  }

  /** Send connectors that this run, which was killed, has left without a name. */
  leftEmpty(): readonly LeftEmpty[] {
    return [...this.#cleared].map(([connector, binding]) => ({ stack: this.#parts.stack, binding, connector }));
  }

  /** After an up that is done. */
  demandNewest(organisation: Organisation): void {
    for (const [name, { certificate, server }] of Object.entries(this.#caller.program)) {
      if ((certificate as Bag)["onServer"] === undefined) continue;
      const newest = newestEnrolled(organisation, String(server), this.#caller.now);
      const bound = this.#parts.stack.outputs(name)?.["thumbprint"];
      if (newest === undefined) continue;
      this.#parts.count(this.#caller.known.some((one) => one.name === name) ? "onServer: later" : "onServer: chosen");
      if (bound !== newest) this.#breaks(["what is on the server is chosen by the rule", `${name}: ${String(bound)}`]);
    }
  }

  #breaks(broken: Broken): void {
    this.broken ??= broken;
  }

  async #judged(
    { name, server, args }: { readonly name: string; readonly server: ServerFqdn; readonly args: readonly unknown[] },
    call: () => Promise<unknown>,
  ): Promise<unknown> {
    const { world, stack, count, kill } = this.#parts;
    if (this.#isDead) return dead();
    const isLast =
      kill !== undefined && (kill.call === "in a gap" ? this.#cleared.size > 0 : this.#calls++ === kill.call);
    if (isLast) {
      this.#isDead = kill.when === "before";
      count(`killed ${kill.when} ${name}`);
      if (this.#cleared.size > 0) count("killed in a gap");
    }
    if (this.#isDead) return dead();
    count(`call: ${name}`);
    this.calls.push(name);
    if (this.#turn?.isRollingBack === true) count(`call to put back: ${name}`);
    const before = await world.store.read();
    let answer: unknown;
    try {
      answer = await call();
    } finally {
      const after = await world.store.read();
      const known = this.#turn ?? { binding: "", before, isRollingBack: false };
      const isOfTurn = ({ binding }: LeftEmpty): boolean => binding === known.binding;
      const turn = { ...known, leftEmpty: this.#leftEmpty.filter(isOfTurn).map((one) => one.connector) };
      const connector = name.endsWith("ConnectorCertificate") ? String(args[0]) : undefined;
      const seen = { call: name, server, connector, turn, before, after };
      for (const [law, judge] of Object.entries(LAWS)) {
        const wrong = judge(seen, this.#caller);
        if (wrong.length > 0) this.#breaks([law, ...wrong]);
      }
      if (name === "setSendConnectorCertificate" && connector !== undefined) {
        const isEmpty = connectorNames(after).get(connector) === null;
        if (!isEmpty) {
          this.#cleared.delete(connector);
          // What is cleared once more is a gap of this run's.
          this.#leftEmpty = this.#leftEmpty.filter((one) => one.connector !== connector);
        }
        if (isEmpty && isAnnouncedGap(seen, this.#caller, connector)) {
          count("gap");
          this.#cleared.set(connector, turn.binding);
        }
      }
      const there = new Set(before.servers[server]?.certificates.map(({ der }) => der));
      for (const { der } of after.servers[server]?.certificates ?? []) {
        if (there.has(der)) continue;
        const id = `${server}/${thumbprintOf(der)}`;
        this.#caller.imported.add(id);
        stack.everOwn.add(id);
      }
      if (isLast) this.#isDead = true;
    }
    return isLast ? dead() : answer;
  }
}

function dead(): Promise<never> {
  return Promise.reject(new Error("the process was killed"));
}

/** The same, but for send connectors that named none and name something later. */
function named(before: Organisation, connectors: readonly string[], later: Organisation): Organisation {
  const sendConnectors = before.sendConnectors.map((one) =>
    one.tlsCertificateName === null && connectors.includes(one.name)
      ? (later.sendConnectors.find(({ name }) => name === one.name) ?? one)
      : one,
  );
  return { ...before, sendConnectors };
}

/** In which order certificates lie in the store is nobody's business. */
function sorted(organisation: Organisation): Organisation {
  const servers = Object.entries(organisation.servers).map(([name, one]) => {
    return [name, { ...one, certificates: one.certificates.toSorted((a, b) => (a.der < b.der ? -1 : 1)) }] as const;
  });
  return { ...organisation, servers: Object.fromEntries(servers) };
}
