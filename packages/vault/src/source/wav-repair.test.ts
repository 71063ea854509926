import { Readable } from 'node:stream';
import { collect, inChunks, wav } from '../../test/support.ts';
import { proveWhole } from './audio-proof.ts';
import { WavHead } from './wav.ts';
import { MAX_REPAIR_BYTES, repairing, repairOf } from './wav-repair.ts';

const seconds = 2;
const data = wav(seconds).length - 44;
const headOf = (bytes: Buffer): WavHead => {
  const head = new WavHead();
  head.push(bytes);
  return head;
};
const repaired = async (bytes: Buffer): Promise<Buffer | undefined> => {
  const { layout } = headOf(bytes);
  const repair = layout && repairOf(layout, bytes.length);
  return repair && collect(inChunks(bytes, 3, 1, 500).pipe(repairing(repair, 0)));
};

test.each<[string, Buffer]>([
  ['data as long as the file', wav(seconds, 2, { data: data + 44 })],
  ['RIFF as long as the file', wav(seconds, 2, { riff: 44 + data })],
  ['RIFF as long as the samples', wav(seconds, 2, { riff: data })],
  [
    'both by the most',
    wav(seconds, 2, { riff: 36 + data - MAX_REPAIR_BYTES, data: data + MAX_REPAIR_BYTES }),
  ],
  ['an odd number of bytes', Buffer.concat([wav(seconds), Buffer.alloc(1)])],
  ['a line end behind it', Buffer.concat([wav(seconds), Buffer.from('\r\n')])],
  ['less than a sample missing', wav(seconds).subarray(0, -3)],
])('a header with %s is put right, and nothing else is changed', async (_what, bytes) => {
  expect(() => proveWhole(headOf(bytes), bytes.length, { durationSeconds: seconds })).toThrow();
  const right = await repaired(bytes);
  if (!right) throw new Error('not repaired');
  const head = headOf(right);
  expect(() => proveWhole(head, right.length, { durationSeconds: seconds })).not.toThrow();
  expect((head.layout?.dataBytes ?? 1) % 4).toBe(0);
  const [before, after] = [Buffer.from(bytes), Buffer.from(right)];
  for (const [from, to] of [
    [4, 8],
    [40, 44],
  ] as const) {
    before.fill(0, from, to);
    after.fill(0, from, to);
  }
  expect(after.equals(before)).toBe(true);
});

test.each<[string, Buffer]>([
  ['a truncated one', wav(seconds).subarray(0, -MAX_REPAIR_BYTES - 1)],
  ['one with more behind it', Buffer.concat([wav(seconds), Buffer.alloc(MAX_REPAIR_BYTES + 1)])],
  ['one without samples', wav(0, 2, { data: 4 })],
])('%s is not', async (_what, bytes) => {
  expect(await repaired(bytes)).toBeUndefined();
});

test('from any byte on', async () => {
  const bytes = wav(seconds, 2, { riff: 4_000, data: data + 44 });
  bytes.writeUInt32LE(36 + data + 8, 4);
  const repair = repairOf(headOf(bytes).layout!, bytes.length)!;
  const whole = await collect(Readable.from([bytes]).pipe(repairing(repair, 0)));
  for (const start of [0, 1, 5, 39, 41, 43, 44, 1_000]) {
    const rest = await collect(Readable.from([bytes.subarray(start)]).pipe(repairing(repair, start)));
    expect([start, rest.equals(whole.subarray(start))]).toEqual([start, true]);
  }
});
