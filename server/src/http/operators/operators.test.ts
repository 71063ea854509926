import {
  CustodyError,
  type LinkState,
  type RecordingSid,
  type ReservationSid,
  type SealedObject,
  type TaskSid,
} from '@flex-custody/core';
import fastify, { type FastifyInstance } from 'fastify';
import { createAudit } from '../../access/audit.ts';
import { recordSecretChange } from '../../access/secret-audit.ts';
import { type Alarms, createAlarms } from '../../alarms/alarms.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { type Certificates, createCertificates } from '../../catalog/certificates.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import { createConnectorApi } from '../../connectors/operating.ts';
import { migrate } from '../../db/migrate.ts';
import { openEmbedded, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { readEventStatus } from '../../events/event-status.ts';
import { createLog } from '../../log.ts';
import { createCompleteness } from '../../recorder/completeness/completeness.ts';
import type { DataSources } from '../../recorder/data-source/data-source.ts';
import { dayIn } from '../../recorder/data-source/employees.ts';
import { openDataSource } from '../../recorder/data-source/open.ts';
import { contactsOf } from '../../recorder/sessions/contacts-of.ts';
import { writeContacts } from '../../recorder/sessions/kept/contacts-table.ts';
import { inbound } from '../../recorder/sessions/testing/stories.ts';
import { callerDigests } from '../../retention/caller.ts';
import { createPolicies } from '../../retention/policies.ts';
import { checkedWork } from '../../runs/options.ts';
import { createRuns } from '../../runs/runs.ts';
import { createSealedSecrets } from '../../secrets/sealed-secrets.ts';
import { createSecretKeys } from '../../secrets/secret-keys.ts';
import { createSecrets } from '../../secrets/secrets.ts';
import { buildOps } from '../ops.ts';
import { readHealth } from './health.ts';
import { createOperatorApi, type OperatorApi } from './operator-api.ts';
import { readRecorderStatus } from './recorder-status.ts';
import { remoteOperatorApi } from './remote.ts';
import { operatorSecret } from './routes.ts';

const RE = (n: number) => `RE${String(n).padStart(32, '0')}` as RecordingSid;
const secret = operatorSecret(new Uint8Array(32).fill(1));
const fail = (message: string): never => {
  throw new Error(message);
};
const object = { key: 'k', etag: 'e', mode: 'envelope', keyId: 'k1' } as SealedObject;
let database: TestDatabase;
let catalog: Catalog;
let alarms: Alarms;
let certificates: Certificates;
const accountSid = `AC${'0b'.repeat(16)}` as never;
const secretKeys = createSecretKeys({ accountSid, secretsKeys: [new Uint8Array(32).fill(3)] });
let dataSource: DataSources;
let local: OperatorApi;
let sent: string[];
let app: FastifyInstance;
let url: string;

const connector = () =>
  createConnectorApi({
    ...{ db: database.db, audit: createAudit(database.db), connector: 'brevo' },
    preview: () => async () => {
      throw new Error('there is no interaction');
    },
  });
beforeAll(async () => {
  database = await openEmbedded();
  await migrate(database.db);
  catalog = createCatalog(database.db, accountSid);
  alarms = createAlarms(database.db);
  certificates = createCertificates(database.db);
  const sealedSecrets = createSealedSecrets(database.db, recordSecretChange);
  dataSource = openDataSource(
    { accountSid },
    {
      ...{
        db: database.db,
        alarms,
        audit: createAudit(database.db),
        secrets: createSecrets({ sealed: sealedSecrets, keys: secretKeys }),
      },
      taskRouter: () => {
        throw new Error('not asked');
      },
    },
  );
  local = createOperatorApi({
    catalog,
    certificates,
    alarms,
    policies: createPolicies(database.db, accountSid),
    callerDigest: callerDigests(Buffer.alloc(32, 9).toString('base64')),
    queue: { send: async ({ name }) => void sent.push(name) },
    keys: { keyId: 'newest', keyIds: ['newest'] },
    secretKeys,
    sealedSecrets,
    signing: { keyId: 'signs', keyIds: ['signs'], lists: (keyId) => keyId === 'signs' },
    runs: createRuns(database.db),
    dataSource,
    health: () => readHealth(database.db, accountSid),
    events: () => readEventStatus(database.db),
    recorderStatus: () => readRecorderStatus(database.db, { current: async () => undefined }),
    completeness: createCompleteness({
      ...{ accountSid, db: database.db, catalog, dataSource },
      queue: { send: async ({ name }) => void sent.push(name) },
    }),
    connector: connector(),
    works: {
      erase: checkedWork('erase', () => Promise.reject(new Error('it began'))),
      'count-up': async ({ options, save }) => {
        await save({}, { done: Number(options['to']) }, 5);
        if (options['fail']) throw new CustodyError('store_denied', 'no');
      },
    },
  });
  const metrics = { contentType: 'text/plain', read: async () => '' };
  app = buildOps({ log: createLog('silent'), metrics, checks: {}, operators: { api: local, secret } });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  await database.drop();
});
beforeEach(async () => {
  await database.db.query('TRUNCATE recordings, alarms CASCADE');
  sent = [];
  for (const n of [1, 2, 3]) {
    await catalog.register({
      recordingSid: RE(n),
      accountSid,
      channels: 2,
      startedAt: new Date(Date.UTC(2026, 0, n)),
      hints: {},
      source: 'callback',
    });
  }
});

/** Both ways to the same catalog, which must not differ. */
describe.each([
  ['at the database', () => local],
  ['by way of the host', () => remoteOperatorApi(url, secret)],
])('%s', (_way, api) => {
  test('lists with filters, and shows one, times as times', async () => {
    await catalog.giveUp(RE(2), 'media_missing');
    const sids = async (...args: Parameters<OperatorApi['list']>) =>
      (await api().list(...args)).map(({ recordingSid }) => recordingSid);
    expect(await sids({ limit: 2 })).toEqual([RE(3), RE(2)]);
    expect(await sids({ limit: 50, after: RE(2) })).toEqual([RE(1)]);
    expect(await sids({ limit: 50, state: 'failed', linkState: 'pending' })).toEqual([RE(2)]);
    expect(await api().show(RE(2))).toEqual(await catalog.find(RE(2)));
  });

  test.each<[string, object]>([
    ['no reservation', { reservationSid: 'WR1' }],
    ['an unknown reason', { reason: 'constructor' }],
    ['a comment of two lines', { comment: 'one\ntwo' }],
    ['a long comment', { comment: 'x'.repeat(501) }],
    ['no person', { explainedBy: undefined }],
  ])('a reason with %s is refused by the host', async (_what, wrong) => {
    const whole = { reservationSid: `WR${'9'.repeat(32)}`, reason: 'network', explainedBy: 'ada' };
    const explained = remoteOperatorApi(url, secret).explainSegment({ ...whole, ...wrong } as never);
    await expect(explained).rejects.toMatchObject({ code: 'request_invalid', status: 400 });
  });

  test('secrets come and leave sealed, and each change is in the audit log', async () => {
    const sealed = await secretKeys.seal('crm/token', 'hush');
    await api().setSecret(sealed);
    expect(await api().secrets()).toEqual([
      { ...sealed, version: expect.any(Number), setAt: expect.any(Date), by: 'cli' },
    ]);
    expect((await api().keys()).keys).toContainEqual(
      expect.objectContaining({ keyId: secretKeys.keyId, atHand: true, secrets: 1 }),
    );
    expect((await api().keys()).sealsSecrets).toBe(secretKeys.keyId);
    expect(await api().removeSecret('crm/token')).toEqual({ removed: true });
    expect(await api().removeSecret('crm/token')).toEqual({ removed: false });
    const rows = await database.db.query<{ action: string }>(
      `SELECT viewer, action, subject_kind, recording_sid, allowed FROM audit ORDER BY id DESC LIMIT 2`,
    );
    const of = { viewer: 'operator', subject_kind: 'secret', recording_sid: 'crm/token', allowed: true };
    expect(rows).toEqual([
      { ...of, action: 'secret.removed' },
      { ...of, action: 'secret.set' },
    ]);
  });

  test('a secret that the host could not open, or would refuse, is not stored', async () => {
    const other = createSecretKeys({ accountSid, secretsKeys: [new Uint8Array(32)] });
    const refused = async (sealed: Parameters<OperatorApi['setSecret']>[0]) =>
      api()
        .setSecret(sealed)
        .catch(({ code }) => code);
    expect(await refused(await other.seal('crm', 'hush'))).toBe('secret_invalid');
    expect(await refused({ ...(await secretKeys.seal('a', 'hush')), name: 'b' })).toBe('secret_invalid');
    expect(await refused(await secretKeys.seal('TWILIO_AUTH_TOKEN', 'hush'))).toBe('secret_invalid');
    expect(await refused(await secretKeys.seal('PORT', '1'))).toBe('secret_invalid');
    expect(await api().secrets()).toEqual([]);
  });

  test('what failed starts over, from its object where it has one', async () => {
    await catalog.giveUp(RE(1), 'media_missing');
    expect(await api().retry(RE(1))).toMatchObject({ begun: ['copy', 'link'], state: 'registered' });
    const lease = (await catalog.lease(RE(2), 'test', 60_000))?.secret ?? '';
    await catalog.sealed(RE(2), lease, object, 2);
    await catalog.giveUp(RE(2), 'store_unavailable');
    expect(await api().retry(RE(2))).toMatchObject({ begun: ['verify', 'link'], state: 'sealed' });
    expect(sent).toEqual(['copy', 'link', 'verify', 'link']);
    expect((await catalog.find(RE(2)))?.object).toMatchObject(object);
  });

  test('dead letters of one reason start over together, or all', async () => {
    await catalog.giveUp(RE(1), 'media_missing');
    await catalog.giveUp(RE(2), 'media_short');
    await catalog.giveUp(RE(3), 'media_short');
    const failed = async (failure?: string) =>
      (await api().list({ limit: 50, state: 'failed', ...(failure && { failure }) })).length;
    expect([await failed(), await failed('media_short')]).toEqual([3, 2]);
    expect(await api().retryAll({ reason: 'media_short' })).toEqual({ retried: 2 });
    expect(await failed()).toBe(1);
    expect(await api().retryAll()).toEqual({ retried: 1 });
    expect(await failed()).toBe(0);
  });

  test('the connector: its state, dead letters, agents, and why a task is not sent', async () => {
    await database.db.query(
      `DELETE FROM connector_effects; DELETE FROM connector_interactions; DELETE FROM connector_agent_days;
       INSERT INTO connector_agent_days VALUES ('2026-11-28', 'WK1', 'handled', 2);
       INSERT INTO connector_interactions (custody_id, connector, interaction, opened_at, channel)
       VALUES ('01234567-89ab-4cde-8f01-23456789abcd', 'brevo', '{}', now(), 'voice');
       INSERT INTO connector_effects (connector, custody_id, trigger, state, happened_at, due_at)
       VALUES ('brevo', '01234567-89ab-4cde-8f01-23456789abcd', 'task.created', 'failed', now(), now())`,
    );
    expect(await api().connectorStatus()).toMatchObject({ connected: false, failed: 1, lastSync: null });
    const [one] = await api().failedEffects({ limit: 10 });
    expect(one).toMatchObject({ trigger: 'task.created', happenedAt: expect.any(Date) });
    expect(await api().failedEffects({ limit: 10, after: one?.id ?? 0 })).toEqual([]);
    expect(await api().retryEffects([(one?.id ?? 0) + 1])).toEqual({ retried: 0 });
    expect(await api().retryEffects([one?.id ?? 0])).toEqual({ retried: 1 });
    expect(await api().retryEffects('all')).toEqual({ retried: 0 });
    expect(await api().agentDays({ from: '2026-11-28', to: '2026-11-28' })).toHaveLength(1);
    const task = `WT${'7'.repeat(32)}` as TaskSid;
    expect((await api().explainTask({ task, values: false })).why).toContain('its events have not come');
  });

  test('what is no request about the connector is refused by the host', async () => {
    const far = remoteOperatorApi(url, secret);
    const refused = { status: 400 };
    await expect(far.retryEffects([])).rejects.toMatchObject(refused);
    await expect(far.retryEffects([0.5])).rejects.toMatchObject(refused);
    await expect(far.explainTask({ task: 'WT1' as TaskSid, values: false })).rejects.toMatchObject(refused);
    await expect(far.agentDays({ from: 'today', to: '2026-11-28' })).rejects.toMatchObject(refused);
    await expect(far.failedEffects({ limit: 1_001 })).rejects.toMatchObject(refused);
  });

  test('the settings of the data source are read and changed', async () => {
    await database.db.query('TRUNCATE data_source_versions');
    const settings = { longCallMinutes: 60 };
    expect(await api().dataSource()).toMatchObject({ version: 0, settings: { longCallMinutes: 120 } });
    const change = { settings, over: 0, by: 'ada' };
    expect(await api().changeDataSource({ ...change, dryRun: true })).toMatchObject({ isSaved: false });
    const bad = { ...change, settings: { longCallMinutes: 0 } };
    expect((await api().changeDataSource(bad)).faults).toEqual([expect.stringContaining('from 1 to 1440')]);
    expect(await api().changeDataSource({ ...change, comment: 'why' })).toMatchObject({
      ...{ version: 1, isSaved: true, changed: ['longCallMinutes'] },
    });
    await expect(api().changeDataSource(change)).rejects.toMatchObject({
      ...{ code: 'data_source_changed', status: 412 },
      message: expect.stringContaining('read it again'),
    });
    expect(await api().dataSourceHistory()).toMatchObject([{ version: 1, by: 'ada', comment: 'why' }]);
  });

  test('however soon they are dead again, each starts over once', async () => {
    const all = Array.from({ length: 250 }, (_, n) => RE(100 + n));
    const listed = all.map((recordingSid) => ({ recordingSid, state: 'failed' }) as RecordingRow);
    const pages: unknown[] = [];
    const retried: RecordingSid[] = [];
    const ofMany = createOperatorApi({
      catalog: {
        // Replayed, and dead again before the next look: every page is as full as ever.
        list: async ({ limit, after }) => {
          pages.push(after);
          const from = after ? all.indexOf(after) + 1 : 0;
          return listed.slice(from, from + limit);
        },
        find: async (sid) => listed.find(({ recordingSid }) => recordingSid === sid),
        replayed: async (sid) => {
          retried.push(sid);
          return 'registered';
        },
      } as Pick<Catalog, 'list' | 'find' | 'replayed'> as Catalog,
      ...{ certificates, alarms, secretKeys, connector: connector() },
      sealedSecrets: createSealedSecrets(database.db, recordSecretChange),
      policies: createPolicies(database.db, accountSid),
      queue: { send: async () => undefined },
      runs: createRuns(database.db),
      dataSource,
      health: () => readHealth(database.db, accountSid),
      events: () => readEventStatus(database.db),
      recorderStatus: () => readRecorderStatus(database.db, { current: async () => undefined }),
      completeness: {} as never,
      works: {},
    });
    const first = await ofMany.retryAll();
    expect(await ofMany.retryAll(first.next ? { after: first.next } : {})).toEqual({ retried: 50 });
    expect(retried).toEqual(all);
    expect(pages).toEqual([undefined, all[199]]);
  });

  test.each(['unlinked', 'refused'] as const)('one that is %s is linked again', async (state) => {
    await catalog.absent(RE(1), '16101');
    await catalog[state](RE(1), 'because');
    const linkState: LinkState = 'pending';
    expect(await api().retry(RE(1))).toEqual({ begun: ['link'], state: 'absent', linkState });
    expect(await catalog.find(RE(1))).toMatchObject({ linkState });
  });

  test('of one that is done nothing is retried', async () => {
    await catalog.absent(RE(1), '16101');
    await catalog.linked(RE(1), { taskSid: `WT${'0c'.repeat(16)}` as TaskSid });
    expect(await api().retry(RE(1))).toEqual({ begun: [], state: 'absent', linkState: 'linked' });
    expect(sent).toEqual([]);
  });

  test('long work is begun and looked at; what nobody knows is said so', async () => {
    await api().begin('count-up', { to: 3 });
    const ended = async () => {
      for (;;) {
        const view = await api().look('count-up');
        if (!view.running) return view;
      }
    };
    expect(await ended()).toMatchObject({ counts: { done: 3 }, total: 5, finishedAt: expect.any(Date) });
    await api().begin('count-up', { to: 4, fail: true });
    expect(await ended()).toMatchObject({ counts: { done: 4 }, failure: 'store_denied: no' });
    await api().begin('count-up', { to: 4, fail: true });
    expect((await ended()).resumedFrom).toEqual({ startedAt: expect.any(Date), stoppedAt: expect.any(Date) });
    await api().begin('count-up', { to: 4, fail: true }, { anew: true });
    expect(await ended()).not.toHaveProperty('resumedFrom');
    for (const name of ['dance', 'constructor', 'tostring'])
      await expect(api().begin(name, {})).rejects.toMatchObject({ code: 'run_unknown', status: 404 });
    await expect(api().begin('erase', { dryRun: 'yes' })).rejects.toMatchObject({
      code: 'request_invalid',
      status: 400,
    });
    await expect(api().look('dance')).rejects.toMatchObject({ code: 'run_unknown' });
  });

  test('the status of the recorder, table by table', async () => {
    await database.db.query(
      `INSERT INTO shard_leases (stream, shard, parents, first_sequence, owner, expires_at, per_second)
       VALUES ('r/s', 'shardId-1', '{}', '1', 'a', now() + interval '1 hour', 2)`,
    );
    const [labels, assigned, shards, ...more] = await api().recorderStatus();
    expect([labels, assigned].map((one) => [one?.name, one?.rows])).toEqual([
      ['labels', []],
      ['assignedNodes', []],
    ]);
    expect(shards).toMatchObject({
      name: 'shards',
      columns: { owner: 'READ BY' },
      rows: [{ shard: 'shardId-1', owner: 'a', perSecond: 2, behindMs: null }],
    });
    expect(more.slice(0, 3).map(({ name, rows }) => [name, rows])).toEqual([
      ['nodes', []],
      ['sessions', []],
      ['newestSessions', []],
    ]);
    const headers = more.flatMap(({ columns }) => Object.values(columns));
    expect(headers).toContain('ON HOLD SINCE');
    expect(headers.filter((header) => typeof header !== 'string')).toEqual([]);
    await database.db.query('TRUNCATE shard_leases');
  });

  test('the ledger of a day, in the time zone of the data source', async () => {
    await database.db.query('TRUNCATE data_source_versions, contacts, contact_keys');
    const settings = { timeZone: 'Europe/Madrid' };
    await api().changeDataSource({ settings, over: 0, by: 'ada', dryRun: false });
    const { story } = inbound(77);
    const contacts = contactsOf(story.events).map((contact, number) => ({ number: number + 1, contact }));
    await writeContacts(database.db, contacts);
    await database.db.query('INSERT INTO contact_keys SELECT key, 1 FROM unnest($1::text[]) key', [
      contacts[0]?.contact.keys,
    ]);
    const day = dayIn('Europe/Madrid', new Date(contacts[0]?.contact.openedAt ?? 0));
    const ledger = await api().completeness(day);
    expect(ledger).toMatchObject({ account: accountSid, day, timeZone: 'Europe/Madrid', contacts: 1 });
    expect(ledger.unexplained).toEqual([expect.objectContaining({ startedAt: expect.any(Date) })]);
    expect(await api().completeness('2001-01-01')).toMatchObject({ contacts: 0, unexplained: [] });
    const reservationSid = ledger.unexplained[0]?.reservationSid ?? fail('the segment has no reservation');
    const said = {
      reservationSid,
      reason: 'test-call',
      comment: 'ünïcode',
      explainedBy: 'ada on x',
    } as const;
    const explained = { ...said, explainedAt: expect.any(Date) };
    expect(await api().explainSegment(said)).toEqual(explained);
    expect(sent).toEqual(['completeness']);
    expect(await api().completeness(day)).toMatchObject({
      unexplained: [],
      explained: [{ ...ledger.unexplained[0], ...explained, outcome: 'explained' }],
    });
    const by = 'ada on x';
    expect(await api().withdrawReason({ reservationSid, by })).toEqual({ withdrawn: true });
    const refused = (work: Promise<unknown>) => work.catch(({ code, status }) => [code, status]);
    expect(await refused(api().withdrawReason({ reservationSid, by }))).toEqual(['reason_unknown', 404]);
    const unknown = { ...said, reservationSid: `WR${'9'.repeat(32)}` as ReservationSid };
    expect(await refused(api().explainSegment(unknown))).toEqual(['segment_unknown', 404]);
    await database.db.query('TRUNCATE data_source_versions, contacts, contact_keys');
  });

  test('certificates, newest first, and one by its id', async () => {
    const id = '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11';
    await expect(api().certificate(id)).rejects.toMatchObject({ code: 'certificate_unknown', status: 404 });
    await certificates.keep({ id, reason: 'erasure', recordings: 2, jws: 'a.b.c' });
    const kept = { id, at: expect.any(Date), reason: 'erasure', recordings: 2, jws: 'a.b.c' };
    expect(await api().certificates()).toEqual([kept]);
    expect(await api().certificate(id)).toEqual(kept);
    await database.db.query('TRUNCATE certificates');
  });

  test('a policy is compared with the one in force and the catalog, page by page, and applied', async () => {
    await database.db.query('TRUNCATE policies');
    expect(await api().policy()).toEqual({});
    expect(await api().policies()).toEqual([]);
    const held = `version: 1\nholds: [{id: a, recordings: [${RE(1)}], callers: ["+4930123456"]}]`;
    const first = await api().comparePolicy(held);
    expect(first).toMatchObject({ over: null, isInForce: false, difference: { weaker: [] } });
    // The caller of none is known.
    expect(first.effect).toMatchObject({ looked: 3, held: { count: 3, first: [RE(1), RE(2), RE(3)] } });
    expect(first.next).toBeUndefined();
    expect((await api().comparePolicy(held, RE(2))).effect).toMatchObject({ looked: 1, held: { count: 1 } });
    const by = 'operator';
    expect(await api().applyPolicy({ text: held, by, over: null, weaker: false })).toMatchObject({
      appliedBy: by,
      appliedAt: expect.any(Date),
      says: { otherwise: 'forever', rules: 0, holds: 1, namesCallers: true },
    });
    const { applied } = await api().policy();
    expect(applied).toMatchObject({ body: held, appliedAt: expect.any(Date) });
    const over = applied?.id ?? null;
    const none = 'version: 1';
    expect(await api().comparePolicy(none)).toMatchObject({
      over,
      difference: { weaker: ['hold a is gone'] },
      effect: { released: { count: 3 } },
    });
    const asked = (more: object) => api().applyPolicy({ text: none, by, over, weaker: true, ...more });
    await expect(asked({ weaker: false })).rejects.toMatchObject({ code: 'policy_weaker' });
    await expect(asked({ over: null })).rejects.toMatchObject({ code: 'policy_changed' });
    await expect(api().comparePolicy('version: 2')).rejects.toMatchObject({ code: 'policy_invalid' });
    await asked({});
    expect(await api().policies()).toMatchObject([{ says: { holds: 0 } }, { says: { holds: 1 } }]);
    expect((await api().health()).work?.policy).toMatchObject({ appliedBy: by, says: { holds: 0 } });
  });

  test('which key has sealed what, and which are at hand', async () => {
    const lease = (await catalog.lease(RE(2), 'test', 60_000))?.secret ?? '';
    await catalog.sealed(RE(2), lease, object, 2);
    await catalog.verified(RE(2), object, 'a'.repeat(64));
    const sidecar = { key: 'k', etag: 'e', keyId: object.keyId, signedBy: 'lost' };
    await catalog.described(RE(2), undefined, sidecar);
    expect(await api().keys()).toEqual({
      seals: 'newest',
      sealsSecrets: secretKeys.keyId,
      keys: [
        { keyId: object.keyId, atHand: false, recordings: 1, sidecars: 1, secrets: 0 },
        { keyId: 'newest', atHand: true, recordings: 0, sidecars: 0, secrets: 0 },
        { keyId: secretKeys.keyId, atHand: true, recordings: 0, sidecars: 0, secrets: 0 },
      ],
      signers: [
        { keyId: 'lost', signs: false, atHand: false, sidecars: 1 },
        { keyId: 'signs', signs: true, atHand: true, sidecars: 0 },
      ],
    });
  });

  test('revoking raises the generation', async () => {
    expect(await api().revokeLink(RE(1))).toEqual({ generation: 1 });
    expect((await catalog.find(RE(1)))?.segmentGeneration).toBe(1);
  });

  test('alarms that stand are listed until they are cleared', async () => {
    await alarms.raise('link_refused', RE(1), 'identity');
    const [alarm] = await api().alarms();
    expect(alarm).toMatchObject({ code: 'link_refused', recordingSid: RE(1), lastAt: expect.any(Date) });
    await api().clearAlarm(alarm?.id ?? 0);
    expect(await api().alarms()).toEqual([]);
    await expect(api().clearAlarm(alarm?.id ?? 0)).rejects.toMatchObject({ code: 'alarm_unknown' });
  });

  test('lists come in pages, and say how many more there are', async () => {
    expect(await api().listBehind({ after: RE(3) })).toEqual({ n: 2, isAll: true });
    expect(await api().listBehind({ after: RE(3), state: 'failed' })).toEqual({ n: 0, isAll: true });
    for (const n of [1, 2, 3]) await alarms.raise('link_refused', RE(n), 'identity');
    const [first, ...others] = await api().alarms();
    const after = first?.id ?? 0;
    expect(await api().alarms({ limit: 1 })).toEqual([first]);
    expect(await api().alarms({ limit: 5, after })).toEqual(others);
    expect(await api().alarmsBehind(after)).toEqual({ n: 2, isAll: true });
    const id = (n: number) => `0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d1${n}`;
    for (const n of [1, 2, 3])
      await certificates.keep({ id: id(n), reason: 'erasure', recordings: n, jws: 'a.b.c' });
    const [newest, ...older] = await api().certificates();
    expect(await api().certificates({ limit: 1 })).toEqual([newest]);
    expect(await api().certificates({ limit: 2, after: newest?.id ?? '' })).toEqual(older);
    expect(await api().certificatesBehind(newest?.id ?? '')).toEqual({ n: 2, isAll: true });
    await database.db.query('TRUNCATE certificates, alarms');
    for (const asked of [
      api().alarms({ limit: 5, after }),
      api().alarmsBehind(after),
      api().certificates({ limit: 5, after: id(1) }),
      api().certificatesBehind(id(1)),
    ])
      await expect(asked).rejects.toMatchObject({
        code: 'page_unknown',
        message: expect.stringContaining('list from the beginning'),
      });
  });

  test('what is not in the catalog is said so', async () => {
    for (const work of ['show', 'retry', 'revokeLink'] as const) {
      const refused = api()[work](RE(9));
      await expect(refused).rejects.toMatchObject({ code: 'recording_unknown', status: 404 });
      await expect(refused).rejects.toThrow(`${RE(9)} is not in the catalog`);
    }
  });
});

/** The routes of the release before lists had pages: it answers its whole list, whatever the query asks for. */
describe('a host of an earlier release', () => {
  let earlier: FastifyInstance;
  let api: OperatorApi;
  beforeAll(async () => {
    earlier = fastify();
    earlier.get('/alarms', async () => [9, 8, 7].map((id) => ({ id })));
    const idSchema = { params: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } } };
    earlier.get('/certificates', async () => ['c', 'b'].map((id) => ({ id, at: '2026-01-01T00:00:00Z' })));
    earlier.get('/certificates/:id', { schema: idSchema }, async () => ({}));
    api = remoteOperatorApi(await earlier.listen({ host: '127.0.0.1', port: 0 }), secret);
  });
  afterAll(() => earlier.close());

  test('still answers, and its list is cut into pages here', async () => {
    const ids = (rows: readonly { id: unknown }[]) => rows.map(({ id }) => id);
    expect(ids(await api.alarms())).toEqual([9, 8, 7]);
    expect(ids(await api.alarms({ limit: 2 }))).toEqual([9, 8]);
    expect(ids(await api.alarms({ limit: 2, after: 8 }))).toEqual([7]);
    expect(ids(await api.certificates({ limit: 1, after: 'c' }))).toEqual(['b']);
  });

  test('does not say how many more there are', async () => {
    expect(await api.alarmsBehind(8)).toBeUndefined();
    expect(await api.certificatesBehind('c')).toBeUndefined();
    expect(await api.listBehind({ after: RE(1) })).toBeUndefined();
  });
});

