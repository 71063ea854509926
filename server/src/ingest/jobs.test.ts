import { CustodyError, type ErrorCode, type SealedObject } from '@flex-custody/core';
import { copyResumably, openMedia, type UploadState, verifyObject } from '@flex-custody/vault';
import { until } from '../../../test/support/until.ts';
import { registrationOf } from './intake/source.ts';
import { FakeTwilio } from './testing/fake-twilio.ts';
import { handedOver, house, sealedObject, sharedDatabase } from './testing/house.ts';
import { recorded, scene, sids } from './testing/scene.ts';
import { verifyJob } from './verify/verify-job.ts';

jest.mock('@flex-custody/vault', () => ({
  ...jest.requireActual<object>('@flex-custody/vault'),
  openMedia: jest.fn(),
  copyResumably: jest.fn(),
  verifyObject: jest.fn(),
}));
const open = jest.mocked(openMedia);
const copy = jest.mocked(copyResumably);
const verify = jest.mocked(verifyObject);

const shared = sharedDatabase();
const sid = sids.recording(1);
const job = { recordingSid: sid };

const proof = { plaintextSha256: 'a'.repeat(64), channels: 2 as const };
const copied = (object: SealedObject) => ({ object, channels: 2 as const });

async function sealed() {
  const host = await handedOver(shared.db);
  await host.queue.run('copy', job);
  host.queue.sent = [];
  return host;
}

const allButIntervals = [
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setTimeout',
  'clearTimeout',
] as const;

/** Registered while Twilio was still at it. */
async function unfinished() {
  const twilio = scene();
  const host = await house(twilio, shared.db);
  await host.ingest.receive(recorded(twilio, 1, { status: 'processing' }));
  host.queue.sent = [];
  return { twilio, ...host };
}

beforeEach(() => {
  jest.resetAllMocks();
  open.mockResolvedValue({ channels: 2 } as Awaited<ReturnType<typeof openMedia>>);
  copy.mockImplementation(async (input) => {
    await input.open({ channels: input.source.channels });
    return copied(sealedObject(sid));
  });
  verify.mockResolvedValue(proof);
});

