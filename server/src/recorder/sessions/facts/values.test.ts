import { asCount, asFlag, asText, asTime, fieldsIn } from './values.ts';

test.each([
  ['2026-11-28T14:03:07.412Z', Date.UTC(2026, 10, 28, 14, 3, 7, 412)],
  ['2026-11-28T15:03:07+01:00', Date.UTC(2026, 10, 28, 14, 3, 7)],
  ['2026-11-28 14:03:07', Date.UTC(2026, 10, 28, 14, 3, 7)],
  ['Sat, 28 Nov 2026 14:03:07 +0000', Date.UTC(2026, 10, 28, 14, 3, 7)],
  ['1795874587', 1_795_874_587_000],
  [1_795_874_587, 1_795_874_587_000],
  ['1795874587412', 1_795_874_587_412],
  ['7', undefined],
  ['soon', undefined],
  ['2026', undefined],
  ['Sat, 99 Foo', undefined],
  ['', undefined],
  [null, undefined],
  [{}, undefined],
  [Number.NaN, undefined],
])('time %p', (value, time) => expect(asTime(value)).toBe(time));

test.each([
  ['12', 12],
  [0, 0],
  ['1.5', 1.5],
  ['-1', undefined],
  ['1e3', undefined],
  ['', undefined],
  [true, undefined],
])('count %p', (value, count) => expect(asCount(value)).toBe(count));

test.each([
  [true, true],
  ['True', true],
  ['false', false],
  ['No', false],
  ['', undefined],
  [null, undefined],
])('flag %p', (value, flag) => expect(asFlag(value)).toBe(flag));

test.each([
  [['first', 'second'], 'first'],
  [' x ', 'x'],
  ['null', undefined],
  [[], undefined],
  [{}, undefined],
])('text %p', (value, text) => expect(asText(value)).toBe(text));

test.each([
  ['an object', { CallSid: 'x' }],
  ['JSON', '{"call_sid":"x"}'],
  ['JSON in JSON', JSON.stringify(JSON.stringify({ callSid: 'x' }))],
  ['a form', 'CallSid=x&To=%2B1'],
])('the fields of %s', (_, value) => expect(fieldsIn(value)('CallSid')).toBe('x'));

test.each([[null], ['null'], ['[]'], ['"'], ['"{'], ['{'], [[{ CallSid: 'x' }]], [7]])(
  'no fields: %p',
  (value) => {
    expect(fieldsIn(value)('CallSid')).toBeUndefined();
  },
);

test('a spelling that is null hides no other', () => {
  expect(fieldsIn({ CallSid: 'x', call_sid: null })('callSid')).toBe('x');
});
