import { once } from 'node:events';
import { Readable } from 'node:stream';
import { CustodyError, type ErrorCode } from '@flex-custody/core';
import { type OpenedMedia, openMedia } from '@flex-custody/vault';
import { until } from '../../../test/support/until.ts';
import { Reads } from './resting-stream.ts';
import { account, bytesOf, noise, recording, rowOf } from './testing/kit.ts';
import { contentRangeOf, createTwilioMedia, slice } from './twilio-media.ts';

jest.mock('@flex-custody/vault', () => ({ openMedia: jest.fn() }));
const source = jest.mocked(openMedia);

const content = noise(50_000);
const credentials = { username: 'SK1', password: 's' };
const media = createTwilioMedia(credentials);
const bodies: Readable[] = [];

function chunked(bytes: Buffer): Readable {
  const chunks = function* () {
    for (let at = 0; at < bytes.length; at += 7_001) yield bytes.subarray(at, at + 7_001);
  };
  const body = Readable.from(chunks(), { objectMode: false });
  bodies.push(body);
  return body;
}

const base = { contentType: 'audio/x-wav', channels: 2, acceptRanges: false, etag: '"t1"' } as const;
const whole = (more: Partial<OpenedMedia> = {}): OpenedMedia => ({
  ...base,
  status: 200,
  contentLength: content.length,
  body: chunked(content),
  ...more,
});
const part = (
  start: number,
  end: number,
  contentRange = `bytes ${start}-${end}/${content.length}`,
): OpenedMedia => ({
  ...base,
  status: 206,
  contentLength: end - start + 1,
  contentRange,
  body: chunked(content.subarray(start, end + 1)),
});

beforeEach(() => {
  source.mockReset();
  bodies.length = 0;
});

const open = (range?: string) => media.open({ row: rowOf(), channels: 1, ...(range && { range }) });

test('asks for the link’s own channels, by SID, with the range passed on', async () => {
  source.mockImplementation(async () => part(5, 9));
  await open('bytes=5-9');
  expect(source).toHaveBeenCalledWith(
    { accountSid: account, recordingSid: recording, channels: 1 },
    credentials,
    {
      range: 'bytes=5-9',
    },
  );
});

test('the whole is the whole', async () => {
  source.mockImplementation(async () => whole());
  const audio = await open();
  expect([audio.bytes, audio.etag]).toEqual([content.length, '"t1"']);
  expect((await bytesOf(await audio.read())).equals(content)).toBe(true);
});

test('a granted range is taken as it comes', async () => {
  source.mockImplementation(async () => part(100, 199));
  const audio = await open('bytes=100-199');
  expect(audio.bytes).toBe(content.length);
  expect((await bytesOf(await audio.read({ start: 100, end: 199 }))).equals(content.subarray(100, 200))).toBe(
    true,
  );
  expect(source).toHaveBeenCalledTimes(1);
});

test('an ignored range is cut out of the whole, and no more is fetched than needed', async () => {
  source.mockImplementation(async () => whole());
  const audio = await open('bytes=100-199');
  expect((await bytesOf(await audio.read({ start: 100, end: 199 }))).equals(content.subarray(100, 200))).toBe(
    true,
  );
  expect(bodies[0]?.destroyed).toBe(true);
});

test.each([
  ['another range than the one asked for', part(0, 99).contentRange],
  ['no word of what it is', 'nonsense'],
  ['no length', 'bytes 100-199/*'],
])('206 with %s is not believed', async (_name, contentRange) => {
  source
    .mockImplementationOnce(async () => part(0, 99, contentRange))
    .mockImplementationOnce(async () => whole());
  const audio = await open('bytes=100-199');
  expect((await bytesOf(await audio.read({ start: 100, end: 199 }))).equals(content.subarray(100, 200))).toBe(
    true,
  );
  expect(bodies.map((body) => body.destroyed)).toEqual([true, true]);
});

test('a stale If-Range gives the whole, though a part was opened', async () => {
  source.mockImplementationOnce(async () => part(100, 199)).mockImplementationOnce(async () => whole());
  const audio = await open('bytes=100-199');
  expect((await bytesOf(await audio.read())).equals(content)).toBe(true);
  expect(bodies[0]?.destroyed).toBe(true);
});

test('a range that Twilio will not have is answered from the length of the whole', async () => {
  source
    .mockRejectedValueOnce(new CustodyError('media_range', 'no such range'))
    .mockImplementationOnce(async () => whole());
  await expect(open('bytes=99999-')).resolves.toMatchObject({ bytes: content.length });
});

