import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBucket } from '../../bench/src/engines.ts';
import { createEngines, isInstalled, radosgwUser } from '../../engines/engines.mjs';
import { readOptions } from '../../support/read-options.ts';
import { destroy } from './destruction.ts';
import { planEvents } from './event-plan.ts';
import { eventStorm } from './event-storm.ts';
import { judge } from './judge.ts';
import { judgeDestruction } from './judge-destruction.ts';
import { judgeEvents } from './judge-events.ts';
import { plan } from './plan.ts';
import { restoreAfterForgery } from './restore.ts';
import { catalogOf, settle } from './settle.ts';
import { openStage, type RealEngines } from './stage.ts';
import { calm, storm } from './storm.ts';
import { traces } from './traces.ts';

const usage = `Usage: npm run faults [-- options]

Records calls while everything that can go wrong goes wrong, then holds every recording against what became of it.

  --count N      recordings (200)
  --kills N      times that a process of ours is killed (30)
  --longest S    of the recordings, in seconds (1200)
  --seed N       what goes wrong, and when; the same for the same seed (1)
  --on WHAT      own: embedded database and the sandbox's bucket; real: PostgreSQL and radosgw; both (both)
  --keep         leave the folder with the logs
  --help         this text

The last line is JSON: for each of them what was counted, and what must not be. Status 0 only if there is none of that.
`;

const values = readOptions(
  {
    options: {
      count: { type: 'string', default: '200' },
      kills: { type: 'string', default: '30' },
      longest: { type: 'string', default: '1200' },
      seed: { type: 'string', default: '1' },
      on: { type: 'string', default: 'both' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  },
  usage,
);
const whole = (name: 'count' | 'kills' | 'longest' | 'seed', least: number): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  process.stderr.write(`--${name} must be a whole number from ${least} on\n`);
  process.exit(2);
};
if (values.help || !['own', 'real', 'both'].includes(values.on)) {
  process.stdout.write(usage);
  process.exit(values.help ? 0 : 2);
}
const options = {
  count: whole('count', 1),
  kills: whole('kills', 0),
  longest: whole('longest', 1),
  seed: whole('seed', 0),
};
const folder = mkdtempSync(join(tmpdir(), 'custody-faults-'));
// The engines run as nobody, who must be able to pass through.
chmodSync(folder, 0o755);
const engines = createEngines(join(folder, 'engines'));
process.once('exit', () => {
  engines.stop();
  if (values.keep) process.stderr.write(`What is left: ${folder}\n`);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const all: Record<string, unknown> = {};
let failed = false;
for (const on of values.on === 'both' ? (['own', 'real'] as const) : [values.on as 'own' | 'real']) {
  const result = await run(on).catch((error: unknown) => ({
    broken: error instanceof Error ? error.message : String(error),
  }));
  failed ||= 'broken' in result || !result.ok;
  all[on] = result;
}
process.stdout.write(`${JSON.stringify({ ok: !failed, seed: options.seed, ...all })}\n`);
process.exit(failed ? 1 : 0);

async function run(on: 'own' | 'real') {
  const tell = (line: string) => process.stderr.write(`${on}: ${line}\n`);
  const began = Date.now();
  const own = join(folder, on);
  mkdirSync(own);
  tell('starting');
  const stage = await openStage(own, on === 'real' ? await realEngines() : undefined);
  try {
    const planned = plan(options);
    const events = eventStorm(stage, planEvents(options, planned.length));
    tell(
      `seed ${options.seed}: ${planned.calls.length} recordings within ${Math.round(planned.length / 1_000)} s`,
    );
    const { played, counts } = await storm(stage, planned, events, tell);
    calm(stage, played);
    events.calm();
    tell('calm again; what is left comes to its end');
    const { rows, reconciled, replayed } = await settle(stage, played, tell);
    tell('looking at what became of it');
    const verdict = await judge(stage, played, rows);
    const judging = Date.now();
    const { eventFaults, ...ofEvents } = await judgeEvents(stage, events, tell);
    const eventSeconds = Math.round((Date.now() - judging) / 1_000);
    verdict.faults.push(...eventFaults);
    tell('what is kept long enough, asked for, held or proven goes or stays');
    const destruction = await destroy(
      stage,
      { seed: options.seed, kills: Math.ceil(options.kills / 3), rows },
      tell,
    );
    const destroyed = await judgeDestruction(stage, played, destruction);
    verdict.faults.push(...destroyed.faults);
    const left = await catalogOf(stage);
    await stage.stopHosts();
    tell('rebuilding what a forger has put sidecars beside');
    const { forgedSidecars, faults: believed } = await restoreAfterForgery(stage, played, left);
    verdict.faults.push(...believed);
    const { filesRead, ...traced } = await traces(stage);
    for (const fault of verdict.faults) tell(fault);
    const bad = [
      ...verdict.faults,
      ...traced.plaintext,
      ...traced.secrets,
      ...traced.unhandled,
      ...counts.strangeAnswers,
    ];
    const heard = counts.forgedAccepted + counts.listenedWithoutAndHeard + events.counts.forgedEventsAccepted;
    return {
      ok: bad.length === 0 && heard === 0,
      recordings: played.length,
      seconds: Math.round((Date.now() - began) / 1_000),
      ...counts,
      ...events.counts,
      kinesisTroubles: stage.events.way.met(),
      ...ofEvents,
      eventSeconds,
      reconciled,
      replayed,
      forgedSidecars,
      ...destruction.counts,
      ...destroyed,
      ...verdict,
      filesRead,
      ...traced,
    };
  } finally {
    await stage.close();
  }
}

async function realEngines(): Promise<RealEngines> {
  for (const name of ['radosgw', 'postgresql'] as const)
    if (!isInstalled(name))
      throw new Error(`${name} is not installed: install Debian's package, or use --on own`);
  const s3 = { endpoint: await engines.start('radosgw'), ...radosgwUser, bucket: 'custody' };
  await makeBucket(s3, s3.bucket, { versions: true });
  return {
    s3,
    databaseUrl: await engines.start('postgresql'),
    restartDatabase: async () => engines.crash('postgresql'),
  };
}
