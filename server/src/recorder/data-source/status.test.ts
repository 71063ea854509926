import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { readStatus } from '../../events/status-part.ts';
import { beat } from './nodes.ts';
import { readSettings } from './read.ts';
import { assignedNodes, labels } from './status.ts';

onEachEngine('labels and nodes', (openDatabase) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE recorder_nodes'));

  const reader = (given?: object) => ({
    current: async () => given && { version: 3, settings: readSettings(given).settings },
  });
  const rows = async (given?: object) => {
    const parts = [labels(reader(given)), assignedNodes(reader(given))];
    return (await readStatus(parts, database.db)).map((table) => table.rows);
  };
  const duties = async (given?: object) =>
    (await rows(given))[1]?.map(({ node, state, events, audio }) => [node, state, events, audio].join(': '));

  test('before the first settings every node that runs does everything', async () => {
    await beat(database.db, 'a');
    expect((await rows())[0]).toEqual([]);
    expect(await duties()).toEqual(['a: alive: as every node: as every node']);
  });

  test('a label that is not set is null', async () => {
    expect((await rows({ tenant: 'T', site: 'S' }))[0]).toEqual([
      { version: 3, tenant: 'T', siteGroup: null, site: 'S', server: null },
    ]);
  });

  test('each assigned node, and which of them is alive', async () => {
    const { db } = database;
    for (const node of ['a', 'b', 'd', 'old']) await beat(db, node);
    await db.query(
      `UPDATE recorder_nodes SET seen_at = now() - interval '1 minute' WHERE node IN ('b', 'old')`,
    );
    const given = { redundantPair: ['a', 'b'], captureNodes: ['c', 'a'] };
    expect(await duties(given)).toEqual([
      'a: alive: one of the pair: capture node',
      'b: not running: one of the pair: no',
      'c: never seen: no: capture node',
      'd: alive: no: no',
    ]);
    expect(await duties({ integrationNode: 'b' })).toEqual([
      'a: alive: no: as every node',
      'b: not running: integration node: as every node',
      'd: alive: no: as every node',
    ]);
    const [, nodes] = await rows(given);
    expect(nodes?.[0]).toMatchObject({ since: expect.any(Date), seenAt: expect.any(Date) });
    expect(nodes?.[1]).toMatchObject({ since: null, seenAt: expect.any(Date) });
  });

  test('a node that comes back runs since now, one that beats on since before; an old one is forgotten', async () => {
    const { db } = database;
    for (const node of ['steady', 'back', 'gone']) await beat(db, node);
    await db.query(`UPDATE recorder_nodes SET since = now() - interval '1 hour'`);
    await db.query(`UPDATE recorder_nodes SET seen_at = now() - interval '1 minute' WHERE node = 'back'`);
    await db.query(`UPDATE recorder_nodes SET seen_at = now() - interval '8 days' WHERE node = 'gone'`);
    for (const node of ['steady', 'back']) await beat(db, node);
    expect(
      await db.query(
        `SELECT node, since > now() - interval '1 minute' AS "isNew" FROM recorder_nodes ORDER BY node`,
      ),
    ).toEqual([
      { node: 'back', isNew: true },
      { node: 'steady', isNew: false },
    ]);
  });
});
