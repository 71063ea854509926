import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSid } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createPolicies, type Policies } from '../retention/policies.ts';
import { applyAtStart, readStartPolicy, type StartPolicy } from './policy.ts';

const account = `AC${'0a'.repeat(16)}` as AccountSid;
const folder = mkdtempSync(join(tmpdir(), 'start-policy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'policy.yaml');
const held = 'version: 1\nholds: [{id: a, from: 2026-01-01}, {id: b, callers: ["+4930123456"]}]';
const half = held.slice(0, held.indexOf('holds'));
const by = `start of ${hostname()}`;
const log = { info: jest.fn() };

onEachEngine('the policy file at a start', (open) => {
  let database: TestDatabase;
  let policies: Policies;
  const start = async (text: string, of = policies) => {
    writeFileSync(file, text);
    const policy = readStartPolicy(file);
    if (policy) await applyAtStart(of, policy, log);
  };
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    policies = createPolicies(database.db, account);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE policies'));

  test('the first one ever is applied, whatever it says', async () => {
    await start('version: 1\nkeep: {default: 30}');
    expect(await policies.history(9)).toMatchObject([{ appliedBy: by, body: expect.stringContaining('30') }]);
  });

  test('the same again changes nothing, a stronger one is applied', async () => {
    await start(held);
    log.info.mockClear();
    await start(held);
    expect(await policies.history(9)).toHaveLength(1);
    expect(log.info).not.toHaveBeenCalled();
    await start(`${held}\n# another word`);
    expect(await policies.history(9)).toHaveLength(2);
    expect(log.info).toHaveBeenCalledTimes(1);
  });

  test('a half-written one is refused: with what it loses, what to type, and no number', async () => {
    await start(held);
    const refused = start(half);
    await expect(refused).rejects.toMatchObject({ code: 'policy_weaker' });
    await expect(refused).rejects.toThrow(/hold a is gone\n {2}hold b is gone\n/);
    await expect(refused).rejects.toThrow(`flex-custody policy apply ${file} --yes`);
    await expect(refused).rejects.not.toThrow('4930123456');
    expect(await policies.inForce()).toMatchObject({ holds: [{ id: 'a' }, { id: 'b' }] });
    expect(await policies.history(9)).toHaveLength(1);
  });

  test('two hosts whose files differ, at once, for the first time: one is the first, the other compares itself', async () => {
    const other = await database.another?.();
    try {
      const [full, less] = [held, half].map((text) => ({ file, text })) as [StartPolicy, StartPolicy];
      const hosts = [policies, createPolicies(other ?? database.db, account)] as const;
      const ends = await Promise.allSettled([
        applyAtStart(hosts[0], full, log),
        applyAtStart(hosts[1], less, log),
      ]);
      // The weaker one may have been first; it is never last.
      expect((await policies.inForce()).holds).toHaveLength(2);
      expect(ends[0]).toMatchObject({ status: 'fulfilled' });
    } finally {
      await other?.close();
    }
  });
});

test('no file is no policy; one that cannot be read, or is none, is refused', () => {
  expect(readStartPolicy(undefined)).toBeUndefined();
  expect(() => readStartPolicy(join(folder, 'nowhere'))).toThrow('is not there');
  writeFileSync(file, 'version: 2');
  expect(() => readStartPolicy(file)).toThrow('needs the newer release');
});
