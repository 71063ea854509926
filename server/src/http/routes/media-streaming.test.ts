import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createKeys, createStore, type Store, sealStream } from '@flex-custody/vault';
import type { FastifyInstance } from 'fastify';
import { until } from '../../../../test/support/until.ts';
import type { StoredRecording } from '../../playback/audio.ts';
import { createMediaLinks } from '../../playback/media-link.ts';
import { createRecordingReader } from '../../playback/recording-reader.ts';
import {
  account,
  bytesOf,
  emptyApp,
  noise,
  publicUrl,
  recording,
  secret,
  serve,
  sha256,
  storedRow,
} from '../../playback/testing/kit.ts';
import { roomyLimits } from '../testing/roomy-limits.ts';
import { mediaRoute } from './media.ts';

/** The whole way over real sockets: player, our route, the real store, an S3 that answers one object's ranges. */
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const links = createMediaLinks({ secret, publicUrl, ttlSeconds: 600 });
const plaintext = noise(40_000_000);
let ciphertext: Buffer;
let row: StoredRecording;
let bucket: Server;
let store: Store;
let app: FastifyInstance;
let port: number;
/** What S3 is asked for and has not ended yet. */
const asked = new Set<ServerResponse>();
/** Bytes after which S3 breaks off. */
let breakAfter = Number.POSITIVE_INFINITY;

beforeAll(async () => {
  const seal = await sealStream(keys, { account, recording });
  ciphertext = await bytesOf(Readable.from([plaintext], { objectMode: false }).pipe(seal));
  row = storedRow({
    plaintextBytes: plaintext.length,
    plaintextSha256: sha256(plaintext),
    bytes: ciphertext.length,
  });
  bucket = createServer((request, response) => {
    asked.add(response);
    response.once('close', () => asked.delete(response));
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = [Number(from), Math.min(Number(to), ciphertext.length - 1)];
    response.writeHead(206, {
      etag: row.object.etag,
      'content-length': end - start + 1,
      'content-range': `bytes ${start}-${end}/${ciphertext.length}`,
    });
    const chunks = function* () {
      for (let at = start; at <= end; at += 65_536) {
        if (at - start > breakAfter) throw new Error('S3 breaks off');
        yield ciphertext.subarray(at, Math.min(at + 65_536, end + 1));
      }
    };
    const body = Readable.from(chunks(), { objectMode: false, highWaterMark: 65_536 });
    body.on('error', () => response.destroy());
    body.pipe(response);
  });
  bucket.listen(0, '127.0.0.1');
  await once(bucket, 'listening');
  store = createStore({
    bucket: 'calls',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(bucket.address() as AddressInfo).port}`,
    pathStyle: true,
    accessKeyId: 'a',
    secretAccessKey: 'b',
    mode: 'envelope',
  });
  app = emptyApp();
  await mediaRoute(app, {
    catalog: { find: async () => row },
    limits: roomyLimits(),
    mediaLinks: links,
    reader: createRecordingReader({ store, keys, log: { warn: () => undefined } }),
    twilioMedia: { open: () => Promise.reject(new Error('not here')) },
  });
  ({ port } = await serve(app));
});
afterAll(async () => {
  // Of a test that failed half-way.
  app.server.closeAllConnections();
  await app.close();
  store.close();
  bucket.closeAllConnections();
  bucket.close();
});
beforeEach(() => {
  breakAfter = Number.POSITIVE_INFINITY;
});

async function begin(headers = {}): Promise<IncomingMessage> {
  const claims = {
    viewer: 'ada',
    recordingSid: recording,
    origin: 'vault',
    version: '"e1"',
    channels: 2,
  } as const;
  const path = (await links.issue(claims)).slice(publicUrl.length);
  const [answer] = (await once(get({ port, path, headers, agent: false }), 'response')) as [IncomingMessage];
  return answer;
}

test('a sealed recording plays whole, and from the middle', async () => {
  expect((await bytesOf(await begin())).equals(plaintext)).toBe(true);
  const answer = await begin({ range: 'bytes=20000000-' });
  expect(answer.statusCode).toBe(206);
  expect((await bytesOf(answer)).equals(plaintext.subarray(20_000_000))).toBe(true);
});

test('a listener who leaves ends what S3 still sends for them', async () => {
  const answers = await Promise.all([begin(), begin(), begin()]);
  await Promise.all(answers.map((answer) => once(answer, 'readable')));
  await until(() => asked.size === 3);
  expect(asked.size).toBe(3);
  for (const answer of answers) answer.destroy();
  await until(() => asked.size === 0);
  expect(asked.size).toBe(0);
});

test('S3 breaking off cuts the listener’s connection', async () => {
  breakAfter = 5_000_000;
  const answer = await begin();
  await expect(bytesOf(answer)).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('forty listeners at once each get every byte', async () => {
  const heard = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const start = index * 1_000_000;
      const part = await bytesOf(await begin({ range: `bytes=${start}-${start + 999_999}` }));
      return part.equals(plaintext.subarray(start, start + 1_000_000));
    }),
  );
  expect(heard).toEqual(heard.map(() => true));
});
