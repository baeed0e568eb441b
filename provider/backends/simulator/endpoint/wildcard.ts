/** Whether a name has characters that stand for others. */
export function isWildcard(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/**
 * PowerShell's wildcards: `*` for anything, `?` for one character, without regard to case. By hand and not by a regular
 * expression: a pattern of stars would keep that busy for ever. Here it takes at most a step for each pair of
 * characters.
 */
export function matchesWildcard(name: string, pattern: string): boolean {
  const text = name.toLowerCase();
  const wanted = pattern.toLowerCase();
  let at = 0;
  let next = 0;
  // Where the last star was, and up to where it reaches; when what follows it doesn't fit, it takes one more.
  let star = -1;
  let reached = 0;
  while (at < text.length) {
    const one = wanted[next];
    if (one === "*") {
      star = next;
      reached = at;
      next += 1;
    } else if (one === "?" || (one !== undefined && one === text[at])) {
      at += 1;
      next += 1;
    } else if (star >= 0) {
      reached += 1;
      at = reached;
      next = star + 1;
    } else return false;
  }
  while (wanted[next] === "*") next += 1;
  return next === wanted.length;
}
