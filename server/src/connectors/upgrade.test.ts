import { createCatalog } from '../catalog/create-catalog.ts';
import { buildIndexes, missingIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { storeAll } from '../recorder/sessions/testing/stored.ts';
import { Story } from '../recorder/sessions/testing/story.ts';
import { switchOn } from './changes.ts';
import { follow } from './follow.ts';
import { account, arrive, effects, followDeps } from './testing/followed.ts';

onEachEngine('a database of before connectors', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
  }, 120_000);
  afterAll(() => database.drop());

  test('keeps its sessions, which are found by their task; nothing is noted before connectors are switched on', async () => {
    const { db } = database;
    await migrate(
      db,
      migrations.slice(
        0,
        migrations.findIndex((one) => one.includes('connector_changes')),
      ),
    );
    const story = new Story(1, new Date().toISOString());
    const task = story.inboundCall('Support', { from: '+34600000001' });
    await storeAll(db, story.events);
    await db.query(
      `INSERT INTO contacts (number, id, kind, opened_at, contact) VALUES (0 + nextval('contact_numbers'), $1, 'voice', now(), '{}')`,
      [task.sid],
    );
    await db.query('INSERT INTO contact_keys VALUES ($1, 1)', [task.sid]);
    await migrate(db);
    await buildIndexes(db);
    expect(await missingIndexes(db)).toEqual([]);
    const sessions = await createCatalog(db, account).sessionsOf({ tasks: [task.sid as never] }, 0, 10);
    expect(sessions).toMatchObject([{ number: 1, callers: [], tasks: [task.sid] }]);
    await arrive(db, []);
    expect(await db.query('SELECT * FROM connector_changes')).toEqual([]);
    await switchOn(db, account);
    const before = story.events.length;
    story.wait(5);
    task.offer('anna').accept().wrapUp().complete();
    task.complete();
    await arrive(db, story.events.slice(before));
    await follow(followDeps(db), new AbortController().signal);
    expect((await effects(db)).map(({ trigger }) => trigger)).toEqual(['task.created', 'task.completed']);
  });
});
