import type * as KoffiModule from "koffi";
import { messageOf } from "../../../errors";
import { RemotingError } from "../../errors";

/*
 * Calling a system library through koffi. All memory that native code sees is a Buffer of ours, or is copied into one
 * and released at once.
 */

export type Koffi = typeof KoffiModule;
export type NativeLibrary = ReturnType<Koffi["load"]>;

/** What the process around it gives. */
export interface NativeEnv {
  readonly platform: string;
  /** `require("koffi")`. May throw. */
  readonly loadKoffi: () => Koffi;
}

/** The real one. */
export const nativeEnv: NativeEnv = {
  platform: process.platform,
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded only when it is called
  loadKoffi: () => require("koffi") as Koffi,
};

/** A sequence of bytes, and the structure that describes it to native code. */
export interface Described {
  readonly descriptor: Buffer;
  readonly bytes: unknown;
}

export type Argument = Described | Buffer | bigint | number | string | null;

export interface NativeFunction {
  (...values: unknown[]): unknown;
  readonly async: (...values: unknown[]) => void;
}

/** Resolving names takes more stack than the 128 KiB that koffi gives by itself. */
const STACK_BYTES = 1024 * 1024;

/** What native code was given by address. It stays here until the call has come back, so that nothing collects it. */
const lent = new Set<readonly Argument[]>();

/** Throws RemotingError `SettingsRefused`, saying how to install it. */
export function koffiOf({ loadKoffi }: NativeEnv): Koffi {
  let koffi: Koffi;
  try {
    koffi = loadKoffi();
  } catch (cause) {
    throw kerberosMissing(
      `the package koffi, by which the system's library is called, can't be loaded (${messageOf(cause)}). ` +
        "Install it with: npm install koffi",
      cause,
    );
  }
  try {
    // Only before the first library of the process; somebody else's may be there already.
    koffi.config({ async_stack_size: STACK_BYTES });
  } catch {
    // Then the stack is as large as it is.
  }
  return koffi;
}

export function kerberosMissing(why: string, cause?: unknown): RemotingError {
  return new RemotingError("SettingsRefused", `Kerberos can't be used: ${why}`, { cause, facts: { fate: "notDone" } });
}

/** Calls it here and now. */
export function callNow(call: NativeFunction, args: readonly Argument[]): number {
  lent.add(args);
  try {
    return Number(call(...args.map(native)));
  } finally {
    lent.delete(args);
  }
}

/** Calls it on another thread: for what may have to wait. It can't be cancelled. */
export function callLater(call: NativeFunction, args: readonly Argument[]): Promise<number> {
  return new Promise((resolve, reject) => {
    lent.add(args);
    const back = (error: Error | null, result: unknown): void => {
      lent.delete(args);
      if (error === null) resolve(Number(result));
      else reject(error);
    };
    try {
      call.async(...args.map(native), back);
    } catch (error) {
      lent.delete(args);
      throw error;
    }
  });
}

function native(value: Argument): unknown {
  return typeof value === "object" && value !== null && "descriptor" in value ? value.descriptor : value;
}
