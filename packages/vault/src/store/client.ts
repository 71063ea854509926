import type { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { createAgent } from '@flex-custody/net';
import { boundCredentials } from './credentials-in-time.ts';
import type { StoreConfig } from './types.ts';

/** Until there is a connection, the wait for a free one of the pool included. */
export const CONNECT_MS = 5_000;
/** Until an answer begins; for a part that includes sending it. A listener may take a body as slowly as he likes. */
export const REQUEST_MS = 60_000;
/** Each listener to a recording holds one, for as long as he listens. */
export const MAX_SOCKETS = 500;

const nothing = () => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export interface ClientLimits {
  connectMs?: number;
  requestMs?: number;
  maxSockets?: number;
  /** How long an answer's body may stand still; not for bodies that a listener reads, who may pause. */
  silentMs?: number;
}

export function createClient(
  config: StoreConfig,
  {
    connectMs = CONNECT_MS,
    requestMs = REQUEST_MS,
    maxSockets = MAX_SOCKETS,
    silentMs = 0,
  }: ClientLimits = {},
): S3Client {
  const { accessKeyId, secretAccessKey, sessionToken, endpoint } = config;
  const client = new S3Client({
    region: config.region,
    ...(endpoint !== undefined && { endpoint }),
    ...(config.pathStyle !== undefined && { forcePathStyle: config.pathStyle }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      }),
    maxAttempts: 3,
    // A failure is thrown, and the caller logs it; the SDK would write to the console.
    logger: silent,
    // The default checksums travel in a chunked body that other S3s refuse; frames carry their own proof anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: requestMs,
      socketTimeout: silentMs,
      throwOnRequestTimeout: true,
      ...awsAgents(maxSockets),
    },
    // With agents of our own the SDK sends a body without waiting for leave.
    expectContinueHeader: false,
  });
  boundCredentials(client);
  if (config.mode === 'envelope') leaveSealedBytesUnsigned(client);
  return client;
}

/** For a client of AWS, which knows no proxy variable: connections of its own, through the proxy that the environment names. */
export function awsAgents(maxSockets = MAX_SOCKETS) {
  const options = { keepAlive: true, maxSockets };
  return {
    httpAgent: createAgent('http:', options),
    httpsAgent: createAgent('https:', options) as HttpsAgent,
  };
}

/**
 * Over TLS the SDK signs a request's head alone; over plain HTTP it would hash every part once more. Sealed bytes prove
 * themselves, frame by frame, when they are read: the hash would cost a fifth of a copy's time for nothing.
 */
function leaveSealedBytesUnsigned(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body?: unknown; headers: Record<string, string> };
      if (request.body instanceof Uint8Array) request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'leaveSealedBytesUnsigned' },
  );
}
