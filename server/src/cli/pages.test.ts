import { moreText, noteMore, pageSize } from './pages.ts';

test.each([
  [{ n: 1_950, isAll: true }, '1,950 more: --after 123'],
  [{ n: 10_000, isAll: false }, 'more than 10,000 more: --after 123'],
  [{ n: 0, isAll: true }, undefined],
  [undefined, 'More: --after 123'],
])('of %j behind a page it says %j', (behind, text) => {
  expect(moreText(behind, '123')).toBe(text);
});

test('it asks only behind a full page, and speaks on standard error', async () => {
  const said = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const behind = jest.fn(async () => ({ n: 3, isAll: true }));
  await noteMore([1, 2], 3, String, behind);
  expect([behind.mock.calls, said.mock.calls]).toEqual([[], []]);
  await noteMore([1, 2, 7], 3, String, behind);
  expect(behind).toHaveBeenCalledWith(7);
  expect(said.mock.calls).toEqual([['3 more: --after 7']]);
  said.mockRestore();
});

test.each(['0', '1001', 'x', '1.5', ''])('a page of %j rows is refused', (text) => {
  expect(() => pageSize(text)).toThrow('from 1 to 1000');
});

test('a page has up to 1000 rows', () => {
  expect(['1', '1000'].map(pageSize)).toEqual([1, 1_000]);
});
