import type { RecordingSid, SealedObject, TaskSid } from '@flex-custody/core';
import { createCatalog } from '../catalog/catalog.ts';
import { openEmbedded, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { migrate } from '../migrations.ts';
import { type Desk, line, retry, revokeLink, show } from './recordings.ts';

const RE = `RE${'0a'.repeat(16)}` as RecordingSid;
let database: TestDatabase;
let desk: Desk;
let sent: string[];

beforeAll(async () => {
  database = await openEmbedded();
  await migrate(database.db);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.db.query('TRUNCATE recordings');
  sent = [];
  desk = { catalog: createCatalog(database.db), queue: { send: async (name) => void sent.push(name) } };
  await desk.catalog.register({
    recordingSid: RE,
    accountSid: `AC${'0b'.repeat(16)}` as never,
    channels: 2,
    durationSeconds: 30,
    startedAt: new Date('2026-01-02T03:04:05Z'),
    hints: {},
    source: 'callback',
  });
});
const link = () => desk.catalog.linked(RE, { taskSid: `WT${'0c'.repeat(16)}` as TaskSid });

test('a failed recording starts over', async () => {
  await link();
  await desk.catalog.giveUp(RE, 'media_missing');
  expect(await retry(desk, RE)).toBe(`${RE}: it is copied again.`);
  expect(sent).toEqual(['copy']);
  expect((await desk.catalog.find(RE))?.state).toBe('registered');
});

test('a sealed one is verified, one that is not linked is linked', async () => {
  const lease = (await desk.catalog.lease(RE, 'test', 60_000)) as string;
  await desk.catalog.sealed(RE, lease, { key: 'k', etag: 'e' } as SealedObject, 2);
  expect(await retry(desk, RE)).toBe(`${RE}: it is verified again, it is linked again.`);
  expect(sent).toEqual(['verify', 'link']);
});

test('of one that is done nothing is retried', async () => {
  await link();
  await desk.catalog.absent(RE, '16101');
  expect(await retry(desk, RE)).toContain('nothing to retry');
  expect(sent).toEqual([]);
});

test('revoking raises the generation', async () => {
  expect(await revokeLink(desk, RE)).toContain('no longer play');
  expect((await desk.catalog.find(RE))?.segmentGeneration).toBe(1);
});

test('what is not in the catalog is said so', async () => {
  const unknown = `RE${'0f'.repeat(16)}` as RecordingSid;
  for (const work of [show, retry, revokeLink]) {
    await expect(work(desk, unknown)).rejects.toMatchObject({ code: 'recording_unknown' });
  }
});

test('one line tells state, link, length and reason', async () => {
  await desk.catalog.giveUp(RE, 'media_missing');
  const row = await desk.catalog.find(RE);
  expect(row && line(row)).toBe(
    `${RE}  2026-01-02T03:04:05.000Z  failed      pending     30 s  media_missing`,
  );
  expect(JSON.parse(await show(desk, RE))).toMatchObject({ recordingSid: RE, state: 'failed' });
});
