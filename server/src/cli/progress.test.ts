import { setTimeout as sleep } from 'node:timers/promises';
import { Progress } from './progress.ts';

async function shown(isTTY: boolean, beganMsAgo: number, total?: number): Promise<string> {
  let text = '';
  let begun = false;
  const now = () => {
    if (begun) return beganMsAgo;
    begun = true;
    return 0;
  };
  const progress = new Progress('sealed', total, { isTTY, write: (more: string) => (text += more) }, now);
  progress.resume();
  progress.write(Buffer.alloc(1_500_000));
  await sleep(450);
  progress.end();
  await new Promise((resolve) => progress.once('close', resolve));
  return text;
}

test('says how far it is to a person who has waited for two seconds', async () => {
  expect(await shown(true, 2_500, 3_000_000)).toMatch(/^\rsealed 1\.5 of 3\.0 MB \(50 %\) .*\n$/s);
  expect(await shown(true, 2_500)).toMatch(/^\rsealed 1\.5 MB /);
});

test('is silent before that, and where nobody watches', async () => {
  expect(await shown(true, 1_900, 3_000_000)).toBe('');
  expect(await shown(false, 2_500, 3_000_000)).toBe('');
});
