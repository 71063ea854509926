import type { RecordingSid } from '@flex-custody/core';
import type { RecordingRow } from '../catalog/recording-row.ts';
import { addEffects, effectOn, effectOnCatalog } from './effect.ts';
import { readPolicy } from './policy.ts';

const dayMs = 24 * 60 * 60_000;
const now = Date.UTC(2026, 5, 1);
const RE = (n: number) => `RE${String(n).padStart(32, '0')}` as RecordingSid;
const row = (n: number, daysAgo: number, more: Partial<RecordingRow> = {}): RecordingRow =>
  ({
    recordingSid: RE(n),
    startedAt: new Date(now - daysAgo * dayMs),
    state: 'verified',
    hints: {},
    unproven: [],
    hintedCallers: [],
    ...more,
  }) as unknown as RecordingRow;
const policy = (text: string) => readPolicy(`version: 1\n${text}`);
const both = (before: string, after: string) => ({
  before: policy(before),
  after: policy(after),
  digest: undefined,
  now,
});

test('what is kept shorter, and what of it the next retention would erase', () => {
  const rows = [row(1, 40), row(2, 10), row(3, 400, { state: 'erased' })];
  expect(effectOn(rows, both('keep: {default: 100}', 'keep: {default: 30}'))).toEqual({
    looked: 2,
    longer: { count: 0, first: [] },
    shorter: { count: 2, first: [RE(1), RE(2)] },
    released: { count: 0, first: [] },
    held: { count: 0, first: [] },
    due: { count: 1, first: [RE(1)] },
  });
  expect(effectOn(rows, both('keep: {default: 30}', 'keep: {default: 100}'))).toMatchObject({
    longer: { count: 2 },
    shorter: { count: 0 },
    due: { count: 0 },
  });
});

test('what a hold releases is due at once where its time is over; what another one still holds is not', () => {
  const keep = 'keep: {default: 30}';
  const a = `{id: a, recordings: [${RE(1)}, ${RE(2)}]}`;
  const b = `{id: b, recordings: [${RE(2)}]}`;
  const rows = [row(1, 40), row(2, 40), row(3, 40)];
  expect(effectOn(rows, both(`${keep}\nholds: [${a}, ${b}]`, `${keep}\nholds: [${b}]`))).toMatchObject({
    released: { count: 1, first: [RE(1)] },
    held: { count: 0 },
    due: { count: 1, first: [RE(1)] },
  });
  expect(effectOn(rows, both(keep, `${keep}\nholds: [${a}]`))).toMatchObject({
    held: { count: 2, first: [RE(1), RE(2)] },
    due: { count: 0 },
  });
});

test('parts add up, and name the first by SID', () => {
  const at = (from: number) =>
    effectOn(
      Array.from({ length: 7 }, (_, n) => row(from + n, 40)),
      both('', 'keep: {default: 30}'),
    );
  const sum = addEffects(at(1), at(8));
  expect(sum).toMatchObject({ looked: 14, shorter: { count: 14 }, due: { count: 14 } });
  expect(sum.shorter.first).toEqual(Array.from({ length: 10 }, (_, n) => RE(n + 1)));
});

describe('over the catalog', () => {
  const all = Array.from({ length: 2_500 }, (_, n) => row(n + 1, 40));
  const catalog = {
    inOrder: async (after: RecordingSid | undefined, limit: number) => {
      const from = after ? all.findIndex(({ recordingSid }) => recordingSid === after) + 1 : 0;
      return all.slice(from, from + limit);
    },
  };
  const changes = both('', 'keep: {default: 30}');

  test('one call looks at as many pages as its time allows', async () => {
    const { effect, next } = await effectOnCatalog(catalog, changes, undefined, 60_000);
    expect([effect.looked, next]).toEqual([2_500, undefined]);
  });

  test('without time it looks at one page, and says where to go on', async () => {
    const first = await effectOnCatalog(catalog, changes, undefined, 0);
    expect([first.effect.looked, first.next]).toEqual([1_000, RE(1_000)]);
    const last = await effectOnCatalog(catalog, changes, RE(2_000), 0);
    expect([last.effect.looked, last.next]).toEqual([500, undefined]);
  });
});
