import { readFileSync } from 'node:fs';
import type { AccountSid, CallSid, RecordingSid, SealedObject } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import { createAudit } from '../access/audit.ts';
import { createIdentities } from '../access/identities.ts';
import { createAlarms } from '../alarms/alarms.ts';
import { createCertificates } from '../catalog/certificates.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createInbox } from '../events/create-inbox.ts';
import { ingestJobs } from '../ingest/jobs.ts';
import { openQueue } from '../queue/boss-queue.ts';
import { forgetJobs } from '../queue/forget-jobs.ts';
import type { Queue } from '../queue/queue.ts';
import { recorderJobs } from '../recorder/jobs.ts';
import { createRuns } from '../runs/runs.ts';
import { testSigning } from '../signing/testing/identity.ts';
import { allJobs } from '../start/jobs.ts';
import { eraseSelected, type KeepingDeps } from './erase.ts';
import { createPolicies } from './policies.ts';

const sid = (kind: string, n: number) => `${kind}${n.toString(16).padStart(32, 'd')}`;
const account = sid('AC', 1) as AccountSid;
const worker = sid('WK', 1);
const digest = 'k12345678:digest-of-the-caller';

/** Of a call: every SID by which something could be found. */
const callOf = (n: number) => ({
  recording: sid('RE', n) as RecordingSid,
  task: sid('WT', n),
  conference: sid('CF', n),
  leg: sid('CA', n),
  other: sid('CA', 100 + n),
  reservation: sid('WR', n),
});
type Call = ReturnType<typeof callOf>;

