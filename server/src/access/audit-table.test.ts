import { readFileSync } from 'node:fs';
import type { AccountSid, RecordingSid, WorkerSid } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { type AuditEntry, bearerLink, createAudit, operator } from './audit.ts';

const recording = (sid: string) => ({ kind: 'recording', sid: sid as RecordingSid }) as const;

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
    const entry = { subject: recording('RE1'), allowed: true, reason: 'own-call' };
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
        subject_kind: 'recording',
        recording_sid: 'RE1',
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
      subject: recording('RE1'),
      allowed: false,
      reason: 'no-playing-role',
    } as const;
    await Promise.all(Array.from({ length: 40 }, () => audit.record(refused)));
    await audit.record({ ...refused, viewer: { identity: 'ada', roles: [] } });
    await audit.record({ ...refused, subject: recording('RE2') });
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
    const refused = { subject: recording('RE1'), allowed: false, reason: 'no-playing-role' };
    await audit.record({ ...refused, viewer, action: 'play' });
    const rows = await database.db.query(
      "SELECT times FROM audit WHERE viewer = 'nik' AND recording_sid = 'RE1' AND NOT allowed AND reason = 'no-playing-role' ORDER BY times",
    );
    expect(rows).toEqual([{ times: 1 }, { times: 40 }]);
  });
});

onEachEngine('an audit log of the release before', (open) => {
  let database: TestDatabase;
  const before = migrations.findIndex((one) => one.includes('subject_kind'));
  beforeAll(async () => {
    database = await open();
    await migrate(database.db, migrations.slice(0, before));
  }, 60_000);
  afterAll(() => database.drop());

  /** The query of docs/access.md, which also reads what earlier releases wrote. */
  const query = /```sql\n([\s\S]*?)```/.exec(readFileSync('docs/access.md', 'utf8'))?.[1] ?? '';

  test('keeps its entries as they were, gives the kind of each, and counts a refusal on', async () => {
    const { db } = database;
    await db.query('SELECT pg_sleep(2) WHERE extract(epoch FROM now())::int % 600 > 597');
    const old = ['RE1', 'WR1', 'WT1', 'CA1', 'AC1'];
    await db.query(
      `INSERT INTO audit (viewer, action, recording_sid, allowed, reason, repeats)
       SELECT 'nik', 'play', sid, false, 'no-playing-role', date_bin('10 minutes', now(), 'epoch'::timestamptz)
       FROM unnest($1::text[]) sid`,
      [old],
    );
    await migrate(db);
    const viewer = { identity: 'nik', roles: [] };
    const refused: AuditEntry = {
      ...{ viewer, action: 'play', allowed: false, reason: 'no-playing-role' },
      subject: recording('RE1'),
    };
    await createAudit(db).record(refused);
    await createAudit(db).record({ ...refused, subject: recording('RE2') });
    // An action of a later release, which an SQL check would refuse.
    const later = { viewer: operator, action: 'export_2' as 'play', allowed: true, reason: 'r' };
    await createAudit(db).record({ ...later, subject: { kind: 'account', sid: 'AC1' as AccountSid } });
    const rows = await db.query<{ kind: string; sid: string; times: number }>(query);
    expect(rows.map(({ kind, sid, times }) => [kind, sid, times]).toSorted()).toEqual(
      [
        ['recording', 'RE1', 2],
        ['reservation', 'WR1', 1],
        ['task', 'WT1', 1],
        ['call', 'CA1', 1],
        ['account', 'AC1', 1],
        ['recording', 'RE2', 1],
        ['account', 'AC1', 1],
      ].toSorted(),
    );
    const [kept] = await db.query('SELECT subject_kind FROM audit WHERE recording_sid = $1', ['RE1']);
    expect(kept).toEqual({ subject_kind: null });
  });
});
