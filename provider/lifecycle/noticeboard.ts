import type { Thumbprint } from "../certificate/thumbprint";
import type { ServerFqdn } from "../model";
import type { Claim } from "../plan/claims";
import type { ConnectorClaim } from "../plan/connectors";
import type { BindingIdentity } from "../plan/desired";

/** Something that the bindings of a deployment have to know of each other. JSON; no secret is in it. */
export type Announcement =
  /** A binding declares one certificate on a server: the one before counts no more. */
  | {
      readonly kind: "declares";
      readonly server: ServerFqdn;
      readonly thumbprint: Thumbprint;
      readonly binding: BindingIdentity;
    }
  /** What a binding claims of a server for itself alone, in the place of what it claimed there before. */
  | {
      readonly kind: "claims";
      readonly server: ServerFqdn;
      readonly binding: BindingIdentity;
      readonly claims: readonly Claim[];
    }
  | {
      readonly kind: "claimsConnectors";
      readonly binding: BindingIdentity;
      readonly claims: readonly ConnectorClaim[];
    }
  /** An update or a create is going to remove these on that server, and no others. */
  | {
      readonly kind: "plansRemovals";
      readonly server: ServerFqdn;
      readonly thumbprints: readonly Thumbprint[];
      readonly by: BindingIdentity;
    }
  /** The binding's operation runs, and heeds whatever is declared before a removal's call. */
  | { readonly kind: "beginsRemovals"; readonly by: BindingIdentity }
  /** The call comes now, or it is still to be decided right now: too late for others. */
  | {
      readonly kind: "callsRemoval";
      readonly server: ServerFqdn;
      readonly thumbprint: Thumbprint;
      readonly by: BindingIdentity;
    }
  /** It doesn't come. */
  | {
      readonly kind: "withdrawsRemoval";
      readonly server: ServerFqdn;
      readonly thumbprint: Thumbprint;
      readonly by: BindingIdentity;
    };

/**
 * Where the processes of one deployment tell each other what their bindings declare: the dynamic provider, the plugin,
 * and the plugin once more for each provider resource. Whoever announces something and looks afterwards sees the others'
 * word, or they see his: so that of two that contradict each other one at least knows it.
 */
export interface Noticeboard {
  /** `organisation` tells apart organisations whose servers have the same names. Puts it up, so that it is there for the others when this returns. Never fails: see {@link problem}. */
  post(announcement: Announcement, organisation: string): void;
  /** What the others have put up since the last time, of each in its order. */
  news(): readonly { readonly announcement: Announcement; readonly organisation: string }[];
  /** Why the others may not be heard, or not hear; undefined while all is well. */
  problem(): string | undefined;
}

/** For a deployment that is known to have one process. */
export const ALONE: Noticeboard = { post: () => undefined, news: () => [], problem: () => undefined };
