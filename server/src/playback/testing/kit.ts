import { createHash, randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  type AccountSid,
  asAccountSid,
  asRecordingSid,
  asReservationSid,
  asWorkerSid,
  CustodyError,
  type RecordingSid,
  type SealedObject,
} from '@flex-custody/core';
import type { GetOptions, Store } from '@flex-custody/vault';
import fastify, { type FastifyInstance } from 'fastify';
import type { Audit, AuditEntry } from '../../access/audit.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { StoredRecording } from '../audio.ts';

/** Shared by tests of playback: a row, a bucket in memory, an audit log that can be read. */

const sid = <T>(parse: (value: unknown) => T | undefined, prefix: string, digit: string): T =>
  parse(prefix + digit.repeat(32)) as T;

export const account: AccountSid = sid(asAccountSid, 'AC', 'a');
export const recording: RecordingSid = sid(asRecordingSid, 'RE', '1');
export const otherRecording: RecordingSid = sid(asRecordingSid, 'RE', '2');
export const reservation = sid(asReservationSid, 'WR', '3');
export const worker = sid(asWorkerSid, 'WK', '4');
export const otherWorker = sid(asWorkerSid, 'WK', '5');
export const secret = new Uint8Array(32).fill(7);
export const publicUrl = 'https://custody.example';

export function rowOf(facts: Partial<RecordingRow> = {}): RecordingRow {
  const at = new Date('2026-11-20T10:00:00Z');
  return {
    recordingSid: recording,
    accountSid: account,
    channels: 2,
    startedAt: at,
    state: 'registered',
    linkState: 'linked',
    segmentGeneration: 1,
    createdAt: at,
    updatedAt: at,
    hints: {},
    source: 'callback',
    attempts: 0,
    leases: 1,
    unproven: [],
    hintedCallers: [],
    sourceEncrypted: false,
    sourceCompleted: true,
    ...facts,
  };
}

export function storedRow(
  object: Partial<SealedObject> = {},
  facts: Partial<RecordingRow> = {},
): StoredRecording {
  return {
    ...rowOf({ state: 'verified', ...facts }),
    object: {
      key: `recordings/${account}/${recording}`,
      mode: 'envelope',
      etag: '"e1"',
      bytes: 0,
      plaintextBytes: 0,
      plaintextSha256: 'f'.repeat(64),
      keyId: 'k1',
      ...object,
    },
  };
}

/** Bytes that differ everywhere, so that any slip of a range shows. */
export const noise = (bytes: number): Buffer => randomBytes(bytes);
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** One object and the requests made for it; bodies come in chunks of 10,000 bytes. */
export function bucketOf(key: string, content: Buffer, etag = '"e1"') {
  const requests: GetOptions[] = [];
  const bodies: Readable[] = [];
  const state = { content, etag };
  const store: Pick<Store, 'get' | 'presignGet'> = {
    async get(wanted, options = {}) {
      requests.push(options);
      if (wanted !== key) throw new CustodyError('object_missing', 'no such object');
      if (options.ifMatch !== undefined && options.ifMatch !== state.etag) {
        throw new CustodyError('object_changed', 'the key has another object');
      }
      const part = state.content.subarray(options.start ?? 0, (options.end ?? state.content.length - 1) + 1);
      const chunks = function* () {
        for (let at = 0; at < part.length; at += 10_000) yield part.subarray(at, at + 10_000);
      };
      const body = Readable.from(chunks(), { objectMode: false });
      bodies.push(body);
      return { etag: state.etag, bytes: part.length, totalBytes: state.content.length, body };
    },
    presignGet: async (wanted, version, seconds) =>
      `https://bucket.example/${wanted}?versionId=${version}&X-Amz-Expires=${seconds}`,
  };
  return { store: store as Store, requests, bodies, state };
}

/** An audit log in memory; `broken` makes it refuse. */
export function auditLog() {
  const entries: AuditEntry[] = [];
  const log = { entries, broken: false };
  const audit: Audit = {
    async record(entry) {
      if (log.broken) throw new CustodyError('audit_unavailable', 'no audit');
      entries.push(entry);
    },
  };
  return { audit, log };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json: unknown;
}

export type Ask = (path: string, headers?: OutgoingHttpHeaders, method?: string) => Promise<Answer>;

/** An app that answers errors as the host does. */
export function emptyApp(): FastifyInstance {
  const app = fastify();
  app.setErrorHandler((error, _request, reply) => {
    const known = error instanceof CustodyError ? error : new CustodyError('unexpected', String(error));
    return reply.code(known.status).send({ error: known.code });
  });
  return app;
}

/** Serves the app on a port of its own, and asks it over the wire. */
export async function serve(app: FastifyInstance): Promise<{ ask: Ask; port: number }> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const ask: Ask = (path, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      const sent = request({ port, path, headers, method, agent: false }, async (answer) => {
        try {
          const body = await bytesOf(answer);
          const isJson = /json/.test(answer.headers['content-type'] ?? '') && body.length > 0;
          const json: unknown = isJson ? JSON.parse(body.toString()) : undefined;
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body, json });
        } catch (error) {
          reject(error);
        }
      });
      sent.on('error', reject);
      sent.end();
    });
  return { ask, port };
}
