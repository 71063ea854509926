import { randomUUID } from 'node:crypto';
import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { callerAssignments, callerStatements } from './caller-statements.ts';
import type { Catalog, Owner } from './catalog.ts';
import { rowColumns, type StoredRow } from './columns.ts';
import { dueStatements } from './due-statements.ts';
import { erasureStatements } from './erasure-statements.ts';
import { importStatements } from './import-statements.ts';
import { keyStatements } from './key-statements.ts';
import { listStatements } from './list-statements.ts';
import { markStatements } from './marks.ts';
import { proofStatements } from './proof-statements.ts';
import { toRow } from './rows.ts';
import { signingStatements } from './signing-statements.ts';
import { staleStatements } from './stale-statements.ts';
import { createStatements, foreign, identity, mostRows, noLease, noProof } from './statements.ts';

const ratesKept = 20;
const leastForRate = 4e6;
/** Bytes per second assumed until Functions have copied something: slow enough not to begin what cannot be finished. */
const assumedRate = 8e6;
/** The owner is one that only hearsay named: nothing that was proven is filled in from it. */
const hearsay = `'owner' = ANY(unproven)`;

const guessIsReplaced = `('start' = ANY(recordings.unproven) AND NOT 'start' = ANY(excluded.unproven))`;

/** The catalog of one account: of what another one may have in the same database it knows nothing. */
export function createCatalog(db: Db, accountSid: AccountSid): Catalog {
  const statements = createStatements(db, accountSid);
  const { change, find, isSet, move, moved, rows, set } = statements;
  const sameObject = `object->>'key' = $4 AND object->>'etag' = $5 AND object->>'versionId' IS NOT DISTINCT FROM $6`;
  const owner = (of: Owner | undefined) => [
    of?.taskSid ?? null,
    of?.reservationSid ?? null,
    of?.workerSid ?? null,
    of?.queue ?? null,
    of?.hintedCallers ?? [],
  ];
  const hinted = (value: string) =>
    `hinted_callers = ARRAY(SELECT DISTINCT unnest(hinted_callers || ${value}::text[]))`;

  const catalog: Catalog = {
    ...keyStatements(statements),
    ...dueStatements(statements),
    ...listStatements(statements),
    ...markStatements(statements),
    ...staleStatements(statements),
    ...erasureStatements(statements),
    ...signingStatements(statements),
    ...proofStatements(statements),
    ...callerStatements(statements),
    ...importStatements(statements),
    find,
    firstOfReservation: async (sid) =>
      (
        await rows({
          where: 'reservation_sid = $1',
          rest: `ORDER BY state = 'absent', state = 'failed' AND object IS NULL, started_at, recording_sid LIMIT 1`,
          values: [sid],
        })
      )[0],

    async register(input) {
      if (input.accountSid !== accountSid) throw foreign(input.recordingSid);
      const [row] = await db.query<StoredRow>(
        `INSERT INTO recordings
           (recording_sid, account_sid, call_sid, conference_sid, channels, duration_seconds, started_at, hints, source,
            source_encrypted, source_completed, unproven)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12::text[])
         ON CONFLICT (recording_sid) DO UPDATE SET
           call_sid = coalesce(recordings.call_sid, excluded.call_sid),
           conference_sid = coalesce(recordings.conference_sid, excluded.conference_sid),
           duration_seconds = coalesce(recordings.duration_seconds, excluded.duration_seconds),
           started_at = CASE WHEN ${guessIsReplaced} THEN excluded.started_at ELSE recordings.started_at END,
           unproven = CASE WHEN ${guessIsReplaced} THEN array_remove(recordings.unproven, 'start') ELSE recordings.unproven END,
           source_encrypted = recordings.source_encrypted OR excluded.source_encrypted,
           source_completed = recordings.source_completed OR excluded.source_completed,
           -- What was hinted first stays: a later caller must not be able to steer a recording elsewhere.
           hints = excluded.hints || recordings.hints
         WHERE recordings.state <> 'erased' AND recordings.account_sid = excluded.account_sid
         RETURNING ${rowColumns}`,
        [
          input.recordingSid,
          input.accountSid,
          input.callSid ?? null,
          input.conferenceSid ?? null,
          input.channels,
          input.durationSeconds ?? null,
          input.startedAt,
          JSON.stringify(input.hints),
          input.source,
          input.sourceEncrypted ?? false,
          input.sourceCompleted ?? false,
          input.unproven ?? [],
        ],
      );
      if (row) return toRow(row);
      // What was erased is not filled in again.
      const [erased] = await rows({ where: 'recording_sid = $1', values: [input.recordingSid] });
      if (!erased) throw foreign(input.recordingSid);
      return erased;
    },

    async lease(sid, holder, ms) {
      const secret = randomUUID();
      const change = {
        set: `leases = leases + 1, lease = $4, lease_holder = $5, lease_until = now() + $6::double precision * interval '1 millisecond'`,
        where: `(state <> 'copying' OR lease_until < now()) AND ($5 <> 'function' OR NOT host_only) AND intent IS NULL`,
        values: [secret, holder, ms],
      };
      const [granted] = await moved<{ leases: number }>('leased', sid, change, 'leases');
      return granted && { secret, isFirst: granted.leases === 1 };
    },
    extendLease: (sid, lease, ms) =>
      isSet(
        sid,
        `lease_until = now() + $3::double precision * interval '1 millisecond'`,
        [lease, ms],
        `state = 'copying' AND lease = $2`,
      ),
    sealed: (sid, lease, object, channels, by) =>
      move('sealed', sid, {
        set: `object = $5::jsonb, channels = $6, copied_by = $7, failure = NULL, verified_at = NULL, ${noProof}, ${noLease}`,
        where: 'lease = $4',
        values: [lease, JSON.stringify(object), channels, by ?? null],
      }),
    release: (sid, lease, failure) =>
      move('released', sid, {
        set: `failure = coalesce($5, failure), ${noLease}`,
        where: 'lease = $4',
        values: [lease, failure ?? null],
      }),
    async verified(sid, object, plaintextSha256, { channels, proof } = {}) {
      const change = {
        set: `verified_at = now(), source_after = NULL, failure = NULL, channels = coalesce($8, channels), proof = $9::jsonb,
          object = (object - 'parts') || jsonb_build_object('plaintextSha256', $7::text)`,
        where: sameObject,
        values: [
          ...identity(object),
          plaintextSha256,
          channels ?? null,
          proof ? JSON.stringify(proof) : null,
        ],
      };
      const [row] = await moved<StoredRow>('verified', sid, change, rowColumns);
      return row && toRow(row);
    },
    rejected: (sid, object, reason) =>
      move('rejected', sid, {
        set: `object = NULL, copied_by = NULL, host_only = true, failure = $7, ${noProof}`,
        where: sameObject,
        values: [...identity(object), reason],
      }),
    lost: (sid, object) =>
      move('lost', sid, {
        set: `object = NULL, copied_by = NULL, verified_at = NULL, failure = 'object_missing', ${noProof}`,
        where: sameObject,
        values: identity(object),
      }),
    giveUp: (sid, reason) => move('gave-up', sid, { set: `failure = $4, ${noLease}`, values: [reason] }),
    async replayed(sid) {
      const { sealed, registered } = await catalog.replayedAll([sid]);
      return sealed.length > 0 ? 'sealed' : registered.length > 0 ? 'registered' : undefined;
    },
    absent: (sid, code) => move('absent', sid, { set: 'failure = $4', values: [code] }),

    described: async (sid, before, now) => {
      const noted = {
        set: 'sidecar = $2::jsonb',
        where: `state = 'verified' AND sidecar IS NOT DISTINCT FROM $3::jsonb`,
        values: [JSON.stringify(now), before ? JSON.stringify(before) : null],
      };
      return (await change(sid, noted, 'recording_sid')) !== undefined;
    },
    linked: (sid, { hintedCallers = [], ...of }, { direction, caller, others = [] } = {}) =>
      set(
        sid,
        `link_state = 'linked', link_reason = NULL, task_sid = $2, reservation_sid = $3, worker_sid = $4,
         queue = coalesce($5, queue), ${callerAssignments('$7', '$8', '$6', 'owner')}`,
        [
          ...owner({ ...of, hintedCallers: [...hintedCallers, ...others] }),
          direction ?? null,
          caller ?? null,
        ],
        `state <> 'erased'`,
      ),
    unlinked: (sid, reason, of) =>
      set(
        sid,
        `link_state = 'unlinked', link_reason = $2, task_sid = coalesce($3, task_sid),
         reservation_sid = CASE WHEN $3::text IS NOT NULL AND ${hearsay} THEN $4 ELSE coalesce($4, reservation_sid) END,
         worker_sid = CASE WHEN $3::text IS NOT NULL AND ${hearsay} THEN $5 ELSE coalesce($5, worker_sid) END,
         unproven = CASE WHEN $3::text IS NULL THEN unproven ELSE array_remove(unproven, 'owner') END,
         queue = coalesce($6, queue), ${hinted('$7')}`,
        [reason, ...owner(of)],
        `link_state <> 'linked' AND state <> 'erased'`,
      ),
    refused: (sid, reason) =>
      set(
        sid,
        // An owner that only hearsay named was disproved with the hints.
        `link_state = 'refused', link_reason = $2,
         task_sid = CASE WHEN ${hearsay} THEN NULL ELSE task_sid END,
         reservation_sid = CASE WHEN ${hearsay} THEN NULL ELSE reservation_sid END,
         worker_sid = CASE WHEN ${hearsay} THEN NULL ELSE worker_sid END`,
        [reason],
        `link_state <> 'linked' AND state <> 'erased'`,
      ),
    rehinted: (sid, hints) =>
      isSet(
        sid,
        `hints = $2::jsonb, link_state = 'pending', link_reason = NULL`,
        [JSON.stringify(hints)],
        `link_state = 'refused' AND state <> 'erased'`,
      ),
    relink: (sid) =>
      isSet(
        sid,
        `link_state = 'pending', link_reason = NULL`,
        [],
        `link_state IN ('unlinked', 'refused') AND state <> 'erased'`,
      ),
    async forwarded(sid) {
      await set(sid, 'forwarded_at = now()', [], 'forwarded_at IS NULL');
    },

    ofTask: (sid) =>
      rows({
        where: `task_sid = $1 AND state = 'verified'`,
        rest: 'ORDER BY started_at, recording_sid LIMIT 200',
        values: [sid],
      }),
    inOrder: (after, limit) =>
      rows({
        // Nothing sorts before the empty text.
        where: `recording_sid COLLATE "C" > $1`,
        rest: `ORDER BY recording_sid COLLATE "C" LIMIT $2`,
        values: [after ?? '', Math.min(limit, mostRows)],
      }),
    async recordRate(bytes, ms) {
      if (!(bytes >= leastForRate && ms > 0)) return;
      await db.query('INSERT INTO copy_rates (rate) VALUES ($1)', [(bytes / ms) * 1_000]);
      await db.query(
        'DELETE FROM copy_rates WHERE id NOT IN (SELECT id FROM copy_rates ORDER BY id DESC LIMIT $1)',
        [ratesKept],
      );
    },
    async observedRate() {
      const [row] = await db.query<{ rate: number | null }>(
        `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY rate) AS rate
         FROM (SELECT rate FROM copy_rates ORDER BY id DESC LIMIT $1) recent`,
        [ratesKept],
      );
      return row?.rate ?? assumedRate;
    },
    async bumpSegmentGeneration(sid) {
      const raised = { set: 'segment_generation = segment_generation + 1, updated_at = now()' };
      return (await change<{ n: number }>(sid, raised, 'segment_generation AS n'))?.n;
    },
    async attempt(sid) {
      return (await change<{ n: number }>(sid, { set: 'attempts = attempts + 1' }, 'attempts AS n'))?.n ?? 0;
    },
  };
  return catalog;
}
