import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createCourier } from '../../../sandbox/src/callbacks.ts';
import { createSwitchboard } from '../../../sandbox/src/calls.ts';
import { makeCertificates } from '../../../sandbox/src/certificates.ts';
import { createEventLog } from '../../../sandbox/src/events.ts';
import { createFaults } from '../../../sandbox/src/faults.ts';
import type { Media, WavSource } from '../../../sandbox/src/media.ts';
import { buildRest, listenRest } from '../../../sandbox/src/rest/app.ts';
import { createWorld } from '../../../sandbox/src/world.ts';
import { wavHeader, whiteNoise } from './noise.ts';

/**
 * One process that both sides copy from, the same bytes: the sandbox's Twilio over TLS with so many ended calls, and
 * beside it the same recordings in an index, as `rclone copy :http:` wants them, over TLS and without.
 */
const count = Number(process.env['BENCH_RECORDINGS']);
const dataDir = process.env['BENCH_DATA_DIR'] ?? '.';
const seconds = 20;
const dataBytes = seconds * 32_000;
const totalBytes = dataBytes + 44;

const world = createWorld();
const events = createEventLog();
const certificates = await makeCertificates(dataDir);
const rest = buildRest({ world, faults: createFaults(), events }, certificates);
const tlsPort = await listenRest(rest);

/** Each recording is another stretch of the same noise, in memory: the source limits nobody. */
const noise = whiteNoise(dataBytes + 4 * 65_536);
const head = wavHeader(totalBytes);
let made = 0;
const media: Media = {
  channels: 2,
  seconds,
  recording(): WavSource {
    const number = made++;
    const from = (number % 65_536) * 4;
    // Put together anew for each reader, it would leave the source with more to collect than to send.
    const slices = (start: number, end: number) => [
      head.subarray(start, end),
      noise.subarray(from + Math.max(0, start - head.length), from + Math.max(0, end - head.length)),
    ];
    // Twilio would not hash it again for each reader; it is but the ETag's text.
    const digest = createHash('sha256').update(String(number)).digest('hex');
    return {
      channels: 2,
      size: () => totalBytes,
      stream: (_channels, start, end) => Readable.from(slices(start, end + 1), { objectMode: false }),
      sha256: async () => digest,
    };
  },
  close: async () => undefined,
};
const courier = createCourier({
  world,
  events,
  baseUrl: 'https://nobody.twil.io',
  origin: 'http://127.0.0.1:9',
});
const switchboard = createSwitchboard({ world, events, courier });
const calls = Array.from({ length: count }, () =>
  switchboard.place({
    seconds,
    channels: 2,
    transfer: false,
    direction: 'inbound',
    conference: false,
    taskGone: false,
    encrypted: false,
    callback: false,
    media,
    marked: false,
  }),
);
const callsFile = join(dataDir, 'calls.json');
writeFileSync(callsFile, JSON.stringify(calls));

const index = `<html><body>${calls.map(({ recordings }) => `<a href="${recordings[0]}.wav">${recordings[0]}.wav</a>`).join('\n')}</body></html>`;
const listed: RequestListener = (request, response) => {
  const sid = /(RE[0-9a-f]{32})\.wav$/.exec(request.url ?? '')?.[1];
  if (sid === undefined) {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': index.length });
    response.end(request.method === 'HEAD' ? undefined : index);
    return;
  }
  const recording = world.recordings.get(sid);
  if (!recording?.media) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': 'audio/x-wav',
    'content-length': totalBytes,
    'last-modified': recording.updatedAt.toUTCString(),
  });
  if (request.method === 'HEAD') response.end();
  else recording.media.stream(2, 0, totalBytes - 1).pipe(response);
};

const portOf = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
const { key, cert } = certificates;
const { accountSid, authToken, workspaceSid } = world.account;
const said = {
  tlsPort,
  indexUrl: `https://127.0.0.1:${await portOf(createTlsServer({ key, cert }, listed))}/`,
  plainIndexUrl: `http://127.0.0.1:${await portOf(createServer(listed))}/`,
  caFile: certificates.caFile,
  callsFile,
  bytes: totalBytes,
  accountSid,
  authToken,
  workspaceSid,
};
process.stdout.write(`${JSON.stringify(said)}\n`);
