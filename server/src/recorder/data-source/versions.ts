import { CustodyError } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';

/** One version of the settings, as it was saved. */
export interface Version {
  /** From 1. */
  version: number;
  /** Without secrets; another release may have written it. */
  settings: unknown;
  setAt: Date;
  by: string;
  comment?: string;
}

export interface Versions {
  /** The newest one; undefined if none was ever saved. */
  current(): Promise<Version | undefined>;
  /** Newest first. */
  history(limit: number): Promise<Version[]>;
  /**
   * Adds a version behind `over`; 0: there is none yet.
   * @throws CustodyError `data_source_changed` (412) if the newest version is another one
   */
  append(next: { settings: object; by: string; comment?: string | undefined }, over: number): Promise<number>;
}

interface Row {
  version: number;
  settings: unknown;
  set_at: Date;
  set_by: string;
  comment: string | null;
}

export const changedMeanwhile = (): CustodyError =>
  new CustodyError(
    'data_source_changed',
    'the data source was changed meanwhile: read it again, and repeat the change on the version that is current then',
  );

export function createVersions(db: Pick<Db, 'query'>): Versions {
  const newest = async (limit: number): Promise<Version[]> => {
    const rows = await db.query<Row>(
      'SELECT version, settings, set_at, set_by, comment FROM data_source_versions ORDER BY version DESC LIMIT $1',
      [limit],
    );
    return rows.map((row) => ({
      version: row.version,
      settings: row.settings,
      setAt: row.set_at,
      by: row.set_by,
      ...(row.comment !== null && { comment: row.comment }),
    }));
  };
  return {
    current: async () => (await newest(1))[0],
    history: newest,
    async append({ settings, by, comment }, over) {
      const [row] = await db.query<{ version: number }>(
        // Of two that append behind the same version, the primary key lets one through.
        `INSERT INTO data_source_versions (version, settings, set_by, comment)
         SELECT $1::int + 1, $2::jsonb, $3, $4
         WHERE (SELECT coalesce(max(version), 0) FROM data_source_versions) = $1::int
         ON CONFLICT (version) DO NOTHING
         RETURNING version`,
        [over, JSON.stringify(settings), by, comment ?? null],
      );
      if (!row) throw changedMeanwhile();
      return row.version;
    },
  };
}
