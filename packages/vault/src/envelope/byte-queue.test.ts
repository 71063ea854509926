import { randomBytes } from 'node:crypto';
import { seeded } from '../../test/support.ts';
import { ByteQueue } from './byte-queue.ts';

test('gives out in any portions what came in in any portions', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const below = seeded(seed);
    const bytes = randomBytes(2000);
    const queue = new ByteQueue();
    const out: Buffer[] = [];
    let pushed = 0;
    let taken = 0;
    while (taken < bytes.length) {
      const more = Math.min(below(90), bytes.length - pushed);
      queue.push(bytes.subarray(pushed, pushed + more));
      pushed += more;
      expect(queue.length).toBe(pushed - taken);
      const portion = below(queue.length + 1);
      const seen = Buffer.from(queue.peek(portion));
      const got = below(2) === 0 ? queue.takeOne(portion) : Buffer.concat(queue.take(portion));
      expect(got.equals(seen)).toBe(true);
      out.push(got);
      taken += portion;
    }
    expect(Buffer.concat(out).equals(bytes)).toBe(true);
  }
});

test('does not give what it has not', () => {
  const queue = new ByteQueue();
  queue.push(Buffer.from('abc'));
  expect(() => queue.take(4)).toThrow(RangeError);
  expect(queue.takeOne(3).toString()).toBe('abc');
});

test('does not copy what lies together', () => {
  const bytes = Buffer.from('abcdef');
  const queue = new ByteQueue();
  queue.push(bytes);
  expect(queue.takeOne(3).buffer).toBe(bytes.buffer);
});
