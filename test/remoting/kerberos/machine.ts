import { spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import type net from "node:net";
import os from "node:os";
import path from "node:path";
import type { Kerberos } from "../../../tools/kerberos/ensure.mjs";

const found = process.env["HARNESS_KERBEROS"];
const why = process.env["HARNESS_KERBEROS_MISSING"] ?? 'run these tests as the project "kerberos"';

/** What tools/kerberos/ensure.mjs found. Throws with its reason where there is no Kerberos. */
export function kerberos(): Kerberos {
  if (found === undefined) throw new Error(why);
  return JSON.parse(found) as Kerberos;
}

/**
 * `describe` for tests that need a realm. On Linux, where everybody can have one, there is a test that fails without
 * it; elsewhere they are skipped with the reason in their name.
 */
export function describeKerberos(name: string, tests: () => void): void {
  if (found !== undefined) {
    describe(name, tests);
  } else if (process.platform === "linux") {
    it(`${name}: Kerberos is there`, () => {
      throw new Error(why);
    });
  } else {
    describe.skip(`${name} (skipped: ${why.split("\n", 1)[0] ?? ""})`, tests);
  }
}

/** For programs that come from packages which aren't installed. */
export function libraryPath(): Readonly<Record<string, string>> {
  const { libraries } = kerberos();
  return libraries.length === 0 ? {} : { LD_LIBRARY_PATH: libraries.join(path.delimiter) };
}

/** Makes a process live at another time. `offsetSeconds` is added to the clock; negative for the past. */
export function atAnotherTime(offsetSeconds: number): Readonly<Record<string, string>> {
  const sign = offsetSeconds < 0 ? "-" : "+";
  return {
    LD_PRELOAD: kerberos().faketime,
    FAKETIME: `${sign}${Math.abs(offsetSeconds)}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

export function temporaryDirectory(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), "exchange-kerberos-"));
}

/**
 * Ends a process, and removes its directory, when this process ends, however that happens: the guard reads a pipe that
 * only we hold open. Returns what stops guarding without ending anything.
 */
export function guard(child: ChildProcess, directory: string): () => void {
  const script = 'cat >/dev/null; kill "$1" 2>/dev/null; rm -rf "$2"';
  const watcher = spawn("sh", ["-c", script, "guard", String(child.pid), directory], {
    stdio: ["pipe", "ignore", "ignore"],
    // A Ctrl-C in the terminal reaches the whole group; the guard has to outlive us.
    detached: true,
  });
  watcher.unref();
  (watcher.stdin as Partial<net.Socket>).unref?.();
  return () => {
    watcher.kill("SIGKILL");
  };
}

/** Ends a child that knows what SIGTERM means, and waits for it. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) =>
    child.once("exit", () => {
      resolve();
    }),
  );
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(late);
}
