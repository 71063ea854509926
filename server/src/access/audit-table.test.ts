import type { WorkerSid } from '@flex-custody/core';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { migrate } from '../db.ts';
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
});
