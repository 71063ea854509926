import { preparedStatements } from './prepared.ts';

test('a statement has one name, which is that of its text', () => {
  const [one, another] = [preparedStatements(), preparedStatements()];
  const name = one.nameOf('SELECT $1');
  expect(name).toMatch(/^custody_[0-9a-f]{32}$/);
  expect([one.nameOf('SELECT $1'), another.nameOf('SELECT $1')]).toEqual([name, name]);
  expect(one.nameOf('SELECT $2')).not.toBe(name);
});

test('what is made anew each time fills no memory', () => {
  const prepared = preparedStatements();
  const names = Array.from({ length: 600 }, (_, n) => prepared.nameOf(`SELECT ${n}`));
  expect(names.filter((name) => name !== undefined)).toHaveLength(500);
  expect(prepared.nameOf('SELECT 1')).toBe(names[1]);
});

test('behind a pooler that gives away connections nothing has a name any more', () => {
  for (const state of ['26000', '42P05']) {
    const prepared = preparedStatements();
    prepared.nameOf('SELECT $1');
    expect(prepared.refused('SELECT $1', state)).toBe(true);
    expect([prepared.nameOf('SELECT $1'), prepared.nameOf('SELECT $2')]).toEqual([undefined, undefined]);
  }
});

test('a statement whose tables have changed is sent whole; an error of its own stays one', () => {
  const prepared = preparedStatements();
  prepared.nameOf('SELECT $1');
  expect(prepared.refused('SELECT $1', '23505')).toBe(false);
  expect(prepared.refused('SELECT $1', '0A000')).toBe(true);
  expect(prepared.nameOf('SELECT $1')).toBeUndefined();
  // It failed without its name: the fault is its own.
  expect(prepared.refused('SELECT $1', '0A000')).toBe(false);
  expect(prepared.nameOf('SELECT $2')).toBeDefined();
});
