import type { UploadState } from '@flex-custody/vault';
import { FakeTwilio } from './testing/fake-twilio.ts';
import { handedOver, type house, sealedObject, sharedDatabase } from './testing/house.ts';
import { recorded, sids } from './testing/scene.ts';
import { createJanitor } from './upkeep/janitor-job.ts';

jest.mock('@flex-custody/vault', () => ({
  ...jest.requireActual<object>('@flex-custody/vault'),
  verifyObject: async () => ({ plaintextSha256: 'a'.repeat(64) }),
}));

const shared = sharedDatabase();
const sid = sids.recording(1);
const job = { recordingSid: sid };

async function sealed() {
  const host = await handedOver(shared.db);
  await seal(host.catalog);
  return host;
}

async function seal(catalog: Awaited<ReturnType<typeof house>>['catalog']) {
  const lease = await catalog.lease(sid, 'worker', 60_000);
  expect(await catalog.sealed(sid, lease?.secret ?? '', sealedObject(sid), 2)).toBe(true);
}

describe('a dead job', () => {
  const error = (code: string) => ({ code, message: 'why', retryable: false });
  const outage = (code: string) => ({ code, message: 'why', retryable: true });

  test('fails the recording that was its own, with an alarm', async () => {
    const { catalog, queue, alarmCodes } = await handedOver(shared.db);
    await queue.dead?.({ name: 'copy', data: job, error: error('envelope_unsupported') });
    expect(await catalog.find(sid)).toMatchObject({ state: 'failed', failure: 'envelope_unsupported' });
    expect(await alarmCodes()).toEqual(['copy_failed']);
  });

  test('of verification likewise', async () => {
    const { catalog, queue, alarmCodes } = await sealed();
    await queue.dead?.({ name: 'verify', data: job, error: error('envelope_unsupported') });
    expect((await catalog.find(sid))?.state).toBe('failed');
    expect(await alarmCodes()).toEqual(['verify_failed']);
  });

  test('of an outage that outlasted its tries is one too, with its reason; its object stays', async () => {
    const copying = await handedOver(shared.db);
    await copying.queue.dead?.({ name: 'copy', data: job, error: outage('twilio_unavailable') });
    expect(await copying.catalog.find(sid)).toMatchObject({ state: 'failed', failure: 'twilio_unavailable' });
    expect(await copying.alarmCodes()).toEqual(['copy_failed']);
    await copying.catalog.replayed(sid);
    await seal(copying.catalog);
    await copying.queue.dead?.({ name: 'verify', data: job, error: outage('store_unavailable') });
    expect(await copying.catalog.find(sid)).toMatchObject({ state: 'failed', object: sealedObject(sid) });
    expect(await copying.alarmCodes()).toEqual(['copy_failed', 'verify_failed']);
    expect(await copying.catalog.replayed(sid)).toBe('sealed');
    await copying.queue.run('verify', job);
    expect(await copying.alarmCodes()).toEqual([]);
  });

  test.each([
    ['twilio_unavailable', true],
    ['media_unauthorized', true],
    ['unexpected', true],
    ['media_short', false],
    ['source_deleted', false],
  ])('%s is tried again by itself after an hour: %s', async (code, again) => {
    const { catalog, deps, queue } = await handedOver(shared.db);
    await queue.dead?.({ name: 'copy', data: job, error: outage(code) });
    queue.sent = [];
    const janitor = createJanitor(deps);
    expect((await janitor.sweep(Date.now() + 59 * 60_000)).replayed).toBe(0);
    expect((await janitor.sweep(Date.now() + 61 * 60_000)).replayed).toBe(again ? 1 : 0);
    expect((await catalog.find(sid))?.state).toBe(again ? 'registered' : 'failed');
    expect(queue.names()).toEqual(again ? ['copy'] : []);
  });

  test('that nobody will go on with takes the parts of its upload along; one of an outage keeps them', async () => {
    const state = { uploadId: 'u1', key: 'k' } as UploadState;
    for (const [code, kept] of [
      ['twilio_unavailable', true],
      ['media_missing', false],
    ] as const) {
      const { catalog, deps, queue, store } = await handedOver(shared.db);
      const lease = (await catalog.lease(sid, 'worker', 60_000))?.secret ?? '';
      expect(await deps.uploads.save(sid, lease, state)).toBe(true);
      await catalog.release(sid, lease);
      await queue.dead?.({ name: 'copy', data: job, error: outage(code) });
      expect([code, store.aborted.length, await deps.uploads.find(sid)]).toEqual(
        kept ? [code, 0, state] : [code, 1, undefined],
      );
      await shared.db.query('TRUNCATE recordings, alarms CASCADE');
    }
  });

  test.each([
    ['key_denied', false, 1],
    ['store_unsupported', false, 1],
    ['sidecar_unreadable', false, 0],
    ['store_unavailable', true, 0],
  ])('of a description for %s: the next by the hour, not by the minute', async (code, retryable, waiting) => {
    const { queue, alarmCodes } = await sealed();
    queue.sent = [];
    await queue.dead?.({ name: 'describe', data: job, error: { code, message: 'why', retryable } });
    expect(await alarmCodes()).toEqual(['describe_failed']);
    expect(queue.sent).toEqual(
      Array(waiting).fill({ name: 'describe', data: job, options: { startAfterMs: 3_600_000, once: sid } }),
    );
  });

  test('touches nothing that has moved on', async () => {
    const { catalog, queue, alarmCodes } = await sealed();
    await queue.dead?.({ name: 'copy', data: job, error: error('media_cut') });
    expect((await catalog.find(sid))?.state).toBe('sealed');
    await queue.run('verify', job);
    await queue.dead?.({ name: 'verify', data: job, error: error('media_cut') });
    expect((await catalog.find(sid))?.state).toBe('verified');
    expect(await alarmCodes()).toEqual([]);
  });

  test('does not take a recording from whoever holds its lease', async () => {
    const { catalog, queue } = await handedOver(shared.db);
    await catalog.lease(sid, 'function', 60_000);
    await queue.dead?.({ name: 'copy', data: job, error: error('media_cut') });
    expect((await catalog.find(sid))?.state).toBe('copying');
  });

  test('of a link leaves it pending, with an alarm', async () => {
    const { twilio, ingest, catalog, queue, alarmCodes } = await handedOver(shared.db);
    twilio.failing.set('task', FakeTwilio.down);
    const other = sids.recording(2);
    await ingest.receive(recorded(twilio, 2));
    await queue.dead?.({ name: 'link', data: { recordingSid: other }, error: error('twilio_unavailable') });
    expect((await catalog.find(other))?.linkState).toBe('pending');
    await queue.dead?.({ name: 'janitor', data: {}, error: error('store_denied') });
    expect(await alarmCodes()).toEqual(['janitor_failed', 'link_failed']);
    await queue.run('janitor', {});
    expect(await alarmCodes()).toEqual(['link_failed']);
  });

  test('of the removal by age is an alarm, and of no recording', async () => {
    const { queue, alarmCodes } = await handedOver(shared.db);
    await queue.dead?.({ name: 'trim', data: {}, error: error('expired') });
    expect(await alarmCodes()).toEqual(['trim_failed']);
  });

  test('of a webhook is an alarm, and of no recording', async () => {
    const { queue, alarmCodes } = await handedOver(shared.db);
    const data = { alarm: 1, id: 'one-raised', event: 'raised', at: '' } as const;
    await queue.dead?.({ name: 'webhook', data, error: outage('webhook_unavailable') });
    expect(await alarmCodes()).toEqual(['webhook_failed']);
  });
});
