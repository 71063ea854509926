import { asRecordingSid, asTaskSid } from './sids.ts';

const hex = '0123456789abcdef0123456789abcdef';

test('a SID is its prefix and 32 lower-case hexadecimal digits', () => {
  expect(asRecordingSid(`RE${hex}`)).toBe(`RE${hex}`);
  expect(asTaskSid(`WT${hex}`)).toBe(`WT${hex}`);
});

test.each([
  ['another kind of SID', `CA${hex}`],
  ['upper-case digits', `RE${hex.toUpperCase()}`],
  ['one digit too many', `RE${hex}0`],
  ['one digit too few', `RE${hex.slice(1)}`],
  ['a path behind it', `RE${hex}/../RE${hex}`],
  ['a line break behind it', `RE${hex}\n`],
  ['a quote inside', `RE${hex.slice(1)}'`],
  ['a number', 12],
  ['a list of one', [`RE${hex}`]],
  ['nothing', undefined],
])('refuses %s', (_what, value) => {
  expect(asRecordingSid(value)).toBeUndefined();
});
