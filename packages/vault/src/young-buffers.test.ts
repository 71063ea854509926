import { setTimeout as wait } from 'node:timers/promises';
import { collectYoungEvery } from './young-buffers.ts';

const MiB = 1024 * 1024;
const collectAfter = collectYoungEvery(2 * MiB);
const external = () => process.memoryUsage().arrayBuffers / MiB;

/** Dead Buffers of 16 KiB, as a cipher leaves them. */
function leaveDead(megabytes: number, tell: (bytes: number) => void): number {
  let most = 0;
  for (let piece = 0; piece < megabytes * 64; piece += 1) {
    Buffer.allocUnsafeSlow(16_384);
    tell(16_384);
    most = Math.max(most, external());
  }
  return most;
}

test('what passed does not pile up', async () => {
  leaveDead(8, collectAfter);
  await wait(50);
  const before = external();
  const uncollected = leaveDead(96, () => undefined) - before;
  leaveDead(8, collectAfter);
  await wait(50);
  const collected = leaveDead(96, collectAfter) - external();
  expect(collected).toBeLessThan(uncollected / 2);
});
