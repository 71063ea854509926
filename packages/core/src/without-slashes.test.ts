import { withoutSlashes } from './without-slashes.ts';

test.each([
  ['https://host', 'https://host'],
  ['https://host/a//', 'https://host/a'],
  ['///', ''],
  ['', ''],
])('%j without slashes at its end is %j', (text, short) => {
  expect(withoutSlashes(text)).toBe(short);
});

test('many slashes that are not at the end are passed over once', () => {
  const text = `${'/'.repeat(4_000_000)}x`;
  // At once; a quarter of an hour if each slash began a search of its own.
  expect(withoutSlashes(text)).toHaveLength(text.length);
});
