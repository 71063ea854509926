import { loadConfig } from '../../../server/src/config.ts';
import { openDatabase } from '../../../server/src/db/open.ts';
import { copyJob } from '../../../server/src/ingest/copy/copy-job.ts';
import { createGate } from '../../../server/src/ingest/intake/gate.ts';
import { ingestJobs } from '../../../server/src/ingest/jobs.ts';
import { copyJobs } from '../../../server/src/ingest/run-jobs.ts';
import { createLog } from '../../../server/src/log.ts';
import { openQueue } from '../../../server/src/queue/boss-queue.ts';
import { loadSigning } from '../../../server/src/signing/load.ts';
import { createHostDeps } from '../../../server/src/start/host-deps.ts';
import { allJobs } from '../../../server/src/start/jobs.ts';

/** A worker whose copy queue alone is at work: the host's own parts and its own job, without links and verification. */
const config = loadConfig();
const log = createLog(config.logLevel);
const db = await openDatabase(config.database);
const queue = openQueue(db, {
  jobs: allJobs,
  retries: config.retries,
  onError: (error) => log.warn({ err: error }, 'queue'),
});
const deps = createHostDeps(config, db, queue, log, loadSigning(config.signing));
const inTurn = createGate(config.copiesAtOnce);
await queue.work({
  job: ingestJobs.copy,
  concurrency: copyJobs(config.copiesAtOnce),
  run: ({ recordingSid }, { signal }) => copyJob(deps, recordingSid, signal, { inTurn }),
});
log.info({ event: 'host.ready' }, 'ready');
process.once('SIGTERM', () => {
  void queue
    .stop(1_000)
    .then(() => db.close())
    .then(() => process.exit(0));
});