test('without a length no ranges are offered', async () => {
  const { contentLength: _length, ...unmeasured } = whole();
  source.mockResolvedValueOnce(unmeasured);
  const audio = await open();
  expect(audio.bytes).toBeUndefined();
  expect((await bytesOf(await audio.read())).equals(content)).toBe(true);
});

describe('a listener who pauses', () => {
  const reads = new Reads({ most: 10, restMs: 10 });
  const pausing = createTwilioMedia(credentials, reads);
  const begin = async (range?: { start: number; end: number }) => {
    const header = range && `bytes=${range.start}-${range.end}`;
    const audio = await pausing.open({ row: rowOf(), channels: 1, ...(header && { range: header }) });
    const stream = await audio.read(range);
    const heard: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => heard.push(chunk));
    stream.once('data', () => stream.pause());
    await once(stream, 'pause');
    await until(() => reads.size === 0);
    return { stream, heard };
  };
  const ranged: typeof openMedia = async (_source, _credentials, { range } = {}) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    return from === undefined ? whole() : part(Number(from), Number(to));
  };

  test.each([
    ['from the whole', undefined, ranged],
    ['from a range', { start: 100, end: 40_000 }, ranged],
    ['where Twilio takes no ranges', { start: 100, end: 40_000 }, async () => whole()],
  ])('gives the connection back, and goes on where he was: %s', async (_name, range, answers) => {
    source.mockImplementation(answers);
    const { stream, heard } = await begin(range);
    expect(bodies[0]?.destroyed).toBe(true);
    stream.resume();
    await once(stream, 'end');
    const { start, end } = range ?? { start: 0, end: content.length - 1 };
    expect(Buffer.concat(heard).equals(content.subarray(start, end + 1))).toBe(true);
    expect(source).toHaveBeenCalledTimes(2);
  });

  test.each<[string, () => OpenedMedia]>([
    ['another tag', () => whole({ etag: '"t2"' })],
    ['another length', () => whole({ contentLength: 3 })],
    ['another part', () => part(0, 99)],
  ])('hears nothing of media that has %s meanwhile', async (_name, answers) => {
    source.mockImplementationOnce(async () => whole()).mockImplementationOnce(async () => answers());
    const { stream, heard } = await begin();
    const failed = once(stream, 'error');
    stream.resume();
    expect(await failed).toMatchObject([{ code: 'media_cut' }]);
    const all = Buffer.concat(heard);
    expect(all.length).toBeLessThan(content.length);
    expect(all.equals(content.subarray(0, all.length))).toBe(true);
  });

  test('keeps the connection where nobody knows the length', async () => {
    const { contentLength: _length, ...unmeasured } = whole();
    source.mockResolvedValueOnce(unmeasured);
    const audio = await pausing.open({ row: rowOf(), channels: 1 });
    expect((await bytesOf(await audio.read())).equals(content)).toBe(true);
    expect(reads.size).toBe(0);
  });
});

test('what is not read is let go', async () => {
  source.mockImplementation(async () => whole());
  (await open()).discard();
  expect(bodies[0]?.destroyed).toBe(true);
});

test.each<[ErrorCode, ErrorCode, number]>([
  ['media_unauthorized', 'media_refused', 502],
  ['media_stalled', 'media_unavailable', 503],
  ['media_unavailable', 'media_unavailable', 503],
  ['media_missing', 'media_missing', 404],
])('Twilio’s %s is not the listener’s fault', async (code, as, answered) => {
  source.mockRejectedValue(new CustodyError(code, 'no'));
  await expect(open('bytes=0-1')).rejects.toMatchObject({ code: as, status: answered });
  expect(source).toHaveBeenCalledTimes(1);
});

test('a slice of a body that ends early is an error', async () => {
  await expect(bytesOf(slice(chunked(content), 49_000, 60_000))).rejects.toMatchObject({ code: 'media_cut' });
});

test('any slice is exactly its bytes', async () => {
  for (let round = 0; round < 50; round += 1) {
    const start = Math.floor(Math.random() * content.length);
    const end = start + Math.floor(Math.random() * (content.length - start));
    expect(
      (await bytesOf(slice(chunked(content), start, end))).equals(content.subarray(start, end + 1)),
    ).toBe(true);
  }
});

test('a listener who leaves during a silence does not keep the connection', async () => {
  const silent = new Readable({ read: () => undefined });
  const stream = slice(silent, 10, 20);
  stream.resume();
  stream.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(silent.destroyed).toBe(true);
});

test.each([undefined, 'bytes */1234', 'bytes 42-1233/*', 'bytes 5-4/10', 'bytes 5-10/10', 'undefined', ''])(
  'a Content-Range that vouches for nothing is not believed: %s',
  (header) => {
    expect(contentRangeOf(header)).toBeUndefined();
  },
);
