/** One measured work, as `--json` writes it. `ours` and `peers` are medians in `unit`. */
export interface Figure {
  name: string;
  unit: string;
  ours: number;
  peers: Record<string, number>;
  /** Ours to each peer's, so that above 1 is better where `floor` is a least, and below 1 where it is a most. */
  ratios: Record<string, number>;
  /** What must hold, in words; empty where a figure is only reported. */
  floor: string;
  pass: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Median of the ratios run by run: both sides of a pair met the same weather. */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, run) => value / (theirs[run] ?? Number.NaN)));
}

/** Runs every subject once a round, in turn, so that a slow spell of the machine meets all of them. */
export async function interleaved<T extends string>(
  subjects: Readonly<Record<T, () => Promise<number>>>,
  rounds: number,
  onRound: (round: number) => void = () => undefined,
): Promise<Record<T, number[]>> {
  const names = Object.keys(subjects) as T[];
  const results = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<T, number[]>;
  for (let round = 0; round < rounds; round++) {
    const turn = round % 2 === 0 ? names : [...names].reverse();
    for (const name of turn) results[name].push(await subjects[name]());
    onRound(round + 1);
  }
  return results;
}

const short = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

/** The figures as a Markdown table. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const peers = Object.entries(figure.peers).map(([name, value]) => `${name} ${short(value)}`);
    const ratios = Object.entries(figure.ratios).map(([name, value]) => `${short(value)} × ${name}`);
    const verdict = figure.floor === '' ? 'reported' : figure.pass ? 'holds' : 'FALLS SHORT';
    return `| ${figure.name} | ${short(figure.ours)} ${figure.unit} | ${peers.join(', ')} | ${ratios.join(', ')} | ${figure.floor} | ${verdict} |`;
  });
  return ['| work | ours | peers | ratios | floor | |', '|---|---|---|---|---|---|', ...rows].join('\n');
}
