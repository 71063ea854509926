import { queueKey, tidyQueue } from './queue-names.ts';

test.each([
  ['another Unicode form', 'Ru\u0308ckfragen'],
  ['another case', 'RÜCKFRAGEN'],
  ['blanks at the ends', ' Rückfragen\t'],
  ['a no-break space', 'Rückfragen\u00a0'],
])('%s is the same queue', (_how, name) => {
  expect(queueKey(name)).toBe(queueKey('Rückfragen'));
});

test('no-break spaces and runs of blanks are one space', () => {
  expect(tidyQueue('Team\u00a0 \u202fA')).toBe('Team A');
  expect(queueKey('Team\u00a0A')).toBe(queueKey('team a'));
});

test('another name is another queue', () => {
  expect(queueKey('Sales')).not.toBe(queueKey('Sales 2'));
  expect(queueKey('Sales')).not.toBe(queueKey('Sáles'));
});
