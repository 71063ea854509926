import { CustodyError, type ErrorCode } from '@flex-custody/core';
import { settingAlarm } from '../ingest/setting-alarm.ts';
import { FakeQueue } from '../ingest/testing/house.ts';
import { sids } from '../ingest/testing/scene.ts';
import { testJobs } from '../queue/testing/jobs.ts';
import type { Room } from '../room.ts';
import { runJobs } from './run-jobs.ts';

const job = { recordingSid: sids.recording(1) };

async function scene(failure: () => Error | undefined) {
  const raised: string[] = [];
  const logged: object[] = [];
  const buried: object[] = [];
  const queue = new FakeQueue();
  let now = 0;
  const rooms: Pick<Room, 'jobs' | 'alarms'>[] = [
    { alarms: settingAlarm },
    {
      jobs: [
        {
          job: testJobs.copy,
          concurrency: 1,
          async run() {
            const error = failure();
            if (error) throw error;
          },
          dead: async (dead) => void buried.push(dead),
        },
      ],
    },
    {},
  ];
  await runJobs(rooms, {
    queue,
    alarms: {
      raise: async (code, sid, detail) => void raised.push([code, sid ?? 'all', detail].join(' | ')),
    },
    log: { error: (fields: object) => void logged.push(fields) },
    now: () => now,
  });
  return {
    ...{ raised, logged, buried, queue },
    run: () => queue.run('copy', job).catch((error: Error) => error.message),
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

test('a job that succeeds is no alarm', async () => {
  const { raised, run } = await scene(() => undefined);
  expect([await run(), raised]).toEqual([undefined, []]);
});

test('a job that failed for good is in the log by its name, and its room handles it', async () => {
  const { logged, buried, queue } = await scene(() => undefined);
  const dead = { data: job, error: { code: 'media_cut', message: 'why', retryable: false } };
  await queue.dead({ name: 'copy', ...dead });
  expect(logged).toEqual([{ job: 'copy', data: job, code: 'media_cut' }]);
  expect(buried).toEqual([dead]);
});
