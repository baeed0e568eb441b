import { createHash } from "node:crypto";

import type { Secret } from "../secret";
import type { MaterialJob } from "./jobs";
import { materialOf } from "./jobs";
import type { CertificateMaterial } from "./material";
import type { Given, PemSource } from "./pem";
import { runInThread, untilAborted } from "./thread";

export interface ReadOptions {
  /** Ends the reading; the promise is rejected with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a PFX beside the event loop, with a memory of the last 64 different files, refusals included: a program may give
 * the same file to a thousand bindings, and deriving the keys is made to be slow. The memory knows file and password by
 * a hash only.
 *
 * @throws ExchangeBindingError as `readPfxHere` does
 */
export function readPfx(
  pfx: Secret<Given>,
  password: Secret<string> | undefined,
  { signal }: ReadOptions = {},
): Promise<CertificateMaterial> {
  return remembered({ kind: "pfx", file: pfx.reveal(), password: password?.reveal() }, signal);
}

/**
 * Reads a certificate and its key from PEM text beside the event loop, with the same memory.
 *
 * @throws ExchangeBindingError as `readPemHere` does
 */
export function readPem(source: PemSource, { signal }: ReadOptions = {}): Promise<CertificateMaterial> {
  const { certificate, privateKey, chain } = source;
  return remembered({ kind: "pem", certificate, privateKey: privateKey.reveal(), chain }, signal);
}

interface Reading {
  readonly material: Promise<CertificateMaterial>;
  /** Those who wait for it. When all of them have given up, it is ended. */
  waiting: number;
  readonly end: AbortController;
}

const MEMORY_SIZE = 64;
const readings = new Map<string, Reading>();

async function remembered(job: MaterialJob, signal: AbortSignal | undefined): Promise<CertificateMaterial> {
  signal?.throwIfAborted();
  const key = keyOf(job);
  const reading = readings.get(key) ?? begin(key, job);
  // Taken out and put in again: the first entry is always the one that was not used for the longest time.
  readings.delete(key);
  readings.set(key, reading);
  const [oldest] = readings.keys();
  if (readings.size > MEMORY_SIZE && oldest !== undefined) readings.delete(oldest);
  reading.waiting += 1;
  try {
    return await untilAborted(reading.material, signal);
  } finally {
    reading.waiting -= 1;
    if (reading.waiting === 0) reading.end.abort();
  }
}

function begin(key: string, job: MaterialJob): Reading {
  const end = new AbortController();
  let isSettled = false;
  const answered = runInThread(job, end.signal);
  const material = answered.then((answer) => {
    isSettled = true;
    return materialOf(answer);
  });
  const reading = { material, waiting: 0, end };
  // What was given up, or failed for a reason that lies not in the file, is read again when it is asked for again.
  material.catch(() => {
    if (!isSettled && readings.get(key) === reading) readings.delete(key);
  });
  return reading;
}

/** The parts have fixed lengths, so that no two jobs give the same text. */
function keyOf(job: MaterialJob): string {
  const parts: readonly (string | Uint8Array | undefined)[] =
    job.kind === "pfx" ? [job.file, job.password] : [job.certificate, job.privateKey, job.chain];
  const all = createHash("sha256").update(job.kind);
  for (const part of parts) {
    all.update(part === undefined ? "-" : "+");
    all.update(
      createHash("sha256")
        .update(part ?? "")
        .digest(),
    );
  }
  return all.digest("base64");
}
