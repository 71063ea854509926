import { notRecordedReasons } from '@flex-custody/core';
import { failureKey, strings, whyKey } from './strings';
import { elapsed, text, withOurs } from './text';

test('each reason has its sentence', () => {
  for (const reason of notRecordedReasons) expect(strings[whyKey(reason)]).toMatch(/\.$/);
});

test('a failure has its own words, or those for the unexpected', () => {
  expect(strings[failureKey('pause_disabled')]).toContain('switched off');
  expect(failureKey('answer_invalid')).toBe('FlexCustodyError_unexpected');
});

test('what a customer has set already stays', () => {
  const theirs = { FlexCustodyPause: 'Pausar', Other: 'x' };
  expect(withOurs(theirs)).toMatchObject({ ...theirs, FlexCustodyResume: strings.FlexCustodyResume });
});

test('a text is filled in; what has no value stays as it is', () => {
  const all = { FlexCustodyFailed_pause: 'No: {{why}} {{more}}' };
  expect(text(all, 'FlexCustodyFailed_pause', { why: 'off' })).toBe('No: off {{more}}');
  expect(text({ FlexCustodyPause: 7 }, 'FlexCustodyPause')).toBe(strings.FlexCustodyPause);
});

test.each([
  [-5, '0:00'],
  [65_900, '1:05'],
  [3_605_000, '1:00:05'],
])('%i ms are %s', (ms, shown) => {
  expect(elapsed(ms)).toBe(shown);
});
