/** Which name was probably meant. Pure. */

/** Share of a name that may be mistyped. */
const MOST_WRONG = 0.34;

/**
 * The name that is nearest to one that does not exist, or null where none is near. Another `v` before it, or another case, is as near as can be.
 *
 * @param names those that there are, the likeliest first: of two as near it is taken
 */
export function nearest(name: string, names: readonly string[]): string | null {
  const wanted = plain(name);
  let found: { name: string; distance: number } | null = null;
  for (const one of names) {
    const distance = edits(wanted, plain(one));
    if (distance <= Math.max(1, Math.floor(wanted.length * MOST_WRONG)) && (found === null || distance < found.distance)) found = { name: one, distance };
  }
  return found?.name ?? null;
}

const plain = (name: string): string => name.toLowerCase().replace(/^v(?=\d)/, "");

/** Characters to be put in, left out, replaced, or exchanged with their neighbour (optimal string alignment). */
function edits(a: string, b: string): number {
  let [former, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (former[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same, swapped));
    }
    [former, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
