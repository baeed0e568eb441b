/** Edits (insert, delete, exchange, swap of two neighbours) that make one text the other. */
function editDistance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= from.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const edits = [cell(row - 1, column) + 1, cell(row, column - 1) + 1, cell(row - 1, column - 1) + (same ? 0 : 1)];
      if (swapped) edits.push(cell(row - 2, column - 2) + 1);
      rows[row]?.push(Math.min(...edits));
    }
  }
  return cell(from.length, to.length);
}

/** At most three of the candidates that a mistyped word may have meant, the nearest first. Case doesn't count. */
export function nearNames(word: string, candidates: readonly string[]): string[] {
  const wanted = word.toLowerCase();
  const allowed = Math.max(2, Math.floor(wanted.length / 4));
  const near = candidates
    .map((name) => {
      const lower = name.toLowerCase();
      const isPart = wanted.length >= 4 && (lower.includes(wanted) || wanted.includes(lower));
      return { name, distance: isPart ? 1 : editDistance(wanted, lower) };
    })
    .filter(({ distance }) => distance <= allowed)
    .sort((one, other) => one.distance - other.distance);
  // Beside a near miss a far one is noise: Enabel-ExchangeCertificate isn't Get-ExchangeCertificate.
  const nearest = near[0]?.distance ?? 0;
  return near
    .filter(({ distance }) => distance <= nearest + 1)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** `-A, -B or -C`: a list for a sentence. */
export function alternatives(names: readonly string[]): string {
  if (names.length <= 1) return names.join("");
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1) ?? ""}`;
}
