import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AccountSid,
  type AlarmWebhook,
  type CopyProof,
  type ProvenWebhook,
  parseAlarmWebhook,
  parseProvenWebhook,
  type RecordingSid,
  type SealedObject,
  type TaskSid,
} from '@flex-custody/core';
import { until } from '../../../../test/support/until.ts';
import { createAlarms } from '../../alarms/alarms.ts';
import { alarmJobs } from '../../alarms/jobs.ts';
import { createProvenNews, type ProvenNews } from '../../alarms/proven-news.ts';
import { createWebhookEvents, type WebhookEvent } from '../../alarms/webhook-events.ts';
import { handOver } from '../../alarms/webhook-jobs.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Config } from '../../config.ts';
import type { Db } from '../../db/db.ts';
import { buildIndexes } from '../../db/indexes.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { openQueue } from '../../queue/boss-queue.ts';
import type { DeadJob, Job } from '../../queue/job.ts';
import type { Queue } from '../../queue/queue.ts';
import { runJobs } from '../run-jobs.ts';
import { alarmsRoom } from './alarms.ts';

const account = `AC${'1'.repeat(32)}` as AccountSid;
const RE = (n: number) => `RE${String(n).padStart(32, '0')}` as RecordingSid;
jest.setTimeout(120_000);

