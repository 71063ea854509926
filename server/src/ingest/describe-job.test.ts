import { type RecordingSid, readSidecar } from '@flex-custody/core';
import { createKeys, openBytes } from '@flex-custody/vault';
import { describeJob } from './describe-job.ts';
import { house, sealedObject, sharedDatabase } from './testing/house.ts';
import { recorded, scene, sids } from './testing/scene.ts';

const shared = sharedDatabase();
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const sid = sids.recording(1);
const context = { account: sids.account, recording: sid };

async function verified() {
  const twilio = scene();
  const host = await house(twilio, shared.db, { keys });
  const answer = await host.ingest.receive(recorded(twilio, 1));
  if (answer.action !== 'copy') throw new Error('no lease');
  const object = host.store.holds(sealedObject(sid));
  await host.catalog.sealed(sid, answer.lease, object, 2);
  await host.catalog.verified(sid, object, 'a'.repeat(64));
  host.queue.sent = [];
  return { twilio, ...host };
}

const describedIn = async (
  { store, catalog }: Awaited<ReturnType<typeof verified>>,
  of: RecordingSid = sid,
) => {
  const at = (await catalog.find(of))?.sidecar;
  const sealed = store.written.get(`${at?.key}?${at?.versionId}`) ?? Buffer.alloc(0);
  return readSidecar((await openBytes(keys, context, sealed)).toString());
};

test('what is known of a verified recording lies sealed beside it', async () => {
  const host = await verified();
  await describeJob(host.parts, sid);
  const row = await host.catalog.find(sid);
  expect(row?.sidecar?.key).toBe(`recordings/${sids.account}/${sid}.json`);
  expect(await describedIn(host)).toMatchObject({
    recordingSid: sid,
    taskSid: row?.taskSid,
    reservationSid: row?.reservationSid,
    workerSid: row?.workerSid,
    channels: 2,
    object: row?.object,
    verifiedAt: row?.verifiedAt?.toISOString(),
  });
  const raw = [...host.store.written.values()][0];
  expect(raw?.includes(sid)).toBe(true);
  expect(raw?.includes(String(row?.taskSid))).toBe(false);
});

test('once it is written, what stood in its way is mended', async () => {
  const host = await verified();
  await host.alarms.raise('describe_failed', sid, 'store_unavailable');
  await describeJob(host.parts, sid);
  expect(await host.alarmCodes()).toEqual([]);
});

test('written again it says what is new, and the earlier version goes', async () => {
  const host = await verified();
  await describeJob(host.parts, sid);
  const first = (await host.catalog.find(sid))?.sidecar;
  await host.catalog.sourceDeleted(sid);
  await describeJob(host.parts, sid);
  expect((await describedIn(host)).sourceDeletedAt).toBeDefined();
  expect(host.store.deleted).toEqual([`${first?.key}?${first?.versionId}`]);
});

test('of two at once the later one is not lost: it is written again', async () => {
  const host = await verified();
  const put = host.store.putBytes.bind(host.store);
  host.store.putBytes = async (key, bytes) => {
    const stored = await put(key, bytes);
    host.store.putBytes = put;
    await describeJob(host.parts, sid);
    return stored;
  };
  await describeJob(host.parts, sid);
  const at = (await host.catalog.find(sid))?.sidecar;
  expect(host.store.deleted).toEqual([`${at?.key}?w1`]);
  expect(at?.versionId).toBe('w2');
  expect(host.queue.sent).toMatchObject([{ name: 'describe', data: { recordingSid: sid } }]);
});

test('what is not verified, or not there, is not described', async () => {
  const host = await verified();
  await shared.db.query(`UPDATE recordings SET state = 'sealed'`);
  await describeJob(host.parts, sid);
  await describeJob(host.parts, sids.recording(9));
  expect(host.store.written.size).toBe(0);
});

test('a link that is made later is described later', async () => {
  const host = await verified();
  await shared.db.query(`UPDATE recordings SET link_state = 'pending'`);
  await host.queue.run('link', { recordingSid: sid });
  expect(host.queue.names()).toEqual(['describe']);
});
