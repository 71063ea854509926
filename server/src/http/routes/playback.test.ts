import { Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { StoredRecording } from '../../playback/audio.ts';
import { createMediaLinks } from '../../playback/media-link.ts';
import { createSegmentLinks } from '../../playback/segment-link.ts';
import {
  type Ask,
  auditLog,
  bucketOf,
  emptyApp,
  noise,
  otherRecording,
  publicUrl,
  recording,
  reservation,
  rowOf,
  secret,
  serve,
  storedRow,
  worker,
} from '../../playback/testing/kit.ts';
import { createLimits } from '../plugins/limits.ts';
import { roomyLimits } from '../testing/roomy-limits.ts';
import { type PlaybackDeps, playbackRoutes } from './playback.ts';

const content = noise(3_000);
const flex = 'https://flex.twilio.com';
/** What IAM would say of a token of that name. */
const viewers: Record<string, { identity: string; roles: string[]; workerSid?: typeof worker }> = {
  supervisor: { identity: 'sue', roles: ['supervisor'] },
  agent: { identity: 'ada', roles: ['agent'], workerSid: worker },
  nobody: { identity: 'nik', roles: [] },
};
const basic = (token: string) => `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;

let app: FastifyInstance;
let deps: PlaybackDeps;
let ask: Ask;
let rows: RecordingRow[];
let ahead: StoredRecording[];
let opened: string[];
let looks = 0;
/** Whose the reservation is, while its recording may still come. */
let awaited: { workerSid?: typeof worker } | undefined;
const { audit, log } = auditLog();
const settings = { agentsMayPlayOwn: false };
const links = createMediaLinks({ secret, publicUrl, ttlSeconds: 600 });
const segmentLinks = createSegmentLinks({ secret, publicUrl, days: 7 });

const audioFrom = (origin: string) => async () => {
  opened.push(origin);
  const read = async () => Readable.from([content], { objectMode: false });
  return { bytes: content.length, read, discard: () => undefined };
};

beforeAll(async () => {
  app = emptyApp();
  deps = {
    catalog: {
      async find(sid) {
        looks += 1;
        return rows.find((row) => row.recordingSid === sid);
      },
    },
    reservations: {
      recordingOf: async (sid) => rows.find((row) => row.reservationSid === sid),
      awaited: async () => awaited,
    },
    flexTokens: {
      async validate(token) {
        if (token === 'outage') throw new CustodyError('iam_unavailable', 'no');
        const viewer = viewers[token ?? ''];
        if (!viewer) throw new CustodyError('token_refused', 'no');
        return viewer;
      },
    },
    audit,
    settings,
    limits: roomyLimits(),
    mediaLinks: links,
    segmentLinks,
    reader: { open: audioFrom('vault'), openAhead: (row) => ahead.push(row) },
    twilioMedia: { open: audioFrom('twilio') },
    store: bucketOf('', content).store,
    origins: [flex],
  };
  await app.register(playbackRoutes, deps);
  ({ ask } = await serve(app));
});
afterAll(() => app.close());
beforeEach(() => {
  rows = [storedRow({ versionId: 'v1' }, { workerSid: worker, reservationSid: reservation })];
  ahead = [];
  opened = [];
  looks = 0;
  awaited = undefined;
  log.entries.length = 0;
  log.broken = false;
  settings.agentsMayPlayOwn = false;
});

const askAs = (viewer: string, path = `/url-provider?recording=${recording}`) =>
  ask(path, { authorization: basic(viewer), origin: flex });
const mediaUrl = (json: unknown) => new URL((json as { media_url: string }).media_url);

test('a viewer gets 60 links a minute, and no row of the audit log for more', async () => {
  const strict = emptyApp();
  await strict.register(playbackRoutes, {
    ...deps,
    limits: createLimits({ trustedProxies: [], streamsPerViewer: 1, streamsPerAddress: 1, now: () => 0 }),
  });
  const headers = { authorization: basic('nobody') };
  const statuses: number[] = [];
  for (let times = 0; times < 70; times += 1)
    statuses.push((await strict.inject({ url: `/url-provider?recording=${recording}`, headers })).statusCode);
  await strict.close();
  expect(statuses).toEqual([...Array<number>(60).fill(403), ...Array<number>(10).fill(429)]);
  expect(log.entries).toHaveLength(60);
});

describe('url_provider', () => {
  test.each([
    `/url-provider?recording=${recording}`,
    `/url-provider?recording_sid=${recording}`,
    `/url-provider?recordingSid=${recording}`,
    `/url-provider?reservation=${reservation}`,
    `/url-provider?reservation_sid=${reservation}`,
    `/url-provider?reservationSid=${reservation}`,
    `/sec_rec?recording_sid=${recording}`,
    `/?recordingSid=${recording}`,
    `/?reservation=${reservation}`,
  ])('%s answers a link that plays', async (path) => {
    const { status, headers, json } = await askAs('supervisor', path);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['access-control-allow-origin']).toBe(flex);
    const url = mediaUrl(json);
    expect(url.origin).toBe(publicUrl);
    expect(url.searchParams.get('X-Amz-Expires')).toBe('600');
    const played = await ask(url.pathname + url.search);
    expect(played.body.equals(content)).toBe(true);
    expect(opened).toEqual(['vault']);
  });

  test('the object is opened ahead of the player', async () => {
    await askAs('supervisor');
    expect(ahead.map((row) => row.recordingSid)).toEqual([recording]);
  });

  test('a preflight needs no token', async () => {
    const asks = { origin: flex, 'access-control-request-method': 'GET' };
    for (const path of ['/', '/sec_rec', `/url-provider?recording=${recording}`, `/media/${recording}.wav`]) {
      expect((await ask(path, asks, 'OPTIONS')).status).toBe(204);
    }
  });

  test('without a recording the root says who lives there, and nothing else answers without a token', async () => {
    expect((await ask('/')).json).toEqual({ name: 'flex-custody' });
    for (const path of [`/?recording=${recording}`, '/url-provider', `/sec_rec?recording=${recording}`]) {
      const { status, headers } = await ask(path, { origin: flex });
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toMatch(/^Basic /);
      expect(headers['access-control-allow-origin']).toBe(flex);
    }
  });

  test('Bearer is not how Flex Insights asks', async () => {
    const { status } = await ask(`/url-provider?recording=${recording}`, {
      authorization: 'Bearer supervisor',
    });
    expect(status).toBe(401);
  });

  test('a refusal and an outage are told apart', async () => {
    expect((await askAs('stranger')).status).toBe(403);
    expect((await askAs('outage')).status).toBe(503);
    expect(log.entries).toHaveLength(0);
  });

  test.each(['/url-provider', '/sec_rec', '/', `/media/${recording}.wav`, `/segment/${recording}.wav`])(
    '%s is not to be posted to',
    async (path) => {
      const { status, headers } = await ask(path, { origin: flex }, 'POST');
      expect([status, headers['allow']]).toEqual([405, expect.stringMatching(/^GET, .*OPTIONS$/)]);
      expect(headers['access-control-allow-origin']).toBe(flex);
    },
  );

  test.each(['recording=RE1', 'recording=', `recording=${reservation}`, 'reservation=WR1', 'else=1'])(
    'a malformed question is told so: %s',
    async (query) => {
      expect((await askAs('supervisor', `/url-provider?${query}`)).json).toEqual({
        error: 'recording_invalid',
      });
    },
  );
});

describe('who may', () => {
  test('a supervisor plays; it is written down before the link is issued', async () => {
    await askAs('supervisor');
    expect(log.entries).toEqual([
      {
        viewer: viewers['supervisor'],
        action: 'play',
        subject: { kind: 'recording', sid: recording },
        allowed: true,
        reason: 'insights-role',
        custody: 'verified',
        requestId: expect.any(String),
      },
    ]);
  });

  test('an agent plays own calls, where the site lets agents', async () => {
    expect((await askAs('agent')).status).toBe(403);
    settings.agentsMayPlayOwn = true;
    expect((await askAs('agent')).status).toBe(200);
    rows = [storedRow()];
    expect((await askAs('agent')).status).toBe(403);
    expect(log.entries.map(({ allowed, reason }) => [allowed, reason])).toEqual([
      [false, 'agents-may-not'],
      [true, 'own-call'],
      [false, 'not-own-call'],
    ]);
  });

  test.each(['agent', 'nobody'])('to %s, not there and not allowed look the same', async (viewer) => {
    settings.agentsMayPlayOwn = true;
    rows = [storedRow()];
    const closed = await askAs(viewer);
    const unknown = await askAs(viewer, `/url-provider?recording=${otherRecording}`);
    const unknownReservation = await askAs(viewer, `/url-provider?reservation=${reservation}`);
    rows = [rowOf({ state: 'absent' })];
    const absent = await askAs(viewer);
    for (const answer of [unknown, unknownReservation, absent]) {
      expect([answer.status, answer.json]).toEqual([closed.status, closed.json]);
    }
    expect(closed.status).toBe(403);
  });

  test('one to whom everything is open learns the difference', async () => {
    const unknown = await askAs('supervisor', `/url-provider?recording=${otherRecording}`);
    expect([unknown.status, unknown.json]).toEqual([404, { error: 'recording_unknown' }]);
    rows = [rowOf({ state: 'absent' })];
    const absent = await askAs('supervisor');
    expect([absent.status, absent.json]).toEqual([404, { error: 'recording_absent' }]);
    expect(log.entries.map(({ subject, allowed, reason }) => [subject.sid, allowed, reason])).toEqual([
      [otherRecording, false, 'recording-unknown'],
      [recording, false, 'recording-absent'],
    ]);
  });

  test('who may play the recording learns that it is awaited, and nobody else does', async () => {
    const asked = `/url-provider?reservation=${reservation}`;
    rows = [];
    settings.agentsMayPlayOwn = true;
    const unknown = await askAs('agent', asked);
    awaited = { workerSid: worker };
    for (const viewer of ['agent', 'supervisor']) {
      const { status, json, headers } = await askAs(viewer, asked);
      expect([status, json, headers['retry-after']]).toEqual([404, { error: 'recording_awaited' }, '30']);
    }
    const { status, json, headers } = await askAs('nobody', asked);
    expect([status, json, headers['retry-after']]).toEqual([unknown.status, unknown.json, undefined]);
    awaited = { workerSid: `WK${'9'.repeat(32)}` as typeof worker };
    expect(await askAs('agent', asked)).toMatchObject({ status: 403, json: unknown.json });
    awaited = {};
    expect(await askAs('agent', asked)).toMatchObject({ status: 403, json: unknown.json });
    awaited = { workerSid: worker };
    settings.agentsMayPlayOwn = false;
    expect(await askAs('agent', asked)).toMatchObject({ status: 403, json: unknown.json });
    expect(log.entries.map(({ allowed, reason }) => [allowed, reason])).toEqual([
      [false, 'recording-unknown'],
      ...Array(2).fill([false, 'recording-awaited']),
      ...Array(4).fill([false, 'recording-unknown']),
    ]);
    rows = [storedRow({ versionId: 'v1' }, { workerSid: worker, reservationSid: reservation })];
    expect((await askAs('supervisor', asked)).status).toBe(200);
    expect((await askAs('agent', asked)).status).toBe(403);
  });

  test('an entry about a reservation without a recording names the reservation, else the recording that was found', async () => {
    rows = [];
    await askAs('supervisor', `/url-provider?reservation=${reservation}`);
    rows = [{ ...storedRow(), reservationSid: reservation }];
    await askAs('supervisor', `/url-provider?reservation=${reservation}`);
    expect(log.entries.map(({ subject }) => subject)).toEqual([
      { kind: 'reservation', sid: reservation },
      { kind: 'recording', sid: recording },
    ]);
  });

  test('what cannot be written down is not played', async () => {
    log.broken = true;
    const { status, json } = await askAs('supervisor');
    expect([status, json]).toEqual([503, { error: 'audit_unavailable' }]);
    expect(ahead).toHaveLength(0);
  });
});

describe('where it plays from', () => {
  const playedFrom = async () => {
    const { json } = await askAs('supervisor');
    const url = mediaUrl(json);
    await ask(url.pathname + url.search);
    return opened;
  };

  test.each(['registered', 'copying', 'failed'] as const)('%s: from Twilio', async (state) => {
    rows = [rowOf({ state })];
    expect(await playedFrom()).toEqual(['twilio']);
    expect(ahead).toHaveLength(0);
  });

  test('a copy that failed its proof is not played', async () => {
    rows = [storedRow({}, { state: 'failed' })];
    expect(await playedFrom()).toEqual(['twilio']);
  });

  test.each(['sealed', 'verified'] as const)('%s: from the vault', async (state) => {
    rows = [storedRow({}, { state })];
    expect(await playedFrom()).toEqual(['vault']);
  });

  test('in sse-kms mode the bucket itself plays, by a link that says when to renew it', async () => {
    rows = [storedRow({ mode: 'sse-kms', versionId: 'v1' })];
    const url = mediaUrl((await askAs('supervisor')).json);
    expect(url.host).toBe('bucket.example');
    expect(url.searchParams.get('X-Amz-Expires')).toBe('600');
    expect(url.searchParams.get('versionId')).toBe('v1');
  });
});

describe('segment_link', () => {
  const pathOf = async (row = rows[0] as RecordingRow) =>
    ((await segmentLinks.segmentLinkFor(row)) ?? '').slice(publicUrl.length);

  test('plays without a token of Flex, and each request is written down first', async () => {
    const path = await pathOf();
    const { status, headers, body } = await ask(path, { range: 'bytes=0-2999' });
    expect(status).toBe(206);
    expect(headers['cache-control']).toBe('private, no-store');
    expect(body.equals(content)).toBe(true);
    expect(log.entries).toEqual([
      {
        viewer: { identity: 'bearer-link', roles: [] },
        action: 'segment-link',
        subject: { kind: 'recording', sid: recording },
        allowed: true,
        reason: 'bearer-link',
        custody: 'verified',
        requestId: expect.any(String),
      },
    ]);
  });

  test('plays nothing of what is to be erased, whoever asks by whichever link', async () => {
    const path = await pathOf();
    rows = [storedRow({}, { intent: { reason: 'erasure', policy: 'p', begunAt: new Date() } })];
    expect((await ask(path)).status).toBe(410);
    const asked = await ask(`/url-provider?recording=${recording}`, { authorization: basic('supervisor') });
    expect([asked.status, opened, ahead]).toEqual([410, [], []]);
  });

  test('plays nothing that cannot be written down', async () => {
    log.broken = true;
    expect((await ask(await pathOf())).status).toBe(503);
    expect(opened).toHaveLength(0);
  });

  test('revoked, it is refused, and that is written down too', async () => {
    const path = await pathOf();
    rows = [storedRow({}, { segmentGeneration: 2 })];
    expect((await ask(path)).json).toEqual({ error: 'link_revoked' });
    expect(log.entries).toMatchObject([{ allowed: false, reason: 'link_revoked' }]);
    expect(opened).toHaveLength(0);
  });

  test('a media link’s token opens nothing here, nor the other way round', async () => {
    const media = mediaUrl((await askAs('supervisor')).json);
    const segment = new URL(publicUrl + (await pathOf()));
    expect((await ask(`${segment.pathname}${media.search}`)).status).toBe(403);
    expect((await ask(`${media.pathname}${segment.search}`)).status).toBe(403);
  });

  test('a recording that is not there looks like a refused link', async () => {
    const path = await pathOf();
    rows = [];
    const { status, json } = await ask(path);
    expect([status, json]).toEqual([403, { error: 'link_invalid' }]);
  });

  test.each(['', '?token=noise'])(
    'without a link of ours, what is there looks as what is not: "%s"',
    async (query) => {
      const answers = [];
      for (const sid of [recording, otherRecording]) {
        const { status, json } = await ask(`/segment/${sid}.wav${query}`);
        answers.push([status, json]);
      }
      expect(answers[0]).toEqual(answers[1]);
      expect(looks).toBe(0);
      expect(log.entries).toHaveLength(0);
    },
  );

  test('before the copy it plays from Twilio', async () => {
    rows = [rowOf()];
    expect((await ask(await pathOf())).status).toBe(200);
    expect(opened).toEqual(['twilio']);
  });
});
