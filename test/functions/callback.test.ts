import { createHash } from 'node:crypto';
import { asTaskSid, type CopyReport } from '@flex-custody/core';
import { copyLease, type FunctionsWorld, lease, startFunctionsWorld } from './world.ts';

jest.setTimeout(60_000);

let world: FunctionsWorld;

beforeAll(async () => {
  world = await startFunctionsWorld();
});

afterAll(() => world?.close());

beforeEach(() => {
  world.registered.length = 0;
  world.reports.length = 0;
  world.logged.length = 0;
  world.host.reportStatus = 200;
  world.host.answer = (callback) => copyLease(callback);
});

interface BucketView {
  objects: { key: string; bytes: number; versionId?: string; head?: string }[];
  uploads: { key: string }[];
}

const statuses = (deliveries: { status?: number }[][]) =>
  deliveries.map((one) => one.map(({ status }) => status));

/** What the bucket holds of a recording. */
async function left(recording: string): Promise<{ objects: number; uploads: number }> {
  const { objects, uploads } = await world.control<BucketView>('bucket');
  const of = (list: { key: string }[]) => list.filter(({ key }) => key.includes(recording)).length;
  return { objects: of(objects), uploads: of(uploads) };
}

const formOf = (recording: string) => ({
  AccountSid: world.sandbox.account.accountSid,
  RecordingSid: recording,
  RecordingStatus: 'completed',
  RecordingStartTime: 'Sun, 29 Nov 2026 10:00:00 +0000',
});

const nothing = { objects: 0, uploads: 0 };
/**
 * Each thing that was reported of a recording, once: a report whose answer came late is made again, and may be. Of that
 * recording alone: what an earlier test's process had still to say may come late on a busy machine.
 */
const told = (recording = '') => [
  ...new Map(
    world.reports
      .filter((one) => one.recording === recording)
      .map(({ report }) => [JSON.stringify(report), report] as const),
  ).values(),
];
const sealedReports = (recording = '') =>
  told(recording).flatMap((report) => (report.outcome === 'sealed' ? [report] : []));
const registered = (recording = '') =>
  world.registered.filter(({ recordingSid }) => recordingSid === recording);

describe('with a lease', () => {
  test('the recording is in the bucket, sealed, whole, and for the private key alone', async () => {
    const { recordings, task } = await world.call();
    const [recording = ''] = recordings;
    expect(statuses(await world.deliver(recording))).toEqual([[200]]);

    expect(registered(recording)).toEqual([
      expect.objectContaining({
        status: 'completed',
        hints: { taskSid: task, reservationSid: expect.stringMatching(/^WR/) },
      }),
    ]);
    const { media } = await world.control<{ media: Record<'2', { sha256: string; bytes: number }> }>(
      `recordings/${recording}`,
    );
    const [report] = sealedReports(recording);
    expect(report).toMatchObject({ lease, channels: 2, tookMs: expect.any(Number) });
    expect(report!.object).toMatchObject({
      key: `recordings/${world.sandbox.account.accountSid}/${recording}`,
      mode: 'envelope',
      plaintextBytes: media['2'].bytes,
      plaintextSha256: media['2'].sha256,
    });
    const { objects, uploads } = await world.control<BucketView>('bucket');
    const object = objects.find(({ key }) => key === report!.object.key);
    expect([object!.bytes, uploads]).toEqual([report!.object.bytes, []]);
    expect(Buffer.from(object!.head!, 'hex').includes('WAVE')).toBe(false);
    const audio = await world.open(report!.object, recording);
    expect(createHash('sha256').update(audio).digest('hex')).toBe(media['2'].sha256);
  });

  test('what has one channel is asked for again, with one', async () => {
    const { recordings } = await world.call({ channels: 1, seconds: 5 });
    expect(statuses(await world.deliver(recordings[0]!))).toEqual([[200]]);
    expect(sealedReports(recordings[0])[0]).toMatchObject({ channels: 1 });
  });

  test('three callbacks at once, one lease: one object of one version', async () => {
    const { recordings } = await world.call({ seconds: 5 });
    let granted = false;
    world.host.answer = (callback) => {
      if (granted) return { action: 'busy' };
      granted = true;
      return copyLease(callback);
    };
    const deliveries = await world.deliver(recordings[0]!, 3);
    expect(statuses(deliveries)).toEqual([[200], [200], [200]]);
    expect(sealedReports(recordings[0])).toHaveLength(1);
    expect(await left(recordings[0]!)).toEqual({ objects: 1, uploads: 0 });
  });

  test('a report that is lost costs nothing: sealed is sealed, and the lease lapses', async () => {
    const { recordings } = await world.call({ seconds: 5 });
    world.host.reportStatus = 503;
    expect(statuses(await world.deliver(recordings[0]!))).toEqual([[200]]);
    expect(world.reports.filter(({ recording }) => recording === recordings[0])).toHaveLength(2);
    expect(await left(recordings[0]!)).toEqual({ objects: 1, uploads: 0 });
    expect(world.logged.join()).toContain('"outcome":"report-lost"');
  });
});

