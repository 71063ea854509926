import { stories } from '../../../sandbox/src/agent-events/stories.ts';
import { planEvents } from './event-plan.ts';
import { kinesisTroubles } from './kinesis-way.ts';

const options = { seed: 7, count: 20, kills: 3, longest: 120 };
const length = 27_000;

test('the same seed plans the same, another seed something else', () => {
  expect(planEvents(options, length)).toEqual(planEvents(options, length));
  expect(planEvents({ ...options, seed: 8 }, length)).not.toEqual(planEvents(options, length));
});

test('a short storm has every story, every trouble, both changes of the shards, a kill and a lost lease', () => {
  const plan = planEvents(options, length);
  expect(new Set(plan.stories.map(({ story }) => story))).toEqual(new Set(stories));
  expect(new Set(plan.troubles.map(({ trouble }) => trouble))).toEqual(new Set(kinesisTroubles));
  expect(plan.shards.map(({ change }) => change)).toEqual(['split', 'merge']);
  expect([plan.kills.length, plan.suspensions.length]).toEqual([1, 1]);
  expect(plan.forgeries.length * plan.broken.length).toBeGreaterThan(0);
});

test('one call and one hold are longer than the policies allow, and end within the storm', () => {
  const lasting = planEvents(options, length).stories.filter(({ endsAt }) => endsAt !== undefined);
  expect(lasting.map(({ story }) => story)).toEqual(['hold', 'answered']);
  for (const { endsAt } of lasting) expect(endsAt).toBeLessThan(length);
});
