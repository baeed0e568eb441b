import { consequencesOn } from "../../../provider/backends/simulator/consequences";
import type { Organisation, ServerState } from "../../../provider/backends/simulator/organisation";
import type { ServerFqdn } from "../../../provider/model";
import type { Bag, Program } from "./stack";
import { GIVEN, BROUGHT, thumbprintOf } from "./world";

/** Who makes a call: the program that runs, and what its stack knew when it began. */
export interface Caller {
  readonly program: Program;
  /** Inputs and outputs of all that the stack has, also of what waits for its delete. */
  readonly known: readonly { readonly name: string | undefined; readonly inputs: Bag; readonly outputs: Bag }[];
  /** Thumbprints that this run has imported, by server. */
  readonly imported: Set<string>;
  readonly now: Date;
}

/** One call that changed something, with everything before and after it. */
export interface Change {
  readonly call: string;
  readonly server: ServerFqdn;
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
    { program, known, imported },
  ) =>
    removed(change).flatMap(([name, thumbprint]) => {
      const id = `${name}/${thumbprint}`;
      if (imported.has(id)) return [];
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

  "nothing is removed that the program declares": (change, { program }) =>
    removed(change).flatMap(([name, thumbprint]) =>
      ofServer(program, name).some((one) => givenThumbprint(one) === thumbprint) ? [`${name}: ${thumbprint}`] : [],
    ),

  "no call makes a connector that named a certificate name none": ({ before, after, call }) => {
    const names = (one: Organisation): readonly (readonly [string, string | null])[] => [
      ...one.sendConnectors.map((each) => [each.name, each.tlsCertificateName] as const),
      ...Object.values(one.servers).flatMap((server) =>
        server.receiveConnectors.map((each) => [`${server.name}\\${each.name}`, each.tlsCertificateName] as const),
      ),
    ];
    const now = new Map(names(after));
    return names(before).flatMap(([name, was]) =>
      was !== null && (now.get(name) ?? null) === null ? [`${name} by ${call}`] : [],
    );
  },

  "nothing that worked is broken": ({ before, after, call }, { now }) =>
    Object.entries(after.servers).flatMap(([name, is]) => {
      const was = before.servers[name];
      if (was === undefined) return [];
      const broken = new Set(consequencesOn(before, was, now).map((one) => JSON.stringify(one)));
      return consequencesOn(after, is, now)
        .map((one) => JSON.stringify(one))
        .filter((one) => !broken.has(one))
        .map((one) => `${name}: ${one} by ${call}`);
    }),
};

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

/** Of a certificate that is given or named; a made one has none beforehand. */
function givenThumbprint({ certificate }: Bag): string | undefined {
  const index = BROUGHT.findIndex((one) => one === certificate);
  if (index !== -1) return GIVEN[index]?.facts.thumbprint;
  return (certificate as { readonly thumbprint?: string }).thumbprint;
}
