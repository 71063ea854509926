import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createKeys, createStore, type Store, sealStream } from '@flex-custody/vault';
import type { FastifyInstance } from 'fastify';
import { createMediaLinks } from '../../playback/media-link.ts';
import { createRecordingReader } from '../../playback/recording-reader.ts';
import { Reads } from '../../playback/resting-stream.ts';
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
import { createLimits } from '../plugins/limits.ts';
import { mediaRoute } from './media.ts';

/** Many players who take nothing, over real sockets; the connections to the bucket are few, so that they run out. */
const connections = 6;
const paused = 40;
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const links = createMediaLinks({ secret, publicUrl, ttlSeconds: 600 });
/** More than the sockets on the way to a player hold. */
const plaintext = noise(12_000_000);
let bucket: Server;
let store: Store;
let app: FastifyInstance;
let port: number;
const players: IncomingMessage[] = [];

beforeAll(async () => {
  const seal = await sealStream(keys, { account, recording });
  const ciphertext = await bytesOf(Readable.from([plaintext], { objectMode: false }).pipe(seal));
  const row = storedRow({
    plaintextBytes: plaintext.length,
    plaintextSha256: sha256(plaintext),
    bytes: ciphertext.length,
  });
  bucket = createServer((request, response) => {
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from ?? 0);
    const end = Math.min(Number(to || ciphertext.length - 1), ciphertext.length - 1);
    response.writeHead(from === undefined ? 200 : 206, {
      etag: row.object.etag,
      'content-length': end - start + 1,
      ...(from !== undefined && { 'content-range': `bytes ${start}-${end}/${ciphertext.length}` }),
    });
    response.end(ciphertext.subarray(start, end + 1));
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
    readsAtOnce: connections,
    turnMs: 60_000,
  });
  app = emptyApp();
  await mediaRoute(app, {
    catalog: { find: async () => row },
    limits: createLimits({ trustedProxies: ['127.0.0.1'], streamsPerViewer: 24, streamsPerAddress: 128 }),
    mediaLinks: links,
    reader: createRecordingReader({
      store,
      keys,
      log: { warn: () => undefined },
      // No player is given up for time here: the test would have to wait for it.
      reads: new Reads({ most: connections - 2, restMs: 600_000, pausedMs: 0 }),
    }),
    twilioMedia: { open: () => Promise.reject(new Error('not here')) },
  });
  ({ port } = await serve(app));
});
afterEach(() => {
  for (const player of players.splice(0)) player.destroy();
});
afterAll(async () => {
  app.server.closeAllConnections();
  await app.close();
  store.close();
  bucket.closeAllConnections();
  bucket.close();
});

const linkOf = async (viewer: string) => {
  const claims = { viewer, recordingSid: recording, origin: 'vault', version: '"e1"', channels: 2 } as const;
  return (await links.issue(claims)).slice(publicUrl.length);
};

/** A player that has its first bytes, and then reads no more. */
async function press(path: string): Promise<IncomingMessage> {
  const [answer] = (await once(get({ port, path, agent: false }), 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  players.push(answer);
  if (answer.statusCode === 200) await once(answer, 'readable');
  return answer;
}

test('of one link eight play; the rest are refused, and nobody else waits for them', async () => {
  const path = await linkOf('ada');
  const answers = await Promise.all(Array.from({ length: paused }, () => press(path)));
  const statuses = answers.map(({ statusCode }) => statusCode).sort();
  expect(statuses).toEqual([...Array<number>(8).fill(200), ...Array<number>(paused - 8).fill(429)]);
  expect((await bytesOf(await press(await linkOf('sue')))).equals(plaintext)).toBe(true);
});

test('of many viewers each hears, with fewer connections than there are players; so does one who comes later', async () => {
  const answers: IncomingMessage[] = [];
  for (let viewer = 0; viewer < paused; viewer += 1)
    answers.push(await press(await linkOf(`viewer${viewer}`)));
  expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true);
  expect((await bytesOf(await press(await linkOf('sue')))).equals(plaintext)).toBe(true);
  // What is verified reads its own way, meanwhile.
  const { body } = await store.get(`recordings/${account}/${recording}`);
  expect((await bytesOf(body)).length).toBeGreaterThan(plaintext.length);
  // And who goes on hears the rest, from where he was.
  const [first] = answers;
  expect(first && (await bytesOf(first)).equals(plaintext)).toBe(true);
});
