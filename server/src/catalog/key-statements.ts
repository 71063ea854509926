import type { Catalog } from './catalog.ts';
import { identity, mostRows, type Statements } from './statements.ts';

/** `$1` is the newest key, `$2` the only one that is asked about, if any. A sidecar whose key nobody noted may be anybody's. */
/** What is being erased is left to its erasure, which has planned what is to go. */
const sealedByOthers = `state IN ('sealed', 'verified') AND intent IS NULL AND object->>'mode' = 'envelope' AND (
  CASE WHEN $2::text IS NULL THEN object->>'keyId' <> $1 ELSE object->>'keyId' = $2 END
  OR state = 'verified' AND sidecar IS NOT NULL
    AND CASE WHEN $2::text IS NULL THEN sidecar->>'keyId' IS DISTINCT FROM object->>'keyId' ELSE sidecar->>'keyId' = $2 END)`;

/** Which key has sealed what, and what takes the place of what an older one has sealed. */
export function keyStatements({
  accountSid,
  db,
  rows,
  select,
  isSet,
}: Statements): Pick<Catalog, 'renewed' | 'sealedByOthers' | 'countSealedByOthers' | 'keyUse'> {
  return {
    renewed: (sid, before, now) =>
      isSet(
        sid,
        'object = $2::jsonb',
        [JSON.stringify(now), ...identity(before)],
        `state IN ('sealed', 'verified') AND intent IS NULL AND object->>'key' = $3 AND object->>'etag' = $4
         AND object->>'versionId' IS NOT DISTINCT FROM $5`,
      ),
    sealedByOthers: ({ newest, from }, after, limit) =>
      rows({
        where: `${sealedByOthers} AND ($3::text IS NULL OR recording_sid COLLATE "C" > $3)`,
        rest: `ORDER BY recording_sid COLLATE "C" LIMIT $4`,
        values: [newest, from ?? null, after ?? null, Math.min(limit, mostRows)],
      }),
    async countSealedByOthers({ newest, from }) {
      const [row] = await select<{ n: number }>('count(*)::int AS n', {
        where: sealedByOthers,
        values: [newest, from ?? null],
      });
      return row?.n ?? 0;
    },
    keyUse: () =>
      db.query(
        `SELECT "keyId", sum(recordings)::int AS recordings, sum(sidecars)::int AS sidecars FROM (
           SELECT object->>'keyId' AS "keyId", 1 AS recordings, 0 AS sidecars
             FROM recordings WHERE account_sid = $1 AND state IN ('sealed', 'verified') AND object->>'mode' = 'envelope'
           UNION ALL
           SELECT coalesce(sidecar->>'keyId', 'unknown'), 0, 1
             FROM recordings WHERE account_sid = $1 AND state = 'verified' AND sidecar IS NOT NULL AND object->>'mode' = 'envelope'
         ) used GROUP BY "keyId" ORDER BY "keyId"`,
        [accountSid],
      ),
  };
}
