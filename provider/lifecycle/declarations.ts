import type { Thumbprint } from "../certificate/thumbprint";
import { known, unknown } from "../model";
import type { Observed, ServerFqdn } from "../model";
import type { Claim } from "../plan/claims";
import { mayShareOrganisation } from "../plan/connectors";
import type { ConnectorClaim } from "../plan/connectors";
import type { BindingIdentity } from "../plan/desired";
import type { ObservedServer } from "../plan/observedServer";
import { idOf } from "../state";
import { entryOf } from "./entryOf";
import { ALONE } from "./noticeboard";
import type { Announcement, Noticeboard } from "./noticeboard";

/** A removal by an update or a create. One at the end of a replacement isn't here: all bindings are known by then. */
interface Removal {
  readonly by: BindingIdentity;
  /**
   * `begun`: the operation runs, and heeds whatever is declared before its call. `called`: too late. In a preview, which
   * nobody can tell from the first part of an up, it stays `planned`.
   */
  readonly stage: "planned" | "begun" | "called";
}

/**
 * What the bindings of one deployment declare and claim, and what they want to remove: a certificate that the program
 * declares is never removed. The engine tells of one binding after the other, so that a removal may be planned before
 * the binding is known that declares the certificate. All that is known here was announced, by this process or, on the
 * noticeboard, by another one of the same deployment; both count the same.
 */
export class Declarations {
  readonly #board: Noticeboard;
  readonly #organisation: () => string;
  /** By `<server>/<thumbprint>`, then by URN. */
  readonly #declared = new Map<string, Map<string, BindingIdentity>>();
  /** What each binding declares now, by URN and server. */
  readonly #current = new Map<string, string>();
  readonly #removals = new Map<string, Removal>();
  /** By URN. */
  readonly #claims = new Map<ServerFqdn, Map<string, readonly Claim[]>>();
  readonly #connectorClaims = new Map<string, readonly ConnectorClaim[]>();
  /** The same of other processes, which may serve another organisation. */
  readonly #othersConnectorClaims = new Map<string, readonly ConnectorClaim[]>();
  /** What a binding has replaced and leaves to others that declare it: `<URN> <server>/<thumbprint>`. */
  readonly #left = new Set<string>();
  /** Who has announced that a certificate goes at the end of its replacement, by `<server>/<thumbprint>`. */
  readonly #goesAtEnd = new Map<string, BindingIdentity>();

  /** `organisation`: what tells this one apart from another with servers of the same names. */
  constructor(board: Noticeboard = ALONE, organisation = (): string => "") {
    this.#board = board;
    this.#organisation = organisation;
  }

