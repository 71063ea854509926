import {
  type AccountSid,
  type CallDirection,
  type RecordingSid,
  recordingStates,
  type SealedObject,
} from '@flex-custody/core';
import { buildIndexes, missingIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Catalog } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';
import type { Expiry } from './recording-row.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const account = `AC${hex(1)}` as AccountSid;
const RE = (n: number) => `RE${hex(n)}` as RecordingSid;
const day = (n: number) => new Date(Date.UTC(2026, 0, n));
const object: SealedObject = {
  key: 'k',
  mode: 'envelope',
  etag: '"e"',
  bytes: 500,
  plaintextBytes: 400,
  plaintextSha256: 'ab'.repeat(32),
  keyId: 'k1',
};

onEachEngine('what is due and what there is of it', (open) => {
  let database: TestDatabase;
  let catalog: Catalog;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    await buildIndexes(database.db);
    catalog = createCatalog(database.db, account);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE recordings, marks CASCADE'));

  const put = async (n: number, at: Date, queue?: string, direction?: CallDirection) => {
    await catalog.register({
      recordingSid: RE(n),
      accountSid: account,
      channels: 2,
      startedAt: at,
      hints: {},
      source: 'callback',
    });
    await database.db.query('UPDATE recordings SET queue = $2, direction = $3 WHERE recording_sid = $1', [
      RE(n),
      queue ?? null,
      direction ?? null,
    ]);
  };
  const expired = async (of: readonly Expiry[], limit = 100) =>
    (await catalog.expired(of, limit)).map(({ recordingSid }) => recordingSid);

  test('every index is there, and the outdated ones are gone', async () => {
    expect(await missingIndexes(database.db)).toEqual([]);
    const found = await database.db.query<{ name: string | null }>(
      `SELECT to_regclass(name)::text AS name FROM unnest(ARRAY['recordings_by_state', 'recordings_by_link']) name`,
    );
    expect(found).toEqual([{ name: null }, { name: null }]);
    await database.db.query('DROP INDEX recordings_linking');
    expect(await missingIndexes(database.db)).toEqual(['recordings_linking']);
    await buildIndexes(database.db);
    expect(await missingIndexes(database.db)).toEqual([]);
  });

  test('kinds are told apart by queue and proven direction', async () => {
    await put(1, day(1), 'Sales', 'inbound');
    await put(2, day(2), 'Sales', 'inbound');
    await put(3, day(3), 'Sales');
    await put(4, day(4));
    await put(5, day(5), 'Legal', 'internal');
    await database.db.query(`UPDATE recordings SET unproven = '{direction}' WHERE recording_sid = $1`, [
      RE(5),
    ]);
    expect(await catalog.kindsKept()).toEqual(
      expect.arrayContaining([
        { queue: 'Sales', direction: 'inbound' },
        { queue: 'Sales' },
        {},
        { queue: 'Legal' },
      ]),
    );
    expect(await catalog.kindsKept()).toHaveLength(4);
    const [sales, salesUnknown, unknown, legal] = [
      { queue: 'Sales', direction: 'inbound' as const, before: day(9) },
      { queue: 'Sales', before: day(9) },
      { before: day(9) },
      { queue: 'Legal', before: day(9) },
    ];
    expect(await expired([legal, sales])).toEqual([RE(5), RE(1), RE(2)]);
    expect(await expired([salesUnknown, unknown])).toEqual([RE(3), RE(4)]);
    expect(await expired([{ ...sales, before: day(1) }])).toEqual([RE(1)]);
    expect(await expired([sales, unknown], 2)).toEqual([RE(1), RE(2)]);
    const after = { startedAt: day(1), recordingSid: RE(1) };
    expect(await expired([{ ...sales, after }, unknown])).toEqual([RE(2), RE(4)]);
    expect(await expired([])).toEqual([]);
  });

  test('what is set aside is not due until its time, or until all is to be looked at again', async () => {
    await put(1, day(1));
    await put(2, day(2));
    const due = () => expired([{ before: day(9) }]);
    await catalog.setAside(RE(1), 'recording', 60);
    await catalog.setAside(RE(2), 'recording', -60);
    expect(await due()).toEqual([]);
    await catalog.lookAgain('recording');
    expect(await due()).toEqual([RE(2)]);
    await catalog.lookAgain('source', { all: true });
    expect(await due()).toEqual([RE(2)]);
    await catalog.lookAgain('recording', { all: true });
    expect(await due()).toEqual([RE(1), RE(2)]);
  });

  test('nor is what is being erased, or is', async () => {
    await put(1, day(1));
    await put(2, day(2));
    await catalog.intend(RE(1), { reason: 'retention', policy: 'p' }, '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11');
    await catalog.erasing(RE(2));
    await catalog.erased(RE(2), '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11');
    expect(await expired([{ before: new Date(Date.now() + 60_000) }])).toEqual([]);
  });

  test('marks are kept by name', async () => {
    expect(await catalog.mark('a')).toBeUndefined();
    await catalog.setMark('a', { x: 1 });
    await catalog.setMark('a', { x: 2 });
    await catalog.setMark('b', {});
    expect([await catalog.mark('a'), await catalog.mark('b')]).toEqual([{ x: 2 }, {}]);
  });

  /** As they would be if all rows were read. */
  const counted = () =>
    database.db.query(
      `SELECT account_sid, one.kind, one.what, count(*)::int AS n
       FROM recordings CROSS JOIN LATERAL recording_tallies(recordings) one GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    );
  const kept = () =>
    database.db.query(
      `SELECT account_sid, kind, what, sum(n)::int AS n FROM tallies
       GROUP BY 1, 2, 3 HAVING sum(n) <> 0 ORDER BY 1, 2, 3`,
    );

  test('the database counts right, whatever becomes of its rows', async () => {
    const changes = [
      `state = 'sealed', object = '${JSON.stringify(object)}'`,
      `state = 'verified', sidecar = '{"key": "s", "etag": "e", "keyId": "k1"}'`,
      `sidecar = sidecar || '{"signedBy": "one", "keyId": "k2"}'`,
      `proof = '{}'`,
      `object = object || '{"keyId": "k2"}'`,
      `link_state = 'linked', queue = 'Sales', direction = 'inbound', caller = 'k3f9a2b1c:x'`,
      `unproven = '{direction,caller}'`,
      `state = 'absent'`,
      `state = 'erased', erased_at = now(), object = NULL, sidecar = NULL, proof = NULL, unproven = '{}', queue = NULL`,
      `attempts = 5`,
    ];
    for (const n of [1, 2, 3]) await put(n, day(n), n === 1 ? 'Sales' : undefined);
    for (const change of changes) {
      await database.db.query(`UPDATE recordings SET ${change} WHERE recording_sid <> $1`, [RE(3)]);
      expect(await kept()).toEqual(await counted());
    }
    const { states } = await catalog.counts();
    expect(recordingStates.filter((state) => states[state] > 0)).toEqual(['registered', 'erased']);
    await database.db.query('DELETE FROM recordings WHERE recording_sid = $1', [RE(1)]);
    expect(await kept()).toEqual(await counted());
    await database.db.query('TRUNCATE recordings CASCADE');
    expect(await kept()).toEqual([]);
    expect(await catalog.size()).toBe(0);
  });

  test('rows from before it counted are counted once', async () => {
    const before = migrations.findIndex((text) => text.includes('CREATE TABLE tallies'));
    for (const n of [1, 2, 3]) await put(n, day(n), 'Sales');
    const was = await counted();
    await database.db.query(
      `DROP TABLE tallies; DROP TRIGGER recordings_come ON recordings; DROP TRIGGER recordings_go ON recordings;
       DROP TRIGGER recordings_change ON recordings;
       DROP TRIGGER recordings_emptied ON recordings;
       DROP FUNCTION recording_tallies, tally_change, tally_all, forget_tallies;
       DELETE FROM schema_version WHERE version > ${before}`,
    );
    await migrate(database.db, migrations.slice(0, before + 1));
    await database.db.query(
      `INSERT INTO schema_version (version) SELECT generate_series(${before + 2}, ${migrations.length})`,
    );
    expect(await kept()).toEqual(was);
  });

  test('a database of the release before is brought to this one', async () => {
    const old = await open();
    try {
      const before = migrations.findIndex((text) => text.includes('ADD COLUMN erase_after'));
      await migrate(old.db, migrations.slice(0, before));
      await old.db.query(
        `INSERT INTO alarms (code, recording_sid, detail) VALUES ('a', '', 'of ${RE(1)} and ${account}'), ('b', '${RE(2)}', 'none');
         INSERT INTO marks (account_sid, name, mark) VALUES ('${account}', 'sources', '{}')`,
      );
      await migrate(old.db);
      expect(await old.db.query('SELECT about FROM alarms ORDER BY code')).toEqual([
        { about: [RE(1), account] },
        { about: [] },
      ]);
      expect(await old.db.query('SELECT * FROM marks')).toEqual([]);
      await buildIndexes(old.db);
      expect(await missingIndexes(old.db)).toEqual([]);
    } finally {
      await old.drop();
    }
  });
});
