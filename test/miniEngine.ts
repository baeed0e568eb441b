import { randomBytes } from "node:crypto";

import type { Backend } from "../provider/backends/backend";
import type { Organisation } from "../provider/backends/simulator/organisation";
import { simulatorBackend } from "../provider/backends/simulator/simulatorBackend";
import { memoryState } from "../provider/backends/simulator/stateFile";
import type { StateStore } from "../provider/backends/simulator/stateFile";
import { messageOf } from "../provider/errors";
import { packPfx } from "../provider/certificate/packPfx";
import { makeSelfSigned } from "../provider/certificate/selfSigned";
import { observeServer } from "../provider/observe";
import type { ObservedServer } from "../provider/plan/observedServer";
import type { ServerFqdn } from "../provider/model";
import { Deployment } from "../provider/lifecycle/deployment";
import { dynamicProviderOver } from "../provider/frontends/dynamic/dynamicProvider";
import { lineForConsole } from "../provider/frontends/engine/lineText";
import { sleep } from "../provider/lifecycle/timeLimit";
import { Secret } from "../provider/secret";
import { defaultOrganisation, sessionEnv } from "./backends/simulatedServer";
import { makeTestCertificate, type TestCertificateWish } from "./certificate/testCertificates";
import { called } from "./identities";

type Bag = Readonly<Record<string, unknown>>;

interface Resource {
  readonly id: string;
  readonly inputs: Bag;
  readonly outputs: Bag;
}

/** A front end in a process of its own, as the engine sees it: by the resource's name. `preview` changes nothing. */
export interface FrontEnd {
  (deployment: Deployment): Promise<{
    check(name: string, olds: Bag, news: Bag): Promise<{ readonly inputs: Bag; readonly failures: readonly Failed[] }>;
    diff(name: string, id: string, olds: Bag, news: Bag): Promise<{ changes: boolean; replaces?: readonly string[] }>;
    create(name: string, inputs: Bag): Promise<{ readonly id: string; readonly outs: Bag }>;
    update(name: string, id: string, olds: Bag, news: Bag): Promise<{ readonly outs: Bag }>;
    read(name: string, id: string, props: Bag): Promise<{ id?: string; props?: Bag; inputs?: Bag }>;
    delete(name: string, id: string, props: Bag): Promise<void>;
    /** What a preview asks after check and diff; undefined for a front end that isn't asked. */
    preview?(name: string, inputs: Bag, old: Resource | undefined): Promise<unknown>;
  }>;
}

interface Failed {
  readonly property: string;
  readonly reason: string;
}

/** The dynamic one: the program's constructor says who the binding is. */
export const dynamicFrontEnd: FrontEnd = (deployment) => {
  const provider = dynamicProviderOver(deployment);
  return Promise.resolve({
    check: (name, olds, news) => provider.check(olds, { ...called(name), ...news }),
    diff: (_name, ...given) => provider.diff(...given),
    create: (_name, inputs) => provider.create(inputs),
    update: (_name, ...given) => provider.update(...given),
    read: (_name, ...given) => provider.read(...given),
    delete: (_name, ...given) => provider.delete(...given),
  });
};

/** What an operation did with each binding. */
export type Operation = "create" | "update" | "same" | "replace" | "delete" | "gone";

export interface Run {
  readonly done: Readonly<Record<string, Operation>>;
  /** Lines that were said. */
  readonly lines: readonly string[];
}

/** A refused preview: what check answered, by property. */
export class RefusedPreview extends Error {
  readonly failures: readonly { readonly property: string; readonly reason: string }[];

  constructor(failures: readonly { readonly property: string; readonly reason: string }[]) {
    super(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
    this.failures = failures;
  }
}

/** A run in which resources couldn't be deleted. */
export class FailedRun extends Error {
  readonly failures: readonly string[];
  readonly lines: readonly string[];

