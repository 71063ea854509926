import { randomUUID } from 'node:crypto';
import { columns, insertion, rowColumns, type StoredRow } from './columns.ts';
import type { IntakeCatalog } from './intake-catalog.ts';
import { toRow } from './rows.ts';
import { foreign, identity, noLease, noProof, type Statements } from './statements.ts';

const sameObject = `object->>'key' = $4 AND object->>'etag' = $5 AND object->>'versionId' IS NOT DISTINCT FROM $6`;

const registered = Object.entries(columns).flatMap(([name, column]) =>
  column.registered ? [{ name, field: column.field, ...column.registered }] : [],
);
const insert = insertion(registered.map(({ name }) => name));
const filledIn = registered
  .flatMap(({ name, again }) => (again ? [`${name} = ${again(name)}`] : []))
  .join(', ');

/** A recording from its callback to a verified copy. */
export function intakeStatements({ accountSid, change, db, isSet, move, moved, rows, set }: Statements) {
  return {
    async register(input) {
      if (input.accountSid !== accountSid) throw foreign(input.recordingSid);
      const [row] = await db.query<StoredRow>(
        `INSERT INTO recordings ${insert.text}
         ON CONFLICT (recording_sid) DO UPDATE SET ${filledIn}
         WHERE recordings.state <> 'erased' AND recordings.account_sid = excluded.account_sid
         RETURNING ${rowColumns}`,
        insert.values(
          Object.fromEntries(
            registered.map(({ name, field, otherwise }) => [name, input[field] ?? otherwise]),
          ),
        ),
      );
      if (row) return toRow(row);
      // An erased recording stays empty.
      const [erased] = await rows({ where: 'recording_sid = $1', values: [input.recordingSid] });
      if (!erased) throw foreign(input.recordingSid);
      return erased;
    },

    async lease(sid, holder, ms) {
      const secret = randomUUID();
      const change = {
        set: `leases = leases + 1, lease = $4, lease_holder = $5, lease_until = now() + $6::double precision * interval '1 millisecond'`,
        where: `(state <> 'copying' OR lease_until < now()) AND ($5 <> 'function' OR NOT host_only) AND intent IS NULL`,
        values: [secret, holder, ms],
      };
      const [granted] = await moved<{ leases: number }>('leased', sid, change, 'leases');
      return granted && { secret, isFirst: granted.leases === 1 };
    },
    extendLease: (sid, lease, ms) =>
      isSet(
        sid,
        `lease_until = now() + $3::double precision * interval '1 millisecond'`,
        [lease, ms],
        `state = 'copying' AND lease = $2`,
      ),
    sealed: (sid, lease, object, channels, by) =>
      move('sealed', sid, {
        set: `object = $5::jsonb, channels = $6, copied_by = $7, failure = NULL, verified_at = NULL, ${noProof}, ${noLease}`,
        where: 'lease = $4',
        values: [lease, JSON.stringify(object), channels, by ?? null],
      }),
    release: (sid, lease, failure) =>
      move('released', sid, {
        set: `failure = coalesce($5, failure), ${noLease}`,
        where: 'lease = $4',
        values: [lease, failure ?? null],
      }),
    async verified(sid, object, plaintextSha256, { channels, proof } = {}) {
      const change = {
        set: `verified_at = now(), source_after = NULL, failure = NULL, channels = coalesce($8, channels), proof = $9::jsonb,
          object = (object - 'parts') || jsonb_build_object('plaintextSha256', $7::text)`,
        where: sameObject,
        values: [
          ...identity(object),
          plaintextSha256,
          channels ?? null,
          proof ? JSON.stringify(proof) : null,
        ],
      };
      const [row] = await moved<StoredRow>('verified', sid, change, rowColumns);
      return row && toRow(row);
    },
    rejected: (sid, object, reason) =>
      move('rejected', sid, {
        set: `object = NULL, copied_by = NULL, host_only = true, failure = $7, ${noProof}`,
        where: sameObject,
        values: [...identity(object), reason],
      }),
    lost: (sid, object) =>
      move('lost', sid, {
        set: `object = NULL, copied_by = NULL, verified_at = NULL, failure = 'object_missing', ${noProof}`,
        where: sameObject,
        values: identity(object),
      }),
    giveUp: (sid, reason) => move('gave-up', sid, { set: `failure = $4, ${noLease}`, values: [reason] }),
    absent: (sid, code) => move('absent', sid, { set: 'failure = $4', values: [code] }),
    described: async (sid, before, now) => {
      const noted = {
        set: 'sidecar = $2::jsonb',
        where: `state = 'verified' AND sidecar IS NOT DISTINCT FROM $3::jsonb`,
        values: [JSON.stringify(now), before ? JSON.stringify(before) : null],
      };
      return (await change(sid, noted, 'recording_sid')) !== undefined;
    },
    async forwarded(sid) {
      await set(sid, 'forwarded_at = now()', [], 'forwarded_at IS NULL');
    },
    async attempt(sid) {
      return (await change<{ n: number }>(sid, { set: 'attempts = attempts + 1' }, 'attempts AS n'))?.n ?? 0;
    },
  } satisfies Partial<IntakeCatalog>;
}
