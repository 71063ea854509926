import type { Inbox } from '../../inbox.ts';

/** An inbox in memory: texts are ids, and what begins with `!` is set aside. */
export function fakeInbox() {
  const stored: string[] = [];
  const counts = new Map<string, { read: number; stored: number; duplicate: number; setAside: number }>();
  const fake = {
    /** In the order in which they were stored. */
    stored,
    /** By shard. */
    counts,
    setAside: [] as string[],
    before: async (_events: readonly unknown[]): Promise<void> => undefined,
    inbox: {
      async take(events, { shard = '' }) {
        await fake.before(events);
        const taken = { read: events.length, stored: 0, duplicate: 0, setAside: 0 };
        for (const event of events.map(String)) {
          if (event.startsWith('!')) {
            taken.setAside += 1;
            fake.setAside.push(event);
          } else if (stored.includes(event)) taken.duplicate += 1;
          else {
            taken.stored += 1;
            stored.push(event);
          }
        }
        const sum = counts.get(shard) ?? { read: 0, stored: 0, duplicate: 0, setAside: 0 };
        for (const name of ['read', 'stored', 'duplicate', 'setAside'] as const) sum[name] += taken[name];
        counts.set(shard, sum);
        return taken;
      },
    } satisfies Inbox,
  };
  return fake;
}

/** Alarms that are open, as `<code> <shard>`, and all that were raised. */
export function fakeAlarms() {
  const open = new Map<string, string>();
  const raised: string[] = [];
  const name = (code: string, shard = '') => `${code} ${shard}`.trim();
  return {
    open,
    raised,
    alarms: {
      async raise(code: string, shard: string | undefined, detail: string) {
        open.set(name(code, shard), detail);
        raised.push(name(code, shard));
      },
      async resolve(codes: readonly string[], shard?: string) {
        for (const code of codes) open.delete(name(code, shard));
      },
    },
  };
}

/** A promise that the test resolves. */
export function gate(): { promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return { promise, resolve };
}
