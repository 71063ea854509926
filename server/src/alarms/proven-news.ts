import { createHash } from 'node:crypto';
import type { AccountSid, CopyProof, ProvenWebhook, RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { mostPending } from './webhook-events.ts';

/** The webhook of a recording that became proven: data of its job. An erasure removes jobs by `recordingSid`. */
export interface ProvenNews {
  /** The same for each proof of one version of the recording. */
  id: string;
  recordingSid: RecordingSid;
  proof: CopyProof;
}

export interface ProvenNewsTable {
  /** From now on each recording that becomes proven has news. */
  switchOn(): Promise<void>;
  /** What has no job yet is removed. */
  switchOff(): Promise<void>;
  /** At most 500 that have no job yet. */
  pending(): Promise<ProvenNews[]>;
  /** These have jobs now. */
  handedOver(news: readonly ProvenNews[]): Promise<void>;
}

/** While this mark is there, a trigger of the database notes each proof (migration 030). */
const provenMark = 'proven-webhook';

export function createProvenNews(db: Db, accountSid: AccountSid): ProvenNewsTable {
  return {
    async switchOn() {
      await db.query(
        `INSERT INTO marks (account_sid, name, mark) VALUES ($1, $2, '{}') ON CONFLICT DO NOTHING`,
        [accountSid, provenMark],
      );
    },
    async switchOff() {
      await db.query('DELETE FROM marks WHERE account_sid = $1 AND name = $2', [accountSid, provenMark]);
      await db.query('DELETE FROM proven_news WHERE account_sid = $1', [accountSid]);
    },
    async pending() {
      const rows = await db.query<{ sid: RecordingSid; proof: CopyProof; version: unknown }>(
        `SELECT recording_sid AS sid, proof, version FROM proven_news WHERE account_sid = $1
         ORDER BY recording_sid LIMIT ${mostPending}`,
        [accountSid],
      );
      return rows.map(({ sid, proof, version }) => ({ id: idOf(sid, version), recordingSid: sid, proof }));
    },
    async handedOver(news) {
      // What became proven meanwhile in another version stays.
      await db.query(
        `DELETE FROM proven_news USING unnest($2::text[], $3::jsonb[]) AS handed (sid, proof)
         WHERE proven_news.account_sid = $1 AND recording_sid = handed.sid AND proven_news.proof = handed.proof`,
        [
          accountSid,
          news.map(({ recordingSid }) => recordingSid),
          news.map(({ proof }) => JSON.stringify(proof)),
        ],
      );
    },
  };
}

const idOf = (sid: RecordingSid, version: unknown): string =>
  `${createHash('sha256')
    .update(JSON.stringify([sid, version]))
    .digest('hex')
    .slice(0, 32)}-proven`;

export const provenWebhookOf = (
  account: AccountSid,
  { id, recordingSid, proof: { at, host, by, how, mono } }: ProvenNews,
): ProvenWebhook => ({
  ...{ id, event: 'recording.proven', recording: recordingSid, at, by, how },
  ...(mono && { mono }),
  ...{ host, account },
});
