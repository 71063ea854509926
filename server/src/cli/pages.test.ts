import { moreText, pageSize, printPage } from './pages.ts';

test.each([
  [{ n: 1_950, isAll: true }, '1,950 more: --after 123'],
  [{ n: 10_000, isAll: false }, 'more than 10,000 more: --after 123'],
  [{ n: 0, isAll: true }, undefined],
  [undefined, 'More: --after 123'],
])('of %j behind a page it says %j', (behind, text) => {
  expect(moreText(behind, '123')).toBe(text);
});

test.each([false, true])(
  'it asks only behind a full page, and says so on standard error (--json: %s)',
  async (json) => {
    const errors = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const printed = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const behind = jest.fn(async () => ({ n: 3, isAll: true }));
    const page = (rows: number[]) =>
      printPage({ rows, limit: 3, idOf: String, behind, json, text: () => 'a text' });
    await page([1, 2]);
    expect([behind.mock.calls, errors.mock.calls]).toEqual([[], []]);
    await page([1, 2, 7]);
    expect(behind).toHaveBeenCalledWith(7);
    expect(errors.mock.calls).toEqual([['3 more: --after 7']]);
    expect(printed.mock.calls.at(-1)).toEqual([json ? '[\n  1,\n  2,\n  7\n]' : 'a text']);
    errors.mockRestore();
    printed.mockRestore();
  },
);

test.each(['0', '1001', 'x', '1.5', ''])('a page of %j rows is refused', (text) => {
  expect(() => pageSize(text)).toThrow('from 1 to 1000');
});

test('a page has up to 1000 rows', () => {
  expect(['1', '1000'].map(pageSize)).toEqual([1, 1_000]);
});
