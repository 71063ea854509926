import { CustodyError, type RecordingSid } from '@flex-custody/core';
import type { Db } from '../../../db/db.ts';
import { FakeTwilio } from '../../testing/fake-twilio.ts';
import { house, sharedDatabase } from '../../testing/house.ts';
import { recorded, scene, sids } from '../../testing/scene.ts';
import { lookAtTwilio, mostUnderway } from './recent.ts';

const hour = 3_600_000;
const minute = 60_000;
const shared = sharedDatabase();
beforeEach(() => shared.db.query('TRUNCATE runs'));

/** A host whose database says that it is `now`, and whose looks are a schedule's. */
async function open(now = new Date()) {
  const twilio = scene();
  const host = await house(twilio, shared.db);
  const asked: { since: Date; until?: Date; url: string | undefined }[] = [];
  const page = twilio.recordingsPage;
  twilio.recordingsPage = async (window, url) => {
    asked.push({ ...window, url });
    return page(window, url);
  };
  const clock = { now };
  host.deps.catalog = { ...host.catalog, now: async () => clock.now };
  const look = async () => {
    asked.length = 0;
    twilio.asked.length = 0;
    return (await host.deps.runs.run('recent', {}, (run) => lookAtTwilio(host.deps, run))).counts;
  };
  const ago = (ms: number) => new Date(clock.now.getTime() - ms);
  const later = (ms: number) => {
    clock.now = new Date(clock.now.getTime() + ms);
  };
  const looked = () => host.catalog.mark('twilio-looked');
  return { twilio, ...host, ago, asked, clock, later, look, looked };
}

test('the first look reaches as far back as the setting says', async () => {
  const host = await open();
  await host.look();
  expect(host.asked).toEqual([{ since: host.ago(48 * hour), url: undefined }]);
  expect(await host.looked()).toEqual({ at: host.clock.now.toISOString(), underway: [] });
});

test.each([1, 100])('a look after %i hours begins two hours before the last one began', async (hoursAway) => {
  const host = await open();
  await host.look();
  const first = host.clock.now;
  host.later(hoursAway * hour);
  await host.look();
  expect(host.asked.map(({ since }) => since)).toEqual([new Date(first.getTime() - 2 * hour)]);
  expect((await host.looked())?.['at']).toBe(host.clock.now.toISOString());
});

test('a look that fails is not noted: the next one reaches as far back', async () => {
  const host = await open();
  await host.look();
  const first = host.clock.now;
  host.later(hour);
  host.twilio.failing.set('recordingsPage', new CustodyError('twilio_unauthorized', 'no'));
  await expect(host.look()).rejects.toMatchObject({ code: 'twilio_unauthorized' });
  host.twilio.failing.clear();
  await shared.db.query(`UPDATE runs SET saved_at = saved_at - interval '7 hours'`);
  host.later(7 * hour);
  await host.look();
  expect(host.asked.map(({ since }) => since)).toEqual([new Date(first.getTime() - 2 * hour)]);
});

test.each([
  ['of a time to come, as a wrong clock wrote it', (now: Date) => new Date(now.getTime() + 999 * hour), 2],
  ['that is no time', () => 'soon', 48],
])('a note %s leaves nothing out', async (_what, at, hours) => {
  const host = await open();
  await host.catalog.setMark('twilio-looked', { at: at(host.clock.now), underway: 'none' });
  await host.look();
  expect(host.asked.map(({ since }) => since)).toEqual([host.ago(hours * hour)]);
});

test('a look that broke off continues hours later with its own window, where it stopped', async () => {
  const host = await open(new Date(Date.now() - 10 * hour));
  for (const n of [1, 2, 3, 4, 5]) recorded(host.twilio, n, { startedAt: host.ago(n * hour) });
  const begun = host.clock.now;
  const listed = host.twilio.recordingsPage;
  const refused = new CustodyError('twilio_answer', 'no such page');
  host.twilio.recordingsPage = async (window, url) => {
    if (url === '2') throw refused;
    return listed(window, url);
  };
  await expect(host.look()).rejects.toBe(refused);
  // Whatever comes meanwhile is the next look's.
  host.later(5 * hour);
  recorded(host.twilio, 6, { startedAt: host.ago(hour) });
  await shared.db.query(`UPDATE runs SET saved_at = saved_at - interval '5 hours'`);
  const urls: unknown[] = [];
  host.twilio.recordingsPage = async (window, url) => {
    urls.push(url);
    if (url === '4') throw new Error('the page of the first run');
    return listed(window, url);
  };
  expect(await host.look()).toMatchObject({ seen: 6, known: 1, ingested: 5 });
  const since = new Date(begun.getTime() - 48 * hour);
  const until = new Date(begun.getTime() - 2 * hour + 1_000);
  expect(host.asked).toEqual([
    { since, until, url: undefined },
    { since, until, url: '2' },
  ]);
  expect((await host.looked())?.['at']).toBe(begun.toISOString());
  host.twilio.recordingsPage = listed;
  expect(await host.look()).toMatchObject({ ingested: 1 });
});

