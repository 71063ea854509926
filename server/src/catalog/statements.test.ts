import type { AccountSid, RecordingSid, SealedObject, TaskSid } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createCatalog } from './create-catalog.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const AC = `AC${hex(1)}` as AccountSid;
const RE = `RE${hex(7)}` as RecordingSid;
const object = { key: 'k', etag: '"e"' } as SealedObject;
const others = 2_000;

onEachEngine('a statement about one recording', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    // The database has counted once, before any recording was verified, copied or linked.
    await database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source)
       SELECT 'RE' || lpad(to_hex(n), 32, '0'), '${AC}', 2, now(), 'callback' FROM generate_series(1, ${others}) AS n;
       ANALYZE recordings;
       UPDATE recordings SET state = 'verified', link_state = 'linked', object = '{"key": "k"}', verified_at = now()`,
    );
  });
  afterAll(() => database.drop());

  test('finds it by its SID, whatever state the others are in', async () => {
    const plans: string[] = [];
    const explaining: typeof database.db = {
      ...database.db,
      async query<T>(sql: string, values?: readonly unknown[]) {
        const plan = await database.db.query<Record<string, string>>(`EXPLAIN ${sql}`, values);
        plans.push(plan.map((row) => row['QUERY PLAN']).join('\n'));
        return [] as T[];
      },
    };
    const catalog = createCatalog(explaining, AC);
    await catalog.lease(RE, 'host', 1_000);
    await catalog.verified(RE, object, 'ab');
    await catalog.described(RE, undefined, { key: 's', etag: '"e"' });
    await catalog.proven(RE, object, { at: '2026-01-01T00:00:00Z', host: 'h', by: 'copy', how: 'sha256' });
    await catalog.linked(RE, { taskSid: `WT${hex(1)}` as TaskSid });
    await catalog.unlinked(RE, 'task_gone');
    await catalog.calledBy(RE, { direction: 'inbound', others: [] });
    expect(plans).toHaveLength(7);
    for (const plan of plans) expect(plan).toMatch(/Index Scan using recordings_pkey/);
  });
});
