import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { objectKey, type RecordingSid, type Sidecar, sidecarKey } from '@flex-custody/core';
import { createKeys, createStore, type ListOptions, type Store, sealBytes } from '@flex-custody/vault';
import { wav } from '../../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../../sandbox/src/s3/index.ts';
import { createAudit } from '../../../access/audit.ts';
import { openSidecar, sidecarOf } from '../../../catalog/sidecars.ts';
import { newSigningKey } from '../../../signing/key-file.ts';
import { testSigning } from '../../../signing/testing/identity.ts';
import { house, houseSigning, sharedDatabase } from '../../testing/house.ts';
import { recorded, scene, sids, startedAt } from '../../testing/scene.ts';
import { describeJob } from '../../verify/describe-job.ts';
import { type RebuildOptions, rebuild } from './rebuild.ts';

const shared = sharedDatabase();
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const audio = wav(4);
const everything = ['owner', 'caller', 'direction', 'start'];
let folder: string;
let s3: OwnS3;
let store: Store;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rebuild-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: ['custody'],
    faults: createFaults(),
  });
  store = createStore({ ...s3, region: 'us-east-1', bucket: 'custody', pathStyle: true, mode: 'envelope' });
});
afterAll(async () => {
  store.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await shared.db.query('TRUNCATE runs, audit');
  for await (const { key, versionId } of store.versions('')) await store.delete(key, versionId);
});

