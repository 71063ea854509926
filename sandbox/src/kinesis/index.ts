import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type Child, startChild } from '../stack/children.ts';

/**
 * `kinesalite` for load: thousands of records a second; no UpdateShardCount. `kinesis-local` for contracts: every operation,
 * some hundred records a second.
 */
export type KinesisDouble = 'kinesalite' | 'kinesis-local';

export interface OwnKinesis {
  /** For AWS_ENDPOINT_URL_KINESIS. */
  endpoint: string;
  readonly pid: number;
  close(): Promise<void>;
}

/** How long a stream is being created or re-sharded. */
const changeMs = 50;

/**
 * Starts a double of Kinesis on loopback, as a process of its own in a folder of its own, and waits until it answers. It keeps
 * streams in memory, and takes any credentials.
 */
export async function startKinesis(options: {
  double: KinesisDouble;
  /** The project's root. */
  root: string;
  /** Where it runs, and writes its log; made if it is missing. */
  folder: string;
  /** A free one by default. */
  port?: number;
}): Promise<OwnKinesis> {
  const { double, root, folder } = options;
  mkdirSync(folder, { recursive: true });
  const port = options.port ?? (await freePort());
  const child = startChild({
    name: double,
    args: [
      ...['sandbox/src/guard/end-with-parent.cjs', 'sandbox/src/kinesis/on-loopback.cjs'].flatMap((file) => [
        '--require',
        join(root, file),
      ]),
      ...(await commandOf(double, root, port)),
    ],
    cwd: folder,
    env: { PATH: dirname(process.execPath), HOME: folder, ...(await environmentOf(double, root, port)) },
    logFolder: folder,
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await child
    // Both answer an unsigned request with a refusal.
    .ready(async () => (await fetch(endpoint, { method: 'POST' })).status > 0)
    .catch(async (error: unknown) => {
      await child.stop(0);
      throw error;
    });
  return { endpoint, pid: child.pid, close: () => stop(child) };
}

const stop = (child: Child) => child.stop(2_000);

async function commandOf(double: KinesisDouble, root: string, port: number): Promise<string[]> {
  if (double === 'kinesis-local') return [join(root, 'node_modules/kinesis-local/main.js')];
  const change = ['create', 'update', 'delete'].flatMap((what) => [`--${what}StreamMs`, `${changeMs}`]);
  return [
    join(root, 'node_modules/kinesalite/cli.js'),
    '--port',
    `${port}`,
    '--shardLimit',
    '100',
    ...change,
  ];
}

async function environmentOf(
  double: KinesisDouble,
  root: string,
  port: number,
): Promise<Record<string, string>> {
  if (double === 'kinesalite') return {};
  const changes = ['CREATE_STREAM', 'DELETE_STREAM', 'MERGE_SHARDS', 'SPLIT_SHARD', 'UPDATE_SHARD_COUNT'];
  return {
    KINESIS_MOCK_PLAIN_PORT: `${port}`,
    KINESIS_MOCK_TLS_PORT: `${await freePort()}`,
    KINESIS_MOCK_CERT_PATH: join(root, 'node_modules/kinesis-local/server.json'),
    LOG_LEVEL: 'ERROR',
    ...Object.fromEntries(changes.map((change) => [`${change}_DURATION`, `${changeMs}ms`])),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
