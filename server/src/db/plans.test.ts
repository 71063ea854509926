import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AccountSid,
  type CallSid,
  type ConferenceSid,
  CustodyError,
  linkStates,
  type RecordingSid,
  type ReservationSid,
  recordingStates,
  type SealedObject,
  type TaskSid,
  type WorkerSid,
} from '@flex-custody/core';
import pg from 'pg';
import PgBoss from 'pg-boss';
import { fillCatalog, fillJobs, shortQueue } from '../../../test/support/fill-catalog.ts';
import { describeWhere } from '../../../test/support/needs.ts';
import { ownDatabase } from '../../../test/support/own-engines.ts';
import { until } from '../../../test/support/until.ts';
import { createAudit, operator } from '../access/audit.ts';
import { createIdentities } from '../access/identities.ts';
import { createAlarms } from '../alarms/alarms.ts';
import { alarmJobs } from '../alarms/jobs.ts';
import { createProvenNews } from '../alarms/proven-news.ts';
import { createWebhookEvents } from '../alarms/webhook-events.ts';
import { createAgedRows } from '../catalog/aged-rows.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { createCertificates } from '../catalog/certificates.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import { eraseInteractions } from '../catalog/erasure-connectors.ts';
import { removeEvents } from '../catalog/erasure-events.ts';
import { noteShort, removeSessions } from '../catalog/erasure-sessions.ts';
import { removeTraces } from '../catalog/erasure-traces.ts';
import { createLiveCalls, type LiveCalls } from '../catalog/live-calls.ts';
import { createUploads } from '../catalog/uploads.ts';
import { agentDays, followAgentDays } from '../connectors/agent-days.ts';
import { addBudget, correctBudget, pauseBudget, returnTurns, takeTurns } from '../connectors/budget-table.ts';
import { noticedSince, switchOff, switchOn, takeChanges } from '../connectors/changes.ts';
import { eventsOfContacts as eventsOfConnectorContacts } from '../connectors/contact-events.ts';
import { claimForgetting, forgotten, keepCustomers, leaveCustomers } from '../connectors/customers-table.ts';
import { effectsOf, writePlan } from '../connectors/effects-table.ts';
import { explainTask } from '../connectors/explain.ts';
import { failedEffects } from '../connectors/failed.ts';
import { readCheckpoint, writeCheckpoint } from '../connectors/history/checkpoints.ts';
import { askForContacts, countContacts, wantHistory } from '../connectors/history/wanted-history.ts';
import {
  interactionsNamed,
  interactionsOfContacts,
  liveContacts,
  looseInteractions,
  mergedInto,
  mergeInteractions,
  removeInteractions,
  writeInteractions,
} from '../connectors/interactions-table.ts';
import { keptChecks } from '../connectors/kept-checks.ts';
import { noteMessages, takeDueMessages } from '../connectors/messages.ts';
import { connectorStatus } from '../connectors/status.ts';
import { totalsOf } from '../connectors/totals.ts';
import { adoptDatabase, bindDatabase, differencesFrom, readCustody } from '../custody/bind.ts';
import { createInbox } from '../events/create-inbox.ts';
import { watchLag } from '../events/event-lag.ts';
import { readEventStatus } from '../events/event-status.ts';
import { eventTypes } from '../events/event-types.ts';
import { createInboxReader, readEvents } from '../events/inbox-reader.ts';
import { readStatus } from '../events/status-part.ts';
import { takeBackSetAside } from '../events/take-back.ts';
import { cloudEvent, account as eventAccount } from '../events/testing/cloud-events.ts';
import { readHealth } from '../http/operators/health.ts';
import { ingestJobs } from '../ingest/jobs.ts';
import { openQueue } from '../queue/boss-queue.ts';
import { forgetJobs } from '../queue/forget-jobs.ts';
import { deleteQueues } from '../queue/former-queues.ts';
import { queueHealth } from '../queue/health.ts';
import { countStatement } from '../queue/job-counts.ts';
import { jobTable, partsOf } from '../queue/job-table.ts';
import { removeDone } from '../queue/remove-done.ts';
import { reportedPauses } from '../recorder/completeness/reported-pauses.ts';
import {
  explainedSince,
  keepReason,
  reasonsOf,
  removeReason,
} from '../recorder/completeness/segment-reasons.ts';
import { claimVersion, keepDigest, statedDigest } from '../recorder/completeness/statement-versions.ts';
import { beat } from '../recorder/data-source/nodes.ts';
import { assignedNodes } from '../recorder/data-source/status.ts';
import { createPauses } from '../recorder/pauses/pauses.ts';
import { consentOf } from '../recorder/reports/consents.ts';
import { createPendingReports, retryPending } from '../recorder/reports/pending.ts';
import {
  closeContacts,
  dropLooseReports,
  generalAmong,
  looseReports,
  markOverfull,
  takeApart,
} from '../recorder/sessions/kept/closed-contacts.ts';
import {
  attachEvents,
  contactsClosed,
  contactsNamed,
  contactsOfKeys,
  contactsOpened,
  eventsOfContacts,
  keepDecisions,
  keepRecovered,
  keepReport,
  keepResolved,
  readContacts,
  readReports,
  takeLeftEvents,
  unfinishedContacts,
  unrecoveredContacts,
  writeContacts,
} from '../recorder/sessions/kept/contacts-table.ts';
import { haveRead } from '../recorder/sessions/kept/follow-inbox.ts';
import {
  deletedSince,
  disputedCalls,
  setLooks,
  shortContacts,
  unreadAmong,
  usualOfDay,
} from '../recorder/short-calls/short-table.ts';
import { createPolicies } from '../retention/policies.ts';
import { createRuns } from '../runs/runs.ts';
import { createSealedSecrets, readSealedSecrets } from '../secrets/sealed-secrets.ts';
import { allJobs } from '../start/jobs.ts';
import type { Db } from './db.ts';
import { buildIndexes, missingIndexes } from './indexes.ts';
import { migrate } from './migrate.ts';
import { openPostgres } from './postgres.ts';
import { type Explained, type ExplainingDb, explainingDb, nodesOf } from './testing/explaining.ts';