describe('on the listener', () => {
  test.each([
    ['GET', '/recordings'],
    ['GET', `/recordings/${RE(1)}`],
    ['POST', `/recordings/${RE(1)}/retry`],
    ['POST', '/recordings/retry'],
    ['POST', `/recordings/${RE(1)}/revoke-link`],
    ['POST', '/runs/count-up'],
    ['GET', '/runs/count-up'],
    ['GET', '/keys'],
    ['GET', '/policy'],
    ['GET', '/policies'],
    ['POST', '/policy/compare'],
    ['POST', '/policy/apply'],
    ['GET', '/certificates'],
    ['GET', '/certificates/0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11'],
    ['GET', '/alarms'],
    ['GET', '/alarms/behind?after=1'],
    ['GET', '/certificates/behind?after=0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11'],
    ['GET', `/recordings/behind?after=${RE(1)}`],
    ['POST', '/alarms/1/clear'],
  ])("%s %s is for whoever signs with the host's secret alone", async (method, path) => {
    const reply = await fetch(url + path, { method });
    expect([reply.status, await reply.json()]).toEqual([401, { error: 'signature_invalid' }]);
  });

  test('another secret is told apart from a host that is away', async () => {
    const other = remoteOperatorApi(url, operatorSecret(new Uint8Array(32)));
    await expect(other.alarms()).rejects.toMatchObject({ code: 'host_refused' });
    await expect(other.alarms()).rejects.toThrow('another CUSTODY_MEDIA_SECRET');
    const nobody = remoteOperatorApi('http://127.0.0.1:1', secret);
    await expect(nobody.alarms()).rejects.toMatchObject({ code: 'host_unreachable' });
  });

  test('what it does not know is no filter', async () => {
    const api = remoteOperatorApi(url, secret);
    await expect(api.list({ limit: 5_000 })).rejects.toMatchObject({ status: 400 });
    await expect(api.list({ limit: 5, state: 'lost' as never })).rejects.toMatchObject({
      code: 'request_invalid',
    });
    await expect(api.show('RE12' as never)).rejects.toMatchObject({ code: 'request_invalid' });
  });

  test('a policy of many thousand recordings fits through, and what is no policy is refused', async () => {
    await database.db.query('TRUNCATE policies');
    const many = Array.from({ length: 40_000 }, (_, n) => RE(n + 1));
    const text = `version: 1\nholds: [{id: many, recordings: [${many.join(', ')}]}]`;
    expect((await remoteOperatorApi(url, secret).comparePolicy(text)).effect.held.count).toBe(3);
    const wrong = { text: 1, by: 'x', over: null, weaker: false } as never;
    await expect(remoteOperatorApi(url, secret).applyPolicy(wrong)).rejects.toMatchObject({
      code: 'request_invalid',
    });
  });

  test('health and metrics need no signature', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});
