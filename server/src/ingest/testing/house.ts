import { Readable } from 'node:stream';
import { CustodyError, objectKey, type RecordingSid, type SealedObject } from '@flex-custody/core';
import type { GetOptions, Store, Stored } from '@flex-custody/vault';
import { createIdentities } from '../../access/identities.ts';
import { createAlarms } from '../../alarms/alarms.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import { createUploads } from '../../catalog/uploads.ts';
import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { openEmbedded } from '../../db/testing/on-each-engine.ts';
import type { DeadJob, Job, OfRecording, RunJob } from '../../queue/job.ts';
import type { Queue, Sending, SendOptions } from '../../queue/queue.ts';
import { keyOf } from '../../queue/sending.ts';
import { createPolicies } from '../../retention/policies.ts';
import { createRuns } from '../../runs/runs.ts';
import { testSigning } from '../../signing/testing/identity.ts';
import { createIngest, type IngestParts } from '../index.ts';
import type { FakeTwilio } from './fake-twilio.ts';
import { recorded, scene, sids } from './scene.ts';

export interface Sent {
  name: string;
  data: object;
  /** `once` as the queue stores it, with the key. */
  options?: SendOptions;
}

/** Remembers what is sent; `run` does what a worker would, `dead` what it does with a job that failed for good. */
export class FakeQueue implements Queue {
  sent: Sent[] = [];
  /** Recordings of which Twilio is to be asked whose call they are. */
  readonly facts: RecordingSid[] = [];
  /** Recordings whose length is to be compared with their call. */
  readonly lengths: RecordingSid[] = [];
  readonly workers = new Map<string, RunJob>();
  readonly schedules: string[] = [];

  async send<D extends object>(job: Job<D>, data: D, options: SendOptions = {}) {
    this.sent.push({ name: job.name, data, options: { ...options, once: keyOf(job, data, options.once) } });
  }
  async sendAll<D extends object>(job: Job<D>, sendings: readonly Sending<D>[]) {
    for (const { data, ...options } of sendings) await this.send(job, data, options);
  }
  async work<D extends object>(running: RunJob<D>) {
    const { job, everySeconds } = running;
    this.workers.set(job.name, running as RunJob);
    if (everySeconds !== undefined) this.schedules.push(`${job.name} ${everySeconds}`);
  }
  async purge({ name }: Job) {
    this.sent = this.sent.filter((job) => job.name !== name);
  }

  async waiting({ name }: Job<OfRecording>, sids: readonly RecordingSid[]) {
    const all = this.sent.flatMap((job) =>
      job.name === name && 'recordingSid' in job.data ? [job.data.recordingSid as RecordingSid] : [],
    );
    return new Set(all.filter((sid) => sids.includes(sid)));
  }
  counts = async () => [];
  stop = async () => undefined;

  names(): string[] {
    return this.sent.map((job) => job.name);
  }
  run(name: string, data: object, signal = new AbortController().signal): Promise<void> {
    return this.worker(name).run(data, { attempt: 1, signal });
  }
  async dead({ name, ...dead }: DeadJob & { name: string }): Promise<void> {
    await this.worker(name).dead?.(dead);
  }
  private worker(name: string): RunJob {
    const found = this.workers.get(name);
    if (!found) throw new Error(`no worker runs ${name}`);
    return found;
  }
}

/** The few calls of a bucket that ingest makes, by `key` and version. */
export class FakeStore
  implements
    Pick<Store, 'get' | 'head' | 'delete' | 'abortUpload' | 'putBytes' | 'keepsVersions' | 'mode' | 'bucket'>
{
  readonly bucket = 'bucket';
  readonly mode = 'envelope' as const;
  readonly objects = new Map<string, Stored>();
  /** What was put as bytes, by `key?version`. */
  readonly written = new Map<string, Buffer>();
  readonly deleted: string[] = [];
  readonly aborted: string[] = [];
  uploads: { key: string; uploadId: string; startedAt: Date }[] = [];
  failing: Error | undefined;

  async head(key: string, versionId?: string) {
    if (this.failing) throw this.failing;
    return this.objects.get(`${key}?${versionId}`);
  }
  async delete(key: string, versionId?: string) {
    if (this.failing) throw this.failing;
    this.deleted.push(`${key}?${versionId}`);
    this.objects.delete(`${key}?${versionId}`);
  }
  async putBytes(key: string, bytes: Uint8Array) {
    if (this.failing) throw this.failing;
    const versionId = `w${this.written.size + 1}`;
    const stored = { etag: `"${versionId}"`, versionId, bytes: bytes.byteLength };
    this.written.set(`${key}?${versionId}`, Buffer.from(bytes));
    this.objects.set(`${key}?${versionId}`, stored);
    return stored;
  }
  async get(key: string, { versionId }: GetOptions = {}) {
    if (this.failing) throw this.failing;
    const bytes = this.written.get(`${key}?${versionId}`);
    if (!bytes) throw new CustodyError('object_missing', key);
    const etag = `"${versionId}"`;
    const body = Readable.from([bytes]);
    return { body, etag, bytes: bytes.length, totalBytes: bytes.length, ...(versionId && { versionId }) };
  }
  keeps = true;
  async keepsVersions() {
    if (this.failing) throw this.failing;
    return this.keeps;
  }
  async lockOf(key: string, versionId?: string) {
    return this.objects.get(`${key}?${versionId}`)?.lock;
  }
  async *versions(prefix: string) {
    for (const [name, { etag, versionId }] of this.objects) {
      const [key = ''] = name.split('?');
      if (key.startsWith(prefix)) yield { key, etag, deleteMarker: false, ...(versionId && { versionId }) };
    }
  }
  async *unfinishedUploads(prefix: string) {
    yield* this.uploads.filter((upload) => upload.key.startsWith(prefix));
  }
  async abortUpload(key: string, uploadId: string) {
    if (this.failing) throw this.failing;
    this.aborted.push(`${key}?${uploadId}`);
  }
  /** Puts a sealed copy there, as a writer would. */
  holds(object: SealedObject): SealedObject {
    this.objects.set(`${object.key}?${object.versionId}`, {
      etag: object.etag,
      bytes: object.bytes,
      ...(object.versionId === undefined ? {} : { versionId: object.versionId }),
    });
    return object;
  }
}

