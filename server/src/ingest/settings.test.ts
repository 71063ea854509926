import { errorCode, isRetryable } from '@flex-custody/core';
import { type Failure, failureFault, settingFailures } from '../../../sandbox/src/s3/failures.ts';
import { ownFaults } from './failures.ts';
import { job, sid, vault } from './testing/vault.ts';
import { createJanitor } from './upkeep/janitor-job.ts';

const { faults, open } = vault();
beforeEach(() => faults.clear());

const failed = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Whatever is asked of the bucket is answered so. */
async function against(failure: Failure, work: () => Promise<unknown>) {
  faults.add(failureFault(failure));
  const error = await failed(work());
  faults.clear();
  const code = errorCode(error);
  return [failure.code, ownFaults.has(code), isRetryable(error), code === 'store_unavailable'];
}

test('while a setting of the bucket is wrong a recording is held, and once it is right it is taken up', async () => {
  const host = await open();
  await host.ingest.receive(host.callback);
  await host.leaseLapses();
  for (const failure of settingFailures) {
    expect(await against(failure, () => host.queue.run('copy', job))).toEqual([
      failure.code,
      true,
      true,
      false,
    ]);
    expect((await host.catalog.find(sid))?.state).toBe('registered');
  }
  await host.queue.run('copy', job);
  for (const failure of settingFailures) {
    expect(await against(failure, () => host.queue.run('verify', job))).toEqual([
      failure.code,
      true,
      true,
      false,
    ]);
    expect((await host.catalog.find(sid))?.state).toBe('sealed');
  }
  await host.alarms.raise('setting_wrong', undefined, 'store_region: why');
  await host.queue.run('verify', job);
  expect((await host.catalog.find(sid))?.state).toBe('verified');
  expect(await host.alarmCodes()).toEqual([]);
});

test.each([
  ['an archive', { status: 403, code: 'InvalidObjectState' }, 'store_archived'],
  ['what the store cannot do', { status: 501, code: 'NotImplemented' }, 'store_unsupported'],
])(
  '%s is not asked for again and again, but by the hour, and no copy is thrown away',
  async (_what, failure, code) => {
    const host = await open();
    await host.ingest.receive(host.callback);
    await host.leaseLapses();
    await host.queue.run('copy', job);
    const { object } = (await host.catalog.find(sid)) ?? {};
    faults.add(failureFault(failure));
    const error = await failed(host.queue.run('verify', job));
    expect([errorCode(error), isRetryable(error)]).toEqual([code, false]);
    // As the queue does at once with what is not retryable.
    await host.queue.dead({ name: 'verify', data: job, error: { code, message: 'why', retryable: false } });
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'failed', failure: code, object });
    faults.clear();
    const janitor = createJanitor(host.deps);
    expect((await janitor.sweep(Date.now() + 59 * 60_000)).replayed).toBe(0);
    expect((await janitor.sweep(Date.now() + 61 * 60_000)).replayed).toBe(1);
    await host.queue.run('verify', job);
    expect((await host.catalog.find(sid))?.state).toBe('verified');
  },
);
