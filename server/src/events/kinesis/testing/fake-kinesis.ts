import type { Kinesis, ListedShard, ShardPosition } from '../kinesis.ts';

interface FakeShard extends ListedShard {
  records: { sequence: string; data: Uint8Array; at: number }[];
}

export const awsError = (name: string): Error => Object.assign(new Error(name), { name });

/** A stream in memory, whose calls a test may let fail or wait. Sequence numbers are the places in the whole stream. */
export function fakeKinesis() {
  const shards = new Map<string, FakeShard>();
  let sequences = 0;
  const close = (shard: string) => {
    const found = shards.get(shard);
    if (found) shards.set(shard, { ...found, isClosed: true });
  };
  const of = (shard: string): FakeShard => {
    const found = shards.get(shard);
    if (!found) throw awsError('ResourceNotFoundException');
    return found;
  };
  const fake = {
    /** Each iterator that was asked for, as `<shard> <position>`. */
    iterators: [] as string[],
    /** Before each call; what it throws is the answer. */
    before: async (_call: keyof Kinesis, _shard: string, _signal: AbortSignal): Promise<void> => undefined,
    retentionHours: 24,
    open(shard: string, parents: readonly string[] = []) {
      sequences += 1;
      shards.set(shard, { shard, parents, firstSequence: `${sequences}`, isClosed: false, records: [] });
    },
    /** New records, each with its text. */
    put(shard: string, ...texts: string[]) {
      for (const text of texts) {
        sequences += 1;
        of(shard).records.push({ sequence: `${sequences}`, data: Buffer.from(text), at: Date.now() });
      }
    },
    close,
    split(parent: string, ...children: string[]) {
      close(parent);
      for (const child of children) fake.open(child, [parent]);
    },
    /** The stream no longer keeps it. */
    forget: (shard: string) => shards.delete(shard),
    trim(shard: string) {
      of(shard).records.length = 0;
    },
    /** @returns what one process sees of the stream */
    connect: (): Kinesis => ({
      async shards(signal) {
        await fake.before('shards', '', signal);
        return [...shards.values()].map(({ records: _, ...listed }) => listed);
      },
      async iterator(shard, position: ShardPosition, signal) {
        await fake.before('iterator', shard, signal);
        const { records, firstSequence } = of(shard);
        fake.iterators.push(
          `${shard} ${position === 'trim_horizon' ? position : 'after' in position ? `after ${position.after}` : 'at'}`,
        );
        if (position === 'trim_horizon') return `${shard}/0`;
        if ('at' in position)
          return `${shard}/${records.filter(({ at }) => at < position.at.getTime()).at(-1)?.sequence ?? 0}`;
        if (Number(position.after) < Number(firstSequence)) throw awsError('InvalidArgumentException');
        return `${shard}/${position.after}`;
      },
      async read(iterator, limit, signal) {
        const [shard = '', after = ''] = iterator.split('/');
        await fake.before('read', shard, signal);
        const { isClosed, records } = of(shard);
        const left = records.filter(({ sequence }) => Number(sequence) > Number(after));
        const page = left.slice(0, limit);
        const isEnd = isClosed && page.length === left.length;
        return {
          records: page,
          next: isEnd ? undefined : `${shard}/${page.at(-1)?.sequence ?? after}`,
          behindMs: (left.length - page.length) * 1_000,
        };
      },
      async retentionMs(signal) {
        await fake.before('retentionMs', '', signal);
        return fake.retentionHours * 3_600_000;
      },
      close: () => undefined,
    }),
  };
  return fake;
}
