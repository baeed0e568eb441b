import type { Backend } from "../backends/backend";
import { openBackend } from "../backends/openBackend";
import type { BackendSettings } from "../backends/openBackend";
import type { CertificateFacts } from "../certificate/facts";
import type { CertificateMaterial } from "../certificate/material";
import type { Thumbprint } from "../certificate/thumbprint";
import type { KeptMaterial, SourceEnv } from "../certificateSource";
import { nearSettings, readSettings } from "../config";
import type { ReadConfig, Settings } from "../config";
import { ExchangeBindingError, asSentence } from "../errors";
import { observeServer } from "../observe";
import { DEFAULT_TIMEOUT_SECONDS } from "../inputs";
import type { InputReading } from "../inputs";
import type { ServerFqdn } from "../model";
import { connectorConflicts } from "../plan/connectors";
import type { ConnectorClaim } from "../plan/connectors";
import { isNameOf } from "../plan/connectors";
import type { Claim } from "../plan/claims";
import type { HeldNames } from "../plan/connectorGap";
import type { BindingIdentity, DesiredBinding, SelfSignedWish } from "../plan/desired";
import type { Line } from "../plan/line";
import type { ObservedServer } from "../plan/observedServer";
import type { Choice } from "../plan/onServer";
import type { PlanContext } from "../plan/target";
import { parseId } from "../state";
import type { StoredBinding } from "../state";
import { Declarations } from "./declarations";
import type { Noticeboard } from "./noticeboard";
import { entryOf } from "./entryOf";
import { KeyedQueue } from "./queue";
import type { Limits, ToldLine } from "./requests";
import { Snapshots } from "./snapshots";
import { SourceServers } from "./sourceServers";
import { type Timer, untilFired, withTimeLimit } from "./timeLimit";

/** Everything impure, passed in at the one place that starts the provider. */
export interface DeploymentEnv extends SourceEnv {
  readonly now: () => Date;
  readonly randomBytes: (count: number) => Buffer;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly makeCertificate: (wish: SelfSignedWish) => Promise<CertificateMaterial>;
  /** Shows a line about a binding. */
  readonly say: (told: ToldLine) => void;
  /** Shows what a backend says of itself. */
  readonly note: (text: string) => void;
  /** A line of the trace, when one is wanted. */
  readonly trace?: ((line: string) => void) | undefined;
  /** For the time after which sessions are closed; by default the machine's own, which keeps no process alive. */
  readonly timer?: Timer | undefined;
  /** For time limits; by default the machine's own. */
  readonly limitTimer?: Timer | undefined;
  /** Where the processes of the deployment hear of each other; by default there is this one alone. */
  readonly noticeboard?: Noticeboard | undefined;
  /** Opens the configured backend; replaced in tests that count calls. */
  readonly open?: (settings: Settings) => Promise<Backend>;
}

/** Whether the server was asked, and if not, why. */
export type Observation =
  | { readonly kind: "observed"; readonly server: ObservedServer }
  | { readonly kind: "notAsked"; readonly reason: string };

/** A certificate that a binding checked earlier will import. */
interface Expected {
  readonly facts: CertificateFacts;
  readonly binding: BindingIdentity;
}

/** What the program says about certificates that a binding no longer needs. */
export type RemovalWish = Pick<DesiredBinding, "onDelete" | "removeAfterDays" | "allowConnectorGap" | "connectors">;

/**
 * What one provider process knows in common: the backend, the servers read, who claims what, which resource replaces
 * which. One process serves a whole deployment.
 */
export class Deployment {
  readonly env: DeploymentEnv;
  readonly snapshots: Snapshots;
  readonly declarations: Declarations;
  readonly sources: SourceServers;
  readonly #queue = new KeyedQueue();
  readonly #said = new Set<string>();
  readonly #expected = new Map<ServerFqdn, Map<Thumbprint, Expected>>();
  readonly #replacements = new Map<string, StoredBinding>();
  /** By the id in the state. */
  readonly #nowCalled = new Map<string, BindingIdentity>();
  readonly #checked = new Set<string>();
  readonly #connectorQueue = new KeyedQueue();
  readonly #gapQueue = new KeyedQueue();
  /** How many gaps there have been. */
  #gaps = 0;
  #gap: Promise<unknown> | undefined;
  readonly #held = new Map<string, HeldNames>();
  readonly #materials = new Map<string, Map<Thumbprint, CertificateMaterial>>();
  readonly #choices = new Map<string, Choice>();
  readonly #removals = new Map<string, RemovalWish>();
  #config: ReadConfig = () => undefined;
  #environment: DeploymentEnv["environment"] | undefined;
  #keys: readonly string[] = [];
  #isNoted = false;
  #settings: Settings | undefined;
  #backend: Promise<Backend> | undefined;
  #busy = 0;
  #stopIdling = (): void => undefined;