describe('a source that is not as it should be leaves neither an object nor parts', () => {
  test.each([
    ['cut in the middle', { kind: 'cut' }, 'media_cut'],
    ['ended early, and cleanly', { kind: 'short' }, 'media_short'],
    ['empty', { kind: 'empty' }, 'media_empty'],
    ['a page of HTML', { kind: 'html' }, 'media_not_audio'],
    ['500', { kind: 'status', value: 500 }, 'media_unavailable'],
    ['401', { kind: 'status', value: 401 }, 'media_unauthorized'],
    ['404', { kind: 'status', value: 404 }, 'media_missing'],
    ['standing still', { kind: 'stall', value: 100_000 }, 'media_stalled'],
  ])('%s', async (_, fault, code) => {
    const { recordings } = await world.call();
    await world.control('faults', { target: 'media', times: 1, ...fault });
    expect(statuses(await world.deliver(recordings[0]!))).toEqual([[200]]);
    expect(told(recordings[0])).toEqual([
      { outcome: 'failed', lease, code, retryable: !/unauthorized|missing/.test(code) },
    ]);
    expect(await left(recordings[0]!)).toEqual(nothing);
  });

  test('shorter than Twilio says the call was', async () => {
    const { recordings } = await world.call({ seconds: 5 });
    world.host.answer = (callback) => copyLease(callback, { durationSeconds: 60 });
    await world.deliver(recordings[0]!);
    expect(told(recordings[0])[0]).toMatchObject({ outcome: 'failed', code: 'media_short' });
    expect(await left(recordings[0]!)).toEqual(nothing);
  });
});

