import type { RecordingSid } from '@flex-custody/core';
import { createProgressLog } from './progress.ts';

test('each copy at most four times a second, and its end always', () => {
  let now = 1_000;
  const said: object[] = [];
  const progress = createProgressLog(
    { info: ((fields: object) => void said.push(fields)) as never },
    () => now,
  );
  const [one, other] = ['RE1', 'RE2'] as RecordingSid[];
  for (let done = 0; done < 100; done++, now += 10) {
    progress(one as RecordingSid, done, 100);
    progress(other as RecordingSid, done, undefined);
  }
  progress(one as RecordingSid, 100, 100);
  expect(said).toHaveLength(4 + 4 + 1);
  expect(said.at(-1)).toEqual({ event: 'recording.progress', recording: 'RE1', done: 100, total: 100 });
});