onEachEngine('what is erased', (open) => {
  let database: TestDatabase;
  let queue: Queue;
  let jobs: string;
  let deps: KeepingDeps;

  beforeAll(async () => {
    database = await open();
    const { db, schema } = database;
    await migrate(db);
    jobs = `${schema}_jobs`;
    queue = openQueue(db, { jobs: allJobs, schema: jobs });
    const quiet = () => undefined;
    const written = new Set<string>();
    const store = {
      async *versions(prefix: string) {
        for (const key of written)
          if (key.startsWith(prefix)) yield { key, versionId: 'w', deleteMarker: false };
      },
      async *unfinishedUploads() {},
      async putBytes(key: string) {
        written.add(key);
        return { etag: '"w"', bytes: 1 };
      },
      lockOf: async () => undefined,
      delete: async (key: string) => written.delete(key),
    };
    deps = {
      config: { accountSid: account },
      policies: createPolicies(db, account),
      alarms: createAlarms(db),
      keys: undefined,
      signing: testSigning(),
      catalog: createCatalog(db, account),
      certificates: createCertificates(db),
      store: store as unknown as Store,
      twilio: {
        account: async () => ({ friendlyName: '', status: '', aheadMs: 0 }),
        recording: async () => undefined,
        deleteRecording: async () => 'gone',
      },
      forgetJobs: (sids) => forgetJobs(db, sids, jobs),
      log: { info: quiet, warn: quiet },
    };
    await createPolicies(db, account).apply('version: 1\n', 'test');
  }, 120_000);
  afterAll(async () => {
    await queue.stop(0);
    await database.drop();
  });

  /** Events of the call: of its task, its conference, a leg that only the conference names, and two that are set aside. */
  const eventsOf = ({ recording, task, conference, leg, reservation, other }: Call) => {
    const event = (n: number, type: string, data: object) => ({
      ...{ id: `${task}-${n}`.replace(task, `id-of-${recording.slice(-3)}`), type: `com.twilio.${type}` },
      data: { account_sid: account, ...data },
    });
    const third = sid('CA', 200 + Number.parseInt(leg.slice(-2), 16));
    return [
      event(1, 'taskrouter.task.created', {
        payload: { task_sid: task, task_attributes: `{"call_sid":"${leg}"}` },
      }),
      event(2, 'taskrouter.reservation.accepted', {
        payload: {
          task_sid: task,
          reservation_sid: reservation,
          task_attributes: `{"conference":{"sid":"${conference}"}}`,
        },
      }),
      event(3, 'voice.status-callback.conference.participant.updated', {
        request: { parameters: { ConferenceSid: conference, CallSid: third } },
      }),
      event(4, 'voice.status-callback.call.completed', {
        request: { parameters: { CallSid: third, From: digest } },
      }),
      event(5, 'voice.status-callback.recording.processed', {
        request: { parameters: { RecordingSid: recording, CallSid: other } },
      }),
      event(6, 'taskrouter.reservation.of-a-later-release', { payload: { reservation_sid: reservation } }),
      `{"of the call": "${conference}"`,
    ];
  };
  const inbox = () => createInbox({ db: database.db, accounts: [account], log: { warn() {} } });
  const take = (call: Call) => inbox().take(eventsOf(call), { source: 'webhook' });

  /** Fills every table that can name a call. */
  async function happen(call: Call, { linked = true } = {}) {
    const { db } = database;
    const { recording, task, conference, leg, other, reservation } = call;
    await db.query(
      `INSERT INTO recordings (recording_sid, account_sid, call_sid, conference_sid, task_sid, reservation_sid, worker_sid,
         channels, started_at, source, hints, state, caller, hinted_callers, link_state, object)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 2, now(), 'callback', $8::jsonb, 'absent', $9, ARRAY[$9], $10, $11::jsonb)`,
      [
        recording,
        account,
        leg,
        conference,
        linked ? task : null,
        linked ? reservation : null,
        linked ? worker : null,
        JSON.stringify({
          taskSid: task,
          reservationSid: reservation,
          conferenceSid: conference,
          callSid: leg,
        }),
        digest,
        linked ? 'linked' : 'refused',
        null as unknown as SealedObject,
      ],
    );
    await db.query(`INSERT INTO uploads (recording_sid, lease, state) VALUES ($1, 'l', $2::jsonb)`, [
      recording,
      JSON.stringify({ key: `recordings/${account}/${recording}` }),
    ]);
    await db.query(
      `INSERT INTO proven_news (recording_sid, account_sid, proof, version) VALUES ($1, $2, '{}', '[]')`,
      [recording, account],
    );
    await db.query(
      `INSERT INTO imports (recording_sid, bucket, key, etag, sha256) VALUES ($1, 'old', $2, 'e', 'f')`,
      [recording, `${recording}.wav`],
    );
    await db.query(
      `INSERT INTO live_calls (conference_sid, account_sid, task_sid, legs, customer_call_sid, caller, others)
       VALUES ($1, $2, $3, ARRAY[$4, $5], $4, $6, ARRAY[$6])`,
      [conference, account, task, leg, other, digest],
    );
    for (const [at, kind] of ['paused', 'consent', 'not-recorded'].entries())
      await db.query(
        `INSERT INTO reports (id, kind, at, task_sid, reservation_sid, worker_sid, conference_sid, details, by)
         VALUES (gen_random_uuid(), $1, now(), $2, $3, $4, $5, $6::jsonb, 'browser')`,
        [kind, task, reservation, worker, at === 2 ? null : conference, JSON.stringify({ callSid: other })],
      );
    await db.query(
      `INSERT INTO pauses (conference_sid, task_sid, last_at, recordings) VALUES ($1, $2, now(), ARRAY[$3])`,
      [conference, task, recording],
    );
    await db.query(
      `INSERT INTO pending_reports (id, report, token, request_id) VALUES (gen_random_uuid(), $1, 'x', 'r')`,
      [JSON.stringify({ taskSid: task, conferenceSid: conference })],
    );
    expect(await take(call)).toEqual({ read: 7, stored: 5, duplicate: 0, setAside: 2 });
    await db.query(
      `INSERT INTO segment_reasons (reservation_sid, task_sid, opened_at, reason, comment, explained_by)
       VALUES ($1, $2, now(), 'network', $3, 'ada')`,
      [reservation, task, `see ${leg}`],
    );
    await db.query(
      `WITH customer AS (
         INSERT INTO connector_customers (connector, digest, wanted) VALUES ('brevo', $1, $2::jsonb) RETURNING id
       ), one AS (
         INSERT INTO connector_interactions (custody_id, connector, contact, customer, interaction, opened_at, channel, sids)
         SELECT gen_random_uuid(), 'brevo', $3, id, $4::jsonb, now(), 'voice', ARRAY[$5, $7] FROM customer RETURNING custody_id, customer
       )
       INSERT INTO connector_effects (connector, custody_id, trigger, customer, happened_at, due_at, error)
       SELECT 'brevo', custody_id, 'task.created', customer, now(), now(), $6::jsonb FROM one`,
      [
        `of ${task}`,
        JSON.stringify({ identifiers: { phone: digest } }),
        Number.parseInt(recording.slice(-2), 16),
        JSON.stringify({
          tasks: [task],
          recordings: [recording],
          customer: { attributes: { call_sid: leg } },
        }),
        ...[task, JSON.stringify({ message: task }), recording],
      ],
    );
    await deps.alarms.raise('verify_failed', recording, 'x');
    await deps.alarms.raise('not_recorded', undefined, `nothing records the live call ${conference}`);
    await deps.alarms.raise('plain_kept', undefined, `${recording}.wav: differs`);
    const audit = createAudit(db);
    const viewer = { identity: 'v', roles: [] };
    const about = { viewer, allowed: true, reason: 'r' };
    await audit.record({ ...about, action: 'play', subject: { kind: 'recording', sid: recording } });
    await audit.record({ ...about, action: 'voice-consent', subject: { kind: 'call', sid: leg as CallSid } });
    const { copy, verify, describe } = ingestJobs;
    for (const job of [copy, verify, describe, recorderJobs.facts])
      await queue.send(job, { recordingSid: recording });
    await queue.send(ingestJobs.measure, { taskSid: task as never });
    await queue.send(recorderJobs.call, { taskSid: task as never, conferenceSid: conference as never });
    await queue.send(recorderJobs.linkAccepted, {
      ...{ taskSid: task as never, reservationSid: reservation as never },
      acceptedAt: 0,
    });
    await queue.send(recorderJobs.watchPause, { conferenceSid: conference as never }, { once: 'reported' });
    await db.query(`UPDATE ${jobs}.job SET state = 'completed' WHERE name IN ('copy', 'measure')`);
    await db.query(`UPDATE ${jobs}.job SET state = 'failed', output = $1::jsonb WHERE name = 'verify'`, [
      JSON.stringify({ message: `${recording} was refused` }),
    ]);
    await db.query(
      `INSERT INTO ${jobs}.archive SELECT job.*, now() FROM ${jobs}.job
       WHERE name = 'describe' AND data->>'recordingSid' = $1`,
      [recording],
    );
  }

  /** `table.column` of every column of the database in which any of the texts is; parts of tables count as their whole. */
  async function placesOf(texts: readonly string[]): Promise<string[]> {
    const { db } = database;
    const tables = await db.query<{ schema: string; name: string }>(
      `SELECT nspname AS schema, relname AS name FROM pg_class JOIN pg_namespace space ON space.oid = relnamespace
       WHERE nspname IN (current_schema(), $1) AND relkind IN ('r', 'p') AND NOT relispartition`,
      [jobs],
    );
    expect(tables.length).toBeGreaterThan(20);
    const found: string[] = [];
    for (const { schema, name } of tables) {
      const columns = await db.query<{ column: string }>(
        `SELECT DISTINCT field.key AS column FROM "${schema}"."${name}" one, jsonb_each_text(to_jsonb(one)) field
         WHERE field.value LIKE ANY($1::text[])`,
        [texts.map((text) => `%${text}%`)],
      );
      found.push(...columns.map(({ column }) => `${schema === jobs ? 'jobs.' : ''}${name}.${column}`));
    }
    return found.toSorted();
  }

  const erase = (options: object) =>
    createRuns(database.db).run('erase', { ...options }, (run) => eraseSelected(deps, run));

  /** What docs/retention.md lists as what stays. */
  const listed = [
    ...readFileSync('docs/retention.md', 'utf8').matchAll(/^\| (`[a-z_]+\.[a-z_]+`.*?) \|/gm),
  ].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, place]) => place));
  const unlisted = async (sids: readonly string[]) =>
    (await placesOf(sids)).filter((place) => !listed.includes(place));

  test.each([
    ['that was linked', true],
    ['that no task is proven for', false],
  ])('a call %s leaves nothing but what the documentation lists', async (_which, linked) => {
    const call = callOf(linked ? 1 : 2);
    const { recording, task, conference, leg, other, reservation } = call;
    await happen(call, { linked });
    expect((await placesOf([task])).length).toBeGreaterThan(5);
    const { counts } = await erase({ tasks: [task] });
    expect(counts).toMatchObject({ erased: 1 });
    expect(await unlisted([recording])).toEqual([]);
    expect(await placesOf([recording])).not.toContain('agent_events.data');
    expect(await placesOf([leg])).toEqual(['audit.recording_sid']);
    expect(await placesOf([task, conference, other, reservation, digest])).toEqual([]);
    // They come again, from a stream that is read from its beginning or by gap repair.
    expect(await take(call)).toMatchObject({ stored: 0, setAside: 7 });
    expect(await unlisted([recording])).toEqual([]);
    expect(await placesOf([task, digest, sid('CA', 200 + Number.parseInt(leg.slice(-2), 16))])).toEqual([]);
  });

  test('the legs of a call that the host did not see live are found by its events', async () => {
    const call = callOf(6);
    const third = sid('CA', 200 + Number.parseInt(call.leg.slice(-2), 16));
    await database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, call_sid, task_sid, channels, started_at, source, state)
       VALUES ($1, $2, $3, $4, 2, now(), 'callback', 'absent')`,
      [call.recording, account, sid('CA', 77), call.task],
    );
    await take(call);
    expect(await placesOf([third])).toContain('agent_events.data');
    await erase({ tasks: [call.task] });
    expect(await placesOf([call.task, call.conference, call.leg, call.reservation, third])).toEqual([]);
    expect(await placesOf([digest])).toEqual([]);
  });

  test("events of another call stay, also if its task's attributes name the erased one", async () => {
    const [gone, stays] = [callOf(4), callOf(5)];
    await happen(gone);
    await happen(stays);
    const named = {
      ...{ id: 'linked', type: 'com.twilio.taskrouter.reservation.completed' },
      data: {
        payload: {
          task_sid: stays.task,
          reservation_sid: stays.reservation,
          task_attributes: `{"earlier":"${gone.leg}","conference":{"sid":"${stays.conference}"}}`,
        },
      },
    };
    await inbox().take([named], { source: 'webhook' });
    await erase({ tasks: [gone.task] });
    const events = await database.db.query<{ id: string }>('SELECT id FROM agent_events ORDER BY seq');
    expect(events.map(({ id }) => id)).toEqual(
      [1, 2, 3, 4, 5].map((n) => `id-of-${stays.recording.slice(-3)}-${n}`),
    );
    expect(await placesOf([gone.task, gone.conference])).toEqual([]);
    await erase({ tasks: [stays.task] });
  });

  test('while another recording of the call is there, what is of the call stays, and only the recording goes', async () => {
    const call = callOf(3);
    await happen(call);
    const sibling = sid('RE', 33);
    await database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, call_sid, task_sid, channels, started_at, source, state)
       VALUES ($1, $2, $3, $4, 2, now(), 'callback', 'absent')`,
      [sibling, account, call.other, call.task],
    );
    await erase({ recordings: [call.recording] });
    expect(await unlisted([call.recording])).toEqual([]);
    expect(await placesOf([call.conference])).toEqual(
      expect.arrayContaining([
        'agent_events.data',
        'live_calls.conference_sid',
        'pauses.conference_sid',
        'reports.conference_sid',
      ]),
    );
    await erase({ recordings: [sibling] });
    expect(await placesOf([call.task, call.conference, call.other, digest])).toEqual([]);
  });

  test('what IAM stated of a worker is of no call, and stays', async () => {
    await createIdentities(database.db).stated({
      identity: 'w',
      roles: [],
      workerSid: worker as never,
    } as never);
    expect(await placesOf([worker])).toEqual(['identities.worker_sid']);
  });
});