const rows = 100_000;
const account = `AC${'0'.repeat(31)}1` as AccountSid;
/** As the fill makes them. */
const sid = (letters: string, n: number | string) =>
  `${letters}${createHash('md5').update(`${letters}${n}`).digest('hex')}`;
const RE = (n: number) => sid('RE', n) as RecordingSid;
const WT = (n: number) => sid('WT', n) as TaskSid;
const CA = (n: number) => sid('CA', n) as CallSid;
const CF = (n: number) => sid('CF', n) as ConferenceSid;
const one = RE(5_000);
const by = randomUUID();
const object: SealedObject = {
  key: 'k',
  mode: 'envelope',
  etag: '"e"',
  bytes: 500,
  plaintextBytes: 400,
  plaintextSha256: 'ab'.repeat(32),
  keyId: 'k1',
};
const proof = { at: '2026-01-01T00:00:00Z', host: 'h', by: 'copy', how: 'sha256' } as const;
const owner = { taskSid: WT(1), reservationSid: sid('WR', 1) as ReservationSid, queue: 'Queue 1' };
const stored = { key: 'k.json', etag: '"s"' };
const minuteAgo = () => new Date(Date.now() - 60_000);

/** Calls of each method that between them send every statement it has. A method that is missing here is a test that fails. */
const calls: { [K in keyof Catalog]: (catalog: Catalog) => Promise<unknown> } = {
  find: (catalog) => catalog.find(one),
  firstOfReservation: (catalog) => catalog.firstOfReservation(sid('WR', 7) as ReservationSid),
  register: (catalog) =>
    catalog.register({
      ...{ recordingSid: one, accountSid: account, callSid: CA(1), channels: 2, source: 'callback' },
      startedAt: new Date(),
      hints: { taskSid: WT(1) },
    }),
  lease: (catalog) => catalog.lease(one, 'worker', 1_000),
  extendLease: (catalog) => catalog.extendLease(one, 'secret', 1_000),
  sealed: (catalog) => catalog.sealed(one, 'secret', object, 2, 'host'),
  release: (catalog) => catalog.release(one, 'secret', 'why'),
  verified: (catalog) => catalog.verified(one, object, 'ab'.repeat(32), { channels: 2, proof }),
  proven: (catalog) => catalog.proven(one, object, proof),
  proofTried: (catalog) => catalog.proofTried(one),
  disproved: (catalog) => catalog.disproved(one, object),
  pausedSeconds: (catalog) =>
    catalog.pausedSeconds({
      taskSid: WT(9),
      hints: {},
      linkState: 'linked',
      startedAt: new Date(),
      durationSeconds: 9,
    }),
  noteImport: (catalog) => catalog.noteImport(one, { bucket: 'b', key: 'k', etag: 'e', sha256: 's' }),
  importedFrom: (catalog) => catalog.importedFrom(one),
  rejected: (catalog) => catalog.rejected(one, object, 'why'),
  lost: (catalog) => catalog.lost(one, object),
  renewed: (catalog) => catalog.renewed(one, object, object),
  sealedByOthers: async (catalog) => {
    await catalog.sealedByOthers({ newest: '2026-11' }, undefined, 500);
    await catalog.sealedByOthers({ newest: '2026-11', from: '2025-01' }, one, 500);
  },
  countSealedByOthers: (catalog) => catalog.countSealedByOthers({ newest: '2026-11' }),
  keyUse: (catalog) => catalog.keyUse(),
  giveUp: (catalog) => catalog.giveUp(one, 'why'),
  replayed: (catalog) => catalog.replayed(one),
  replayedAll: (catalog) => catalog.replayedAll([one, RE(2)]),
  absent: (catalog) => catalog.absent(one, '4001'),
  sourcesDue: (catalog) => catalog.sourcesDue(72, 200),
  setAside: async (catalog) => {
    await catalog.setAside(one, 'recording', 60);
    await catalog.setAside(one, 'source', 60);
  },
  lookAgain: async (catalog) => {
    for (const what of ['recording', 'source'] as const) {
      await catalog.lookAgain(what);
      await catalog.lookAgain(what, { all: true });
    }
  },
  sourceDeleted: (catalog) => catalog.sourceDeleted(one),
  described: (catalog) => catalog.described(one, stored, stored),
  restored: (catalog) =>
    catalog.restored(
      {
        ...{ version: 1, recordingSid: one, accountSid: account, channels: 2, source: 'callback', object },
        startedAt: '2026-01-01T00:00:00Z',
      },
      { signed: stored },
    ),
  unsigned: (catalog) => catalog.unsigned(undefined, 500),
  countUnsigned: (catalog) => catalog.countUnsigned(),
  everSigned: (catalog) => catalog.everSigned(),
  newestSigners: (catalog) => catalog.newestSigners(),
  signers: (catalog) => catalog.signers(),
  forgetSigners: (catalog) => catalog.forgetSigners(['one', 'two']),
  linked: (catalog) => catalog.linked(one, owner, { direction: 'inbound', caller: 'k1:c' }),
  unlinked: (catalog) => catalog.unlinked(one, 'why', owner),
  rehinted: (catalog) => catalog.rehinted(one, { taskSid: WT(1) }),
  refused: (catalog) => catalog.refused(one, 'why'),
  relink: (catalog) => catalog.relink(one),
  calledBy: (catalog) => catalog.calledBy(one, { direction: 'inbound', caller: 'k1:c', others: ['k1:d'] }),
  withoutCaller: (catalog) =>
    catalog.withoutCaller({ conferenceSid: CF(3), legs: [CA(3), CA(4)], taskSid: WT(3) }),
  callerKeys: (catalog) => catalog.callerKeys(),
  nameCallers: (catalog) => catalog.nameCallers('k0a1b2c3d'),
  forwarded: (catalog) => catalog.forwarded(one),
  mark: (catalog) => catalog.mark('retention'),
  setMark: (catalog) => catalog.setMark('retention', { at: 1 }),
  kindsKept: (catalog) => catalog.kindsKept(),
  expired: async (catalog) => {
    const kinds = (await catalog.kindsKept()).map((kind) => {
      const days = kind.queue === shortQueue ? 30 : 3_650;
      return { ...kind, before: new Date(Date.now() - days * 86_400_000) };
    });
    await catalog.expired(kinds, 100);
    const [first, ...others] = kinds;
    if (!first) throw new Error('the fill has no kind');
    await catalog.expired(
      [{ ...first, after: { startedAt: new Date(0), recordingSid: one } }, ...others],
      100,
    );
  },
  selected: (catalog) =>
    catalog.selected(
      { recordings: [one], tasks: [WT(1), WT(2)], callers: ['k0a1b2c3d:none'] },
      undefined,
      100,
    ),
  sessionsOf: (catalog) => catalog.sessionsOf({ tasks: [WT(1)], callers: ['k12345678:x'] }, 0, 100),
  isRecorded: (catalog) => catalog.isRecorded([WT(1), CA(1), CF(1)]),
  eraseSession: (catalog) => catalog.eraseSession(1),
  unknownTasks: (catalog) => catalog.unknownTasks([WT(1), WT(2)]),
  intend: (catalog) => catalog.intend(one, { reason: 'erasure', policy: 'p' }, by),
  resumeErasure: (catalog) => catalog.resumeErasure(one, by),
  takeBack: (catalog) => catalog.takeBack(one, by),
  keepErasures: (catalog) => catalog.keepErasures(by),
  leaveErasures: (catalog) => catalog.leaveErasures(by),
  erasing: async (catalog) => {
    await catalog.erasing(one, by);
    await catalog.erasing(one);
  },
  wasRemoved: (catalog) =>
    catalog.wasRemoved(one, { versions: 1, twilio: 'gone', at: '2026-01-01T00:00:00Z' }),
  erased: (catalog) => catalog.erased(one, randomUUID()),
  tracesOf: (catalog) => catalog.tracesOf(one),
  reclaim: (catalog) => catalog.reclaim(),
  unfinishedErasures: async (catalog) => {
    await catalog.unfinishedErasures(100);
    await catalog.unfinishedErasures(100, one);
  },
  stuckErasures: (catalog) => catalog.stuckErasures(100),
  size: (catalog) => catalog.size(),
  usuallyRetained: (catalog) => catalog.usuallyRetained(),
  noteRetained: (catalog) => catalog.noteRetained(5),
  now: (catalog) => catalog.now(),
  ofTask: (catalog) => catalog.ofTask(WT(7)),
  ofContacts: (catalog) => catalog.ofContacts([RE(7), sid('WR', 7), WT(7), CA(7), CF(7)]),
  list: (catalog) => everyListing((listing) => catalog.list({ ...listing, limit: 50 })),
  countBehind: (catalog) => everyListing((listing) => catalog.countBehind(listing)),
  counts: (catalog) => catalog.counts(),
  inOrder: async (catalog) => {
    await catalog.inOrder(undefined, 500);
    await catalog.inOrder(one, 500);
  },
  stale: async (catalog) => {
    const mark = (...values: string[]) => JSON.stringify(values) as never;
    const time = '2026-01-01 00:00:00+00';
    for (const state of ['registered', 'copying', 'sealed'] as const) {
      await catalog.stale({ which: 'state', state, olderThan: minuteAgo() });
      await catalog.stale({ which: 'state', state, olderThan: minuteAgo() }, mark(time, one), 1_000);
    }
    const failed = { which: 'state', state: 'failed', failures: ['twilio_unavailable'] } as const;
    await catalog.stale({ ...failed, olderThan: minuteAgo() });
    await catalog.stale({ ...failed, olderThan: minuteAgo() }, mark(time, one), 500);
    for (const which of ['undescribed', 'pending-link'] as const) {
      await catalog.stale({ which, olderThan: minuteAgo() });
      await catalog.stale({ which, olderThan: minuteAgo() }, mark(time, one), 1_000);
    }
    await catalog.stale({ which: 'unproven', olderThan: minuteAgo() });
    await catalog.stale({ which: 'unproven', olderThan: minuteAgo() }, mark(time, time, one), 1_000);
  },
  recordRate: (catalog) => catalog.recordRate(10_000_000, 1_000),
  observedRate: (catalog) => catalog.observedRate(),
  bumpSegmentGeneration: (catalog) => catalog.bumpSegmentGeneration(one),
  attempt: (catalog) => catalog.attempt(one),
};

