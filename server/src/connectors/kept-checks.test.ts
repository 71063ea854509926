import { CustodyError } from '@flex-custody/core';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { Run } from '../runs/runs.ts';
import { keptChecks } from './kept-checks.ts';
import { runChecks } from './run-checks.ts';

const now = Date.UTC(2026, 10, 30);
const day = 24 * 3_600_000;

onEachEngine('the checks of what the host keeps', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  async function look(since?: Date) {
    const found: Record<string, string> = {};
    for (const { name, look: one } of keptChecks(database.db, 'brevo', since, () => now)) {
      const { level, detail, next } = await one(new AbortController().signal);
      found[name] = [level, detail, next].join('|');
    }
    return found;
  }

  test('a listener that has reported no task is a note, and one that was is named with its time', async () => {
    expect((await look())['plugin-listener']).toMatch(/^note\|has reported no task yet\|.*connector=true/);
    await database.db.query(
      `INSERT INTO connector_notes (connector, name, note, at) VALUES ('brevo', 'listener', '{}', '2026-11-29T10:00:00Z')`,
    );
    expect((await look())['plugin-listener']).toBe('ok|reported a task at 2026-11-29T10:00:00.000Z|');
  });

  test('a beginning before all that is kept is a note that says from when there is something', async () => {
    expect(await look()).not.toHaveProperty('since');
    expect((await look(new Date(now - 40 * day)))['since']).toMatch(
      /^note\|--since is before all that is kept: Twilio's events from 2026-10-31.*inbox is empty.*no sessions/,
    );
    await database.db.query(
      `INSERT INTO contacts (number, id, kind, contact, opened_at) VALUES (1, 'WT1', 'voice', '{}', $1)`,
      [new Date(now - 50 * day)],
    );
    expect((await look(new Date(now - 40 * day)))['since']).toMatch(/^ok\|.*sessions from 2026-10-11/);
  });

  test('the outbox: off, at work, with dead letters, paused', async () => {
    expect((await look())['outbox']).toMatch(/^note\|not switched on yet; 0 pending/);
    await database.db.query(`INSERT INTO marks (account_sid, name, mark) VALUES ('AC1', 'connectors', '{}')`);
    expect((await look())['outbox']).toBe('ok|0 pending, 0 failed, 0 uncertain|');
    await database.db.query(
      `INSERT INTO connector_effects (connector, custody_id, trigger, state, happened_at, due_at)
       VALUES ('brevo', gen_random_uuid(), 'task.created', 'failed', now(), now())`,
    );
    expect((await look())['outbox']).toBe(
      'fix|0 pending, 1 failed, 0 uncertain|flex-custody connector failed',
    );
    await database.db.query(
      `INSERT INTO connector_notes (connector, name, note) VALUES ('brevo', 'paused', '{"reason": "key", "since": 0}')`,
    );
    expect((await look())['outbox']).toMatch(/^fix\|paused since 1970-01-01T00:00:00.000Z \(key\)/);
  });
});

test('a run keeps what each check found; an error is a fault with its next step, and ends no other check', async () => {
  const saved: unknown[] = [];
  const run = {
    ...{ options: {}, state: undefined, counts: {}, signal: new AbortController().signal },
    save: async (state, counts, total) => void saved.push([structuredClone(state), { ...counts }, total]),
  } as Run;
  const fails = async () => {
    throw new CustodyError('audit_unavailable', 'the log is away');
  };
  const breaks = async () => {
    throw new Error('secret in a message');
  };
  await runChecks(
    [
      { name: 'a', look: fails },
      { name: 'b', look: breaks },
      { name: 'c', look: async () => ({ level: 'ok', detail: 'fine', next: '' }) },
    ],
    run,
  );
  expect(saved.at(-1)).toEqual([
    {
      notes: {
        a: 'fix: the log is away → Run `flex-custody doctor --only database`.',
        b: 'fix: it failed unexpectedly → Read the log.',
        c: 'ok: fine',
      },
    },
    { done: 3, problems: 2, notes: 0 },
    3,
  ]);
});
