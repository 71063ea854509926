import type { Db } from '../db.ts';

export interface KeptCertificate {
  /** UUID. */
  id: string;
  at: Date;
  reason: 'erasure' | 'retention';
  /** How many it is about. */
  recordings: number;
  /** The signed text, compact. */
  jws: string;
}

/** Certificates of what was erased. They are never removed. */
export interface Certificates {
  /** Once for each id. */
  keep(certificate: Omit<KeptCertificate, 'at'>): Promise<void>;
  find(id: string): Promise<KeptCertificate | undefined>;
  /** Newest first; at most 1000. */
  list(limit: number): Promise<KeptCertificate[]>;
}

export function createCertificates(db: Db): Certificates {
  const columns = 'id, at, reason, recordings, jws';
  return {
    async keep({ id, reason, recordings, jws }) {
      await db.query(
        'INSERT INTO certificates (id, reason, recordings, jws) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
        [id, reason, recordings, jws],
      );
    },
    find: async (id) =>
      (await db.query<KeptCertificate>(`SELECT ${columns} FROM certificates WHERE id = $1`, [id]))[0],
    list: (limit) =>
      db.query(`SELECT ${columns} FROM certificates ORDER BY at DESC, id LIMIT $1`, [Math.min(limit, 1_000)]),
  };
}