describe('the copy', () => {
  test('is made from two-channel media under the recording’s own key, and verified next', async () => {
    const { catalog, queue } = await handedOver(shared.db);
    await queue.run('copy', job);
    expect(open.mock.calls[0]?.[0]).toMatchObject({ recordingSid: sid, channels: 2, durationSeconds: 30 });
    expect(copy.mock.calls[0]?.[0]).toMatchObject({ objectKey: `recordings/${sids.account}/${sid}` });
    expect(await catalog.find(sid)).toMatchObject({ state: 'sealed', object: sealedObject(sid) });
    expect(queue.names()).toEqual(['verify']);
    await queue.run('copy', job);
    expect(copy).toHaveBeenCalledTimes(1);
  });

  test('says how far it is', async () => {
    const twilio = scene();
    const seen: unknown[] = [];
    const host = await house(twilio, shared.db, {
      observer: {
        copyProgress: (...all) => seen.push(all),
        copied: (_, bytes, _ms, by) => seen.push([bytes, by]),
      },
    });
    await host.ingest.receive(recorded(twilio, 1, { status: 'processing' }));
    recorded(twilio, 1);
    copy.mockImplementation(async ({ onProgress }) => {
      onProgress?.(10, 20);
      return copied(sealedObject(sid));
    });
    await host.queue.run('copy', job);
    expect(seen).toEqual([
      [sid, 10, 20],
      [1_000_000, 'worker'],
    ]);
  });

  test('that fails releases the lease with its reason and is tried again', async () => {
    const { catalog, queue } = await handedOver(shared.db);
    copy.mockRejectedValueOnce(new CustodyError('media_cut', 'cut'));
    await expect(queue.run('copy', job)).rejects.toMatchObject({ code: 'media_cut' });
    expect(await catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'media_cut' });
    await queue.run('copy', job);
    expect((await catalog.find(sid))?.failure).toBeUndefined();
  });

  test('goes on where another worker stopped, and leaves no note of it', async () => {
    const { catalog, deps, queue } = await handedOver(shared.db);
    const state = { uploadId: 'u1', key: 'k', parts: [{ sha256: 'b' }] } as UploadState;
    copy.mockImplementationOnce(async ({ save }) => {
      expect(await save!(state)).toBe(true);
      throw new CustodyError('store_unavailable', 'down');
    });
    await expect(queue.run('copy', job)).rejects.toMatchObject({ code: 'store_unavailable' });
    await queue.run('copy', job);
    expect(copy.mock.calls.map(([input]) => input.state)).toEqual([undefined, state]);
    expect((await catalog.find(sid))?.state).toBe('sealed');
    expect(await deps.uploads.find(sid)).toBeUndefined();
  });

  test('notes nothing under a lease that has lapsed', async () => {
    const { deps, queue } = await handedOver(shared.db);
    const saved: boolean[] = [];
    copy.mockImplementationOnce(async ({ save }) => {
      await shared.db.query(`UPDATE recordings SET lease_until = now() - interval '1 second'`);
      saved.push(await save!({ uploadId: 'u1' } as UploadState));
      throw new CustodyError('lease_lost', 'another writer took over');
    });
    await queue.run('copy', job);
    expect([saved, await deps.uploads.find(sid)]).toEqual([[false], undefined]);
  });

  test.each<ErrorCode>(['media_short', 'media_long', 'media_not_audio', 'media_empty'])(
    '%s proves that what was begun is worth nothing: its parts go',
    async (code) => {
      const { deps, queue, store } = await handedOver(shared.db);
      copy.mockImplementationOnce(async ({ save }) => {
        await save!({ uploadId: 'u1', key: 'k' } as UploadState);
        throw new CustodyError(code, 'no');
      });
      await expect(queue.run('copy', job)).rejects.toMatchObject({ code });
      expect(store.aborted).toEqual(['k?u1']);
      expect(await deps.uploads.find(sid)).toBeUndefined();
    },
  );

  test('of media that Twilio does not have ready yet is tried again, until Twilio says that it is deleted', async () => {
    const { twilio, catalog, queue, alarmCodes } = await handedOver(shared.db);
    open.mockRejectedValue(new CustodyError('media_missing', 'no media'));
    const lagging = expect.objectContaining({ code: 'media_missing', retryable: true });
    await expect(queue.run('copy', job)).rejects.toEqual(lagging);
    expect(await catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'media_missing' });
    recorded(twilio, 1, { status: 'deleted' });
    await queue.run('copy', job);
    expect(await catalog.find(sid)).toMatchObject({ state: 'failed', failure: 'source_deleted' });
    expect(await alarmCodes()).toEqual(['source_deleted']);
  });

  test('of two workers at once is made by one', async () => {
    const { queue } = await handedOver(shared.db);
    await Promise.all([queue.run('copy', job), queue.run('copy', job), queue.run('copy', job)]);
    expect(copy).toHaveBeenCalledTimes(1);
  });

  test('waits for the lease of a Function, and takes over once it has lapsed', async () => {
    const twilio = scene();
    const host = await house(twilio, shared.db);
    await host.ingest.receive(recorded(twilio, 1));
    host.queue.sent = [];
    recorded(twilio, 1, { status: 'deleted' });
    await host.queue.run('copy', job);
    expect((await host.catalog.find(sid))?.state).toBe('copying');
    recorded(twilio, 1);
    expect(copy).not.toHaveBeenCalled();
    expect(host.queue.sent).toMatchObject([{ name: 'copy', options: { once: `lapse:${sid}` } }]);
    expect(host.queue.sent[0]?.options?.startAfterMs).toBeGreaterThan(14_000);
    await shared.db.query(`UPDATE recordings SET lease_until = now() - interval '1 second'`);
    await host.queue.run('copy', job);
    expect((await host.catalog.find(sid))?.state).toBe('sealed');
  });

  test('whose lease was lost meanwhile leaves no second object', async () => {
    const { catalog, queue, store } = await handedOver(shared.db);
    copy.mockImplementationOnce(async () => {
      await shared.db.query(`UPDATE recordings SET lease = 'of another'`);
      return copied(store.holds(sealedObject(sid, { versionId: 'surplus' })));
    });
    await queue.run('copy', job);
    expect(store.deleted).toEqual([`${sealedObject(sid).key}?surplus`]);
    expect((await catalog.find(sid))?.state).toBe('copying');
    expect(queue.names()).toEqual([]);
  });

  test('ends with the process and leaves the recording to the next', async () => {
    const { catalog, queue } = await handedOver(shared.db);
    const ending = new AbortController();
    copy.mockImplementationOnce(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('aborted')));
          ending.abort();
        }),
    );
    await expect(queue.run('copy', job, ending.signal)).rejects.toThrow('aborted');
    expect((await catalog.find(sid))?.state).toBe('registered');
  });

  test('of what Twilio has not finished comes back later; of what is gone gives up', async () => {
    const { twilio, catalog, queue, alarmCodes } = await unfinished();
    await queue.run('copy', job);
    expect(queue.sent).toMatchObject([
      { name: 'copy', options: { startAfterMs: 30_000, once: `unfinished:${sid}` } },
    ]);
    twilio.recordings.clear();
    await queue.run('copy', job);
    expect(await catalog.find(sid)).toMatchObject({ state: 'failed', failure: 'source_deleted' });
    expect(await alarmCodes()).toEqual(['source_deleted']);
    expect(copy).not.toHaveBeenCalled();
  });

  test('waits for Twilio when that is out of reach', async () => {
    const { twilio, catalog, queue } = await unfinished();
    twilio.failing.set('recording', FakeTwilio.down);
    await expect(queue.run('copy', job)).rejects.toMatchObject({ retryable: true });
    expect((await catalog.find(sid))?.state).toBe('registered');
  });

  test('of what Twilio has said is completed asks nothing again', async () => {
    const { twilio, catalog, queue } = await handedOver(shared.db);
    twilio.failing.set('recording', FakeTwilio.down);
    await queue.run('copy', job);
    expect((await catalog.find(sid))?.state).toBe('sealed');
    expect(copy.mock.calls[0]?.[0].source).toEqual({
      accountSid: sids.account,
      recordingSid: sid,
      channels: 2,
      durationSeconds: 30,
    });
  });

  test('of what Twilio has sealed asks each time how it opens: that is not in the catalog', async () => {
    const { twilio, catalog, queue } = await handedOver(shared.db);
    const facts = await twilio.recording(sid);
    if (!facts) throw new Error('nothing is recorded');
    await catalog.register(registrationOf({ ...facts, encryption: 'unreadable' }, 'callback'));
    twilio.failing.set('recording', FakeTwilio.down);
    await expect(queue.run('copy', job)).rejects.toBe(FakeTwilio.down);
    expect(copy).not.toHaveBeenCalled();
  });

  test('stops when somebody else has its lease, and leaves the recording to them', async () => {
    const { catalog, queue } = await handedOver(shared.db);
    jest.useFakeTimers({ doNotFake: [...allButIntervals] });
    copy.mockImplementationOnce(async ({ onProgress, signal }) => {
      // Only a copy that moves has its lease extended, and so learns of its loss.
      onProgress?.(1, undefined);
      await shared.db.query(`UPDATE recordings SET lease = 'theirs', lease_holder = 'them'`);
      jest.advanceTimersByTime(20_000);
      if (!signal?.aborted) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      throw new Error('broken off in the middle');
    });
    await queue.run('copy', job).finally(() => jest.useRealTimers());
    expect(await catalog.find(sid)).toMatchObject({ state: 'copying', leaseHolder: 'them' });
    expect(queue.names()).toEqual([]);
  });

  test('of missing media waits until Twilio can say why', async () => {
    const { twilio, catalog, queue } = await handedOver(shared.db);
    open.mockRejectedValue(new CustodyError('media_missing', 'no media'));
    twilio.failing.set('recording', FakeTwilio.down);
    await expect(queue.run('copy', job)).rejects.toBe(FakeTwilio.down);
    expect(await catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'media_missing' });
  });

  test('of an unknown recording is nothing', async () => {
    const { queue } = await handedOver(shared.db);
    await queue.run('copy', { recordingSid: sids.recording(9) });
    expect(open).not.toHaveBeenCalled();
  });
});

