import type { JsonEdit } from '@flex-custody/core';
import { applyEdits } from '../../../test/support/apply-edits.ts';
import { compactJson, editJson, jsonTextAt } from './json-edit.ts';

const set = (text: string, path: string, value: unknown) =>
  editJson(text, [{ path: path.split('.'), value }]);

describe('a member is set, and all else stays to the character', () => {
  test.each([
    [
      'a new one',
      '{"crm_id":12345678901234567890,"amount":1.10}',
      'b',
      1,
      '{"crm_id":12345678901234567890,"amount":1.10,"b":1}',
    ],
    ['the first', '{}', 'b', 1, '{"b":1}'],
    ['the first, in an open object', '{ \n}', 'b', 1, '{"b":1 \n}'],
    ['spaced as one before it', '{ "a" : 1.0 }', 'b', 1, '{ "a" : 1.0, "b" : 1 }'],
    ['on a line of its own', '{\n  "a": 1,\n  "c": 2\n}', 'b', 'x', '{\n  "a": 1,\n  "c": 2,\n  "b": "x"\n}'],
    ['one that is there', '{"a" : 1.10 ,"b":2.0}', 'a', 7, '{"a" : 7 ,"b":2.0}'],
    ['one that has the value', '{"a":1.0,"b":[ ]}', 'a', 1, '{"a":1.0,"b":[ ]}'],
    ['one by an escaped name', '{"\\u0061":1,"é":"\\u00e9"}', 'a', 2, '{"\\u0061":2,"é":"\\u00e9"}'],
    ['the last of two', '{"a":1,"b":2,"a":3}', 'a', 4, '{"a":1,"b":2,"a":4}'],
    ['below the last of two', '{"a":{"x":1},"a":{"y":2.0}}', 'a.x', 4, '{"a":{"x":1},"a":{"y":2.0,"x":4}}'],
    [
      'deeper',
      '{"a":{"b":{"c":9007199254740993}}}',
      'a.b.d',
      null,
      '{"a":{"b":{"c":9007199254740993,"d":null}}}',
    ],
    ['below what is absent', '{"z":1e2}', 'a.b', 1, '{"z":1e2,"a":{"b":1}}'],
    ['below what is no object', '{"a":[1],"z":-0}', 'a.b', 1, '{"a":{"b":1},"z":-0}'],
    ['a name of the prototype', '{"z":1.0}', '__proto__', 1, '{"z":1.0,"__proto__":1}'],
  ])('%s', (_what, text, path, value, after) => {
    expect(set(text, path, value)).toBe(after);
  });

  test.each([
    ['the only one', '{ "a":1 }', 'a', '{  }'],
    ['the first', '{ "a":1, "b":1.0}', 'a', '{ "b":1.0}'],
    ['one between', '{"b":1.0 , "a":1, "c":2}', 'a', '{"b":1.0, "c":2}'],
    ['the last', '{"b":1.0,\n "a":1\n}', 'a', '{"b":1.0\n}'],
    ['each of its name', '{"a":1,"b":1.0,"a":2, "a":3,"c":1}', 'a', '{"b":1.0,"c":1}'],
    ['both of two', '{"a":1,"a":2}', 'a', '{}'],
    ['one that is not there', '{"b":1.0}', 'a', '{"b":1.0}'],
    ['one below what is not there', '{"b":1.0}', 'a.b', '{"b":1.0}'],
    ['one below what is no object', '{"a":1.0}', 'a.b', '{"a":1.0}'],
  ])('taken away: %s', (_what, text, path, after) => {
    expect(set(text, path, undefined)).toBe(after);
  });
});

test('items of a list keep their text, and their spacing where they follow each other as before', () => {
  const text = '{"l":[ 1.0 ,\n 2.0, {"a" : 1}  ]}';
  const items = (...all: (number | string)[]) =>
    editJson(text, [
      { path: ['l'], items: all.map((one) => (typeof one === 'number' ? { kept: one } : { put: one })) },
    ]);
  expect(items(0, 1, 2)).toBe(text);
  expect(items(0, 1, 2, 'x')).toBe('{"l":[ 1.0 ,\n 2.0, {"a" : 1} ,\n "x"  ]}');
  expect(items('x', 2)).toBe('{"l":[ "x" ,\n {"a" : 1}  ]}');
  expect(items(1, 2)).toBe('{"l":[ 2.0, {"a" : 1}  ]}');
  expect(editJson('{"l":[]}', [{ path: ['l'], items: [{ put: 1 }] }])).toBe('{"l":[1]}');
  expect(editJson('{"l":"x"}', [{ path: ['l'], items: [{ put: 1 }] }])).toBe('{"l":[1]}');
  expect(editJson('{}', [{ path: ['a', 'l'], items: [{ put: 1 }] }])).toBe('{"a":{"l":[1]}}');
});