describe('without a lease nothing is copied', () => {
  test.each(['done', 'busy', 'host'] as const)('%s', async (action) => {
    const { recordings } = await world.call({ seconds: 5 });
    world.host.answer = () => ({ action });
    expect(statuses(await world.deliver(recordings[0]!))).toEqual([[200]]);
    expect(told(recordings[0])).toEqual([]);
    expect(await left(recordings[0]!)).toEqual(nothing);
  });

  test('statuses without audio are for the host to judge', async () => {
    const { recordings } = await world.call({ seconds: 5 });
    world.host.answer = () => ({ action: 'done' });
    for (const status of ['absent', 'in-progress', 'failed']) {
      await world.deliver(recordings[0]!, 1, { RecordingStatus: status, ErrorCode: '16102' });
    }
    expect(registered(recordings[0]).map(({ status }) => status)).toEqual([
      'absent',
      'in-progress',
      'failed',
    ]);
    expect(registered(recordings[0])[0]).toMatchObject({ errorCode: '16102' });
  });

  test('a host that fails: 503, so that Twilio asks again, until it does not', async () => {
    const { recordings } = await world.call({ seconds: 5 });
    let asked = 0;
    world.host.answer = (callback) => (asked++ < 2 ? 500 : copyLease(callback));
    expect(statuses(await world.deliver(recordings[0]!))).toEqual([[503, 503, 200]]);
    expect(sealedReports(recordings[0])).toHaveLength(1);
  });

  test('a host that is away: 503, and nothing sealed', async () => {
    const { recordings } = await world.call({ seconds: 5 });
    await world.stopHost();
    try {
      expect(await world.attempt(formOf(recordings[0]!))).toBe(503);
      expect(await left(recordings[0]!)).toEqual(nothing);
    } finally {
      await world.startHost();
    }
  });

  test('a form that is none: 400, and the host is not asked', async () => {
    expect(await world.attempt({ ...formOf(`RE${'0'.repeat(32)}`), RecordingSid: '../../etc' })).toBe(400);
    expect(world.registered).toEqual([]);
  });

  test('whose facts came with the query, which a browser wrote: 400, and the host is not asked', async () => {
    const { recordings } = await world.call({ seconds: 5 });
    const { accountSid } = world.sandbox.account;
    const hints = { taskSid: `WT${'1'.repeat(32)}`, reservationSid: `WR${'1'.repeat(32)}` };
    const recording = { RecordingSid: recordings[0]!, RecordingStatus: 'completed' };
    // What Twilio says of a conference to whatever URL an agent's browser gave it.
    const conference = {
      AccountSid: accountSid,
      ConferenceSid: `CF${'1'.repeat(32)}`,
      StatusCallbackEvent: 'participant-join',
    };
    const queries = [{ ...hints, ...recording }, { ...recording, ...hints }, recording, hints];
    for (const query of queries)
      expect(await world.attempt(conference, `?${new URLSearchParams(query)}`)).toBe(400);
    const form = formOf(recordings[0]!);
    for (const query of [{ AccountSid: accountSid }, { ErrorCode: '16101' }, { ...hints, more: '1' }])
      expect(await world.attempt(form, `?${new URLSearchParams(query)}`)).toBe(400);
    expect(await world.attempt({ ...form, RecordingStartTime: '' })).toBe(400);
    expect(registered(recordings[0])).toEqual([]);
    expect(world.logged.join('\n')).toContain('CUSTODY_FUNCTIONS_URL');
  });

  test('whose hints are no SIDs: taken, and without them', async () => {
    const { recordings } = await world.call({ seconds: 5 });
    world.host.answer = () => ({ action: 'done' });
    const form = formOf(recordings[0]!);
    for (const query of ['?taskSid={taskSid}', '?taskSid=%7BtaskSid%7D&reservationSid=a%20b'])
      expect(await world.attempt(form, query)).toBe(200);
    expect(registered(recordings[0]).map(({ hints }) => hints)).toEqual([{}, {}]);
  });

  test('what the host refuses for good Twilio hears as it was said', async () => {
    world.host.answer = () => 403;
    expect(await world.attempt(formOf(`RE${'0'.repeat(32)}`))).toBe(403);
  });
});

