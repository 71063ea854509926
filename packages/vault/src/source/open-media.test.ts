import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { credentials, MediaServer, source } from '../../test/media-server.ts';
import { codeOf, collect, wav } from '../../test/support.ts';
import { openMedia } from './open-media.ts';

const server = new MediaServer();
const audio = wav(2);
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => {
  server.urls.length = 0;
});

const open = (options: Parameters<typeof openMedia>[2] = {}) =>
  openMedia(source, credentials, { stallMs: 300, ...options });
const read = async (options: Parameters<typeof openMedia>[2] = {}) => collect((await open(options)).body);

test('asks Twilio by SIDs, with credentials, for both channels', async () => {
  server.answer = (request, response) => {
    expect(request.headers.authorization).toBe(
      `Basic ${Buffer.from('SK1:top-secret-password').toString('base64')}`,
    );
    expect(request.headers['accept-encoding']).toBe('identity');
    response
      .writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': audio.length, etag: '"e"' })
      .end(audio);
  };
  const media = await open();
  expect(media).toMatchObject({ channels: 2, contentLength: audio.length, etag: '"e"', status: 200 });
  expect((await collect(media.body)).equals(audio)).toBe(true);
  expect(server.urls).toEqual([
    `/2010-04-01/Accounts/${source.accountSid}/Recordings/${source.recordingSid}.wav?RequestedChannels=2`,
  ]);
});

test('takes one channel where there are no two', async () => {
  server.answer = (request, response) => {
    if (request.url?.endsWith('=2')) response.writeHead(400).end();
    else response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(audio);
  };
  const media = await open();
  expect(media.channels).toBe(1);
  expect(media.contentLength).toBeUndefined();
  expect(await collect(media.body)).toHaveLength(audio.length);
});

test('passes a range on', async () => {
  server.answer = (request, response) => {
    expect(request.headers.range).toBe('bytes=100-199');
    response
      .writeHead(206, {
        'content-type': 'audio/x-wav',
        'content-length': 100,
        'content-range': `bytes 100-199/${audio.length}`,
      })
      .end(audio.subarray(100, 200));
  };
  const media = await open({ range: 'bytes=100-199' });
  expect(media).toMatchObject({ status: 206, contentRange: `bytes 100-199/${audio.length}` });
  expect((await collect(media.body)).equals(audio.subarray(100, 200))).toBe(true);
});

test.each([
  [401, 'media_unauthorized', false],
  [403, 'media_unauthorized', false],
  [404, 'media_missing', false],
  [416, 'media_range', false],
  [429, 'media_unavailable', true],
  [500, 'media_unavailable', true],
  [503, 'media_unavailable', true],
  [400, 'media_unavailable', true],
])('%i is %s', async (status, code, retryable) => {
  server.answer = (_request, response) => response.writeHead(status).end('no');
  await expect(open()).rejects.toMatchObject({ code, retryable });
});

test('does not take its credentials elsewhere', async () => {
  server.answer = (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end();
  expect(await codeOf(open())).toBe('media_unavailable');
  expect(server.urls).toHaveLength(1);
});

describe('what is no recording', () => {
  test.each([
    ['an HTML page', 'text/html', Buffer.from('<html>Sign in</html>')],
    ['JSON', 'application/json', Buffer.from('{"code":20404}')],
    ['a page that calls itself audio', 'audio/x-wav', Buffer.from('<html>Please come back later</html>')],
    ['a few bytes', 'audio/x-wav', Buffer.from('RIFF')],
  ])('%s is media_not_audio', async (_what, type, body) => {
    server.answer = (_request, response) => response.writeHead(200, { 'content-type': type }).end(body);
    expect(await codeOf(read())).toBe('media_not_audio');
  });

  test('a compressed body is refused', async () => {
    server.serve(audio, { 'content-encoding': 'gzip' });
    expect(await codeOf(read())).toBe('media_not_audio');
  });

  test('nothing is media_empty', async () => {
    server.serve(Buffer.alloc(0));
    expect(await codeOf(read())).toBe('media_empty');
  });
});

describe('what is no whole recording', () => {
  test('a clean end before the announced length', async () => {
    server.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(audio.subarray(0, 5000));
    };
    expect(await codeOf(read())).toBe('media_short');
  });

  test('more than was announced', async () => {
    server.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(Buffer.concat([audio, audio]));
    };
    expect(await codeOf(read())).toBe('media_long');
  });

  test('a connection that is cut', async () => {
    server.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': audio.length });
      response.write(audio.subarray(0, 5000), () => setTimeout(() => response.destroy(), 30));
    };
    await expect(read()).rejects.toMatchObject({ code: 'media_cut', retryable: true });
  });

  test('silence before the answer, and within the body', async () => {
    server.answer = () => undefined;
    await expect(open({ stallMs: 100 })).rejects.toMatchObject({
      code: 'media_unavailable',
      retryable: true,
    });
    server.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': audio.length });
      response.write(audio.subarray(0, 5000));
    };
    await expect(read({ stallMs: 100 })).rejects.toMatchObject({ code: 'media_stalled', retryable: true });
  });

  test('but a slow reader is no silence', async () => {
    const long = wav(60);
    server.serve(long);
    const { body } = await open({ stallMs: 50 });
    await sleep(250);
    expect(await collect(body)).toHaveLength(long.length);
  });
});

test('ends with the caller’s signal, before the answer and within the body', async () => {
  const stop = new AbortController();
  const reason = new Error('lease lost');
  server.answer = () => undefined;
  const before = open({ signal: stop.signal });
  setTimeout(() => stop.abort(reason), 20);
  await expect(before).rejects.toBe(reason);
  server.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': audio.length });
    response.write(audio.subarray(0, 5000));
  };
  const later = new AbortController();
  const { body } = await open({ signal: later.signal });
  setTimeout(() => later.abort(reason), 20);
  await expect(collect(body)).rejects.toBe(reason);
});

test('no error carries the credentials', async () => {
  const errors: unknown[] = [];
  server.answer = (_request, response) => response.destroy();
  await open().catch((error) => errors.push(error));
  server.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': audio.length });
    response.write(audio.subarray(0, 5000), () => setTimeout(() => response.destroy(), 30));
  };
  await read().catch((error) => errors.push(error));
  expect(errors).toHaveLength(2);
  expect(inspect(errors, { depth: 20, showHidden: true })).not.toContain('top-secret');
});
