import type { Report, WorkerSid } from '@flex-custody/core';
import { notRecordedReport } from '../actions/reports';
import type { Delivery } from '../api/host';
import { call, keyValues, sid } from '../testing';
import { firstBackoffMs, longestBackoffMs, mostWaiting, reportQueue } from './report-queue';
import type { KeyValues } from './storage';

const report = (id: string): Report => notRecordedReport({ id: () => id, now: () => 1 }, call(), 'rule');

function queueOf(storage: KeyValues | undefined, worker: string | undefined = sid('WK')) {
  const sent: string[] = [];
  const waits: number[] = [];
  const told: string[] = [];
  const host = { answer: 'taken' as Delivery | Error };
  let again: (() => void) | undefined;
  const queue = reportQueue({
    storage,
    worker: () => worker as WorkerSid | undefined,
    send: async ({ id }) => {
      sent.push(id);
      if (host.answer instanceof Error) throw host.answer;
      return host.answer;
    },
    later: (ms, then) => {
      waits.push(ms);
      again = then;
    },
    log: (message) => told.push(message),
  });
  const come = async () => {
    again?.();
    await queue.flush();
  };
  return { queue, sent, waits, told, host, come };
}

test('a report is sent at once and forgotten', async () => {
  const storage = keyValues();
  const { queue, sent } = queueOf(storage);
  queue.add(report('a'));
  await queue.flush();
  expect(sent).toEqual(['a']);
  expect(storage.getItem('flex_custody.reports')).toBe('[]');
});

test('it waits, ever longer, until the host takes it', async () => {
  const { queue, sent, waits, host, come } = queueOf(keyValues());
  host.answer = 'later';
  queue.add(report('a'));
  await queue.flush();
  for (let n = 0; n < 9; n += 1) await come();
  expect(waits.slice(0, 3)).toEqual([firstBackoffMs, 2 * firstBackoffMs, 4 * firstBackoffMs]);
  expect(Math.max(...waits)).toBe(longestBackoffMs);
  host.answer = 'taken';
  await come();
  const { length } = sent;
  await come();
  expect(sent).toHaveLength(length);
});

test('what the host refuses is not sent again, and the next one is', async () => {
  const { queue, sent, told, host } = queueOf(keyValues());
  host.answer = 'refused';
  queue.add(report('a'));
  queue.add(report('b'));
  await queue.flush();
  await queue.flush();
  expect(sent).toEqual(['a', 'b']);
  expect(told).toHaveLength(2);
});

test('it survives a refresh, without a token', async () => {
  const storage = keyValues();
  const before = queueOf(storage);
  before.host.answer = new Error('offline');
  before.queue.add(report('a'));
  await before.queue.flush();
  expect(storage.getItem('flex_custody.reports')).not.toContain('oken');
  const after = queueOf(storage);
  await after.queue.flush();
  expect(after.sent).toEqual(['a']);
});

test('another worker in the same browser does not send it: it would count as his', async () => {
  const storage = keyValues();
  const ann = queueOf(storage);
  ann.host.answer = 'later';
  ann.queue.add(report('a'));
  await ann.queue.flush();
  const bob = queueOf(storage, sid('WK', '2'));
  bob.queue.add(report('b'));
  await bob.queue.flush();
  expect(bob.sent).toEqual(['b']);
  expect(storage.getItem('flex_custody.reports')).toContain('"a"');
});

test('no more wait than are of use; the oldest go', async () => {
  const storage = keyValues();
  const { queue, host, told } = queueOf(storage);
  host.answer = 'later';
  for (let n = 0; n <= mostWaiting; n += 1) queue.add(report(`r${n}`));
  const kept = JSON.parse(storage.getItem('flex_custody.reports') ?? '') as { report: Report }[];
  expect(kept).toHaveLength(mostWaiting);
  expect(kept[0]?.report.id).toBe('r1');
  expect(told).toHaveLength(1);
});

test.each<[string, KeyValues | undefined]>([
  ['no storage', undefined],
  [
    'a full one',
    {
      getItem: () => null,
      setItem: () => {
        throw new Error('QuotaExceededError');
      },
    },
  ],
  ['a garbled one', { getItem: () => '[{"worker":1},null,7]', setItem: () => undefined }],
])('with %s it is sent all the same, once', async (_what, storage) => {
  const { queue, sent } = queueOf(storage);
  queue.add(report('a'));
  await queue.flush();
  await queue.flush();
  expect(sent).toEqual(['a']);
});
