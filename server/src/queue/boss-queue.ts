import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError, isRetryable } from '@flex-custody/core';
import type PgBoss from 'pg-boss';
import { coalesce } from '../db/coalesce.ts';
import type { Db } from '../db/db.ts';
import { failureOf, readFailure } from './failure.ts';
import { deadName } from './former-queues.ts';
import type { Job, RunJob } from './job.ts';
import { countJobs, sharedCounts } from './job-counts.ts';
import { type JobTable, jobTable, partsOf, type TakenJob } from './job-table.ts';
import { oneTry } from './one-try.ts';
import { type Puller, startPuller } from './puller.ts';
import type { Queue } from './queue.ts';
import { removeDone } from './remove-done.ts';
import { keyOf, timesOf } from './sending.ts';
import { startBoss } from './start-boss.ts';

const unhurriedPolls = 4;
/** The pause doubles at each retry, half of it random: by default from 2 s to about 2 h. */
const defaults = { limit: 12, delaySeconds: 2 };
const deadPollMs = 5_000;
const deadAgainSeconds = 60;

export interface QueueSettings {
  /** Every kind of job that is sent or run. */
  jobs: readonly Job[];
  /** Whether pg-boss maintains expired and finished jobs in this process; one process with workers suffices. */
  supervise?: boolean;
  /** How often that is; 120 by default, and once for all processes. */
  superviseSeconds?: number;
  schema?: string;
  /** Time between polls, which find jobs of other processes; 500 ms by default, 4 times that for jobs that are not urgent. */
  pollMs?: number;
  /** How often a failed job is retried, and how long after the first failure. */
  retries?: { limit: number; delaySeconds: number };
  onError?: (error: unknown) => void;
}

/** Jobs on pg-boss, which is loaded and set up at the first use, so that a process that only plays back does not load it. */
export function openQueue(db: Db, settings: QueueSettings): Queue {
  const { jobs, schema = 'pgboss', pollMs = 500 } = settings;
  const { limit: retryLimit, delaySeconds: retryDelay } = settings.retries ?? defaults;
  // Set on each job: pg-boss never changes the settings of an existing queue, and would prefer them to the current ones.
  const triesOf = ({ limitSeconds }: Job) => ({
    ...{ retryLimit, retryDelay, retryBackoff: true },
    expireInSeconds: limitSeconds,
  });
  const scheduled = jobs.flatMap((job) => (job.scheduled ? [job.name] : []));
  const onError = settings.onError ?? (() => undefined);
  const pullers = new Map<string, Puller>();
  const timers: NodeJS.Timeout[] = [];
  const halt = new AbortController();
  let ready: Promise<PgBoss> | undefined;
  let parts: Promise<ReadonlyMap<string, string>> | undefined;
  let stopping: Promise<void> | undefined;
  let removing: Promise<void> = Promise.resolve();

  const open = async (): Promise<PgBoss> => {
    const { supervise = false, superviseSeconds = 120, retries = defaults } = settings;
    const opened = await startBoss(db, schema, jobs, { supervise, superviseSeconds, retries, onError });
    opened.on('maintenance', () => {
      removing = removing
        .then(() => removeDone(db, schema, scheduled, () => stopping === undefined))
        .catch(onError);
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

  const tableOf = async (name: string, isScheduled = false): Promise<JobTable> => {
    await boss();
    parts ??= partsOf(db, schema);
    const part = (await parts).get(name);
    if (part === undefined) throw new Error(`no queue ${name}`);
    return jobTable(db, part, name, { scheduled: isScheduled });
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

  const buryDead = async <D extends object>({ job: { name }, dead }: RunJob<D>) => {
    if (!dead) return;
    const table = await tableOf(deadName(name));
    await pull(deadName(name), { concurrency: 1, every: deadPollMs }, table, async (started, job) => {
      try {
        await dead({ data: job.data as D, error: readFailure(job.output) });
      } catch (error) {
        onError(error);
        // Sent again instead of failed: a dead letter must never be lost.
        await started.send(deadName(name), job.data, { startAfter: deadAgainSeconds });
      }
      await table.complete([job.id]);
    });
  };

  const sendEvery = async (job: Job, seconds: number) => {
    await queue.send(job, {}, { once: 'at-start' });
    // Twice in each slot, so that a timer that fires early, or during an outage, does not skip the slot.
    const beat = async () => {
      if (stopping) return;
      // The slot makes it one job for all processes, without pg-boss's own schedules, which poll.
      const slot = { singletonSeconds: seconds, singletonKey: 'every' };
      await (await boss()).send(job.name, {}, { ...triesOf(job), ...slot });
    };
    const timer = setInterval(() => void beat().catch(onError), Math.min(60_000, seconds * 500));
    timer.unref();
    timers.push(timer);
  };

  const queue: Queue = {
    send: (job, data, options) => queue.sendAll(job, [{ data, ...options }]),

    async sendAll(job, sendings) {
      if (sendings.length === 0) return;
      const started = await boss();
      const same = { name: job.name, ...triesOf(job) };
      await started.insert(
        sendings.map(({ data, once, ...times }) => ({
          ...{ ...same, data, singletonKey: keyOf(job, data, once) },
          ...timesOf(times),
        })),
      );
      if (sendings.some(({ startAfterMs }) => !startAfterMs)) pullers.get(job.name)?.wake();
    },

    async work(running) {
      const { job, concurrency, run, everySeconds } = running;
      const { name, limitSeconds } = job;
      const table = await tableOf(name, job.scheduled);
      const complete = coalesce(table.complete);
      const every = job.unhurried ? unhurriedPolls * pollMs : pollMs;
      await pull(name, { concurrency, every }, table, async (started, taken) => {
        try {
          await oneTry(halt.signal, limitSeconds, (signal) =>
            run(taken.data as Parameters<typeof run>[0], { attempt: taken.retryCount + 1, signal }),
          );
          await complete(taken.id);
        } catch (error) {
          // Without this the job would be tried again, and would fail again.
          if (!isRetryable(error)) {
            await db.query(
              `UPDATE ${schema}.job SET retry_limit = retry_count WHERE name = $1 AND id = $2::uuid`,
              [name, taken.id],
            );
          }
          await started.fail(name, taken.id, failureOf(error));
          pullers.get(deadName(name))?.wake();
        }
      });
      await buryDead(running);
      if (everySeconds !== undefined) await sendEvery(job, everySeconds);
    },

    waiting: async (job, sids) => (await tableOf(job.name)).waiting(sids),

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
        // A job that ignores the signal must not delay the end; it is tried again when its limit has passed.
        await within(idle, 1_000);
        await within(removing, 1_000);
        await (await ready?.catch(() => undefined))?.stop({ graceful: false, close: false });
      })();
      return stopping;
    },
  };
  return queue;
}

/** Resolves with `work`, or after `ms` without it. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const inTime = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: inTime.signal }).catch(() => undefined)]);
  inTime.abort();
}
