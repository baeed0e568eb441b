import type { ToldLine } from "../../lifecycle/requests";
import type { EngineLog } from "./engineLog";
import { lineForConsole, lineForRow } from "./lineText";

export interface LineSinkEnv {
  /** Undefined where the engine's address isn't known. */
  readonly log: EngineLog | undefined;
  /** The stack and the project that the engine works on, where it says so. */
  readonly stack?: string | undefined;
  readonly project?: string | undefined;
  /** Whose each line is comes from the engine's own request, so every URN has a row. Default: no. */
  readonly everyUrn?: boolean | undefined;
  readonly now: () => Date;
  /** A line under Diagnostics of the stack. */
  readonly print: (text: string) => void;
}

/**
 * Decides where lines stand: under their resource where it is certain that there is one of that URN in this
 * deployment, otherwise with the stack's own, or on the console. What stands in a state may be the URN of another time:
 * the stack may have been renamed since, or the resource have got another name or parent under an alias. The engine tells
 * a provider's process the project and not the stack, so only what a program has declared in this run is certain.
 */
export class LineSink {
  readonly #env: LineSinkEnv;
  readonly #rows = new Set<string>();
  /** By URN, to which server and phase its last line belonged. */
  readonly #groups = new Map<string, string>();

  constructor(env: LineSinkEnv) {
    this.#env = env;
  }

  /** The program has declared that resource in this run. */
  addRow(urn: unknown): void {
    if (typeof urn === "string" && this.#isOfThisStack(urn)) this.#rows.add(urn);
  }

  say(told: ToldLine): void {
    const { log, everyUrn = false, now, print } = this.#env;
    const { urn } = told.identity;
    const onConsole = (): void => {
      print(lineForConsole(told, now()));
    };
    if (log === undefined) {
      onConsole();
      return;
    }
    if (!everyUrn && !this.#rows.has(urn)) {
      // Without a URN the engine shows it with the stack's own lines, a warning as a warning.
      log.show("", told.line.severity, lineForConsole(told, now()), onConsole);
      return;
    }
    const group = `${told.line.phase} ${told.server}`;
    const isFirst = this.#groups.get(urn) !== group;
    this.#groups.set(urn, group);
    log.show(urn, told.line.severity, lineForRow(told, now(), isFirst), onConsole);
  }

  /** Ends when all lines so far are where they belong. Never fails. */
  async flush(): Promise<void> {
    await this.#env.log?.flush();
  }

  #isOfThisStack(urn: string): boolean {
    const { stack, project } = this.#env;
    const [ofStack, ofProject] = urn.replace(/^urn:pulumi:/, "").split("::");
    return (stack === undefined || ofStack === stack) && (project === undefined || ofProject === project);
  }
}
