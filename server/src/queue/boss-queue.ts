import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError, errorCode, fieldsOf, isRetryable } from '@flex-custody/core';
import { orAborted } from '@flex-custody/net';
import type PgBoss from 'pg-boss';
import { coalesce } from '../db/coalesce.ts';
import type { Db } from '../db/db.ts';
import { countJobs, sharedCounts } from './job-counts.ts';
import { type JobTable, jobTable, partsOf, type TakenJob } from './job-table.ts';
import { type Puller, startPuller } from './puller.ts';
import type { DeadJob, JobName, Jobs, Queue, SendOptions } from './queue.ts';
import { removeDone } from './remove-done.ts';
import { deadName, isScheduled, jobNames, keptSeconds, startBoss, tryLimits } from './start-boss.ts';

/** None of these is urgent: each that is idle costs the database a question at each poll. */
const unhurried: ReadonlySet<JobName> = new Set([
  'calls',
  'compare',
  'facts',
  'janitor',
  'measure',
  'pauses',
  'prove',
  'reconcile',
  'reports',
  'retention',
  'sign',
  'sources',
  'trim',
  'webhooks',
]);
const unhurriedPolls = 4;
/** Doubled at each retry, half of it random: by default the pauses grow from 2 s to about 2 h. */
const defaults = { limit: 12, delaySeconds: 2 };
const deadPollMs = 5_000;
const deadAgainSeconds = 60;

export interface QueueSettings {
  /** Look after expired and finished jobs; one process with workers suffices. */
  supervise?: boolean;
  /** How often that is; 120 by default, and once for all processes. */
  superviseSeconds?: number;
  schema?: string;
  /** Jobs that another process has sent are found after so long at the latest, 500 ms; {@link unhurried} ones after 4 times that. */
  pollMs?: number;
  /** How often a job is tried again, and how long after the first failure. */
  retries?: { limit: number; delaySeconds: number };
  /** Of one try, in seconds; {@link tryLimits} where it is not given. */
  limits?: Partial<Record<JobName, number>>;
  onError?: (error: unknown) => void;
}

/** Of a try's limit: it ends here before the database gives the job to another worker. */
const ownShare = 0.9;

/** Jobs on pg-boss, which is loaded and set up at the first use: a process that only plays back pays nothing for it. */
export function openQueue(db: Db, settings: QueueSettings = {}): Queue {
  const { schema = 'pgboss', pollMs = 500 } = settings;
  const { limit: retryLimit, delaySeconds: retryDelay } = settings.retries ?? defaults;
  // With each job: what a queue was created with is never changed, and would win over the settings of today.
  const tries = { retryLimit, retryDelay, retryBackoff: true };
  const onError = settings.onError ?? (() => undefined);
  const limitOf = (name: JobName) => settings.limits?.[name] ?? tryLimits[name];
  const pullers = new Map<string, Puller>();
  const timers: NodeJS.Timeout[] = [];
  const halt = new AbortController();
  let ready: Promise<PgBoss> | undefined;
  let parts: Promise<ReadonlyMap<string, string>> | undefined;
  let stopping: Promise<void> | undefined;
  let removing: Promise<void> = Promise.resolve();

  const open = async (): Promise<PgBoss> => {
    const { supervise = false, superviseSeconds = 120, retries = defaults } = settings;
    const opened = await startBoss(db, schema, { supervise, superviseSeconds, retries, onError });
    opened.on('maintenance', () => {
      removing = removing.then(() => removeDone(db, schema, () => stopping === undefined)).catch(onError);
    });
    return opened;
  };

  const boss = (): Promise<PgBoss> => {
    if (stopping) throw new CustodyError('queue_stopped', 'the queue is stopped');
    ready ??= open().catch((error) => {
      ready = undefined;
      throw error;
    });
    return ready;
  };

  const tableOf = async (name: string): Promise<JobTable> => {
    await boss();
    parts ??= partsOf(db, schema);
    const part = (await parts).get(name);
    if (part === undefined) throw new Error(`no queue ${name}`);
    return jobTable(db, part, name, { scheduled: isScheduled(name) });
  };

  const pull = async (
    name: string,
    { concurrency, every }: { concurrency: number; every: number },
    table: JobTable,
    run: (boss: PgBoss, job: TakenJob) => Promise<void>,
  ) => {
    const started = await boss();
    const puller = startPuller<TakenJob>({
      concurrency,
      pollMs: every,
      fetch: table.take,
      run: (job) => run(started, job).catch(onError),
      onError,
    });
    pullers.set(name, puller);
  };

  const queue: Queue = {
    send: (name, data, options) => queue.sendAll(name, [{ data, ...options }]),

    async sendAll(name, jobs) {
      if (jobs.length === 0) return;
      const started = await boss();
      const same = { name, ...tries, expireInSeconds: limitOf(name) };
      await started.insert(jobs.map(({ data, ...options }) => ({ ...same, data, ...timesOf(options) })));
      if (jobs.some(({ startAfterMs }) => !startAfterMs)) pullers.get(name)?.wake();
    },

    async work(name, { concurrency }, handler) {
      const table = await tableOf(name);
      const complete = coalesce(table.complete);
      const every = unhurried.has(name) ? unhurriedPolls * pollMs : pollMs;
      return pull(name, { concurrency, every }, table, async (started, job) => {
        try {
          await oneTry(halt.signal, limitOf(name) * 1_000 * ownShare, (signal) =>
            handler(job.data as Jobs[typeof name], { attempt: job.retryCount + 1, signal }),
          );
          await complete(job.id);
        } catch (error) {
          // Left as it is this would be tried again, and it would fail again.
          if (!isRetryable(error)) {
            await db.query(
              `UPDATE ${schema}.job SET retry_limit = retry_count WHERE name = $1 AND id = $2::uuid`,
              [name, job.id],
            );
          }
          await started.fail(name, job.id, describe(error));
          pullers.get(deadName(name))?.wake();
        }
      });
    },

    async onDead(handler) {
      for (const name of jobNames) {
        const table = await tableOf(deadName(name));
        await pull(deadName(name), { concurrency: 1, every: deadPollMs }, table, async (started, job) => {
          try {
            await handler({ name, data: job.data as Jobs[JobName], error: readError(job.output) });
          } catch (error) {
            onError(error);
            // Not failed: a dead letter must never be given up.
            await started.send(deadName(name), job.data, { startAfter: deadAgainSeconds });
          }
          await table.complete([job.id]);
        });
      }
    },

    async every(name, seconds) {
      await queue.send(name, {}, { once: 'at-start' });
      // Twice in each slot: a beat that comes a moment early, or falls into an outage, must not cost a whole one.
      const beat = async () => {
        if (stopping) return;
        // The slot makes it one job for all processes, without the clock that pg-boss's own schedules poll.
        await (await boss()).send(
          name,
          {},
          { ...tries, expireInSeconds: limitOf(name), singletonSeconds: seconds, singletonKey: 'every' },
        );
      };
      const timer = setInterval(() => void beat().catch(onError), Math.min(60_000, seconds * 500));
      timer.unref();
      timers.push(timer);
    },

    purge: async (name) => (await boss()).purgeQueue(name),

    waiting: async (name, sids) => (await tableOf(name)).waiting(sids),

    async counts({ fresh = false } = {}) {
      await boss();
      return fresh ? countJobs(db, schema) : sharedCounts(db, schema);
    },

    stop(graceMs = 10_000) {
      stopping ??= (async () => {
        for (const timer of timers) clearInterval(timer);
        const all = [...pullers.values()];
        await Promise.all(all.map((puller) => puller.stop()));
        const idle = Promise.all(all.map((puller) => puller.idle()));
        await within(idle, graceMs);
        halt.abort(new CustodyError('stopping', 'the process ends'));
        // A job that does not heed the signal must not hold up the end; it is tried again when its limit has passed.
        await within(idle, 1_000);
        await within(removing, 1_000);
        await (await ready?.catch(() => undefined))?.stop({ graceful: false, close: false });
      })();
      return stopping;
    },
  };
  return queue;
}

