import type { Backend } from "../../../provider/backends/backend";
import type { ServerFqdn } from "../../../provider/model";
import type { Command } from "./commands";
import { inputsOf } from "./commands";
import { LAWS, type Caller } from "./laws";
import { Stack, type Ending, type Program, type RunBackend } from "./stack";
import { FAULTS, makeWorld, thumbprintOf, type World } from "./world";

/** What came up, counted: commands, faults, changing calls, endings of runs. */
export type Counts = Map<string, number>;

/** A law that was broken, and after which command. */
export class BrokenLaw extends Error {}

const CHANGING = [
  "importCertificate",
  "enableServices",
  "setCertificateName",
  "setSendConnectorCertificate",
  "setReceiveConnectorCertificate",
  "removeCertificate",
] as const;

/** Does everything in a program, and throws {@link BrokenLaw} at the first law that is broken. */
export async function tell(program: readonly Command[], counts: Counts): Promise<void> {
  const world = makeWorld();
  const stacks = [new Stack("first", world.now), new Stack("second", world.now)];
  for (const [index, command] of program.entries()) {
    const count = (what: string): unknown => counts.set(what, (counts.get(what) ?? 0) + 1);
    count(`command: ${command.do}`);
    const stack = stacks["stack" in command ? command.stack : 0];
    if (stack === undefined) continue;
    const teller = new Teller(world, stack, count, `command ${index}, ${JSON.stringify(command)}`);
    await teller.do(command);
    teller.demandLaws();
  }
}

class Teller {
  readonly #world: World;
  readonly #stack: Stack;
  readonly #count: (what: string) => unknown;
  readonly #where: string;
  /** A law and what is wrong: within a call it couldn't be thrown, for whoever makes the call would catch it. */
  #brokenByCall: readonly string[] | undefined;

  constructor(world: World, stack: Stack, count: (what: string) => unknown, where: string) {
    this.#world = world;
    this.#stack = stack;
    this.#count = count;
    this.#where = where;
  }

  async do(command: Command): Promise<void> {
    const stack = this.#stack;
    switch (command.do) {
      case "declare":
        stack.program = { ...stack.program, [command.name]: inputsOf(command.wish) };
        return;
      case "drop":
        stack.program = Object.fromEntries(Object.entries(stack.program).filter(([name]) => name !== command.name));
        return;
      case "later":
        this.#world.pass(command.days);
        return;
      case "by hand":
        this.#count(`by hand: ${command.what}`);
        await this.#world.byHand(command.server, command.what);
        return;
      case "preview":
      case "refresh": {
        const before = await this.#world.store.read();
        const ending =
          command.do === "preview" ? await stack.preview(this.#backend()) : await stack.refresh(this.#backend());
        this.#ended(command.do, ending);
        if ((await this.#world.store.read()) !== before) this.#broken(`a ${command.do} changes nothing`, []);
        return;
      }
      case "destroy": {
        const { program } = stack;
        stack.program = {};
        this.#ended(command.do, await stack.destroy(this.#backend()));
        stack.program = program;
        return;
      }
      case "up":
        await this.#up();
        return;
      case "up with a fault":
        this.#count(`fault: ${command.fault}`);
        await this.#world.setFaults(command.server, FAULTS[command.fault] ?? {});
        this.#ended(command.do, await stack.up(this.#backend()));
        await this.#world.setFaults(command.server, {});
        return;
      case "up, killed":
        this.#ended(command.do, await stack.up(this.#backend(command)));
    }
  }

  /** That no call has broken one. */
  demandLaws(): void {
    const [law, ...details] = this.#brokenByCall ?? [];
    if (law !== undefined) this.#broken(law, details);
  }

  /** Without a fault: what was not refused beforehand comes about, and then there is nothing left to do. */
  async #up(): Promise<void> {
    const ending = await this.#stack.up(this.#backend());
    this.#ended("up", ending);
    if (ending.how === "refused") return;
    if (ending.reasons.length > 0) this.#broken("without a fault, nothing fails that wasn't refused", ending.reasons);
    if (ending.kept.length > 0) return;
    let again = await this.#stack.preview(this.#backend());
    if (isWaiting(again, this.#stack.program)) {
      this.#count("up again for a send connector");
      await this.#stack.up(this.#backend());
      again = await this.#stack.preview(this.#backend());
    }
    const left = Object.entries(again.done).filter(([, what]) => what !== "same");
    if (again.how !== "done" || left.length > 0) {
      this.#broken("after an up without a fault there is nothing left to do", [JSON.stringify(left), ...again.reasons]);
    }
  }

  #ended(run: string, { how }: Ending): void {
    this.#count(`${run}: ${how}`);
  }

  #broken(law: string, details: readonly string[]): never {
    throw new BrokenLaw([`${law}: broken in ${this.#where}`, ...details].join("\n"));
  }

  /** The backend for one run: every changing call is held against the laws, and one of them may be the last. */
  #backend(kill?: { readonly call: number; readonly when: "before" | "after" }): RunBackend {
    const real = this.#world.backend;
    let calls = 0;
    let isDead = false;
    const dead = (): Promise<never> => Promise.reject(new Error("the process was killed"));
    const caller: Caller = {
      program: this.#stack.program,
      known: this.#stack.resources,
      imported: new Set(),
      now: this.#world.now(),
    };
    const judged = async (name: string, server: ServerFqdn, call: () => Promise<unknown>): Promise<unknown> => {
      if (isDead) return dead();
      const isLast = kill !== undefined && calls++ === kill.call;
      if (isLast) {
        isDead = kill.when === "before";
        this.#count(`killed ${kill.when} ${name}`);
      }
      if (isDead) return dead();
      this.#count(`call: ${name}`);
      const before = await this.#world.store.read();
      let answer: unknown;
      try {
        answer = await call();
      } finally {
        const after = await this.#world.store.read();
        const seen = { call: name, server, before, after };
        for (const [law, judge] of Object.entries(LAWS)) {
          const wrong = judge(seen, caller);
          if (wrong.length > 0) this.#brokenByCall ??= [law, ...wrong];
        }
        const there = new Set(before.servers[server]?.certificates.map(({ der }) => der));
        for (const { der } of after.servers[server]?.certificates ?? [])
          if (!there.has(der)) caller.imported.add(`${server}/${thumbprintOf(der)}`);
        if (isLast) isDead = true;
      }
      return isLast ? dead() : answer;
    };
    const changing = Object.fromEntries(
      CHANGING.map((name) => [
        name,
        (server: ServerFqdn, ...args: readonly unknown[]) =>
          judged(name, server, () => (real[name] as (...all: readonly unknown[]) => Promise<unknown>)(server, ...args)),
      ]),
    ) as unknown as Pick<Backend, (typeof CHANGING)[number]>;
    return {
      ...changing,
      kind: real.kind,
      isDead: () => isDead,
      readSnapshot: (...args) => (isDead ? dead() : real.readSnapshot(...args)),
      close: () => real.close(),
    };
  }
}

/**
 * A send connector that waits for a server is set by the next binding that declares it. Where a binding that doesn't
 * declare it has made that server ready, later in the same run, the next run sets it.
 */
function isWaiting({ done }: Ending, program: Program): boolean {
  const updated = Object.keys(done).filter((name) => done[name] === "update");
  return updated.length > 0 && updated.every((name) => JSON.stringify(program[name] ?? {}).includes('"send"'));
}