  constructor(failures: readonly string[], lines: readonly string[]) {
    super(failures.join("\n"));
    this.failures = failures;
    this.lines = lines;
  }
}

/**
 * The order in which the real engine calls a provider, without the engine: for stories of behaviour that need neither
 * its display nor its state file. The real one is in test/engine.
 */
export interface MiniEngine {
  readonly backend: Backend;
  readonly store: StateStore;
  /** Runs a program: bindings by name. One provider process for it. `around` puts something around its backend. */
  up(program: Readonly<Record<string, Bag>>, around?: (backend: Backend) => Backend): Promise<Run>;
  /**
   * The same in a process that is killed at a call that changes a server, before or after it is carried out; calls
   * count from 0. Whatever that process still says or does is lost. Returns the calls that it had begun.
   */
  killed(
    program: Readonly<Record<string, Bag>>,
    at: { readonly call: number; readonly when: "before" | "after" },
    around?: (backend: Backend) => Backend,
  ): Promise<readonly string[]>;
  /** The same without changing anything. Throws {@link RefusedPreview}. */
  preview(program: Readonly<Record<string, Bag>>): Promise<Run>;
  refresh(): Promise<Run>;
  outputs(name: string): Bag;
  observe(server: ServerFqdn): Promise<ObservedServer>;
}

let usual = dynamicFrontEnd;

/** For all engines of a test file that name no front end: so the same stories run over another one. */
export function useFrontEnd(frontEnd: FrontEnd): void {
  usual = frontEnd;
}

export interface MiniEngineParts {
  /** In the place of the one over the organisation in memory. */
  readonly backend?: Backend;
  readonly frontEnd?: FrontEnd;
  /** In the place of the organisation in memory. */
  readonly store?: StateStore;
}

/** Over an organisation in memory, or over another backend. */
export async function makeMiniEngine(
  organisation?: Organisation,
  now: () => Date = () => new Date(),
  { backend: other, frontEnd = usual, store: given }: MiniEngineParts = {},
): Promise<MiniEngine> {
  const store = given ?? memoryState(organisation ?? (await defaultOrganisation()));
  const backend = other ?? simulatorBackend(store, { ...sessionEnv, now });
  const state = new Map<string, Resource>();
  /** Replaced ones whose delete failed: tried again at the end of each run. */
  const pending: (readonly [string, Resource])[] = [];

  const process = async (
    over: Backend = backend,
  ): Promise<{ lifecycle: Awaited<ReturnType<FrontEnd>>; lines: string[] }> => {
    const lines: string[] = [];
    const deployment = new Deployment({
      directory: "/",
      environment: { EXCHANGE_BACKEND: "simulator" },
      readFile: () => Promise.reject(new Error("no file is read here")),
      now,
      randomBytes,
      sleep: (_milliseconds, signal) => sleep(1, signal),
      makeCertificate: ({ subject, ...wish }) =>
        makeSelfSigned({ ...wish, ...(subject === undefined ? {} : { subject }) }, { now: now(), randomBytes }),
      say: (told) => lines.push(lineForConsole(told, now())),
      note: (text) => lines.push(text),
      open: () => Promise.resolve(over),
    });
    return { lifecycle: await frontEnd(deployment), lines };
  };

  const run = async (program: Readonly<Record<string, Bag>>, isPreview: boolean, over?: Backend): Promise<Run> => {
    const { lifecycle, lines } = await process(over);
    const done: Record<string, Operation> = {};
    const replaced: (readonly [string, Resource])[] = [];
    const failures: string[] = [];
    const deleted = async (name: string, resource: Resource, then: () => unknown): Promise<void> => {
      try {
        await lifecycle.delete(name, resource.id, resource.outputs);
        then();
      } catch (error) {
        failures.push(messageOf(error));
      }
    };
    const checked = async (name: string, olds: Bag, news: Bag): Promise<Bag> => {
      const { inputs, failures } = await lifecycle.check(name, olds, news);
      if (failures.length > 0) throw new RefusedPreview(failures);
      return inputs;
    };
    for (const [name, args] of Object.entries(program)) {
      const old = state.get(name);
      const inputs = await checked(name, old?.inputs ?? {}, args);
      const create = async (): Promise<void> => {
        const again = old === undefined ? inputs : await checked(name, {}, args);
        if (isPreview) {
          await lifecycle.preview?.(name, again, undefined);
          return;
        }
        const { id, outs } = await lifecycle.create(name, again);
        state.set(name, { id, inputs: again, outputs: outs });
      };
      if (old === undefined) {
        done[name] = "create";
        await create();
        continue;
      }
      const { changes, replaces } = await lifecycle.diff(name, old.id, old.outputs, inputs);
      if (!changes) {
        done[name] = "same";
        if (!isPreview) state.set(name, { ...old, inputs });
      } else if (replaces !== undefined && replaces.length > 0) {
        done[name] = "replace";
        replaced.push([name, old]);
        await create();
      } else {
        done[name] = "update";
        if (isPreview) {
          await lifecycle.preview?.(name, inputs, old);
          continue;
        }
        const { outs } = await lifecycle.update(name, old.id, old.outputs, inputs);
        state.set(name, { id: old.id, inputs, outputs: outs });
      }
    }
    for (const [name, resource] of [...state]) {
      if (program[name] !== undefined) continue;
      done[name] = "delete";
      if (isPreview) continue;
      await deleted(name, resource, () => state.delete(name));
    }
    if (!isPreview) {
      for (const [name, resource] of [...pending.splice(0), ...replaced]) {
        const count = failures.length;
        await deleted(name, resource, () => undefined);
        if (failures.length > count) pending.push([name, resource]);
      }
    }
    if (failures.length > 0) throw new FailedRun(failures, lines);
    return { done, lines };
  };

  return {
    backend,
    store,
    up: (program, around) => run(program, false, around?.(backend)),
    async killed(program, at, around) {
      const calls: string[] = [];
      await run(program, false, dying(around?.(backend) ?? backend, calls, at)).catch(() => undefined);
      return calls;
    },
    preview: (program) => run(program, true),
    async refresh() {
      const { lifecycle, lines } = await process();
      const done: Record<string, Operation> = {};
      for (const [name, resource] of [...state]) {
        const read = await lifecycle.read(name, resource.id, resource.outputs);
        if (read.id === undefined || read.props === undefined) {
          done[name] = "gone";
          state.delete(name);
          continue;
        }
        const { changes } = await lifecycle.diff(name, read.id, read.props, resource.inputs);
        done[name] = changes ? "update" : "same";
        state.set(name, { id: read.id, inputs: read.inputs ?? resource.inputs, outputs: read.props });
      }
      return { done, lines };
    },
    outputs: (name) => {
      const resource = state.get(name);
      if (resource === undefined) throw new Error(`there is no "${name}" in the state`);
      return resource.outputs;
    },
    observe: (server) => observeServer(backend, server, { signal: new AbortController().signal }),
  };
}

/** A backend whose process is killed at one of its changing calls: from then on nothing reaches a server any more. */
function dying(
  backend: Backend,
  calls: string[],
  { call: atCall, when }: { readonly call: number; readonly when: "before" | "after" },
): Backend {
  let isDead = false;
  const killed = (): Promise<never> => Promise.reject(new Error("killed"));
  const changing =
    <Args extends readonly unknown[], T>(name: string, call: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      if (isDead) return killed();
      const isIt = calls.push(name) - 1 === atCall;
      if (isIt && when === "before") {
        isDead = true;
        return killed();
      }
      try {
        const result = await call(...args);
        return isIt ? await killed() : result;
      } finally {
        if (isIt) isDead = true;
      }
    };
  return {
    kind: backend.kind,
    readSnapshot: (...args) => (isDead ? killed() : backend.readSnapshot(...args)),
    importCertificate: changing("importCertificate", (...args: Parameters<Backend["importCertificate"]>) =>
      backend.importCertificate(...args),
    ),
    enableServices: changing("enableServices", (...args: Parameters<Backend["enableServices"]>) =>
      backend.enableServices(...args),
    ),
    setCertificateName: changing("setCertificateName", (...args: Parameters<Backend["setCertificateName"]>) =>
      backend.setCertificateName(...args),
    ),
    setSendConnectorCertificate: changing(
      "setSendConnectorCertificate",
      (...args: Parameters<Backend["setSendConnectorCertificate"]>) => backend.setSendConnectorCertificate(...args),
    ),
    setReceiveConnectorCertificate: changing(
      "setReceiveConnectorCertificate",
      (...args: Parameters<Backend["setReceiveConnectorCertificate"]>) =>
        backend.setReceiveConnectorCertificate(...args),
    ),
    removeCertificate: changing("removeCertificate", (...args: Parameters<Backend["removeCertificate"]>) =>
      backend.removeCertificate(...args),
    ),
    close: () => backend.close(),
  };
}

/** A given certificate: its thumbprint, and the `certificate` input that brings it. */
export function givenPfx(wish: TestCertificateWish = {}): { readonly thumbprint: string; readonly source: Bag } {
  const password = randomBytes(9).toString("hex");
  const material = makeTestCertificate({ dnsNames: ["mail.contoso.com"], ...wish });
  const pfx = Buffer.from(packPfx(material, new Secret(password)).reveal()).toString("base64");
  return { thumbprint: material.facts.thumbprint, source: { pfx, password } };
}
