import { callersAsked, unfoundText } from './callers.ts';

const from = (text: string) => async (path: string) => {
  expect(path).toBe('-');
  return text;
};

test('numbers come from standard input where that is asked for, one a line, each once', async () => {
  expect(await callersAsked(['-'], from('+49 (0)30 123456\r\n\n  +14155550142\n+4930123456'))).toEqual([
    '+4930123456',
    '+14155550142',
  ]);
  expect(await callersAsked(['+442079460958', '-'], from('+14155550142\n'))).toEqual([
    '+442079460958',
    '+14155550142',
  ]);
  const unread = jest.fn();
  expect(await callersAsked(['+442079460958'], unread)).toEqual(['+442079460958']);
  expect(unread).not.toHaveBeenCalled();
});

test('what is no number is refused by its line, which is not repeated', async () => {
  const refused = callersAsked(['-'], from('+14155550142\n030 123456\n'));
  await expect(refused).rejects.toMatchObject({ code: 'caller_invalid' });
  await expect(refused).rejects.toThrow(/^line 2 of standard input is not a number in international form/);
  await expect(refused).rejects.not.toThrow('030 123456');
  await expect(callersAsked(['-'], from('\n'))).rejects.toThrow('names no caller');
});

test('what no number finds is counted', () => {
  const keys = [
    { keyId: 'k00000001', recordings: 5 },
    { keyId: 'k00000002', recordings: 2 },
    { recordings: 1 },
  ];
  expect(unfoundText({ keys, none: 4 }, 'k00000001')).toMatch(/^No number finds 3 recordings .* and 4 whose/);
  expect(unfoundText({ keys: keys.slice(0, 1), none: 0 }, 'k00000001')).toBeUndefined();
});
