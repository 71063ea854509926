import { createFaults } from '../faults.ts';
import { type Media, openMediaFile, type WavSource } from '../media.ts';
import { newSid } from '../sids.ts';
import { type Question, startAsking } from '../testing/asking.ts';
import { createWorld, type Recording } from '../world.ts';

const world = createWorld();
const faults = createFaults();
const { accountSid, authToken, apiKey, apiSecret } = world.account;
let rest: Awaited<ReturnType<typeof startAsking>>;
let media: Media;
let dual: Recording & { media: WavSource };
let mono: Recording;
let conference: Recording;

beforeAll(async () => {
  rest = await startAsking(world, faults);
  media = await openMediaFile('sandbox/media/dialogue.wav');
  const add = (facts: Partial<Recording>): Recording => {
    const sid = newSid('RE');
    const channels = facts.channels ?? 2;
    const recording: Recording = {
      sid,
      callSid: newSid('CA'),
      conferenceSid: null,
      status: 'completed',
      source: 'OutboundAPI',
      track: 'both',
      channels,
      seconds: 2,
      errorCode: null,
      startedAt: new Date(),
      updatedAt: new Date(),
      media: media.recording({ channels, seconds: 2, mark: sid }),
      ...facts,
    };
    world.recordings.set(sid, recording);
    return recording;
  };
  dual = add({}) as typeof dual;
  mono = add({ channels: 1 });
  conference = add({ conferenceSid: newSid('CF') });
});
afterAll(async () => {
  await rest.close();
  await media.close();
});
beforeEach(() => {
  faults.clear();
  world.behaviour.mediaRange = false;
});

const ask = (path: string, question: Partial<Question> = {}) =>
  rest.ask({
    host: 'api.twilio.com',
    path: `/2010-04-01/Accounts/${accountSid}/Recordings/${path}`,
    ...question,
  });

const size = (seconds: number, channels: number) => 44 + seconds * 16_000 * channels;

test.each(['', '.wav'])('the audio lies at the recording’s own path%s, whole', async (ending) => {
  const answer = await ask(dual.sid + ending);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'audio/x-wav',
    'content-length': String(size(2, 2)),
  });
  expect(answer.body.toString('latin1', 0, 4)).toBe('RIFF');
});

test('an API key opens it too; nothing else does', async () => {
  expect((await ask(dual.sid, { auth: `${apiKey}:${apiSecret}` })).status).toBe(200);
  for (const auth of [':', `${accountSid}:`, `${accountSid}:${apiSecret}`, `${apiKey}:${authToken}`])
    expect((await ask(dual.sid, { auth })).status).toBe(401);
});

test('channels: as recorded, mono for a conference, two only where there are two', async () => {
  const bytes = async (path: string) => (await ask(path)).body.length;
  expect(await bytes(dual.sid)).toBe(size(2, 2));
  expect(await bytes(`${dual.sid}?RequestedChannels=1`)).toBe(size(2, 1));
  expect(await bytes(conference.sid)).toBe(size(2, 1));
  expect(await bytes(`${conference.sid}?RequestedChannels=2`)).toBe(size(2, 2));
  expect(await bytes(`${mono.sid}?RequestedChannels=1`)).toBe(size(2, 1));
  expect((await ask(`${mono.sid}?RequestedChannels=2`)).status).toBe(400);
  expect((await ask(`${dual.sid}?RequestedChannels=3`)).status).toBe(400);
});

test('what is missing, unfinished or MP3 is 404', async () => {
  expect((await ask(newSid('RE'))).status).toBe(404);
  expect((await ask(`${dual.sid}.mp3`)).status).toBe(404);
  const later = { ...dual, sid: newSid('RE'), status: 'processing' as const };
  world.recordings.set(later.sid, later);
  expect((await ask(later.sid)).status).toBe(404);
});

test('HEAD tells the length and sends nothing', async () => {
  const answer = await ask(dual.sid, { method: 'HEAD' });
  expect(answer.headers['content-length']).toBe(String(size(2, 2)));
  expect(answer.body).toHaveLength(0);
});

test('Range is ignored until the double is told that Twilio honours it', async () => {
  const headers = { range: 'bytes=44-53' };
  expect((await ask(dual.sid, { headers })).status).toBe(200);
  world.behaviour.mediaRange = true;
  const whole = (await ask(dual.sid)).body;
  const part = await ask(dual.sid, { headers });
  expect(part.status).toBe(206);
  expect(part.headers['content-range']).toBe(`bytes 44-53/${whole.length}`);
  expect(part.body.equals(whole.subarray(44, 54))).toBe(true);
  const suffix = await ask(dual.sid, { headers: { range: 'bytes=-10' } });
  expect(suffix.body.equals(whole.subarray(-10))).toBe(true);
  const stale = await ask(dual.sid, { headers: { ...headers, 'if-range': '"other"' } });
  expect(stale.status).toBe(200);
  const behind = await ask(dual.sid, { headers: { range: 'bytes=99999999-' } });
  expect([behind.status, behind.headers['content-range']]).toEqual([416, `bytes */${whole.length}`]);
});

describe('faults', () => {
  const set = (kind: 'status' | 'cut' | 'stall' | 'slow' | 'html' | 'empty' | 'short', value?: number) =>
    faults.add({ target: 'media', kind, times: 1, ...(value === undefined ? {} : { value }) });

  test('a status comes once, in Twilio’s shape, and the next try is well', async () => {
    set('status', 503);
    const answer = await ask(dual.sid);
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ status: 503, code: 20503 });
    expect((await ask(dual.sid)).status).toBe(200);
  });

  test('cut: the connection breaks where it was told to', async () => {
    set('cut', 1000);
    const answer = await ask(dual.sid);
    expect([answer.status, answer.complete, answer.error]).toEqual([200, false, 'aborted']);
    expect(answer.body).toHaveLength(1000);
  });

  test('short: a clean end after too little, which only the WAV itself betrays', async () => {
    set('short', 1000);
    const answer = await ask(dual.sid);
    expect([answer.status, answer.complete, answer.body.length]).toEqual([200, true, 1000]);
    expect(answer.headers['content-length']).toBeUndefined();
  });

  test('stall: nothing more comes, and nothing ends', async () => {
    set('stall', 1000);
    const answer = await ask(dual.sid, { patienceMs: 300 });
    expect([answer.body.length, answer.complete]).toEqual([1000, false]);
  });

  test('slow: as many bytes a second as it was told', async () => {
    set('slow', 128_000);
    const begun = Date.now();
    const answer = await ask(dual.sid);
    expect(answer.body).toHaveLength(size(2, 2));
    expect(Date.now() - begun).toBeGreaterThan(400);
  });

  test('a page of HTML and an empty body are both answered 200', async () => {
    set('html');
    const page = await ask(dual.sid);
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html']);
    set('empty');
    const empty = await ask(dual.sid);
    expect([empty.status, empty.body.length, empty.headers['content-length']]).toEqual([200, 0, '0']);
  });

  test('one on the API leaves media alone, and the other way round', async () => {
    faults.add({ target: 'api', kind: 'status', value: 500, times: 1 });
    expect((await ask(dual.sid)).status).toBe(200);
    expect((await ask(`${dual.sid}.json`)).status).toBe(500);
    set('status', 503);
    expect((await ask(`${dual.sid}.json`)).status).toBe(200);
  });
});
