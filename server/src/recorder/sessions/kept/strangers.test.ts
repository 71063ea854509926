import type { Db } from '../../../db/db.ts';
import { buildIndexes } from '../../../db/indexes.ts';
import { migrate } from '../../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../../db/testing/on-each-engine.ts';
import { createInbox } from '../../../events/create-inbox.ts';
import type { Contact } from '../contact.ts';
import { type Form, inForm } from '../testing/cloud-event.ts';
import { calls } from '../testing/strangers/calls.ts';
import { messages } from '../testing/strangers/messages.ts';
import { outbound } from '../testing/strangers/outbound.ts';
import { said } from '../testing/strangers/said.ts';
import { transfers } from '../testing/strangers/transfers.ts';
import { account, Wire } from '../testing/strangers/wire.ts';
import { followBatch } from './follow-inbox.ts';

jest.setTimeout(120_000);

/** Of each kind every fourth one: all of them are in `strangers.test.ts`, without a database. */
const tales = [calls, transfers, outbound, messages].flatMap((kind) =>
  kind.filter((_, place) => place % 4 === 0),
);

onEachEngine('what Twilio sends, through the inbox into sessions', (open) => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    await buildIndexes(db);
  });
  afterAll(() => database.drop());

  test.each<[Form, string]>([
    ['webhook', 'in order'],
    ['kinesis', 'in reverse, each event twice'],
  ])('from %s, %s', async (source, order) => {
    await db.query(
      'TRUNCATE agent_events, contacts, contact_keys, contact_events, contact_reports; UPDATE session_place SET position = NULL',
    );
    const inbox = createInbox({ db, accounts: [account], log: { warn() {} } });
    const wires = tales.map(({ name, start, write }) => {
      const wire = new Wire(name, start);
      write(wire);
      return wire;
    });
    const all = wires.flatMap(({ events }) => events).map((event) => inForm(event, source));
    const sent = order === 'in order' ? all : [...all, ...all].reverse();
    for (let from = 0; from < sent.length; from += 37) {
      await inbox.take(sent.slice(from, from + 37), { source });
      await followBatch({
        db,
        options: async () => ({}),
        apply: async () => undefined,
        log: { warn: (fields) => expect(fields).toBeUndefined() },
      });
    }
    const kept = await db.query<{ contact: Contact }>('SELECT contact FROM contacts ORDER BY opened_at, id');
    for (const [place, { contacts, name }] of tales.entries()) {
      const wire = wires[place]!;
      const sids = new Set(JSON.stringify(wire.events).match(/WT[0-9a-f]{32}/g));
      const own = kept.filter(({ contact }) => sids.has(contact.id));
      expect([name, own.map(({ contact }) => said(contact, wire.start))]).toEqual([name, contacts]);
    }
  });
});