type Times = Pick<PgBoss.JobInsert, 'singletonKey' | 'startAfter' | 'keepUntil'>;

/** In pg-boss's terms: a text is a number of seconds from now. */
function timesOf({ once, since, startAfterMs }: SendOptions): Times {
  // The policy `short` keeps one waiting job for each key, and takes no key for a key: hence one that is unique.
  const singletonKey = once ?? randomUUID();
  if (startAfterMs) return { singletonKey, startAfter: String(startAfterMs / 1_000) };
  if (since === undefined) return { singletonKey };
  // pg-boss counts how long it keeps a job from its start: from an old one the job might be over before it has begun.
  const now = Date.now();
  return {
    singletonKey,
    startAfter: new Date(Math.min(since.getTime(), now)),
    keepUntil: new Date(now + keptSeconds * 1_000),
  };
}

/**
 * One try of a job: aborted when the process ends, and when it has taken too long; then ended too, heed it the signal or
 * not, since it would keep its place among those at work.
 * @throws what the try throws, or CustodyError `expired` (retryable)
 */
async function oneTry(
  halt: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const [over, ended] = [new AbortController(), new AbortController()];
  const end = () => ended.abort(halt.reason);
  if (halt.aborted) end();
  else halt.addEventListener('abort', end, { once: true });
  const timer = setTimeout(() => {
    const late = new CustodyError('expired', `a try took more than ${ms / 1_000} s`);
    ended.abort(late);
    over.abort(late);
  }, ms);
  try {
    await orAborted(work(ended.signal), over.signal);
  } finally {
    clearTimeout(timer);
    halt.removeEventListener('abort', end);
  }
}

/** Resolves with `work`, or after `ms` without it. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const inTime = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: inTime.signal }).catch(() => undefined)]);
  inTime.abort();
}

/** Code and message alone: a vendor's error may hold the request it failed on, with its credentials. */
function describe(error: unknown): DeadJob['error'] {
  return {
    code: errorCode(error),
    retryable: isRetryable(error),
    message:
      error instanceof CustodyError ? error.message : error instanceof Error ? error.name : 'unexpected',
  };
}

function readError(output: unknown): DeadJob['error'] {
  const fields = fieldsOf(output);
  return typeof fields['code'] === 'string'
    ? {
        code: fields['code'],
        message: String(fields['message'] ?? ''),
        retryable: fields['retryable'] === true,
      }
    : { code: 'expired', message: 'the last try took too long, or its process ended', retryable: true };
}
