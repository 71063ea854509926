import type { AccountSid, TaskSid, WorkspaceSid } from '@flex-custody/core';
import type { TaskRouterEvent } from '@flex-custody/twilio';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import type { Queue } from '../../queue/queue.ts';
import { fakeInbox } from '../../recorder/testing/fake-inbox.ts';
import { readNote } from '../notes.ts';
import { createCompletions, readTask } from './task-complete.ts';

const config = {
  accountSid: `AC${'1'.repeat(32)}` as AccountSid,
  workspaceSid: `WS${'2'.repeat(32)}` as WorkspaceSid,
};
const task = (n: number) => `WT${String(n).repeat(32)}` as TaskSid;
const at = Date.UTC(2026, 10, 24, 12);
const event = (n: number, type: string, of: TaskSid): TaskRouterEvent => ({
  sid: `EV${n.toString(16).padStart(32, '0')}`,
  type,
  at: new Date(at - 60_000 + n),
  description: '',
  resourceSid: type.startsWith('task.') ? of : `WR${'3'.repeat(32)}`,
  resourceType: 'task',
  data: { task_sid: of },
});

function fakeQueue() {
  const sent: unknown[][] = [];
  const send: Queue['send'] = async (job, data, options) => void sent.push([job.name, data, options]);
  return { sent, queue: { send } };
}

describe('the events of a completed task', () => {
  function scene(events: TaskRouterEvent[]) {
    const asked: unknown[] = [];
    const twilio = {
      async taskEventsPage(period: object, url?: string) {
        asked.push(period);
        const from = Number(url ?? 0);
        return {
          events: events.slice(from, from + 2),
          ...(from + 2 < events.length && { next: `${from + 2}` }),
        };
      },
    };
    const inbox = fakeInbox();
    const { queue, sent } = fakeQueue();
    const deps = { twilio, inbox, queue, config, now: () => at };
    const ids = () => inbox.stored.map(({ event: one }) => (one as { id: string }).id);
    const run = (data: { taskSid: TaskSid; again?: true }) =>
      readTask(deps, data, new AbortController().signal);
    return { asked, inbox, sent, ids, run, deps };
  }
  const whole = (of: TaskSid) => [
    event(1, 'task.created', of),
    event(2, 'reservation.accepted', of),
    event(3, 'task.completed', of),
  ];

  test('what the inbox lacks of them is taken in, and once', async () => {
    const { run, ids, inbox, asked, sent } = scene(whole(task(1)));
    await inbox.take([{ id: 'EZ1', type: 'x', data: { sid: event(2, '', task(1)).sid } }], {
      source: 'webhook',
    });
    await run({ taskSid: task(1) });
    await run({ taskSid: task(1) });
    expect(ids()).toEqual(['EZ1', event(1, '', task(1)).sid, event(3, '', task(1)).sid]);
    expect(inbox.stored.at(-1)).toMatchObject({
      source: 'repair',
      event: { type: 'com.twilio.taskrouter.task.completed' },
    });
    expect(asked[0]).toEqual({
      taskSid: task(1),
      since: new Date(at - 30 * 24 * 60 * 60_000),
      until: new Date(at),
    });
    expect(sent).toEqual([]);
  });

  test('a task whose end is not listed yet is read once more', async () => {
    const { run, sent } = scene(whole(task(1)).slice(0, 2));
    await run({ taskSid: task(1) });
    expect(sent).toEqual([
      ['task-complete', { taskSid: task(1), again: true }, { startAfterMs: 300_000, once: 'again' }],
    ]);
    await run({ taskSid: task(1), again: true });
    expect(sent).toHaveLength(1);
  });

  test('of an unknown task there is nothing, and events of another one are not taken', async () => {
    const none = scene([]);
    await none.run({ taskSid: task(1) });
    expect([none.ids(), none.sent]).toEqual([[], []]);
    const other = scene(whole(task(2)));
    await other.run({ taskSid: task(1) });
    expect([other.ids(), other.sent]).toEqual([[], []]);
  });

  test('pages without an end are an error', async () => {
    const { deps } = scene([]);
    const twilio = { taskEventsPage: async () => ({ events: [], next: 'same' }) };
    const read = readTask({ ...deps, twilio }, { taskSid: task(1) }, new AbortController().signal);
    await expect(read).rejects.toMatchObject({ code: 'twilio_answer' });
  });
});

onEachEngine('what says that a task was completed', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  test('its events are read soon, and a note says when each sender was last there, once a minute', async () => {
    const { db } = database;
    const { queue, sent } = fakeQueue();
    let clock = at;
    const query = jest.fn(db.query);
    const completed = createCompletions({
      connector: 'brevo',
      db: { query: query as unknown as typeof db.query },
      queue,
      now: () => clock,
    });
    expect(await readNote(db, 'brevo', 'listener')).toBeUndefined();
    await completed(task(1), 'listener');
    await completed(task(2), 'listener');
    expect(sent).toEqual([
      ['task-complete', { taskSid: task(1) }, { startAfterMs: 15_000 }],
      ['task-complete', { taskSid: task(2) }, { startAfterMs: 15_000 }],
    ]);
    expect(query).toHaveBeenCalledTimes(1);
    const first = await readNote(db, 'brevo', 'listener');
    expect(first).toEqual({ note: {}, at: expect.any(Date) });
    expect(await readNote(db, 'brevo', 'webhook')).toBeUndefined();
    await completed(task(1), 'webhook');
    clock += 60_000;
    await completed(task(1), 'listener');
    expect(query).toHaveBeenCalledTimes(3);
    expect(await readNote(db, 'brevo', 'webhook')).toBeDefined();
    expect((await readNote(db, 'brevo', 'listener'))?.at.getTime()).toBeGreaterThanOrEqual(
      first?.at.getTime() ?? Number.NaN,
    );
  });
});
