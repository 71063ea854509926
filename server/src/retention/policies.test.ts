import type { AccountSid } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createPolicies, differenceFrom, type Policies, summaryOf } from './policies.ts';
import { noPolicy } from './policy.ts';

const account = `AC${'0a'.repeat(16)}` as AccountSid;
const held = 'version: 1\nkeep: {default: 30}\nholds: [{id: a, from: 2026-01-01}, {id: b, from: 2026-01-01}]';
/** As an editor or a deployment leaves it for a moment. */
const half = held.slice(0, held.indexOf(', {id: b')).concat(']');

onEachEngine('policies', (open) => {
  let database: TestDatabase;
  let policies: Policies;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    policies = createPolicies(database.db, account);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE policies'));

  test('none was ever applied: all is kept, and nothing held', async () => {
    expect(await policies.inForce()).toBe(noPolicy);
    expect(await policies.current()).toBeUndefined();
    expect(await policies.anyApplied()).toBe(false);
    expect(await policies.history(10)).toEqual([]);
  });

  test('the newest is in force, of its own account alone, and the others stay on record', async () => {
    await policies.apply(held, 'one');
    await policies.apply('version: 1', 'two');
    await createPolicies(database.db, `AC${'0b'.repeat(16)}` as AccountSid).apply(held, 'stranger');
    expect(await policies.inForce()).toMatchObject({ holds: [] });
    expect(await policies.anyApplied()).toBe(true);
    const history = await policies.history(10);
    expect(history).toMatchObject([
      { body: 'version: 1', appliedBy: 'two', appliedAt: expect.any(Date) },
      { body: held, appliedBy: 'one', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(await policies.current()).toEqual(history[0]);
    expect(await policies.history(1)).toHaveLength(1);
  });

  test('the text that is in force is not applied again', async () => {
    await policies.apply(held, 'one');
    await policies.apply(held, 'two');
    expect(await policies.history(10)).toMatchObject([{ appliedBy: 'one' }]);
  });

  test('what is no policy changes nothing', async () => {
    await policies.apply(held, 'one');
    await expect(policies.apply('version: 2', 'two')).rejects.toMatchObject({ code: 'policy_invalid' });
    expect(await policies.inForce()).toMatchObject({ holds: [{ id: 'a' }, { id: 'b' }] });
  });

  test('one that holds less is refused where that is not meant, with every point', async () => {
    await policies.apply(held, 'one');
    const refused = policies.apply(half.replace('30', '20'), 'two', { unlessWeaker: true });
    await expect(refused).rejects.toMatchObject({
      code: 'policy_weaker',
      message: 'hold b is gone\nall calls: kept for 20 days instead of for 30 days',
    });
    expect(await policies.history(10)).toHaveLength(1);
    await policies.apply(`${held}\n# the same`, 'three', { unlessWeaker: true });
    expect(await policies.history(10)).toHaveLength(2);
  });

  test('one that was compared with another than is in force by now is refused', async () => {
    await policies.apply(held, 'one', { over: null });
    await expect(policies.apply(half, 'two', { over: null })).rejects.toMatchObject({
      code: 'policy_changed',
    });
    const over = (await policies.current())?.id ?? null;
    await policies.apply(half, 'two', { over });
    await expect(policies.apply(held, 'three', { over })).rejects.toMatchObject({ code: 'policy_changed' });
  });

  test('what this release cannot read decides nothing, and may have held anything', async () => {
    await database.db.query(
      'INSERT INTO policies (account_sid, body, digest, applied_by) VALUES ($1, $2, $3, $4)',
      [account, 'version: 2', 'd', 'newer'],
    );
    await expect(policies.inForce()).rejects.toMatchObject({ code: 'policy_invalid' });
    const refused = policies.apply(held, 'two', { unlessWeaker: true });
    await expect(refused).rejects.toMatchObject({ code: 'policy_weaker' });
    const [current] = await policies.history(1);
    expect(current && summaryOf(current)).not.toHaveProperty('says');
    expect(differenceFrom(current, noPolicy).weaker).toHaveLength(1);
    await policies.apply(held, 'two');
    expect(await policies.inForce()).toMatchObject({ holds: [{ id: 'a' }, { id: 'b' }] });
  });

  test('of several that apply at once, each compares itself with the one before', async () => {
    const others = database.another
      ? await Promise.all([database.another(), database.another()])
      : [database.db, database.db];
    try {
      await policies.apply('version: 1', 'first');
      // Each is stronger than the first, and weaker than the other two.
      const all = await Promise.allSettled(
        [...others, database.db].map((db, n) =>
          createPolicies(db, account).apply(
            `version: 1\nholds: [{id: h${n}, from: 2026-01-01}]`,
            `host ${n}`,
            { unlessWeaker: true },
          ),
        ),
      );
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await policies.history(10)).toHaveLength(2);
    } finally {
      for (const other of others) if (other !== database.db) await other.close();
    }
  });
});
