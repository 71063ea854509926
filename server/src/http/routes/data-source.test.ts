import { type AccountSid, CustodyError } from '@flex-custody/core';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { type AuditEntry, createAudit } from '../../access/audit.ts';
import { createAlarms } from '../../alarms/alarms.ts';
import { migrate } from '../../db/migrate.ts';
import { openEmbedded, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import type { DataSources } from '../../recorder/data-source/data-source.ts';
import { openDataSource } from '../../recorder/data-source/open.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import { buildApp } from '../app.ts';
import { roomyLimits } from '../testing/roomy-limits.ts';
import { dataSourceRoute } from './data-source.ts';

const accountSid = `AC${'0a'.repeat(16)}` as AccountSid;
const flex = 'https://flex.twilio.com';
const url = '/settings/data-source';
const basic = (token: string) => `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;
const roles: Readonly<Record<string, string[]>> = {
  admin: ['admin'],
  supervisor: ['supervisor'],
  agent: ['agent'],
  auditor: ['auditor'],
  none: [],
};
const validate = async (token: string | undefined) => {
  const found = roles[token ?? ''];
  if (!found) throw new CustodyError(token ? 'token_refused' : 'token_missing', 'no');
  return { identity: `the-${token}`, roles: found };
};

let database: TestDatabase;
let values: Map<string, string>;
let source: DataSources;
let entries: AuditEntry[];
let app: FastifyInstance;
let lines: string[];
let auditIsAway: boolean;
beforeAll(async () => {
  database = await openEmbedded();
  await migrate(database.db);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.db.query('TRUNCATE data_source_versions; TRUNCATE audit');
  values = new Map();
  entries = [];
  lines = [];
  auditIsAway = false;
  open();
});
afterEach(() => app.close());

function open(dataSourceFile?: string) {
  const kept = createAudit(database.db);
  const audit = {
    async record(entry: AuditEntry) {
      if (auditIsAway) throw new CustodyError('audit_unavailable', 'away');
      entries.push(entry);
      await kept.record(entry);
    },
  };
  const secrets: Secrets = {
    get: async (name) => values.get(name),
    set: async (name, value) => void values.set(name, value),
    list: async () => [...values.keys()].map((name) => ({ name, setAt: new Date(0), by: 'cli' })),
    remove: async (name) => values.delete(name),
  };
  const taskRouter = () => {
    throw new Error('not asked');
  };
  const alarms = createAlarms(database.db);
  const deps = { db: database.db, alarms, audit, secrets, taskRouter };
  source = openDataSource({ accountSid, ...(dataSourceFile && { dataSourceFile }) }, deps);
  const limits = roomyLimits();
  const route = { accountSid, audit, dataSource: source, flexTokens: { validate }, limits, origins: [flex] };
  app = buildApp({
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    routes: [(scope) => dataSourceRoute(scope, route)],
  });
}

const ask = async (method: 'GET' | 'PUT' | 'OPTIONS' | 'POST', more: InjectOptions = {}, token = 'admin') => {
  const headers = { ...(token && { authorization: basic(token) }), origin: flex, ...more.headers };
  return app.inject({ method, url, ...more, headers });
};
const put = (settings: unknown, version: string | undefined, token = 'admin', comment?: unknown) =>
  ask(
    'PUT',
    { body: { settings, comment }, headers: version === undefined ? {} : { 'if-match': version } },
    token,
  );

test('an admin reads the defaults, changes them, and reads the change', async () => {
  const first = await ask('GET');
  expect([first.statusCode, first.headers['etag'], first.headers['cache-control']]).toEqual([
    200,
    '"0"',
    'no-store',
  ]);
  expect(first.headers['access-control-allow-origin']).toBe(flex);
  const changed = await put({ longCallMinutes: 60 }, '"0"', 'admin', 'shorter calls');
  expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"1"']);
  expect(changed.json()).toEqual({ version: 1, isSaved: true, changed: ['longCallMinutes'], warnings: [] });
  expect((await ask('GET')).json()).toMatchObject({
    version: 1,
    by: 'the-admin',
    comment: 'shorter calls',
    settings: { longCallMinutes: 60, secretAccessKey: 'unset' },
  });
  expect(entries).toMatchObject([
    {
      viewer: { identity: 'the-admin' },
      action: 'data-source.set',
      subject: { kind: 'account', sid: accountSid },
      allowed: true,
      reason: 'settings-role',
      requestId: expect.any(String),
    },
  ]);
});

test.each(['supervisor', 'agent', 'auditor', 'none'])('%s may neither read nor change', async (token) => {
  const answers = [await ask('GET', {}, token), await put({ longCallMinutes: 60 }, '"0"', token)];
  for (const answer of answers) {
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toEqual({ error: 'settings_forbidden' });
  }
  expect(await source.history(1)).toEqual([]);
  expect(entries).toMatchObject([{ allowed: false, reason: 'no-settings-role', action: 'data-source.set' }]);
});

test.each([
  ['', 401, 'token_missing'],
  ['stranger', 403, 'token_refused'],
])('the token "%s" is refused', async (token, status, error) => {
  for (const answer of [await ask('GET', {}, token), await put({}, '"0"', token)])
    expect([answer.statusCode, answer.json()]).toEqual([status, { error }]);
});

test.each([
  [undefined, 428, 'version_missing'],
  ['"7"', 412, 'data_source_changed'],
  ['*', 400, 'request_invalid'],
  ['W/"0"', 400, 'request_invalid'],
  ['0', 400, 'request_invalid'],
  ['"0", "1"', 400, 'request_invalid'],
])('If-Match %s is refused', async (version, status, error) => {
  const answer = await put({ longCallMinutes: 60 }, version);
  expect([answer.statusCode, answer.json()]).toEqual([status, { error }]);
  expect(await source.history(1)).toEqual([]);
});

test('every fault is answered, and none quotes a value', async () => {
  const answer = await put({ longCallMinutes: 0, secretAccessKey: 'hush', customRegion: 'hush hush' }, '"0"');
  expect(answer.statusCode).toBe(422);
  expect(answer.json()).toEqual({
    error: 'data_source_invalid',
    faults: [
      expect.stringMatching(/^longCallMinutes must be .* 1 to 1440/),
      expect.stringMatching(/^customRegion must be the region's code, not its display name/),
      expect.stringMatching(/^secretAccessKey must be unset while specifyCredentials is false/),
    ],
  });
  expect(answer.body + lines.join()).not.toContain('hush');
  expect(entries).toEqual([]);
});

test('a secret is taken, and never answered or logged', async () => {
  const given = { specifyCredentials: true, accessKeyId: 'AKIA', secretAccessKey: 'hush-hush' };
  const answers = [await put(given, '"0"'), await ask('GET')];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
  expect(answers[1]?.json()).toMatchObject({ settings: { secretAccessKey: 'set' } });
  expect(values.get('data-source/secretAccessKey')).toBe('hush-hush');
  expect(answers.map(({ body }) => body).join() + lines.join()).not.toContain('hush');
});

test('without its audit entry no change is made', async () => {
  auditIsAway = true;
  const answer = await put({ longCallMinutes: 60 }, '"0"');
  expect([answer.statusCode, answer.json()]).toEqual([503, { error: 'audit_unavailable' }]);
  expect(await source.history(1)).toEqual([]);
});

test('while a file rules it is read-only', async () => {
  await app.close();
  open('/nowhere/data-source.yaml');
  expect((await ask('GET')).json()).toMatchObject({ file: '/nowhere/data-source.yaml' });
  const answer = await put({ longCallMinutes: 60 }, '"0"');
  expect([answer.statusCode, answer.json()]).toEqual([409, { error: 'data_source_read_only' }]);
});

test.each([
  ['no settings', { comment: 'x' }],
  ['settings that are a list', { settings: [] }],
  ['a comment that is too long', { settings: {}, comment: 'x'.repeat(501) }],
  ['a comment that is no text', { settings: {}, comment: 5 }],
])('%s is refused', async (_, body) => {
  const answer = await ask('PUT', { body, headers: { 'if-match': '"0"' } });
  expect([answer.statusCode, answer.json()]).toEqual([400, { error: 'request_invalid' }]);
});

test('a body beyond the limit, a poisoned one and other methods are refused', async () => {
  const long = await put({ tenant: 'x'.repeat(70_000) }, '"0"');
  expect([long.statusCode, long.json()]).toEqual([413, { error: 'body_too_large' }]);
  const headers = { 'content-type': 'application/json', 'if-match': '"0"' };
  const poisoned = await ask('PUT', { payload: '{"settings": {"__proto__": {"a": 1}}}', headers });
  expect(poisoned.statusCode).toBe(400);
  const other = await ask('POST');
  expect([other.statusCode, other.headers['allow']]).toEqual([405, 'GET, PUT, OPTIONS']);
});

test('a preflight names method and headers, for the origins of Flex alone', async () => {
  const asked = { 'access-control-request-method': 'PUT' };
  const ours = await ask('OPTIONS', { headers: asked }, '');
  expect([
    ours.statusCode,
    ours.headers['access-control-allow-methods'],
    ours.headers['access-control-allow-headers'],
  ]).toEqual([204, 'GET, PUT', 'Authorization, Content-Type, If-Match']);
  const theirs = await ask('OPTIONS', { headers: { ...asked, origin: 'https://evil.example' } }, '');
  expect(theirs.statusCode).toBe(404);
  const read = await ask('GET', { headers: { origin: 'https://evil.example' } });
  expect(read.headers['access-control-allow-origin']).toBeUndefined();
});

test('one viewer has a limit of requests', async () => {
  const answers = await Promise.all(Array.from({ length: 61 }, () => ask('GET')));
  expect(answers.filter(({ statusCode }) => statusCode === 429)).toHaveLength(1);
});
