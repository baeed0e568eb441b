import { tlsCertificateNameOf } from "../../../provider/backends/connectorName";
import { factsOfStored, statusOf } from "../../../provider/backends/simulator/certificateStore";
import { consequencesOn } from "../../../provider/backends/simulator/consequences";
import type { Organisation, ServerState, StoredCertificate } from "../../../provider/backends/simulator/organisation";
import type { ServerFqdn } from "../../../provider/model";
import type { Bag, Program } from "./stack";
import { ENROLMENT, GIVEN, BROUGHT, thumbprintOf } from "./world";

/** Who makes a call: the program that runs, and what its stack knew when it began. */
export interface Caller {
  readonly program: Program;
  /** Inputs and outputs of all that the stack has, also of what waits for its delete. */
  readonly known: readonly { readonly name: string | undefined; readonly inputs: Bag; readonly outputs: Bag }[];
  /** Outputs as they are now, by the binding's name. */
  readonly outputs: (binding: string) => Bag | undefined;
  /** Ids of what was ever the own certificate of one of its bindings, or was brought by one of its runs. */
  readonly everOwn: ReadonlySet<string>;
  /** Thumbprints that this run has imported, by server. */
  readonly imported: Set<string>;
  readonly now: Date;
}

/** What is being done: the operation on one binding. */
export interface Turn {
  readonly binding: string;
  /** Everything when it began. */
  readonly before: Organisation;
  /** What it did has failed, and is put back. */
  readonly isRollingBack: boolean;
  /** Send connectors that a run which was killed has left without a name in a gap of this binding's. */
  readonly leftEmpty: readonly string[];
}

/** One call that changed something, with everything before and after it. */
export interface Change {
  readonly call: string;
  readonly server: ServerFqdn;
  /** Of a call that sets the name of one. */
  readonly connector: string | undefined;
  readonly turn: Turn;
  readonly before: Organisation;
  readonly after: Organisation;
}