async function everyListing(ask: (listing: Parameters<Catalog['countBehind']>[0]) => Promise<unknown>) {
  for (const after of [{}, { after: one }]) {
    await ask({ ...after });
    for (const state of recordingStates) await ask({ state, ...after });
    for (const linkState of linkStates) await ask({ linkState, ...after });
    await ask({ failure: 'media_missing', ...after });
    await ask({ state: 'failed', failure: 'media_missing', ...after });
    await ask({ state: 'verified', linkState: 'unlinked', ...after });
  }
}

const callsOfLive: { [K in keyof LiveCalls]: (live: LiveCalls) => Promise<unknown> } = {
  note: (live) => live.note([{ sid: CF(1), taskSid: WT(1), createdAt: new Date() }]),
  open: (live) => live.open(),
  find: (live) => live.find(CF(1)),
  mayRead: (live) => live.mayRead(CF(1), 1_000),
  read: (live) => live.read(CF(1), { legs: [CA(1)], hasAgent: true, others: [] }),
  ended: (live) => live.ended(CF(1)),
  recorded: (live) => live.recorded([CF(1)]),
  alarmed: (live) => live.alarmed(CF(1)),
  excused: (live) => live.excused(CF(1)),
  unrecorded: (live) => live.unrecorded(),
  ofRecording: (live) =>
    live.ofRecording({ conferenceSid: CF(1), callSid: CA(1), taskSid: WT(1), startedAt: new Date() }),
  forget: (live) => live.forget(30),
};

