import { beVerbose, detail, printJson, table } from './output.ts';

afterEach(() => jest.restoreAllMocks());

test('under its headers each column is aligned, numbers to the right, and what is not there is a dash', () => {
  const at = new Date('2026-01-02T03:04:05Z');
  expect(
    table(
      ['NAME', 'COUNT', 'AT', 'NOTE'],
      [
        ['a', 7, at, 'first'],
        ['longer', 12_345, undefined, undefined],
      ],
    ),
  ).toEqual([
    'NAME    COUNT  AT                        NOTE',
    'a           7  2026-01-02T03:04:05.000Z  first',
    'longer  12345  -                         -',
  ]);
});

test('a value for programs is one, over several lines', () => {
  const said = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  printJson({ a: [1] });
  expect(said.mock.calls).toEqual([['{\n  "a": [\n    1\n  ]\n}']]);
});

test('details are printed with --verbose alone', () => {
  const said = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  detail('before');
  beVerbose();
  detail('after');
  expect(said.mock.calls).toEqual([['after']]);
});
