import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Stack, startStack } from '../../../sandbox/src/stack/index.ts';
import { type Engines, makeBucket } from './engines.ts';
import { type Figure, interleaved, median } from './figures.ts';
import { benchEmbedded } from './growth-embedded.ts';
import { type Footprint, fill, type GrowthDatabase, makeDatabase } from './growth-fill.ts';
import { type Measured, measurePasses, measureStatements } from './growth-operations.ts';
import { type Crowd, createListener, crowd, oneByOne } from './growth-playback.ts';
import { filledStore, filledTwilio, growthParts } from './growth-world.ts';
import { cpuSeconds, type Environment, peakRssMb, startSubject } from './processes.ts';

const commandRounds = 3;
const storedRecordings = 8;
/** With every sweep running a host has at least this share of the plays it has without. */
const leastShare = 0.75;
const roleHttp = {
  CUSTODY_ROLES: 'http',
  CUSTODY_MEDIA_TTL_SECONDS: '900',
  CUSTODY_STREAMS_PER_VIEWER: '1000',
  CUSTODY_STREAMS_PER_ADDRESS: '1000',
};

interface Scene {
  engines: Engines & { databaseUrl: string };
  stack: Stack;
  log: (line: string) => void;
}

/**
 * What a catalog of so many recordings costs, size by size, on PostgreSQL: every periodic statement, every
 * sweep, the commands, and playback; at the largest size playback while all sweeps run in two worker processes.
 */
export async function benchGrowth(
  engines: Engines,
  dataDir: string,
  sizes: readonly number[],
  rounds: number,
  log: (line: string) => void,
): Promise<Figure[]> {
  const { databaseUrl } = engines;
  if (!databaseUrl) throw new Error('growth is measured on PostgreSQL: install it, or set TEST_DATABASE_URL');
  const bucket = `bench-growth-${Date.now()}`;
  if (engines.s3) await makeBucket(engines.s3, bucket);
  const bySize = new Map<number, Measured[]>();
  const figures: Figure[] = [];
  const first = await makeDatabase(databaseUrl);
  let stack: Stack | undefined;
  try {
    stack = await startStack({
      dataDir,
      ...(engines.s3 ? { s3: { ...engines.s3, bucket } } : {}),
      databaseUrl: first.url,
    });
    const scene = { engines: { ...engines, databaseUrl }, stack, log };
    for (const [index, rows] of sizes.entries()) {
      log(`${rows} recordings`);
      const database = index === 0 ? first : await makeDatabase(databaseUrl);
      try {
        const { measured, footprint, stored } = await atSize(scene, database, rows);
        bySize.set(rows, measured);
        for (const { name, value, unit } of measured) log(`  ${name}: ${value.toFixed(2)} ${unit}`);
        log(
          `bytes a recording: row ${footprint.row}, indexes ${footprint.indexes}, audit ${footprint.audit}; ${JSON.stringify(footprint.each)}`,
        );
        if (index === sizes.length - 1)
          figures.push(await beside(scene, database, rows, stored, rounds), ...sizesOf(footprint));
      } finally {
        await stack.stopServer();
        if (index > 0) await database.drop();
      }
    }
    await stack.stopServer();
    figures.push(...(await benchEmbedded(stack.hostEnvironment, dataDir, rounds, log)));
  } finally {
    await stack?.close();
    await first.drop();
  }
  return [...grown(bySize), ...figures];
}

