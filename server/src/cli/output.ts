let isVerbose = false;

/** For `--verbose`. */
export function beVerbose(): void {
  isVerbose = true;
}

/** What only `--verbose` prints, on standard error. */
export function detail(text: string): void {
  if (isVerbose) console.error(text);
}

/** With `--json`: the one value of standard output. */
export const printJson = (value: unknown): void => console.log(JSON.stringify(value, undefined, 2));

export type Cell = string | number | Date | undefined;

const textOf = (cell: Cell): string => (cell instanceof Date ? cell.toISOString() : String(cell ?? '-'));

/**
 * A list for a person: headers, then a line for each row. Columns of numbers are aligned to the right; a missing value is `-`.
 * @returns the lines, the headers first
 */
export function table(headers: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const lines = [headers, ...rows.map((row) => row.map(textOf))];
  const columns = headers.map((_, at) => ({
    width: Math.max(...lines.map((line) => line[at]?.length ?? 0)),
    isNumber: rows.some((row) => typeof row[at] === 'number'),
  }));
  return lines.map((line) =>
    columns
      .map(({ width, isNumber }, at) =>
        isNumber ? (line[at] ?? '').padStart(width) : (line[at] ?? '').padEnd(width),
      )
      .join('  ')
      .trimEnd(),
  );
}
