import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAudit, operator } from '../../../server/src/access/audit.ts';
import { buildIndexes } from '../../../server/src/db/indexes.ts';
import { migrate } from '../../../server/src/db/migrate.ts';
import { openDatabase } from '../../../server/src/db/open.ts';
import { createJanitor } from '../../../server/src/ingest/upkeep/janitor-job.ts';
import { bucketPass } from '../../../server/src/ingest/upkeep/reconcile/bucket-pass.ts';
import { createTally } from '../../../server/src/ingest/upkeep/reconcile/tally.ts';
import { twilioPass } from '../../../server/src/ingest/upkeep/reconcile/twilio-pass.ts';
import { deleteSources } from '../../../server/src/ingest/upkeep/sources-job.ts';
import { retainNow } from '../../../server/src/retention/index.ts';
import { trimNow } from '../../../server/src/retention/trim.ts';
import type { HostDeps } from '../../../server/src/start/host-deps.ts';
import { fillCatalog } from '../../support/fill-catalog.ts';
import { type Figure, median } from './figures.ts';
import { filledSid, filledStore, filledTwilio, growthParts } from './growth-world.ts';
import type { Environment } from './processes.ts';

/** As many as docs/scaling.md means the embedded database for. */
export const embeddedRows = 30_000;
const mostAddedMs = 50;
const everyMs = 10;
const quietMs = 5_000;
const twilioRows = 5_000;

/**
 * The embedded database computes on the host's own thread: how much longer a play's questions take while a sweep runs. A
 * play is asked for every 10 ms, and what it waits for its turn counts.
 */
export async function benchEmbedded(
  environment: Environment,
  folder: string,
  rounds: number,
  log: (line: string) => void,
): Promise<Figure[]> {
  const directory = mkdtempSync(join(folder, 'embedded-'));
  const db = await openDatabase({ directory });
  try {
    const { DATABASE_URL: _, ...others } = environment;
    const env = { ...others, CUSTODY_DATA_DIR: directory };
    const { accountSid } = growthParts(db, env, {} as never).config;
    await migrate(db);
    await fillCatalog(db, { account: accountSid, recordings: embeddedRows, slice: 1_000 });
    await buildIndexes(db);
    await db.query('VACUUM ANALYZE');
    const world = {
      store: await filledStore(db, accountSid, embeddedRows, []),
      twilio: filledTwilio(accountSid, twilioRows),
    };
    const deps = growthParts(db, env, world);
    // The first use sets the queue up.
    await deps.queue.counts({ fresh: true });
    const worst: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round++) {
      const quiet = median(await plays(deps, createAudit(db), sleep(quietMs)));
      for (const [name, sweep] of Object.entries(sweepsOf(deps))) {
        const asked = await plays(deps, createAudit(db), sweep());
        const added = Math.max(...asked) - quiet;
        worst[name] = [...(worst[name] ?? []), added];
        log(
          `embedded, ${name}: ${asked.length} plays, at most ${added.toFixed(1)} ms more than ${quiet.toFixed(1)}`,
        );
      }
    }
    return Object.entries(worst).map(([name, added]) => ({
      name: `embedded database of ${embeddedRows} recordings, a play beside ${name}`,
      unit: 'ms more at most',
      ours: median(added),
      peers: {},
      ratios: {},
      floor: `≤ ${mostAddedMs} ms`,
      pass: median(added) <= mostAddedMs,
    }));
  } finally {
    await db.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function sweepsOf(deps: HostDeps): Record<string, () => Promise<unknown>> {
  const { signal } = new AbortController();
  const janitor = createJanitor(deps);
  const save = async () => undefined;
  return {
    retention: () => retainNow(deps, signal),
    janitor: () => janitor.sweep(),
    'the deletion of originals': () => deleteSources(deps, signal),
    'trimming, and freeing space': () => trimNow(deps, signal),
    'the pass over the bucket': () =>
      bucketPass(deps, createTally(), { dryRun: false, after: undefined, signal }, save),
    "the pass over Twilio's list": () =>
      twilioPass(
        deps,
        { since: new Date(0) },
        createTally(),
        { dryRun: false, settledMs: 0, before: undefined, signal },
        save,
      ),
  };
}

/** What a play asks the database for, until the work has ended; each time in ms from when it was to be asked. */
async function plays(
  { catalog }: HostDeps,
  audit: ReturnType<typeof createAudit>,
  work: Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  for (
    let due = performance.now();
    !isOver || times.length === 0;
    due = Math.max(due + everyMs, performance.now())
  ) {
    await sleep(due - performance.now());
    const sid = filledSid(1 + Math.floor(Math.random() * embeddedRows));
    await catalog.find(sid);
    await audit.record({
      viewer: operator,
      action: 'play',
      subject: { kind: 'recording', sid },
      allowed: true,
      reason: 'bench',
    });
    times.push(performance.now() - due);
  }
  await ended;
  return times;
}
