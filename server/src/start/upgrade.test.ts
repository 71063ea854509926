import type { AccountSid, RecordingSid } from '@flex-custody/core';
import type { KeyConfig } from '@flex-custody/vault';
import { createAlarms } from '../alarms/alarms.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import type { Db } from '../db/db.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { AgentEvent } from '../events/agent-event.ts';
import { createInbox } from '../events/create-inbox.ts';
import { isHandled } from '../events/event-types.ts';
import { createLeases } from '../events/kinesis/leases.ts';
import { parseEvent } from '../events/parse-event.ts';
import { readSettings } from '../recorder/data-source/read.ts';
import { createVersions } from '../recorder/data-source/versions.ts';
import { createPauses } from '../recorder/pauses/pauses.ts';
import type { Contact } from '../recorder/sessions/contact.ts';
import { contactsOf } from '../recorder/sessions/contacts-of.ts';
import { linkKeys } from '../recorder/sessions/facts/fact-of.ts';
import { applyToAll } from '../recorder/sessions/kept/apply-policies.ts';
import { followBatch } from '../recorder/sessions/kept/follow-inbox.ts';
import { type CloudEvent, received } from '../recorder/sessions/testing/cloud-event.ts';
import { stories } from '../recorder/sessions/testing/stories.ts';
import { Story } from '../recorder/sessions/testing/story.ts';
import { createSealedSecrets } from '../secrets/sealed-secrets.ts';
import { createSecretKeys } from '../secrets/secret-keys.ts';
import { createSecrets } from '../secrets/secrets.ts';

const accountSid = Story.common('AC', 'account') as AccountSid;
const recording = `RE${'1'.repeat(32)}` as RecordingSid;
const task = `WT${'2'.repeat(32)}`;
const conference = `CF${'3'.repeat(32)}`;
const stream = 'us-east-1/twilio-events';
const keyConfig: KeyConfig = { kind: 'raw-aes', keys: [{ keyId: 'a', key: new Uint8Array(32).fill(7) }] };
const secretKeys = createSecretKeys({ accountSid, keyConfig, secretsKeys: [] });
const log = { warn: () => undefined };

/** The migrations before the one that has this text. */
const before = (text: string) =>
  migrations.slice(
    0,
    migrations.findIndex((one) => one.includes(text)),
  );
const beforeSecrets = before('CREATE TABLE secrets');
const withSessions = migrations.slice(0, before('CREATE TABLE contacts').length + 1);

const sent = Object.values(stories)
  .flatMap((tell, index) => tell(0x500 + index).story.sent)
  .filter(({ type }) => isHandled(type));
const eventsOf = (all: readonly CloudEvent[]): AgentEvent[] => all.map(received);

/** As a host of a release without a recorder has left it. */
async function fillWithoutRecorder(db: Db): Promise<void> {
  await db.query(
    `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source, state, object, verified_at, task_sid, conference_sid)
     VALUES ($1, $2, 2, '2026-01-02T03:04:05Z', 'callback', 'verified', '{"key":"k","etag":"e"}', now(), $3, $4)`,
    [recording, accountSid, task, conference],
  );
  await db.query(
    `INSERT INTO pauses (conference_sid, task_sid, last_at, recordings) VALUES ($1, $2, '2026-01-02T03:05:00Z', $3)`,
    [conference, task, [recording]],
  );
  await db.query(
    `INSERT INTO reports (id, kind, at, task_sid, conference_sid, by)
     VALUES (gen_random_uuid(), 'paused', '2026-01-02T03:05:00Z', $1, $2, 'browser')`,
    [task, conference],
  );
  await db.query(`INSERT INTO alarms (code, recording_sid, detail) VALUES ('copy_failed', $1, 'once')`, [
    recording,
  ]);
}

/** As a host of the first release with sessions has left it, in the middle of its events. */
async function fillWithSessions(db: Db, known: readonly CloudEvent[]): Promise<void> {
  for (const record of known) {
    const parsed = parseEvent(record, { accounts: [accountSid], source: 'kinesis', receivedAt: new Date() });
    if (!('event' in parsed)) continue;
    const { id, type, at, atFrom, eventSid, sameAs, sids, data } = parsed.event;
    await db.query(
      `INSERT INTO agent_events (id, type, at, at_from, event_sid, same_as, sids, data, source, shard)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'kinesis', 'shardId-000000000000') ON CONFLICT DO NOTHING`,
      [id, type, at, atFrom, eventSid ?? null, sameAs ?? null, sids, data],
    );
  }
  await db.query(
    `INSERT INTO event_counters SELECT 'kinesis', 'shardId-000000000000', count(*), count(*), 0, 0, now(), max(at) FROM agent_events`,
  );
  for (const [index, contact] of contactsOf(eventsOf(known)).entries()) {
    const [row] = await db.query<{ number: number }>(`SELECT nextval('contact_numbers')::int AS number`);
    const number = row?.number ?? index;
    await db.query(
      `INSERT INTO contacts (number, id, kind, opened_at, closed_at, contact)
       VALUES ($1, $2, $3, to_timestamp($4::float8 / 1000), to_timestamp($5::float8 / 1000), $6::jsonb)`,
      [number, contact.id, contact.kind, contact.openedAt, contact.closedAt ?? null, JSON.stringify(contact)],
    );
    for (const key of contact.keys)
      await db.query('INSERT INTO contact_keys (key, contact) VALUES ($1, $2)', [key, number]);
    for (const event of eventsOf(known))
      if (linkKeys(event).some((key) => contact.keys.includes(key)))
        await db.query('INSERT INTO contact_events (contact, event) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
          number,
          event.id,
        ]);
  }
  await db.query('UPDATE session_place SET position = (SELECT max(seq)::text FROM agent_events)');
  await db.query(
    `INSERT INTO shard_leases (stream, shard, parents, first_sequence, checkpoint, counter, owner, expires_at)
     VALUES ($1, 'shardId-000000000000', '{}', '1', '49', 6, 'the-old-host', now() - interval '1 hour')`,
    [stream],
  );
  await db.query(
    `INSERT INTO data_source_versions (version, settings, set_by) VALUES (1, '{"longCallMinutes": 90}', 'cli')`,
  );
  const { name, sealed, keyId } = await secretKeys.seal('data-source/secretAccessKey', 'hush');
  await db.query(
    `INSERT INTO secrets (name, sealed, key_id, version, set_by) VALUES ($1, $2, $3, 1, 'cli')`,
    [name, sealed, keyId],
  );
}

