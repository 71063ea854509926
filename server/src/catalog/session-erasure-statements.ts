import { asTaskSid } from '@flex-custody/core';
import { lockInbox } from '../db/erased-sids.ts';
import { isHinted } from '../db/indexes.ts';
import { removeCallEvents } from './erasure-events.ts';
import { removeCallTraces } from './erasure-traces.ts';
import type { KeepingCatalog } from './keeping-catalog.ts';
import { mostRows, type Statements } from './statements.ts';

/** Sessions of calls that have no recording, or none that is left. */
export function sessionErasureStatements({ accountSid, db }: Statements) {
  return {
    async sessionsOf({ tasks = [], callers = [] }, after, limit) {
      const rows = await db.query<{
        number: number;
        id: string;
        opened_at: Date;
        open: boolean;
        callers: string[];
        keys: string[];
      }>(
        `SELECT number, id, opened_at, closed_at IS NULL AS open, callers,
           ARRAY(SELECT key FROM contact_keys WHERE contact IN (contacts.number, -contacts.number)) AS keys
         FROM contacts WHERE number > $3 AND number = ANY(ARRAY(
           SELECT abs(contact) FROM contact_keys WHERE key = ANY($1::text[])
           UNION SELECT number FROM contacts WHERE callers && $2::text[]
         )) ORDER BY number LIMIT $4`,
        [tasks, callers, after, Math.min(limit, mostRows)],
      );
      return rows.map(({ number, id, opened_at, open, callers: of, keys }) => ({
        ...{ number, id, openedAt: opened_at, isOpen: open, callers: of, keys },
        tasks: keys.flatMap((key) => asTaskSid(key) ?? []),
      }));
    },
    async isRecorded(keys) {
      const [found] = await db.query<object>(
        `SELECT 1 FROM recordings WHERE account_sid = $2 AND erased_at IS NULL AND task_sid = ANY($1::text[])
         UNION ALL SELECT 1 FROM recordings WHERE account_sid = $2 AND erased_at IS NULL AND conference_sid = ANY($1::text[])
         UNION ALL SELECT 1 FROM recordings WHERE account_sid = $2 AND erased_at IS NULL AND call_sid = ANY($1::text[])
         UNION ALL SELECT 1 FROM recordings WHERE account_sid = $2 AND erased_at IS NULL AND recording_sid = ANY($1::text[])
         UNION ALL SELECT 1 FROM recordings WHERE account_sid = $2 AND erased_at IS NULL
           AND hints->>'taskSid' = ANY($1::text[]) AND ${isHinted}
         LIMIT 1`,
        [keys, accountSid],
      );
      return found !== undefined;
    },
    eraseSession: (number) =>
      db.transaction(async (inner) => {
        await lockInbox(inner);
        const keys = await inner.query<{ key: string }>(
          'SELECT key FROM contact_keys WHERE contact IN ($1::bigint, -$1::bigint) FOR UPDATE',
          [number],
        );
        const sids = keys.map(({ key }) => key);
        const of = (prefix: string) => sids.filter((sid) => sid.startsWith(prefix));
        // Events of a conversation name no SID by which the inbox finds them.
        await inner.query(
          'DELETE FROM agent_events WHERE id IN (SELECT event FROM contact_events WHERE contact = $1)',
          [number],
        );
        await removeCallTraces(inner, sids, { tasks: of('WT'), conferences: of('CF'), calls: of('CA') });
        await removeCallEvents(inner, accountSid, sids);
        return sids.length > 0;
      }),
  } satisfies Partial<KeepingCatalog>;
}
