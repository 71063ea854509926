import type { WorkerSid } from '@flex-custody/core';
import { sid } from '../testing';
import { type PauseOverride, pauseOf } from './pause';

const marked = (since: number) => ({ paused: { since, by: sid('WK') as WorkerSid } });
const ours = (paused: boolean, mark: number | null, at = 10): PauseOverride => ({ paused, at, mark });

test.each<[string, Parameters<typeof pauseOf>[0], PauseOverride | undefined, number | undefined]>([
  ['nobody paused', {}, undefined, undefined],
  ['the task says paused', marked(5), undefined, 5],
  ['we paused, the task does not say so yet', {}, ours(true, null), 10],
  ['we paused, and now the task says so', marked(11), ours(true, null), 11],
  ['we resumed, the task still says paused', marked(5), ours(false, 5), undefined],
  ['we resumed, and so says the task', {}, ours(false, 5), undefined],
  ['we resumed, and somebody paused again', marked(20), ours(false, 5), 20],
  ['we paused a paused call again', marked(5), ours(true, 5), 10],
])('%s', (_what, mark, override, since) => {
  expect(pauseOf(mark, override, 100, 0)?.since).toBe(since);
});

test('an unmarked pause ends when the host ends it, and is not believed beyond', () => {
  expect(pauseOf({}, ours(true, null, 0), 59_999, 60)).toEqual({ since: 0 });
  expect(pauseOf({}, ours(true, null, 0), 60_000, 60)).toBeUndefined();
  expect(pauseOf({}, ours(true, null, 0), 1e9, 0)).toEqual({ since: 0 });
});
