import { removeSessions } from '../../../catalog/erasure-sessions.ts';
import type { Db } from '../../../db/db.ts';
import { buildIndexes } from '../../../db/indexes.ts';
import { migrate } from '../../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../../db/testing/on-each-engine.ts';
import type { AgentEvent } from '../../../events/agent-event.ts';
import type { Contact } from '../contact.ts';
import { contactsOf } from '../contacts-of.ts';
import { linkKeys } from '../facts/fact-of.ts';
import { storeAll } from '../testing/stored.ts';
import { inbound, stories } from '../testing/stories.ts';
import { Story } from '../testing/story.ts';
import { applyToAll, applyToSome, type PolicySettings } from './apply-policies.ts';
import { readContacts } from './contacts-table.ts';
import { type FollowDeps, followBatch, followInbox } from './follow-inbox.ts';
import { type KnownFacts, knownFacts } from './known-facts.ts';
import { newestSessions, sessionStatus } from './status.ts';

jest.setTimeout(120_000);

/** The same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffled<T>(all: readonly T[], seed: number): T[] {
  const next = random(seed);
  return all
    .map((one) => ({ one, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

const everyStory = () => Object.values(stories).flatMap((tell, index) => tell(100 + index).story.events);

const minute = 60_000;

onEachEngine('kept sessions', (open) => {
  let database: TestDatabase;
  let db: Db;
  let warned: object[];
  const follow = (more: Partial<FollowDeps> = {}): FollowDeps => ({
    db,
    options: async () => ({}),
    apply: async () => undefined,
    log: { warn: (fields) => void warned.push(fields) },
    ...more,
  });
  const readOn = async (facts: KnownFacts = knownFacts()) => {
    const touched: number[] = [];
    for (;;) {
      const batch = await followBatch(follow(), facts);
      touched.push(...batch.touched);
      if (batch.isEnd) return touched;
    }
  };
  const kept = async (): Promise<Contact[]> =>
    (await db.query<{ contact: Contact }>('SELECT contact FROM contacts ORDER BY opened_at, id')).map(
      ({ contact }) => contact,
    );
  /** As JSON keeps it. */
  const plain = (contacts: readonly Contact[]): unknown => JSON.parse(JSON.stringify(contacts));

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    await buildIndexes(db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    warned = [];
    await db.query(
      'TRUNCATE agent_events, contacts, contact_keys, contact_events, contact_reports; UPDATE session_place SET position = NULL',
    );
  });

  test.each([1, 2, 3])(
    'events in any order and any batches give what the set of them gives (seed %i)',
    async (seed) => {
      const events = everyStory();
      const next = random(seed);
      const rest = shuffled(events, seed);
      // Some are forgotten and read again.
      const facts = knownFacts(30);
      while (rest.length > 0) {
        await storeAll(db, rest.splice(0, 1 + Math.floor(next() * 60)));
        await readOn(facts);
      }
      expect(plain(await kept())).toEqual(plain(contactsOf(events)));
      const left = await db.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM contact_keys LEFT JOIN contacts ON number = contact_keys.contact WHERE number IS NULL`,
      );
      expect(left).toEqual([{ n: 0 }]);
      expect(warned).toEqual([]);
    },
  );

  test('an accepted interaction of no known employee is the default employee’s, an offer is not', async () => {
    await storeAll(db, inbound().story.events);
    const employee = { id: 'ada', organization: 'Care' };
    await followBatch(follow({ options: async () => ({ defaultEmployee: employee }) }));
    const [contact] = await kept();
    expect(contact?.interactions).toMatchObject([
      { endReason: 'rejected' },
      { employee, isDefaultEmployee: true },
    ]);
    expect(contact?.interactions[0]).not.toHaveProperty('employee');
  });

  test('a process that stops in the middle of a batch loses nothing, and the next one reads the batch', async () => {
    const { events } = inbound().story;
    await storeAll(db, events);
    const broken = followBatch(
      follow({
        db: {
          ...db,
          transaction: (work) =>
            db.transaction(async (inner) => {
              await work(inner);
              throw new Error('killed');
            }),
        },
      }),
    );
    await expect(broken).rejects.toThrow('killed');
    expect(await kept()).toEqual([]);
    await readOn();
    expect(plain(await kept())).toEqual(plain(contactsOf(events)));
  });

  test('a contact whose first events are no longer kept stays as it is when another one arrives', async () => {
    const { events } = inbound().story;
    // The process remembers what the removed event said.
    const facts = knownFacts();
    await storeAll(db, events.slice(0, -1));
    await readOn(facts);
    const before = await kept();
    await db.query('DELETE FROM agent_events WHERE seq IN (SELECT min(seq) FROM agent_events)');
    await storeAll(db, events.slice(-1));
    await readOn(facts);
    expect(await kept()).toEqual(before);
    expect(warned).toEqual([expect.objectContaining({ event: 'sessions.incomplete', contacts: 1 })]);
  });

  test('an erasure removes the session; what it leaves of other calls becomes sessions again', async () => {
    const [erased, other] = [inbound(600), inbound(601)];
    await storeAll(db, [...erased.story.events, ...other.story.events]);
    const [first, second] = [erased, other].map(({ story }) => linkKeys(story.events[0] as AgentEvent)[0]);
    await readOn();
    // As if an event had named both calls.
    await db.query('UPDATE contact_keys SET contact = (SELECT min(number) FROM contacts)');
    await db.query('UPDATE contact_events SET contact = (SELECT min(number) FROM contacts)');
    await db.query('DELETE FROM contacts WHERE number > (SELECT min(number) FROM contacts)');
    const ids = erased.story.events.map(({ id }) => id);
    await db.query('DELETE FROM agent_events WHERE id = ANY($1::text[])', [ids]);
    await removeSessions(db, [first ?? '']);
    expect(await db.query('SELECT number FROM contacts UNION ALL SELECT contact FROM contact_keys')).toEqual(
      [],
    );
    await readOn();
    expect(plain(await kept())).toEqual(plain(contactsOf(other.story.events)));
    const keys = (await db.query<{ key: string }>('SELECT key FROM contact_keys')).map(({ key }) => key);
    expect(keys).toContain(second);
    expect(keys).not.toContain(first);
    expect(warned).toEqual([]);
  });

  test('while another process reads the inbox, this one waits', async () => {
    const other = await database.another?.();
    if (!other) return;
    try {
      await storeAll(db, inbound().story.events);
      await other.transaction(async (inner) => {
        await inner.query('SELECT position FROM session_place FOR UPDATE');
        expect(await followBatch(follow())).toEqual({ touched: [], isEnd: true });
      });
      expect(await readOn()).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  test('the loop applies policies to what has changed, and ends when it is asked to', async () => {
    await storeAll(db, inbound().story.events);
    const applied: number[] = [];
    const stop = new AbortController();
    await followInbox(
      follow({
        pauseMs: 1,
        apply: async (numbers) => {
          applied.push(...numbers);
          stop.abort();
        },
      }),
      stop.signal,
    );
    expect(await readContacts(db, applied)).toHaveLength(1);
  });

  describe('policies', () => {
    let raised: string[];
    let resolved: string[];
    const alarms = {
      raise: async (code: string, about: string | undefined) => void raised.push(`${code} ${about}`),
      resolve: async (_codes: readonly string[], about?: string) => void resolved.push(String(about)),
    };
    const deps = (now: number, more: Partial<PolicySettings> = {}) => ({
      ...{ db, alarms },
      settings: async () => ({ minimumSeconds: 0, longCallMinutes: 120, longHoldMinutes: 30, ...more }),
      now: async () => now,
    });
    const row = async () => {
      const [found] = await db.query<{
        tracking_closed_at: Date | null;
        short_seconds: number | null;
        shown_at: Date | null;
      }>('SELECT tracking_closed_at, short_seconds, shown_at FROM contacts');
      return found;
    };
    beforeEach(() => {
      raised = [];
      resolved = [];
    });

    /** A call whose caller is on hold, and the moment at which the hold began. */
    async function onHold() {
      const scene = inbound(500);
      const all = scene.story.events;
      const upTo = all.findIndex((_, index) => contactsOf(all.slice(0, index))[0]?.holds.length === 1);
      const events = all.slice(0, upTo);
      await storeAll(db, events);
      await readOn();
      const [contact] = await kept();
      const [hold] = contact?.holds ?? [];
      expect(hold).toBeDefined();
      expect(hold?.endedAt).toBeUndefined();
      return { scene, events, startedAt: hold?.startedAt ?? Number.NaN, id: contact?.id ?? '' };
    }

    test("a host whose clock jumps by hours raises no alarm of a short hold: the database's clock counts", async () => {
      const { start } = Story;
      Story.start = new Date(Date.now() - 10 * minute).toISOString();
      const { now: _fixed, ...byDatabase } = deps(0);
      const real = Date.now();
      const clock = jest.spyOn(Date, 'now');
      try {
        await onHold();
        for (const apart of [5 * 60, -5 * 60]) {
          clock.mockReturnValue(real + apart * minute);
          await applyToAll(byDatabase);
        }
      } finally {
        clock.mockRestore();
        Story.start = start;
      }
      expect(raised).toEqual([]);
      expect((await row())?.tracking_closed_at).toBeNull();
      await db.query(
        `UPDATE contacts SET contact = jsonb_set(contact, '{holds,0,startedAt}', to_jsonb($1::float8))`,
        [real - 31 * minute],
      );
      await applyToAll(byDatabase);
      expect(raised).toHaveLength(1);
    });

    test('a hold of 31 minutes raises one alarm, which is resolved when it ends', async () => {
      const { scene, events, startedAt } = await onHold();
      await applyToAll(deps(startedAt + 29 * minute));
      expect(raised).toEqual([]);
      await applyToAll(deps(startedAt + 31 * minute));
      await applyToAll(deps(startedAt + 36 * minute));
      expect(raised).toEqual([expect.stringMatching(/^long_hold session-WR[0-9a-f]{32}\/\d+$/)]);
      expect(resolved).toEqual([]);
      await storeAll(
        db,
        scene.story.events.filter(({ id }) => !events.some((one) => one.id === id)),
      );
      await applyToSome(deps(startedAt + 37 * minute), await readOn());
      expect(resolved).toEqual([raised[0]?.split(' ')[1]]);
      await applyToAll(deps(startedAt + 40 * minute));
      expect(raised).toHaveLength(1);
      expect(resolved).toHaveLength(1);
    });

    test('a long call raises one alarm and its tracking is closed once; its end resolves the alarm', async () => {
      const { scene, events, startedAt, id } = await onHold();
      const at = startedAt + 121 * minute;
      await applyToAll(deps(at, { longHoldMinutes: 3_000 }));
      await applyToAll(deps(at + 5 * minute, { longHoldMinutes: 3_000 }));
      expect(raised).toEqual([`long_call session-${id}`]);
      expect(await row()).toEqual({ tracking_closed_at: new Date(at), short_seconds: null, shown_at: null });
      await storeAll(
        db,
        scene.story.events.filter((event) => !events.some((one) => one.id === event.id)),
      );
      await applyToSome(deps(at + 6 * minute), await readOn());
      expect(resolved).toEqual([`session-${id}`]);
      expect(await row()).toMatchObject({
        tracking_closed_at: new Date(at),
        shown_at: new Date(at + 6 * minute),
      });
    });

    test('two contacts that turn out to be one keep one report of each hold', async () => {
      const { events, startedAt } = await onHold();
      await applyToAll(deps(startedAt + 31 * minute));
      const [report] = await db.query<{ contact: number }>('SELECT contact FROM contact_reports');
      await db.query(
        `INSERT INTO contacts (number, id, kind, opened_at, contact) VALUES (1000000, 'x', 'voice', now(), '{}');
         INSERT INTO contact_keys VALUES ('other', 1000000)`,
      );
      await db.query(
        `INSERT INTO contact_reports (contact, code, since, subject) SELECT 1000000, code, since, subject FROM contact_reports`,
      );
      await db.query(
        `UPDATE contact_keys SET contact = 1000000 WHERE key IN (SELECT key FROM contact_keys WHERE contact = $1 LIMIT 1)`,
        [report?.contact],
      );
      await storeAll(
        db,
        events.map((event, index) => ({ ...event, id: `again-${index}` })),
      );
      await readOn();
      expect(await db.query('SELECT DISTINCT contact FROM contact_keys WHERE key <> $1', ['other'])).toEqual([
        { contact: report?.contact },
      ]);
      expect(await db.query('SELECT contact, code FROM contact_reports')).toEqual([
        { contact: report?.contact, code: 'long_hold' },
      ]);
    });

    test('a call below the minimum length is marked with its seconds, and one of just that length is not', async () => {
      const { events } = inbound(501).story;
      await storeAll(db, events);
      const touched = await readOn();
      const [contact] = await kept();
      const seconds = ((contact?.closedAt ?? 0) - (contact?.connectedAt ?? 0)) / 1000;
      await applyToSome(deps(Date.now(), { minimumSeconds: seconds }), touched);
      expect(await row()).toMatchObject({ short_seconds: null });
      await applyToSome(deps(Date.now(), { minimumSeconds: seconds + 1 }), touched);
      expect(await row()).toMatchObject({ short_seconds: seconds });
      await applyToSome(deps(Date.now(), { minimumSeconds: 0 }), touched);
      expect(await row()).toMatchObject({ short_seconds: null });
    });

    test('the status counts open sessions by kind', async () => {
      expect(await sessionStatus.read(db)).toEqual([]);
      await onHold();
      expect(await sessionStatus.read(db)).toEqual([
        { kind: 'voice', open: 1, longest: expect.any(Number), trackingClosed: 0 },
      ]);
    });

    test('the status lists the newest open sessions with the agent who is connected, and the hold that lasts', async () => {
      const { scene, events, startedAt, id } = await onHold();
      const [contact] = await kept();
      const other = inbound(501);
      await storeAll(db, other.story.events.slice(0, 4));
      await readOn();
      const rows = await newestSessions.read(db);
      expect(rows).toEqual([
        expect.objectContaining({
          session: other.task.sid,
          agent: null,
          wait: null,
          holds: 0,
          onHoldAt: null,
        }),
        {
          ...{ session: id, kind: 'voice', queue: 'Support', agent: scene.agents[1]?.worker },
          openedAt: new Date(contact?.openedAt ?? 0),
          ...{ wait: contact?.wait, holds: 1, onHoldAt: new Date(startedAt) },
        },
      ]);
      await storeAll(
        db,
        scene.story.events.filter((event) => !events.some((one) => one.id === event.id)),
      );
      await readOn();
      expect(await newestSessions.read(db)).toEqual(rows.slice(0, 1));
    });
  });
});
