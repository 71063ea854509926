import { CustodyError } from '@flex-custody/core';

const windowMs = 60_000;
const mostKeys = 10_000;

/**
 * Counts what each key did in the current minute, in this process: not a wall against a flood, which is the proxy's, but
 * one user must not fill the tables.
 * @returns throws CustodyError `too_many_requests` (429) past `most`
 */
export function perMinute(most: number, now: () => number = Date.now): (key: string) => void {
  const counts = new Map<string, number>();
  let since = 0;
  return (key) => {
    const at = now();
    if (at - since >= windowMs || counts.size >= mostKeys) {
      counts.clear();
      since = at;
    }
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count > most)
      throw new CustodyError('too_many_requests', `more than ${most} in a minute`, {
        status: 429,
        retryable: true,
      });
  };
}
