import type { Db } from '../db/db.ts';

/** What an agent did on a day of UTC, by measure: seconds, or counts. */
export interface AgentDay {
  /** Such as 2026-11-28. */
  day: string;
  worker: string;
  measure: string;
  value: number;
}

/** One agent's day, as `connector report` shows it. Seconds are decimal. */
export interface ReportRow {
  day: string;
  worker: string;
  handled: number;
  transferred: number;
  /** Seconds by the name of the activity. */
  activities: Readonly<Record<string, number>>;
  /** All other measures. */
  others: Readonly<Record<string, number>>;
}

const activity = 'activity:';

/** Of each agent and day one row, by day, then by agent. */
export function reportOf(days: readonly AgentDay[]): ReportRow[] {
  const rows = new Map<string, { -readonly [K in keyof ReportRow]: ReportRow[K] }>();
  for (const { day, worker, measure, value } of days) {
    const key = `${day} ${worker}`;
    const row = rows.get(key) ?? { day, worker, handled: 0, transferred: 0, activities: {}, others: {} };
    rows.set(key, row);
    if (measure === 'handled' || measure === 'transferred') row[measure] += value;
    else if (measure.startsWith(activity))
      row.activities = { ...row.activities, [measure.slice(activity.length)]: value };
    else row.others = { ...row.others, [measure]: value };
  }
  return [...rows.values()].sort((one, two) => compare(one.day, two.day) || compare(one.worker, two.worker));
}

const compare = (one: string, two: string): number => (one < two ? -1 : one > two ? 1 : 0);

/** @param from of UTC, such as 2026-11-01 @param to the last day */
export const readAgentDays = (
  db: Pick<Db, 'query'>,
  { from, to }: { from: string; to: string },
): Promise<AgentDay[]> =>
  db.query(
    `SELECT to_char(day, 'YYYY-MM-DD') AS day, worker, measure, value FROM connector_agent_days
     WHERE day BETWEEN $1::date AND $2::date ORDER BY day, worker, measure`,
    [from, to],
  );
