import { CustodyError, type ErrorCode } from '@flex-custody/core';
import { tellingOfSettings } from './setting-alarm.ts';
import { FakeQueue } from './testing/house.ts';
import { sids } from './testing/scene.ts';

const job = { recordingSid: sids.recording(1) };

async function scene(failure: () => Error | undefined) {
  const raised: string[] = [];
  const raise = async (code: string, sid: string | undefined, detail: string) =>
    void raised.push([code, sid ?? 'all', detail].join(' | '));
  const inner = new FakeQueue();
  let now = 0;
  const queue = tellingOfSettings(inner, { raise }, () => now);
  await queue.work('copy', { concurrency: 1 }, async () => {
    const error = failure();
    if (error) throw error;
  });
  return {
    raised,
    run: () => inner.run('copy', job).catch((error: Error) => error.message),
    later: (ms: number) => {
      now += ms;
    },
  };
}

test('a wrong setting is one alarm at once, which names it and no recording; again after a minute', async () => {
  const wrong = new CustodyError(
    'store_region',
    `recordings/AC/${job.recordingSid} in bucket calls is refused: set AWS_REGION to eu-central-1`,
  );
  const { raised, run, later } = await scene(() => wrong);
  expect(await run()).toBe(wrong.message);
  await run();
  const alarm = 'setting_wrong | all | store_region: bucket calls is refused: set AWS_REGION to eu-central-1';
  expect(raised).toEqual([alarm]);
  later(61_000);
  await run();
  expect(raised).toEqual([alarm, alarm]);
});

test.each<ErrorCode>([
  'store_unavailable',
  'store_archived',
  'media_short',
  'twilio_unauthorized',
  'object_missing',
])('%s is none', async (code) => {
  const { raised, run } = await scene(() => new CustodyError(code, 'why'));
  expect(await run()).toBe('why');
  expect(raised).toEqual([]);
});

test('work that succeeds says nothing', async () => {
  const { raised, run } = await scene(() => undefined);
  expect([await run(), raised]).toEqual([undefined, []]);
});
