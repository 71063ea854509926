import { applyEdits } from '../../../../test/support/apply-edits.ts';
import { asWorkerSid } from '../sids.ts';
import { readTaskMark, taskMarkKey, withTaskMark } from './task-mark.ts';

const by = asWorkerSid(`WK${'a'.repeat(32)}`)!;
const paused = { since: 1_763_632_804_000, by };

test('what was set is read back, and nothing else is touched', () => {
  const attributes = { call_sid: 'CA1', conversations: { media: [1] } };
  const written = applyEdits(attributes, [withTaskMark({ paused, started: 5 })]);
  expect(written).toMatchObject(attributes);
  expect(readTaskMark(written)).toEqual({ paused, started: 5 });
});

test('an empty mark leaves no key behind', () => {
  expect(applyEdits({ a: 1, [taskMarkKey]: { paused } }, [withTaskMark({})])).toEqual({ a: 1 });
});

test.each([
  ['no attributes', undefined],
  ['a text', 'paused'],
  ['no mark', {}],
  ['a mark that is none', { flex_custody: 'paused' }],
  ['a pause without its time', { flex_custody: { paused: { by } } }],
  ['a pause by nobody', { flex_custody: { paused: { since: 1, by: 'somebody' } } }],
])('%s reads as no mark', (_, attributes) => {
  expect(readTaskMark(attributes)).toEqual({});
});
