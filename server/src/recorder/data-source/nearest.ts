/** The known word that an unknown one most probably means; undefined if none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const text = word.slice(0, 64).toLowerCase();
  const [best] = known
    .map((candidate) => ({ candidate, far: distance(text, candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  return best && best.far <= Math.max(2, Math.floor(text.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein's distance: how many letters must be inserted, removed or replaced. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
