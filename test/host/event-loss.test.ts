import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contact } from '../../server/src/recorder/sessions/contact.ts';
import { contactsOf } from '../../server/src/recorder/sessions/contacts-of.ts';
import {
  type EventStream,
  openEventStream,
  progressOf,
  type RecorderProcess,
  storyEvents,
} from '../support/event-stream.ts';
import { describeWhere } from '../support/needs.ts';
import { until } from '../support/until.ts';

const count = Number(process.env['TEST_EVENTS'] ?? 20_000);
/** Only what fails waits it out. */
const longestMs = 120_000 + count * 4;
const kills = Math.max(4, Math.round(count / 50_000));

describeWhere('postgresql', "agents' events of a stream whose reader is killed", () => {
  let folder: string;
  let stream: EventStream;
  let recorder: RecorderProcess | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'event-loss-'));
    stream = await openEventStream({ databaseUrl: process.env['TEST_DATABASE_URL'] ?? '', folder });
  });
  afterAll(async () => {
    await recorder?.kill();
    await stream.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const within = (done: () => Promise<boolean>) => until(done, longestMs);

  test(
    `${count} events over a re-shard and ${kills} kills: none is lost, none is there twice`,
    async () => {
      const sent = storyEvents(count);
      const records = sent.flatMap(({ record }, index) => [
        record,
        // Twilio delivers at least once.
        ...(index % 50 === 0 ? [record] : []),
        ...(index % 200 === 0 ? [`no event ${index}`] : []),
      ]);
      const half = records.length >> 1;
      recorder = await stream.startRecorder();
      const putting = (async () => {
        await stream.put(records.slice(0, half));
        await stream.split();
        await stream.put(records.slice(half));
      })();
      for (let kill = 1; kill <= kills; kill += 1) {
        const least = (sent.length * kill) / (kills + 1);
        await within(async () => (await progressOf(stream.db)).stored >= least);
        await recorder.kill();
        // The leases of a dead process last for ten seconds, which this test does not wait.
        await stream.db.query('UPDATE shard_leases SET expires_at = now(); DELETE FROM stream_readers');
        recorder = await stream.startRecorder();
      }
      await putting;
      await within(async () => {
        const { stored, followed } = await progressOf(stream.db);
        return stored >= sent.length && followed;
      });

      const { db } = stream;
      const ids = await db.query<{ id: string }>('SELECT id FROM agent_events');
      expect(ids.map(({ id }) => id).sort()).toEqual(sent.map(({ event }) => event.id).sort());
      const [counted] = await db.query(
        `SELECT sum(stored)::int AS stored, sum(read)::int >= $1 AS "isRead", count(*)::int AS shards,
           bool_and(read = stored + duplicate + set_aside) AS "addsUp", sum(set_aside)::int AS "setAside",
           (SELECT sum(count)::int FROM events_set_aside) AS "records"
         FROM event_counters`,
        [records.length],
      );
      expect(counted).toEqual({
        ...{ stored: sent.length, isRead: true, shards: 4, addsUp: true },
        ...{ setAside: expect.any(Number), records: (counted as { setAside: number }).setAside },
      });
      const aside = await db.query<{ raw: string }>('SELECT DISTINCT raw FROM events_set_aside');
      expect(aside).toHaveLength(records.filter((record) => record.startsWith('no event')).length);
      const kept = await db.query<{ contact: Contact }>('SELECT contact FROM contacts');
      const byId = (contacts: readonly Contact[]) =>
        new Map(contacts.map((contact) => [contact.id, contact] as const));
      const expected = JSON.parse(JSON.stringify(contactsOf(sent.map(({ event }) => event)))) as Contact[];
      expect(kept).toHaveLength(expected.length);
      expect(byId(kept.map(({ contact }) => contact))).toEqual(byId(expected));
    },
    longestMs,
  );
});
