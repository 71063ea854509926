import type { PauseSettings } from '@flex-custody/core';
import { freshMs, pausePolicy } from './pause-settings';

const off: PauseSettings = { enabled: false, behavior: 'skip', resumeAfterSeconds: 60 };

function policyOf(answer: () => Promise<PauseSettings | undefined>) {
  const clock = { now: 0 };
  let asked = 0;
  const policy = pausePolicy(
    () => {
      asked += 1;
      return answer();
    },
    () => clock.now,
  );
  return { policy, clock, asked: () => asked };
}

test.each<[string, () => Promise<PauseSettings | undefined>]>([
  ['says nothing', async () => undefined],
  ['cannot be reached', () => Promise.reject(new Error('offline'))],
])('a host that %s leaves pausing on, and is asked again', async (_what, answer) => {
  const { policy, asked } = policyOf(answer);
  await policy.refresh();
  await policy.refresh();
  expect(policy.current.enabled).toBe(true);
  expect(asked()).toBe(2);
});

test('the host decides; listeners hear of it; it is asked again only after a while', async () => {
  const { policy, clock, asked } = policyOf(async () => off);
  let heard = 0;
  policy.subscribe(() => {
    heard += 1;
  });
  await policy.refresh();
  await policy.refresh();
  expect([policy.current, heard, asked()]).toEqual([off, 1, 1]);
  clock.now = freshMs;
  await policy.refresh();
  expect(asked()).toBe(2);
});

test('a Function may say that it is off', () => {
  const { policy } = policyOf(async () => undefined);
  policy.disable();
  expect(policy.current.enabled).toBe(false);
});
