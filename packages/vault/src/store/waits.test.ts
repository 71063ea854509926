import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeEncryptionMaterial } from '@aws-crypto/material-management-node';
import { HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ConnectProxy } from '../../../net/test/connect-proxy.ts';
import { suite } from '../keys/keys.ts';
import { kmsKeyrings } from '../keys/kms.ts';
import { createClient } from './client.ts';
import { directRequests } from './direct.ts';
import type { StoreConfig } from './types.ts';

const names = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'AWS_ENDPOINT_URL_KMS'];
const before = names.map((name) => [name, process.env[name]] as const);
const config: StoreConfig = {
  mode: 'envelope',
  bucket: 'custody',
  region: 'us-east-1',
  endpoint: 'https://s3.example',
  pathStyle: true,
  accessKeyId: 'AKIAEXAMPLE',
  secretAccessKey: 'secret',
};
const head = new HeadObjectCommand({ Bucket: 'custody', Key: 'recordings/a' });
const soon = { connectMs: 50, requestMs: 10_000 };

afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

describe('through a proxy that takes connections and never answers', () => {
  let proxy: ConnectProxy;
  beforeEach(async () => {
    for (const name of names) delete process.env[name];
    proxy = new ConnectProxy(() => undefined);
    await proxy.start();
    process.env['HTTPS_PROXY'] = proxy.url;
    proxy.silence();
  });
  afterEach(() => proxy.stop());

  test("S3's SDK ends by its limit, and by whoever no longer waits", async () => {
    const client = createClient(config, soon);
    await expect(client.send(head)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(new Set(proxy.tunnels)).toEqual(new Set(['s3.example:443']));
    const patient = createClient(config);
    const stop = new AbortController();
    const asked = patient.send(head, { abortSignal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    for (const one of [client, patient]) one.destroy();
  });

  test('so do our own requests to S3, which leave the rest to the SDK', async () => {
    const client = createClient(config);
    const direct = directRequests(client, 'custody', soon);
    expect(await direct.put('recordings/a', Buffer.from('sealed'), {})).toBeUndefined();
    const patient = directRequests(client, 'custody');
    const stop = new AbortController();
    const asked = patient.get('recordings/a', { signal: stop.signal });
    setImmediate(() => stop.abort());
    expect(await asked).toBeUndefined();
    for (const one of [direct, patient]) one.close();
    client.destroy();
  });

  test('so does the KMS', async () => {
    const keyId = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' };
    const source = kmsKeyrings(
      { kind: 'kms', keyIds: [keyId], credentials },
      { connectionTimeout: 50, requestTimeout: 10_000 },
    );
    const session = await source();
    await expect(session.writer().onEncrypt(new NodeEncryptionMaterial(suite, {}))).rejects.toThrow();
    expect(session.failure()).toMatchObject({ code: 'key_unavailable', retryable: true });
    expect(new Set(proxy.tunnels)).toEqual(new Set(['kms.us-east-1.amazonaws.com:443']));
  });
});

describe('without a proxy', () => {
  let server: Server;
  let answer: RequestListener;
  const clients: ReturnType<typeof createClient>[] = [];
  const here = (limits: Parameters<typeof createClient>[1]) => {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createClient({ ...config, endpoint }, limits);
    clients.push(client);
    return client;
  };
  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    server.closeAllConnections();
    server.close();
  });

  test('a full pool ends the wait for a connection', async () => {
    let asked = 0;
    let take = () => {};
    const isTaken = new Promise<void>((resolve) => {
      take = resolve;
    });
    answer = () => {
      asked += 1;
      take();
    };
    const client = here({ connectMs: 50, requestMs: 60_000, maxSockets: 1 });
    client.send(head).catch(() => undefined);
    await isTaken;
    await expect(client.send(head)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(asked).toBe(1);
  });

  test('an answer whose body stands still ends, too', async () => {
    answer = (_request, response) => response.writeHead(200, { 'content-length': 100 }).write('<List');
    const client = here({ silentMs: 50 });
    await expect(client.send(new ListObjectsV2Command({ Bucket: 'custody' }))).rejects.toThrow();
  });
});
