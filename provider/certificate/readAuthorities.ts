import type { Authorities } from "./authorities";
import { runInThread } from "./thread";

/**
 * The certificates in a file of authorities, whatever form it has, read beside the event loop.
 *
 * @throws the reason of the signal
 */
export async function readAuthorities(file: Uint8Array, signal?: AbortSignal): Promise<Authorities> {
  const answer = await runInThread({ kind: "authorities", file }, signal);
  if (answer.kind !== "authorities") throw new Error(`the thread that reads files answered ${answer.kind}`);
  return answer.authorities;
}
