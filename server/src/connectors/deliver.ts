import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import type { Totals } from './brevo/mapping.ts';
import type { Crm } from './crm.ts';
import { claimDue } from './outbox-table.ts';
import type { PauseNotes } from './pause-note.ts';
import { createSlots } from './slots.ts';
import { createTries } from './tries.ts';
import { expireTries, mostUncertain, uncertainRoom } from './uncertain-table.ts';
import { sendingWithOthers } from './with-others.ts';
import { type WorkDeps, workOff } from './work-off.ts';

export interface DeliverDeps<E> {
  db: Db;
  /** Of the rows: such as brevo. */
  connector: string;
  crm: Crm<E>;
  /** By customer; those whose interactions were all erased have none. */
  totals(db: Db, customers: readonly number[]): Promise<ReadonlyMap<number, Totals>>;
  notes: Pick<PauseNotes, 'read' | 'takeProbe' | 'resume'>;
  /** The account is in use again. */
  onResumed(): Promise<void>;
  log: Record<'debug' | 'warn', (fields: object, message: string) => void>;
  /** Customers that are worked off side by side. */
  atOnce?: number;
  /** Until the next look when nothing is due, ms. */
  idleMs?: number;
}

/** Between two looks at tries that have ended, uncertain effects and a pause; ms. */
const lookMs = 1_000;
/** What is under way when the process ends has so long to end by itself. */
const graceMs = 8_000;

/**
 * Sends what is due until the signal aborts; then it begins nothing more, and ends what it has begun. Several processes may do so.
 * If the process is killed, its claims and tries end by themselves: what was being sent is looked up, the rest is sent.
 */
export async function deliver<E>(deps: DeliverDeps<E>, signal: AbortSignal): Promise<void> {
  const { connector, crm, db, log, notes, atOnce = 64, idleMs = 1_000 } = deps;
  const requests = new AbortController();
  const tries = createTries(db, connector);
  const slots = createSlots(mostUncertain);
  const shared = { crm, tries, signal: requests.signal };
  const work: WorkDeps<E> = {
    ...shared,
    ...{ slots, sendWithOthers: sendingWithOthers(shared) },
    isEnding: () => signal.aborted,
  };
  const running = new Set<Promise<unknown>>();
  let isPaused = false;
  let hasHistoryRoom = true;
  let settling: Promise<unknown> | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** @returns how many it began */
  const begin = async (most: number, onPaused: (found: boolean) => void): Promise<number> => {
    const customers = await claimDue(db, connector, most, {
      live: slots.limit > 0,
      history: hasHistoryRoom,
    });
    if (customers.length === 0) return 0;
    const totals = await deps.totals(
      db,
      customers.map(({ id }) => id),
    );
    const count = customers.length;
    log.debug({ event: 'connector.claimed', customers: count }, 'customers are being worked off');
    for (const customer of customers) {
      const one = workOff(work, customer, totals.get(customer.id))
        .then(onPaused)
        // Its claim ends by itself.
        .catch((error: unknown) =>
          log.warn({ event: 'connector.claim', code: errorCode(error) }, 'a claim could not be worked off'),
        )
        .finally(() => running.delete(one));
      running.add(one);
    }
    return count;
  };

  const look = async () => {
    if (performance.now() - lookedAt < lookMs) return;
    lookedAt = performance.now();
    isPaused = (await notes.read()) !== undefined;
    await expireTries(db, connector);
    const room = await uncertainRoom(db, connector);
    slots.limit = room.live;
    hasHistoryRoom = room.history > 0;
    if (isPaused) return;
    settling ??= crm
      .settle(requests.signal)
      .catch((error: unknown) =>
        log.warn({ event: 'connector.settle', code: errorCode(error) }, 'a look for events failed'),
      )
      .finally(() => {
        settling = undefined;
      });
  };

  /** One process at a time: first the account is asked, then one customer is worked off. */
  const probe = async () => {
    if (!(await notes.takeProbe()) || !(await crm.probe(requests.signal))) return;
    let isPausedStill = false;
    await begin(1, (found) => {
      isPausedStill = found;
    });
    await Promise.all(running);
    if (isPausedStill || signal.aborted) return;
    await notes.resume();
    await deps.onResumed();
    isPaused = false;
  };

  const ending = () => setTimeout(() => requests.abort(signal.reason), graceMs).unref();
  signal.addEventListener('abort', ending, { once: true });
  const isFull = () => running.size > atOnce / 2;
  try {
    while (!signal.aborted) {
      await look();
      if (isPaused) await probe();
      const begun = isPaused
        ? 0
        : isFull()
          ? 0
          : await begin(atOnce - running.size, (found) => {
              isPaused ||= found;
            });
      if (begun > 0 && !isFull()) continue;
      const idle = new AbortController();
      const rest = sleep(idleMs, undefined, { signal: AbortSignal.any([signal, idle.signal]) });
      await Promise.race([...(isFull() ? running : []), rest.catch(() => undefined)]);
      idle.abort();
    }
  } finally {
    await Promise.all([...running, settling]);
    signal.removeEventListener('abort', ending);
    requests.abort(signal.reason);
  }
}
