import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Stack, startStack } from '../../../sandbox/src/stack/index.ts';
import { listen, play, seek } from './client.ts';
import { runCopy } from './copy.ts';
import { type Engines, makeBucket } from './engines.ts';
import { type Figure, interleaved, median, pairedRatio } from './figures.ts';
import { type Environment, peakRssMb, startSubject } from './processes.ts';

/** Seconds whose dual-channel WAV is 115 MB and 460 MB. */
const hour = { seconds: 3594, plainKey: 'bench/plain-hour' };
const shift = { seconds: 14_375, plainKey: 'bench/plain-shift' };
/** All listeners are one viewer here. */
const roleHttp = {
  CUSTODY_ROLES: 'http',
  CUSTODY_MEDIA_TTL_SECONDS: '900',
  CUSTODY_STREAMS_PER_VIEWER: '1000',
};
const mega = 1_000_000;
const thinScript = 'test/bench/peers/play-aws-sdk-3.mjs';

/** Playback by role http alone, on sealed recordings that went the whole way, against peers that play plain twins. */
export async function benchPlayback(
  engines: Engines,
  dataDir: string,
  wanted: ReadonlySet<string>,
  rounds: number,
  log: (line: string) => void,
): Promise<Figure[]> {
  const bucket = `bench-playback-${Date.now()}`;
  if (engines.s3) await makeBucket(engines.s3, bucket);
  const stack = await startStack({
    dataDir,
    ...(engines.s3 ? { s3: { ...engines.s3, bucket } } : {}),
    ...(engines.databaseUrl ? { databaseUrl: engines.databaseUrl } : {}),
    serverEnv: { CUSTODY_MEDIA_TTL_SECONDS: '900' },
  });
  const stops: (() => Promise<void>)[] = [() => stack.close()];
  try {
    const s3: Environment = {
      AWS_ENDPOINT_URL_S3: stack.sandbox.s3.endpoint,
      AWS_ACCESS_KEY_ID: stack.sandbox.s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: stack.sandbox.s3.secretAccessKey,
      AWS_REGION: stack.sandbox.s3.region,
      BENCH_BUCKET: stack.sandbox.s3.bucket,
    };
    const recordings: Record<'hour' | 'shift', string> = { hour: '', shift: '' };
    for (const [name, { seconds, plainKey }] of [
      ['hour', hour],
      ['shift', shift],
    ] as const) {
      recordings[name] = await recorded(stack, seconds);
      await runCopy('test/bench/peers/copy-aws-sdk-3.mjs', {
        ...stack.sandbox.env,
        ...s3,
        TWILIO_ACCOUNT_SID: stack.sandbox.account.accountSid,
        TWILIO_AUTH_TOKEN: stack.sandbox.account.authToken,
        BENCH_RECORDING: recordings[name],
        BENCH_KEY: plainKey,
      });
      log(`${seconds} s recorded, sealed, verified; its plain twin stands beside it`);
    }
    await stack.stopServer();
    await stack.startServer(roleHttp);

    const peer = async (script: string, key: string) => {
      const subject = await startSubject<{ port: number }>(script, {
        ...s3,
        TWILIO_ACCOUNT_SID: 'none',
        TWILIO_AUTH_TOKEN: 'none',
        BENCH_RECORDING: 'none',
        BENCH_KEY: key,
      });
      stops.push(subject.stop);
      return { url: `http://127.0.0.1:${subject.said.port}/media`, pid: subject.pid };
    };
    const [old, thin, thinShift] = await Promise.all([
      peer('test/bench/peers/play-express-aws-sdk-2.mjs', hour.plainKey),
      peer(thinScript, hour.plainKey),
      peer(thinScript, shift.plainKey),
    ]);
    const plain = await download(s3, hour.plainKey);

    const figures: Figure[] = [];
    if (wanted.has('playback')) {
      figures.push(await whole(stack, recordings.hour, old.url, thin.url, plain, rounds, log));
    }
    if (wanted.has('seek')) {
      figures.push(...(await seeks(stack, recordings, thinShift.url, s3, rounds, log)));
    }
    if (wanted.has('listeners')) {
      figures.push(
        await listeners(stack, recordings.hour, () => peer(thinScript, hour.plainKey), plain, rounds, log),
      );
    }
    return figures;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function post<T>(url: string, body: unknown): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status} from ${url}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** One call of so many seconds, waited for until its copy is verified. */
async function recorded(stack: Stack, seconds: number): Promise<string> {
  const call = await post<{ recordings: string[] }>(`${stack.urls.sandbox}/sandbox/calls`, { seconds });
  const recording = call.recordings[0] ?? '';
  await stack.events.until(
    (event) => event.event === 'recording.verified' && event.recording === recording,
    'verification',
    300_000,
  );
  return recording;
}

/** A link as Flex Insights gets it. */
async function link(stack: Stack, recording: string): Promise<string> {
  const { token } = await post<{ token: string }>(`${stack.urls.sandbox}/sandbox/tokens`, {
    roles: ['supervisor'],
  });
  const response = await fetch(`${stack.urls.server}/url-provider?recording=${recording}`, {
    headers: { authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}` },
  });
  if (!response.ok) throw new Error(`url-provider: ${response.status}`);
  return ((await response.json()) as { media_url: string }).media_url;
}

async function download(s3: Environment, key: string, range?: string): Promise<Buffer> {
  const client = new S3Client({
    endpoint: s3['AWS_ENDPOINT_URL_S3'] ?? '',
    region: s3['AWS_REGION'] ?? '',
    forcePathStyle: true,
    credentials: {
      accessKeyId: s3['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: s3['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
  const got = await client.send(
    new GetObjectCommand({ Bucket: s3['BENCH_BUCKET'], Key: key, ...(range ? { Range: range } : {}) }),
  );
  const bytes = await got.Body?.transformToByteArray();
  client.destroy();
  return Buffer.from(bytes ?? []);
}

async function whole(
  stack: Stack,
  recording: string,
  oldUrl: string,
  thinUrl: string,
  plain: Buffer,
  rounds: number,
  log: (line: string) => void,
): Promise<Figure> {
  const url = await link(stack, recording);
  const sha256 = createHash('sha256')
    .update(Buffer.from(await (await fetch(url)).arrayBuffer()))
    .digest('hex');
  if (sha256 !== createHash('sha256').update(plain).digest('hex'))
    throw new Error('played bytes are not the source’s');
  const speed = (at: string) => async () => {
    const played = await play(at);
    if (played.bytes !== plain.length) throw new Error(`${at}: ${played.bytes} bytes`);
    return played.bytes / mega / (played.ms / 1000);
  };
  const speeds = await interleaved(
    { ours: speed(url), old: speed(oldUrl), thin: speed(thinUrl) },
    rounds,
    (round) => log(`playback of 115 MB: round ${round} of ${rounds}`),
  );
  const ratios = {
    'express + aws-sdk 2 + s3-download-stream': pairedRatio(speeds.ours, speeds.old),
    'thin SDK v3 pass-through': pairedRatio(speeds.ours, speeds.thin),
  };
  return {
    name: 'playback of a sealed 115 MB object, whole',
    unit: 'MB/s',
    ours: median(speeds.ours),
    peers: {
      'express + aws-sdk 2 + s3-download-stream': median(speeds.old),
      'thin SDK v3 pass-through': median(speeds.thin),
    },
    ratios,
    floor: '≥ 1.5 × express + aws-sdk 2, ≥ 0.7 × thin',
    pass:
      ratios['express + aws-sdk 2 + s3-download-stream'] >= 1.5 && ratios['thin SDK v3 pass-through'] >= 0.7,
  };
}

/** What a seek leaves half-read keeps the store busy for a moment, which must not be the next one's burden. */
async function rested(measure: () => Promise<number>): Promise<number> {
  await wait(60);
  return measure();
}

async function seeks(
  stack: Stack,
  recordings: { hour: string; shift: string },
  thinUrl: string,
  s3: Environment,
  rounds: number,
  log: (line: string) => void,
): Promise<Figure[]> {
  const middle = 230_000_000;
  const expected = await download(s3, shift.plainKey, `bytes=${middle}-${middle + 65_535}`);
  const url = await link(stack, recordings.shift);
  await wait(300);
  const many = rounds * 6;
  for (const at of [url, thinUrl]) for (let warm = 0; warm < 5; warm++) await seek(at, middle, expected);
  const opened = await interleaved(
    {
      ours: () => rested(() => seek(url, middle, expected)),
      thin: () => rested(() => seek(thinUrl, middle, expected)),
    },
    many,
  );
  log(`seek once opened: ${many} rounds`);
  const cold: number[] = [];
  const thin: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // A process that has played, but never opened this object: the code is warm, the envelope is not.
    const another = await link(stack, recordings.hour);
    await stack.stopServer();
    await stack.startServer(roleHttp);
    for (let warm = 0; warm < 10; warm++) await rested(() => seek(another, 0, Buffer.alloc(0)));
    cold.push(await rested(() => seek(url, middle, expected)));
    thin.push(await rested(() => seek(thinUrl, middle, expected)));
  }
  log(`seek cold: ${rounds} rounds`);
  const figure = (name: string, ours: readonly number[], theirs: readonly number[], most: number): Figure => {
    const ratio = median(ours) / median(theirs);
    return {
      name,
      unit: 'ms to the first byte',
      ours: median(ours),
      peers: { 'thin SDK v3 pass-through': median(theirs) },
      ratios: { 'thin SDK v3 pass-through': ratio },
      floor: `≤ ${most} × thin`,
      pass: ratio <= most,
    };
  };
  return [
    figure('seek to the middle of 460 MB, once opened', opened.ours, opened.thin, 1.3),
    figure('seek to the middle of 460 MB, cold', cold, opened.thin.concat(thin), 2.5),
  ];
}

async function listeners(
  stack: Stack,
  recording: string,
  startThin: () => Promise<{ url: string; pid: number }>,
  plain: Buffer,
  rounds: number,
  log: (line: string) => void,
): Promise<Figure> {
  const many = 100;
  const rate = 200_000;
  const length = 12 * rate;
  /** Requests that the host lets one link have at once. */
  const ofOneLink = 8;
  const crowd = async (urls: readonly string[]) => {
    const right = await Promise.all(
      Array.from({ length: many }, (_, index) =>
        listen(urls[index % urls.length] ?? '', index * 1_000_003, length, rate, plain),
      ),
    );
    if (!right.every(Boolean)) throw new Error('a listener got wrong bytes');
  };
  const peaks: { ours: number[]; thin: number[] } = { ours: [], thin: [] };
  for (let round = 1; round <= rounds; round++) {
    // Each on a fresh process: a peak never goes down again.
    await stack.stopServer();
    await stack.startServer(roleHttp);
    const idle = peakRssMb(stack.serverPid());
    const links = Array.from({ length: Math.ceil(many / ofOneLink) }, () => link(stack, recording));
    await crowd(await Promise.all(links));
    peaks.ours.push(peakRssMb(stack.serverPid()));
    const thin = await startThin();
    await crowd([thin.url]);
    peaks.thin.push(peakRssMb(thin.pid));
    log(`${many} listeners: ours ${peaks.ours.at(-1)?.toFixed(0)} MB, ${idle.toFixed(0)} before they came`);
  }
  const ours = median(peaks.ours);
  const theirs = median(peaks.thin);
  return {
    name: `${many} listeners at 200 KB/s (role http alone)`,
    unit: 'MB peak RSS',
    ours,
    peers: { 'thin SDK v3 pass-through': theirs },
    ratios: { 'thin SDK v3 pass-through': ours / theirs },
    floor: '≤ 160 MB, every byte right',
    pass: ours <= 160,
  };
}