/** Everything but what runs beside something else. */
async function atSize({ stack, log }: Scene, database: GrowthDatabase, rows: number) {
  const environment = { ...stack.hostEnvironment, ...roleHttp, DATABASE_URL: database.url };
  // As an operator's first day: a host sets the database up, and a few calls go the whole way.
  await stack.stopServer();
  await stack.startServer({ DATABASE_URL: database.url });
  const stored: string[] = [];
  for (let n = 0; n < storedRecordings; n++) stored.push(await recorded(stack));
  await stack.stopServer();
  const { accountSid } = growthParts(database.db, environment, {} as never).config;
  const footprint = await fill(database.db, accountSid, rows, log);
  const world = {
    store: await filledStore(database.db, accountSid, rows, stored),
    twilio: filledTwilio(accountSid, rows),
  };
  const deps = growthParts(database.db, environment, world);
  const measured = await measureStatements(database.db, deps, rows);
  log('statements are measured');
  const starts: number[] = [];
  for (let round = 0; round < commandRounds; round++) {
    await stack.stopServer();
    const began = performance.now();
    await stack.startServer({ ...roleHttp, DATABASE_URL: database.url });
    starts.push(performance.now() - began);
  }
  measured.push({ name: 'start of a host, role http', unit: 'ms', value: median(starts) });
  const listener = await createListener(stack, [stack.urls.server], stored, rows);
  const alone = await oneByOne(listener, 200);
  await crowd(listener, 500);
  const many = await crowd(listener, 1_500);
  measured.push(
    { name: 'url_provider, p50', unit: 'ms', value: alone.link },
    { name: 'first byte, p50', unit: 'ms', value: alone.first },
    { name: '50 at once: a play', unit: 'ms', value: 1_000 / many.perSecond },
  );
  log(`50 at once: ${many.perSecond.toFixed(0)} plays/s, p95 ${many.p95Ms.toFixed(0)} ms`);
  await stack.stopServer();
  for (const [name, args] of commands(stored[0] ?? '')) {
    const times: number[] = [];
    for (let round = 0; round < commandRounds; round++) times.push(await command(environment, args));
    measured.push({ name: `command ${name}`, unit: 'ms', value: median(times) });
  }
  measured.push(...(await measurePasses(deps, rows, log)));
  return { measured, footprint, stored };
}

/** One call of 20 s, waited for until its copy is verified. */
async function recorded(stack: Stack): Promise<string> {
  const response = await fetch(`${stack.urls.sandbox}/sandbox/calls`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ seconds: 20 }),
  });
  const recording = ((await response.json()) as { recordings: string[] }).recordings[0] ?? '';
  await stack.events.until(
    (event) => event.event === 'recording.verified' && event.recording === recording,
    'verification',
    60_000,
  );
  return recording;
}

const commands = (recording: string): [name: string, args: string[]][] => [
  ['recordings list', ['recordings', 'list', '--limit', '50']],
  ['recordings failed', ['recordings', 'failed']],
  ['recordings show', ['recordings', 'show', recording]],
  ['erase --dry-run', ['erase', '--recording', recording, '--reference', 'BENCH', '--dry-run']],
];

/** A command beside the host: a process of its own, from its start to its end, in ms. */
function command(environment: Environment, args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, ['dist/server/cli.js', ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const words: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      if (code === 0) resolve(performance.now() - began);
      else reject(new Error(`${args.join(' ')} ended with ${code}: ${words.join('').slice(-1_000)}`));
    });
  });
}