test.each(['', '[]', '1', '{"a":1,}', '{"a":1 // x\n}', '/* */{}', "{'a':1}", '\uFEFF{}', '{"a":1}{}'])(
  'what is no strict JSON object is refused: %p',
  (text) => {
    expect(() => set(text, 'a', 1)).toThrow(SyntaxError);
    expect(() => jsonTextAt(text, ['a'])).toThrow(SyntaxError);
  },
);

test("a member's text is as it is in the document", () => {
  const text = '{"a":{"b": [1.10, 2] },"a":{"b" : 12345678901234567890 }}';
  expect(jsonTextAt(text, ['a', 'b'])).toBe('12345678901234567890');
  expect(jsonTextAt(text, ['a', 'c'])).toBeUndefined();
  expect(jsonTextAt(text, ['a', 'b', 'c'])).toBeUndefined();
});

test('only white space between tokens is dropped', () => {
  expect(compactJson('{ "a b\\" : " :\t[ 1.10 ,\r\n " x\\\\" , { } ] }')).toBe(
    '{"a b\\" : ":[1.10," x\\\\",{}]}',
  );
});

describe('over random documents', () => {
  /** A small generator of numbers with a seed (mulberry32), so that a failure can be seen again. */
  const randomOf = (seed: number) => {
    let state = seed;
    return () => {
      state += 0x6d2b79f5;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
  };
  const names = ['a', 'b', 'c', 'd e', 'é', '__proto__', '"'];
  const scalars = [
    '12345678901234567890',
    '1.10',
    '-0',
    '1E+2',
    '"\\u00e9\\n"',
    '"}{,:"',
    'true',
    'null',
    '""',
  ];

  function documents(random: () => number) {
    const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
    const space = () => pick(['', '', ' ', '\n  ', '\t']);
    const list = (make: () => string) =>
      Array.from({ length: Math.floor(random() * 4) }, () => `${space()}${make()}${space()}`).join(',');
    const value = (depth: number): string => {
      const kind = depth > 3 ? 2 : Math.floor(random() * 4);
      if (kind === 0) return object(depth + 1);
      return kind === 1 ? `[${list(() => value(depth + 1))}]` : pick(scalars);
    };
    const key = () => {
      const name = pick(names);
      return random() < 0.2 && name === 'a' ? '"\\u0061"' : JSON.stringify(name);
    };
    const object = (depth: number): string =>
      `{${list(() => `${key()}${space()}:${space()}${value(depth)}`)}}`;
    const edit = (): JsonEdit => ({
      path: Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(names)),
      value: random() < 0.3 ? undefined : pick<unknown>([1, 'x', null, { n: [1] }, 12.5, [], {}]),
    });
    return { object, edit };
  }

  test('the parsed text is the merged document, and the text around the edit is what it was', () => {
    for (let seed = 1; seed <= 3_000; seed += 1) {
      const { object, edit } = documents(randomOf(seed));
      const text = object(0);
      const one = edit();
      const after = editJson(text, [one]);
      const merged = JSON.stringify(applyEdits(JSON.parse(text), [one]));
      expect([seed, text, one, sorted(JSON.parse(after))]).toEqual([
        seed,
        text,
        one,
        sorted(JSON.parse(merged)),
      ]);
      expect(JSON.stringify(JSON.parse(compactJson(after)))).toBe(JSON.stringify(JSON.parse(after)));
      // Each token that the edit does not reach is there still, in its order.
      if (!('value' in one) || one.value === undefined) continue;
      const untouched = editJson(after, [{ path: one.path, value: undefined }]);
      expect([seed, others(text, one.path[0])]).toEqual([seed, others(untouched, one.path[0])]);
    }
  });

  const sorted = (value: unknown): string =>
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))
        : inner,
    );

  /** The text of each member but the one, by its name: to the character. */
  const others = (text: string, name: string | undefined) =>
    names.filter((one) => one !== name).map((one) => [one, jsonTextAt(text, [one])]);
});
