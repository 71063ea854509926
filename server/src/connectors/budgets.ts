import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../db/db.ts';
import type { Budgets } from './budget.ts';
import { createLine, type Time } from './line.ts';
import type { LimitClass } from './turns.ts';

const realTime: Time = {
  now: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }),
};

/**
 * Budgets that all processes on this database share: a process takes turns of half a second, evenly spaced by the database's
 * clock, and uses each at its time or not at all. Turns of a killed process are lost. Another process notices a pause within
 * its half second.
 * @throws CustodyError `database_unavailable` for those who wait while the database does not answer
 */
export function createBudgets<C extends string>(
  db: Db,
  classes: Readonly<Record<C, LimitClass>>,
  time: Time = realTime,
): Budgets<C> {
  const names = Object.keys(classes) as C[];
  const lines = Object.fromEntries(
    names.map((name) => [name, createLine(db, classes[name], time)]),
  ) as Record<C, ReturnType<typeof createLine>>;
  return {
    turn: (of, signal) => lines[of].turn(signal),
    learn: (of, report) => lines[of].learn(report),
    pause: (of, ms) => lines[of].pause(ms),
  };
}
