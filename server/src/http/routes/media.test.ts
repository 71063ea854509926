import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { Audio } from '../../playback/audio.ts';
import { createMediaLinks, type MediaClaims } from '../../playback/media-link.ts';
import {
  type Ask,
  emptyApp,
  noise,
  otherRecording,
  publicUrl,
  recording,
  rowOf,
  secret,
  serve,
  sha256,
  storedRow,
} from '../../playback/testing/kit.ts';
import { cors } from '../plugins/cors.ts';
import { roomyLimits } from '../testing/roomy-limits.ts';
import { mediaRoute } from './media.ts';

const content = noise(50_000);
const etag = `"${sha256(content)}"`;
const links = createMediaLinks({ secret, publicUrl, ttlSeconds: 600 });
const stored = storedRow({ plaintextBytes: content.length, plaintextSha256: sha256(content) });

let app: FastifyInstance;
let ask: Ask;
let port: number;
let row: RecordingRow | undefined;
let audio: Audio;
let bodies: Readable[];
let discarded: number;
let twilioAsked: object[];
let looks: number;

/** Audio whose reads are counted, from content or from whatever `from` yields. */
type Range = { start: number; end: number };
function audioOf(
  from: (range: Range) => Iterable<Buffer> | AsyncIterable<Buffer>,
  bytes = content.length,
): Audio {
  return {
    etag,
    bytes,
    async read(range = { start: 0, end: bytes - 1 }) {
      const body = Readable.from(from(range), { objectMode: false });
      bodies.push(body);
      return body;
    },
    discard: () => {
      discarded += 1;
    },
  };
}
const whole = audioOf(({ start, end }) => [content.subarray(start, end + 1)]);

beforeAll(async () => {
  app = emptyApp();
  await app.register(cors, { origins: ['https://flex.twilio.com'] });
  await mediaRoute(app, {
    catalog: {
      find: async () => {
        looks += 1;
        return row;
      },
    },
    limits: roomyLimits(),
    mediaLinks: links,
    reader: { open: async () => audio, openAhead: () => undefined },
    twilioMedia: {
      open: async ({ row: _row, signal: _signal, ...asked }) => {
        twilioAsked.push(asked);
        return audio;
      },
    },
  });
  ({ ask, port } = await serve(app));
});
afterAll(() => app.close());
beforeEach(() => {
  row = stored;
  audio = whole;
  bodies = [];
  discarded = 0;
  twilioAsked = [];
  looks = 0;
});

async function pathOf(claims: Partial<MediaClaims> = {}): Promise<string> {
  const full = {
    viewer: 'ada',
    recordingSid: recording,
    origin: 'vault',
    version: '"e1"',
    channels: 2,
  } as const;
  return (await links.issue({ ...full, ...claims })).slice(publicUrl.length);
}
const fetchMedia = async (headers = {}, method = 'GET') => ask(await pathOf(), headers, method);

test('a player that jumps about is looked up once, by its link; for another link, or later, again', async () => {
  const path = await pathOf();
  for (const range of ['bytes=0-1', 'bytes=9-', 'bytes=-5']) {
    expect((await ask(path, { range }, 'GET')).status).toBe(206);
  }
  expect(looks).toBe(1);
  await ask(await pathOf(), {}, 'GET');
  expect(looks).toBe(2);
  row = undefined;
  await sleep(2_050);
  expect((await ask(path, {}, 'GET')).status).toBe(404);
});

describe('GET and HEAD (RFC 9110, 9.3)', () => {
  test('GET answers the whole, its length and its tag', async () => {
    const { status, headers, body } = await fetchMedia();
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'audio/wav',
      'content-length': '50000',
      'accept-ranges': 'bytes',
      'content-disposition': 'inline',
      etag,
    });
    expect(body.equals(content)).toBe(true);
  });

  test('HEAD answers the same fields and reads nothing', async () => {
    const { status, headers, body } = await fetchMedia({ range: 'bytes=0-9' }, 'HEAD');
    // Range has a meaning for GET alone (14.2).
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-length': '50000', 'content-type': 'audio/wav', etag });
    expect(body).toHaveLength(0);
    expect(bodies).toHaveLength(0);
  });

  test.each(['POST', 'PUT', 'DELETE'])('%s is not spoken', async (method) => {
    expect((await fetchMedia({}, method)).status).toBe(404);
  });

  test('nothing on the way may keep the answer or hand on the token', async () => {
    for (const path of [await pathOf(), `/media/${recording}.wav?token=bad`]) {
      const { headers } = await ask(path, { origin: 'https://flex.twilio.com' });
      expect(headers).toMatchObject({
        'cache-control': 'private, no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'access-control-allow-origin': 'https://flex.twilio.com',
        'access-control-expose-headers': expect.stringContaining('Content-Range'),
      });
    }
  });
});

