import type { WorkerSid } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { bearerLink, createAudit } from './audit.ts';

onEachEngine('the audit table', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  test('takes an entry, roles and all, and stamps its time', async () => {
    const workerSid = `WK${'1'.repeat(32)}` as WorkerSid;
    const audit = createAudit(database.db);
    const viewer = { identity: 'ada', workerSid, roles: ['agent', 'wfo.team_leader'] };
    const entry = { recordingSid: 'RE1', allowed: true, reason: 'own-call' };
    await audit.record({ ...entry, viewer, action: 'play', requestId: 'r1' });
    await audit.record({ ...entry, viewer: bearerLink, action: 'segment-link' });
    const rows = await database.db.query('SELECT * FROM audit ORDER BY id');
    expect(rows).toMatchObject([
      {
        at: expect.any(Date),
        viewer: 'ada',
        worker_sid: workerSid,
        roles: viewer.roles,
        action: 'play',
        allowed: true,
      },
      { viewer: 'bearer-link', worker_sid: null, roles: [], action: 'segment-link', request_id: null },
    ]);
  });

  test('counts refusals that repeat in one row, each kind in its own; what is allowed is a row each time', async () => {
    await database.db.query('DELETE FROM audit');
    // Not at the turn of the ten minutes in which they are counted together.
    await database.db.query('SELECT pg_sleep(2) WHERE extract(epoch FROM now())::int % 600 > 597');
    const audit = createAudit(database.db);
    const refused = {
      viewer: { identity: 'nik', roles: [] },
      action: 'play',
      recordingSid: 'RE1',
      allowed: false,
      reason: 'no-playing-role',
    } as const;
    await Promise.all(Array.from({ length: 40 }, () => audit.record(refused)));
    await audit.record({ ...refused, viewer: { identity: 'ada', roles: [] } });
    await audit.record({ ...refused, recordingSid: 'RE2' });
    await audit.record({ ...refused, reason: 'agents-may-not' });
    await audit.record({ ...refused, allowed: true });
    await audit.record({ ...refused, allowed: true });
    const rows = await database.db.query<{ times: number; last_at: Date | null; at: Date }>(
      'SELECT times, at, last_at FROM audit ORDER BY times DESC, id',
    );
    expect(rows.map(({ times }) => times)).toEqual([40, 1, 1, 1, 1, 1]);
    expect(rows[0]?.last_at).toEqual(expect.any(Date));
    expect(rows[1]?.last_at).toBeNull();
  });

  test('begins a new row when ten minutes are over', async () => {
    await database.db.query(
      "UPDATE audit SET at = at - interval '10 minutes', repeats = repeats - interval '10 minutes' WHERE times = 40",
    );
    const audit = createAudit(database.db);
    const viewer = { identity: 'nik', roles: [] };
    const refused = { recordingSid: 'RE1', allowed: false, reason: 'no-playing-role' };
    await audit.record({ ...refused, viewer, action: 'play' });
    const rows = await database.db.query(
      "SELECT times FROM audit WHERE viewer = 'nik' AND recording_sid = 'RE1' AND NOT allowed AND reason = 'no-playing-role' ORDER BY times",
    );
    expect(rows).toEqual([{ times: 1 }, { times: 40 }]);
  });
});
