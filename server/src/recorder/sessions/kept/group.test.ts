import fc from 'fast-check';
import { groupByContact, type Keyed } from './group.ts';

const sortedGroups = (events: readonly Keyed[], known: ReadonlyMap<string, number> = new Map()) =>
  groupByContact(events, known)
    .map(({ contacts, keys, events: ids }) => ({ contacts, keys: [...keys].sort(), events: [...ids].sort() }))
    .sort((a, b) => ((a.events[0] ?? '') < (b.events[0] ?? '') ? -1 : 1));

test('events with a key in common are of one contact, also through a third', () => {
  const events = [
    { id: '1', keys: ['a'] },
    { id: '2', keys: ['b'] },
    { id: '3', keys: [] },
    { id: '4', keys: ['c', 'd'] },
    { id: '5', keys: ['a', 'b'] },
  ];
  expect(sortedGroups(events)).toEqual([
    { contacts: [], keys: ['a', 'b'], events: ['1', '2', '5'] },
    { contacts: [], keys: ['c', 'd'], events: ['4'] },
  ]);
});

test('keys of one kept contact are one group, and an event can show two kept contacts to be one', () => {
  const known = new Map([
    ['a', 7],
    ['b', 7],
    ['c', 3],
  ]);
  const events = [
    { id: '1', keys: ['a'] },
    { id: '2', keys: ['b'] },
    { id: '3', keys: ['c', 'x'] },
  ];
  expect(sortedGroups(events, known)).toEqual([
    { contacts: [7], keys: ['a', 'b'], events: ['1', '2'] },
    { contacts: [3], keys: ['c', 'x'], events: ['3'] },
  ]);
  expect(sortedGroups([...events, { id: '4', keys: ['x', 'b'] }], known)).toEqual([
    { contacts: [3, 7], keys: ['a', 'b', 'c', 'x'], events: ['1', '2', '3', '4'] },
  ]);
});

test('the order of events changes no group', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const batch = fc
    .array(fc.array(key, { maxLength: 3 }), { maxLength: 8 })
    .map((all) => all.map((keys, index) => ({ id: String(index), keys })));
  const shuffled = batch.chain((events) =>
    fc.tuple(
      fc.constant(events),
      fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
    ),
  );
  const known = fc.dictionary(key, fc.constantFrom(1, 2, 3)).map((all) => new Map(Object.entries(all)));
  fc.assert(
    fc.property(shuffled, known, ([events, others], had) => {
      expect(sortedGroups(others, had)).toEqual(sortedGroups(events, had));
    }),
  );
});