/** Two hosts with the role http and two workers on one database: plays without sweeps, and with all of them. */
async function beside(
  { stack, log }: Scene,
  database: GrowthDatabase,
  rows: number,
  stored: readonly string[],
  rounds: number,
): Promise<Figure> {
  await stack.startServer({ ...roleHttp, DATABASE_URL: database.url });
  const environment = { ...stack.hostEnvironment, DATABASE_URL: database.url };
  const stops: (() => Promise<void>)[] = [];
  try {
    const second = await secondHost({ ...environment, ...roleHttp });
    stops.push(second.stop);
    const workers = await Promise.all(
      [1, 2].map(() =>
        startSubject<{ ready: boolean }>('dist/bench/growth-worker.js', {
          ...environment,
          CUSTODY_ROLES: 'worker',
          BENCH_ROWS: String(rows),
          BENCH_STORED: stored.join(','),
        }),
      ),
    );
    stops.push(...workers.map(({ stop }) => stop));
    const listener = await createListener(stack, [stack.urls.server, second.url], stored, rows);
    await crowd(listener, 1_000);
    const processes = { hosts: [stack.serverPid(), second.pid], workers: workers.map(({ pid }) => pid) };
    const measure = async (what: string): Promise<Crowd> => {
      const used = () =>
        Object.entries(processes).map(([name, pids]) => ({
          name,
          seconds: pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
        }));
      const before = used();
      const began = performance.now();
      const plays = await crowd(listener, 2_000);
      const seconds = (performance.now() - began) / 1_000;
      const cpu = used().map(
        ({ name, seconds: now }, at) =>
          `${name} ${((now - (before[at]?.seconds ?? 0)) / seconds).toFixed(2)}`,
      );
      log(
        `${what}: ${plays.perSecond.toFixed(0)} plays/s, p95 ${plays.p95Ms.toFixed(0)} ms; cores: ${cpu.join(', ')}`,
      );
      return plays;
    };
    const turn = async () => {
      for (const { pid } of workers) process.kill(pid, 'SIGUSR2');
      // What was begun ends, or begins.
      await sleep(2_000);
    };
    const p95: number[] = [];
    const found = await interleaved(
      {
        quiet: async () => (await measure('quiet')).perSecond,
        sweeping: async () => {
          await turn();
          const plays = await measure('with every sweep');
          p95.push(plays.p95Ms);
          await turn();
          return plays.perSecond;
        },
      },
      rounds,
    );
    log(`workers: peak ${workers.map(({ pid }) => `${peakRssMb(pid).toFixed(0)} MB`).join(', ')}`);
    const share = median(found.sweeping.map((value, at) => value / (found.quiet[at] ?? Number.NaN)));
    return {
      name: `two hosts, two workers with every sweep, ${rows} recordings, p95 ${median(p95).toFixed(0)} ms`,
      unit: 'plays/s',
      ours: median(found.sweeping),
      peers: { 'without sweeps': median(found.quiet) },
      ratios: { 'without sweeps': share },
      floor: `≥ ${leastShare} × without sweeps`,
      pass: share >= leastShare,
    };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function secondHost(environment: Environment) {
  const child = spawn(process.execPath, ['dist/server/main.js'], {
    env: { PATH: process.env['PATH'] ?? '', ...environment, PORT: '0', CUSTODY_OPS_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (text !== 'ready') text += chunk.toString();
      const found = /"event":"host.ready".*?"url":"([^"]+)"/.exec(text)?.[1];
      if (!found) return;
      text = 'ready';
      resolve(found);
    });
    void ended.then(() => reject(new Error(`the second host has ended: ${text.slice(-1_000)}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Each operation at the largest size, with the others beside it. */
function grown(bySize: ReadonlyMap<number, readonly Measured[]>): Figure[] {
  const sizes = [...bySize.keys()];
  const largest = sizes.at(-1) ?? 0;
  return (bySize.get(largest) ?? []).map(({ name, unit, value, most, mostRatio }) => {
    const at = (rows: number) =>
      bySize.get(rows)?.find((measured) => measured.name === name)?.value ?? Number.NaN;
    const others = sizes.slice(0, -1);
    const smallest = others[0];
    const ratio = smallest === undefined ? 1 : value / at(smallest);
    const isWithin = (most === undefined || value <= most) && (mostRatio === undefined || ratio <= mostRatio);
    return {
      name: `${name}, ${largest} recordings`,
      unit,
      ours: value,
      peers: Object.fromEntries(others.map((rows) => [String(rows), at(rows)])),
      ratios: smallest === undefined ? {} : { [String(smallest)]: ratio },
      floor: [
        ...(most === undefined ? [] : [`≤ ${most} ${unit}`]),
        ...(mostRatio === undefined || smallest === undefined ? [] : [`≤ ${mostRatio} × ${smallest}`]),
      ].join(', '),
      pass: isWithin,
    };
  });
}

const sizesOf = ({ row, indexes, audit }: Footprint): Figure[] =>
  Object.entries({ row, indexes, audit }).map(([name, bytes]) => ({
    ...{ name: `bytes a recording: ${name}`, unit: 'bytes', ours: bytes },
    ...{ peers: {}, ratios: {}, floor: '', pass: true },
  }));
