import type { CertificateFacts } from "../certificate/facts";
import type { Thumbprint } from "../certificate/thumbprint";
import { messageOf } from "../errors";
import { DEFAULT_TIMEOUT_SECONDS } from "../inputs";
import { parseServerFqdn, valueOr } from "../model";
import type { ServerFqdn } from "../model";
import { decideSend, isAmong, isNameOf } from "../plan/connectors";
import type { NotReady, SendDecision, SourceOf, SourceServer } from "../plan/connectors";
import { findCertificate } from "../plan/holdings";
import type { ObservedServer } from "../plan/observedServer";
import type { Limits } from "./requests";
import type { Snapshots } from "./snapshots";
import { type TimeLimit, type Timer, withTimeLimit } from "./timeLimit";

/** What is needed of the deployment. */
export interface SourceServersEnv {
  readonly snapshots: Snapshots;
  readonly observe: (server: ServerFqdn, signal: AbortSignal) => Promise<ObservedServer>;
  /** Servers that the program or the settings name. */
  readonly named: () => readonly ServerFqdn[];
  /** Whether another binding of this run brings that certificate to a server of that short name. */
  readonly isExpected: (name: string, thumbprint: Thumbprint) => boolean;
  readonly now: () => Date;
  readonly timer: Timer | undefined;
}

/** A send connector that is to name a certificate, and waits for source servers. */
interface Waiting {
  readonly connector: string;
  readonly facts: CertificateFacts;
  /** Of the binding that declares it. */
  readonly server: ServerFqdn;
}

/** The source servers of send connectors, as one deployment knows them, and the connectors that wait for them. */
export class SourceServers {
  readonly #env: SourceServersEnv;
  /** By the short name, in lower case. */
  readonly #known = new Map<string, SourceServer>();
  readonly #waiting = new Map<string, Waiting>();

  constructor(env: SourceServersEnv) {
    this.#env = env;
  }

  /** As they are known by now; `own`: of whose connectors the question is. */
  of(own: ServerFqdn): SourceOf {
    return (name) =>
      this.#known.get(name.toLowerCase()) ?? { kind: "unreachable", name, reason: `${own} alone was asked` };
  }

  /**
   * Reads the source servers of the send connectors that a binding declares, so that a plan can look at them. `again`
   * reads them afresh. What can't be read is said; it fails nobody. `limits.limit` is that of the whole operation, of
   * which each gets a part.
   */
  async read(server: ObservedServer, connectors: readonly string[], limits: Limits, again = false): Promise<SourceOf> {
    const names = sourceNames(server, connectors).filter((name) => !isNameOf(server.server, name));
    const found = new Map<string, SourceServer>();
    await Promise.all(
      names.map(async (name) => {
        const key = name.toLowerCase();
        const known = this.#known.get(key);
        // What this run has changed since is in the snapshots.
        const isKept = known !== undefined && known.kind !== "seen" && !again;
        const one = isKept ? known : await this.#readOne(server, name, limits, again);
        found.set(key, one);
        this.#known.set(key, one);
      }),
    );
    const others = this.of(server.server);
    // What it has read itself: for another binding an earlier reading may be taken meanwhile.
    return (name) =>
      isNameOf(server.server, name) ? { kind: "seen", name, server } : (found.get(name.toLowerCase()) ?? others(name));
  }

  /**
   * What is to be done with a send connector, right before it is to name a certificate. Where all that it waits for are
   * servers to which another binding of this run has yet to bring that certificate, they are taken as they were last
   * seen: each of these looks again when it is done. Otherwise all are read afresh. (With a hundred source servers that
   * is two hundred readings instead of ten thousand.)
   */
  async decide(
    server: ObservedServer,
    connector: string,
    facts: CertificateFacts,
    limits: Limits,
  ): Promise<SendDecision> {
    this.waits(server.server, connector, facts);
    this.#env.snapshots.keep(server.server, server);
    const decideBy = async (again: boolean): Promise<SendDecision> => {
      const sourceOf = await this.read(server, [connector], limits, again);
      return decideSend({ connector, facts, server, sourceOf, now: this.#env.now() });
    };
    const isYetToCome = ({ kind, name }: NotReady): boolean =>
      kind === "withoutCertificate" && this.#env.isExpected(name, facts.thumbprint);
    const known = await decideBy(false);
    if (known.kind === "waiting" && known.for.every(isYetToCome)) return known;
    const fresh = await decideBy(true);
    if (fresh.kind !== "waiting") this.#waiting.delete(connector.toLowerCase());
    return fresh;
  }

  /**
   * A binding on that server wants the send connector to name its certificate. First the word, then the look: whoever
   * is done at the same time sees the one, or is seen by the other.
   */
  waits(server: ServerFqdn, connector: string, facts: CertificateFacts): void {
    const key = connector.toLowerCase();
    if (this.#waiting.get(key)?.facts.thumbprint === facts.thumbprint) return;
    this.#waiting.set(key, { connector, facts, server });
  }

  /** A change of the server is done: connectors that have waited for it, without those that it has looked at itself. */
  waitingFor(server: ObservedServer, lookedAt: readonly string[]): readonly Waiting[] {
    this.#env.snapshots.keep(server.server, server);
    return [...this.#waiting.values()].filter((waiting) => {
      // Whoever was put back after a failure wants it no more.
      const own = this.#env.snapshots.last(waiting.server);
      const isThere = own !== undefined && findCertificate(own, waiting.facts.thumbprint) !== undefined;
      const isSource = sourceNames(server, [waiting.connector]).some((name) => isNameOf(server.server, name));
      return isSource && isThere && !isAmong(lookedAt, waiting.connector);
    });
  }

  async #readOne(from: ObservedServer, name: string, limits: Limits, again: boolean): Promise<SourceServer> {
    if (valueOr(from.edgeSubscriptions, []).some((edge) => edge.toLowerCase() === name.toLowerCase())) {
      return { kind: "edge", name };
    }
    // Exchange gives the short name: a server that is named somewhere, or one of the same domain.
    const guess = parseServerFqdn(`${name}${from.server.slice(from.server.indexOf("."))}`);
    const server = this.#env.named().find((one) => isNameOf(one, name)) ?? guess;
    if (server === undefined) return { kind: "unreachable", name, reason: "its fully qualified name isn't known" };
    try {
      const { signal } = limits;
      const limit = partOfLimit(limits.limit ?? { seconds: DEFAULT_TIMEOUT_SECONDS });
      const read = (until: AbortSignal): Promise<ObservedServer> => this.#env.observe(server, until);
      const seen = again
        ? await withTimeLimit(limit, `Reading ${server}`, read, { signal, timer: this.#env.timer })
        : await this.#env.snapshots.get(server, { ...limit, signal });
      return { kind: "seen", name, server: seen };
    } catch (error) {
      // The end of the run says nothing about that server.
      limits.signal?.throwIfAborted();
      return { kind: "unreachable", name, reason: messageOf(error) };
    }
  }
}

/** Another server that doesn't answer must leave the operation the time for its own. */
function partOfLimit({ seconds, setBy = "timeoutSeconds" }: TimeLimit): TimeLimit {
  return { seconds: seconds / 4, setBy: setBy === null ? null : `a quarter of ${setBy}` };
}

function sourceNames({ sendConnectors }: ObservedServer, connectors: readonly string[]): readonly string[] {
  const declared = valueOr(sendConnectors, []).filter(({ name }) => isAmong(connectors, name));
  return [...new Set(declared.flatMap(({ sourceServers }) => sourceServers))];
}
