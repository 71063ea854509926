import { Readable } from 'node:stream';
import { type AccountSid, objectKey, type WorkerSid } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { Catalog } from '../../catalog/catalog.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { createMediaLinks } from '../../playback/media-link.ts';
import { createSegmentLinks } from '../../playback/segment-link.ts';
import {
  type Ask,
  account,
  auditLog,
  bucketOf,
  emptyApp,
  publicUrl,
  recording,
  reservation,
  rowOf,
  secret,
  serve,
  storedRow,
  worker,
} from '../../playback/testing/kit.ts';
import { createReservations } from '../../recorder/acceptance/reservations.ts';
import { roomyLimits } from '../testing/roomy-limits.ts';
import { playbackRoutes } from './playback.ts';

const staging = `AC${'b'.repeat(32)}` as AccountSid;
const content = Buffer.from('somebody speaks');

/** Two hosts on one database, which their start refuses: what holds should it come about all the same. */
onEachEngine('playback by the host of another account', (open) => {
  let database: TestDatabase;
  let apps: FastifyInstance[];
  let ofOwner: Ask;
  let ofOther: Ask;
  let opened: number;
  const { audit, log } = auditLog();
  const links = createMediaLinks({ secret, publicUrl, ttlSeconds: 600 });
  const segmentLinks = createSegmentLinks({ secret, publicUrl, days: 7 });

  const host = async (catalog: Catalog): Promise<Ask> => {
    const app = emptyApp();
    apps.push(app);
    const read = async () => {
      opened += 1;
      return {
        bytes: content.length,
        read: async () => Readable.from([content], { objectMode: false }),
        discard: () => undefined,
      };
    };
    await app.register(playbackRoutes, {
      catalog,
      reservations: createReservations({ db: database.db, catalog }),
      flexTokens: { validate: async () => ({ identity: 'sue', roles: ['supervisor'], workerSid: worker }) },
      audit,
      settings: { agentsMayPlayOwn: true },
      limits: roomyLimits(),
      mediaLinks: links,
      segmentLinks,
      reader: { open: read, openAhead: () => undefined },
      twilioMedia: { open: read },
      store: bucketOf('', content).store,
      origins: ['https://flex.twilio.com'],
    });
    return (await serve(app)).ask;
  };
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    apps = [];
    const owner = createCatalog(database.db, account);
    ofOwner = await host(owner);
    ofOther = await host(createCatalog(database.db, staging));
    const { accountSid, channels, recordingSid, startedAt } = rowOf();
    await owner.register({ accountSid, channels, hints: {}, recordingSid, source: 'callback', startedAt });
    const lease = (await owner.lease(recording, 'worker', 60_000))?.secret ?? '';
    const { object } = storedRow({ key: objectKey(account, recording), versionId: 'v1' });
    await owner.sealed(recording, lease, object, 2);
    await owner.verified(recording, object, 'f'.repeat(64));
    const taskSid = `WT${'6'.repeat(32)}` as never;
    await owner.linked(recording, { taskSid, reservationSid: reservation, workerSid: worker as WorkerSid });
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await database.drop();
  });
  beforeEach(() => {
    opened = 0;
    log.entries.length = 0;
  });
  const authorization = `Basic ${Buffer.from('token:t').toString('base64')}`;

  test.each([`recording=${recording}`, `reservation=${reservation}`])(
    'url-provider?%s: its own host answers, the other knows of nothing',
    async (query) => {
      expect((await ofOwner(`/url-provider?${query}`, { authorization })).status).toBe(200);
      const { status, json } = await ofOther(`/url-provider?${query}`, { authorization });
      expect([status, json]).toEqual([404, { error: 'recording_unknown' }]);
      expect(log.entries.map(({ allowed }) => allowed)).toEqual([true, false]);
    },
  );

  test('a link that its own host gave does not play at the other', async () => {
    const { json } = await ofOwner(`/url-provider?recording=${recording}`, { authorization });
    const { pathname, search } = new URL((json as { media_url: string }).media_url);
    expect((await ofOther(pathname + search)).status).toBe(404);
    expect(opened).toBe(0);
    expect((await ofOwner(pathname + search)).body.equals(content)).toBe(true);
  });

  test('nor does a link for the older Player', async () => {
    const link = await segmentLinks.segmentLinkFor({ recordingSid: recording, segmentGeneration: 0 });
    const { pathname, search } = new URL(link ?? '');
    expect((await ofOther(pathname + search)).status).toBe(403);
    expect(opened).toBe(0);
    expect((await ofOwner(pathname + search)).status).toBe(200);
  });
});