/** Whatever a method makes of the rows that it does not get: its statement was explained before. */
const settled = (work: Promise<unknown>) => work.catch(() => undefined);

/**
 * Statements that name `recordings` or the table of jobs, by file. A file that is new here needs calls above that send
 * what it has.
 */
const files = [
  'catalog/aged-rows.ts',
  'catalog/certificates.ts',
  'catalog/due-statements.ts',
  'catalog/erasure-events.ts',
  'catalog/erasure-sessions.ts',
  'catalog/erasure-statements.ts',
  'catalog/erasure-traces.ts',
  'catalog/import-statements.ts',
  'catalog/intake-statements.ts',
  'catalog/key-statements.ts',
  'catalog/list-statements.ts',
  'catalog/session-erasure-statements.ts',
  'catalog/signing-statements.ts',
  'catalog/stale-statements.ts',
  'catalog/statements.ts',
  'catalog/uploads.ts',
  'queue/boss-queue.ts',
  'queue/forget-jobs.ts',
  'queue/former-queues.ts',
  'queue/health.ts',
  'queue/job-counts.ts',
  'queue/job-table.ts',
  'queue/remove-done.ts',
];

test('every file that asks for recordings or jobs is known here', () => {
  const root = 'server/src';
  const names =
    /\b(FROM|INTO|UPDATE|JOIN|USING)\s+recordings\b|\$\{(schema|jobs)\}\.(job|archive)\b|\$\{part\}/;
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|testing\/|^db\/migrations\//.test(name))
    .filter((name) => names.test(readFileSync(join(root, name), 'utf8')));
  expect(found.sort()).toEqual(files);
});

