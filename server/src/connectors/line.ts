import type { Db } from '../db/db.ts';
import type { LimitReport } from './budget.ts';
import {
  addBudget,
  type Clock,
  correctBudget,
  pauseBudget,
  returnTurns,
  type Taken,
  takeTurns,
} from './budget-table.ts';
import { createDatabaseClock } from './database-clock.ts';
import { type Correction, correctionBy, type Known } from './reports.ts';
import { intervalOf, type LimitClass, latenessOf, turnsOf } from './turns.ts';

/** Of the rate, so much is taken at once: a pause reaches other processes after it, and a killed one loses it. */
const sliceMs = 500;
/** The next slice is taken while so much of this one is left. */
const aheadMs = 250;
const mostLeadMs = 2_000;
const mostWaitMs = 600_000;
/** Turns that are so far apart are given back when nothing waits for them any longer. */
const dearMs = 1_000;

/** Time, as tests replace it. */
export interface Time {
  /** Monotonic, ms. */
  now(): number;
  /** @throws once the signal is aborted */
  wait(ms: number, signal: AbortSignal): Promise<unknown>;
  /** In place of the database's clock. */
  database?(): Date;
}

interface Waiter {
  resolve(): void;
  reject(reason: unknown): void;
}

/** The requests of one class in this process, in the order in which they came. */
export function createLine(db: Db, of: LimitClass, time: Time) {
  const clock = createDatabaseClock();
  const stated = (): Clock => time.database?.();
  const waiting: Waiter[] = [];
  /** When the next ones may begin, by our clock. */
  let turns: number[] = [];
  let last: { taken: Taken; lostNone: boolean } | undefined;
  let known: Known = {};
  let pauses = 0;
  let pausing: Promise<void> | undefined;
  let isServing = false;
  let taking: Promise<void> | undefined;
  let correcting: Promise<void> | undefined;
  let added: Promise<void> | undefined;
  let idle = new AbortController();

  function addOnce(): Promise<void> {
    added ??= addBudget(db, of.name, stated()).catch((error: unknown) => {
      added = undefined;
      throw error;
    });
    return added;
  }

  /** As many as wait; twice as many as before, where none of those was lost: one caller after another then asks less often. */
  function countToTake(): number {
    const most = Math.max(1, Math.floor(sliceMs / (last?.taken.intervalMs ?? intervalOf(of))));
    const lastAt = last ? clock.ours(last.taken.nextAt) : 0;
    const grows = last?.lostNone && time.now() - lastAt < last.taken.intervalMs;
    return Math.min(
      most,
      Math.max(1, waiting.length - turns.length, grows ? 2 * (last?.taken.count ?? 0) : 0),
    );
  }

  async function take(): Promise<void> {
    await addOnce();
    await pausing?.catch(() => undefined);
    const before = pauses;
    const sentAt = time.now();
    const leadMs = Math.min(mostLeadMs, 2 * clock.tookMs());
    const taken = await takeTurns(db, of, { count: countToTake(), leadMs, clock: stated() });
    if (!taken) {
      added = undefined;
      throw new Error(`the budget ${of.name} is missing`);
    }
    clock.saw(taken.now, sentAt, time.now());
    known = taken;
    last = { taken, lostNone: true };
    // Turns from before a pause are lost.
    if (pauses === before) turns.push(...turnsOf(taken).map((at) => clock.ours(at)));
  }

  function loseLate(): void {
    const oldest = time.now() - latenessOf(of);
    const inTime = turns.filter((at) => at >= oldest);
    if (inTime.length < turns.length && last) last.lostNone = false;
    turns = inTime;
  }

  const needsMore = () => {
    const end = turns.at(-1);
    return waiting.length > turns.length && (end === undefined || end - time.now() < aheadMs);
  };

  async function serve(): Promise<void> {
    while (waiting.length > 0) {
      loseLate();
      if (!taking && needsMore())
        taking = take().finally(() => {
          taking = undefined;
        });
      const next = turns[0];
      // A failure is this loop's to report, also where it waits for a turn meanwhile.
      taking?.catch(() => undefined);
      if (next === undefined) await taking;
      else if (next > time.now())
        await time.wait(Math.min(next - time.now(), mostWaitMs), idle.signal).catch(() => {
          idle = new AbortController();
        });
      else {
        turns.shift();
        waiting.shift()?.resolve();
      }
    }
  }

  /** Gives back what was taken for those who wait no longer. */
  async function rest(): Promise<void> {
    const dear = last && last.taken.intervalMs > dearMs ? last.taken : undefined;
    const left = turns.length;
    if (!dear || left === 0) return;
    turns = [];
    await returnTurns(db, of, dear, left);
  }

  function begin(): void {
    if (isServing) return;
    isServing = true;
    serve()
      .then(rest)
      .catch((error: unknown) => {
        for (const { reject } of waiting.splice(0)) reject(error);
      })
      .finally(() => {
        isServing = false;
        if (waiting.length > 0) begin();
      });
  }

  return {
    turn(signal?: AbortSignal): Promise<void> {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const end = () => signal?.removeEventListener('abort', stop);
        const waiter: Waiter = {
          resolve: () => {
            end();
            resolve();
          },
          reject: (reason) => {
            end();
            reject(reason);
          },
        };
        const stop = () => {
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(signal?.reason);
          if (waiting.length === 0) idle.abort();
        };
        signal?.addEventListener('abort', stop, { once: true });
        waiting.push(waiter);
        begin();
      });
    },

    /** Of several reports at once one is enough. */
    async learn(report: LimitReport): Promise<void> {
      if (correcting) return correcting;
      const correction = correctionBy(of, report, known, clock.theirs(time.now()));
      if (!correction) return;
      correcting = correct(correction).finally(() => {
        correcting = undefined;
      });
      return correcting;
    },

    async pause(ms: number): Promise<void> {
      pauses += 1;
      turns = [];
      pausing = addOnce().then(() => pauseBudget(db, of.name, ms, stated()));
      await pausing;
    },
  };

  async function correct(correction: Correction): Promise<void> {
    await addOnce();
    await correctBudget(db, of, correction, stated());
    const { limit, left } = correction;
    known = {
      ...known,
      ...(limit !== undefined && { limit }),
      ...(left && { remaining: left.count, resetsAt: clock.theirs(time.now()) + left.forMs }),
    };
  }
}