describe('verification', () => {
  test('makes a sealed recording verified, once', async () => {
    const { catalog, queue } = await sealed();
    await queue.run('verify', job);
    expect(verify.mock.calls[0]?.[0]).toMatchObject({
      object: sealedObject(sid),
      source: { recordingSid: sid, channels: 2, durationSeconds: 30 },
    });
    expect(await catalog.find(sid)).toMatchObject({ state: 'verified', verifiedAt: expect.any(Date) });
    await queue.run('verify', job);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  test.each<ErrorCode>(['object_mismatch', 'envelope_tampered', 'envelope_truncated'])(
    '%s removes the bad version, raises an alarm and copies again',
    async (code) => {
      const { catalog, queue, store, alarmCodes } = await sealed();
      verify.mockRejectedValueOnce(new CustodyError(code, 'bad'));
      await queue.run('verify', job);
      const row = await catalog.find(sid);
      expect(row).toMatchObject({ state: 'registered', failure: code });
      expect(row?.object).toBeUndefined();
      expect(store.deleted).toEqual([`${sealedObject(sid).key}?v1`]);
      expect(await alarmCodes()).toEqual(['object_rejected']);
      expect(queue.names()).toEqual(['copy']);
    },
  );

  test.each<ErrorCode>(['envelope_wrong_key', 'envelope_unsupported', 'object_missing'])(
    '%s copies again and removes nothing: the fault may be ours',
    async (code) => {
      const { queue, store } = await sealed();
      verify.mockRejectedValueOnce(new CustodyError(code, 'bad'));
      await queue.run('verify', job);
      expect(store.deleted).toEqual([]);
      expect(queue.names()).toEqual(['copy']);
    },
  );

  test('of two jobs at once, the slower one does not reject what was copied after the faster', async () => {
    const { catalog, deps, queue, store } = await sealed();
    const begun: (() => void)[] = [];
    verify.mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => begun.push(resolve));
      throw new CustodyError('object_mismatch', 'bad');
    });
    // Of another process: in one, the second finds the first at it.
    const slow = verifyJob(deps, sid, new AbortController().signal);
    while (begun.length === 0) await new Promise((resolve) => setImmediate(resolve));
    verify.mockRejectedValueOnce(new CustodyError('object_mismatch', 'bad'));
    await queue.run('verify', job);
    const again = sealedObject(sid, { etag: '"e2"', versionId: 'v2' });
    copy.mockResolvedValueOnce(copied(again));
    await queue.run('copy', job);
    queue.sent = [];
    begun[0]?.();
    await slow;
    expect(await catalog.find(sid)).toMatchObject({ state: 'sealed', object: again, attempts: 1 });
    expect(store.deleted).toEqual([`${again.key}?v1`]);
    expect(queue.sent).toEqual([]);
  });

  test('that takes long is not joined by a second in the same process', async () => {
    const { catalog, queue } = await sealed();
    const begun: (() => void)[] = [];
    verify.mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => begun.push(resolve));
      return proof;
    });
    const first = queue.run('verify', job);
    while (begun.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await queue.run('verify', job);
    expect(verify).toHaveBeenCalledTimes(1);
    begun[0]?.();
    await first;
    expect((await catalog.find(sid))?.state).toBe('verified');
  });

  test('proves the copy, and with it mends what alarms were about', async () => {
    const { catalog, alarms, queue, alarmCodes } = await sealed();
    await alarms.raise('link_failed', sid, 'another matter');
    await alarms.raise('copy_failed', sids.recording(2), 'another recording');
    for (const code of [
      'copy_failed',
      'verify_failed',
      'object_rejected',
      'object_lost',
      'import_refused',
    ] as const) {
      await alarms.raise(code, sid, 'resolve');
    }
    await queue.run('verify', job);
    expect((await catalog.find(sid))?.state).toBe('verified');
    expect(await alarmCodes()).toEqual(['copy_failed', 'link_failed']);
  });

  test('comes first when a failed recording that has an object is replayed', async () => {
    const { catalog, queue } = await sealed();
    await catalog.giveUp(sid, 'store_unavailable');
    expect(await catalog.replayed(sid)).toBe('sealed');
    await queue.run('verify', job);
    expect(await catalog.find(sid)).toMatchObject({ state: 'verified', object: sealedObject(sid) });
    expect(copy).toHaveBeenCalledTimes(1);
  });

  test('gives up after three bad copies', async () => {
    const { catalog, queue, alarmCodes } = await sealed();
    verify.mockRejectedValue(new CustodyError('object_mismatch', 'bad'));
    await queue.run('verify', job);
    await queue.run('copy', job);
    await queue.run('verify', job);
    await queue.run('copy', job);
    queue.sent = [];
    await queue.run('verify', job);
    expect(await catalog.find(sid)).toMatchObject({ state: 'failed', failure: 'object_mismatch' });
    expect(await alarmCodes()).toEqual(['object_rejected', 'verify_failed']);
    expect(queue.sent).toEqual([]);
  });

  test.each([
    ['an outage', new CustodyError('store_unavailable', 'down')],
    ['a bucket that refuses this host', new CustodyError('store_denied', 'no')],
    ['a key that this host may not use', new CustodyError('key_denied', 'no')],
    ['an accident', new TypeError('what')],
  ])('%s says nothing of the object', async (_, error) => {
    const { catalog, queue, store } = await sealed();
    verify.mockRejectedValueOnce(error);
    await expect(queue.run('verify', job)).rejects.toBe(error);
    expect((await catalog.find(sid))?.state).toBe('sealed');
    expect(store.deleted).toEqual([]);
  });

  test('of an object that was replaced meanwhile begins again', async () => {
    const { catalog, queue } = await sealed();
    verify.mockImplementationOnce(async () => {
      await shared.db.query(`UPDATE recordings SET object = object || '{"etag":"new"}'::jsonb`);
      return proof;
    });
    await queue.run('verify', job);
    expect((await catalog.find(sid))?.state).toBe('sealed');
    expect(queue.names()).toEqual(['verify']);
  });
});

