import type { RecordingSid } from '@flex-custody/core';
import { createStore } from '@flex-custody/vault';
import { createMediaLinks } from '../../server/src/playback/media-link.ts';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

let host: RealHost;
beforeAll(async () => {
  host = await startRealHost();
});
afterAll(() => host.stop());
afterEach(async () => {
  host.sandbox.twilio.world.behaviour.clockSeconds = 0;
  await fetch(`${host.sandbox.url}/sandbox/faults`, { method: 'DELETE' });
});

async function taken(): Promise<string> {
  const { recordings } = await host.place({ seconds: 2 });
  const [sid = ''] = recordings;
  expect((await host.run('reconcile', '--since', '2020-01-01', '--no-bucket')).code).toBe(0);
  await host.reaches(sid, 'verified');
  return sid;
}

async function inBucket(of: string): Promise<number> {
  const store = createStore({ ...host.sandbox.s3, pathStyle: true, mode: 'envelope' });
  let found = 0;
  for await (const { key } of store.versions('recordings/')) if (key.includes(of)) found += 1;
  store.close();
  return found;
}

/** Status of a link to Twilio's audio that was issued before there was a copy. */
async function oldLink(sid: string): Promise<number> {
  const secret = Buffer.from(host.env['CUSTODY_MEDIA_SECRET'] ?? '', 'base64');
  const links = createMediaLinks({ secret, publicUrl: host.url, ttlSeconds: 600 });
  const recordingSid = sid as RecordingSid;
  const url = await links.issue({ viewer: 'ada', recordingSid, origin: 'twilio', channels: 2 });
  return (await fetch(url)).status;
}

test('a slip in what is named erases nothing, and says which it is', async () => {
  const sid = await taken();
  const slip = `RE${'0'.repeat(32)}`;
  const run = await host.run('erase', '--recording', sid, '--recording', slip, '--yes');
  expect([run.code, run.err]).toEqual([
    1,
    expect.stringContaining(`recording_unknown: the catalog does not know ${slip}`),
  ]);
  const task = `WT${'0'.repeat(32)}`;
  expect(await host.run('erase', '--task', task)).toMatchObject({
    code: 1,
    err: expect.stringContaining(`task_unrecorded: the catalog does not know ${task}`),
  });
  expect(await host.run('erase', '--yes')).toMatchObject({
    code: 2,
    err: expect.stringContaining('name what to erase'),
  });
  expect((await host.show(sid)).state).toBe('verified');
  expect((await host.play(sid)).status).toBe(200);
});

test('by a clock that is wrong nothing is erased', async () => {
  const sid = await taken();
  host.sandbox.twilio.world.behaviour.clockSeconds = -60 * 86_400;
  const run = await host.run('erase', '--recording', sid, '--yes');
  expect([run.code, run.err]).toEqual([1, expect.stringContaining("s ahead of Twilio's clock")]);
  expect(await host.run('alarms')).toMatchObject({ code: 1, out: expect.stringContaining('clock_differs') });
  const { code, out } = await host.run('alarms', '--json');
  const listed = JSON.parse(out) as { id: number; code: string }[];
  expect([code, listed]).toEqual([
    1,
    [expect.objectContaining({ code: 'clock_differs', resolvedBy: expect.any(String) })],
  ]);
  expect((await host.run('alarms', 'clear', String(listed[0]?.id))).code).toBe(0);
  expect((await host.run('alarms', 'clear', String(listed[0]?.id))).code).toBe(1);
  expect((await host.run('alarms', '--json')).code).toBe(0);
  expect(host.sandbox.twilio.world.recordings.get(sid)?.status).toBe('completed');
  host.sandbox.twilio.world.behaviour.clockSeconds = 0;
  expect((await host.play(sid)).status).toBe(200);
});

test('from the first step on no link plays; while Twilio is away it is not ended, and then it is', async () => {
  const sid = await taken();
  expect(await oldLink(sid)).toBe(200);
  await host.control('faults', { target: 'api', kind: 'status', value: 503, times: 0, match: 'DELETE /' });
  const begun = await host.run('erase', '--recording', sid, '--reference', 'court order', '--yes');
  expect([begun.code, begun.out]).toEqual([
    1,
    expect.stringContaining('erasure not finished: twilio_unavailable'),
  ]);
  expect(host.sandbox.twilio.world.recordings.get(sid)?.status).toBe('completed');
  expect([await inBucket(sid), await oldLink(sid), (await host.play(sid)).status]).toEqual([0, 410, 410]);
  // Deleted in Twilio's console meanwhile: it refuses to delete it once more.
  await fetch(`${host.sandbox.url}/sandbox/faults`, { method: 'DELETE' });
  const recording = host.sandbox.twilio.world.recordings.get(sid)!;
  recording.status = 'deleted';
  const other = await taken();
  const ended = await host.run('erase', '--recording', other, '--reference', 'ticket B', '--yes');
  expect([ended.code, ended.out]).toEqual([0, expect.stringMatching(/erased +2/)]);
  const { certificate = '' } = await host.show(sid);
  const { out } = await host.run('certificates', 'show', certificate);
  expect(JSON.parse(Buffer.from(out.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
    reason: 'erasure',
    reference: 'court order',
    recordings: [{ recording: sid, twilio: 'deleted' }],
  });
});

test('what the bucket refuses to remove is as it was before', async () => {
  const sid = await taken();
  const before = await host.show(sid);
  const match = `DELETE /${host.sandbox.s3.bucket}/recordings/AC`;
  await host.control('faults', { target: 's3', kind: 'status', value: 403, times: 0, match });
  const run = await host.run('erase', '--recording', sid, '--yes');
  expect([run.code, run.out]).toEqual([1, expect.stringContaining('erasure not finished: store_denied')]);
  expect(await host.show(sid)).toEqual({ ...before, updatedAt: expect.anything() });
  expect((await host.play(sid)).status).toBe(200);
});
