const FIRST_MILLISECONDS = 500;
const LONGEST_MILLISECONDS = 10_000;

/** How long to wait before the next look, and the one after it: Active Directory may take seconds or a minute. */
export function growingDelays(): () => number {
  let next = FIRST_MILLISECONDS;
  return () => {
    const delay = next;
    next = Math.min(delay * 2, LONGEST_MILLISECONDS);
    return delay;
  };
}