onEachEngine('alarms by webhook', (open) => {
  let database: TestDatabase;
  let server: http.Server;
  let url: string;
  let queue: Queue;
  let received: AlarmWebhook[];
  let proven: ProvenWebhook[];
  let dead: (DeadJob & { name: string })[];
  let inFlight: { now: number; most: number };
  /** What the receiver answers from now on, one after another; 204 where nothing is left. */
  let answers: number[];
  /** Resolves when the receiver may answer. */
  let gate: Promise<void>;

  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    await buildIndexes(database.db);
    server = http.createServer(async (request, response) => {
      inFlight.now += 1;
      inFlight.most = Math.max(inFlight.most, inFlight.now);
      let body = '';
      for await (const piece of request.setEncoding('utf8')) body += piece;
      const sent: { event?: string } = JSON.parse(body);
      if (sent.event === 'recording.proven') proven.push(parseProvenWebhook(sent));
      else received.push(parseAlarmWebhook(sent));
      const status = answers.shift() ?? 204;
      await gate;
      inFlight.now -= 1;
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await database.drop();
  });
  beforeEach(async () => {
    [received, proven, answers, dead, inFlight] = [[], [], [], [], { now: 0, most: 0 }];
    gate = Promise.resolve();
    await database.db.query('TRUNCATE alarms, marks, recordings, proven_news RESTART IDENTITY CASCADE');
    await start();
  });
  afterEach(() => stop());

  /** A host with the role worker. */
  async function start({ webhook = true, limit = 3, news = false } = {}) {
    queue = openQueue(database.db, {
      jobs: Object.values<Job>(alarmJobs),
      ...{ schema: `${database.schema}_jobs`, pollMs: 20, retries: { limit, delaySeconds: 1 } },
      onError: (error) => console.error(error),
    });
    const kinds = news ? ['recording.proven'] : [];
    const alarmWebhook = { url, secrets: ['s'.repeat(32)], allowPrivate: true, news: kinds };
    const config = { accountSid: account, ...(webhook && { alarmWebhook }) } as unknown as Config;
    const { jobs = [], ...room } = alarmsRoom({ alarms: alarms(), config, db: database.db, queue }, 3_600);
    const noted = jobs.map((running) => ({
      ...running,
      async dead(one: DeadJob) {
        dead.push({ name: running.job.name, ...one });
        await running.dead?.(one);
      },
    }));
    await runJobs([{ ...room, jobs: noted }], { queue, alarms: alarms(), log: { error: () => undefined } });
    // The look at the start is over: every further one is the test's own.
    await until(async () => (await waiting()).length === 0);
  }
  const stop = () => queue.stop(5_000);
  const alarms = () => createAlarms(database.db);
  const events = () => createWebhookEvents(database.db, account);
  const news = () => createProvenNews(database.db, account);
  const openAlarms = async () => (await alarms().list({ open: true })).map(({ code }) => code).sort();
  const waiting = async () =>
    (await queue.counts({ fresh: true })).filter(
      ({ name, state }) => name.startsWith('webhook') && state !== 'completed' && state !== 'failed',
    );
  /** What the clock does each 10 seconds. */
  const sweep = async () => {
    await queue.send(alarmJobs.webhooks, {});
    await until(async () => (await events().pending()).length === 0);
  };
  const receives = async (n: number) => {
    await sweep();
    await until(() => received.length >= n && inFlight.now === 0);
    return received.splice(0);
  };
  /** Whatever was to be sent has been: an alarm that is raised last is received last. */
  const nothingElse = async () => {
    await alarms().raise('trim_failed', undefined, 'the last');
    const all = await receives(1);
    expect(all.map(({ code }) => code)).toEqual(['trim_failed']);
  };

  test('an alarm about a session or a shard says which', async () => {
    await alarms().raise('long_call', `session-${RE(1)}`, '');
    const [session] = await receives(1);
    expect(session).toMatchObject({ code: 'long_call', session: RE(1) });
    expect(session).not.toHaveProperty('recording');
    await alarms().raise('shard_silent', 'shardId-000000000001', '');
    const [shard] = await receives(1);
    expect(shard).toMatchObject({ code: 'shard_silent', shard: 'shardId-000000000001' });
    expect(shard).not.toHaveProperty('session');
  });

  test('one when an alarm is raised, and one when it is resolved or cleared', async () => {
    await alarms().raise('copy_failed', RE(1), 'media_missing of +4915112345678');
    const [raised, ...others] = await receives(1);
    expect(others).toEqual([]);
    expect(raised).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}-raised$/),
      ...{ event: 'raised', code: 'copy_failed', severity: 'critical', recording: RE(1), account },
      meaning: expect.stringContaining('could not be copied'),
      next: expect.stringContaining('flex-custody recordings retry'),
      detail: 'media_missing of [redacted]',
      at: (await alarms().list())[0]?.firstAt.toISOString(),
    });
    await alarms().resolve(['copy_failed'], RE(1));
    const [resolved] = await receives(1);
    expect(resolved).toMatchObject({ event: 'resolved', code: 'copy_failed', recording: RE(1) });
    expect(resolved?.id).toBe(raised?.id.replace('raised', 'resolved'));
    expect(resolved?.at).toBe((await alarms().list())[0]?.clearedAt?.toISOString());

    await alarms().raise('copy_failed', RE(1), '');
    const [again] = await receives(1);
    expect(again).toMatchObject({ event: 'raised', code: 'copy_failed' });
    expect(again).not.toHaveProperty('detail');
    expect(again?.id).not.toBe(raised?.id);
    await alarms().clear((await alarms().list())[0]?.id ?? 0);
    expect(await receives(1)).toMatchObject([{ event: 'resolved', code: 'copy_failed' }]);
    await nothingElse();
  });

  test('what is raised while it is open is no news, before it is sent and after', async () => {
    await alarms().raise('sign_failed', undefined, 'a');
    await alarms().raise('sign_failed', undefined, 'b');
    expect(await receives(1)).toMatchObject([{ code: 'sign_failed', detail: 'b' }]);
    await alarms().raise('sign_failed', undefined, 'c');
    await nothingElse();
  });

  test('what is resolved before it was sent is sent as both, in this order', async () => {
    await alarms().raise('sign_failed', undefined, 'a');
    await alarms().resolve(['sign_failed']);
    const raised = await events().pending();
    await events().handedOver(raised);
    const resolved = await events().pending();
    await events().handedOver(resolved);
    expect([raised, resolved]).toMatchObject([[{ event: 'raised' }], [{ event: 'resolved' }]]);
    expect(resolved[0]?.id).toBe(raised[0]?.id.replace('raised', 'resolved'));
    expect(await events().pending()).toEqual([]);
  });

  test('a receiver that is away for a while gets the same id again', async () => {
    answers = [503, 429];
    await alarms().raise('sign_failed', undefined, 'a');
    const [first, second, third] = await receives(3);
    expect(third).toEqual(first);
    expect(second).toEqual(first);
    expect(await openAlarms()).toEqual(['sign_failed']);
  });

  test('when the tries run out the job has failed for good, which is an alarm', async () => {
    await stop();
    await start({ limit: 1 });
    answers = [500, 500];
    await alarms().raise('sign_failed', undefined, 'a');
    expect(await receives(2)).toHaveLength(2);
    await until(async () => (await openAlarms()).includes('webhook_failed'));
    expect(dead).toMatchObject([{ name: 'webhook', error: { code: 'webhook_unavailable' } }]);
  });

  test('what is refused is an alarm, not tried again and not sent; the next that is delivered resolves it', async () => {
    answers = [404];
    await alarms().raise('webhook_failed', undefined, 'of before');
    await alarms().raise('sign_failed', undefined, 'a');
    expect(await receives(1)).toMatchObject([{ code: 'sign_failed' }]);
    await until(async () => (await openAlarms()).includes('webhook_refused'));
    const refused = (await alarms().list()).find(({ code }) => code === 'webhook_refused');
    expect(refused?.detail).toBe('the receiver answered 404');
    await nothingElse();
    await until(async () => !(await openAlarms()).some((code) => code.startsWith('webhook')));
    expect(dead).toEqual([]);
  });

  test('many at once: one each, four at a time', async () => {
    let answer: (() => void) | undefined;
    gate = new Promise((resolve) => {
      answer = resolve;
    });
    for (let n = 0; n < 30; n += 1) await alarms().raise('link_failed', RE(n), 'so');
    await sweep();
    await until(() => inFlight.now === 4);
    answer?.();
    const all = await receives(30);
    expect(new Set(all.map(({ recording }) => recording)).size).toBe(30);
    expect(all).toHaveLength(30);
    expect(inFlight.most).toBe(4);
  });

  test('more than one look finds', async () => {
    await stop();
    await database.db.query(
      `INSERT INTO alarms (code, recording_sid, detail, webhook_id, webhook_opened_at)
       SELECT 'link_failed', 'RE' || n, '', gen_random_uuid(), now() FROM generate_series(1, 1001) n`,
    );
    const sent: number[] = [];
    await handOver(
      { alarms: alarms(), events: events(), news: news() },
      async (found) => void sent.push(found.length),
    );
    expect(sent).toEqual([500, 500, 1, 0]);
    expect(await events().pending()).toEqual([]);
    await database.db.query('TRUNCATE alarms');
  });

  test('a process that ends before an alarm has its job leaves it to the next one', async () => {
    await stop();
    await alarms().raise('sign_failed', undefined, 'a');
    await start();
    // The next start looks by itself.
    await until(() => received.length > 0);
    expect(received.splice(0)).toMatchObject([{ code: 'sign_failed' }]);
  });

  test('one that ends between the job and its mark sends again, under the same id', async () => {
    await alarms().raise('sign_failed', undefined, 'a');
    const ended = { ...events(), handedOver: () => Promise.reject(new Error('killed')) };
    const sent: (WebhookEvent | ProvenNews)[] = [];
    await expect(
      handOver({ alarms: alarms(), events: ended, news: news() }, async (found) => void sent.push(...found)),
    ).rejects.toThrow('killed');
    await queue.sendAll(
      alarmJobs.webhook,
      sent.map((data) => ({ data })),
    );
    await until(() => received.length === 1);
    const [first] = received.splice(0);
    expect(first?.id).toBe(sent[0]?.id);
    expect((await receives(1))[0]?.id).toBe(first?.id);
  });

  test('a mark of before does not hide what was opened since', async () => {
    await stop();
    await alarms().raise('sign_failed', undefined, 'a');
    const found = await events().pending();
    await alarms().resolve(['sign_failed']);
    await alarms().raise('sign_failed', undefined, 'b');
    await events().handedOver(found);
    const [since] = await events().pending();
    expect(since?.event).toBe('raised');
    expect(since?.id).not.toBe(found[0]?.id);
    // Nor does the mark of its opening hide its end.
    await events().handedOver(since ? [since] : []);
    await alarms().resolve(['sign_failed']);
    expect(await events().pending()).toMatchObject([
      { event: 'resolved', id: since?.id.replace('raised', 'resolved') },
    ]);
  });

  test('an alarm that was removed is not sent', async () => {
    await stop();
    await alarms().raise('copy_failed', RE(1), 'a');
    await start();
    await until(() => received.length > 0);
    received.splice(0);
    await alarms().raise('link_failed', RE(1), 'a');
    const [event] = await events().pending();
    await database.db.query('DELETE FROM alarms WHERE recording_sid = $1', [RE(1)]);
    if (event) await queue.send(alarmJobs.webhook, event);
    await nothingElse();
  });

  test('what was raised without a receiver is not sent to a later one, until it is raised again', async () => {
    await stop();
    await start({ webhook: false });
    await alarms().raise('sign_failed', undefined, 'old');
    await alarms().raise('compare_failed', undefined, 'old');
    await stop();
    await start();
    await alarms().resolve(['compare_failed']);
    await nothingElse();
    await alarms().raise('sign_failed', undefined, 'new');
    expect(await receives(1)).toMatchObject([{ event: 'raised', code: 'sign_failed', detail: 'new' }]);
  });

  test('without a receiver what waits for one is removed, with the alarms about it', async () => {
    answers = [503, 503, 503];
    await alarms().raise('sign_failed', undefined, 'a');
    await alarms().raise('webhook_failed', undefined, 'b');
    await receives(1);
    await until(async () => (await waiting()).some(({ state }) => state === 'retry'));
    await stop();
    await start({ webhook: false });
    expect(await waiting()).toEqual([]);
    expect(await openAlarms()).toEqual(['sign_failed']);
  });

  describe('good news', () => {
    const catalog = () => createCatalog(database.db, account);
    const objectOf = (n: number, version: string): SealedObject => ({
      ...{
        key: `recordings/${RE(n)}`,
        versionId: version,
        mode: 'envelope',
        etag: `"${version}"`,
        keyId: 'k1',
      },
      ...{ bytes: 500, plaintextBytes: 400, plaintextSha256: 'ab'.repeat(32) },
    });
    const proof = { at: '2026-11-30T12:00:00.000Z', host: 'one', by: 'second-look', how: 'sha256' } as const;
    /** A verified recording, with a proof by the host's own copy or without one. */
    async function verified(n: number, version = 'v1', own?: CopyProof) {
      const hints = { taskSid: `WT${'3'.repeat(32)}` as TaskSid };
      const facts = { channels: 2, startedAt: new Date(), source: 'callback', hints } as const;
      await catalog().register({ recordingSid: RE(n), accountSid: account, ...facts });
      await database.db.query(
        `UPDATE recordings SET state = 'sealed', object = $2::jsonb, proof = NULL WHERE recording_sid = $1`,
        [RE(n), JSON.stringify(objectOf(n, version))],
      );
      await catalog().verified(RE(n), objectOf(n, version), 'ab'.repeat(32), { ...(own && { proof: own }) });
    }
    const prove = (n: number, version = 'v1') => catalog().proven(RE(n), objectOf(n, version), proof);
    /** What the receiver got until an alarm that is raised last. */
    const told = async () => {
      await nothingElse();
      await database.db.query('TRUNCATE alarms');
      return proven.splice(0).sort((a, b) => (a.recording < b.recording ? -1 : 1));
    };
    const on = async (options = {}) => {
      await stop();
      await start({ news: true, ...options });
    };

    test('one webhook for each recording that becomes proven, by a look or by its own copy, and nothing else in it', async () => {
      await on();
      await verified(1);
      await prove(1);
      await verified(2, 'v1', { ...proof, by: 'copy', mono: true });
      await verified(3);
      await sweep();
      await until(() => proven.length === 2);
      const common = { event: 'recording.proven', at: proof.at, how: 'sha256', host: 'one', account };
      expect(await told()).toEqual([
        {
          ...common,
          id: expect.stringMatching(/^[0-9a-f]{32}-proven$/),
          recording: RE(1),
          by: 'second-look',
        },
        { ...common, id: expect.any(String), recording: RE(2), by: 'copy', mono: true },
      ]);
    });

    test('no second one for the same version; a new copy that is proven has one, under another id', async () => {
      await on();
      await verified(1);
      await prove(1);
      await prove(1);
      await sweep();
      await until(() => proven.length === 1);
      await prove(1);
      const [first, ...more] = await told();
      expect(more).toEqual([]);
      await verified(1, 'v2');
      await prove(1, 'v2');
      await sweep();
      await until(() => proven.length === 1);
      expect((await told())[0]?.id).not.toBe(first?.id);
    });

    test('a proof that is rolled back is no news', async () => {
      await on();
      await verified(1);
      await database.db
        .transaction(async (inner) => {
          await createCatalog(inner as Db, account).proven(RE(1), objectOf(1, 'v1'), proof);
          expect(await inner.query('SELECT recording_sid FROM proven_news')).toHaveLength(1);
          throw new Error('killed');
        })
        .catch(() => undefined);
      expect((await catalog().find(RE(1)))?.proof).toBeUndefined();
      expect(await news().pending()).toEqual([]);
    });

    test('a proof of before it was asked for is none, and what waits is removed when it is no longer asked for', async () => {
      await verified(1);
      await prove(1);
      await on();
      expect(await told()).toEqual([]);
      await stop();
      await verified(2);
      await prove(2);
      expect(await news().pending()).toMatchObject([{ recordingSid: RE(2) }]);
      await start();
      expect(await news().pending()).toEqual([]);
      await verified(3);
      await prove(3);
      await sweep();
      expect(await told()).toEqual([]);
    });

    test('a receiver that is away gets the same again; what becomes proven while it is handed over stays', async () => {
      await on();
      answers = [503];
      await verified(1);
      await prove(1);
      const before = await news().pending();
      await sweep();
      await until(() => proven.length === 2);
      expect(proven[1]).toEqual(proven[0]);
      expect(before[0]?.id).toBe(proven[0]?.id);
      await verified(1, 'v2');
      await catalog().proven(RE(1), objectOf(1, 'v2'), { ...proof, at: '2026-12-01T00:00:00.000Z' });
      await news().handedOver(before);
      expect(await news().pending()).toHaveLength(1);
    });
  });
});
