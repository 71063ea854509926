import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CustodyError } from '@flex-custody/core';
import type { Config } from '../../config.ts';
import { bindDatabase } from '../../custody/bind.ts';
import { custodyFacts } from '../../custody/facts.ts';
// Also lets the embedded database load inside tests.
import '../../db/testing/on-each-engine.ts';
import { migrate } from '../../db/migrate.ts';
import { openPglite } from '../../db/pglite.ts';
import { createPolicies } from '../../retention/policies.ts';
import { type Check, checks } from './checks.ts';
import { examine } from './examine.ts';
import { advice, asStep, type Finding, note, type Seen } from './finding.ts';
import { seenOf } from './node.ts';
import { jsonOf, textOf } from './print.ts';

const accountSid = `AC${'0'.repeat(32)}` as Config['accountSid'];
const config = (more: Partial<Config>): Config =>
  ({ accountSid, authToken: '0'.repeat(32), ...more }) as Config;
const check = (name: string, look: Check['look'], group = 'Group'): Check => ({ group, name, look });
/** One real check on a configuration that has just what it needs. */
const judge = async (name: string, more: Partial<Config>): Promise<Finding | undefined> => {
  const those = checks.filter((one) => one.name === name);
  return (await examine({ load: () => config(more), those, limitMs: 60_000 }))[1];
};

test('without a whole environment nothing else is looked at', async () => {
  const load = () => {
    throw new CustodyError(
      'config_invalid',
      'AWS_REGION is missing: Region of the bucket.\nPORT must be a whole number',
    );
  };
  const those = [check('never', () => Promise.reject(new Error('asked')))];
  const of = { group: 'Environment', name: 'environment', level: 'fix' };
  const faults = [
    { ...of, detail: 'AWS_REGION is missing', next: 'Region of the bucket.' },
    { ...of, detail: 'PORT must be a whole number', next: 'Correct it: docs/configuration.md describes it.' },
  ];
  expect(await examine({ load, those, envFile: __filename })).toEqual(faults);
  // Who runs it in another folder reads which file was looked for.
  const elsewhere = { level: 'note', detail: 'there is no file /nowhere/.env' };
  expect(await examine({ load, those, envFile: '/nowhere/.env' })).toEqual([
    ...faults,
    expect.objectContaining(elsewhere),
  ]);
});

test('node: a release out of support is a note, said here alone', () => {
  expect(seenOf('20.20.2')).toMatchObject({ next: expect.stringContaining('Node 22 or 24') });
  expect([seenOf('22.11.0'), seenOf('24.0.0')]).toEqual(['22.11.0', '24.0.0']);
});

test('docs/doctor.md has each check, and no other', () => {
  const rows = [...readFileSync('docs/doctor.md', 'utf8').matchAll(/^\| ([a-z0-9, -]+) \|/gm)];
  // The head of the table, and what is checked before all else.
  const others = ['check', 'environment'];
  const written = rows
    .flatMap(([, names = '']) => names.split(', '))
    .filter((name) => !others.includes(name));
  expect(written.sort()).toEqual(checks.map(({ name }) => name).sort());
});

const seen = (what: Seen) => async () => what;
const several: Check[] = [
  check('good', seen('fine')),
  check('known', seen(note('as it is', 'it could be better'))),
  check('bad', () => Promise.reject(advice('a key: gone', 'make one: now')), 'Other'),
  check(
    'refused',
    () => Promise.reject(new CustodyError('store_denied', 'the bucket refuses: give the key s3:PutObject')),
    'Other',
  ),
  check('hangs', () => new Promise(() => undefined), 'Other'),
  check('odd', () => Promise.reject(new TypeError('x')), 'Other'),
];

test('one that fails or hangs does not keep the others, and each says what to do', async () => {
  const found = await examine({ load: () => config({}), those: several, limitMs: 30 });
  expect(found.slice(1).map(({ name, level, detail, next }) => [name, level, detail, next])).toEqual([
    ['good', 'ok', 'fine', ''],
    ['known', 'note', 'as it is', 'It could be better.'],
    ['bad', 'fix', 'a key: gone', 'Make one: now.'],
    ['refused', 'fix', 'the bucket refuses', 'Give the key s3:PutObject.'],
    ['hangs', 'fix', 'no answer within 0.03 s', 'Check the network, proxy and firewall on the way.'],
    ['odd', 'fix', 'x', 'Read the log of the host.'],
  ]);
});