describe('a call that lasts longer than the next look reaches back', () => {
  const long = { status: 'processing' as const };
  const isOver = { status: 'completed' as const, durationSeconds: 60 };

  test('is remembered, asked for by itself at each look, and taken in when it is over', async () => {
    const host = await open();
    const callback = recorded(host.twilio, 1, { ...long, startedAt: host.ago(3 * hour) });
    recorded(host.twilio, 2, { ...long, startedAt: host.ago(hour) });
    const [one, two] = [sids.recording(1), sids.recording(2)];
    expect(await host.look()).toMatchObject({ underway: 2 });
    expect((await host.looked())?.['underway']).toEqual([one]);
    host.later(hour);
    expect(await host.look()).toMatchObject({ underway: 2 });
    // The list had the second one still; the next one will not.
    expect(new Set((await host.looked())?.['underway'] as RecordingSid[])).toEqual(new Set([one, two]));
    host.later(hour);
    recorded(host.twilio, 1, { ...isOver, startedAt: host.ago(5 * hour) });
    expect(await host.look()).toMatchObject({ underway: 1, missed: 1, ingested: 1 });
    expect(host.asked.every(({ since }) => since > host.ago(5 * hour))).toBe(true);
    expect((await host.looked())?.['underway']).toEqual([two]);
    expect(await host.catalog.find(one)).toMatchObject({ state: 'registered', source: 'reconcile' });
    expect(callback.recordingSid).toBe(one);
  });

  test('and of which the callback has come is not asked for', async () => {
    const host = await open();
    recorded(host.twilio, 1, { ...long, startedAt: host.ago(3 * hour) });
    await host.look();
    await host.ingest.receive(recorded(host.twilio, 1, { ...isOver, startedAt: host.ago(3 * hour) }));
    host.later(hour);
    await host.look();
    expect(host.twilio.asked).toEqual(['recordingsPage']);
    expect((await host.looked())?.['underway']).toEqual([]);
  });

  test('and has only just ended is left to its callback once more', async () => {
    const host = await open();
    const startedAt = host.ago(3 * hour);
    recorded(host.twilio, 1, { startedAt, durationSeconds: (3 * hour - 5 * minute) / 1_000 });
    expect(await host.look()).toMatchObject({ underway: 1 });
    expect((await host.looked())?.['underway']).toEqual([sids.recording(1)]);
  });

  test('and that Twilio knows no more, or that is of another account, is forgotten', async () => {
    const host = await open();
    for (const n of [1, 2]) recorded(host.twilio, n, { ...long, startedAt: host.ago(3 * hour) });
    await host.look();
    host.twilio.recordings.delete(sids.recording(1));
    recorded(host.twilio, 2, { ...isOver, accountSid: sids.otherAccount, startedAt: host.ago(3 * hour) });
    host.later(hour);
    expect(await host.look()).toEqual({ done: 0 });
    expect((await host.looked())?.['underway']).toEqual([]);
  });

  test('of a look that broke off is remembered by the one that continues it', async () => {
    const host = await open();
    for (const n of [1, 2, 3]) recorded(host.twilio, n, { ...long, startedAt: host.ago((n + 2) * hour) });
    const listed = host.twilio.recordingsPage;
    let pages = 0;
    host.twilio.recordingsPage = async (window, url) => {
      pages += 1;
      if (pages === 2) throw new Error('broken off');
      return listed(window, url);
    };
    await expect(host.look()).rejects.toThrow('broken off');
    await host.look();
    expect((await host.looked())?.['underway']).toEqual([1, 2, 3].map((n) => sids.recording(n)));
  });

  test('is remembered for three days', async () => {
    const host = await open();
    host.deps.config.reconcile.hours = 100;
    recorded(host.twilio, 1, { ...long, startedAt: host.ago(71 * hour) });
    recorded(host.twilio, 2, { ...long, startedAt: host.ago(73 * hour) });
    expect(await host.look()).toMatchObject({ underway: 2 });
    expect((await host.looked())?.['underway']).toEqual([sids.recording(1)]);
  });

  test('is remembered among so many, and the log says how many are not', async () => {
    const host = await open();
    host.twilio.pageSize = 500;
    for (let n = 1; n <= mostUnderway + 3; n += 1)
      recorded(host.twilio, n, { ...long, startedAt: host.ago(3 * hour + n) });
    await host.look();
    const { underway } = (await host.looked()) as { underway: RecordingSid[] };
    expect([underway.length, underway[0]]).toEqual([mostUnderway, sids.recording(1)]);
    expect(host.lines.join('\n')).toContain('{"event":"reconcile.forgotten","recordings":3}');
  });
});

test('what an hour brings costs a page for each 500 recordings, and two questions to the catalog for each hundred', async () => {
  const host = await open();
  host.twilio.pageSize = 500;
  for (let n = 1; n <= 1_100; n += 1) recorded(host.twilio, n, { startedAt: host.ago(hour) });
  await host.look();
  const statements: string[] = [];
  const counting: Db = {
    ...shared.db,
    query: (text, values) => {
      statements.push(text);
      return shared.db.query(text, values);
    },
    routine: (text, values) => {
      statements.push(text);
      return shared.db.routine(text, values);
    },
  };
  const again = await house(host.twilio, counting);
  host.twilio.asked.length = 0;
  statements.length = 0;
  const run = (work: Parameters<typeof again.deps.runs.run>[2]) => again.deps.runs.run('recent', {}, work);
  const { counts } = await run((one) => lookAtTwilio(again.deps, one));
  expect(counts).toMatchObject({ seen: 1_100, known: 1_100 });
  expect(host.twilio.asked).toEqual(['recordingsPage', 'recordingsPage', 'recordingsPage']);
  expect(statements.filter((text) => /FROM recordings/.test(text)).length).toBeLessThanOrEqual(22);
  // The run's own, the mark, and a note after each page.
  expect(statements.length).toBeLessThan(36);
});

test('a look waits for Twilio where it is away', async () => {
  const host = await open();
  recorded(host.twilio, 1, { startedAt: host.ago(hour) });
  const listed = host.twilio.recordingsPage;
  let pages = 0;
  host.twilio.recordingsPage = async (window, url) => {
    pages += 1;
    if (pages === 1) throw FakeTwilio.down;
    return listed(window, url);
  };
  expect(await host.look()).toMatchObject({ ingested: 1 });
});
