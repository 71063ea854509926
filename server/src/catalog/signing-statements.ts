import type { Sidecar } from '@flex-custody/core';
import { columns, insertion } from './columns.ts';
import type { OperatingCatalog } from './operating-catalog.ts';
import type { Restoration } from './recording-row.ts';
import type { SealingCatalog } from './sealing-catalog.ts';
import { foreign, mostRows, type Statements } from './statements.ts';
import { talliesOf } from './tallies.ts';

/** The condition of the partial index, so that signed sidecars are not read. */
const unsigned = `state = 'verified' AND sidecar IS NOT NULL AND sidecar->>'signedBy' IS NULL`;
/** How many of the newest recordings are read to find their signing keys. */
const newest = 1_000;

const restored = Object.entries(columns).flatMap(([name, column]) =>
  column.sidecar && column.sidecar !== 'not-restored'
    ? [{ name, field: column.field, sidecar: column.sidecar }]
    : [],
);
const insert = insertion([
  ...restored.map(({ name }) => name),
  ...['state', 'link_state', 'link_reason', 'sidecar', 'hints'],
]);

/** Which key signed which sidecar, and the restoring of recordings from sidecars. */
export function signingStatements({ accountSid, changeAll, db, rows, select }: Statements) {
  return {
    async restored(of, from) {
      if (of.accountSid !== accountSid) throw foreign(of.recordingSid);
      const signed = 'signed' in from ? from.signed : undefined;
      const [link_state, link_reason] = linkOf(of, from);
      const put = await db.query(
        `INSERT INTO recordings ${insert.text} ON CONFLICT (recording_sid) DO NOTHING RETURNING recording_sid`,
        insert.values({
          ...Object.fromEntries(
            restored.map(({ name, field, sidecar }) => [
              name,
              signed || sidecar === 'restored' ? of[field] : undefined,
            ]),
          ),
          state: 'sealed',
          link_state,
          link_reason,
          sidecar: signed,
          unproven: 'unproven' in from ? from.unproven : (of.unproven ?? []),
          hints: signed ? {} : hintsOf(of),
        }),
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
      const unnamed = found.filter(({ what: [by] }) => by === null);
      return [...named, ...unnamed].map(({ what: [by], n }) => ({
        ...(by !== null && { keyId: by }),
        sidecars: n,
      }));
    },
    forgetSigners: (listed) =>
      changeAll(`sidecar = sidecar - 'signedBy'`, `sidecar->>'signedBy' <> ALL($1::text[])`, listed),
  } satisfies Partial<SealingCatalog & OperatingCatalog>;
}

/** The link's state and reason. Unproven facts are linked once Twilio has proven them. */
function linkOf({ taskSid }: Sidecar, from: Restoration): [state: string, reason: string | null] {
  if (!('signed' in from)) return ['pending', null];
  return taskSid === undefined ? ['unlinked', 'restored'] : ['linked', null];
}

const hintsOf = ({ taskSid, reservationSid }: Sidecar) => ({
  ...(taskSid && { taskSid }),
  ...(reservationSid && { reservationSid }),
});
