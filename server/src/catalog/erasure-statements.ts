import { asRecordingSid, type RecordingSid } from '@flex-custody/core';
import { isHinted } from '../db/indexes.ts';
import { erasedColumns } from './columns.ts';
import { removeEvents } from './erasure-events.ts';
import { noteShort } from './erasure-sessions.ts';
import { callSidsOf, removeTraces } from './erasure-traces.ts';
import type { KeepingCatalog } from './keeping-catalog.ts';
import { mostRows, noLease, type Statements } from './statements.ts';
import { sumOf, talliesOf } from './tallies.ts';

/** A run that has made no progress for so long counts as dead. */
const held = `now() + interval '5 minutes'`;
const noIntent = 'intent = NULL, intent_at = NULL, intent_by = NULL, intent_until = NULL';
/** How many runs the mean of {@link KeepingCatalog.usuallyRetained} covers. */
const runsCounted = 20;

const sidsOf = (found: readonly { recording_sid: string }[]): RecordingSid[] =>
  found.flatMap(({ recording_sid }) => asRecordingSid(recording_sid) ?? []);

/** An erasure, from its intent to its end. */
export function erasureStatements({ accountSid, db, isSet, move, rows, select, set }: Statements) {
  return {
    selected({ recordings = [], tasks = [], callers = [] }, after, limit) {
      // One statement for each way of naming recordings, because each has its own index; one statement for all would read
      // every row.
      const ways = [
        'SELECT recording_sid FROM recordings WHERE recording_sid = ANY($1::text[])',
        'SELECT recording_sid FROM recordings WHERE task_sid = ANY($2::text[])',
        `SELECT recording_sid FROM recordings WHERE hints->>'taskSid' = ANY($2::text[]) AND ${isHinted}`,
        `SELECT recording_sid FROM recordings WHERE caller = ANY($3::text[]) AND NOT 'caller' = ANY(unproven)`,
      ];
      return rows({
        where: `erased_at IS NULL AND recording_sid COLLATE "C" > $4 AND recording_sid = ANY(ARRAY(${ways.join(' UNION ')}))`,
        rest: `ORDER BY recording_sid COLLATE "C" LIMIT $5`,
        values: [recordings, tasks, callers, after ?? '', Math.min(limit, mostRows)],
      });
    },
    async unknownTasks(tasks) {
      const found = await db.query<{ task: string }>(
        `SELECT task_sid AS task FROM recordings
         WHERE erased_at IS NULL AND account_sid = $2 AND task_sid = ANY($1::text[])
         UNION
         SELECT hints->>'taskSid' FROM recordings
         WHERE erased_at IS NULL AND account_sid = $2 AND hints->>'taskSid' = ANY($1::text[]) AND ${isHinted}
         UNION
         SELECT key FROM contact_keys WHERE key = ANY($1::text[]) AND contact <> 0`,
        [tasks, accountSid],
      );
      const known = new Set(found.map(({ task }) => task));
      return tasks.filter((task) => !known.has(task));
    },
    intend: (sid, intent, by) =>
      isSet(
        sid,
        `intent = $2::jsonb, intent_at = coalesce(intent_at, now()), intent_by = $3::uuid, intent_until = ${held}`,
        [JSON.stringify(intent), by],
        `state <> 'erased' AND (intent IS NULL OR intent_by = $3::uuid)`,
      ),
    resumeErasure: (sid, by) =>
      isSet(
        sid,
        `intent_by = $2::uuid, intent_until = ${held}`,
        [by],
        `intent IS NOT NULL AND erased_at IS NULL AND (intent_until IS NULL OR intent_until < now())`,
      ),
    takeBack: (sid, by) =>
      isSet(sid, noIntent, [by], `state <> 'erased' AND intent IS NOT NULL AND intent_by = $2::uuid`),
    async keepErasures(by) {
      const kept = await db.query<{ recording_sid: string }>(
        `UPDATE recordings SET intent_until = ${held}
         WHERE intent IS NOT NULL AND intent_by = $1::uuid AND account_sid = $2 RETURNING recording_sid`,
        [by, accountSid],
      );
      return new Set(sidsOf(kept));
    },
    async leaveErasures(by) {
      await db.query(
        `UPDATE recordings SET intent_until = NULL
         WHERE intent IS NOT NULL AND intent_by = $1::uuid AND account_sid = $2`,
        [by, accountSid],
      );
    },
    erasing: (sid, by) =>
      move('erased', sid, {
        set: `link_state = 'unlinked', link_reason = 'erased', ${noLease},
          intent = coalesce(intent, '{"reason": "erasure", "policy": "unknown"}'), intent_at = coalesce(intent_at, now()),
          intent_until = CASE WHEN $4::uuid IS NULL THEN intent_until ELSE ${held} END`,
        where: '($4::uuid IS NULL OR intent_by = $4::uuid)',
        values: [by ?? null],
      }),
    async wasRemoved(sid, what) {
      await set(
        sid,
        `erasure = jsonb_build_object(
           'versions', coalesce((erasure->>'versions')::int, 0) + $2::int,
           'twilio', CASE WHEN erasure->>'twilio' = 'deleted' THEN 'deleted' ELSE $3::text END,
           'at', $4::text)`,
        [what.versions, what.twilio, what.at],
        `state = 'erased' AND erased_at IS NULL`,
      );
    },
    erased: (sid, certificate) =>
      db.transaction(async (inner) => {
        const call = await callSidsOf(inner, accountSid, sid);
        await noteShort(inner, sid, certificate);
        const gone = await inner.query<object>(
          `UPDATE recordings SET ${erasedColumns}, certificate = $2
           WHERE recording_sid = $1 AND account_sid = $3 AND state = 'erased' AND erased_at IS NULL
           RETURNING recording_sid`,
          [sid, certificate, accountSid],
        );
        if (gone.length === 0) return false;
        await removeTraces(inner, sid, call);
        await removeEvents(inner, accountSid, sid, call);
        return true;
      }),
    async tracesOf(sid) {
      const { tasks, conferences, calls } = await callSidsOf(db, accountSid, sid);
      return [sid, ...tasks, ...conferences, ...calls];
    },
    async reclaim() {
      // PostgreSQL has its own autovacuum.
      if (db.kind !== 'pglite') return;
      const tables = await db.query<{ name: string }>(
        `SELECT format('%I.%I', nspname, relname) AS name FROM pg_class JOIN pg_namespace space ON space.oid = relnamespace
         WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
      );
      // One table at a time, so that a query of playback waits for one table only.
      for (const { name } of tables) await db.query(`VACUUM ${name}`);
    },
    unfinishedErasures: (limit, after) =>
      rows({
        where: `intent IS NOT NULL AND erased_at IS NULL AND (intent_until IS NULL OR intent_until < now())
           AND ($2::text IS NULL OR recording_sid COLLATE "C" > $2)`,
        rest: 'ORDER BY recording_sid COLLATE "C" LIMIT $1',
        values: [Math.min(limit, mostRows), after ?? null],
      }),
    stuckErasures: async (limit) =>
      sidsOf(
        await select('recording_sid', {
          where: `intent IS NOT NULL AND erased_at IS NULL AND intent_at < now() - interval '1 day'`,
          rest: 'ORDER BY intent_at LIMIT $1',
          values: [Math.min(limit, mostRows)],
        }),
      ),
    async size() {
      return sumOf(await talliesOf(db, accountSid, 'keeping'));
    },
    async usuallyRetained() {
      const [row] = await db.query<{ mean: number | null }>(
        `SELECT avg(recordings)::double precision AS mean
         FROM (SELECT recordings FROM retained WHERE account_sid = $1 ORDER BY id DESC LIMIT $2) recent`,
        [accountSid, runsCounted],
      );
      return row?.mean ?? undefined;
    },
    async noteRetained(recordings) {
      await db.query('INSERT INTO retained (account_sid, recordings) VALUES ($1, $2)', [
        accountSid,
        recordings,
      ]);
    },
    async now() {
      const [row] = await db.query<{ now: Date }>('SELECT now()');
      if (!row) throw new Error('the database returned no time');
      return row.now;
    },
  } satisfies Partial<KeepingCatalog>;
}
