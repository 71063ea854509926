import { asWorkerSid, type WorkerSid } from '@flex-custody/core';
import { z } from 'zod';
import { readYaml } from '../../retention/policy-faults.ts';

/** An employee in one organization, from the first to the last day; days are `2026-11-30`. */
export interface EmployeeRow {
  id: string;
  organization: string;
  worker?: WorkerSid | undefined;
  start: string;
  /** Absent: no end is known. */
  end?: string | undefined;
}

const name = z
  .string({ error: 'must be a text of 1 to 128 characters, in quotation marks where it is a number' })
  .min(1, { error: 'must have 1 to 128 characters' })
  .max(128, { error: 'must have 1 to 128 characters' });
const must = 'must be a day of the calendar: year-month-day, all in digits';
const day = z
  .string({ error: must })
  .refine((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDay(text), { error: must });
const schema = z.strictObject(
  {
    employees: z
      .array(
        z.strictObject({
          id: name,
          organization: name,
          worker: z
            .string({ error: 'must be WK and 32 hexadecimal digits' })
            .transform((text, issues) => {
              const sid = asWorkerSid(text);
              if (!sid) issues.addIssue({ code: 'custom', message: 'must be WK and 32 hexadecimal digits' });
              return sid ?? z.NEVER;
            })
            .optional(),
          start: day,
          end: day.optional(),
        }),
        { error: 'must be a list' },
      )
      .max(100_000, { error: 'must have at most 100000 rows' }),
  },
  { error: 'must have a list `employees`' },
);

/** JavaScript takes 2026-02-30 for 2 March. */
function isDay(text: string): boolean {
  const at = new Date(text);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** @returns the rows by start, or the lines of what is wrong, which quote nothing of the file */
export function readEmployees(text: string): { rows: readonly EmployeeRow[] } | { faults: string[] } {
  const yaml = readYaml(text, 'a field that employees do not have');
  if (typeof yaml === 'string') return { faults: [yaml] };
  const parsed = schema.safeParse(yaml.value ?? {});
  if (!parsed.success) return { faults: yaml.faultsOf(parsed.error.issues) };
  const { employees } = parsed.data;
  const placeOf = (row: EmployeeRow) => yaml.placeOf(['employees', String(employees.indexOf(row)), 'start']);
  const backwards = employees.filter(({ start, end }) => end !== undefined && end < start);
  if (backwards.length > 0)
    return { faults: backwards.map((row) => `an employee's end is before the start${placeOf(row)}`) };
  const rows = employees.toSorted((a, b) => (a.start < b.start ? -1 : 1));
  const faults = [
    ...overlaps(
      rows,
      ({ worker }) => worker,
      (a, b) => a.id !== b.id,
    ).map(
      (row) =>
        `two employees have the same worker on one day: end one row before the other starts${placeOf(row)}`,
    ),
    ...overlaps(
      rows,
      ({ id }) => id,
      (a, b) => a.organization !== b.organization,
    ).map(
      (row) =>
        `an employee is in two organizations on one day: end one row before the other starts${placeOf(row)}`,
    ),
  ];
  return faults.length > 0 ? { faults } : { rows };
}

/** Rows that begin before an earlier row of the same key has ended, and contradict it. */
function overlaps(
  rows: readonly EmployeeRow[],
  keyOf: (row: EmployeeRow) => string | undefined,
  contradict: (a: EmployeeRow, b: EmployeeRow) => boolean,
): EmployeeRow[] {
  return [...groupedBy(rows, keyOf).values()].flatMap((same) =>
    same.filter((row, at) =>
      same
        .slice(0, at)
        .some((before) => (before.end ?? '9999-12-31') >= row.start && contradict(before, row)),
    ),
  );
}

/** Rows without a key are left out. */
export function groupedBy(
  rows: readonly EmployeeRow[],
  keyOf: (row: EmployeeRow) => string | undefined,
): Map<string, EmployeeRow[]> {
  const groups = new Map<string, EmployeeRow[]>();
  for (const row of rows) {
    const key = keyOf(row);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
