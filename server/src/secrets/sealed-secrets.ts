import type { Db } from '../db/db.ts';

/** A stored secret, which only the host's keys open. */
export interface SealedSecret {
  name: string;
  /** Base64 of a message of the AWS Encryption SDK. */
  sealed: string;
  /** Id of the key that sealed it, as the row says: a hint. */
  keyId: string;
  /** How often a value was set under this name. */
  version: number;
  setAt: Date;
  /** `cli`, or an identity of Flex. */
  by: string;
}

/** What sealing makes of a value. */
export type Sealed = Pick<SealedSecret, 'name' | 'sealed' | 'keyId'>;

export interface SecretChange {
  action: 'secret.set' | 'secret.removed';
  name: string;
  by: string;
}

/** Writes the audit entry of a change, in the transaction of the change. */
export type RecordChange = (inner: Pick<Db, 'query'>, change: SecretChange) => Promise<void>;

/** The table of secrets. Values come and leave sealed. */
export interface SealedSecrets {
  /** By name. */
  all(): Promise<SealedSecret[]>;
  find(name: string): Promise<SealedSecret | undefined>;
  /** Stores it instead of an earlier one of that name. @throws CustodyError `audit_unavailable` */
  put(secret: Sealed, by: string): Promise<void>;
  /** Replaces the message of the same value. @returns false if the secret was set or removed since it was read */
  reseal(before: Sealed, after: Sealed): Promise<boolean>;
  /** @returns whether there was one. @throws CustodyError `audit_unavailable` */
  remove(name: string, by: string): Promise<boolean>;
}

interface Row {
  name: string;
  sealed: string;
  key_id: string;
  version: number;
  set_at: Date;
  set_by: string;
}

const toSecret = ({ name, sealed, key_id, version, set_at, set_by }: Row): SealedSecret => ({
  ...{ name, sealed, version },
  ...{ keyId: key_id, setAt: set_at, by: set_by },
});

export function createSealedSecrets(db: Db, record: RecordChange): SealedSecrets {
  return {
    all: async () => (await db.query<Row>('SELECT * FROM secrets ORDER BY name')).map(toSecret),
    async find(name) {
      const [row] = await db.query<Row>('SELECT * FROM secrets WHERE name = $1', [name]);
      return row && toSecret(row);
    },
    put: ({ name, sealed, keyId }, by) =>
      db.transaction(async (inner) => {
        await record(inner, { action: 'secret.set', name, by });
        await inner.query(
          `INSERT INTO secrets AS had (name, sealed, key_id, version, set_by) VALUES ($1, $2, $3, 1, $4)
           ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, key_id = excluded.key_id,
             version = had.version + 1, set_at = now(), set_by = excluded.set_by`,
          [name, sealed, keyId, by],
        );
      }),
    async reseal(before, after) {
      const changed = await db.query(
        'UPDATE secrets SET sealed = $3, key_id = $4 WHERE name = $1 AND sealed = $2 RETURNING name',
        [before.name, before.sealed, after.sealed, after.keyId],
      );
      return changed.length > 0;
    },
    remove: (name, by) =>
      db.transaction(async (inner) => {
        const removed = await inner.query('DELETE FROM secrets WHERE name = $1 RETURNING name', [name]);
        if (removed.length > 0) await record(inner, { action: 'secret.removed', name, by });
        return removed.length > 0;
      }),
  };
}

/** The same without changing anything, also before the host has migrated the database: then there is none. */
export async function readSealedSecrets(db: Pick<Db, 'query'>): Promise<SealedSecret[]> {
  const [table] = await db.query<{ there: boolean }>(`SELECT to_regclass('secrets') IS NOT NULL AS there`);
  return table?.there ? (await db.query<Row>('SELECT * FROM secrets ORDER BY name')).map(toSecret) : [];
}