export function sealedObject(sid: RecordingSid, change: Partial<SealedObject> = {}): SealedObject {
  return {
    key: objectKey(sids.account, sid),
    mode: 'envelope',
    versionId: 'v1',
    etag: '"e1"',
    bytes: 1_000_800,
    plaintextBytes: 1_000_000,
    plaintextSha256: 'a'.repeat(64),
    keyId: 'k1',
    ...change,
  };
}

/** Of all houses of a test: hosts share it. */
export const houseSigning = testSigning();

/**
 * A host's ingest room on a real catalog (the embedded database, in memory), with the outside world faked.
 * @param options `verifiesApart: false` as a host has it: a copy and its verification are one job
 */
export async function house(
  twilio: FakeTwilio,
  db: Db,
  change: Partial<IngestParts> = {},
  { verifiesApart = true } = {},
) {
  const queue = new FakeQueue();
  const store = new FakeStore();
  const catalog = createCatalog(db, sids.account);
  const alarms = createAlarms(db);
  const lines: string[] = [];
  const line = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const deps: IngestParts = {
    config: {
      accountSid: sids.account,
      publicUrl: 'https://custody.example',
      mediaChannels: ['customer', 'others'],
      conferenceFirst: 'agent',
      insightsMeasures: [],
      leaseMs: 15_000,
      copiesAtOnce: 2,
      reconcile: { everyMinutes: 0, hours: 48 },
    },
    credentials: { username: sids.account, password: 'secret-of-the-account' },
    catalog,
    uploads: createUploads(db),
    identities: createIdentities(db),
    runs: createRuns(db),
    policies: createPolicies(db, sids.account),
    alarms,
    queue,
    askWhoseCall: async (sid) => void queue.facts.push(sid),
    askLength: async (sid) => void queue.lengths.push(sid),
    twilio,
    store: store as unknown as Store,
    keys: undefined,
    resealSecrets: async () => ({ resealed: [], failed: [] }),
    signing: houseSigning,
    log: { info: line, warn: line, error: line },
    ...change,
  };
  const ingest = createIngest(deps);
  for (const running of ingest.jobs({ verifiesApart })) await deps.queue.work(running);
  const alarmCodes = async () => (await alarms.list({ open: true })).map((alarm) => alarm.code).sort();
  return { deps, ingest, queue, store, catalog, alarms, alarmCodes, lines };
}

/** A house with a recording that it is to copy itself, and nothing else to do. */
export async function handedOver(db: Db) {
  const twilio = scene();
  const host = await house(twilio, db);
  const answer = await host.ingest.receive(recorded(twilio, 1));
  if (answer.action !== 'copy') throw new Error('no lease');
  await host.catalog.release(sids.recording(1), answer.lease);
  host.queue.sent = [];
  return { twilio, ...host };
}

/** One database for a test file, emptied between tests: opening one is the slow part. */
export function sharedDatabase(): { readonly db: Db } {
  let db: Db | undefined;
  beforeAll(async () => {
    ({ db } = await openEmbedded());
    await migrate(db);
  }, 60_000);
  beforeEach(async () => {
    await db?.query('TRUNCATE recordings, alarms, copy_rates, identities, policies, marks CASCADE');
  });
  afterAll(async () => {
    await db?.close();
  });
  return {
    get db() {
      if (!db) throw new Error('the database is opened by beforeAll');
      return db;
    },
  };
}
