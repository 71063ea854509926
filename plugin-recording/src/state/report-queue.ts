import type { Report, WorkerSid } from '@flex-custody/core';
import type { Delivery } from '../api/host';
import type { Log } from '../log';
import { type KeyValues, stored } from './storage';

/** A waiting report and its worker: the host takes the token's worker, so only that worker may deliver it. */
export interface Waiting {
  worker: WorkerSid;
  report: Report;
}

export interface ReportQueue {
  add(report: Report): void;
  /** Delivers what waits; returns when there is nothing more to do now. */
  flush(): Promise<void>;
}

export interface QueueMeans {
  storage: KeyValues | undefined;
  worker(): WorkerSid | undefined;
  send(report: Report): Promise<Delivery>;
  /** Comes back after so many ms. */
  later(ms: number, then: () => void): void;
  log: Log;
}

export const mostWaiting = 50;
export const firstBackoffMs = 2_000;
export const longestBackoffMs = 300_000;

/**
 * Reports on their way to the host. They wait in the browser's storage, without a token, and are sent again until the host
 * took or refused them. Another tab may send the same one: its id makes it count once.
 */
export function reportQueue(means: QueueMeans): ReportQueue {
  const list = stored(means.storage, 'flex_custody.reports', asWaiting);
  let memory: Waiting[] = [];
  let backoff = firstBackoffMs;
  let running: Promise<void> | undefined;
  let waiting = false;

  /** Other tabs write there too, so it is read each time; what the storage could not take is in memory. */
  const all = (): Waiting[] => {
    const kept = list.read();
    const ids = new Set(kept.map(({ report }) => report.id));
    return [...kept, ...memory.filter(({ report }) => !ids.has(report.id))];
  };
  const keep = (next: readonly Waiting[]): void => {
    if (next.length > mostWaiting) means.log('too many reports wait; the oldest are dropped');
    const bounded = next.slice(-mostWaiting);
    list.write(bounded);
    const ids = new Set(list.read().map(({ report }) => report.id));
    memory = bounded.filter(({ report }) => !ids.has(report.id));
  };

  const deliver = async (): Promise<void> => {
    for (;;) {
      const worker = means.worker();
      const next = all().find((one) => one.worker === worker);
      if (!next) return;
      const outcome = await means.send(next.report).catch((): Delivery => 'later');
      if (outcome === 'later') return retryLater();
      backoff = firstBackoffMs;
      if (outcome === 'refused') means.log('the host refused a report', { kind: next.report.kind });
      keep(all().filter(({ report }) => report.id !== next.report.id));
    }
  };
  const retryLater = (): void => {
    if (waiting) return;
    waiting = true;
    means.later(backoff, () => {
      waiting = false;
      void queue.flush();
    });
    backoff = Math.min(backoff * 2, longestBackoffMs);
  };

  const queue: ReportQueue = {
    add(report) {
      const worker = means.worker();
      if (!worker) return means.log('a report without a worker is dropped', { kind: report.kind });
      keep([...all(), { worker, report }]);
      void queue.flush();
    },
    flush() {
      running ??= deliver().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
  return queue;
}

function asWaiting(value: unknown): Waiting[] {
  const isWaiting = (one: unknown): one is Waiting => {
    const { worker, report } = (one ?? {}) as Partial<Record<keyof Waiting, unknown>>;
    return (
      typeof worker === 'string' && typeof (report as Partial<Report> | null | undefined)?.id === 'string'
    );
  };
  return (Array.isArray(value) ? value : []).filter(isWaiting);
}
