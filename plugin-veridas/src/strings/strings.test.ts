import { strings, textOf } from './strings';

it('prefers the text that the customer has set, and fills it in', () => {
  const theirs: Record<string, unknown> = {};
  const text = textOf(() => theirs);
  expect(text('FlexCustodyVoiceFailed', { file: 'utils.js' })).toContain('utils.js could not');
  theirs['FlexCustodyVoiceFailed'] = 'Sin {{file}} {{other}}';
  expect(text('FlexCustodyVoiceFailed', { file: 'utils.js' })).toBe('Sin utils.js {{other}}');
  theirs['FlexCustodyVoiceFailed'] = 5;
  expect(text('FlexCustodyVoiceFailed')).toBe(strings.FlexCustodyVoiceFailed);
});