  constructor(env: DeploymentEnv) {
    this.env = env;
    this.declarations = new Declarations(env.noticeboard, () => {
      // The names of real servers are nobody else's; those of simulated ones may be in every file.
      const choice = this.settings.backend;
      return choice?.kind === "simulator" ? choice.file : "";
    });
    const observe = (server: ServerFqdn, signal: AbortSignal): Promise<ObservedServer> => this.observe(server, signal);
    this.snapshots = new Snapshots(observe, env.limitTimer);
    this.sources = new SourceServers({
      snapshots: this.snapshots,
      observe,
      named: () => [...this.declarations.servers(), ...this.settings.servers],
      isExpected: (name, thumbprint) =>
        [...this.#expected].some(([one, expected]) => isNameOf(one, name) && expected.has(thumbprint)),
      now: env.now,
      timer: env.limitTimer,
    });
  }

  /**
   * How inputs are read in this process. Keys of certificates stay here from check to create, by URN and thumbprint,
   * until the process ends: a create may be tried again.
   */
  reading({ signal }: Limits = {}): InputReading {
    const keptOf = ({ urn }: BindingIdentity): KeptMaterial => ({
      get: (thumbprint) => this.#materials.get(urn)?.get(thumbprint),
      keep: (material) => {
        const own = this.#materials.get(urn) ?? new Map<Thumbprint, CertificateMaterial>();
        this.#materials.set(urn, own.set(material.facts.thumbprint, material));
      },
    });
    return { env: this.env, keptOf, signal };
  }

  /**
   * `environment`: what of it counts for the settings; by default all. `keys`: those of all namespaces, as far as they
   * can be known. Only stores: a second call may come before this one's promise has ended, and after a failure it is
   * skipped.
   */
  configure(
    config: ReadConfig,
    environment: DeploymentEnv["environment"] = this.env.environment,
    keys: readonly string[] = [],
  ): void {
    this.#config = config;
    this.#environment = environment;
    this.#keys = keys;
    this.#settings = undefined;
  }

  get settings(): Settings {
    if (!this.#isNoted) for (const text of nearSettings(this.#keys)) this.env.note(text);
    this.#isNoted = true;
    this.#settings ??= readSettings(this.#config, this.#environment ?? this.env.environment, this.env.directory);
    return this.#settings;
  }

  backend(): Promise<Backend> {
    if (this.#backend === undefined) {
      const { settings } = this;
      const opening = withTimeLimit(
        { seconds: OPENING_SECONDS, setBy: null },
        "Opening the backend",
        () => this.env.open?.(settings) ?? openConfigured(settings.backend, this.env),
        { timer: this.env.limitTimer },
      );
      this.#backend = opening;
      // A backend that couldn't be opened may be there at the next call.
      opening.catch(() => (this.#backend = undefined));
    }
    return this.#backend;
  }

  observe(server: ServerFqdn, signal: AbortSignal): Promise<ObservedServer> {
    return this.busy(async () => {
      const backend = await this.backend();
      for (;;) {
        await untilFired(signal, () => this.#gap ?? Promise.resolve());
        const before = this.#gaps;
        const seen = await untilFired(signal, () => observeServer(backend, server, { signal }));
        // What is read in a gap looks as if somebody had cleared the name.
        if (this.#gaps === before) return seen;
      }
    });
  }

  /** Runs something that may use the backend; when nothing has for ten seconds, what is open is closed. */
  async busy<T>(run: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    this.#stopIdling();
    try {
      return await run();
    } finally {
      this.#busy -= 1;
      if (this.#busy === 0) {
        this.#stopIdling = (this.env.timer ?? idleTimer)(IDLE_MILLISECONDS, () => {
          // A session that can't be closed ends by its own time-out; nobody waits for it here.
          if (this.#busy === 0) this.close().catch(() => undefined);
        });
      }
    }
  }

  /** Closes what is open on servers. The next call opens it anew. */
  async close(): Promise<void> {
    this.#stopIdling();
    const opened = this.#backend;
    this.#backend = undefined;
    if (opened !== undefined) await (await opened).close();
  }

  /** Begins to read the servers that the configuration names. */
  prefetch(): void {
    if (!this.settings.offline) this.snapshots.prefetch(this.settings.servers, { seconds: DEFAULT_TIMEOUT_SECONDS });
  }

  /**
   * The server for a preview: as this deployment knows it, or the reason why nobody asked. `timeoutSeconds` is the
   * binding's own; the reading that it shares with other bindings goes on after it.
   */
  async look(server: ServerFqdn, timeoutSeconds: number, { limit, signal }: Limits = {}): Promise<Observation> {
    const { settings } = this;
    if (settings.offline) return { kind: "notAsked", reason: "exchange:offline is set" };
    this.prefetch();
    try {
      return {
        kind: "observed",
        server: await this.snapshots.get(server, { seconds: timeoutSeconds, ...limit, signal }),
      };
    } catch (error) {
      const isUnreachable = error instanceof ExchangeBindingError && UNREACHABLE.has(error.code);
      if (isUnreachable && settings.onUnreachable === "continue") return { kind: "notAsked", reason: error.message };
      if (!isUnreachable) throw error;
      throw new ExchangeBindingError(
        error.code,
        `${asSentence(error.message)} Ways out: mend the connection; plan from the last known state with exchange:onUnreachable = continue; ` +
          `or leave this server's bindings out with --exclude.`,
        { facts: error.facts, cause: error },
      );
    }
  }

  /** Refuses what needs the server when no call may be made. */
  refuseOffline(doing: string): void {
    if (!this.settings.offline) return;
    throw new ExchangeBindingError(
      "Offline",
      `${doing} needs the server, but exchange:offline is set, which allows previews only. Take it away and run again.`,
    );
  }

  /** A state that one kind of backend made is never read, changed or deleted through another. */
  async refuseOtherBackend(stored: StoredBinding): Promise<void> {
    const made = stored.backend;
    const choice = this.settings.backend;
    if (made === undefined || choice === undefined) return;
    // Only the adapter itself can say of which kind it is, and it isn't opened where no call may be made.
    if (choice.kind === "module" && this.settings.offline) return;
    const configured = choice.kind === "module" ? (await this.backend()).kind : choice.kind;
    if (made === configured) return;
    throw new ExchangeBindingError(
      "BackendMismatch",
      `Binding "${stored.identity.label}" (${stored.id}) was made through the backend "${made}", and now "${configured}" is configured: ` +
        `they may mean different servers of the same name. Choose the backend that made it (exchange:backend), or use another stack.`,
      { facts: { made, configured } },
    );
  }

  /** Changes to one server run one after the other; different servers run side by side. */
  onServer<T>(server: ServerFqdn, job: () => Promise<T>): Promise<T> {
    return this.#queue.run(server, job);
  }

  say(server: ServerFqdn, identity: BindingIdentity, lines: readonly Line[]): void {
    for (const line of lines) this.env.say({ identity, server, line });
  }

  /** The same, but only the first time in this deployment: what a plan says, and what a refresh does. */
  sayOnce(server: ServerFqdn, identity: BindingIdentity, lines: readonly Line[]): void {
    const key = `${keyOf(server, identity)} ${lines[0]?.phase ?? ""}`;
    if (this.#said.has(key)) return;
    if (lines.length > 0) this.#said.add(key);
    this.say(server, identity, lines);
  }

  /** Registers what a binding claims; returns what the others have claimed. */
  claim(server: ServerFqdn, identity: BindingIdentity, claims: readonly Claim[]): readonly Claim[] {
    this.#checked.add(keyOf(server, identity));
    return this.declarations.claim(server, identity, claims);
  }

  /** Whether the program was run in this process and declared the binding: not so in a refresh. */
  wasChecked(server: ServerFqdn, identity: BindingIdentity): boolean {
    return this.#checked.has(keyOf(server, identity));
  }

  /** What was chosen under that key; chosen now when it wasn't yet. */
  chooseOnce(key: string, choose: () => Choice): Choice {
    const choice = this.#choices.get(key) ?? choose();
    this.#choices.set(key, choice);
    return choice;
  }

  choiceOf(key: string): Choice | undefined {
    return this.#choices.get(key);
  }

  expect(server: ServerFqdn, facts: CertificateFacts, binding: BindingIdentity): void {
    entryOf(this.#expected, server).set(facts.thumbprint, { facts, binding });
  }

  /** Changes to one send connector run one after the other, whichever server they are made from. */
  onConnector<T>(connector: string, job: () => Promise<T>): Promise<T> {
    return this.#connectorQueue.run(connector.toLowerCase(), job);
  }

  /** Clears names of send connectors and sets them again: one after the other, whichever server is concerned. */
  inGap<T>(connectors: readonly string[], job: () => Promise<T>): Promise<T> {
    const inTurn = (rest: readonly string[]): Promise<T> => {
      const [first, ...others] = rest;
      return first === undefined ? job() : this.onConnector(first, () => inTurn(others));
    };
    return this.#gapQueue.run("", () => inTurn(connectors.toSorted()));
  }

  /** The part of a gap in which names are cleared: whoever observes a server meanwhile waits, and looks again. */
  async whileCleared<T>(job: () => Promise<T>): Promise<T> {
    this.#gaps += 1;
    const whole = job();
    this.#gap = whole.catch(() => undefined);
    try {
      return await whole;
    } finally {
      this.#gap = undefined;
    }
  }

  /** Remembers what the binding's outputs in the state hold by now. */
  holds({ urn }: BindingIdentity, held: HeldNames | undefined): void {
    if (held === undefined) this.#held.delete(urn);
    else this.#held.set(urn, held);
  }

  heldBy({ urn }: BindingIdentity): HeldNames | undefined {
    return this.#held.get(urn);
  }

  /** Registers which connectors a binding declares, and which certificate they are to name; returns what contradicts. */
  claimConnectors(identity: BindingIdentity, claims: readonly ConnectorClaim[]): ReturnType<typeof connectorConflicts> {
    return connectorConflicts(claims, this.declarations.claimConnectors(identity, claims));
  }

  /** Remembers what the program, which counts more than the state, wants of certificates that go. */
  wish({ identity, onDelete, removeAfterDays, allowConnectorGap, connectors }: DesiredBinding): void {
    this.#removals.set(identity.urn, { onDelete, removeAfterDays, allowConnectorGap, connectors });
  }

  /** Undefined for a binding that this deployment's program doesn't declare. */
  wishOf({ urn }: BindingIdentity): RemovalWish | undefined {
    return this.#removals.get(urn);
  }

  /**
   * Remembers, from diff to create, which resource is being replaced. Every diff says so: a create that follows one in
   * the same deployment replaces, whether diff asked for it or an option of the engine did.
   */
  beginReplacement(identity: BindingIdentity, stored: StoredBinding): void {
    this.#replacements.set(identity.urn, stored);
    this.#nowCalled.set(stored.id, identity);
  }

  /**
   * The binding as this deployment's program calls it: after a rename its outputs still have the URN of before, and a
   * delete gets nothing else.
   */
  identityNow({ id, identity }: StoredBinding): BindingIdentity {
    return this.wishOf(identity) === undefined ? (this.#nowCalled.get(id) ?? identity) : identity;
  }

  replacementOf({ urn }: BindingIdentity): StoredBinding | undefined {
    return this.#replacements.get(urn);
  }

  endReplacement({ urn }: BindingIdentity): void {
    this.#replacements.delete(urn);
  }

  planContext(server: ServerFqdn, { urn }: BindingIdentity): PlanContext {
    const others = [...entryOf(this.#expected, server)].filter(([, entry]) => entry.binding.urn !== urn);
    const stored = this.#replacements.get(urn);
    return {
      now: this.env.now(),
      expected: new Map(others),
      replaced: stored?.previous.thumbprint,
      superseded: (stored?.supersedes ?? []).map(({ id }) => parseId(id).thumbprint),
      former: stored?.identity,
      sourceOf: this.sources.of(server),
      declaredBy: (thumbprint: Thumbprint) => this.declarations.declaredBy(server, thumbprint),
    };
  }
}

/** A server allows few sessions for one user, and the process may live on for long after its last call. */
const IDLE_MILLISECONDS = 10_000;

const idleTimer: Timer = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds).unref();
  return () => {
    clearTimeout(timer);
  };
};

/** For opening the backend, which the bindings of a deployment share. */
const OPENING_SECONDS = 300;

const UNREACHABLE: ReadonlySet<string> = new Set(["ServerUnreachable", "TimedOut", "Throttled"]);

function keyOf(server: ServerFqdn, { urn }: BindingIdentity): string {
  return `${server} ${urn}`;
}

async function openConfigured(choice: BackendSettings | undefined, env: DeploymentEnv): Promise<Backend> {
  if (choice === undefined)
    throw new ExchangeBindingError("Offline", "No backend is configured, and exchange:offline is set.");
  return openBackend(choice, { programDirectory: env.directory, say: env.note, trace: env.trace });
}
