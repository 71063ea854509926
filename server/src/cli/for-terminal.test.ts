import { forTerminal, onlyPlainText } from './for-terminal.ts';

test.each([
  ['a title', '\u001b]0;owned\u0007', '?]0;owned?'],
  ['a cleared screen', '\u001b[2J', '?[2J'],
  ['the same in one character', '\u009b2J', '?2J'],
  ['a line overwritten', 'FIX  bad\rok   good', 'FIX  bad?ok   good'],
  ['a deletion', 'bad\b\b\bgood\u007f', 'bad???good?'],
  ['text from right to left', '\u202ecod.exe', '?cod.exe'],
  ['half a character', '\ud800x', '?x'],
  ['another kind of line', 'a\u2028b', 'a?b'],
  ['lines, tabs and letters of all kinds', 'Größe\t1\n日本 🎧', 'Größe\t1\n日本 🎧'],
])('%s', (_what, text, shown) => expect(forTerminal(text)).toBe(shown));

test('whichever way something is said', () => {
  const said: unknown[] = [];
  const say = (...words: unknown[]) => void said.push(...words);
  const to = { log: say, info: say, warn: say, error: say };
  onlyPlainText(to);
  for (const name of ['log', 'info', 'warn', 'error'] as const) to[name]('\u001b[2J', 7);
  expect(said).toEqual(['?[2J', 7, '?[2J', 7, '?[2J', 7, '?[2J', 7]);
});