describeWhere('postgresql', `the plans of all statements at ${rows} recordings`, () => {
  const schema = 'pgboss';
  let database: Awaited<ReturnType<typeof ownDatabase>>;
  let plain: Db;
  let client: pg.Client;
  let db: ExplainingDb;
  /** Tables that are large, and whose every reading grows with what is stored. */
  let large: Set<string>;
  /** What PostgreSQL expects reading all recordings to cost. */
  let wholeCost = 0;

  beforeAll(async () => {
    database = await ownDatabase();
    plain = await openPostgres(database.url);
    await migrate(plain);
    await fillCatalog(plain, { account, recordings: rows, alarms: { open: 200, cleared: 2_000 } });
    await plain.query(
      `INSERT INTO contacts (number, id, kind, opened_at, closed_at, contact, shown_at)
       SELECT n, 'WT' || n, 'voice', now() - n * interval '1 minute', now() - (n - 1) * interval '1 minute', '{}', now() FROM generate_series(1, 100000) n;
       INSERT INTO contact_keys SELECT 'key ' || n, n FROM generate_series(1, 100000) n;
       INSERT INTO contact_events SELECT n, 'event ' || n FROM generate_series(1, 100000) n;
       INSERT INTO segment_reasons SELECT 'reason ' || n, 'task ' || n, now() - n * interval '1 minute', 'network', null, 'ada'
         FROM generate_series(1, 100000) n;
       INSERT INTO connector_customers (connector, digest, state) SELECT 'brevo', 'digest ' || n, 'sent' FROM generate_series(1, 20000) n;
       INSERT INTO connector_interactions (custody_id, connector, contact, customer, interaction, opened_at, closed_at, channel, sids)
         SELECT gen_random_uuid(), 'brevo', n, 1 + n % 20000, '{}', now() - n * interval '1 minute', now() - (n - 1) * interval '1 minute',
           'voice', ARRAY['key ' || n] FROM generate_series(1, 100000) n;
       INSERT INTO connector_effects (connector, custody_id, trigger, customer, state, happened_at, due_at)
         SELECT 'brevo', custody_id, 'task.created', customer, 'sent', opened_at, opened_at FROM connector_interactions;
       ANALYZE connector_customers, connector_interactions, connector_effects;
       ANALYZE contacts, contact_keys, contact_events, segment_reasons`,
    );
    await plain.query(
      `INSERT INTO agent_events (id, type, at, at_from, event_sid, same_as, sids, data, source, shard)
       SELECT 'filled ' || n, 'com.twilio.taskrouter.task.created', now(), 'payload', 'filled EV' || n, 'same ' || n,
         ARRAY['WT' || md5('WT' || n), 'CA' || md5('CA' || n)], '{}', 'kinesis', 's1'
       FROM generate_series(1, ${rows}) n`,
    );
    await buildIndexes(plain);
    const queue = openQueue(plain, { jobs: allJobs, schema });
    await queue.counts();
    await queue.stop(0);
    await fillJobs(plain, schema, { waiting: 100_000, due: 1_000, done: 2_000 });
    await plain.query('VACUUM ANALYZE');
    const parts = await partsOf(plain, schema);
    const filled = ['copy', 'link', 'verify', 'describe'].map((name) => parts.get(name)?.split('.')[1] ?? '');
    large = new Set([
      'recordings',
      'agent_events',
      'contacts',
      'contact_keys',
      'contact_events',
      'segment_reasons',
      'connector_customers',
      'connector_interactions',
      'connector_effects',
      'audit',
      ...filled,
    ]);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    db = explainingDb(client);
    db.carryOut(false);
    await db.query("SELECT 1 FROM recordings WHERE source = 'nowhere'");
    wholeCost = db.explained[0]?.plans[0]?.['Total Cost'] ?? 0;
  }, 120_000);
  afterAll(async () => {
    await client?.end();
    await plain?.close();
    await database?.drop();
  });
  beforeEach(() => {
    db.explained.length = 0;
    db.carryOut(false);
  });

  /** What reads a large table whole, or costs as if it did. */
  const whole = (explained: readonly Explained[] = db.explained) =>
    explained.flatMap(({ during, sql, plans }) => {
      // The one exception: all hosts together count what waits, once in 15 seconds.
      if (sql === countStatement(schema)) return [];
      const scans = plans
        .flatMap(nodesOf)
        .filter((node) => node['Node Type'] === 'Seq Scan' && large.has(node['Relation Name'] ?? ''))
        .map((node) => node['Relation Name']);
      const cost = Math.max(...plans.map((plan) => plan['Total Cost']));
      if (scans.length === 0 && cost < wholeCost) return [];
      return [`${during}: ${scans[0] ?? `cost ${Math.round(cost)}`}: ${sql.replaceAll(/\s+/g, ' ').trim()}`];
    });

  test('a statement that reads all rows is seen, by its values or by any', async () => {
    db.during('by value');
    await db.query('SELECT 1 FROM recordings WHERE source = $1', ['x']);
    db.during('by any value');
    await db.query('SELECT 1 FROM recordings WHERE started_at < $1 AND state = $2', [new Date(0), 'failed']);
    db.during('by index');
    await db.query('SELECT 1 FROM recordings WHERE recording_sid = $1', [one]);
    expect(whole().map((line) => line.split(':')[0])).toEqual(['by value']);
    expect(db.explained.map(({ plans }) => plans.length)).toEqual([7, 7, 7]);
  });

  test('of the catalog', async () => {
    const catalog = createCatalog(db, account);
    expect(Object.keys(calls).sort()).toEqual(Object.keys(catalog).sort());
    for (const [name, call] of Object.entries(calls)) {
      db.during(name);
      const before = db.explained.length;
      await settled(call(catalog));
      if (name !== 'reclaim') expect([name, db.explained.length > before]).toEqual([name, true]);
    }
    db.during('removeTraces');
    await removeTraces(db, one, { tasks: [WT(1)], conferences: [CF(1)], calls: [CA(1)] });
    expect(whole()).toEqual([]);
  });

  test('of what is beside it', async () => {
    const live = createLiveCalls(db, account);
    expect(Object.keys(callsOfLive).sort()).toEqual(Object.keys(live).sort());
    for (const [name, call] of Object.entries(callsOfLive)) {
      db.during(`live calls: ${name}`);
      await settled(call(live));
    }
    db.during('uploads');
    const uploads = createUploads(db);
    await uploads.find(one);
    await uploads.save(one, 'lease', {});
    await uploads.remove(one);
    await uploads.removeSettled();
    db.during('alarms');
    const alarms = createAlarms(db);
    await alarms.raise('copy_failed', one, 'why');
    await alarms.list({ open: true });
    await alarms.list({ open: true, code: 'recording_short' });
    await alarms.list();
    await alarms.counts();
    await alarms.clear(1);
    await alarms.resolve(['copy_failed'], one);
    const webhooks = createWebhookEvents(db, account);
    await webhooks.switchOn();
    await webhooks.pending();
    const event = { alarm: 1, id: `${randomUUID()}-raised`, event: 'raised', at: '' } as const;
    await webhooks.handedOver([event]);
    await webhooks.alarmOf(event);
    await webhooks.switchOff();
    const news = createProvenNews(db, account);
    await news.switchOn();
    await news.pending();
    await news.handedOver([{ id: 'i', recordingSid: one, proof }]);
    await news.switchOff();
    db.during('certificates');
    const certificates = createCertificates(db);
    await certificates.keep({ id: randomUUID(), reason: 'erasure', recordings: 1, jws: 'j' }, [one]);
    await certificates.find(randomUUID());
    await certificates.list(100);
    db.during('audit');
    for (const allowed of [true, false])
      await createAudit(db).record({
        ...{
          viewer: operator,
          action: 'play',
          subject: { kind: 'recording', sid: one },
          allowed,
          reason: 'why',
        },
      });
    db.during('identities');
    const identities = createIdentities(db);
    const workerSid = sid('WK', 1) as WorkerSid;
    await identities.stated({ identity: 'i', roles: [], workerSid } as never);
    await identities.about(workerSid, 'i');
    db.during('custody');
    const facts = { accountSid: account, bucket: 'b', storageMode: 'envelope', recordingKeys: [] } as const;
    await settled(bindDatabase(db, facts));
    await differencesFrom(db, facts);
    await settled(adoptDatabase(db, facts, [], async () => undefined));
    await readCustody(db);
    db.during('secrets');
    const secrets = createSealedSecrets(db, async () => undefined);
    const stored = { name: 'crm', sealed: 's', keyId: 'k' };
    await secrets.all();
    await secrets.find('crm');
    await secrets.put(stored, 'cli');
    await secrets.reseal(stored, { ...stored, sealed: 't' });
    await secrets.remove('crm', 'cli');
    await readSealedSecrets(db);
    db.during('policies');
    const policies = createPolicies(db, account);
    await policies.inForce();
    await policies.history(10);
    await settled(policies.apply('version: 1\nkeep: {default: 3650}', 'operator', { over: null }));
    db.during('runs');
    const runs = createRuns(db);
    await settled(runs.run('retention', {}, async () => undefined));
    await runs.look('retention');
    await runs.all();
    db.during('pauses');
    const pauses = createPauses(db);
    const said = { conferenceSid: CF(1), taskSid: WT(1), at: new Date() };
    await pauses.paused(said, [one], undefined);
    await pauses.resumed(said, 'browser');
    await pauses.alsoPaused(CF(1), [one]);
    await pauses.open();
    await pauses.reporter(CF(1), WT(1));
    const pause = await pauses.find(CF(1));
    if (pause) await pauses.end(pause, 'timer');
    db.during('reports');
    const deps = { db, log: { info() {}, warn() {} }, secret: randomBytes(32), voiceConsent: 'required' };
    await settled(consentOf(deps as never, CF(1)));
    const report = { id: randomUUID(), kind: 'paused' };
    await settled(createPendingReports(deps as never).keep(report as never, 'token', 'request'));
    await settled(retryPending(deps as never));
    db.during('completeness');
    await contactsOpened(db, { openedAt: Date.now(), number: 0 }, Date.now(), 100);
    await reportedPauses(db, [WT(1)]);
    await reasonsOf(db, ['WR1' as ReservationSid]);
    await explainedSince(db, new Date());
    const segment = { reservationSid: 'WR1' as ReservationSid, openedAt: 0 };
    await settled(keepReason(db, segment, { reason: 'network', explainedBy: 'ada' }));
    await removeReason(db, segment.reservationSid);
    const day = { accountSid: account, day: '2026-11-28' };
    await statedDigest(db, day);
    await settled(claimVersion(db, day));
    await keepDigest(db, day, 1, 'digest');
    await haveRead(db, new Date());
    db.during('aged rows');
    const aged = createAgedRows(db, account, { mark: async () => undefined, setMark: async () => undefined });
    for (const remove of [aged.alarms, aged.runs, aged.reports, aged.pauses, aged.identities])
      await remove(90);
    await aged.retained();
    db.during('budgets of requests');
    const budget = { name: 'x', limit: 10, windowMs: 1_000 };
    await addBudget(db, 'x', undefined);
    await takeTurns(db, budget, { count: 1, leadMs: 0, clock: undefined });
    await correctBudget(db, budget, { limit: 5, left: { count: 1, forMs: 1_000 } }, undefined);
    await pauseBudget(db, 'x', 1_000, undefined);
    const turns = { now: 0, nextAt: 0, notBefore: 0, count: 1, intervalMs: 100, burst: 0 };
    await returnTurns(db, budget, turns, 1);
    db.during('health');
    await readHealth(db, account);
    await missingIndexes(db);
    expect(whole()).toEqual([]);
  });

  test("of agents' events", async () => {
    db.carryOut(true);
    db.during("agents' events: writing");
    const own = { db, accounts: [eventAccount] };
    const inbox = createInbox({ ...own, log: { warn() {} } });
    const unknown = cloudEvent({ n: 2, type: 'com.twilio.x' });
    const batch = [cloudEvent({ n: 1 }), cloudEvent({ n: 3, eventSid: undefined }), '{', unknown];
    expect(await inbox.take(batch, { source: 'webhook' })).toMatchObject({ stored: 2, setAside: 2 });
    await plain.query(
      `UPDATE events_set_aside SET type = $1, raw = replace(raw, 'com.twilio.x', $1) WHERE reason = 'unknown_type'`,
      [eventTypes[0]],
    );
    expect(await takeBackSetAside(own, new AbortController().signal)).toBe(1);
    db.during("agents' events: reading");
    expect((await createInboxReader(db).after('5', 1_000)).events).toHaveLength(1_000);
    await readEvents(db, ['one', 'two']);
    await inbox.missing(batch);
    await watchLag({ db, alarms: createAlarms(db) });
    await readEventStatus(db);
    db.during("agents' events: removing");
    const aged = createAgedRows(db, account, { mark: async () => undefined, setMark: async () => undefined });
    await aged.events(35);
    await aged.eventsSetAside(35);
    await aged.erasedSids();
    await removeEvents(db, account, one, { tasks: [WT(1)], conferences: [CF(1)], calls: [CA(1)] });
    await removeEvents(db, account, one, { tasks: [], conferences: [], calls: [] });
    // The rate of the last hour reads the events of an hour.
    const found = whole().filter(
      (line) =>
        !line.includes("interval '1 hour'") && !line.includes('GROUP BY source, shard ORDER BY minutes'),
    );
    expect(found).toEqual([]);
  });

  test('of sessions', async () => {
    db.carryOut(true);
    db.during('sessions: following');
    const groups = [{ contacts: [1, 2], keys: ['a'], events: ['e1'] }];
    await settled(contactsOfKeys(db, ['key 1', 'key 2']));
    await plain.transaction(async () => {
      await attachEvents(db, groups);
      await takeLeftEvents(db, 500);
      await eventsOfContacts(db, [1]);
      await closeContacts(db, [1]);
      await markOverfull(db, [2], 0);
      await takeApart(db, [4, 5], ['key 6']);
    });
    await generalAmong(db, ['conversation:1', 'conversation:2']);
    await looseReports(db);
    await dropLooseReports(db, ['s']);
    await writeContacts(db, []);
    await readContacts(db, [1, 2]);
    await settled(contactsNamed(db, ['key 1', 'key 2']));
    await unfinishedContacts(db, 0, 200);
    await unrecoveredContacts(db, { from: Date.now() - 600_000, to: Date.now() }, 50);
    await keepRecovered(db, [1]);
    await contactsClosed(db, { closedAt: new Date(Date.now() - 60_000), number: 1 }, new Date(), 100);
    await readReports(db, [1, 2]);
    const since = new Date(0);
    const report = { contact: 1, code: 'long_hold', since, subject: 's', resolved: false } as const;
    await keepReport(db, report);
    await keepResolved(db, report);
    await keepDecisions(db, { number: 1, shownAt: since });
    db.during('short calls');
    const place = { at: '-infinity', number: 0 };
    await shortContacts(db, place, new Date(), 100);
    await shortContacts(db, place, undefined, 100);
    await setLooks(db, [{ number: 1, kept: null, again: since }]);
    await unreadAmong(db, [WT(1), CA(1)]);
    await disputedCalls(db);
    await deletedSince(db, since);
    await usualOfDay(db, new Date());
    await noteShort(db, one, randomUUID());
    db.during('nodes');
    await beat(db, 'a');
    await readStatus([assignedNodes({ current: async () => undefined })], db);
    db.during('sessions: removing');
    await createAgedRows(db, account, {
      mark: async () => undefined,
      setMark: async () => undefined,
    }).sessions(400);
    await removeSessions(db, ['key 3']);
    expect(whole()).toEqual([]);
  });

  test('of connectors', async () => {
    db.carryOut(true);
    db.during('connectors: following');
    const connector = 'brevo';
    await switchOn(db, account);
    await noticedSince(db, account, connector);
    await takeChanges(db);
    await eventsOfConnectorContacts(db, [1, 2]);
    await interactionsOfContacts(db, connector, [1, 2]);
    const [kept, other] = await interactionsNamed(db, connector, ['key 1', 'key 2']);
    const ids = [kept, other].flatMap((row) => row?.custodyId ?? []);
    expect(ids).toHaveLength(2);
    await mergedInto(db, ids);
    await mergeInteractions(db, [{ custodyId: ids[0] ?? '', into: ids[1] ?? '' }]);
    await liveContacts(db, [1, 2]);
    await looseInteractions(db, ids);
    const interaction = { custodyId: randomUUID(), openedAt: 0, channel: 'voice' } as never;
    await writeInteractions(db, connector, [{ contact: 0, interaction, sids: ['s'], asksMessages: true }]);
    const identifiers = { phone: '+1' };
    await keepCustomers(db, connector, [{ digest: 'digest 1', identifiers, isChanged: true }], 60);
    await leaveCustomers(db, [1, 2]);
    const [effect] = await effectsOf(db, connector, ids);
    const wanted = {
      custodyId: ids[0] ?? '',
      trigger: 'task.completed',
      customer: 1,
      happenedAt: 0,
    } as const;
    const moved = { ...wanted, isHistory: false, isRevived: true, id: effect?.id ?? 0 };
    await writePlan(db, connector, { added: [moved], moved: [moved], dropped: [moved.id] }, 60);
    await totalsOf(db, [1, 2, 3]);
    await followAgentDays(db, connector);
    await agentDays(db, { from: '2026-11-01', to: '2026-11-30' });
    db.during('connectors: what operators ask');
    await connectorStatus(db, connector);
    await failedEffects(db, connector, { limit: 100, after: 5 });
    const preview = async () => {
      throw new Error('not asked');
    };
    for (const sid of [WT(1), WT(1_000_000)]) await settled(explainTask({ db, connector, preview }, sid));
    for (const { look } of keptChecks(db, connector, new Date(0))) await look(new AbortController().signal);
    db.during('connectors: messages');
    await takeDueMessages(db, connector, 10, 60_000);
    await noteMessages(db, [{ custodyId: ids[0] ?? '', messages: 1 }]);
    db.during('connectors: history');
    const period = { since: Date.now() - 600_000, until: Date.now(), channels: ['sms', 'other'] as const };
    await wantHistory(db, connector, period.since);
    await askForContacts(db, period, undefined);
    await countContacts(db, period);
    await writeCheckpoint(db, 'tasks', { connector }, { until: 0, open: [] });
    await readCheckpoint(db, 'tasks', { connector });
    db.during('connectors: removing');
    await eraseInteractions(db, ['key 7', 'key 8']);
    await claimForgetting(db, connector, 10, 60_000);
    await forgotten(db, 1);
    await removeInteractions(db, ids);
    const aged = createAgedRows(db, account, { mark: async () => undefined, setMark: async () => undefined });
    await aged.interactions(400);
    await aged.agentDays(400);
    await switchOff(db, account);
    expect(whole()).toEqual([]);
  });

  test('of the queue', async () => {
    // What a queue asks depends on what it got: here all is carried out, and the jobs are lost.
    db.carryOut(true);
    db.during('queue: start');
    const queue = openQueue(db, { jobs: allJobs, schema, pollMs: 600_000 });
    await queue.counts({ fresh: true });
    await deleteQueues(db, schema, ['former']);
    await removeDone(db, schema, ['janitor']);
    db.during('queue: send');
    await queue.send(ingestJobs.copy, { recordingSid: one });
    await queue.send(ingestJobs.copy, { recordingSid: one }, { once: 'k', startAfterMs: 60_000 });
    db.during('queue: waiting');
    await queue.waiting(ingestJobs.copy, [one]);
    await queue.sendAll(ingestJobs.copy, [{ data: { recordingSid: one }, since: new Date(0) }]);
    await queue.purge(alarmJobs.webhook);
    db.during('queue: work');
    let begun = 0;
    await queue.work({
      job: ingestJobs.copy,
      concurrency: 3,
      dead: async () => undefined,
      run: async () => {
        begun += 1;
        if (begun === 1) throw new CustodyError('media_missing', 'gone');
        if (begun === 2) throw new Error('again');
      },
    });
    await queue.work({
      job: ingestJobs.janitor,
      concurrency: 1,
      everySeconds: 900,
      run: async () => undefined,
    });
    await until(() => begun >= 6);
    await queue.stop(1_000);
    db.during('queue: job table');
    const table = jobTable(db, (await partsOf(db, schema)).get('link') ?? '', 'link');
    const taken = (await table.take(5)).map(({ id }) => id);
    await table.complete(taken.slice(0, 1));
    await table.complete(taken.slice(1));
    db.during('queue: forgetJobs');
    await forgetJobs(db, [one, WT(1), CF(1)], schema);
    db.during('queue: health');
    await queueHealth(db, schema);
    db.during('queue: maintenance');
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => ({ rows: await db.routine(text, values) }) },
      ...{ schema, supervise: false, schedule: false },
    });
    await boss.start();
    await boss.maintain();
    await boss.stop({ graceful: false, close: false });
    expect(whole()).toEqual([]);
  });
});
