import { CustodyError } from '@flex-custody/core';

const windowMs = 60_000;
const mostKeys = 10_000;

const tooMany = (what: string): CustodyError =>
  new CustodyError('too_many_requests', `more than ${what}: try again later`);

/** Counts what each key does in a minute. */
export interface Rate {
  /** @throws CustodyError `too_many_requests` (429) past the most */
  count(key: string): void;
  /** Takes back what was counted in this minute. */
  takeBack(key: string): void;
}

/**
 * Counts what each key did in the current minute, in this process, so that one user cannot fill the tables; the proxy must
 * stop a flood. Above 10,000 keys the oldest one is dropped.
 */
export function perMinute(most: number, now: () => number = Date.now): Rate {
  const counts = new Map<string, number>();
  let since = 0;
  const add = (key: string, difference: number): number => {
    const at = now();
    if (at - since >= windowMs) {
      counts.clear();
      since = at;
    }
    const count = Math.max(0, (counts.get(key) ?? 0) + difference);
    counts.set(key, count);
    const [oldest] = counts.keys();
    if (counts.size > mostKeys && oldest !== undefined) counts.delete(oldest);
    return count;
  };
  return {
    count(key) {
      if (add(key, 1) > most) throw tooMany(`${most} in a minute`);
    },
    takeBack(key) {
      add(key, -1);
    },
  };
}

/** Counts how many each key has at once. */
export interface AtOnce {
  /** @returns whether there was room */
  enter(key: string): boolean;
  leave(key: string): void;
}

export function atOnce(most: number): AtOnce {
  const counts = new Map<string, number>();
  return {
    enter(key) {
      const count = counts.get(key) ?? 0;
      if (count >= most) return false;
      counts.set(key, count + 1);
      return true;
    },
    leave(key) {
      const count = (counts.get(key) ?? 0) - 1;
      if (count > 0) counts.set(key, count);
      else counts.delete(key);
    },
  };
}

/** Enters each of several limits, or none. @throws CustodyError `too_many_requests` (429) */
export function enterAll(limits: readonly { room: AtOnce; key: string | undefined; what: string }[]) {
  const entered: (() => void)[] = [];
  const leave = () => {
    for (const one of entered.splice(0)) one();
  };
  for (const { room, key, what } of limits) {
    if (key === undefined) continue;
    if (!room.enter(key)) {
      leave();
      throw tooMany(`${what} at once`);
    }
    entered.push(() => room.leave(key));
  }
  return leave;
}
