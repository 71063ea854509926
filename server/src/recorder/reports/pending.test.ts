import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { createPauses } from '../pauses/pauses.ts';
import { down, sids } from '../testing/live-call.ts';
import { pauseReport, room } from '../testing/room.ts';
import { createPendingReports, retryPending } from './pending.ts';

onEachEngine('reports that wait for IAM', (open) => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
  });
  afterAll(() => database.drop());
  beforeEach(() => db.query('DELETE FROM pauses; DELETE FROM reports; DELETE FROM pending_reports'));

  const waiting = () => db.query<Record<string, unknown>>('SELECT * FROM pending_reports');
  const kept = () => db.query('SELECT id FROM reports');
  const pause = () => createPauses(db).find(sids.conference);
  const keep = async (token = 'ada-token') => {
    const set = room(db);
    const report = pauseReport('paused', Date.now());
    await createPendingReports(set.deps).keep(report, token, 'r1');
    return { ...set, report, retry: (now?: number) => retryPending(set.deps, now) };
  };

  test('one is taken once IAM is back, by the right of its token', async () => {
    const { iam, report, retry } = await keep();
    iam.isAway = true;
    await retry();
    expect([await waiting(), await pause()]).toMatchObject([[{ id: report.id }], undefined]);
    iam.isAway = false;
    await retry();
    expect(await waiting()).toEqual([]);
    expect(await pause()).toMatchObject({ conferenceSid: sids.conference });
    expect(await db.query('SELECT by, worker_sid FROM reports')).toEqual([
      { by: 'function', worker_sid: sids.worker },
    ]);
  });

  test('what IAM refuses then is dropped, and so is what is not the own call of its token', async () => {
    const { iam, retry } = await keep('of-nobody');
    iam.tokens.set('eve-token', { identity: 'eve', roles: ['agent'] });
    await retry();
    expect([await waiting(), await pause()]).toEqual([[], undefined]);
    const other = await keep('eve-token');
    other.iam.tokens.set('eve-token', { identity: 'eve', roles: ['agent'] });
    await other.retry();
    expect([await waiting(), await pause()]).toEqual([[], undefined]);
  });

  test('with Twilio away it waits on, and after twelve hours it is dropped', async () => {
    const { twilio, retry } = await keep();
    twilio.failing = down;
    await retry();
    expect(await waiting()).toHaveLength(1);
    await retry(Date.now() + 13 * 3_600_000);
    expect(await waiting()).toEqual([]);
  });

  test('the token is kept sealed, for its own report and under our secret alone', async () => {
    const { deps, retry } = await keep();
    const [row] = await waiting();
    expect(Buffer.from(row!['token'] as Uint8Array).includes('ada-token')).toBe(false);
    const report = String(row!['report']).replace(sids.conference, `CF${'9'.repeat(32)}`);
    await db.query('UPDATE pending_reports SET report = $1', [report]);
    await retry();
    expect([await waiting(), await kept()]).toEqual([[], []]);
    await createPendingReports({ ...deps, secret: new Uint8Array(32).fill(8) }).keep(
      pauseReport('paused', Date.now()),
      'ada-token',
      'r',
    );
    await retry();
    expect([await waiting(), await kept()]).toEqual([[], []]);
  });

  test('the same one is kept once, and no more than so many', async () => {
    const { deps, report } = await keep();
    const pending = createPendingReports(deps);
    await pending.keep(report, 'ada-token', 'r2');
    expect(await waiting()).toHaveLength(1);
    await db.query(
      `INSERT INTO pending_reports (id, report, token, request_id)
       SELECT gen_random_uuid(), '{}', '', 'r' FROM generate_series(1, 2000)`,
    );
    await expect(pending.keep(pauseReport('paused', Date.now()), 'ada-token', 'r')).rejects.toMatchObject({
      code: 'reports_full',
      status: 503,
      retryable: true,
    });
  });
});
