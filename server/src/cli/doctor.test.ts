import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CustodyError } from '@flex-custody/core';
import type { Config } from '../config.ts';
// Also lets the embedded database load inside tests.
import '../db/testing/on-each-engine.ts';
import { openPglite } from '../db/pglite.ts';
import { migrate } from '../migrations.ts';
import { type Check, checks, examine, lineOf } from './doctor.ts';

const config = (more: Partial<Config>): Config => more as Config;
const judge = async (name: string, more: Partial<Config>) => {
  const found = await examine(() => config(more), { [name]: checks[name] as Check });
  return found[1];
};

test('without a whole environment nothing else is looked at', async () => {
  const broken = () => {
    throw new CustodyError(
      'config_invalid',
      'AWS_REGION is missing: Region of the bucket.\nPORT must be a whole number',
    );
  };
  expect(await examine(broken, { never: () => Promise.reject(new Error('asked')) })).toEqual([
    { ok: false, name: 'environment', detail: 'AWS_REGION is missing', next: 'Region of the bucket.' },
    {
      ok: false,
      name: 'environment',
      detail: 'PORT must be a whole number',
      next: 'see docs/configuration.md',
    },
  ]);
});

test('each check is its own line; one that fails or hangs does not keep the others', async () => {
  const found = await examine(
    () => config({}),
    {
      good: async () => 'fine',
      bad: async () => {
        throw new CustodyError('store_denied', 'the bucket refuses: give the key s3:PutObject');
      },
      hangs: () => new Promise(() => undefined),
      odd: async () => {
        throw new TypeError('x');
      },
    },
    30,
  );
  expect(found.map(lineOf)).toEqual([
    'ok   environment  complete',
    'ok   good         fine',
    'fix  bad          the bucket refuses → give the key s3:PutObject',
    'fix  hangs        no answer within 0.03 s → check the network, proxy and firewall on the way',
    'fix  odd          x → see the log of the host',
  ]);
});

test('key: what seals must open', async () => {
  const keys = [{ keyId: 'k1', key: new Uint8Array(32) }];
  const found = await judge('key', {
    accountSid: `AC${'0'.repeat(32)}` as Config['accountSid'],
    keyConfig: { kind: 'raw-aes', keys },
  });
  expect(found).toEqual({ ok: true, name: 'key', detail: 'k1 seals and opens' });
  expect(await judge('key', { keyConfig: undefined })).toMatchObject({ ok: true });
  const publicOnly = { kind: 'rsa-public', keyId: 'k', spki: 'AAAA' } as const;
  expect(await judge('key', { keyConfig: publicOnly })).toMatchObject({ ok: false });
});

describe('database', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'doctor-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('one that a running host has is in good hands; a newer one is not for this program', async () => {
    const db = await openPglite(directory);
    await migrate(db);
    expect(await judge('database', { database: { directory } })).toEqual({
      ok: true,
      name: 'database',
      detail: 'embedded, in use by a running host',
    });
    await db.query('INSERT INTO schema_version (version) VALUES (99)');
    await db.close();
    expect(await judge('database', { database: { directory } })).toMatchObject({
      ok: false,
      detail: 'is at version 99, newer than this program',
      next: 'run the newer release',
    });
  });

  test('PostgreSQL that does not answer', async () => {
    const found = await judge('database', { database: { url: 'postgres://x@127.0.0.1:1/y' } });
    expect(found).toMatchObject({ ok: false, detail: expect.stringContaining('PostgreSQL does not answer') });
  });
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
    expect(await judge('host', { publicUrl: publicUrl() })).toMatchObject({ ok: true });
    body = '<html>';
    expect(await judge('host', { publicUrl: publicUrl() })).toMatchObject({
      ok: false,
      detail: `${publicUrl()} answers 200, but not as this host`,
      next: expect.stringContaining('CUSTODY_PUBLIC_URL'),
    });
    expect(await judge('host', { publicUrl: 'http://127.0.0.1:1' })).toMatchObject({
      ok: false,
      detail: 'nothing answers at http://127.0.0.1:1',
      next: expect.stringContaining('serve'),
    });
  });
});
