import { asRecordingSid, type RecordingSid } from '@flex-custody/core';
import type { IntakeCatalog } from './intake-catalog.ts';
import { moveOf } from './moves.ts';
import type { OperatingCatalog } from './operating-catalog.ts';
import type { Stale, StaleMark } from './recording-row.ts';
import { noLease, type Statements } from './statements.ts';

const most = 5_000;

/** When the host last failed to prove the copy; recordings without such a time come first. */
const tried = `coalesce(proof_tried_at, '-infinity')`;

/** Each condition matches a partial index, so that the statement reads no other rows. `$1` is the time. */
function conditionOf(of: Stale): { where: string; values: readonly unknown[] } {
  switch (of.which) {
    case 'undescribed':
      return { where: `state = 'verified' AND sidecar IS NULL AND updated_at < $1`, values: [] };
    case 'pending-link':
      return { where: `link_state = 'pending' AND updated_at < $1`, values: [] };
    case 'unproven':
      return {
        where: `state = 'verified' AND proof IS NULL AND source_deleted_at IS NULL
          AND (${tried} = '-infinity' AND updated_at < $1 OR ${tried} > '-infinity' AND ${tried} < now() - interval '1 day')`,
        values: [],
      };
    case 'state':
      if (of.state === 'failed')
        return {
          where: `state = 'failed' AND updated_at < $1 AND failure = ANY($2::text[])`,
          values: [of.failures],
        };
      return {
        where: `state = '${of.state}' AND ${of.state === 'copying' ? 'lease_until' : 'updated_at'} < $1`,
        values: [],
      };
  }
}

const sidsOf = (rows: readonly { recording_sid: string }[]): RecordingSid[] =>
  rows.flatMap(({ recording_sid }) => asRecordingSid(recording_sid) ?? []);

/** Recordings that may have lost their job, and dead letters that are tried again. */
export function staleStatements({ accountSid, db, select }: Statements) {
  const replayedAll = async (sids: readonly RecordingSid[]) => {
    const again = (event: 'reinstated' | 'replayed', hasObject: boolean) => {
      const { from, to } = moveOf(event);
      return db.query<{ recording_sid: string }>(
        `UPDATE recordings SET state = $2, updated_at = now(), failure = NULL, attempts = 0, ${noLease}
         WHERE recording_sid = ANY($1::text[]) AND account_sid = $4
           AND (state = ANY($3::text[]) AND (object IS NOT NULL) = $5::boolean) IS TRUE
         RETURNING recording_sid`,
        [sids, to, from, accountSid, hasObject],
      );
    };
    return {
      sealed: sidsOf(await again('reinstated', true)),
      registered: sidsOf(await again('replayed', false)),
    };
  };
  return {
    async stale(of, after, limit = most) {
      const { where, values } = conditionOf(of);
      const keys = of.which === 'unproven' ? [tried, 'updated_at'] : ['updated_at'];
      const own = [of.olderThan, ...values];
      const mark = after === undefined ? [] : (JSON.parse(after) as string[]);
      const marks = mark.map(
        (_, at) => `$${own.length + at + 1}::text::${at < keys.length ? 'timestamptz' : 'text'}`,
      );
      const behind =
        after === undefined ? '' : `AND (${keys.join(', ')}, recording_sid) > (${marks.join(', ')})`;
      const page = Math.min(limit, most);
      // As text, because a Date has milliseconds and the database compares microseconds.
      const at = keys.map((key) => `(${key})::text`).join(', ');
      const found = await select<{ recording_sid: string; at: string[] }>(
        `recording_sid, ARRAY[${at}] AS at`,
        {
          where: `${where} ${behind}`,
          rest: `ORDER BY ${keys.join(', ')}, recording_sid LIMIT ${page}`,
          values: [...own, ...mark],
        },
      );
      const last = found.length === page ? found.at(-1) : undefined;
      return {
        sids: sidsOf(found),
        ...(last && { next: JSON.stringify([...last.at, last.recording_sid]) as StaleMark }),
      };
    },
    replayedAll,
    async replayed(sid) {
      const { sealed, registered } = await replayedAll([sid]);
      return sealed.length > 0 ? 'sealed' : registered.length > 0 ? 'registered' : undefined;
    },
  } satisfies Partial<IntakeCatalog & OperatingCatalog>;
}
