import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError, errorCode } from '@flex-custody/core';
import { openDatabase } from '../../../server/src/db/open.ts';
import { createJanitor } from '../../../server/src/ingest/upkeep/janitor-job.ts';
import { bucketPass } from '../../../server/src/ingest/upkeep/reconcile/bucket-pass.ts';
import { createTally } from '../../../server/src/ingest/upkeep/reconcile/tally.ts';
import { twilioPass } from '../../../server/src/ingest/upkeep/reconcile/twilio-pass.ts';
import { deleteSources } from '../../../server/src/ingest/upkeep/sources-job.ts';
import { retainNow } from '../../../server/src/retention/index.ts';
import { filledStore, filledTwilio, growthParts } from './growth-world.ts';

/**
 * A worker that sweeps while it is asked to, and rests otherwise: SIGUSR2 changes between the two. A sweep that is through
 * begins again after a second, far more often than a host's schedule has it.
 */
const env = process.env as Record<string, string>;
const rows = Number(env['BENCH_ROWS']);
const stored = (env['BENCH_STORED'] ?? '').split(',');
const db = await openDatabase({ url: env['DATABASE_URL'] ?? '' });
const { accountSid } = growthParts(db, env, {} as never).config;
const world = {
  store: await filledStore(db, accountSid, rows, stored),
  twilio: filledTwilio(accountSid, rows),
};
const deps = growthParts(db, env, world);
const janitor = createJanitor(deps);
const done: Record<string, number> = {};

const sweeps: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
  bucket: (signal) =>
    deps.runs.run(
      'reconcile-bucket',
      { rows },
      async (run) => {
        const options = { dryRun: false, after: undefined, signal: run.signal };
        await bucketPass(deps, createTally(), options, async (after) => {
          count('bucket pages');
          await run.save({ after }, {});
        });
      },
      signal,
    ),
  twilio: (signal) =>
    deps.runs.run(
      'reconcile-recent',
      { rows },
      (run) =>
        twilioPass(
          deps,
          { since: new Date(0) },
          createTally(),
          { dryRun: false, settledMs: 0, before: undefined, signal: run.signal },
          async (before) => {
            count('Twilio pages');
            await run.save({ before }, {});
          },
        ),
      signal,
    ),
  retention: (signal) => retainNow(deps, signal),
  janitor: () => janitor.sweep(),
  sources: (signal) => deleteSources(deps, signal),
};

const count = (what: string) => {
  done[what] = (done[what] ?? 0) + 1;
};

async function repeat(name: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sweeps[name]?.(signal);
      count(name);
    } catch (error) {
      // The other worker is at it, or the sweep is to rest.
      if (!signal.aborted && errorCode(error) !== 'run_busy') throw error;
    }
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
}

let ending: AbortController | undefined;
process.on('SIGUSR2', () => {
  if (ending) {
    ending.abort(new CustodyError('stopping', 'the bench asks for rest'));
    ending = undefined;
    process.stderr.write(`${JSON.stringify(done)}\n`);
    return;
  }
  ending = new AbortController();
  for (const name of Object.keys(sweeps)) {
    repeat(name, ending.signal).catch((error: Error) => {
      process.stderr.write(`${name}: ${error.stack}\n`);
      process.exit(1);
    });
  }
});
process.on('SIGTERM', () => process.exit(0));
// A signal to come keeps no process alive.
setInterval(() => undefined, 60_000);
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