  #announce(announcement: Announcement): void {
    this.#note(announcement);
    this.#board.post(announcement, this.#organisation());
  }

  #listen(): void {
    for (const { announcement, organisation } of this.#board.news()) {
      if (organisation !== this.#organisation()) continue;
      if (announcement.kind !== "claimsConnectors") this.#note(announcement);
      else this.#othersConnectorClaims.set(announcement.binding.urn, announcement.claims);
    }
  }

  #note(told: Announcement): void {
    switch (told.kind) {
      case "declares": {
        const { server, thumbprint, binding } = told;
        const id = idOf(server, thumbprint);
        const own = `${server} ${binding.urn}`;
        const before = this.#current.get(own);
        if (before !== undefined) this.#declared.get(before)?.delete(binding.urn);
        this.#current.set(own, id);
        entryOf(this.#declared, id).set(binding.urn, binding);
        break;
      }
      case "claims":
        entryOf(this.#claims, told.server).set(told.binding.urn, told.claims);
        break;
      case "claimsConnectors":
        this.#connectorClaims.set(told.binding.urn, told.claims);
        break;
      case "plansRemovals": {
        const { server, thumbprints, by } = told;
        for (const [id, removal] of this.#removals) {
          if (isOf(removal, by, "planned") && id.startsWith(`${server}/`)) this.#removals.delete(id);
        }
        for (const thumbprint of thumbprints) this.#removals.set(idOf(server, thumbprint), { by, stage: "planned" });
        break;
      }
      case "beginsRemovals":
        for (const [id, removal] of this.#removals) {
          if (isOf(removal, told.by, "planned")) this.#removals.set(id, { by: told.by, stage: "begun" });
        }
        break;
      case "callsRemoval":
        this.#removals.set(idOf(told.server, told.thumbprint), { by: told.by, stage: "called" });
        break;
      case "withdrawsRemoval": {
        const id = idOf(told.server, told.thumbprint);
        if (this.#removals.get(id)?.by.urn === told.by.urn) this.#removals.delete(id);
      }
    }
  }

  /** A binding declares one certificate on a server: the one before counts no more. */
  declare(server: ServerFqdn, thumbprint: Thumbprint, binding: BindingIdentity): void {
    // Check and diff both say it, and it is said anew in every operation.
    const isSaid = this.#declared.get(idOf(server, thumbprint))?.get(binding.urn)?.label === binding.label;
    if (!isSaid) this.#announce({ kind: "declares", server, thumbprint, binding });
  }

  /** Registers what a binding claims of a server; returns what the others have claimed. */
  claim(server: ServerFqdn, binding: BindingIdentity, claims: readonly Claim[]): readonly Claim[] {
    this.#announce({ kind: "claims", server, binding, claims });
    this.#listen();
    return ofOthers(entryOf(this.#claims, server), binding);
  }

  /** The same for connectors, which belong to several servers; whoever claims none contradicts nobody. */
  claimConnectors(binding: BindingIdentity, claims: readonly ConnectorClaim[]): readonly ConnectorClaim[] {
    if (claims.length > 0 || this.#connectorClaims.has(binding.urn)) {
      this.#announce({ kind: "claimsConnectors", binding, claims });
    }
    if (claims.length === 0) return [];
    this.#listen();
    const elsewhere = ofOthers(this.#othersConnectorClaims, binding).filter((other) =>
      claims.some(({ server }) => mayShareOrganisation(server, other.server)),
    );
    return [...ofOthers(this.#connectorClaims, binding), ...elsewhere];
  }

  /** Servers of which something is claimed. */
  servers(): readonly ServerFqdn[] {
    this.#listen();
    return [...this.#claims.keys()];
  }

  /**
   * Labels of the bindings that declare the certificate on that server. Unknown when nobody here does, but another
   * process of the deployment may without this one's hearing of it. `but`: one that doesn't count.
   */
  declaredBy(server: ServerFqdn, thumbprint: Thumbprint, but?: BindingIdentity): Observed<readonly string[]> {
    const labels = this.#bindings(server, thumbprint).flatMap(({ urn, label }) => (urn === but?.urn ? [] : [label]));
    const problem = labels.length > 0 ? undefined : this.#board.problem();
    return problem === undefined ? known(labels) : unknown(problem);
  }

  /** Those of which it is known, without one of them. */
  declaredByOthers(server: ServerFqdn, thumbprint: Thumbprint, { urn }: BindingIdentity): readonly string[] {
    return this.#bindings(server, thumbprint)
      .filter((one) => one.urn !== urn)
      .map(({ label }) => label);
  }

  #bindings(server: ServerFqdn, thumbprint: Thumbprint): readonly BindingIdentity[] {
    this.#listen();
    return [...(this.#declared.get(idOf(server, thumbprint))?.values() ?? [])];
  }

  /** An update or a create of the binding is going to remove these on that server, and no others. */
  plansRemoval(server: ServerFqdn, thumbprints: readonly Thumbprint[], by: BindingIdentity): void {
    if (thumbprints.length > 0 || this.#hasPlanned(by)) {
      this.#announce({ kind: "plansRemovals", server, thumbprints, by });
    }
  }

  /** The binding's operation has begun. */
  beginsRemovals(by: BindingIdentity): void {
    if (this.#hasPlanned(by)) this.#announce({ kind: "beginsRemovals", by });
  }

  #hasPlanned(by: BindingIdentity): boolean {
    return [...this.#removals.values()].some((removal) => isOf(removal, by, "planned"));
  }

  isRemoving(server: ServerFqdn, thumbprint: Thumbprint, { urn }: BindingIdentity): boolean {
    return this.#removals.get(idOf(server, thumbprint))?.by.urn === urn;
  }

  /** The call comes now, unless a look at {@link declaredBy} after this one says no. */
  callsRemoval(server: ServerFqdn, thumbprint: Thumbprint, by: BindingIdentity): void {
    this.#announce({ kind: "callsRemoval", server, thumbprint, by });
  }

  /** It said no, or the operation has ended without it. */
  withdrawsRemoval(server: ServerFqdn, thumbprint: Thumbprint, by: BindingIdentity): void {
    this.#announce({ kind: "withdrawsRemoval", server, thumbprint, by });
  }

  /** The operation has ended: what is still on the server, Exchange hasn't let go. */
  endsRemovals(by: BindingIdentity, server: ObservedServer): void {
    for (const { facts } of server.certificates) {
      if (this.isRemoving(server.server, facts.thumbprint, by)) {
        this.withdrawsRemoval(server.server, facts.thumbprint, by);
      }
    }
  }

  /** The plan has announced that the certificate goes at the end of the binding's replacement. */
  announcesEnd(server: ServerFqdn, thumbprint: Thumbprint, by: BindingIdentity): void {
    this.#goesAtEnd.set(idOf(server, thumbprint), by);
  }

  /** Another binding that has announced so, which this one's word makes untrue. Given once. */
  belies(server: ServerFqdn, thumbprint: Thumbprint, { urn }: BindingIdentity): BindingIdentity | undefined {
    const id = idOf(server, thumbprint);
    const by = this.#goesAtEnd.get(id);
    if (by === undefined || by.urn === urn) return undefined;
    this.#goesAtEnd.delete(id);
    return by;
  }

  /** From now on another binding decides about a certificate that this one has replaced. */
  leaves(id: string, { urn }: BindingIdentity): void {
    this.#left.add(`${urn} ${id}`);
  }

  hasLeft(id: string, { urn }: BindingIdentity): boolean {
    return this.#left.has(`${urn} ${id}`);
  }

  /** Another binding that removes the certificate, and to which this one comes too late with its word. */
  removerOf(server: ServerFqdn, thumbprint: Thumbprint, { urn }: BindingIdentity): BindingIdentity | undefined {
    this.#listen();
    const removal = this.#removals.get(idOf(server, thumbprint));
    return removal === undefined || removal.by.urn === urn || removal.stage === "begun" ? undefined : removal.by;
  }
}

function isOf({ by, stage }: Removal, { urn }: BindingIdentity, wanted: Removal["stage"]): boolean {
  return by.urn === urn && stage === wanted;
}

function ofOthers<T>(claims: ReadonlyMap<string, readonly T[]>, { urn }: BindingIdentity): readonly T[] {
  return [...claims].filter(([one]) => one !== urn).flatMap(([, claimed]) => claimed);
}
