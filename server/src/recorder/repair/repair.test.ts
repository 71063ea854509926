import { type AccountSid, CustodyError, type WorkspaceSid } from '@flex-custody/core';
import type { TaskEventPage, TaskRouterEvent } from '@flex-custody/twilio';
import { createAlarms } from '../../alarms/alarms.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { createRuns, type Json } from '../../runs/runs.ts';
import { fakeInbox } from '../testing/fake-inbox.ts';
import { asCloudEvent } from './cloud-event.ts';
import { completePeriod, noteComplete, repairedUntil } from './complete.ts';
import { repair } from './repair.ts';
import { type RepairJobDeps, repairNow, runRepair } from './run-jobs.ts';

const accountSid = `AC${'1'.repeat(32)}` as AccountSid;
const workspaceSid = `WS${'2'.repeat(32)}` as WorkspaceSid;
const config = { accountSid, workspaceSid };
const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 10, 24, 12);
const sid = (n: number) => `EV${n.toString(16).padStart(32, '0')}`;
const happened = (n: number, ms: number): TaskRouterEvent => ({
  sid: sid(n),
  type: 'reservation.accepted',
  at: new Date(ms),
  description: 'accepted',
  resourceSid: `WR${'3'.repeat(32)}`,
  resourceType: 'reservation',
  data: { task_sid: `WT${'4'.repeat(32)}`, task_attributes: '{"a":1}' },
});
const iso = (ms: number) => new Date(ms).toISOString();

/** TaskRouter's list, by pages of two, newest first. */
function history(events: TaskRouterEvent[]) {
  const asked: [string, string][] = [];
  let failures: string[] = [];
  return {
    asked,
    fail: (...codes: string[]) => {
      failures = codes;
    },
    async taskEventsPage(period: { since: Date; until: Date }, url?: string): Promise<TaskEventPage> {
      const failure = failures.shift();
      if (failure !== undefined && failure !== '')
        throw new CustodyError(failure as 'twilio_unavailable', 'away');
      if (url === undefined) asked.push([period.since.toISOString(), period.until.toISOString()]);
      const [since, until] = [
        Math.floor(period.since.getTime() / 1_000),
        Math.floor(period.until.getTime() / 1_000),
      ];
      const seconds = (one: TaskRouterEvent) => Math.floor(one.at.getTime() / 1_000);
      const found = events
        .filter((one) => seconds(one) >= since && seconds(one) <= until)
        .sort((a, b) => b.at.getTime() - a.at.getTime());
      const from = Number(url ?? 0);
      const next = from + 2 < found.length ? { next: String(from + 2) } : {};
      return { events: found.slice(from, from + 2), ...next };
    },
  };
}

