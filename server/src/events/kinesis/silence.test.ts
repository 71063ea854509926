import type { ShardState } from './leases.ts';
import { watchSilence } from './silence.ts';
import { fakeAlarms } from './testing/fake-inbox.ts';

const now = Date.parse('2026-11-29T12:00:00Z');
const ago = (minutes: number) => new Date(now - minutes * 60_000);
const read = { isReady: true, isRead: true } as ShardState;

async function look(calls: Date[], lastEventAt: Date, { minutes = 10, shards = [read] } = {}) {
  const { alarms, open } = fakeAlarms();
  await watchSilence({ alarms, silentMinutes: minutes, liveSince: async () => calls })(
    { shards, lastEventAt },
    now,
  );
  return [...open.keys()];
}

test('a call that has been live for the time of the setting, and no event since before it', async () => {
  expect(await look([ago(11)], ago(30))).toEqual(['stream_silent']);
});

test.each([
  ['no call is live', [], ago(600), {}],
  ['the call has only begun', [ago(9)], ago(30), {}],
  ['a long call without news, whose acceptance was an event', [ago(120)], ago(121), {}],
  ['an event has come since', [ago(11)], ago(1), {}],
  ['it is switched off', [ago(11)], ago(30), { minutes: 0 }],
  ['a shard is not read', [ago(11)], ago(30), { shards: [{ isReady: true, isRead: false } as ShardState] }],
])('no alarm: %s', async (_, calls, last, how) => {
  expect(await look(calls, last, how)).toEqual([]);
});

test('it is looked for again when the clock was set back', async () => {
  const { alarms, raised } = fakeAlarms();
  const calls: Date[] = [];
  const watch = watchSilence({ alarms, silentMinutes: 10, liveSince: async () => calls });
  await watch({ shards: [read], lastEventAt: ago(30) }, now + 5 * 3_600_000);
  calls.push(ago(11));
  await watch({ shards: [read], lastEventAt: ago(30) }, now);
  expect(raised).toEqual(['stream_silent']);
});

test('it is raised once, and resolved by an event; an alarm of before a restart too', async () => {
  const { alarms, open, raised } = fakeAlarms();
  open.set('stream_silent', 'of before');
  let last = ago(1);
  const watch = watchSilence({ alarms, silentMinutes: 10, liveSince: async () => [ago(11)] });
  let at = now;
  const next = () => {
    at += 60_000;
    return watch({ shards: [read], lastEventAt: last }, at);
  };
  await next();
  expect(open.size).toBe(0);
  last = ago(60);
  await next();
  await next();
  expect(raised).toEqual(['stream_silent']);
  last = new Date(at);
  await next();
  expect(open.size).toBe(0);
});