/** What lies in the bucket has lain there for long. */
const aged = () =>
  new Proxy(store, {
    get(target, name) {
      if (name === 'list')
        return async function* (...of: Parameters<Store['list']>) {
          for await (const one of target.list(...of)) yield { ...one, lastModified: new Date(0) };
        };
      const own: unknown = Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });

async function open(signing = houseSigning) {
  const twilio = scene();
  const host = await house(twilio, shared.db, { store: aged(), keys, signing });
  host.queue.sent = [];
  const run = async (options: RebuildOptions = {}) => {
    const deps = { ...host.deps, audit: createAudit(shared.db) };
    return (await host.deps.runs.run('rebuild', { ...options }, (one) => rebuild(deps, one))).counts;
  };
  return { twilio, ...host, run };
}
type House = Awaited<ReturnType<typeof open>>;

/** A recording that was verified and described, with the link that its callback hinted at. */
async function verified({ catalog, ingest, deps, queue, twilio }: House, n: number) {
  const sid = sids.recording(n);
  const answer = await ingest.receive(recorded(twilio, n, { durationSeconds: 4 }));
  if (answer.action !== 'copy') throw new Error('no lease');
  const key = objectKey(sids.account, sid);
  const sealed = await sealBytes(keys, { account: sids.account, recording: sid }, audio);
  const stored = await store.putBytes(key, sealed);
  const object = {
    key,
    mode: 'envelope' as const,
    ...(stored.versionId !== undefined && { versionId: stored.versionId }),
    etag: stored.etag,
    bytes: stored.bytes,
    plaintextBytes: audio.length,
    keyId: 'k1',
  };
  await catalog.sealed(sid, answer.lease, object, 2);
  await queue.run('link', { recordingSid: sid });
  await queue.run('verify', { recordingSid: sid });
  await describeJob(deps, sid);
  queue.sent = [];
  const row = await catalog.find(sid);
  if (row?.state !== 'verified' || !row.sidecar || !row.object) throw new Error('not verified');
  return { sid, row, object: row.object };
}

/** As whoever has the Functions' S3 key and the public key can. */
async function forge(sid: RecordingSid, said: Sidecar, as: (json: string) => string | Promise<string>) {
  const text = Buffer.from(await as(JSON.stringify(said)));
  const context = { account: sids.account, recording: sid };
  await store.putBytes(sidecarKey(sids.account, sid), await sealBytes(keys, context, text));
}
const plain = (json: string) => json;
const lose = () => shared.db.query('TRUNCATE recordings, alarms CASCADE');

test('what hosts have signed comes back, to be read back again', async () => {
  const host = await open();
  const { sid, row } = await verified(host, 1);
  await lose();
  expect(await host.run({ dryRun: true })).toMatchObject({ sidecars: 1, restored: 1 });
  expect(await host.catalog.find(sid)).toBeUndefined();
  expect(await host.run()).toMatchObject({ sidecars: 1, restored: 1, compared: 1 });
  const { createdAt, updatedAt, leases, hints, sidecar, sourceCompleted, verifiedAt, ...kept } = row;
  const restored = await host.catalog.find(sid);
  // By which key the sidecar is sealed nobody noted in it: rotating keys looks at it again.
  const { keyId, ...stored } = sidecar ?? ({} as never);
  expect(restored).toMatchObject({ ...kept, state: 'sealed', sidecar: stored, unproven: [] });
  expect([restored?.verifiedAt, restored?.workerSid]).toEqual([undefined, sids.worker]);
  expect(host.queue.names()).toEqual(['verify']);
  await host.queue.run('verify', { recordingSid: sid });
  expect(await host.catalog.find(sid)).toMatchObject({
    state: 'verified',
    object: { plaintextSha256: row.object?.plaintextSha256 },
    sidecar: { signedBy: houseSigning.keyId },
  });
  expect(await host.run()).toMatchObject({ sidecars: 1, known: 1 });
});

test('proof and verification are never restored, whoever says so', async () => {
  const host = await open();
  const { sid, row } = await verified(host, 1);
  const proof = { at: new Date().toISOString(), host: 'h', by: 'copy', how: 'sha256' } as const;
  const said = sidecarOf({ ...row, proof }, row.object!, null);
  await forge(sid, said, (json) => houseSigning.sign('sidecar+jws', json));
  await lose();
  await host.run();
  const restored = await host.catalog.find(sid);
  expect([restored?.state, restored?.proof, restored?.verifiedAt]).toEqual(['sealed', undefined, undefined]);
});

test('what another host has signed comes back where its key is listed, and a rotated key is one of them', async () => {
  const [old, now] = [newSigningKey(), newSigningKey()];
  const { sid } = await verified(await open(testSigning(old)), 1);
  await lose();
  expect(await (await open(testSigning(now))).run({ dryRun: true })).toMatchObject({ unsigned: 1 });
  const host = await open(testSigning(now, old));
  expect(await host.run()).toMatchObject({ restored: 1 });
  expect(await host.catalog.find(sid)).toMatchObject({ workerSid: sids.worker, unproven: [] });
  await host.queue.run('verify', { recordingSid: sid });
  expect((await host.catalog.find(sid))?.sidecar?.signedBy).toBe(testSigning(now).keyId);
});

const asOfAnOlderRelease = ['in plain, as an earlier release or anybody writes it', plain] as const;
const asStranger = [
  'signed by a key of the forger',
  (json: string) => testSigning().sign('sidecar+jws', json),
] as const;
const asOtherText = [
  'with the signature of another text',
  async (json: string) => {
    const [head, , signature] = (await houseSigning.sign('sidecar+jws', '{}')).split('.');
    return `${head}.${Buffer.from(json).toString('base64url')}.${signature}`;
  },
] as const;
const asCertificate = [
  'signed as something else',
  (json: string) => houseSigning.sign('erasure+jws', json),
] as const;
const forgeries = [asOfAnOlderRelease, asStranger, asOtherText, asCertificate];

test.each(forgeries)('a sidecar %s restores nothing but the SID', async (_what, as) => {
  const host = await open();
  const { sid, row, object } = await verified(host, 1);
  const said = sidecarOf({ ...row, workerSid: sids.otherWorker, startedAt: new Date(0) }, object, null);
  await forge(sid, { ...said, sourceDeletedAt: new Date(0).toISOString() }, as);
  await lose();
  expect(await host.run()).toMatchObject({ sidecars: 1, unsigned: 1, compared: 1, adopted: 1 });
  const adopted = await host.catalog.find(sid);
  expect(adopted).toMatchObject({ state: 'sealed', source: 'adopted', startedAt, durationSeconds: 4 });
  expect([adopted?.workerSid, adopted?.taskSid, adopted?.sourceDeletedAt, adopted?.sidecar]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  await host.queue.run('verify', { recordingSid: sid });
  const now = await host.catalog.find(sid);
  expect(now).toMatchObject({ state: 'verified', sidecar: { signedBy: houseSigning.keyId } });
  expect((await openSidecar(host.deps, sid)).sidecar.workerSid).toBeUndefined();
});

test('has recordings without a sidecar adopted, and what it knows left as it is', async () => {
  const host = await open();
  const { sid } = await verified(host, 1);
  const other = await verified(host, 2);
  await shared.db.query('DELETE FROM recordings WHERE recording_sid = $1', [other.sid]);
  await store.delete(sidecarKey(sids.account, other.sid), other.row.sidecar?.versionId);
  expect(await host.run()).toMatchObject({ compared: 2, adopted: 1 });
  expect((await host.catalog.find(sid))?.state).toBe('verified');
  expect((await host.catalog.find(other.sid))?.state).toBe('sealed');
});

test('a sidecar that lies beside another recording, or whose recording is gone, is an alarm', async () => {
  const host = await open();
  const first = await verified(host, 1);
  await store.delete(first.object.key, first.object.versionId);
  const second = await verified(host, 2);
  const stolen = await buffer((await store.get(`${second.object.key}.json`)).body);
  await store.putBytes(`recordings/${sids.account}/${sids.recording(3)}.json`, stolen);
  const fourth = await verified(host, 4);
  const elsewhere = { ...sidecarOf(fourth.row, second.object, null), recordingSid: fourth.sid };
  await forge(fourth.sid, elsewhere, (json) => houseSigning.sign('sidecar+jws', json));
  await lose();
  expect(await host.run()).toMatchObject({ sidecars: 4, restored: 1, without_recording: 1, unreadable: 2 });
  expect((await host.alarms.list()).map(({ code, recordingSid }) => [code, recordingSid]).sort()).toEqual([
    ['object_lost', first.sid],
    // Of several one alarm, which says how many.
    ['sidecar_unreadable', undefined],
  ]);
  expect((await host.alarms.list()).map(({ detail }) => detail)).toContainEqual(
    expect.stringMatching(/^2 recordings, which the log names: .*sidecar_invalid/),
  );
});

describe('an operator accepts what nobody has signed', () => {
  const audited = async () =>
    shared.db.query('SELECT viewer, action, recording_sid, allowed, reason FROM audit ORDER BY id');

  type Change = Partial<Omit<Sidecar, 'object'>> & { object?: Partial<Sidecar['object']> };
  async function accepted(change: Change, before: (host: House) => unknown = () => undefined) {
    const host = await open();
    const { sid, row, object } = await verified(host, 1);
    const said = { ...sidecarOf(row, object, null), ...change };
    await forge(sid, { ...said, object: { ...object, ...change.object } }, plain);
    await lose();
    await before(host);
    const counts = await host.run({ acceptUnsigned: true });
    return { ...host, sid, counts };
  }

  test('it comes back as hearsay, and the audit log says so', async () => {
    const startedLong = new Date(0).toISOString();
    const host = await accepted({ startedAt: startedLong, workerSid: sids.otherWorker, caller: 'digest' });
    expect(host.counts).toMatchObject({ unsigned: 1, restored: 1 });
    expect(await host.catalog.find(host.sid)).toMatchObject({
      state: 'sealed',
      linkState: 'pending',
      workerSid: sids.otherWorker,
      caller: 'digest',
      // Twilio has it, and says when.
      startedAt,
      unproven: ['owner', 'caller', 'direction'],
    });
    expect(await audited()).toEqual([
      {
        viewer: 'operator',
        action: 'accept-unsigned',
        recording_sid: host.sid,
        allowed: true,
        reason: 'catalog-rebuild',
      },
    ]);
    expect(host.queue.names().sort()).toEqual(['link', 'verify']);
  });

  test('Twilio proves the owner again, whoever was named', async () => {
    const host = await accepted({ workerSid: sids.otherWorker });
    await host.queue.run('link', { recordingSid: host.sid });
    const proven = await host.catalog.find(host.sid);
    expect(proven).toMatchObject({ linkState: 'linked', workerSid: sids.worker, taskSid: sids.task });
    expect(proven?.unproven).not.toContain('owner');
  });

  test('an owner that Twilio disproves is forgotten', async () => {
    const said = { taskSid: sids.otherTask, reservationSid: sids.otherReservation };
    const host = await accepted({ ...said, workerSid: sids.otherWorker });
    await host.queue.run('link', { recordingSid: host.sid });
    const refused = await host.catalog.find(host.sid);
    expect(refused).toMatchObject({ linkState: 'refused' });
    expect([refused?.workerSid, refused?.taskSid, refused?.reservationSid]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(refused?.unproven).toContain('owner');
  });

  test('where Twilio has it no longer, everything stays hearsay, the call too', async () => {
    const host = await accepted({}, ({ twilio }) => twilio.recordings.clear());
    await host.queue.run('link', { recordingSid: host.sid });
    expect(await host.catalog.find(host.sid)).toMatchObject({
      linkState: 'unlinked',
      linkReason: 'task_not_found',
      workerSid: sids.worker,
      unproven: everything,
    });
    // And remains so in what this host signs of it.
    await host.queue.run('verify', { recordingSid: host.sid });
    expect((await openSidecar(host.deps, host.sid)).sidecar.unproven).toEqual(everything);
    await lose();
    await host.run();
    expect(await host.catalog.find(host.sid)).toMatchObject({ workerSid: sids.worker, unproven: everything });
  });

  test('a digest or a length that it made up costs the recording nothing', async () => {
    const object = { plaintextSha256: 'f'.repeat(64), plaintextBytes: 7 };
    const host = await accepted({ durationSeconds: 900, channels: 1, object });
    await host.queue.run('verify', { recordingSid: host.sid });
    expect(await host.catalog.find(host.sid)).toMatchObject({ state: 'verified', channels: 2 });
  });

  test('nothing is accepted that the audit log cannot take', async () => {
    const host = await accepted({}, () => shared.db.query('ALTER TABLE audit RENAME TO audit_away')).catch(
      (error: unknown) => error,
    );
    await shared.db.query('ALTER TABLE audit_away RENAME TO audit');
    expect(host).toMatchObject({ code: 'audit_unavailable' });
    expect(await shared.db.query('SELECT 1 FROM recordings')).toEqual([]);
  });
});

test('a run that broke off lists the bucket from behind its last sidecar', async () => {
  const host = await open();
  await shared.db.query(
    `INSERT INTO recordings (recording_sid, account_sid, channels, started_at, source)
     SELECT 'RE' || lpad(to_hex(n), 32, '0'), $1, 2, now(), 'callback' FROM generate_series(1, 250) n`,
    [sids.account],
  );
  const lists: unknown[] = [];
  let isBroken = true;
  host.deps.store = new Proxy(store, {
    get: (target, name) =>
      name === 'list'
        ? async function* (_prefix: string, { after }: ListOptions) {
            lists.push(after);
            for (let n = 1; n <= 250; n += 1) {
              if (isBroken && n === 230) throw new Error('the bucket is away');
              yield {
                key: sidecarKey(sids.account, sids.recording(n)),
                etag: '"e"',
                lastModified: new Date(0),
              };
            }
          }
        : Reflect.get(target, name, target),
  });
  await expect(host.run()).rejects.toThrow('away');
  isBroken = false;
  // The store lists from its first key in any case: the first 200 are not counted twice.
  expect(await host.run()).toMatchObject({ sidecars: 250, known: 250, compared: 250 });
  expect(lists).toEqual([undefined, sidecarKey(sids.account, sids.recording(200)), undefined]);
});
