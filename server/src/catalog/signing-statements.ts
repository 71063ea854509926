import type { Sidecar } from '@flex-custody/core';
import type { Catalog, Restoration } from './catalog.ts';
import { foreign, mostRows, type Statements } from './statements.ts';
import { talliesOf } from './tallies.ts';

/** As the partial index has it: what is left to sign is found without looking at what is signed. */
const unsigned = `state = 'verified' AND sidecar IS NOT NULL AND sidecar->>'signedBy' IS NULL`;
/** So many of the newest tell whose they are. */
const newest = 1_000;

/** Who signed which sidecar, and what is restored from one. */
export function signingStatements({
  accountSid,
  changeAll,
  db,
  rows,
  select,
}: Statements): Pick<
  Catalog,
  'restored' | 'unsigned' | 'countUnsigned' | 'everSigned' | 'newestSigners' | 'signers' | 'forgetSigners'
> {
  return {
    async restored(of, from) {
      if (of.accountSid !== accountSid) throw foreign(of.recordingSid);
      const put = await db.query(
        `INSERT INTO recordings
           (recording_sid, account_sid, call_sid, conference_sid, task_sid, reservation_sid, worker_sid, channels,
            duration_seconds, started_at, source, state, link_state, link_reason, object, source_deleted_at, sidecar,
            queue, direction, caller, unproven, hints)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'sealed', $12, $13, $14::jsonb, $15, $16::jsonb, $17,
           $18, $19, $20::text[], $21::jsonb)
         ON CONFLICT (recording_sid) DO NOTHING RETURNING recording_sid`,
        [
          of.recordingSid,
          of.accountSid,
          of.callSid ?? null,
          of.conferenceSid ?? null,
          of.taskSid ?? null,
          of.reservationSid ?? null,
          of.workerSid ?? null,
          of.channels,
          of.durationSeconds ?? null,
          of.startedAt,
          of.source,
          ...linkOf(of, from),
          JSON.stringify(of.object),
          'signed' in from ? (of.sourceDeletedAt ?? null) : null,
          'signed' in from ? JSON.stringify(from.signed) : null,
          of.queue ?? null,
          of.direction ?? null,
          of.caller ?? null,
          'signed' in from ? (of.unproven ?? []) : from.unproven,
          JSON.stringify('signed' in from ? {} : hintsOf(of)),
        ],
      );
      return put.length > 0;
    },
    unsigned: (after, limit) =>
      rows({
        where: `${unsigned} AND recording_sid COLLATE "C" > $1`,
        rest: 'ORDER BY recording_sid COLLATE "C" LIMIT $2',
        values: [after ?? '', Math.min(limit, mostRows)],
      }),
    async countUnsigned() {
      const [row] = await select<{ n: number }>('count(*)::int AS n', { where: unsigned });
      return row?.n ?? 0;
    },
    async everSigned() {
      return (await talliesOf(db, accountSid, 'signer')).some(({ what: [by] }) => by !== null);
    },
    async newestSigners() {
      const found = await db.query<{ by: string }>(
        `SELECT DISTINCT sidecar->>'signedBy' AS "by"
         FROM (SELECT state, sidecar FROM recordings WHERE account_sid = $2
           ORDER BY started_at DESC, recording_sid DESC LIMIT $1) newest
         WHERE state = 'verified' AND sidecar->>'signedBy' IS NOT NULL`,
        [newest, accountSid],
      );
      return found.map(({ by }) => by);
    },
    async signers() {
      const found = await talliesOf(db, accountSid, 'signer');
      const named = found.filter(({ what: [by] }) => by !== null);
      const nobody = found.filter(({ what: [by] }) => by === null);
      return [...named, ...nobody].map(({ what: [by], n }) => ({
        ...(by !== null && { keyId: by }),
        sidecars: n,
      }));
    },
    forgetSigners: (listed) =>
      changeAll(`sidecar = sidecar - 'signedBy'`, `sidecar->>'signedBy' <> ALL($1::text[])`, listed),
  };
}

/** The link's state, and why. Hearsay is linked once Twilio has proven it. */
function linkOf({ taskSid }: Sidecar, from: Restoration): [state: string, reason: string | null] {
  if (!('signed' in from)) return ['pending', null];
  return taskSid === undefined ? ['unlinked', 'restored'] : ['linked', null];
}

const hintsOf = ({ taskSid, reservationSid }: Sidecar) => ({
  ...(taskSid && { taskSid }),
  ...(reservationSid && { reservationSid }),
});
