import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { answerTo, createAgent } from '@flex-custody/net';
import aws4 from 'aws4';
import { type ClientLimits, CONNECT_MS, MAX_SOCKETS, REQUEST_MS } from './client.ts';
import { credentialsInTime } from './credentials-in-time.ts';
import { headersOf, type NewObject } from './new-object.ts';
import type { GetOptions, Lane, Stored } from './types.ts';

/**
 * The two requests that every recording makes, signed and sent without the SDK's layers, which take more time than
 * sealing does. Each is tried once: what does not simply succeed is `undefined`, and the SDK's to ask again, which knows
 * retries, clocks that are wrong, and what each failure is called.
 */
export interface DirectRequests {
  put(key: string, bytes: Uint8Array, object: NewObject, signal?: AbortSignal): Promise<Stored | undefined>;
  get(
    key: string,
    options: GetOptions,
  ): Promise<(Stored & { body: IncomingMessage; totalBytes: number }) | undefined>;
  close(): void;
}

/** Where the SDK sends a bucket's requests, and what it signs them for. */
export interface Target {
  origin: URL;
  /** Before a key. */
  path: string;
  region: string;
}

/** What a path holds as it is; other keys are left to the SDK. */
const PLAIN_KEY = /^[\w./-]+$/;
const PROBE = 'probe';

/** For sealed bytes alone: they are sent unsigned, and prove themselves when they are read. */
export function directRequests(
  client: S3Client,
  bucket: string,
  { connectMs = CONNECT_MS, requestMs = REQUEST_MS, maxSockets = MAX_SOCKETS }: ClientLimits = {},
): DirectRequests {
  const agents = new Map<string, http.Agent>();
  let learned: Promise<Target | undefined> | undefined;

  const targetOf = (): Promise<Target | undefined> => {
    learned ??= learnTarget(client, bucket).catch(() => {
      // Without credentials, for one: they may come.
      learned = undefined;
      return undefined;
    });
    return learned;
  };
  // Apart: a listener holds a connection for as long as he listens, and neither a copy nor other reads wait for it.
  const agentFor = (lane: 'put' | Lane, protocol: 'http:' | 'https:'): http.Agent => {
    const found = agents.get(lane) ?? createAgent(protocol, { keepAlive: true, maxSockets });
    agents.set(lane, found);
    return found;
  };

  const ask = async (
    method: 'GET' | 'PUT',
    {
      key,
      query = '',
      body,
      signal,
      lane,
      ...more
    }: {
      key: string;
      lane: 'put' | Lane;
      query?: string;
      headers: Record<string, string>;
      body?: Uint8Array;
      signal?: AbortSignal | undefined;
    },
  ): Promise<IncomingMessage | undefined> => {
    if (!PLAIN_KEY.test(key)) return undefined;
    const target = await targetOf();
    if (!target) return undefined;
    try {
      const { accessKeyId, secretAccessKey, sessionToken } = await credentialsInTime(client);
      const { path, headers } = aws4.sign(
        {
          service: 's3',
          region: target.region,
          method,
          host: target.origin.host,
          path: `${target.path}${key}${query}`,
          headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...more.headers },
        },
        { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      );
      const isSecure = target.origin.protocol === 'https:';
      const made = (isSecure ? https : http).request({
        agent: agentFor(lane, isSecure ? 'https:' : 'http:'),
        method,
        hostname: target.origin.hostname,
        port: target.origin.port,
        path,
        headers: headers as http.OutgoingHttpHeaders,
      });
      const answer = await answerTo(made, { answerMs: requestMs, connectMs, body, signal });
      if (answer.statusCode === 200 || answer.statusCode === 206) return answer;
      answer.resume();
    } catch {
      // Also where the caller has aborted: the SDK then throws the caller's own reason and sends nothing.
    }
    return undefined;
  };

  return {
    async put(key, bytes, object, signal) {
      const headers = { ...headersOf(object), 'content-length': String(bytes.byteLength) };
      const answer = await ask('PUT', { key, lane: 'put', headers, body: bytes, signal });
      if (!answer) return undefined;
      answer.resume();
      return { ...storedOf(answer), bytes: bytes.byteLength };
    },
    async get(key, { start, end, ifMatch, versionId, signal, lane = 'work' }) {
      const answer = await ask('GET', {
        key,
        lane,
        signal,
        ...(versionId !== undefined && { query: `?versionId=${encodeURIComponent(versionId)}` }),
        headers: {
          ...((start ?? end) !== undefined && { range: `bytes=${start ?? 0}-${end ?? ''}` }),
          ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        },
      });
      if (!answer) return undefined;
      const found = storedOf(answer);
      const total = /\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1];
      return { ...found, body: answer, totalBytes: total === undefined ? found.bytes : Number(total) };
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** The SDK knows every kind of endpoint and bucket name: a URL that it signs shows where they lead. */
async function learnTarget(client: S3Client, bucket: string): Promise<Target | undefined> {
  const command = new GetObjectCommand({ Bucket: bucket, Key: PROBE });
  return readTarget(new URL(await getSignedUrl(client, command, { expiresIn: 60 })));
}

/** Undefined where it is signed in another way than ours, as for buckets in one zone or in many regions. */
export function readTarget(probe: URL): Target | undefined {
  const [region, service] = (probe.searchParams.get('X-Amz-Credential') ?? '').split('/').slice(-3);
  const isOurs =
    probe.searchParams.get('X-Amz-Algorithm') === 'AWS4-HMAC-SHA256' &&
    service === 's3' &&
    probe.pathname.endsWith(`/${PROBE}`);
  if (!isOurs || region === undefined) return undefined;
  return { origin: new URL(probe.origin), path: probe.pathname.slice(0, -PROBE.length), region };
}

function storedOf({ headers }: IncomingMessage): Stored {
  const versionId = headers['x-amz-version-id'];
  const modified = Date.parse(headers['last-modified'] ?? '');
  return {
    etag: headers.etag ?? '',
    bytes: Number(headers['content-length'] ?? 0),
    ...(Number.isNaN(modified) ? {} : { lastModified: new Date(modified) }),
    ...(typeof versionId === 'string' && { versionId }),
  };
}
