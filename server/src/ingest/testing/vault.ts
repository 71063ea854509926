import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { objectKey, type SealedObject } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import { createKeys, createStore, type Store, sealBytes } from '@flex-custody/vault';
import { MediaServer } from '../../../../packages/vault/test/media-server.ts';
import { rsaPair, wav } from '../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../sandbox/src/s3/index.ts';
import type { IngestDeps } from '../deps.ts';
import { deleteSources } from '../upkeep/sources-job.ts';
import { house, sharedDatabase } from './house.ts';
import { recorded, scene, sids } from './scene.ts';

export const sid = sids.recording(1);
export const job = { recordingSid: sid };
/** What Twilio has, unless a test says otherwise. */
export const audio = wav(4);
export const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const signal = new AbortController().signal;

/** Other samples, and all else the same. */
export function forged(): Buffer {
  const bytes = Buffer.from(audio);
  for (let at = 100; at < bytes.length; at += 1) bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  return bytes;
}

/** A host with a real bucket, real keys and real requests for media, for the tests of one file. */
export function vault() {
  const shared = sharedDatabase();
  const { privateKeyPem, spki } = rsaPair();
  /** What a Function holds: it seals, and opens nothing. */
  const functionKeys = createKeys({ kind: 'rsa-public', keyId: 'k1', spki });
  const keys = createKeys({ kind: 'rsa', keys: [{ keyId: 'k1', privateKeyPem }] });
  const media = new MediaServer();
  /** Of the bucket. */
  const faults = createFaults();
  let folder: string;
  let s3: OwnS3;
  let store: Store;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'prove-'));
    const world = { region: 'us-east-1', buckets: ['custody'], faults };
    s3 = await startS3({ directory: folder, ...world });
    store = createStore({ ...s3, region: 'us-east-1', bucket: 'custody', pathStyle: true, mode: 'envelope' });
    await media.start();
  });
  afterAll(async () => {
    media.stop();
    store.close();
    await s3.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    media.urls.length = 0;
    media.offer(audio);
    await shared.db.query('TRUNCATE reports, pauses');
    for await (const { key, versionId } of store.versions('')) await store.delete(key, versionId);
  });

  async function open(facts: Partial<TwilioRecording> = {}, change: Partial<IngestDeps> = {}) {
    const twilio = scene();
    const host = await house(twilio, shared.db, { store, keys, ...change });
    const callback = recorded(twilio, 1, { durationSeconds: 4, ...facts });

    /** Puts these bytes into the bucket, sealed by the public key, under the recording's name. */
    const put = async (bytes: Buffer): Promise<SealedObject> => {
      const key = objectKey(sids.account, sid);
      const sealed = await sealBytes(functionKeys, { account: sids.account, recording: sid }, bytes);
      const { etag, versionId } = await store.putBytes(key, sealed);
      return {
        key,
        mode: 'envelope',
        etag,
        ...(versionId !== undefined && { versionId }),
        bytes: sealed.length,
        plaintextBytes: bytes.length,
        plaintextSha256: digestOf(bytes),
        keyId: 'k1',
      };
    };
    /** Code in a Function puts these bytes there and reports them as the recording. */
    const reported = async (bytes: Buffer, channels: 1 | 2 = 2): Promise<SealedObject> => {
      const answer = await host.ingest.receive(callback);
      if (answer.action !== 'copy') throw new Error(`no lease: ${answer.action}`);
      const object = await put(bytes);
      const lease = answer.lease;
      await host.ingest.report(sid, { outcome: 'sealed', lease, object, channels, tookMs: 1 });
      host.queue.sent = [];
      return object;
    };
    return {
      twilio,
      callback,
      ...host,
      db: shared.db,
      bucket: store,
      put,
      reported,
      async verified(bytes: Buffer, channels: 1 | 2 = 2) {
        const object = await reported(bytes, channels);
        await host.queue.run('verify', job);
        return object;
      },
      /** A Function that was killed leaves its lease to lapse. */
      leaseLapses: () => shared.db.query(`UPDATE recordings SET lease_until = now() - interval '1 second'`),
      async copiedByHost() {
        await host.queue.run('copy', job);
        await host.queue.run('verify', job);
      },
      /** The time of its original has come: deletes what may be deleted. */
      async deletionDue() {
        const config = { ...host.deps.config, deleteSourceAfterHours: 24 };
        await shared.db.query(`UPDATE recordings SET verified_at = now() - interval '2 days'`);
        return (await deleteSources({ ...host.deps, config }, signal)).deleted;
      },
      configure(config: Partial<IngestDeps['config']>) {
        host.deps.config = { ...host.deps.config, ...config };
      },
    };
  }
  return { faults, open, media, shared };
}
