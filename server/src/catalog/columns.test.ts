import type {
  AccountSid,
  CallSid,
  ConferenceSid,
  RecordingSid,
  ReservationSid,
  SealedObject,
  Sidecar,
  TaskSid,
  WorkerSid,
} from '@flex-custody/core';
import { readSidecar } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Catalog } from './catalog.ts';
import { columns } from './columns.ts';
import { createCatalog } from './create-catalog.ts';
import type { RecordingRow, Registration, StoredSidecar } from './recording-row.ts';
import { sidecarOf } from './sidecars.ts';

const sid = (letters: string) => `${letters}${'1'.repeat(32)}`;
const accountSid = sid('AC') as AccountSid;
const recordingSid = sid('RE') as RecordingSid;
const object: SealedObject = {
  key: 'k',
  mode: 'envelope',
  etag: '"e"',
  bytes: 500,
  plaintextBytes: 400,
  plaintextSha256: 'ab'.repeat(32),
  keyId: 'k1',
};
/** Each field: a new one is an error of types here, until it has a value. */
const registration: Required<Registration> = {
  recordingSid,
  accountSid,
  callSid: sid('CA') as CallSid,
  conferenceSid: sid('CF') as ConferenceSid,
  channels: 1,
  durationSeconds: 61.5,
  startedAt: new Date('2026-01-02T03:04:05Z'),
  hints: { taskSid: sid('WT') as TaskSid },
  source: 'reconcile',
  sourceEncrypted: true,
  sourceCompleted: true,
  unproven: ['start'],
};
const { hints: _hints, sourceEncrypted: _encrypted, sourceCompleted: _completed, ...both } = registration;
const sidecar: Required<Sidecar> = {
  ...both,
  version: 1,
  taskSid: sid('WT') as TaskSid,
  reservationSid: sid('WR') as ReservationSid,
  workerSid: sid('WK') as WorkerSid,
  queue: 'Support',
  direction: 'inbound',
  caller: 'k0a1b2c3d:digest',
  startedAt: '2026-01-02T03:04:05.000Z',
  object,
  verifiedAt: '2026-01-02T04:00:00.000Z',
  sourceDeletedAt: '2026-01-03T00:00:00.000Z',
  proof: { at: '2026-01-02T04:00:00.000Z', host: 'h', by: 'copy', how: 'sha256' },
  analysis: null,
};
const { version: _version, analysis: _analysis, verifiedAt, proof: _proof, ...outliving } = sidecar;
const stored: StoredSidecar = { key: 'k.json', etag: '"s"', signedBy: 'now' };
const row = {
  ...sidecar,
  ...{ startedAt: registration.startedAt, verifiedAt: new Date(verifiedAt) },
  sourceDeletedAt: new Date(sidecar.sourceDeletedAt),
} as unknown as RecordingRow;

test('a sidecar has each field that a sidecar can have, and its reader takes it', () => {
  const written = sidecarOf(row, object, null);
  expect(written).toEqual(sidecar);
  expect(readSidecar(JSON.stringify(written))).toEqual(sidecar);
});

test('what is absent or empty is no field of a sidecar', () => {
  const { caller: _caller, ...rest } = row;
  const written = sidecarOf({ ...rest, unproven: [] }, object, undefined);
  expect(Object.keys(sidecar).filter((name) => !(name in written))).toEqual([
    'unproven',
    'caller',
    'analysis',
  ]);
});

onEachEngine('the columns of a recording', (open) => {
  let database: TestDatabase;
  let catalog: Catalog;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    catalog = createCatalog(database.db, accountSid);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE recordings CASCADE'));

  test('are all known, and what an erasure leaves of each', async () => {
    const found = await database.db.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
       WHERE table_name = 'recordings' AND table_schema = current_schema() ORDER BY 1`,
    );
    expect(found.map(({ name }) => name)).toEqual(Object.keys(columns).sort());
  });

  test('hold every field of a registration', async () => {
    await catalog.register(registration);
    expect(await catalog.find(recordingSid)).toMatchObject(registration);
  });

  test('keep what the first registration had, and take from a later one what was missing', async () => {
    const { callSid: _call, durationSeconds: _seconds, ...first } = registration;
    await catalog.register({ ...first, unproven: [] });
    await catalog.register({
      ...registration,
      conferenceSid: `CF${'2'.repeat(32)}` as ConferenceSid,
      ...{ startedAt: new Date(0), channels: 2, source: 'callback', unproven: [] },
      ...{ sourceEncrypted: false, sourceCompleted: false },
    });
    expect(await catalog.find(recordingSid)).toMatchObject({ ...registration, unproven: [] });
  });

  test('take from a signed sidecar what outlives a lost catalog, and neither a verification nor a proof', async () => {
    expect(await catalog.restored(sidecar, { signed: stored })).toBe(true);
    const { startedAt, sourceDeletedAt, ...same } = outliving;
    const found = await catalog.find(recordingSid);
    expect(found).toMatchObject({
      ...same,
      startedAt: new Date(startedAt),
      sourceDeletedAt: new Date(sourceDeletedAt),
      ...{ state: 'sealed', linkState: 'linked', sidecar: stored, hints: {} },
    });
    expect([found?.verifiedAt, found?.proof]).toEqual([undefined, undefined]);
  });

  test('take from an unsigned sidecar no deletion of the original, and its owner as a hint alone', async () => {
    expect(await catalog.restored(sidecar, { unproven: ['owner', 'caller'] })).toBe(true);
    const found = await catalog.find(recordingSid);
    const { taskSid, reservationSid } = sidecar;
    expect(found).toMatchObject({
      ...{ linkState: 'pending', unproven: ['owner', 'caller'], hints: { taskSid, reservationSid } },
    });
    expect([found?.sourceDeletedAt, found?.sidecar]).toEqual([undefined, undefined]);
  });
});
