import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
// Also lets the embedded database load inside tests.
import '../db/testing/on-each-engine.ts';
import type { Config } from '../config.ts';
import { type CustodyConfig, custodyFacts } from '../custody/facts.ts';
import { type DirectoryLock, lockDirectory } from '../db/lock.ts';
import type { OperatorApi } from '../http/operators/operator-api.ts';
import { operatorSecret } from '../http/operators/routes.ts';
import { buildOps } from '../http/ops.ts';
import { ingestJobs } from '../ingest/jobs.ts';
import { createLog } from '../log.ts';
import { withOperatorApi } from './operator-api.ts';

const mediaSecret = new Uint8Array(32).fill(7);
const custody: CustodyConfig & Pick<Config, 'secretsKeys'> = {
  accountSid: `AC${'0a'.repeat(16)}` as CustodyConfig['accountSid'],
  store: { bucket: 'recordings', region: 'eu-central-1', mode: 'sse-kms' },
  callerSecret: Buffer.alloc(32, 9).toString('base64'),
  secretsKeys: [],
};
let directory: string;
let said: jest.SpyInstance;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'operator-api-'));
  said = jest.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(() => {
  said.mockRestore();
  rmSync(directory, { recursive: true, force: true });
});

const go = (work: (api: OperatorApi) => Promise<void>, port: number, host = '127.0.0.1') =>
  withOperatorApi(work, {
    config: { ...custody, database: { directory }, ops: { host, port }, mediaSecret },
  });

test('with nobody there it opens the database itself, and lets go of it', async () => {
  let standing: unknown;
  await go(async (api) => {
    standing = await api.alarms();
  }, 1);
  lockDirectory(directory).release();
  expect(standing).toEqual([]);
});

test('a database of another custody is refused before anything is done', async () => {
  await go(async () => undefined, 1);
  const other = { ...custody, store: { ...custody.store, bucket: 'another' } };
  const work = jest.fn();
  const asked = withOperatorApi(work, {
    config: { ...other, database: { directory }, ops: { host: '127.0.0.1', port: 1 }, mediaSecret },
  });
  await expect(asked).rejects.toMatchObject({ code: 'custody_differs' });
  expect(work).not.toHaveBeenCalled();
});

describe('while a host has the database', () => {
  let lock: DirectoryLock;
  let ops: FastifyInstance;
  let port: number;
  beforeEach(async () => {
    lock = lockDirectory(directory);
    const health = { kind: 'pglite', version: 1, work: { custody: custodyFacts(custody) } };
    const api = {
      alarms: async () => [{ id: 3, code: 'from_host' }],
      health: async () => health,
    } as unknown as OperatorApi;
    ops = buildOps({
      log: createLog('silent'),
      metrics: { contentType: 'text/plain', read: async () => '' },
      checks: {},
      operators: { api, secret: operatorSecret(mediaSecret) },
    });
    port = Number(new URL(await ops.listen({ host: '127.0.0.1', port: 0 })).port);
  });
  afterEach(async () => {
    await ops.close();
    lock.release();
  });

  test.each(['127.0.0.1', '0.0.0.0'])('it asks the host on %s', async (host) => {
    let standing: unknown;
    await go(
      async (api) => {
        standing = await api.alarms();
      },
      port,
      host,
    );
    expect(standing).toEqual([{ id: 3, code: 'from_host' }]);
    // Which host was asked is for --verbose.
    expect(said).not.toHaveBeenCalled();
  });

  test('a command with another caller secret than the host has is refused', async () => {
    const stranger = { ...custody, callerSecret: Buffer.alloc(32).toString('base64') };
    const work = jest.fn();
    const parts = { database: { directory }, ops: { host: '127.0.0.1', port }, mediaSecret };
    const refused = withOperatorApi(work, { config: { ...stranger, ...parts } });
    await expect(refused).rejects.toMatchObject({ code: 'custody_differs' });
    await expect(refused).rejects.toThrow(/^caller secret: /);
    expect(work).not.toHaveBeenCalled();
  });

  test('one that does not answer is told with who has the database, and what to set', async () => {
    const asked = go(async (api) => void (await api.alarms()), 1);
    await expect(asked).rejects.toMatchObject({ code: 'data_dir_locked' });
    await expect(asked).rejects.toThrow(
      new RegExp(`no host answers at http://127.0.0.1:1.*process ${process.pid}.*CUSTODY_OPS_PORT`),
    );
  });
});

test('what it sends is tried as often as what the host sends', async () => {
  const retries = { limit: 3, delaySeconds: 7 };
  const house = {
    ...custody,
    database: { directory },
    ops: { host: '127.0.0.1', port: 1 },
    mediaSecret,
    retries,
  };
  let sent: unknown;
  await withOperatorApi(
    async (api) => {
      await api.begin('send', {});
      while (sent === undefined) await api.look('send');
    },
    { config: house },
    {
      signal: new AbortController().signal,
      works: (db, queue) => ({
        works: {
          async send() {
            await queue.send(ingestJobs.janitor, {}, { once: 'later', startAfterMs: 60_000 });
            sent = await db.query(
              `SELECT retry_limit, retry_delay FROM pgboss.job WHERE singleton_key = 'later'`,
            );
          },
        },
        release: () => undefined,
      }),
    },
  );
  expect(sent).toEqual([{ retry_limit: 3, retry_delay: 7 }]);
});
