import type { ServerFqdn } from "../../../provider/model";
import type { Command, Kill } from "./commands";
import { certificateOf, inputsOf } from "./commands";
import { connectorNames } from "./laws";
import { Stack, type Ending, type RunBackend } from "./stack";
import { Watch, type Broken, type LeftEmpty } from "./watch";
import { FAULTS, SERVERS, makeWorld, type World } from "./world";

/** What came up, counted: commands, faults, changing calls, endings of runs. */
export type Counts = Map<string, number>;

/** A law that was broken, and after which command. */
export class BrokenLaw extends Error {}

/** Does everything in a program, and throws {@link BrokenLaw} at the first law that is broken. */
export async function tell(program: readonly Command[], counts: Counts): Promise<void> {
  const world = makeWorld();
  const stacks = [new Stack("first", world.now), new Stack("second", world.now)];
  let leftEmpty: readonly LeftEmpty[] = [];
  for (const [index, command] of program.entries()) {
    const count = (what: string): unknown => counts.set(what, (counts.get(what) ?? 0) + 1);
    count(`command: ${command.do}`);
    const stack = stacks["stack" in command ? command.stack : 0];
    if (stack === undefined) continue;
    const where = `command ${String(index)}, ${JSON.stringify(command)}`;
    const teller = new Teller({ world, stack, count, where, leftEmpty });
    await teller.do(command);
    leftEmpty = teller.leftEmpty;
  }
}

interface TellerParts {
  readonly world: World;
  readonly stack: Stack;
  readonly count: (what: string) => unknown;
  readonly where: string;
  readonly leftEmpty: readonly LeftEmpty[];
}

class Teller {
  readonly #world: World;
  readonly #stack: Stack;
  readonly #count: (what: string) => unknown;
  readonly #where: string;
  /** What a kill has left, as long as nothing else has changed anything since. */
  leftEmpty: readonly LeftEmpty[];
  /** Changing ones of the last run. */
  #calls: readonly string[] = [];

  constructor({ world, stack, count, where, leftEmpty }: TellerParts) {
    this.#world = world;
    this.#stack = stack;
    this.#count = count;
    this.#where = where;
    this.leftEmpty = leftEmpty;
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
      case "renew": {
        const names = Object.keys(stack.program);
        const name = names[command.nth % names.length];
        const declared = name === undefined ? undefined : stack.program[name];
        if (name === undefined || declared === undefined) return;
        stack.program = { ...stack.program, [name]: { ...declared, certificate: certificateOf(command.certificate) } };
        const { trouble } = command;
        if (trouble === undefined) await this.#up();
        else if ("call" in trouble) await this.#run("up, killed", (backend) => stack.up(backend), trouble);
        else await this.#upWithFault(SERVERS.indexOf(declared["server"] as ServerFqdn), trouble.fault);
        return;
      }
      case "later":
        this.leftEmpty = [];
        this.#world.pass(command.days);
        return;
      case "by hand":
        this.leftEmpty = [];
        this.#count(`by hand: ${command.what}`);
        await this.#world.byHand(command.server, command.what);
        return;
      case "preview":
      case "refresh": {
        const before = await this.#world.store.read();
        await this.#run(command.do, (backend) => stack[command.do](backend));
        if ((await this.#world.store.read()) !== before) this.#broken([`a ${command.do} changes nothing`]);
        return;
      }
      case "destroy": {
        const { program } = stack;
        stack.program = {};
        await this.#run(command.do, (backend) => stack.destroy(backend));
        stack.program = program;
        return;
      }
      case "up":
        await this.#up();
        return;
      case "up with a fault":
        await this.#upWithFault(command.server, command.fault, command.kill);
        return;
      case "up, killed":
        await this.#run(command.do, (backend) => stack.up(backend), command.kill);
    }
  }

  async #upWithFault(server: number, fault: string, kill?: Kill): Promise<void> {
    this.#count(`fault: ${fault}`);
    await this.#world.setFaults(server, FAULTS[fault] ?? {});
    await this.#run("up with a fault", (backend) => this.#stack.up(backend), kill);
    await this.#world.setFaults(server, {});
  }

