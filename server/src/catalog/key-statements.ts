import type { OperatingCatalog } from './operating-catalog.ts';
import type { RecordingRow } from './recording-row.ts';
import type { SealingCatalog } from './sealing-catalog.ts';
import { identity, mostRows, type Statements } from './statements.ts';
import { sumOf, talliesOf } from './tallies.ts';

/**
 * `$1` is the newest key, `$2` the only key asked about, if any. A sidecar without a noted key may be sealed by any key.
 * Recordings that are being erased are left out: their erasure has planned which versions it removes.
 */
const sealedByOthers = `state IN ('sealed', 'verified') AND intent IS NULL AND object->>'mode' = 'envelope' AND (
  CASE WHEN $2::text IS NULL THEN object->>'keyId' <> $1 ELSE object->>'keyId' = $2 END
  OR state = 'verified' AND sidecar IS NOT NULL
    AND CASE WHEN $2::text IS NULL THEN sidecar->>'keyId' IS DISTINCT FROM object->>'keyId' ELSE sidecar->>'keyId' = $2 END)`;

/** Rows that one statement reads. */
const slice = 2_000;

/** Which key has sealed which recording, and the replacement of what older keys have sealed. */
export function keyStatements({ accountSid, db, rows, isSet }: Statements) {
  return {
    renewed: (sid, before, now) =>
      isSet(
        sid,
        'object = $2::jsonb',
        [JSON.stringify(now), ...identity(before)],
        `state IN ('sealed', 'verified') AND intent IS NULL AND object->>'key' = $3 AND object->>'etag' = $4
         AND object->>'versionId' IS NOT DISTINCT FROM $5`,
      ),
    async sealedByOthers({ newest, from }, after, limit) {
      const most = Math.min(limit, mostRows);
      const found: RecordingRow[] = [];
      // No index has the keys: each slice is read once, so that a whole rotation reads each row once.
      for (let last: string = after ?? ''; found.length < most; ) {
        const [page] = await db.query<{ end: string | null }>(
          `SELECT max(sid) AS "end" FROM (
             SELECT recording_sid COLLATE "C" AS sid FROM recordings WHERE recording_sid COLLATE "C" > $1
             ORDER BY recording_sid COLLATE "C" LIMIT ${slice}) page`,
          [last],
        );
        const end = page?.end ?? undefined;
        if (end === undefined) break;
        found.push(
          ...(await rows({
            where: `${sealedByOthers} AND recording_sid COLLATE "C" > $3 AND recording_sid COLLATE "C" <= $4`,
            rest: `ORDER BY recording_sid COLLATE "C" LIMIT $5`,
            values: [newest, from ?? null, last, end, most - found.length],
          })),
        );
        last = end;
      }
      return found;
    },
    async countSealedByOthers({ newest, from }) {
      const tallies = await talliesOf(db, accountSid, 'sealing');
      return sumOf(
        tallies.filter(({ what: [key, ofSidecar] }) =>
          from === undefined
            ? key !== newest || (ofSidecar !== undefined && ofSidecar !== key)
            : key === from || ofSidecar === from,
        ),
      );
    },
    async keyUse() {
      const used = new Map<string, { recordings: number; sidecars: number }>();
      const of = (key: string) => {
        const use = used.get(key) ?? { recordings: 0, sidecars: 0 };
        used.set(key, use);
        return use;
      };
      for (const { what, n } of await talliesOf(db, accountSid, 'sealing')) {
        const [key, ofSidecar] = what;
        of(key).recordings += n;
        if (ofSidecar !== undefined) of(ofSidecar ?? 'unknown').sidecars += n;
      }
      return [...used].sort(([a], [b]) => (a < b ? -1 : 1)).map(([keyId, use]) => ({ keyId, ...use }));
    },
  } satisfies Partial<SealingCatalog & OperatingCatalog>;
}
