import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions } from '../../support/read-options.ts';
import { benchCopy } from './copy.ts';
import { makeBucket, startEngines } from './engines.ts';
import { benchEvents } from './events.ts';
import { type Figure, table } from './figures.ts';
import { benchGrowth } from './growth.ts';
import { benchIngest } from './ingest.ts';
import { benchPlayback } from './playback.ts';
import { benchProve } from './prove.ts';
import { benchStart } from './start.ts';

const works = [
  'copy',
  'prove',
  'ingest',
  'events',
  'playback',
  'seek',
  'listeners',
  'start',
  'growth',
] as const;
/** Growth fills a million rows first: it is done where it is asked for. */
const usual = works.filter((work) => work !== 'growth');
const usage = `Usage: npm run bench [-- options]

Measures ours and its named peers in turn, in one run, and prints medians and ratios.

  --only WORK    copy, prove, ingest, events, playback, seek, listeners, start or growth; may be given more than once;
                 all but growth by default
  --rounds N     rounds of each measurement (5; of ingest, events and growth 3)
  --events N     agents' events of each round of events (20000)
  --recordings N recordings of 20 s that ingest takes in (5000)
  --rows LIST    recordings that the catalogs of growth have, smallest first (10000,100000,1000000)
  --json FILE    write the figures as a list of {name, unit, ours, peers, ratios, floor, pass}
  --help         this text
`;

const values = readOptions(
  {
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      events: { type: 'string', default: '20000' },
      recordings: { type: 'string', default: '5000' },
      rows: { type: 'string', default: '10000,100000,1000000' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  },
  usage,
);
const rounds = Number(values.rounds ?? 5);
const recordings = Number(values.recordings);
const events = Number(values.events);
const rows = values.rows.split(',').map(Number);
const only = values.only ?? [...usual];
const unknown = only.filter((work) => !works.some((known) => known === work));
if (
  values.help ||
  unknown.length > 0 ||
  [rounds, recordings, events].some((count) => !Number.isInteger(count) || count < 1) ||
  rows.some((count) => !Number.isInteger(count) || count < 10_000 || count >= 2 ** 24)
) {
  process.stdout.write(usage);
  process.exit(values.help ? 0 : 2);
}

const log = (line: string) => process.stderr.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'custody-bench-'));
// The engines run as nobody, who must be able to pass through.
chmodSync(folder, 0o755);
const engines = await startEngines(join(folder, 'engines'));
const figures: Figure[] = [];
try {
  log(`S3: ${engines.s3?.endpoint ?? "the sandbox's own (radosgw is not installed)"}`);
  log(`database: ${engines.databaseUrl ? 'PostgreSQL' : 'PGlite (PostgreSQL is not installed)'}`);
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  if (only.includes('copy')) {
    if (!engines.s3) throw new Error('the copy is measured on radosgw: install it, or set TEST_S3_ENDPOINT');
    const bucket = `bench-${Date.now()}`;
    await makeBucket(engines.s3, bucket);
    const env = {
      AWS_ENDPOINT_URL_S3: engines.s3.endpoint,
      AWS_ACCESS_KEY_ID: engines.s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: engines.s3.secretAccessKey,
      AWS_REGION: 'us-east-1',
      BENCH_BUCKET: bucket,
    };
    figures.push(...(await benchCopy(env, dataDir, rounds, log)));
  }
  if (only.includes('prove')) figures.push(...(await benchProve(dataDir, rounds, log)));
  if (only.includes('ingest')) {
    const { s3, databaseUrl } = engines;
    if (!s3 || !databaseUrl)
      throw new Error('ingest is measured on radosgw and PostgreSQL: install them, or name them (TEST_…)');
    const size = { recordings, rounds: Number(values.rounds ?? 3) };
    figures.push(...(await benchIngest({ s3, databaseUrl }, dataDir, size, log)));
  }
  if (only.includes('events')) {
    if (!engines.databaseUrl)
      throw new Error('events are measured on PostgreSQL: install it, or set TEST_DATABASE_URL');
    const size = { events, rounds: Number(values.rounds ?? 3) };
    figures.push(...(await benchEvents(engines.databaseUrl, dataDir, size, log)));
  }
  const listening = new Set(only.filter((work) => ['playback', 'seek', 'listeners'].includes(work)));
  if (listening.size > 0) {
    figures.push(...(await benchPlayback(engines, join(dataDir, 'stack'), listening, rounds, log)));
  }
  if (only.includes('growth'))
    figures.push(
      ...(await benchGrowth(engines, join(dataDir, 'growth'), rows, Number(values.rounds ?? 3), log)),
    );
  if (only.includes('start')) figures.push(...(await benchStart()));
} finally {
  engines.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
}
process.stdout.write(`${table(figures)}\n`);
if (values.json) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
process.exit(figures.every((figure) => figure.pass) ? 0 : 1);