/** The laws that no call of ours breaks, whatever has happened before. Each says what is wrong, or nothing. */
export const LAWS: Readonly<Record<string, (change: Change, caller: Caller) => readonly string[]>> = {
  "the default SMTP certificate never changes unasked": (change, { program }) =>
    eachServer(change).flatMap(([name, was, is]) => {
      const [then, now] = [was, is].map((one) => one.internalTransportCertificate?.thumbprint);
      if (then === now) return [];
      const isAsked = ofServer(program, name).some((one) => one["replaceDefaultSmtpCertificate"] === true);
      return isAsked ? [] : [`${name}: from ${then ?? "none"} to ${now ?? "none"}`];
    }),

  "nothing undeclared is taken": (change, { program, known }) =>
    eachServer(change).flatMap(([name, was, is]) => {
      const wishes = [
        ...ofServer(program, name),
        ...ofServer(Object.fromEntries(known.map((one, i) => [i, one.inputs])), name),
      ];
      const declares = (service: string): boolean =>
        wishes.some((one) => (one["services"] as string[]).includes(service));
      const lost: string[] = [];
      if (was.iis.frontEnd !== is.iis.frontEnd && !declares("IIS")) lost.push("IIS");
      if (was.iis.backEnd !== is.iis.backEnd) lost.push("the back end");
      if (was.imap.x509CertificateName !== is.imap.x509CertificateName && !declares("IMAP")) lost.push("IMAP");
      if (was.pop.x509CertificateName !== is.pop.x509CertificateName && !declares("POP")) lost.push("POP");
      return lost.map((one) => `${name}: ${one}`);
    }),

  "only a certificate of one's own is removed, and only where that was asked for": (
    change,
    { program, known, imported, everOwn },
  ) =>
    removed(change).flatMap(([name, thumbprint]) => {
      const id = `${name}/${thumbprint}`;
      if (imported.has(id)) return [];
      // What outputs say that it has superseded isn't believed without that.
      if (!everOwn.has(id)) return [id];
      const isOwn = known.some(({ name: binding, inputs, outputs }) => {
        const own = `${String(outputs["server"])}/${String(outputs["thumbprint"])}`;
        const superseded = (outputs["supersedes"] ?? []) as readonly { readonly id: string }[];
        // What waits for its delete is asked for by whichever binding has taken its place.
        const wishes = binding === undefined ? [inputs, ...Object.values(program)] : [program[binding] ?? inputs];
        const isAsked = wishes.some((one) => one["onDelete"] === "remove");
        return isAsked && [own, ...superseded.map((one) => one.id)].includes(id);
      });
      return isOwn ? [] : [id];
    }),

  "what nobody could bring again isn't removed in a destroy": (change, { program, known, imported }) =>
    removed(change).flatMap(([name, thumbprint]) => {
      const id = `${name}/${thumbprint}`;
      const owners = known.filter(
        ({ outputs }) => `${String(outputs["server"])}/${String(outputs["thumbprint"])}` === id,
      );
      const isOnlyThere = owners.every(({ inputs }) =>
        /^\{"(thumbprint|onServer)"/.test(JSON.stringify(inputs["certificate"])),
      );
      const isDestroyed = Object.keys(program).length === 0 && owners.length > 0 && !imported.has(id);
      return isDestroyed && isOnlyThere ? [id] : [];
    }),

  "nothing is removed that the program declares": (change, { program, now, imported, outputs }) =>
    removed(change).flatMap(([name, thumbprint]) => {
      const { turn, before } = change;
      const declaring = Object.entries(program).filter(
        ([, one]) => one["server"] === name && declaredThumbprint(one, before, now) === thumbprint,
      );
      // A roll-back takes back what its own binding has brought in that run, unless another one is bound to it by then:
      // of those that come later nobody has heard yet.
      const isTakenBack = turn.isRollingBack && imported.has(`${name}/${thumbprint}`);
      const isBound = (one: string): boolean => one !== turn.binding && outputs(one)?.["thumbprint"] === thumbprint;
      const by = declaring.map(([binding]) => binding).filter((one) => !isTakenBack || isBound(one));
      return by.length > 0 ? [`${name}: ${thumbprint}, declared by ${by.join(" and ")}`] : [];
    }),

  "the last certificate with SMTP that is valid isn't removed": (change, { now }) =>
    removed(change).flatMap(([name, thumbprint]) => {
      const holders = (organisation: Organisation): readonly string[] =>
        (organisation.servers[name]?.certificates ?? [])
          .filter((one) => hasSmtp(one) && isValid(one, now))
          .map(({ der }) => thumbprintOf(der));
      const isLast = holders(change.before).includes(thumbprint) && holders(change.after).length === 0;
      return isLast ? [`${name}: ${thumbprint}`] : [];
    }),

  "no call makes a connector that named a certificate name none": (change, caller) =>
    [...connectorNames(change.before)].flatMap(([name, was]) => {
      const isLost = was !== null && (connectorNames(change.after).get(name) ?? null) === null;
      const isMeant = isAnnouncedGap(change, caller, name) || isPutBackToNone(change, caller, name);
      return isLost && !isMeant ? [`${name} by ${change.call}`] : [];
    }),

  "a name that a kill in a gap has left empty is set before anything else": ({ before, call, connector, turn }) =>
    turn.leftEmpty
      .filter((one) => connectorNames(before).get(one) === null)
      // Of several, any comes first.
      .filter(() => call !== "setSendConnectorCertificate" || !turn.leftEmpty.includes(connector ?? ""))
      .map((one) => `${call} came before ${one}`),

  "nothing that worked is broken": ({ before, after, call, turn }, { now }) =>
    Object.entries(after.servers).flatMap(([name, is]) => {
      // A roll-back puts back what was broken before it all.
      const earlier = turn.isRollingBack ? [before, turn.before] : [before];
      const broken = new Set(
        earlier.flatMap((one) => {
          const was = one.servers[name];
          return was === undefined ? [] : consequencesOn(one, was, now).map((each) => JSON.stringify(each));
        }),
      );
      return consequencesOn(after, is, now)
        .map((one) => JSON.stringify(one))
        .filter((one) => !broken.has(one))
        .map((one) => `${name}: ${one} by ${call}`);
    }),
};

/**
 * The one call that may clear a name: that of the send connector, for a binding whose program allows the gap and declares
 * the connector, and whose outputs hold both the connector and what it names.
 */
export function isAnnouncedGap({ call, connector, turn, before }: Change, caller: Caller, name: string): boolean {
  const inputs = caller.program[turn.binding];
  const outputs = caller.outputs(turn.binding);
  if (call !== "setSendConnectorCertificate" || connector !== name || turn.isRollingBack) return false;
  if (inputs?.["allowConnectorGap"] !== true || !declaresSend(inputs, name)) return false;
  if (outputs === undefined || !declaresSend(outputs, name)) return false;
  const held = before.servers[String(outputs["server"])]?.certificates.find(
    ({ der }) => thumbprintOf(der) === outputs["thumbprint"],
  );
  return held !== undefined && tlsCertificateNameOf(factsOfStored(held)) === connectorNames(before).get(name);
}

/** It named none when the change began that is put back now, and no kill had left it so. */
function isPutBackToNone({ turn }: Change, { program }: Caller, name: string): boolean {
  const isAsked = turn.isRollingBack && program[turn.binding]?.["onFailure"] === "rollback";
  return isAsked && connectorNames(turn.before).get(name) === null && !turn.leftEmpty.includes(name);
}

function declaresSend(bag: Bag, name: string): boolean {
  const { send = [] } = (bag["connectors"] ?? {}) as { readonly send?: readonly string[] };
  return send.includes(name);
}

/** What connectors name, receive connectors by `SERVER\Name`. */
export function connectorNames(organisation: Organisation): ReadonlyMap<string, string | null> {
  return new Map([
    ...organisation.sendConnectors.map((each) => [each.name, each.tlsCertificateName] as const),
    ...Object.values(organisation.servers).flatMap((server) =>
      server.receiveConnectors.map((each) => [`${server.name}\\${each.name}`, each.tlsCertificateName] as const),
    ),
  ]);
}

function eachServer({ before, after }: Change): readonly (readonly [string, ServerState, ServerState])[] {
  return Object.entries(after.servers).flatMap(([name, is]) => {
    const was = before.servers[name];
    return was === undefined || was === is ? [] : [[name, was, is] as const];
  });
}

function removed(change: Change): readonly (readonly [server: string, thumbprint: string])[] {
  return eachServer(change).flatMap(([name, was, is]) => {
    const still = new Set(is.certificates.map(({ der }) => der));
    return was.certificates.filter(({ der }) => !still.has(der)).map(({ der }) => [name, thumbprintOf(der)] as const);
  });
}

function ofServer(program: Program, name: string): readonly Bag[] {
  return Object.values(program).filter((one) => one["server"] === name);
}

function hasSmtp({ privateKey }: StoredCertificate): boolean {
  return privateKey.present && privateKey.networkServiceRead;
}

function isValid(stored: StoredCertificate, now: Date): boolean {
  return statusOf({ stored, facts: factsOfStored(stored) }, now) === "Valid";
}

/** Of a certificate that is given, named or on the server; a made one has none beforehand. */
function declaredThumbprint({ certificate, server }: Bag, organisation: Organisation, now: Date): string | undefined {
  const index = BROUGHT.findIndex((one) => one === certificate);
  if (index !== -1) return GIVEN[index]?.facts.thumbprint;
  const { thumbprint, onServer } = certificate as { readonly thumbprint?: string; readonly onServer?: unknown };
  return onServer === undefined ? thumbprint : newestEnrolled(organisation, String(server), now);
}

/** What a binding with `onServer` is to hold, by the rule: those that are enrolled are renewals of one another. */
export function newestEnrolled(organisation: Organisation, server: string, now: Date): string | undefined {
  const [newest] = (organisation.servers[server]?.certificates ?? [])
    .filter((one) => factsOfStored(one).issuer === ENROLMENT.facts.subject && isValid(one, now))
    .map(factsOfStored)
    .sort((one, other) => Date.parse(other.notBefore) - Date.parse(one.notBefore));
  return newest?.thumbprint;
}
