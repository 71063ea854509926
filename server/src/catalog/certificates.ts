import type { RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { type Behind, behindOf, mostCounted, pageUnknown } from '../db/pages.ts';
import type { ErasureReason } from './recording-row.ts';

export interface KeptCertificate {
  /** UUID. */
  id: string;
  at: Date;
  reason: ErasureReason;
  /** How many recordings it certifies as erased. */
  recordings: number;
  /** The signed text, in JWS compact form. */
  jws: string;
}

/** Certificates of erasures. They are never removed. */
export interface Certificates {
  /**
   * Stores it, and notes it in the recordings that it certifies, whose erasure then ends with it and with no other one; an
   * id that is stored already is not changed.
   */
  keep(certificate: Omit<KeptCertificate, 'at'>, of?: readonly RecordingSid[]): Promise<void>;
  find(id: string): Promise<KeptCertificate | undefined>;
  /**
   * Newest first; at most 1000.
   * @param after the id of the last certificate of the page before
   * @throws CustodyError `page_unknown` (404) where there is no certificate `after`
   */
  list(limit: number, after?: string): Promise<KeptCertificate[]>;
  /** How many certificates follow `after` in the list; it counts no further than 10,000. */
  countBehind(after: string): Promise<Behind>;
}

/** Follows the order of the list, newest first; the index answers the first condition. */
const isBehind = (id: string) => {
  const mark = `(SELECT mark.at FROM certificates mark WHERE mark.id = ${id}::uuid)`;
  return `at <= ${mark} AND (at < ${mark} OR id > ${id}::uuid)`;
};

export function createCertificates(db: Db): Certificates {
  const columns = 'id, at, reason, recordings, jws';
  const mustExist = async (id: string): Promise<void> => {
    const rows = await db.query<object>('SELECT 1 FROM certificates WHERE id = $1', [id]);
    if (rows.length === 0) throw pageUnknown();
  };
  return {
    async keep({ id, reason, recordings, jws }, of = []) {
      await db.query(
        `WITH kept AS (
           INSERT INTO certificates (id, reason, recordings, jws) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
         )
         UPDATE recordings SET certificate = $1
         WHERE recording_sid = ANY($5::text[]) AND state = 'erased' AND erased_at IS NULL`,
        [id, reason, recordings, jws, of],
      );
    },
    find: async (id) =>
      (await db.query<KeptCertificate>(`SELECT ${columns} FROM certificates WHERE id = $1`, [id]))[0],
    async list(limit, after) {
      const most = Math.min(limit, 1_000);
      if (after === undefined)
        return db.query(`SELECT ${columns} FROM certificates ORDER BY at DESC, id LIMIT $1`, [most]);
      await mustExist(after);
      return db.query(
        `SELECT ${columns} FROM certificates WHERE ${isBehind('$2')} ORDER BY at DESC, id LIMIT $1`,
        [most, after],
      );
    },
    async countBehind(after) {
      await mustExist(after);
      const rows = await db.query<object>(
        `SELECT 1 FROM certificates WHERE ${isBehind('$1')} LIMIT ${mostCounted + 1}`,
        [after],
      );
      return behindOf(rows.length);
    },
  };
}