test('a second look begins when no copy and no verification waits for its turn', async () => {
  const { catalog, queue, twilio } = await sealed();
  await queue.run('verify', job);
  await shared.db.query('UPDATE recordings SET proof = NULL');
  const others = [2, 3, 4].map(sids.recording);
  for (const n of [2, 3, 4]) {
    recorded(twilio, n);
    await catalog.register(registrationOf(twilio.recordings.get(sids.recording(n))!, 'callback'));
  }
  const ends: (() => void)[] = [];
  let isOver = false;
  copy.mockImplementation(async ({ source }) => {
    if (!isOver) await new Promise<void>((resolve) => ends.push(resolve));
    return copied(sealedObject(source.recordingSid));
  });
  const copies = others.map((recordingSid) => queue.run('copy', { recordingSid }));
  let looked = false;
  try {
    await until(() => ends.length === 2);
    twilio.failing.set('recording', FakeTwilio.down);
    const look = queue.run('prove', job).catch((error: unknown) => {
      looked = true;
      return error;
    });
    // By then it would have asked: it asks the catalog once and then Twilio.
    for (let n = 0; n < 5; n += 1) await catalog.find(sid);
    expect(looked).toBe(false);
    ends[0]?.();
    expect(await look).toBe(FakeTwilio.down);
  } finally {
    isOver = true;
    for (const end of ends) end();
    await Promise.all(copies);
  }
});

test('the janitor is scheduled, and no secret reached the log', async () => {
  const { queue, lines } = await sealed();
  expect(queue.schedules).toEqual(['janitor 60', 'sign 3600']);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('\n')).not.toContain('secret-of-the-account');
});
