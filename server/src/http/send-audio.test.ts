import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { emptyApp, serve } from '../playback/testing/kit.ts';
import { sendAudio } from './send-audio.ts';

const silentMs = 1_000;
/** More than sockets hold on both sides. */
const bytes = 32 * 1024 * 1024;
let app: FastifyInstance;
let port: number;
let body: Readable;

beforeAll(async () => {
  app = emptyApp();
  app.get('/', (request, reply) => {
    const chunks = function* () {
      for (let at = 0; at < bytes; at += 65_536) yield Buffer.alloc(65_536);
    };
    body = Readable.from(chunks(), { objectMode: false });
    return sendAudio(request, reply, { bytes, read: async () => body, discard: () => undefined }, silentMs);
  });
  ({ port } = await serve(app));
});
let answer: IncomingMessage;
// Closing waits for answers that are not over.
afterEach(() => answer.destroy());
afterAll(() => app.close());

async function listen(): Promise<void> {
  [answer] = (await once(get({ port, agent: false }), 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
}

test('a listener who has stopped listening is let go of, and with him what he was read from', async () => {
  await listen();
  answer.once('readable', () => undefined);
  await once(body, 'close');
  expect(body.destroyed).toBe(true);
  expect(body.readableEnded).toBe(false);
});

test('one who only listens slowly hears all of it', async () => {
  await listen();
  let heard = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    // Ten waits over the whole, each of them shorter than the limit, together longer.
    if (Math.floor((heard + chunk.length) / (bytes / 10)) > Math.floor(heard / (bytes / 10))) {
      await sleep(silentMs / 4);
    }
    heard += chunk.length;
  }
  expect(heard).toBe(bytes);
});