  /** Without a fault: what was not refused beforehand comes about, and then there is nothing left to do. */
  async #up(): Promise<void> {
    const stack = this.#stack;
    const left = this.leftEmpty.filter((one) => one.stack === stack);
    const ending = await this.#run("up", (backend) => stack.up(backend));
    if (ending.how === "refused") return;
    if (ending.reasons.length > 0)
      this.#broken(["without a fault, nothing fails that wasn't refused", ...ending.reasons]);
    const names = connectorNames(await this.#world.store.read());
    const empty = left.map((one) => one.connector).filter((one) => names.get(one) === null);
    if (left.length > 0) this.#count("up after a kill in a gap");
    if (empty.length > 0) this.#broken(["what a kill in a gap has left empty is set by the next up", ...empty]);
    if (ending.kept.length > 0) return;
    let again = await this.#run("preview after an up", (backend) => stack.preview(backend));
    if (isUpdatesAlone(again)) {
      await this.#run("up again for a removal", (backend) => stack.up(backend));
      if (!this.#isOnlyRemoval(ending, again))
        this.#broken(["all that one up leaves to the next are removals that it has made possible", ...this.#calls]);
      again = await this.#run("preview after an up", (backend) => stack.preview(backend));
    }
    // Documented: who removes has to depend on who declares. Nothing but its order is wrong with the program.
    if (again.how === "refused" && again.reasons.every((one) => one.includes("which comes before this one, removes"))) {
      this.#count("preview after an up: refused for the order of its bindings");
      return;
    }
    const todo = Object.entries(again.done).filter(([, what]) => what !== "same");
    if (again.how !== "done" || todo.length > 0) {
      const law = "after an up without a fault there is nothing left to do";
      this.#broken([law, JSON.stringify(todo), ...again.reasons]);
    }
  }

  /**
   * What had to stay because of another binding's certificate may go once that has changed, later in the same run; and
   * in a gap, once the outputs hold what the connector names. No plan has announced these, so the next one does.
   */
  #isOnlyRemoval({ done }: Ending, { done: again }: Ending): boolean {
    const changed = Object.keys(done).filter((name) => done[name] !== "same");
    const left = Object.keys(again).filter((name) => again[name] !== "same");
    const isByOthers = left.every((name) => changed.some((one) => one !== name));
    const isInGap = this.#calls.includes("setSendConnectorCertificate");
    const calls = ["removeCertificate", "setSendConnectorCertificate"];
    return (
      this.#calls.includes("removeCertificate") &&
      this.#calls.every((call) => calls.includes(call)) &&
      (isByOthers || isInGap)
    );
  }

  /** A run, watched. A law that it breaks is thrown when it is over. */
  async #run(what: string, run: (backend: RunBackend) => Promise<Ending>, kill?: Kill): Promise<Ending> {
    const watch = new Watch({
      world: this.#world,
      stack: this.#stack,
      count: this.#count,
      kill,
      leftEmpty: this.leftEmpty.filter((one) => one.stack === this.#stack),
    });
    const before = await this.#world.store.read();
    const ending = await run(watch.backend);
    this.#count(`${what}: ${ending.how}`);
    await watch.ended(ending);
    this.#calls = watch.calls;
    if (what.startsWith("up")) this.#stack.isOver(ending);
    if (what.startsWith("up") && ending.how === "done") watch.demandNewest(await this.#world.store.read());
    if (watch.broken !== undefined) this.#broken(watch.broken);
    if ((await this.#world.store.read()) !== before) this.leftEmpty = ending.how === "killed" ? watch.leftEmpty() : [];
    return ending;
  }

  #broken([law, ...details]: Broken): never {
    throw new BrokenLaw([`${law}: broken in ${this.#where}`, ...details].join("\n"));
  }
}

function isUpdatesAlone({ how, done }: Ending): boolean {
  const left = Object.values(done).filter((what) => what !== "same");
  return how === "done" && left.length > 0 && left.every((what) => what === "update");
}
