import type { AccountSid, RecordingSid } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Catalog } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const account = `AC${hex(1)}` as AccountSid;
const RE = (n: number) => `RE${hex(n)}` as RecordingSid;
/** More than two slices of what one statement looks at. */
const rows = 4_500;

onEachEngine('recordings that an older key has sealed', (open) => {
  let database: TestDatabase;
  let catalog: Catalog;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    catalog = createCatalog(database.db, account);
    await database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, object)
       SELECT 'RE' || lpad(to_hex(n), 32, '0'), $1, 2, now(), 'callback', 'sealed',
         jsonb_build_object('key', 'k', 'etag', 'e', 'mode', 'envelope', 'keyId',
           CASE n WHEN 5 THEN 'old' WHEN 2500 THEN 'older' WHEN 4400 THEN 'old' ELSE 'new' END)
       FROM generate_series(1, $2::integer) n`,
      [account, rows],
    );
  });
  afterAll(() => database.drop());

  const found = async (of: { newest: string; from?: string }, after?: RecordingSid, limit = 100) =>
    (await catalog.sealedByOthers(of, after, limit)).map(({ recordingSid }) => recordingSid);

  test('are found wherever they are in the order of SIDs', async () => {
    expect(await found({ newest: 'new' })).toEqual([RE(5), RE(2_500), RE(4_400)]);
    expect(await found({ newest: 'new', from: 'old' })).toEqual([RE(5), RE(4_400)]);
    expect(await found({ newest: 'new' }, RE(4_400))).toEqual([]);
  });

  test('come page by page, and the next page begins behind the last one', async () => {
    expect(await found({ newest: 'new' }, undefined, 2)).toEqual([RE(5), RE(2_500)]);
    expect(await found({ newest: 'new' }, RE(2_500), 2)).toEqual([RE(4_400)]);
    expect((await found({ newest: 'old' }, RE(4_000), 1_000)).length).toBe(499);
  });
});