onEachEngine('a database of before', (open) => {
  let database: TestDatabase;
  let db: Db;
  beforeEach(async () => {
    database = await open();
    db = database.db;
  });
  afterEach(() => database.drop());

  const upgrade = async () => {
    await migrate(db);
    await buildIndexes(db);
  };
  const secrets = () =>
    createSecrets({ sealed: createSealedSecrets(db, async () => undefined), keys: secretKeys });
  /** Takes events in, and reads them into sessions. */
  const follow = async (records: readonly CloudEvent[]) => {
    const inbox = createInbox({ db, accounts: [accountSid], log });
    const taken = await inbox.take(records, { source: 'kinesis', shard: 'shardId-000000000000' });
    const deps = { db, options: async () => ({}), apply: async () => undefined, log };
    while (!(await followBatch(deps)).isEnd);
    return taken;
  };
  const contacts = async () => {
    const rows = await db.query<{ contact: Contact }>('SELECT contact FROM contacts');
    return new Map(rows.map(({ contact }) => [contact.id, contact]));
  };
  const expected = () => {
    const all = JSON.parse(JSON.stringify(contactsOf(eventsOf(sent)))) as Contact[];
    return new Map(all.map((contact) => [contact.id, contact]));
  };

  test('without a recorder keeps its recordings, pauses and alarms, and takes events, secrets and settings', async () => {
    await migrate(db, beforeSecrets);
    await fillWithoutRecorder(db);
    await upgrade();
    expect(await createCatalog(db, accountSid).find(recording)).toMatchObject({
      ...{ recordingSid: recording, state: 'verified', taskSid: task, conferenceSid: conference },
    });
    expect(await createPauses(db).open()).toEqual([conference]);
    expect(await createAlarms(db).list({ open: true })).toMatchObject([{ code: 'copy_failed', times: 1 }]);
    expect(await db.query('SELECT kind, task_sid AS task FROM reports')).toEqual([{ kind: 'paused', task }]);

    expect(await createVersions(db).current()).toBeUndefined();
    await createVersions(db).append({ settings: { longHoldMinutes: 20 }, by: 'cli' }, 0);
    await secrets().set('data-source/secretAccessKey', 'hush', 'cli');
    expect(await secrets().get('data-source/secretAccessKey')).toBe('hush');
    expect(await follow(sent)).toMatchObject({ stored: new Set(sent.map(({ id }) => id)).size, setAside: 0 });
    expect(await contacts()).toEqual(expected());
  });

  test('with sessions continues in the middle of its events', async () => {
    await migrate(db, withSessions);
    // Every second one: most contacts have some of their events.
    await fillWithSessions(
      db,
      sent.filter((_, index) => index % 2 === 0),
    );
    await upgrade();
    const all = new Set(sent.map(({ id }) => id)).size;
    const [row] = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM agent_events');
    expect(await follow(sent)).toMatchObject({
      stored: all - (row?.n ?? 0),
      duplicate: sent.length - all + (row?.n ?? 0),
    });
    expect(await contacts()).toEqual(expected());
    const [counters] = await db.query(
      'SELECT read = stored + duplicate + set_aside AS adds FROM event_counters',
    );
    expect(counters).toEqual({ adds: true });

    const leases = createLeases(db, stream, 'the-new-host', { leaseMs: 10_000, silentMs: 60_000 });
    const [shard] = (await leases.look()).shards;
    expect(shard && (await leases.take(shard, false))).toMatchObject({ counter: 7, checkpoint: '49' });
    const { settings } = (await createVersions(db).current()) ?? {};
    expect(readSettings(settings)).toMatchObject({ settings: { longCallMinutes: 90 } });
    expect(await secrets().get('data-source/secretAccessKey')).toBe('hush');
    expect((await secrets().list()).map(({ name }) => name)).toEqual(['data-source/secretAccessKey']);

    const raised: string[] = [];
    const settingsOf = async () => ({ minimumSeconds: 0, longCallMinutes: 1, longHoldMinutes: 3_000 });
    await applyToAll({
      db,
      settings: settingsOf,
      alarms: { raise: async (code) => void raised.push(code), resolve: async () => undefined },
    });
    expect(new Set(raised)).toEqual(new Set(['long_call']));
  });

  test.each([
    ['without a recorder', beforeSecrets],
    ['with sessions', migrations.slice(0, -1)],
  ])('once upgraded, is refused by the release before: %s', async (_, list) => {
    await migrate(db, list);
    await upgrade();
    await expect(migrate(db, list)).rejects.toMatchObject({ code: 'database_newer' });
    const [row] = await db.query<{ version: number }>('SELECT max(version) AS version FROM schema_version');
    expect(row?.version).toBe(migrations.length);
  });
});
