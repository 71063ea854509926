import { reportOf } from './report.ts';

test('one row for each agent and day, by day and agent', () => {
  const day = '2026-11-28';
  expect(
    reportOf([
      { day, worker: 'WK2', measure: 'handled', value: 3 },
      { day, worker: 'WK1', measure: 'activity:Available', value: 3_600 },
      { day, worker: 'WK1', measure: 'activity:Break', value: 60 },
      { day: '2026-11-27', worker: 'WK2', measure: 'transferred', value: 1 },
      { day, worker: 'WK1', measure: 'wrap_up_seconds', value: 12 },
    ]),
  ).toEqual([
    { day: '2026-11-27', worker: 'WK2', handled: 0, transferred: 1, activities: {}, others: {} },
    {
      ...{ day, worker: 'WK1', handled: 0, transferred: 0 },
      ...{ activities: { Available: 3_600, Break: 60 }, others: { wrap_up_seconds: 12 } },
    },
    { day, worker: 'WK2', handled: 3, transferred: 0, activities: {}, others: {} },
  ]);
});
