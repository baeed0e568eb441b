import type { Thumbprint } from "../certificate/thumbprint";
import type { ServerFqdn } from "../model";
import type { BindingIdentity } from "../plan/desired";
import type { ObservedServer } from "../plan/observedServer";
import { idOf } from "../state";

/** A removal by an update or a create. One at the end of a replacement isn't here: all bindings are known by then. */
interface Removal {
  readonly by: BindingIdentity;
  /**
   * `begun`: the operation runs, and heeds whatever is declared before its call. `called`: too late. In a preview, which
   * nobody can tell from the first part of an up, it stays `planned`.
   */
  stage: "planned" | "begun" | "called";
}

/**
 * What the bindings of one deployment declare, and what they want to remove: a certificate that the program declares is
 * never removed. The engine tells of one binding after the other, so that a removal may be planned before the binding is
 * known that declares the certificate.
 */
export class Declarations {
  /** By `<server>/<thumbprint>`, then by URN. */
  readonly #declared = new Map<string, Map<string, BindingIdentity>>();
  /** What each binding declares now, by URN and server. */
  readonly #current = new Map<string, string>();
  readonly #removals = new Map<string, Removal>();
  /** What a binding has replaced and leaves to others that declare it: `<URN> <server>/<thumbprint>`. */
  readonly #left = new Set<string>();

  /** A binding declares one certificate on a server: the one before counts no more. */
  declare(server: ServerFqdn, thumbprint: Thumbprint, identity: BindingIdentity): void {
    const id = idOf(server, thumbprint);
    const own = `${server} ${identity.urn}`;
    const before = this.#current.get(own);
    if (before !== undefined) this.#declared.get(before)?.delete(identity.urn);
    this.#current.set(own, id);
    const bindings = this.#declared.get(id) ?? new Map<string, BindingIdentity>();
    this.#declared.set(id, bindings.set(identity.urn, identity));
  }

  /** Labels of the bindings that declare the certificate on that server. */
  declaredBy(server: ServerFqdn, thumbprint: Thumbprint): readonly string[] {
    return this.#bindings(server, thumbprint).map(({ label }) => label);
  }

  /** The same without one of them. */
  declaredByOthers(server: ServerFqdn, thumbprint: Thumbprint, { urn }: BindingIdentity): readonly string[] {
    return this.#bindings(server, thumbprint)
      .filter((one) => one.urn !== urn)
      .map(({ label }) => label);
  }

  #bindings(server: ServerFqdn, thumbprint: Thumbprint): readonly BindingIdentity[] {
    return [...(this.#declared.get(idOf(server, thumbprint))?.values() ?? [])];
  }

  /** An update or a create of the binding is going to remove these on that server, and no others. */
  plansRemoval(server: ServerFqdn, thumbprints: readonly Thumbprint[], by: BindingIdentity): void {
    for (const [id, removal] of this.#removals) {
      const isOurs = removal.by.urn === by.urn && removal.stage === "planned";
      if (isOurs && id.startsWith(`${server}/`)) this.#removals.delete(id);
    }
    for (const thumbprint of thumbprints) {
      const removal: Removal = { by, stage: "planned" };
      this.#removals.set(idOf(server, thumbprint), removal);
    }
  }

  /** The binding's operation has begun. */
  beginsRemovals({ urn }: BindingIdentity): void {
    for (const removal of this.#removals.values()) {
      if (removal.by.urn === urn && removal.stage === "planned") removal.stage = "begun";
    }
  }

  isRemoving(server: ServerFqdn, thumbprint: Thumbprint, { urn }: BindingIdentity): boolean {
    return this.#removals.get(idOf(server, thumbprint))?.by.urn === urn;
  }

  /** The call comes now. */
  callsRemoval(server: ServerFqdn, thumbprint: Thumbprint, by: BindingIdentity): void {
    const removal: Removal = { by, stage: "called" };
    this.#removals.set(idOf(server, thumbprint), removal);
  }

  /** The operation has ended: what is still on the server, Exchange hasn't let go. */
  endsRemovals({ urn }: BindingIdentity, server: ObservedServer): void {
    for (const { facts } of server.certificates) {
      const id = idOf(server.server, facts.thumbprint);
      if (this.#removals.get(id)?.by.urn === urn) this.#removals.delete(id);
    }
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
    const removal = this.#removals.get(idOf(server, thumbprint));
    return removal === undefined || removal.by.urn === urn || removal.stage === "begun" ? undefined : removal.by;
  }
}