describe('range requests (RFC 9110, 14)', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-', 0, 49_999],
    ['bytes=25000-', 25_000, 49_999],
    ['bytes=-100', 49_900, 49_999],
    ['bytes=10-19', 10, 19],
    ['bytes=49999-60000', 49_999, 49_999],
    ['bytes=-60000', 0, 49_999],
  ])('206 for %s', async (range, start, end) => {
    const { status, headers, body } = await fetchMedia({ range });
    expect(status).toBe(206);
    expect(headers['content-range']).toBe(`bytes ${start}-${end}/50000`);
    expect(headers['content-length']).toBe(String(end - start + 1));
    expect(body.equals(content.subarray(start, end + 1))).toBe(true);
  });

  test.each(['bytes=50000-', 'bytes=-0', 'bytes=99999-100000'])(
    '416 for %s, with the length',
    async (range) => {
      const { status, headers, body } = await fetchMedia({ range });
      expect(status).toBe(416);
      expect(headers['content-range']).toBe('bytes */50000');
      expect(body).toHaveLength(0);
      expect(bodies).toHaveLength(0);
    },
  );

  test.each(['bytes=0-1,5-6', 'lines=1-2', 'bytes=9-1', 'nonsense'])('the whole for %s', async (range) => {
    const { status, headers, body } = await fetchMedia({ range });
    expect(status).toBe(200);
    expect(headers['content-range']).toBeUndefined();
    expect(body.equals(content)).toBe(true);
  });

  test('random ranges give exactly their bytes', async () => {
    for (let round = 0; round < 40; round += 1) {
      const start = Math.floor(Math.random() * content.length);
      const end = start + Math.floor(Math.random() * (content.length - start));
      const { body } = await fetchMedia({ range: `bytes=${start}-${end}` });
      expect(body.equals(content.subarray(start, end + 1))).toBe(true);
    }
  });

  test('If-Range with our tag gives the part, with any other the whole (13.1.5)', async () => {
    const range = 'bytes=5-9';
    expect((await fetchMedia({ range, 'if-range': etag })).status).toBe(206);
    expect((await fetchMedia({ range, 'if-range': '"other"' })).status).toBe(200);
    expect((await fetchMedia({ range, 'if-range': `W/${etag}` })).status).toBe(200);
    expect((await fetchMedia({ range, 'if-range': 'Sat, 29 Oct 1994 19:43:31 GMT' })).status).toBe(200);
  });
});

