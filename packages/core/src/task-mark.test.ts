import { asWorkerSid } from './sids.ts';
import { readTaskMark, taskMarkKey, withTaskMark } from './task-mark.ts';

const by = asWorkerSid(`WK${'a'.repeat(32)}`)!;
const paused = { since: 1_763_632_804_000, by };

test('what was set is read back, and nothing else is touched', () => {
  const attributes = { call_sid: 'CA1', conversations: { media: [1] } };
  const text = withTaskMark(attributes, { paused, started: 5 });
  const written = JSON.parse(text ?? '') as Record<string, unknown>;
  expect(written).toMatchObject(attributes);
  expect(readTaskMark(written)).toEqual({ paused, started: 5 });
});

test('an empty mark leaves no key behind', () => {
  const text = withTaskMark({ a: 1, [taskMarkKey]: { paused } }, {});
  expect(JSON.parse(text ?? '')).toEqual({ a: 1 });
});

test('what would overrun the limit is not written', () => {
  expect(withTaskMark({ long: 'x'.repeat(4050) }, { paused })).toBeUndefined();
  expect(withTaskMark({ long: 'x'.repeat(4050) }, {})).toBeDefined();
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
