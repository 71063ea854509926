import { CustodyError, type RecordingAnalysis, type RecordingSid, readSidecar } from '@flex-custody/core';
import { createKeys, openBytes } from '@flex-custody/vault';
import type { IngestDeps } from '../deps.ts';
import { house, houseSigning, sealedObject, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';
import { describeJob } from './describe-job.ts';
import { measureJob } from './measure-job.ts';
import { agentChannel } from './read-back.ts';

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
  const signed = (await openBytes(keys, context, sealed)).toString();
  return readSidecar((await houseSigning.verify('sidecar+jws', signed)).payload);
};

test('what is known of a verified recording lies sealed beside it', async () => {
  const host = await verified();
  await describeJob(host.deps, sid);
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

test('what other writers left of it goes too, should its verifier have been killed before that', async () => {
  const host = await verified();
  const { key } = sealedObject(sid);
  let listing: Error | undefined;
  Object.assign(host.store, {
    async *versions() {
      if (listing) throw listing;
      for (const versionId of ['v1', 'v0']) yield { key, versionId, deleteMarker: false };
    },
  });
  await describeJob(host.deps, sid);
  expect(host.store.deleted).toEqual([]);
  await shared.db.query('UPDATE recordings SET leases = 2');
  listing = new CustodyError('store_unavailable', 'away');
  await expect(describeJob(host.deps, sid)).rejects.toMatchObject({ retryable: true });
  listing = undefined;
  await describeJob(host.deps, sid);
  expect(host.store.deleted.filter((gone) => gone.startsWith(`${key}?`))).toEqual([`${key}?v0`]);
});

test('where its key was destroyed, no other key says again what went with it', async () => {
  const host = await verified();
  await describeJob(host.deps, sid);
  const before = await host.catalog.find(sid);
  const others = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k2', key: new Uint8Array(32).fill(4) }] });
  await describeJob({ ...host.deps, keys: others }, sid);
  expect(await host.catalog.find(sid)).toEqual(before);
  expect([...host.store.written.keys()]).toHaveLength(1);
});

test('once it is written, what stood in its way is mended', async () => {
  const host = await verified();
  await host.alarms.raise('describe_failed', sid, 'store_unavailable');
  await describeJob(host.deps, sid);
  expect(await host.alarmCodes()).toEqual([]);
});

test('written again it says what is new, and the earlier version goes', async () => {
  const host = await verified();
  await describeJob(host.deps, sid);
  const first = (await host.catalog.find(sid))?.sidecar;
  await host.catalog.sourceDeleted(sid);
  await describeJob(host.deps, sid);
  expect((await describedIn(host)).sourceDeletedAt).toBeDefined();
  expect(host.store.deleted).toEqual([`${first?.key}?${first?.versionId}`]);
});

test('of two at once the later one is not lost: it is written again', async () => {
  const host = await verified();
  const put = host.store.putBytes.bind(host.store);
  host.store.putBytes = async (key, bytes) => {
    const stored = await put(key, bytes);
    host.store.putBytes = put;
    await describeJob(host.deps, sid);
    return stored;
  };
  await describeJob(host.deps, sid);
  const at = (await host.catalog.find(sid))?.sidecar;
  expect(host.store.deleted).toEqual([`${at?.key}?w1`]);
  expect(at?.versionId).toBe('w2');
  expect(host.queue.sent).toMatchObject([{ name: 'describe', data: { recordingSid: sid } }]);
});

test('what is not verified, or not there, is not described', async () => {
  const host = await verified();
  await shared.db.query(`UPDATE recordings SET state = 'sealed'`);
  await describeJob(host.deps, sid);
  await describeJob(host.deps, sids.recording(9));
  expect(host.store.written.size).toBe(0);
});

test('a link that is made later is described later', async () => {
  const host = await verified();
  await shared.db.query(`UPDATE recordings SET link_state = 'pending'`);
  await host.queue.run('link', { recordingSid: sid });
  expect(host.queue.names()).toEqual(['describe']);
});

const talk = {
  agentMs: 20_000,
  customerMs: 9_950,
  crosstalkMs: 1_000,
  silenceMs: 1_050,
  longestMonologueMs: 12_340,
  agentMonologueMs: 12_340,
  customerMonologueMs: 5_000,
};
const analysis = (change: Partial<typeof talk> = {}): RecordingAnalysis => ({
  version: 1,
  seconds: 30,
  peaks: { windowMs: 100, channels: ['AAAA', 'AAAA'] },
  talk: { ...talk, ...change },
});

test('what was heard stays, however often it is written again', async () => {
  const host = await verified();
  await describeJob(host.deps, sid, analysis());
  await host.catalog.sourceDeleted(sid);
  await describeJob(host.deps, sid);
  expect(await describedIn(host)).toMatchObject({
    analysis: analysis(),
    sourceDeletedAt: expect.any(String),
  });
  const raw = host.store.written.get(`${(await host.catalog.find(sid))?.sidecar?.key}?w2`);
  expect(raw?.includes('agentMs')).toBe(false);
});

test('where nobody could say what is heard, it is not asked again', async () => {
  const host = await verified();
  await describeJob(host.deps, sid, null);
  const reads = jest.spyOn(host.store, 'get');
  await describeJob(host.deps, sid);
  expect((await describedIn(host)).analysis).toBeNull();
  // The sidecar, twice; the recording never.
  expect(reads.mock.calls.map(([key]) => key)).toEqual([expect.stringMatching(/json$/)]);
});

describe("a conversation's measures", () => {
  const insightsMeasures = [
    { of: 'agent', measure: 1 },
    { of: 'crosstalk', measure: 2 },
    { of: 'monologue', measure: 10 },
  ] as const;
  const measured = async () => {
    const host = await verified();
    return { ...host, deps: { ...host.deps, config: { ...host.deps.config, insightsMeasures } } };
  };
  const conversations = ({ twilio }: Pick<Awaited<ReturnType<typeof verified>>, 'twilio'>) =>
    JSON.parse(twilio.tasks.get(sids.task)?.attributes ?? '{}').conversations;

  test('are asked for when a linked recording is described, where the setting is on', async () => {
    const host = await measured();
    await describeJob(host.deps, sid, analysis());
    expect(host.queue.sent).toEqual([
      { name: 'measure', data: { taskSid: sids.task }, options: { once: sids.task } },
    ]);
    host.queue.sent = [];
    const { config } = host.deps;
    await describeJob({ ...host.deps, config: { ...config, insightsMeasures: [] } }, sid, analysis());
    expect(host.queue.sent).toEqual([]);
  });

  test('are in seconds, beside what stood there, and written once', async () => {
    const host = await measured();
    await describeJob(host.deps, sid, analysis());
    const before = conversations(host);
    await measureJob(host.deps, sids.task);
    expect(conversations(host)).toEqual({
      ...before,
      conversation_measure_1: 20,
      conversation_measure_2: 1,
      conversation_measure_10: 12.3,
    });
    const { writes } = host.twilio;
    await measureJob(host.deps, sids.task);
    expect(host.twilio.writes).toBe(writes);
  });

  test('of a task with two recordings are of both, also where the second comes while the first is written', async () => {
    const host = await measured();
    await describeJob(host.deps, sid, analysis());
    const other = sids.recording(2);
    const second = async () => {
      const answer = await host.ingest.receive(recorded(host.twilio, 2));
      if (answer.action !== 'copy') throw new Error('no lease');
      const object = host.store.holds(sealedObject(other, { etag: '"e2"' }));
      await host.catalog.sealed(other, answer.lease, object, 2);
      await host.catalog.verified(other, object, 'b'.repeat(64));
      await describeJob(host.deps, other, analysis({ agentMs: 1_000, longestMonologueMs: 15_000 }));
    };
    const ask = host.twilio.task;
    host.twilio.task = async (task) => {
      host.twilio.task = ask;
      await second();
      return ask(task);
    };
    await measureJob(host.deps, sids.task);
    expect(conversations(host)).toMatchObject({
      conversation_measure_1: 21,
      conversation_measure_2: 2,
      conversation_measure_10: 15,
    });
  });

  test('the next ones that are written resolve the alarm; a job that writes none does not', async () => {
    const host = await measured();
    await host.alarms.raise('measure_failed', undefined, 'twilio_unavailable');
    // No recording of the task has talk metrics yet.
    await measureJob(host.deps, sids.task);
    await describeJob(host.deps, sid, analysis());
    const ask = host.twilio.task;
    host.twilio.task = () => Promise.reject(new CustodyError('twilio_unavailable', 'away'));
    await expect(measureJob(host.deps, sids.task)).rejects.toMatchObject({ code: 'twilio_unavailable' });
    expect(await host.alarmCodes()).toEqual(['measure_failed']);
    host.twilio.task = ask;
    await measureJob(host.deps, sids.task);
    expect(await host.alarmCodes()).toEqual([]);
  });

  test('a task that is gone needs none', async () => {
    const host = await measured();
    await describeJob(host.deps, sid, analysis());
    host.twilio.tasks.clear();
    await measureJob(host.deps, sids.task);
    expect(host.lines.join()).toContain('gone');
  });
});

test.each([
  ['a call leg', {}, 'agent', 1],
  ['a call leg, whoever is first in conferences', {}, 'customer', 1],
  ['a conference that agents join first', { conferenceSid: sids.conference }, 'agent', 0],
  ['a conference that callers join first', { conferenceSid: sids.conference }, 'customer', 1],
] as const)('the agent of %s', (_what, row, conferenceFirst, channel) => {
  const config = { conferenceFirst } as IngestDeps['config'];
  expect(agentChannel(row, config)).toBe(channel);
});
