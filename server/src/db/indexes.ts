import { errorCode } from '@flex-custody/core';
import type { Db } from './db.ts';
import { migrationMs } from './limits.ts';

/** SQL: the direction that a policy's rules see, empty if it is unknown or unproven. Statements and index must use the same text. */
export const inDirection = `CASE WHEN 'direction' = ANY(unproven) THEN '' ELSE coalesce(direction, '') END`;

/** SQL: no task is proven for the recording, so its hint counts. Statements and index must use the same text. */
export const isHinted = `(task_sid IS NULL OR 'owner' = ANY(unproven))`;

/** SQL: when a session ended, or began if no end was seen. Statements and index must use the same text. */
export const sessionEnd = 'coalesce(closed_at, opened_at)';

/** By name: the table, and the SQL after the table's name. */
type Wanted = Readonly<Record<string, { on: string; as: string }>>;

/**
 * The indexes that the statements need beside those of the migrations. Most are partial, over the few rows that periodic
 * work looks for: its cost then depends on what has changed, not on what is stored.
 */
export const indexes: Wanted = {
  // The order in which a bucket lists its keys.
  recordings_in_order: { on: 'recordings', as: '(recording_sid COLLATE "C")' },
  recordings_underway: {
    on: 'recordings',
    as: `(state, updated_at, recording_sid) WHERE state IN ('registered', 'copying', 'sealed', 'failed')`,
  },
  recordings_undescribed: {
    on: 'recordings',
    as: `(updated_at, recording_sid) WHERE state = 'verified' AND sidecar IS NULL`,
  },
  recordings_unproven: {
    on: 'recordings',
    as: `(coalesce(proof_tried_at, '-infinity'), updated_at, recording_sid)
      WHERE state = 'verified' AND proof IS NULL AND source_deleted_at IS NULL`,
  },
  recordings_linking: { on: 'recordings', as: `(updated_at, recording_sid) WHERE link_state = 'pending'` },
  recordings_sources: {
    on: 'recordings',
    as: `(verified_at, recording_sid)
      WHERE state = 'verified' AND source_deleted_at IS NULL AND sidecar IS NOT NULL AND intent IS NULL AND source_after IS NULL`,
  },
  recordings_sources_again: {
    on: 'recordings',
    as: `(source_after) WHERE source_after IS NOT NULL`,
  },
  recordings_keeping: {
    on: 'recordings',
    as: `((coalesce(queue, '')), (${inDirection}), started_at, recording_sid)
      WHERE erased_at IS NULL AND intent IS NULL AND erase_after IS NULL`,
  },
  recordings_kept: { on: 'recordings', as: `(erase_after) WHERE erase_after IS NOT NULL` },
  recordings_by_hint: { on: 'recordings', as: `((hints->>'taskSid')) WHERE ${isHinted}` },
  recordings_of_state: {
    on: 'recordings',
    as: `(state, started_at DESC, recording_sid DESC) WHERE state <> 'verified'`,
  },
  recordings_of_link: {
    on: 'recordings',
    as: `(link_state, started_at DESC, recording_sid DESC) WHERE link_state <> 'linked' AND state <> 'erased'`,
  },
  recordings_of_failure: {
    on: 'recordings',
    as: `(failure, started_at DESC, recording_sid DESC) WHERE failure IS NOT NULL`,
  },
  alarms_open: { on: 'alarms', as: `(last_at DESC, id DESC) WHERE cleared_at IS NULL` },
  alarms_open_by_code: { on: 'alarms', as: `(code) WHERE cleared_at IS NULL` },
  alarms_cleared: { on: 'alarms', as: `(cleared_at) WHERE cleared_at IS NOT NULL` },
  alarms_to_send: {
    on: 'alarms',
    as: `(id) WHERE webhook_id IS NOT NULL AND (webhook_opened_at IS NOT NULL OR cleared_at IS NOT NULL)`,
  },
  alarms_by_recording: { on: 'alarms', as: '(recording_sid)' },
  // Without `fastupdate`, here and below: an erasure would read all rows that are not in the index yet.
  alarms_about: { on: 'alarms', as: 'USING gin (about) WITH (fastupdate = off)' },
  live_calls_ended: { on: 'live_calls', as: `(ended_at) WHERE ended_at IS NOT NULL` },
  reports_by_age: { on: 'reports', as: '(received_at, id)' },
  pauses_ended: { on: 'pauses', as: `(ended_at, conference_sid) WHERE ended_at IS NOT NULL` },
  pauses_of_recording: {
    on: 'pauses',
    as: `USING gin (recordings) WITH (fastupdate = off) WHERE ended_at IS NULL`,
  },
  identities_seen: { on: 'identities', as: '(seen_at)' },
  agent_events_same: { on: 'agent_events', as: `(same_as) WHERE same_as IS NOT NULL` },
  agent_events_about: { on: 'agent_events', as: 'USING gin (sids) WITH (fastupdate = off)' },
  // Events arrive in order of time: a BRIN index costs a writer nearly nothing.
  agent_events_received: { on: 'agent_events', as: 'USING brin (received_at) WITH (pages_per_range = 16)' },
  agent_events_last: { on: 'agent_events', as: '(type, seq)' },
  contact_keys_of: { on: 'contact_keys', as: '(contact)' },
  contacts_unfinished: { on: 'contacts', as: '(number) WHERE shown_at IS NULL' },
  contacts_ended: { on: 'contacts', as: `((${sessionEnd}))` },
  segment_reasons_of_task: { on: 'segment_reasons', as: '(task_sid) WHERE task_sid IS NOT NULL' },
  segment_reasons_opened: { on: 'segment_reasons', as: '(opened_at)' },
  contacts_unrecovered: {
    on: 'contacts',
    as: `(closed_at, number) WHERE recovered_at IS NULL AND closed_at IS NOT NULL AND kind = 'voice'`,
  },
  contacts_closed: { on: 'contacts', as: '(closed_at, number) WHERE closed_at IS NOT NULL' },
  contacts_opened: { on: 'contacts', as: '(opened_at)' },
  contacts_short: { on: 'contacts', as: `(short_look_at, number) WHERE short_seconds IS NOT NULL` },
  contacts_of_callers: { on: 'contacts', as: 'USING gin (callers) WITH (fastupdate = off)' },
  contacts_disputed: { on: 'contacts', as: `(number) WHERE short_kept = 'disputed'` },
  events_set_aside_about: { on: 'events_set_aside', as: 'USING gin (sids) WITH (fastupdate = off)' },
  events_set_aside_last: { on: 'events_set_aside', as: '(last_at)' },
  events_set_aside_unknown: {
    on: 'events_set_aside',
    as: `(type) WHERE reason = 'unknown_type'`,
  },
  erased_sids_by_age: { on: 'erased_sids', as: '(at)' },
  connector_interactions_about: {
    on: 'connector_interactions',
    as: 'USING gin (sids) WITH (fastupdate = off)',
  },
  connector_interactions_of_customer: {
    on: 'connector_interactions',
    as: '(customer, opened_at) WHERE customer IS NOT NULL',
  },
  connector_interactions_merged: {
    on: 'connector_interactions',
    as: '(merged_into) WHERE merged_into IS NOT NULL',
  },
  connector_interactions_to_ask: {
    on: 'connector_interactions',
    as: '(ask_messages_at) WHERE ask_messages_at IS NOT NULL',
  },
  connector_customers_to_forget: {
    on: 'connector_customers',
    as: `(connector, due_at) WHERE state = 'forget'`,
  },
  connector_effects_of: { on: 'connector_effects', as: '(custody_id)' },
  connector_interactions_ended: { on: 'connector_interactions', as: `((${sessionEnd}))` },
  certificates_by_time: { on: 'certificates', as: '(at DESC, id)' },
  connector_effects_due: {
    on: 'connector_effects',
    as: `(connector, is_history, due_at) WHERE state = 'waiting'`,
  },
  connector_effects_waiting: { on: 'connector_effects', as: `(customer, due_at) WHERE state = 'waiting'` },
  connector_effects_sending: { on: 'connector_effects', as: `(try_until) WHERE state = 'sending'` },
  connector_effects_uncertain: { on: 'connector_effects', as: `(due_at) WHERE state = 'uncertain'` },
  connector_effects_failed: { on: 'connector_effects', as: `(connector, id) WHERE state = 'failed'` },
  connector_effects_sent: { on: 'connector_effects', as: '(connector, sent_at) WHERE sent_at IS NOT NULL' },
  connector_customers_due: { on: 'connector_customers', as: `(connector, due_at) WHERE state = 'waiting'` },
  connector_customers_failed: { on: 'connector_customers', as: `(connector, id) WHERE state = 'failed'` },
};

