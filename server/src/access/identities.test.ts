import { asWorkerSid, CustodyError } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createIdentities, keepingIdentities } from './identities.ts';

const ada = asWorkerSid(`WK${'1'.repeat(32)}`)!;
const bob = asWorkerSid(`WK${'2'.repeat(32)}`)!;
const viewer = (workerSid: typeof ada | undefined, identity: string) => ({
  identity,
  roles: [],
  ...(workerSid && { workerSid }),
});

onEachEngine('what IAM stated of workers', (open) => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
  });
  afterAll(() => database.drop());
  beforeEach(() => db.query('DELETE FROM identities'));

  test('an identity is the worker’s for whom it was stated, and no other one’s', async () => {
    const identities = createIdentities(db);
    expect(await identities.about(ada, 'ada')).toBeUndefined();
    await identities.stated(viewer(ada, 'ada'));
    expect(await identities.about(ada, 'ada')).toBe('this-worker');
    expect(await identities.about(bob, 'ada')).toBe('another');
    expect(await identities.about(ada, 'bob')).toBe('another');
    expect(await identities.about(bob, 'bob')).toBeUndefined();
  });

  test('the newest statement holds: a worker with a new identity, an identity with a new worker', async () => {
    const identities = createIdentities(db);
    await identities.stated(viewer(ada, 'ada'));
    await identities.stated(viewer(ada, 'ada.b'));
    expect([await identities.about(ada, 'ada'), await identities.about(ada, 'ada.b')]).toEqual([
      'another',
      'this-worker',
    ]);
    await identities.stated(viewer(bob, 'ada.b'));
    expect(await identities.about(bob, 'ada.b')).toBe('this-worker');
    expect(await identities.about(ada, 'ada.b')).toBe('another');
  });

  test('it is written once an hour, and of users who are no workers not at all', async () => {
    let now = Date.now();
    const query = jest.fn(db.query);
    const identities = createIdentities({ query: query as Db['query'] }, () => now);
    await identities.stated(viewer(undefined, 'admin'));
    for (const _ of [1, 2, 3]) await identities.stated(viewer(ada, 'ada'));
    expect(query).toHaveBeenCalledTimes(1);
    now += 3_600_001;
    await identities.stated(viewer(ada, 'ada'));
    expect(query).toHaveBeenCalledTimes(2);
  });

  test('each token that is good is kept, and a database that is away refuses no token', async () => {
    const identities = createIdentities(db);
    const validate = async (token: string | undefined) => {
      if (token !== 'good') throw new CustodyError('token_refused', 'no');
      return viewer(ada, 'ada');
    };
    const warn = jest.fn();
    const tokens = keepingIdentities({ validate }, identities, { warn });
    await expect(tokens.validate('bad')).rejects.toMatchObject({ code: 'token_refused' });
    expect(await identities.about(ada, 'ada')).toBeUndefined();
    await tokens.validate('good');
    expect(await identities.about(ada, 'ada')).toBe('this-worker');
    const away = { stated: () => Promise.reject(new Error('away')) };
    expect(await keepingIdentities({ validate }, away, { warn }).validate('good')).toMatchObject({
      identity: 'ada',
    });
    expect(warn).toHaveBeenCalledTimes(1);
  });
});