test('a fault that may follow from another one is a note that names it; alone it is to be fixed', async () => {
  const fails = (words: string) => () => Promise.reject(advice(words, 'do it'));
  const second: Check = { ...check('second', fails('also')), after: ['first'] };
  const findings = async (...those: Check[]) => {
    const found = await examine({ load: () => config({}), those, limitMs: 60_000 });
    return found.slice(1).map(({ level, detail, next }) => [level, detail, next]);
  };
  expect(await findings(check('first', fails('gone')), second)).toEqual([
    ['fix', 'gone', 'Do it.'],
    ['note', 'also', 'Fix "first" first.'],
  ]);
  expect((await findings(check('first', seen('fine')), second))[1]).toEqual(['fix', 'also', 'Do it.']);
  expect(await findings(second)).toEqual([['fix', 'also', 'Do it.']]);
  const names = checks.map(({ name }) => name);
  expect(checks.flatMap(({ after = [] }) => after).filter((name) => !names.includes(name))).toEqual([]);
});

test('a step that is a command stays as it is to be typed', () => {
  expect(['chmod 600 .env', 'set A to b', 'Done.', ''].map(asStep)).toEqual([
    'chmod 600 .env',
    'Set A to b.',
    'Done.',
    '',
  ]);
});

describe('what is printed', () => {
  const finding = (more: Partial<Finding>): Finding => ({
    group: 'A',
    name: 'one',
    level: 'ok',
    detail: 'fine',
    next: '',
    ...more,
  });

  test('groups of aligned lines, the next step below, never wider than 100 columns', () => {
    const long = 'word '.repeat(40).trim();
    const text = textOf(
      [
        finding({}),
        finding({ name: 'two', level: 'note', detail: 'so so', next: 'try' }),
        finding({ group: 'B', name: 'recorded-once', level: 'fix', detail: long, next: long }),
      ],
      400,
    );
    const lines = text.split('\n');
    expect(lines.slice(0, 6)).toEqual([
      'A',
      '  ok    one              fine',
      '  note  two              so so',
      '                         → try',
      '',
      'B',
    ]);
    expect(lines[6]).toMatch(/^ {2}FIX {3}recorded-once {4}word word/);
    expect(lines.filter((line) => line.includes('→'))).toHaveLength(2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text.match(/word/g)).toHaveLength(80);
    expect(lines.at(-1)).toBe('1 of 3 must be fixed.');
  });

  test('JSON of exactly these names; a note is ok', () => {
    const found = [
      finding({}),
      finding({ level: 'note', next: 'try' }),
      finding({ level: 'fix', next: 'do' }),
    ];
    expect(jsonOf(found)).toEqual({
      checks: [
        { name: 'one', ok: true, detail: 'fine', next: '' },
        { name: 'one', ok: true, detail: 'fine', next: 'try' },
        { name: 'one', ok: false, detail: 'fine', next: 'do' },
      ],
    });
  });
});

