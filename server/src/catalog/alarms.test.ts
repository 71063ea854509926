import type { RecordingSid } from '@flex-custody/core';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { migrate } from '../db.ts';
import { createAlarms } from './alarms.ts';

const RE = (n: number) => `RE${n.toString(16).padStart(32, '0')}` as RecordingSid;

onEachEngine('alarms', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  test('which of some recordings have an open one of a code', async () => {
    const alarms = createAlarms(database.db);
    for (const n of [1, 2, 3]) await alarms.raise('object_lost', RE(n), 'so');
    await alarms.raise('object_unreadable', RE(4), 'so');
    await alarms.raise('object_lost', undefined, '3 recordings');
    await alarms.mended(['object_lost'], RE(2));
    expect(await alarms.standing('object_lost', [RE(1), RE(2), RE(4), RE(5)])).toEqual(new Set([RE(1)]));
    expect(await alarms.standing('object_lost', [])).toEqual(new Set());
    await alarms.raise('object_lost', RE(2), 'again');
    expect(await alarms.standing('object_lost', [RE(1), RE(2), RE(3)])).toEqual(
      new Set([RE(1), RE(2), RE(3)]),
    );
  });
});
