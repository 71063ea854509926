import type { IntakeCatalog } from './intake-catalog.ts';
import type { ImportedObject } from './recording-row.ts';
import type { Statements } from './statements.ts';

interface StoredImport {
  bucket: string;
  key: string;
  version_id: string | null;
  etag: string;
  sha256: string;
  repaired_sha256: string | null;
}

/** The object of an older bucket that a recording's copy was made from. */
export function importStatements({ accountSid, db }: Statements) {
  return {
    async noteImport(sid, { bucket, key, versionId, etag, sha256, repairedSha256 }) {
      await db.query(
        `INSERT INTO imports (recording_sid, bucket, key, version_id, etag, sha256, repaired_sha256)
         SELECT recording_sid, $3, $4, $5, $6, $7, $8 FROM recordings WHERE recording_sid = $1 AND account_sid = $2
         ON CONFLICT (recording_sid) DO UPDATE SET bucket = excluded.bucket, key = excluded.key,
           version_id = excluded.version_id, etag = excluded.etag, sha256 = excluded.sha256,
           repaired_sha256 = excluded.repaired_sha256, imported_at = now()`,
        [sid, accountSid, bucket, key, versionId ?? null, etag, sha256, repairedSha256 ?? null],
      );
    },
    async importedFrom(sid) {
      const [found] = await db.query<StoredImport>(
        `SELECT imports.* FROM imports JOIN recordings USING (recording_sid)
         WHERE recording_sid = $1 AND account_sid = $2`,
        [sid, accountSid],
      );
      if (!found) return undefined;
      const { bucket, key, version_id, etag, sha256, repaired_sha256 } = found;
      const object: ImportedObject = {
        bucket,
        key,
        etag,
        sha256,
        ...(repaired_sha256 !== null && { repairedSha256: repaired_sha256 }),
      };
      return version_id === null ? object : { ...object, versionId: version_id };
    },
  } satisfies Partial<IntakeCatalog>;
}
