import type { EmployeeRow } from './employee-rows.ts';

export interface Verdict {
  /** Why the person cannot be the default employee: a sentence's rest, and after a colon the next step. */
  fault?: { key: 'defaultOrganization' | 'defaultEmployee'; message: string };
  /** The person can be, and an operator should act soon. */
  warning?: string;
}

/** A move within so many days is soon. */
export const soonDays = 30;

const choose = 'choose another person';
const refuse = (message: string): Verdict => ({ fault: { key: 'defaultEmployee', message } });

/**
 * Whether a person may be the default employee: the organization first, then the person.
 * @param rows by start
 * @param today in the data source's time zone
 * @param wasSaved the same person was valid at the last save
 */
export function defaultEmployeeIn(
  rows: readonly EmployeeRow[],
  { organization, id }: { organization: string; id: string },
  today: string,
  wasSaved: boolean,
): Verdict {
  if (!rows.some((row) => row.organization === organization))
    return {
      fault: {
        key: 'defaultOrganization',
        message: `${wasSaved ? 'was removed from the employees since it was saved' : 'is not one of the employees'}: choose an organization that has employees`,
      },
    };
  const own = rows.filter((row) => row.id === id);
  if (own.length === 0)
    return refuse(
      wasSaved
        ? `was deleted from the employees since it was saved: ${choose}`
        : `is not the id of an employee: ${choose}, or add the employee first`,
    );
  const last = own.findLast(({ start }) => start <= today);
  if (!last) return refuse(`begins on ${own[0]?.start} only: ${choose} until then`);
  if (last.end !== undefined && last.end < today)
    return refuse(`was terminated: the employment ended on ${last.end}; ${choose}`);
  if (last.organization !== organization)
    return refuse(
      `${wasSaved ? 'has moved to another organization since it was saved' : 'is not in defaultOrganization'}, and is there since ${last.start}: set defaultOrganization to the employee's organization, or ${choose}`,
    );
  const [ending] = unbroken(own, last);
  if (ending !== undefined)
    return refuse(
      `has an end date (${ending}), and a default employee must have none: remove the end, or ${choose}`,
    );
  const move = own.find((row) => row.start > today && row.organization !== organization);
  if (move && move.start <= addDays(today, soonDays))
    return {
      warning: `defaultEmployee moves to another organization on ${move.start}: from that day on there is no default employee, so ${choose} before`,
    };
  return {};
}

/** The day on which the employment ends, if no later row continues it on the next day. */
function unbroken(own: readonly EmployeeRow[], from: EmployeeRow): string[] {
  let row = from;
  while (row.end !== undefined) {
    const { end } = row;
    const next = own.find(({ start }) => start > row.start && start <= addDays(end, 1));
    if (!next) return [end];
    row = next;
  }
  return [];
}

const addDays = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
