import type { Statements } from './statements.ts';

/** Small JSON objects by name, such as the place where periodic work continues. */
export interface Marks {
  /** The mark that was last set under this name; undefined before the first. */
  mark(name: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  setMark(name: string, mark: Readonly<Record<string, unknown>>): Promise<void>;
}

export function markStatements({ accountSid, db }: Statements): Marks {
  return {
    async mark(name) {
      const [row] = await db.query<{ mark: Record<string, unknown> }>(
        'SELECT mark FROM marks WHERE account_sid = $1 AND name = $2',
        [accountSid, name],
      );
      return row?.mark;
    },
    async setMark(name, mark) {
      await db.query(
        `INSERT INTO marks (account_sid, name, mark) VALUES ($1, $2, $3::jsonb)
         ON CONFLICT (account_sid, name) DO UPDATE SET mark = excluded.mark`,
        [accountSid, name, JSON.stringify(mark)],
      );
    },
  };
}