describe('conditional requests (RFC 9110, 13)', () => {
  test('If-None-Match with our tag: 304, for HEAD too, and nothing is read', async () => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, body } = await fetchMedia({ 'if-none-match': etag }, method);
      expect(status).toBe(304);
      expect(headers['etag']).toBe(etag);
      expect(body).toHaveLength(0);
    }
    expect(bodies).toHaveLength(0);
    expect(discarded).toBe(2);
    expect((await fetchMedia({ 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('If-Match without our tag: 412, before anything else is asked (13.2.2)', async () => {
    const { status } = await fetchMedia({
      'if-match': '"other"',
      'if-none-match': etag,
      range: 'bytes=99999-',
    });
    expect(status).toBe(412);
    expect((await fetchMedia({ 'if-match': etag })).status).toBe(200);
    expect((await fetchMedia({ 'if-match': '*', range: 'bytes=0-1' })).status).toBe(206);
  });

  test('304 goes before a range', async () => {
    expect((await fetchMedia({ 'if-none-match': etag, range: 'bytes=99999-' })).status).toBe(304);
  });
});

describe('the link', () => {
  test('none, another recording’s, and a path that names no recording', async () => {
    expect((await ask(`/media/${recording}.wav`)).status).toBe(401);
    const other = (await pathOf()).replace(recording, otherRecording);
    expect((await ask(other)).status).toBe(403);
    expect((await ask(`/media/RE1.wav?token=x`)).status).toBe(404);
    expect((await ask((await pathOf()).replace('.wav', '.mp3'))).status).toBe(404);
  });

  test('of several tokens the first counts', async () => {
    expect((await ask(`/media/${recording}.wav?token=bad&${(await pathOf()).split('?')[1]}`)).status).toBe(
      403,
    );
  });

  test('a recording that is gone no longer plays', async () => {
    row = undefined;
    expect((await fetchMedia()).json).toEqual({ error: 'recording_unknown' });
  });

  test('a link plays the version it was issued for, or nothing', async () => {
    row = { ...stored, object: { ...stored.object, etag: '"e2"' } };
    expect((await fetchMedia()).json).toEqual({ error: 'link_outdated' });
    row = rowOf({ state: 'registered' });
    expect((await fetchMedia()).status).toBe(410);
  });

  test('a link pinned to Twilio stays there when the copy arrives, with its own channels', async () => {
    const path = await pathOf({ origin: 'twilio', channels: 1 });
    expect((await ask(path, { range: 'bytes=1-5' })).status).toBe(206);
    expect((await ask(path, { range: 'bytes=1-5' }, 'HEAD')).status).toBe(200);
    expect(twilioAsked).toEqual([{ channels: 1, range: 'bytes=1-5' }, { channels: 1 }]);
    expect(discarded).toBe(1);
  });

  test.each<[string, Partial<RecordingRow>]>([
    ['that is to be erased', { intent: { reason: 'erasure', policy: 'p', begunAt: new Date() } }],
    ['of which something has gone', { state: 'erased' }],
    ['of which nothing was recorded', { state: 'absent' }],
  ])('one %s plays by no link, wherever that leads', async (_what, change) => {
    const paths = [await pathOf(), await pathOf({ origin: 'twilio' })];
    row = { ...stored, ...change };
    for (const path of paths) expect((await ask(path)).status).toBe(410);
    expect([bodies, twilioAsked]).toEqual([[], []]);
  });

  test('an origin that does not say its length is sent whole, without ranges', async () => {
    const { bytes: _bytes, ...unmeasured } = whole;
    audio = unmeasured;
    const { status, headers, body } = await ask(await pathOf({ origin: 'twilio' }), { range: 'bytes=1-5' });
    expect(status).toBe(200);
    expect(headers['accept-ranges']).toBe('none');
    expect(body.equals(content)).toBe(true);
  });
});

describe('a body that goes wrong', () => {
  const begin = async () => {
    const [answer] = (await once(get({ port, path: await pathOf(), agent: false }), 'response')) as [
      IncomingMessage,
    ];
    return answer;
  };

  test('an error before the first byte is an error answer', async () => {
    // biome-ignore lint/correctness/useYield: it fails before it has anything to give
    audio = audioOf(async function* () {
      throw new Error('no');
    });
    const { status, headers, json } = await fetchMedia();
    expect([status, json]).toEqual([500, { error: 'unexpected' }]);
    expect(headers['etag']).toBeUndefined();
    expect(headers['cache-control']).toBe('private, no-store');
  });

  test('an error in the middle cuts the connection instead of ending it', async () => {
    audio = audioOf(async function* () {
      yield content.subarray(0, 20_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('a frame did not open');
    });
    const answer = await begin();
    expect(answer.statusCode).toBe(200);
    const received: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => received.push(chunk));
    const [error] = (await once(answer, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    expect(Buffer.concat(received)).toHaveLength(20_000);
  });

  test('a listener who leaves lets go of everything', async () => {
    audio = audioOf(async function* () {
      for (;;) yield Buffer.alloc(65_536);
    }, 1e9);
    const answer = await begin();
    await once(answer, 'data');
    expect(bodies[0]?.destroyed).toBe(false);
    answer.destroy();
    const [body] = bodies as [Readable];
    if (!body.destroyed) await once(body, 'close');
    expect(body.destroyed).toBe(true);
  });

  test('a listener who does not read holds the source back', async () => {
    let given = 0;
    audio = audioOf(async function* () {
      for (;;) {
        given += 65_536;
        yield Buffer.alloc(65_536);
      }
    }, 1e9);
    const answer = await begin();
    answer.pause();
    // What the two sockets' own buffers take.
    const most = 24_000_000;
    for (let held = -1; held !== given && given < most; await sleep(300)) held = given;
    expect(given).toBeLessThan(most);
    answer.destroy();
  });
});