test('no two checks have one name', () => {
  const names = checks.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('key: what seals must open', async () => {
  const keys = ['k1', 'k0'].map((keyId) => ({ keyId, key: new Uint8Array(32) }));
  expect(await judge('key', { keyConfig: { kind: 'raw-aes', keys } })).toMatchObject({
    level: 'ok',
    detail: 'k1 seals and opens; 1 older can open',
  });
  expect(await judge('key', { keyConfig: undefined })).toMatchObject({ level: 'ok' });
  const publicOnly = { kind: 'rsa-public', keyId: 'k', spki: 'AAAA' } as const;
  expect(await judge('key', { keyConfig: publicOnly })).toMatchObject({ level: 'fix' });
});

describe('in a folder', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'doctor-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const ops = { host: '127.0.0.1', port: 1 };
  const mediaSecret = new Uint8Array(32);

  test('a database that is in use, and one that a newer program has had', async () => {
    const parts = { database: { directory }, ops, mediaSecret };
    const db = await openPglite(directory);
    expect(await judge('database', parts)).toMatchObject({
      level: 'note',
      detail: 'embedded, in use by another process',
    });
    await migrate(db);
    await db.query('INSERT INTO schema_version (version) VALUES (99)');
    await db.close();
    expect(await judge('database', parts)).toMatchObject({
      level: 'fix',
      detail: 'is at version 99, newer than this program',
      next: 'Run the newer release.',
    });
  });

  test('a database of another custody is told before a host refuses it', async () => {
    const store = { bucket: 'recordings', region: 'eu-central-1', mode: 'sse-kms' } as const;
    const parts = { database: { directory }, ops, mediaSecret, store };
    expect(await judge('custody', parts)).toMatchObject({ level: 'note' });
    const db = await openPglite(directory);
    await migrate(db);
    await bindDatabase(db, custodyFacts(config(parts)));
    await db.close();
    expect(await judge('custody', parts)).toMatchObject({
      level: 'ok',
      detail: `${accountSid} and the bucket recordings, as in this environment`,
    });
    expect(await judge('custody', { ...parts, store: { ...store, bucket: 'other' } })).toMatchObject({
      level: 'fix',
      detail: 'bucket: the database is bound to recordings, this environment has other',
      next: 'Correct CUSTODY_BUCKET; if the move is intended, run flex-custody adopt-database.',
    });
  });

  test('an empty database stays empty, and is none to worry about', async () => {
    const parts = { database: { directory }, ops, mediaSecret };
    expect(await judge('database', parts)).toMatchObject({
      level: 'note',
      detail: expect.stringMatching(/^embedded, empty: /),
    });
    expect(await judge('alarms', parts)).toMatchObject({ level: 'ok' });
    const db = await openPglite(directory);
    expect(await db.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
    await db.close();
  });
});

test('PostgreSQL that does not answer', async () => {
  const database = { url: 'postgres://x@127.0.0.1:1/y' };
  expect(await judge('database', { database })).toMatchObject({
    level: 'fix',
    detail: expect.stringContaining('PostgreSQL does not answer'),
  });
  // What stands on it says so, instead of saying the same again.
  expect(await judge('jobs', { database })).toMatchObject({ level: 'note', next: 'Fix "database" first.' });
});

describe('host', () => {
  let server: Server;
  let body: string;
  const publicUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  beforeEach(async () => {
    server = createServer((_request, response) => response.end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => server.close());

  test('answers as itself, as somebody else, not at all', async () => {
    body = '{"name":"flex-custody"}';
    expect(await judge('host', { publicUrl: publicUrl() })).toMatchObject({ level: 'ok' });
    body = '<html>';
    expect(await judge('host', { publicUrl: publicUrl() })).toMatchObject({
      level: 'fix',
      detail: `${publicUrl()} answers 200, but not as this host`,
      next: expect.stringContaining('CUSTODY_PUBLIC_URL'),
    });
    expect(await judge('host', { publicUrl: 'http://127.0.0.1:1' })).toMatchObject({
      level: 'fix',
      detail: 'nothing answers at http://127.0.0.1:1',
      next: expect.stringContaining('serve'),
    });
  });
});

describe('what is kept, and by which keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-keeping-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  const callerSecret = Buffer.alloc(32).toString('base64');
  /** Each look opens it, as the doctor does where no host runs. */
  const database = { directory: join(folder, 'database') };
  const ops = { host: '127.0.0.1', port: 1 };
  const mediaSecret = new Uint8Array(32);
  const judgePolicy = (more: Partial<Config> = {}) =>
    judge('policy', { database, ops, mediaSecret, ...more });
  const applied = async (text: string) => {
    const db = await openPglite(database.directory);
    await migrate(db);
    await createPolicies(db, accountSid).apply(text, 'me');
    await db.close();
  };
  const named = 'version: 1\nkeep: {default: 30}\nholds: [{id: h, callers: ["+4930123456"]}]';

  test('without a policy all is kept', async () => {
    expect(await judgePolicy()).toMatchObject({ level: 'ok', detail: 'none: all recordings are kept' });
    expect(await judge('twilio-keys', {})).toMatchObject({ level: 'ok' });
    // What the database says is not known.
    expect(await judge('policy', {})).toMatchObject({ level: 'note', next: 'Fix "database" first.' });
  });

  test('a file that no start has applied yet', async () => {
    expect(await judgePolicy({ policyFile: file('first.yaml', named) })).toMatchObject({
      level: 'note',
      detail: expect.stringMatching(/^none is in force yet/),
      next: expect.stringMatching(/^flex-custody policy apply .*first\.yaml$/),
    });
  });

  test('the one in force, and whether its holds can be told', async () => {
    await applied(named);
    expect(await judgePolicy()).toMatchObject({
      level: 'fix',
      detail: expect.stringContaining('every recording is held'),
    });
    expect(await judgePolicy({ callerSecret })).toMatchObject({
      level: 'ok',
      detail: '0 rules, 1 holds, applied by me',
    });
  });

  test('the file that a start would apply: the same, another, unreadable, or for others to write', async () => {
    const policyFile = file('policy.yaml', named);
    expect(await judgePolicy({ policyFile, callerSecret })).toMatchObject({ level: 'ok' });
    chmodSync(policyFile, 0o664);
    expect(await judgePolicy({ policyFile, callerSecret })).toMatchObject({
      level: 'fix',
      next: `chmod go-w ${policyFile}`,
    });
    chmodSync(policyFile, 0o644);
    file('policy.yaml', `${named}\n# another`);
    expect(await judgePolicy({ policyFile, callerSecret })).toMatchObject({
      level: 'note',
      detail: expect.stringContaining('CUSTODY_POLICY_FILE has another policy'),
    });
    file('policy.yaml', 'version: 2');
    expect(await judgePolicy({ policyFile, callerSecret })).toMatchObject({
      level: 'fix',
      next: expect.stringContaining('policy check'),
    });
  });

  test('one that only a newer release can read', async () => {
    const db = await openPglite(database.directory);
    await db.query(
      `INSERT INTO policies (account_sid, body, digest, applied_by) VALUES ($1, $2, 'd', 'newer')`,
      [accountSid, 'version: 2'],
    );
    await db.close();
    expect(await judgePolicy()).toMatchObject({
      level: 'fix',
      next: expect.stringContaining('newer release'),
    });
  });
});
