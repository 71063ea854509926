import { deliveries, fates, leastForAll, lies, plan } from './plan.ts';

const options = { seed: 7, count: 200, kills: 30, longest: 1_200 };

test('the same seed plans the same, another seed something else', () => {
  expect(plan(options)).toEqual(plan(options));
  expect(plan({ ...options, seed: 8 })).not.toEqual(plan(options));
});

test('everything that can go wrong is in it, and most recordings have only passing troubles', () => {
  const { calls, faults, kills, restarts, forgeries, length } = plan(options);
  expect(calls).toHaveLength(200);
  expect(new Set(calls.map(({ delivery }) => delivery))).toEqual(new Set(deliveries));
  expect(new Set(calls.flatMap(({ fate }) => fate ?? []))).toEqual(new Set(Object.keys(fates)));
  expect(calls.filter(({ fate }) => fate).length).toBeLessThan(40);
  expect(Math.min(...calls.map(({ seconds }) => seconds))).toBeLessThan(3);
  expect(Math.max(...calls.map(({ seconds }) => seconds))).toBeGreaterThan(900);
  expect(kills).toHaveLength(30);
  expect(new Set(kills.map(({ victim }) => victim)).size).toBe(3);
  expect(restarts.length).toBeGreaterThan(0);
  expect(forgeries.length).toBeGreaterThan(0);
  for (const { at } of [...calls, ...faults, ...kills]) expect(at).toBeLessThanOrEqual(length);
  const met = new Set(faults.map(({ fault }) => `${fault.target} ${fault.kind} ${fault.value ?? ''}`.trim()));
  for (const one of [
    'media status 404',
    'media html',
    'media stall',
    's3 status 503',
    's3 cut',
    'taskrouter status 412',
    'iam status 503',
  ])
    expect(met).toContain(one);
});

test.each([leastForAll, 40])('a short one of %d still has each fate, each way and each lie', (count) => {
  const { calls } = plan({ ...options, count });
  expect(new Set(calls.flatMap(({ fate }) => fate ?? [])).size).toBe(Object.keys(fates).length);
  expect(new Set(calls.map(({ delivery }) => delivery)).size).toBe(deliveries.length);
  expect(new Set(calls.flatMap(({ lie }) => lie ?? [])).size).toBe(lies.length);
});
