import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bindDatabase, readCustody } from '../custody/bind.ts';
import { callerKeyId } from '../custody/caller-secret.ts';
import { custodyFacts } from '../custody/facts.ts';
import { lockDirectory } from '../db/lock.ts';
import { migrate } from '../db/migrate.ts';
import { openEmbedded, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { type AdoptDeps, adopt, nameCallers, openForAdoption } from './adopt-database.ts';

const base = {
  accountSid: `AC${'0a'.repeat(16)}` as AdoptDeps['config']['accountSid'],
  store: { bucket: 'recordings', region: 'eu-central-1', mode: 'sse-kms' } as const,
};
let database: TestDatabase;
let printed: string[];
beforeAll(async () => {
  database = await openEmbedded();
  await migrate(database.db);
}, 60_000);
afterAll(() => database.drop());
beforeEach(async () => {
  await database.db.query('TRUNCATE custody, audit');
  printed = [];
});

const bound = () => bindDatabase(database.db, custodyFacts(base));
const bucket = async () => (await readCustody(database.db))?.bucket;
const moved = { ...base, store: { ...base.store, bucket: 'new-recordings' } };
const run = (
  config: typeof moved | typeof base,
  flags: { yes?: boolean; json?: boolean } = {},
  confirm?: AdoptDeps['confirm'],
) => adopt({ db: database.db, config, print: (text) => void printed.push(text), confirm }, flags);

test('shows each difference, old and new, asks, writes, and leaves an entry in the audit log', async () => {
  await bound();
  const asked: string[] = [];
  const yes = async (question: string) => asked.push(question) > 0;
  expect(await run(moved, {}, yes)).toBe(true);
  expect(printed).toEqual([
    'bucket: the database is bound to recordings, this environment has new-recordings',
    'The database is now bound to this environment; the audit log has an entry.',
  ]);
  expect(asked).toHaveLength(1);
  expect(await bucket()).toBe('new-recordings');
  expect(
    await database.db.query('SELECT viewer, action, subject_kind, recording_sid, allowed, reason FROM audit'),
  ).toEqual([
    {
      viewer: 'operator',
      action: 'adopt-database',
      subject_kind: 'account',
      recording_sid: base.accountSid,
      allowed: true,
      reason: 'bucket: recordings -> new-recordings',
    },
  ]);
});

test('a no leaves it as it was, and so does nobody who could be asked', async () => {
  await bound();
  expect(await run(moved, {}, async () => false)).toBe(false);
  expect(await run(moved)).toBe(false);
  expect(printed.at(-1)).toContain('add --yes');
  expect(await bucket()).toBe('recordings');
});

test('for programs it is one line, and writes with --yes alone', async () => {
  await bound();
  const differences = [{ what: 'bucket', before: 'recordings', now: 'new-recordings' }];
  expect(await run(moved, { json: true }, async () => true)).toBe(false);
  expect(await run(moved, { json: true, yes: true })).toBe(true);
  expect(await run(moved, { json: true })).toBe(true);
  expect(printed.map((line) => JSON.parse(line))).toEqual([
    { differences, adopted: false },
    { differences, adopted: true },
    { differences: [], adopted: false },
  ]);
});

test('where nothing differs nothing is asked, and a new database is bound', async () => {
  expect(await run(base)).toBe(true);
  expect(printed).toEqual(['The database is bound to this environment.']);
  expect(await bucket()).toBe('recordings');
  expect(await database.db.query('SELECT FROM audit')).toEqual([]);
});

test('a running host is not moved under its feet', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'adopt-'));
  const lock = lockDirectory(directory);
  try {
    const refused = openForAdoption({ directory });
    await expect(refused).rejects.toMatchObject({ code: 'data_dir_locked' });
    await expect(refused).rejects.toThrow(
      `stop every host before the database is bound to other settings; ${directory} is in use by process ${process.pid}`,
    );
  } finally {
    lock.release();
    rmSync(directory, { recursive: true, force: true });
  }
});

describe('callers that earlier releases noted without the name of a secret', () => {
  const callerSecret = Buffer.alloc(32, 5).toString('base64');
  const keyId = callerKeyId(callerSecret);
  const name = (
    flags: { yes?: boolean; json?: boolean } = {},
    confirm?: AdoptDeps['confirm'],
    more: object = { callerSecret },
  ) =>
    nameCallers(
      { db: database.db, config: { ...base, ...more }, print: (text) => void printed.push(text), confirm },
      flags,
    );
  const caller = async () =>
    (await database.db.query<{ caller: string }>('SELECT caller FROM recordings'))[0]?.caller;
  beforeEach(async () => {
    await database.db.query('TRUNCATE recordings CASCADE');
    await database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, caller)
       VALUES ('RE' || repeat('1', 32), $1, 2, now(), 'callback', 'digest')`,
      [base.accountSid],
    );
  });
  afterAll(() => database.db.query('TRUNCATE recordings CASCADE'));

  test("are named by an operator's word, which the audit log has", async () => {
    const asked: string[] = [];
    expect(await name({}, async (question: string) => asked.push(question) > 0)).toBe(true);
    expect(asked).toEqual(['Has CUSTODY_CALLER_SECRET always been the current one? [y/N] ']);
    expect(printed[0]).toContain('1 recordings have a caller whose secret is not named');
    expect(await caller()).toBe(`${keyId}:digest`);
    expect(await database.db.query('SELECT viewer, action, allowed, reason FROM audit')).toEqual([
      {
        viewer: 'operator',
        action: 'adopt-database',
        allowed: true,
        reason: `callers without the name of a secret: ${keyId}`,
      },
    ]);
  });

  test.each<[string, { json?: boolean }, AdoptDeps['confirm']]>([
    ['after a no', {}, async () => false],
    ['where nobody can be asked', {}, undefined],
    ['as JSON without --yes', { json: true }, async () => true],
  ])('stay as they are %s', async (_when, flags, confirm) => {
    expect(await name(flags, confirm)).toBe(false);
    expect(await caller()).toBe('digest');
    expect(await database.db.query('SELECT 1 FROM audit')).toEqual([]);
  });

  test('need a secret', async () => {
    await expect(name({ yes: true }, undefined, {})).rejects.toMatchObject({ code: 'caller_secret_missing' });
  });
});