onEachEngine('gap repair', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE marks, runs, alarms CASCADE'));

  function scene(events: TaskRouterEvent[], clock = { at: start + 5 * minute }) {
    const twilio = history(events);
    const inbox = fakeInbox();
    const { db } = database;
    const warned: object[] = [];
    const deps: RepairJobDeps = {
      twilio: { ...twilio, account: async () => undefined },
      inbox,
      config,
      catalog: createCatalog(db, accountSid),
      alarms: createAlarms(db),
      runs: createRuns(db),
      log: { warn: (fields) => void warned.push(fields) },
      now: async () => clock.at,
      pauseMs: 0,
      repairMinutes: 15,
    };
    const run = (options: Json, how = {}) =>
      deps.runs.run('repair', options, (one) => repair(deps, one), undefined, how);
    const sids = () =>
      inbox.stored
        .map(({ event }) => (typeof event === 'string' ? JSON.parse(event) : event) as { id: string })
        .map(({ id }) => id)
        .sort();
    return { deps, twilio, inbox, run, sids, clock, warned };
  }
  const now = new AbortController().signal;

  test('takes in what is missing, and nothing of what the inbox has, by its SID or by what it is', async () => {
    const events = Array.from({ length: 7 }, (_, n) => happened(n, start - n * 20 * minute));
    const { inbox, run, sids } = scene(events);
    await inbox.take(
      [
        { id: 'EZ1', type: 'x', data: { sid: sid(2) } },
        JSON.stringify({ id: 'EZ2', type: 'x', data: JSON.stringify({ sid: sid(4) }) }),
      ],
      { source: 'webhook' },
    );
    const { counts } = await run({ since: iso(start - 3 * hour) });
    expect(sids()).toEqual(['EZ1', 'EZ2', ...[0, 1, 3, 5, 6].map(sid)].sort());
    expect(counts).toMatchObject({ events: 7, missing: 5, known: 2, set_aside: 0 });
    expect(inbox.stored.at(-1)?.source).toBe('repair');
    expect(await run({ since: iso(start - 3 * hour) })).toMatchObject({ counts: { missing: 0, known: 7 } });
  });

  test('a dry run takes in nothing and confirms nothing', async () => {
    const { deps, inbox, run } = scene([happened(1, start)]);
    const { counts } = await run({ since: iso(start - hour), dryRun: true });
    expect(counts).toMatchObject({ missing: 1, known: 0 });
    expect(inbox.stored).toEqual([]);
    expect(await repairedUntil(deps.catalog)).toBeUndefined();
  });

  test('a broken-off run continues after the last hour that it finished', async () => {
    const events = Array.from({ length: 5 }, (_, n) => happened(n, start - n * hour - minute));
    const { twilio, run, sids } = scene(events);
    const options = { since: iso(start - 5 * hour) };
    twilio.fail('', '', 'twilio_refused');
    await expect(run(options)).rejects.toMatchObject({ code: 'twilio_refused' });
    const before = twilio.asked.length;
    expect(sids()).toEqual([sid(3), sid(4)]);
    const { counts } = await run(options);
    expect(sids()).toHaveLength(5);
    expect(twilio.asked[before]?.[0]).toBe(iso(start - 3 * hour));
    expect(counts).toMatchObject({ events: 5, missing: 5 });
  });

  test('a page that Twilio cannot give now is asked for again, a few times', async () => {
    const { twilio, run, warned } = scene([happened(1, start)]);
    const away = 'twilio_unavailable';
    twilio.fail(away, away, '');
    expect(await run({ since: iso(start - minute) })).toMatchObject({ counts: { missing: 1 } });
    expect(warned).toHaveLength(2);
    twilio.fail(...Array(6).fill(away));
    await expect(run({ since: iso(start - minute) }, { anew: true })).rejects.toMatchObject({ code: away });
  });

  test('pages without an end are an error', async () => {
    const { deps } = scene([]);
    const page = { events: [], next: 'same' };
    const endless = { ...deps, twilio: { ...deps.twilio, taskEventsPage: async () => page } };
    const run = deps.runs.run('repair', { since: iso(start - minute) }, (one) => repair(endless, one));
    await expect(run).rejects.toMatchObject({ code: 'twilio_answer' });
  });

  test('no more than 30 days, and the run says so; the last minute is not compared yet', async () => {
    const { deps, twilio, run } = scene([]);
    const { notes } = await run({ since: iso(start - 40 * 24 * hour) });
    const first = iso(start + 5 * minute - 30 * 24 * hour);
    expect(notes?.['since']).toContain(first);
    expect(twilio.asked[0]?.[0]).toBe(first);
    expect(twilio.asked.at(-1)?.[1]).toBe(iso(start + 4 * minute));
    expect(await completePeriod(deps.catalog)).toEqual({
      from: new Date(first),
      until: new Date(start + 4 * minute),
    });
  });

  test('what is confirmed grows only by periods that meet it', async () => {
    const { catalog } = scene([]).deps;
    const period = (from: number, until: number) => ({
      from: new Date(start + from * hour),
      until: new Date(start + until * hour),
    });
    expect(await repairedUntil(catalog)).toBeUndefined();
    await noteComplete(catalog, period(0, 2));
    await noteComplete(catalog, period(3, 4));
    expect(await completePeriod(catalog)).toEqual(period(0, 2));
    await noteComplete(catalog, period(-2, -1));
    expect(await completePeriod(catalog)).toEqual(period(0, 2));
    await noteComplete(catalog, period(1, 3));
    await noteComplete(catalog, period(-1, 0));
    await noteComplete(catalog, period(0, 1));
    expect(await completePeriod(catalog)).toEqual(period(-1, 3));
    await noteComplete(catalog, period(5, 6), { instead: true });
    expect(await repairedUntil(catalog)).toEqual(period(5, 6).until);
  });

  test('the schedule looks back a day at first, and then overlaps a little', async () => {
    const late = happened(9, start - 2 * minute);
    const events = [happened(1, start - 23 * hour)];
    const { deps, twilio, clock, sids } = scene(events);
    await repairNow(deps, now);
    expect(twilio.asked[0]?.[0]).toBe(iso(clock.at - 24 * hour));
    expect(await repairedUntil(deps.catalog)).toEqual(new Date(clock.at - minute));
    // Listed after its time had been compared.
    events.push(late);
    twilio.asked.length = 0;
    const until = clock.at - minute;
    clock.at += 15 * minute;
    await repairNow(deps, now);
    expect(twilio.asked).toEqual([[iso(until - 10 * minute), iso(clock.at - minute)]]);
    expect(sids()).toEqual([sid(1), sid(9)]);
  });

  test.each([
    ['ahead', 5 * hour],
    ['behind', -5 * hour],
  ])(
    'a clock of the host that is %s for a while confirms nothing that is to come, and leaves no gap',
    async (_, apart) => {
      const at = Date.now();
      const { deps, sids } = scene([happened(1, at - 2 * minute)]);
      const wrong = jest.spyOn(Date, 'now').mockImplementation(() => at + apart);
      // As Twilio's answer says it to a host whose clock is so.
      const account = async () => ({ friendlyName: '', status: 'active', aheadMs: -apart });
      const { now: _fixed, ...others } = deps;
      try {
        await repairNow({ ...others, twilio: { ...deps.twilio, account } }, now);
      } finally {
        wrong.mockRestore();
      }
      const until = await repairedUntil(deps.catalog);
      expect(until?.getTime()).toBeLessThanOrEqual(at - minute + Math.min(0, apart) + minute / 2);
      await repairNow({ ...deps, now: async () => at }, now);
      expect(await repairedUntil(deps.catalog)).toEqual(new Date(at - minute));
      expect(sids()).toEqual([sid(1)]);
    },
  );

  test('the schedule continues its own broken-off run, and closes the gap of a long pause', async () => {
    const { deps, twilio, clock } = scene([]);
    await repairNow(deps, now);
    const until = clock.at - minute;
    clock.at += 5 * hour;
    twilio.fail('', '', 'twilio_refused');
    await expect(repairNow(deps, now)).rejects.toMatchObject({ code: 'twilio_refused' });
    expect(await repairedUntil(deps.catalog)).toEqual(new Date(until - 10 * minute + 2 * hour));
    await repairNow(deps, now);
    expect((await completePeriod(deps.catalog))?.from).toEqual(new Date(start + 5 * minute - 24 * hour));
    expect(await repairedUntil(deps.catalog)).toEqual(new Date(clock.at - minute));
    clock.at += 40 * 24 * hour;
    await repairNow(deps, now);
    expect(await completePeriod(deps.catalog)).toEqual({
      from: new Date(clock.at - 30 * 24 * hour),
      until: new Date(clock.at - minute),
    });
  });

  test('a worker repairs on a schedule, unless that is off or no stream reaches the host', async () => {
    const { deps } = scene([]);
    let isFollowed = false;
    const jobOf = (given: RepairJobDeps) => runRepair({ ...given, isFollowed: async () => isFollowed })[0];
    expect(jobOf(deps)?.everySeconds).toBe(900);
    expect(jobOf({ ...deps, repairMinutes: 0 })?.everySeconds).toBeUndefined();
    await deps.alarms.raise('repair_failed', undefined, 'twilio_unavailable');
    await jobOf(deps)?.run({}, { attempt: 1, signal: now });
    expect(await createAlarms(database.db).list({ open: true })).toHaveLength(1);
    isFollowed = true;
    await jobOf(deps)?.run({}, { attempt: 1, signal: now });
    expect(await createAlarms(database.db).list({ open: true })).toEqual([]);
  });
});

test('an event of the Events API in the form of the stream’s', () => {
  expect(asCloudEvent(happened(1, start + 7), config)).toEqual({
    specversion: '1.0',
    type: 'com.twilio.taskrouter.reservation.accepted',
    source: `/v1/Workspaces/${workspaceSid}/Events/${sid(1)}`,
    id: sid(1),
    dataschema: 'https://events-schemas.twilio.com/TaskRouter.WDSEvent/4',
    datacontenttype: 'application/json',
    time: '2026-11-24T12:00:00.007Z',
    data: expect.objectContaining({
      sid: sid(1),
      group: 'reservation',
      account_sid: accountSid,
      payload: expect.objectContaining({
        eventtype: 'reservation.accepted',
        resource_sid: `WR${'3'.repeat(32)}`,
        timestamp_ms: String(start + 7),
        task_attributes: '{"a":1}',
      }),
    }),
  });
  const named = (type: string) => asCloudEvent({ ...happened(1, start), type }, config).type;
  expect(named('worker.activity')).toBe('com.twilio.taskrouter.worker.activity.update');
  expect(named('task-queue.expression.updated')).toBe('com.twilio.taskrouter.task-queue.expression-updated');
});