describe('time', () => {
  test('too long for what is left: handed back before a byte is sealed', async () => {
    const { recordings } = await world.call();
    world.host.answer = (callback) => copyLease(callback, { rate: 50_000 });
    const [attempts = []] = await world.deliver(recordings[0]!);
    expect(attempts).toMatchObject([{ status: 200 }]);
    expect(told(recordings[0])).toEqual([
      { outcome: 'handed-back', lease, reason: 'too-long' } satisfies CopyReport,
    ]);
    expect(await left(recordings[0]!)).toEqual(nothing);
  });

  test('out of time half-way: its parts are taken back; ended by the platform: they lie there for the janitor', async () => {
    const slow = (await world.call({ seconds: 3_000 })).recordings[0]!;
    const killed = (await world.call({ seconds: 3_000 })).recordings[0]!;
    // Both have uploaded parts by the end; the second one's clean-up hangs as well.
    for (const match of [slow, killed]) {
      await world.control('faults', { target: 'media', kind: 'slow', value: 2_000_000, times: 1, match });
    }
    await world.control('faults', {
      target: 's3',
      kind: 'stall',
      times: 0,
      match: `DELETE /custody/recordings/${world.sandbox.account.accountSid}/${killed}`,
    });
    // Twilio's retry of what was ended finds the lease still held.
    const granted = new Set<string>();
    world.host.answer = (callback) => {
      if (granted.has(callback.recordingSid)) return { action: 'busy' };
      granted.add(callback.recordingSid);
      return copyLease(callback);
    };
    const [[late] = [], [dead] = []] = await Promise.all(
      [slow, killed].map(async (recording) => (await world.deliver(recording))[0]),
    );
    expect(late).toMatchObject({ status: 200 });
    expect(dead).toMatchObject({ status: 504 });
    expect(told(slow)).toEqual([{ outcome: 'handed-back', lease, reason: 'out-of-time' }]);
    expect(told(killed)).toEqual([]);
    expect(await left(slow)).toEqual(nothing);
    expect(await left(killed)).toEqual({ objects: 0, uploads: expect.any(Number) });
    expect((await left(killed)).uploads).toBeGreaterThan(0);
  });
});

describe("Twilio's own FlexRecordingWebhook", () => {
  const forwarded = async (recording: string) =>
    (
      await world.control<{ forwarded: { taskSid: string; form: Record<string, string> }[] }>(
        `recordings/${recording}`,
      )
    ).forwarded;

  test('receives the form’s own fields, signed, once', async () => {
    const { recordings, task } = await world.call({ seconds: 5 });
    const [recording = ''] = recordings;
    const forwardTo = asTaskSid(task)!;
    world.host.answer = (callback) => copyLease(callback, { forwarded: false, forwardTo });
    expect(statuses(await world.deliver(recording))).toEqual([[200]]);
    const [form] = await forwarded(recording);
    expect(form!.taskSid).toBe(task);
    const { accountSid } = world.sandbox.account;
    expect(form!.form).toMatchObject({
      RecordingSid: recording,
      RecordingStatus: 'completed',
      RecordingUrl: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Recordings/${recording}`,
    });
    for (const own of ['taskSid', 'reservationSid', 'request']) expect(form!.form).not.toHaveProperty(own);
    expect(
      told(recording)
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(['forwarded', 'sealed']);

    world.host.answer = () => ({ action: 'done', forwarded: true });
    await world.deliver(recording);
    expect(await forwarded(recording)).toHaveLength(1);
  });

  test('that is away has Twilio call again', async () => {
    const { recordings, task } = await world.call({ seconds: 5 });
    const forwardTo = asTaskSid(task)!;
    await world.control('faults', { target: 'webhooks', kind: 'status', value: 503, times: 1 });
    let asked = 0;
    world.host.answer = (callback) =>
      asked++ === 0
        ? copyLease(callback, { forwarded: false, forwardTo })
        : { action: 'done', forwarded: false, forwardTo };
    expect(statuses(await world.deliver(recordings[0]!))).toEqual([[503, 200]]);
    expect(await forwarded(recordings[0]!)).toHaveLength(1);
    expect(await left(recordings[0]!)).toEqual({ objects: 1, uploads: 0 });
  });
});

test('nothing that a log must not hold is in it', async () => {
  const { recordings } = await world.call({ seconds: 5 });
  await world.deliver(recordings[0]!);
  const text = world.logged.join('\n');
  expect(text).toContain(recordings[0]);
  expect(text).not.toMatch(/\+\d{7,}|api\.twilio\.com/);
  expect(text).not.toContain(world.sandbox.account.authToken);
  expect(text).not.toContain(world.sandbox.s3.identities.functions.secretAccessKey);
});
