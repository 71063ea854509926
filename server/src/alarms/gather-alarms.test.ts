import type { RecordingSid } from '@flex-custody/core';
import type { AlarmCode } from './alarm-table.ts';
import type { Alarms } from './alarms.ts';
import { withGatheredAlarms } from './gather-alarms.ts';

const RE = (n: number) => `RE${String(n).padStart(32, '0')}` as RecordingSid;

/** What is raised and resolved, in order, and how many lines are logged. */
async function done(
  work: (alarms: Pick<Alarms, 'raise'>) => Promise<void>,
  asked: readonly AlarmCode[] = [],
) {
  const raised: unknown[][] = [];
  const logged: object[] = [];
  const alarms = {
    raise: async (...alarm: unknown[]) => void raised.push(alarm),
    resolve: async (codes: readonly string[], sid?: RecordingSid) =>
      void raised.push(['resolve', codes, sid]),
  };
  const log = { warn: (fields: object) => void logged.push(fields) };
  const ended = withGatheredAlarms({ alarms, log }, (deps) => work(deps.alarms), asked);
  return { error: await ended.catch((error: unknown) => error), raised, logged };
}

test('of one recording it is that recording’s; of many one, with their number and the first reasons', async () => {
  const { raised, logged } = await done(async (alarms) => {
    for (let n = 0; n < 50_000; n += 1) await alarms.raise('object_lost', RE(n), `reason ${n % 5}`);
    await alarms.raise('copy_failed', RE(1), 'so');
    await alarms.raise('retention_failed', undefined, 'all of it');
  });
  expect(raised).toEqual([
    ['retention_failed', undefined, 'all of it'],
    [
      'object_lost',
      undefined,
      '50000 recordings, which the log names: reason 0; reason 1; reason 2; and others',
    ],
    ['copy_failed', RE(1), 'so'],
  ]);
  expect(logged).toHaveLength(50_001);
  expect(logged[7]).toEqual({ event: 'alarm', code: 'object_lost', recording: RE(7), detail: 'reason 2' });
});

test('what was asked about and not found is resolved, at the end of work that came to its end', async () => {
  const both: AlarmCode[] = ['object_lost', 'object_unreadable'];
  const found = (alarms: Pick<Alarms, 'raise'>) => alarms.raise('object_lost', RE(1), 'so');
  expect((await done(found, both)).raised).toEqual([
    ['object_lost', RE(1), 'so'],
    ['resolve', ['object_unreadable'], undefined],
  ]);
  const broken = new Error('broken off');
  const { error, raised } = await done(async (alarms) => {
    await found(alarms);
    throw broken;
  }, both);
  expect([error, raised]).toEqual([broken, [['object_lost', RE(1), 'so']]]);
});
