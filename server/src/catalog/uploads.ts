import type { RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';

/**
 * The progress of copies, which another process may continue. Every write names its lease and succeeds only while the
 * recording has that lease: with two writers, two plaintexts could be encrypted under one nonce.
 */
export interface Uploads<State> {
  find(sid: RecordingSid): Promise<State | undefined>;
  /** False if the lease is lost: nothing was written, and the writer may send nothing more. */
  save(sid: RecordingSid, lease: string, state: State): Promise<boolean>;
  remove(sid: RecordingSid): Promise<void>;
  /** Removes the progress of recordings that will not be copied any more. @returns how many */
  removeSettled(): Promise<number>;
}

/** `state` is JSON. */
export function createUploads<State>(db: Db): Uploads<State> {
  return {
    async find(sid) {
      const [row] = await db.query<{ state: State }>('SELECT state FROM uploads WHERE recording_sid = $1', [
        sid,
      ]);
      return row?.state;
    },
    async save(sid, lease, state) {
      // The lock is necessary: without it a save that began before the lease lapsed could end after another writer had
      // taken over and read the progress, and both would seal the same part.
      const rows = await db.query(
        `INSERT INTO uploads (recording_sid, lease, state)
         SELECT recording_sid, $2, $3::jsonb FROM recordings
         WHERE recording_sid = $1 AND state = 'copying' AND lease = $2 AND lease_until > now()
         FOR SHARE
         ON CONFLICT (recording_sid) DO UPDATE SET lease = excluded.lease, state = excluded.state, updated_at = now()
         RETURNING recording_sid`,
        [sid, lease, JSON.stringify(state)],
      );
      return rows.length > 0;
    },
    async remove(sid) {
      await db.query('DELETE FROM uploads WHERE recording_sid = $1', [sid]);
    },
    async removeSettled() {
      const rows = await db.query(
        `DELETE FROM uploads USING recordings
         WHERE recordings.recording_sid = uploads.recording_sid
           AND recordings.state NOT IN ('registered', 'copying', 'failed')
         RETURNING uploads.recording_sid`,
      );
      return rows.length;
    },
  };
}