/** Indexes of earlier releases that no statement needs. */
const outdated = ['recordings_by_state', 'recordings_by_link'];

export interface Building {
  log?: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Cancels the build; the next start builds that index again. */
  signal?: AbortSignal;
}

/**
 * Builds the missing indexes while hosts work. On PostgreSQL readers and writers do not wait for it. Without an index its
 * statements are slow and give the same answers. It never rejects: a failure is logged, and the next start tries again.
 */
export async function buildIndexes(db: Db, { log, signal }: Building = {}): Promise<void> {
  const atOnce = db.kind === 'pglite';
  for (const [name, { on, as }] of Object.entries(indexes)) {
    if (signal?.aborted) return;
    try {
      const found = await look(db, name);
      if (found === 'whole' || found === 'being-built') continue;
      if (found === 'broken')
        await db.alone(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`, migrationMs, signal);
      const begun = performance.now();
      const how = atOnce ? '' : 'CONCURRENTLY';
      await db.alone(`CREATE INDEX ${how} IF NOT EXISTS ${name} ON ${on} ${as}`, migrationMs, signal);
      const seconds = Math.round((performance.now() - begun) / 1_000);
      if (seconds > 0) log?.info({ index: name, seconds }, 'an index was built');
    } catch (error) {
      if (signal?.aborted) return;
      log?.warn(
        { index: name, code: errorCode(error) },
        'an index could not be built: the next start tries again',
      );
    }
  }
  try {
    for (const name of outdated) {
      if ((await missingIndexes(db)).length > 0 || signal?.aborted) return;
      await db.alone(`DROP INDEX ${atOnce ? '' : 'CONCURRENTLY'} IF EXISTS ${name}`, migrationMs, signal);
    }
  } catch (error) {
    if (signal?.aborted) return;
    log?.warn(
      { code: errorCode(error) },
      'outdated indexes could not be removed: the next start tries again',
    );
  }
}

/** Names of the indexes that do not exist or are not built to their end. */
export async function missingIndexes(db: Pick<Db, 'query'>): Promise<string[]> {
  const names = Object.keys(indexes);
  const rows = await db.query<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) name
     WHERE NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(name) AND indisvalid)`,
    [names],
  );
  return rows.map(({ name }) => name);
}

type Found = 'whole' | 'none' | 'being-built' | 'broken';

/** PostgreSQL keeps the index of a build that was interrupted: it slows writes, and no statement can use it. */
async function look(db: Db, name: string): Promise<Found> {
  const [row] = await db.query<{ whole: boolean }>(
    'SELECT indisvalid AS whole FROM pg_index WHERE indexrelid = to_regclass($1)',
    [name],
  );
  if (!row) return 'none';
  if (row.whole) return 'whole';
  const [builder] = await db.query<object>(
    'SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = to_regclass($1)',
    [name],
  );
  return builder ? 'being-built' : 'broken';
}
