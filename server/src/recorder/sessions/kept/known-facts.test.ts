import type { Db } from '../../../db/db.ts';
import { factOf } from '../facts/fact-of.ts';
import { inbound } from '../testing/stories.ts';
import { knownFacts } from './known-facts.ts';

const { events } = inbound().story;
const ids = events.map(({ id }) => id);

/** A database with the story's events, and the ids that were read of it. */
function stored() {
  const read: string[] = [];
  const query = async (_sql: string, [asked]: readonly (readonly string[])[] = []) => {
    read.push(...(asked ?? []));
    return events
      .filter(({ id }) => asked?.includes(id))
      .map(({ id, type, time, data }) => ({ seq: 1, id, type, at: time, event_sid: null, data }));
  };
  return { read, db: { query: query as unknown as Db['query'] } };
}

test('an event that was just read, or was read before, is not read again', async () => {
  const { db, read } = stored();
  const facts = knownFacts();
  for (const event of events.slice(0, 4)) facts.learn(event);
  const said = await facts.of(db, ids);
  expect(read).toEqual(ids.slice(4));
  expect([...said.keys()].sort()).toEqual([...ids].sort());
  expect(said.get(ids[0]!)).toEqual(factOf(events[0]!));
  await facts.of(db, ids);
  expect(read).toEqual(ids.slice(4));
});

test('the facts that were used last are kept', async () => {
  const { db, read } = stored();
  const facts = knownFacts(2);
  await facts.of(db, ids.slice(0, 2));
  await facts.of(db, ids.slice(0, 1));
  await facts.of(db, ids.slice(2, 3));
  read.length = 0;
  await facts.of(db, [ids[0]!, ids[1]!, ids[2]!]);
  expect(read).toEqual([ids[1]]);
});

test('an event that is neither known nor there is missing', async () => {
  const { db } = stored();
  expect((await knownFacts().of(db, ['gone'])).has('gone')).toBe(false);
});
