import { generateKeyPairSync } from 'node:crypto';
import type { AccountSid } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { adoptDatabase, bindDatabase, differencesFrom, readCustody } from './bind.ts';
import { type CustodyConfig, type CustodyFacts, custodyFacts } from './facts.ts';

const AC = (digit: string) => `AC${digit.repeat(32)}` as AccountSid;
const facts: CustodyFacts = {
  accountSid: AC('a'),
  bucket: 'recordings',
  storageMode: 'envelope',
  signingKeys: ['sign-1'],
  callerSecret: 'c1',
  recordingKeys: ['2026-01:f1', '2025-01:f0'],
};
const { callerSecret: _, ...withoutCallerSecret } = facts;

onEachEngine('the binding of a database', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE recordings, custody, audit CASCADE'));

  const bind = (change: Partial<CustodyFacts> = {}) => bindDatabase(database.db, { ...facts, ...change });
  const row = (account: AccountSid) =>
    database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source)
       VALUES ('RE' || repeat('1', 32), $1, 2, now(), 'callback')`,
      [account],
    );

  test('the first start writes it, and the same again is content', async () => {
    expect(await readCustody(database.db)).toBeUndefined();
    await bind();
    await bind();
    expect(await readCustody(database.db)).toEqual(facts);
  });

  test.each([
    ['account', { accountSid: AC('b') }, [AC('a'), AC('b'), 'TWILIO_ACCOUNT_SID']],
    ['bucket', { bucket: 'other' }, ['recordings', 'other', 'CUSTODY_BUCKET']],
    [
      'storage mode',
      { storageMode: 'sse-kms', recordingKeys: [] },
      ['envelope', 'sse-kms', 'CUSTODY_STORAGE_MODE'],
    ],
    ['signing keys', { signingKeys: ['sign-2'] }, ['sign-1', 'sign-2', 'CUSTODY_SIGNING_KEY_FILE']],
    ['caller secret', { callerSecret: 'c2' }, ['c1', 'c2', 'CUSTODY_CALLER_SECRET']],
    ['recording keys', { recordingKeys: ['2026-11:f9'] }, ['2026-01:f1', '2026-11:f9', 'CUSTODY_KEY_FILE']],
    [
      'recording keys',
      { recordingKeys: ['2026-01:f1', '2025-01:f9'] },
      ['2025-01:f0', '2025-01:f9', 'CUSTODY_KEY_FILE'],
    ],
    ['recording keys', { recordingKeys: [] }, ['2026-01:f1', 'none', 'CUSTODY_KEY_FILE']],
  ] as const)('another %s is refused, with both and what to do: %j', async (what, change, words) => {
    await bind();
    const refused = bind(change);
    await expect(refused).rejects.toMatchObject({ code: 'custody_differs' });
    const message = await refused.catch((error: Error) => error.message);
    const [line = '', ...others] = String(message).split('\n');
    expect(line.startsWith(`${what}: `)).toBe(true);
    for (const word of words) expect(line).toContain(word);
    expect(others).toEqual([expect.stringContaining('flex-custody adopt-database')]);
    expect(await readCustody(database.db)).toEqual(facts);
  });

  test('a caller secret that is missing is refused where there was one', async () => {
    await bind();
    await expect(bindDatabase(database.db, withoutCallerSecret)).rejects.toThrow(/caller secret: .*c1.*none/);
  });

  test('a caller secret may come later, and is held to from then on', async () => {
    await bindDatabase(database.db, withoutCallerSecret);
    await bind();
    await expect(bindDatabase(database.db, withoutCallerSecret)).rejects.toThrow('caller secret');
  });

  test('each difference has a line of its own', async () => {
    await bind();
    const message = await bind({ bucket: 'other', callerSecret: 'c2' }).catch(
      (error: Error) => error.message,
    );
    expect(String(message).split('\n')).toHaveLength(3);
  });

  test('a key that came is added; a known one alone is enough; one that was added is known', async () => {
    await bind();
    await bind({ recordingKeys: ['2026-11:f2', '2026-01:f1'], signingKeys: ['sign-2', 'sign-1'] });
    expect(await readCustody(database.db)).toEqual({
      ...facts,
      recordingKeys: ['2026-01:f1', '2025-01:f0', '2026-11:f2'],
      signingKeys: ['sign-1', 'sign-2'],
    });
    await bind({ recordingKeys: ['2025-01:f0'] });
    await bind({ recordingKeys: ['2026-11:f2'], signingKeys: ['sign-2'] });
  });

  test('without signing keys to compare none are compared, and those that come are kept', async () => {
    const { signingKeys: _keys, ...unsigned } = facts;
    await bindDatabase(database.db, unsigned);
    await bind();
    await bindDatabase(database.db, unsigned);
    await expect(bind({ signingKeys: ['sign-2'] })).rejects.toThrow('signing keys');
  });

  test('of two first starts one writes, and both are held to it', async () => {
    const second = (await database.another?.()) ?? database.db;
    try {
      const [one, two] = await Promise.allSettled([
        bindDatabase(database.db, facts),
        bindDatabase(second, { ...facts, accountSid: AC('b') }),
      ]);
      expect([one.status, two.status].sort()).toEqual(['fulfilled', 'rejected']);
      const won = one.status === 'fulfilled' ? AC('a') : AC('b');
      expect(await readCustody(database.db)).toEqual({ ...facts, accountSid: won });
      await Promise.all([1, 2, 3].map(() => bindDatabase(second, { ...facts, accountSid: won })));
    } finally {
      if (second !== database.db) await second.close();
    }
  });

  test('two processes that each bring a key leave both in the row', async () => {
    await bind();
    const second = (await database.another?.()) ?? database.db;
    try {
      const known = facts.recordingKeys;
      await Promise.all([
        bindDatabase(database.db, { ...facts, recordingKeys: ['new-1:a', ...known] }),
        bindDatabase(second, { ...facts, recordingKeys: ['new-2:b', ...known] }),
      ]);
      expect((await readCustody(database.db))?.recordingKeys.toSorted()).toEqual(
        ['new-1:a', 'new-2:b', ...known].toSorted(),
      );
    } finally {
      if (second !== database.db) await second.close();
    }
  });

  test("a database of before is bound where its recordings are this account's", async () => {
    await row(AC('a'));
    await bind();
    expect(await readCustody(database.db)).toEqual(facts);
  });

  test("a database of before that holds another account's recordings is refused", async () => {
    await row(AC('b'));
    const refused = bind();
    await expect(refused).rejects.toMatchObject({ code: 'custody_differs' });
    await expect(refused).rejects.toThrow(
      `is bound to ${AC('b')}, whose recordings it holds, this environment has ${AC('a')}`,
    );
    expect(await readCustody(database.db)).toBeUndefined();
  });

  describe('adoption', () => {
    const record = jest.fn(async () => undefined);
    beforeEach(() => record.mockClear());

    test('replaces what differs, keeps what does not, and is recorded', async () => {
      await bind();
      const moved: CustodyFacts = { ...facts, bucket: 'other', recordingKeys: ['2026-11:f9'] };
      const found = await differencesFrom(database.db, moved);
      expect(found).toEqual([
        { what: 'bucket', before: 'recordings', now: 'other' },
        { what: 'recording keys', before: '2026-01:f1, 2025-01:f0', now: '2026-11:f9' },
      ]);
      await adoptDatabase(database.db, moved, found, record);
      expect(await readCustody(database.db)).toEqual(moved);
      expect(record).toHaveBeenCalledTimes(1);
      await bindDatabase(database.db, moved);
      await expect(bind()).rejects.toMatchObject({ code: 'custody_differs' });
    });

    test('of another caller secret, or of none', async () => {
      await bind();
      for (const now of [{ ...facts, callerSecret: 'c2' }, withoutCallerSecret]) {
        await adoptDatabase(database.db, now, await differencesFrom(database.db, now), record);
        expect(await readCustody(database.db)).toEqual(now);
      }
    });

    test('of a database of before with the rows of another account', async () => {
      await row(AC('b'));
      const found = await differencesFrom(database.db, facts);
      expect(found).toMatchObject([
        { what: 'account', before: expect.stringContaining(AC('b')), now: AC('a') },
      ]);
      await adoptDatabase(database.db, facts, found, record);
      await bind();
    });

    test('what was shown and is not so any more is not written', async () => {
      await bind();
      const moved = { ...facts, bucket: 'other' };
      const found = await differencesFrom(database.db, moved);
      await database.db.query(`UPDATE custody SET account_sid = $1`, [AC('c')]);
      const late = adoptDatabase(database.db, moved, found, record);
      await expect(late).rejects.toMatchObject({ code: 'custody_changed' });
      expect((await readCustody(database.db))?.bucket).toBe('recordings');
    });

    test('what cannot be recorded is not done', async () => {
      await bind();
      const moved = { ...facts, bucket: 'other' };
      record.mockRejectedValueOnce(new Error('no room'));
      const found = await differencesFrom(database.db, moved);
      await expect(adoptDatabase(database.db, moved, found, record)).rejects.toThrow('no room');
      expect((await readCustody(database.db))?.bucket).toBe('recordings');
    });
  });
});

onEachEngine('a database of the release before', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.drop());

  test('is brought up to date with its rows, and bound by its first start', async () => {
    const { db } = database;
    const before = migrations.findIndex((one) => one.includes('CREATE TABLE custody'));
    await migrate(db, migrations.slice(0, before));
    await db.query(
      `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source)
       VALUES ('RE' || repeat('1', 32), $1, 2, now(), 'callback')`,
      [facts.accountSid],
    );
    await db.query(
      `INSERT INTO audit (viewer, action, recording_sid, allowed, reason) VALUES ('ada', 'play', 'RE1', true, 'x')`,
    );
    await migrate(db);
    await bindDatabase(db, facts);
    expect(await readCustody(db)).toEqual(facts);
    expect(await db.query('SELECT action FROM audit')).toEqual([{ action: 'play' }]);
    await expect(bindDatabase(db, { ...facts, accountSid: AC('b') })).rejects.toThrow('account: ');
  });
});

describe('the facts of an environment', () => {
  const raw = (fill: number) => new Uint8Array(32).fill(fill);
  const config: CustodyConfig = {
    accountSid: AC('a'),
    store: { bucket: 'recordings', region: 'eu-central-1', mode: 'envelope' },
    keyConfig: { kind: 'raw-aes', keys: [{ keyId: 'k1', key: raw(1) }] },
    callerSecret: Buffer.from(raw(2)).toString('base64'),
  };
  const pem = () =>
    generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();

  test('hold no secret, and are the same at each start', () => {
    const found = custodyFacts(config, ['s1']);
    expect(custodyFacts(config, ['s1'])).toEqual(found);
    expect(found).toMatchObject({ accountSid: AC('a'), bucket: 'recordings', storageMode: 'envelope' });
    expect(found.callerSecret).toMatch(/^[0-9a-f]{16}$/);
    expect(found.recordingKeys).toEqual([expect.stringMatching(/^k1:[0-9a-f]{16}$/)]);
    const text = JSON.stringify(found);
    for (const secret of [raw(1), raw(2)])
      for (const encoding of ['hex', 'base64'] as const)
        expect(text).not.toContain(Buffer.from(secret).toString(encoding).slice(0, 16));
  });

  test('tell a key by its id and by itself', () => {
    const keyOf = (keyId: string, fill: number) =>
      custodyFacts({ ...config, keyConfig: { kind: 'raw-aes', keys: [{ keyId, key: raw(fill) }] } })
        .recordingKeys;
    expect(new Set([...keyOf('k1', 1), ...keyOf('k1', 3), ...keyOf('k2', 1)]).size).toBe(3);
  });

  test.each([
    ['a private key by its public half', 'rsa', 1],
    ['keys of a KMS by their ARNs', 'kms', 2],
  ] as const)('name %s', (_name, kind, count) => {
    const keyConfig =
      kind === 'rsa'
        ? { kind, keys: [{ keyId: 'k', privateKeyPem: pem() }] }
        : { kind, keyIds: ['arn:aws:kms:eu-central-1:1:key/1', 'arn:aws:kms:eu-central-1:1:key/2'] };
    const found = custodyFacts({ ...config, keyConfig }).recordingKeys;
    expect(found).toHaveLength(count);
    expect(found[0]).toMatch(kind === 'rsa' ? /^k:[0-9a-f]{16}$/ : /^arn:/);
  });

  test('of a bucket that S3 seals have no keys', () => {
    const { keyConfig: _keys, ...others } = config;
    expect(custodyFacts({ ...others, store: { ...config.store, mode: 'sse-kms' } }).recordingKeys).toEqual(
      [],
    );
  });
});
