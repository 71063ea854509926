import { CustodyError, readIngestAnswer } from '@flex-custody/core';
import type { IngestDeps } from '../deps.ts';
import { FakeTwilio } from '../testing/fake-twilio.ts';
import { house, sealedObject, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';

const shared = sharedDatabase();
const open = async (change: Partial<IngestDeps> = {}) => {
  const twilio = scene();
  return { twilio, ...(await house(twilio, shared.db, change)) };
};
const sid = sids.recording(1);

test('a finished recording is registered, linked and leased, with a job to look after the lease', async () => {
  const { twilio, ingest, catalog, lines, queue } = await open();
  const callback = recorded(twilio, 1);
  const answer = await ingest.receive(callback);
  expect(readIngestAnswer(answer, callback)).toEqual(answer);
  expect(answer).toEqual({
    action: 'copy',
    lease: expect.stringMatching(/.{20}/),
    leaseMs: 15_000,
    source: { accountSid: sids.account, recordingSid: sid, channels: 2, durationSeconds: 30 },
    objectKey: `recordings/${sids.account}/${sid}`,
    rate: 8e6,
    forwarded: false,
    forwardTo: sids.task,
  });
  expect(await catalog.find(sid)).toMatchObject({
    state: 'copying',
    linkState: 'linked',
    taskSid: sids.task,
    reservationSid: sids.reservation,
    workerSid: sids.worker,
    callSid: sids.leg,
    leaseHolder: 'function',
  });
  expect(twilio.tasks.get(sids.task)?.attributes).toContain(`recording=${sid}`);
  expect(queue.sent).toEqual([
    { name: 'copy', data: { recordingSid: sid }, options: { startAfterMs: 16_000, once: `lapse:${sid}` } },
  ]);
  expect(lines.join('\n')).toMatch(/recording.registered.*recording.linked.*recording.leased/s);
});

test('three callbacks at once are one lease, one link and one write', async () => {
  const { twilio, ingest } = await open();
  twilio.delayMs = 5;
  const callback = recorded(twilio, 1);
  const answers = await Promise.all([1, 2, 3].map(() => ingest.receive(callback)));
  expect(answers.map((answer) => answer.action).sort()).toEqual(['busy', 'busy', 'copy']);
  expect(twilio.writes).toBe(1);
  expect(twilio.tasks.get(sids.task)?.attributes.match(/VoiceRecording/g)).toHaveLength(1);
  expect((await ingest.receive(callback)).action).toBe('busy');
});

test('two hosts at once are one lease and one link', async () => {
  const twilio = scene();
  twilio.delayMs = 5;
  const [one, two] = [await house(twilio, shared.db), await house(twilio, shared.db)];
  const callback = recorded(twilio, 1);
  const answers = await Promise.all([one, two, one, two].map((host) => host.ingest.receive(callback)));
  expect(answers.filter((answer) => answer.action === 'copy')).toHaveLength(1);
  expect(twilio.tasks.get(sids.task)?.attributes.match(/VoiceRecording/g)).toHaveLength(1);
});

test('a sealed recording is done, without asking Twilio', async () => {
  const { twilio, ingest, catalog, queue } = await open();
  const callback = recorded(twilio, 1);
  const answer = await ingest.receive(callback);
  if (answer.action !== 'copy') throw new Error('no lease');
  await catalog.sealed(sid, answer.lease, sealedObject(sid), 2);
  await catalog.forwarded(sid);
  twilio.asked.length = 0;
  queue.sent = [];
  expect(await ingest.receive(callback)).toEqual({ action: 'done', forwarded: true, forwardTo: sids.task });
  expect(twilio.asked).toEqual([]);
  expect(queue.sent).toEqual([]);
});

test('one that is being copied is left to its copier, whatever Twilio says meanwhile', async () => {
  const { twilio, ingest, catalog } = await open();
  const callback = recorded(twilio, 1);
  await ingest.receive(callback);
  recorded(twilio, 1, { status: 'deleted' });
  expect((await ingest.receive(callback)).action).toBe('busy');
  expect((await catalog.find(sid))?.state).toBe('copying');
});

test("another account's recording is refused before Twilio is asked", async () => {
  const { twilio, ingest } = await open();
  const callback = { ...recorded(twilio, 1), accountSid: sids.otherAccount };
  await expect(ingest.receive(callback)).rejects.toMatchObject({ code: 'foreign_account', status: 403 });
  expect(twilio.asked).toEqual([]);
});

test("nor is one taken that Twilio says is another account's", async () => {
  const { twilio, ingest, catalog } = await open();
  const callback = recorded(twilio, 1, { accountSid: sids.otherAccount });
  await expect(ingest.receive(callback)).rejects.toMatchObject({ code: 'foreign_account' });
  expect(await catalog.find(sid)).toBeUndefined();
});

test("what Twilio says counts, not the callback's words", async () => {
  const { twilio, ingest, catalog } = await open();
  const callback = { ...recorded(twilio, 1), callSid: sids.otherLeg, conferenceSid: sids.conference };
  await ingest.receive(callback);
  const row = await catalog.find(sid);
  expect(row?.callSid).toBe(sids.leg);
  expect(row?.conferenceSid).toBeUndefined();
});

test('hints that are not so keep the recording, link nothing, raise an alarm', async () => {
  const { twilio, ingest, catalog, alarmCodes } = await open();
  const before = twilio.tasks.get(sids.task)?.attributes;
  const callback = recorded(twilio, 1, { callSid: sids.otherLeg });
  const answer = await ingest.receive(callback);
  expect(answer.action).toBe('copy');
  expect(answer.forwardTo).toBeUndefined();
  expect((await ingest.receive(callback)).forwardTo).toBeUndefined();
  expect(await catalog.find(sid)).toMatchObject({ linkState: 'refused', linkReason: 'leg_not_of_worker' });
  expect((await catalog.find(sid))?.workerSid).toBeUndefined();
  expect(twilio.tasks.get(sids.task)?.attributes).toBe(before);
  expect(await alarmCodes()).toEqual(['link_refused']);
});

test("a conference under another task's reservation is refused with an alarm, though the task is its own", async () => {
  const { twilio, ingest, catalog, alarmCodes } = await open();
  twilio.conferenceNames.set(sids.conference, sids.task);
  const hints = { taskSid: sids.task, reservationSid: sids.otherReservation };
  await ingest.receive(recorded(twilio, 1, { conferenceSid: sids.conference }, hints));
  expect(await catalog.find(sid)).toMatchObject({
    linkState: 'refused',
    linkReason: 'reservation_not_of_task',
  });
  expect(await alarmCodes()).toEqual(['link_refused']);
});

test("an outbound call's conference, which its attributes do not name, is linked without an alarm", async () => {
  const { twilio, ingest, catalog, alarmCodes } = await open();
  const task = twilio.tasks.get(sids.task);
  if (task) task.attributes = JSON.stringify({ direction: 'outbound', outbound_to: '+15550100' });
  twilio.conferenceNames.set(sids.conference, sids.task);
  twilio.conferences.clear();
  const facts = { callSid: sids.customerLeg, conferenceSid: sids.conference };
  await ingest.receive(recorded(twilio, 1, facts, { taskSid: sids.task }));
  expect(await catalog.find(sid)).toMatchObject({ linkState: 'linked', taskSid: sids.task });
  expect(task?.attributes).toContain(`recording=${sid}`);
  expect(await alarmCodes()).toEqual([]);
});

test('what was refused and then proves right is linked on request, and its alarm stands no longer', async () => {
  const { twilio, ingest, catalog, queue, alarmCodes } = await open();
  await ingest.receive(recorded(twilio, 1, { callSid: sids.otherLeg }));
  expect(await alarmCodes()).toEqual(['link_refused']);
  twilio.calls.set(sids.otherLeg, 'client:agent_40example_2Ecom');
  await queue.run('link', { recordingSid: sid });
  expect((await catalog.find(sid))?.linkState).toBe('refused');
  await catalog.relink(sid);
  await queue.run('link', { recordingSid: sid });
  expect((await catalog.find(sid))?.linkState).toBe('linked');
  expect(await alarmCodes()).toEqual([]);
});

test('a task that is gone leaves the recording unlinked, to be copied all the same', async () => {
  const { twilio, ingest, catalog, alarmCodes } = await open();
  twilio.tasks.delete(sids.task);
  expect((await ingest.receive(recorded(twilio, 1))).action).toBe('copy');
  expect(await catalog.find(sid)).toMatchObject({ linkState: 'unlinked', linkReason: 'task_gone' });
  expect(await alarmCodes()).toEqual([]);
});

test('a task that goes after the proof leaves its owner proven', async () => {
  const { twilio, ingest, catalog } = await open();
  twilio.beforeUpdate = () => twilio.tasks.delete(sids.task);
  await ingest.receive(recorded(twilio, 1));
  expect(await catalog.find(sid)).toMatchObject({ linkState: 'unlinked', workerSid: sids.worker });
});

test('full attributes leave it unlinked, with an alarm', async () => {
  const { twilio, ingest, catalog, alarmCodes } = await open();
  twilio.write(sids.task, (attributes) => (attributes['notes'] = 'x'.repeat(3_700)));
  await ingest.receive(recorded(twilio, 1));
  expect(await catalog.find(sid)).toMatchObject({ linkState: 'unlinked', linkReason: 'attributes_full' });
  expect(await alarmCodes()).toEqual(['attributes_full']);
});

test('an outage of TaskRouter leaves the link to a job and costs no copy; the job makes it good', async () => {
  const { twilio, ingest, catalog, queue } = await open();
  twilio.failing.set('worker', FakeTwilio.down);
  expect((await ingest.receive(recorded(twilio, 1))).action).toBe('copy');
  expect((await catalog.find(sid))?.linkState).toBe('pending');
  expect(queue.names()).toEqual(['link', 'copy']);
  // Nothing speaks against the hint so far.
  expect((await ingest.receive(recorded(twilio, 1))).forwardTo).toBe(sids.task);
  await expect(queue.run('link', { recordingSid: sid })).rejects.toMatchObject({ retryable: true });
  twilio.failing.clear();
  await queue.run('link', { recordingSid: sid });
  expect((await catalog.find(sid))?.linkState).toBe('linked');
});

test('a TaskRouter that does not answer holds no copy up', async () => {
  const { twilio, ingest, queue } = await open();
  const callback = recorded(twilio, 1);
  const slow = twilio.task;
  let release: () => void = () => undefined;
  twilio.task = async (task) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return slow(task);
  };
  expect((await ingest.receive(callback)).action).toBe('copy');
  expect(queue.names()).toEqual(['link', 'copy']);
  twilio.task = slow;
  release();
});

test('whoever asked is gone when Twilio was slow: the worker copies, and no lease keeps it away', async () => {
  const { twilio, ingest, catalog, queue } = await open();
  const callback = recorded(twilio, 1);
  const { recording } = twilio;
  twilio.recording = async (asked) => {
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    return recording(asked);
  };
  expect((await ingest.receive(callback)).action).toBe('host');
  expect((await catalog.find(sid))?.state).toBe('registered');
  expect(queue.sent).toContainEqual({
    name: 'copy',
    data: { recordingSid: sid },
    options: { once: `now:${sid}` },
  });
});

test('credentials that Twilio refuses leave the link pending, with an alarm', async () => {
  const { twilio, ingest, catalog, alarmCodes } = await open();
  twilio.failing.set('task', new CustodyError('twilio_unauthorized', 'no'));
  await ingest.receive(recorded(twilio, 1));
  expect((await catalog.find(sid))?.linkState).toBe('pending');
  expect(await alarmCodes()).toEqual(['link_failed']);
});

test('a task that Twilio will not let us update leaves it unlinked, with an alarm', async () => {
  const { twilio, ingest, catalog, alarmCodes } = await open();
  twilio.failing.set('updateTask', new CustodyError('twilio_refused', 'no'));
  await ingest.receive(recorded(twilio, 1));
  expect(await catalog.find(sid)).toMatchObject({ linkState: 'unlinked', linkReason: 'twilio_refused' });
  expect(await alarmCodes()).toEqual(['link_failed']);
});

test('Twilio out of reach registers nothing and says so', async () => {
  const { twilio, ingest, catalog } = await open();
  twilio.failing.set('recording', FakeTwilio.down);
  await expect(ingest.receive(recorded(twilio, 1))).rejects.toMatchObject({ status: 503 });
  expect(await catalog.find(sid)).toBeUndefined();
});

test.each(['processing', 'in-progress', 'paused', 'stopped'] as const)(
  'one that is %s is linked already and copied later',
  async (status) => {
    const { twilio, ingest, catalog, queue } = await open();
    const callback = recorded(twilio, 1, { status });
    expect(await ingest.receive(callback)).toEqual({
      action: 'host',
      forwarded: false,
      forwardTo: sids.task,
    });
    expect(await catalog.find(sid)).toMatchObject({ state: 'registered', linkState: 'linked' });
    expect(queue.sent).toMatchObject([{ name: 'copy', options: { startAfterMs: 30_000 } }]);
  },
);

test("an absent recording is done, with Twilio's reason", async () => {
  const { twilio, ingest, catalog } = await open();
  expect((await ingest.receive(recorded(twilio, 1, { status: 'absent', errorCode: '16102' }))).action).toBe(
    'done',
  );
  expect(await catalog.find(sid)).toMatchObject({ state: 'absent', failure: '16102', linkState: 'unlinked' });
  expect(twilio.writes).toBe(0);
});

test('one that Twilio does not know is absent if the callback says so, else unknown', async () => {
  const { twilio, ingest, catalog } = await open();
  const callback = recorded(twilio, 1);
  twilio.recordings.clear();
  await expect(ingest.receive(callback)).rejects.toMatchObject({ code: 'recording_missing', status: 404 });
  expect(await catalog.find(sid)).toBeUndefined();
  await ingest.receive({ ...callback, status: 'absent', errorCode: '16101' });
  expect(await catalog.find(sid)).toMatchObject({ state: 'absent', failure: '16101' });
});

const sealed = { publicKeySid: `CR${'1'.repeat(32)}`, encryptedCek: 'AA==', iv: 'A'.repeat(16) };

test.each([
  ['deleted at Twilio', { status: 'deleted' }, 'source_deleted'],
  ['sealed by Twilio for a key we lack', { encryption: sealed }, 'twilio_key_unknown'],
  ['sealed by Twilio, nobody knows how', { encryption: 'unreadable' }, 'twilio_encryption_unreadable'],
  ['for which Twilio had no key', { status: 'absent', errorCode: '16105' }, 'twilio_not_stored'],
  ['that failed, as Twilio says', { status: 'failed' }, 'twilio_not_stored'],
] as const)(
  'one %s is failed with its reason and an alarm, and no Function gets it',
  async (_, facts, code) => {
    const { twilio, ingest, catalog, alarmCodes } = await open();
    const callback = recorded(twilio, 1, facts);
    expect((await ingest.receive(callback)).action).toBe('host');
    expect(await catalog.find(sid)).toMatchObject({ state: 'failed', failure: code });
    expect(await alarmCodes()).toEqual([code]);
    expect((await ingest.receive(callback)).action).toBe('host');
  },
);

test("one that Twilio has sealed, and that we can open, is the host's to copy", async () => {
  const { twilio, ingest, catalog, queue } = await open({
    twilioKeys: { sids: [], unwrap: () => Buffer.alloc(32) },
  });
  const callback = recorded(twilio, 1, { encryption: sealed });
  expect(await ingest.receive(callback)).toMatchObject({ action: 'host' });
  expect(await catalog.find(sid)).toMatchObject({
    state: 'registered',
    sourceEncrypted: true,
    linkState: 'linked',
  });
  expect(queue.sent.map(({ name }) => name)).toEqual(['copy']);
});

test('a callback that says it failed is believed where Twilio knows nothing better', async () => {
  const { twilio, ingest, catalog } = await open();
  const callback = recorded(twilio, 1);
  twilio.recordings.clear();
  await ingest.receive({ ...callback, status: 'failed', errorCode: '16105' });
  expect(await catalog.find(sid)).toMatchObject({ state: 'failed', failure: 'twilio_not_stored' });
});

test("a conference's recording is linked to the task alone, and a mono one says no channels", async () => {
  const { twilio, ingest, catalog } = await open();
  await ingest.receive(
    recorded(twilio, 1, { conferenceSid: sids.conference, channels: 1 }, { taskSid: sids.task }),
  );
  const row = await catalog.find(sid);
  expect(row).toMatchObject({ linkState: 'linked', taskSid: sids.task });
  expect(row?.workerSid).toBeUndefined();
  const attributes = JSON.parse(twilio.tasks.get(sids.task)?.attributes ?? '{}');
  expect(attributes.conversations.media).toHaveLength(1);
  expect(attributes.conversations.media[0].channels).toBeUndefined();
});

test('the older Player gets its link where that is on', async () => {
  const twilio = scene();
  const { ingest } = await house(twilio, shared.db, {
    segmentLink: async (row) => `https://custody.example/media/${row.recordingSid}.wav?token=t`,
  });
  await ingest.receive(recorded(twilio, 1));
  expect(JSON.parse(twilio.tasks.get(sids.task)?.attributes ?? '{}').conversations.segment_link).toMatch(
    /token=t$/,
  );
});

describe('hints that were refused', () => {
  /** A browser has spoken first, of the recording of somebody else's leg. */
  const refused = async () => {
    const set = await open();
    const forged = { taskSid: sids.otherTask, reservationSid: sids.otherReservation };
    const { hints } = recorded(set.twilio, 1);
    const answer = await set.ingest.receive(recorded(set.twilio, 1, {}, forged));
    if (answer.action !== 'copy') throw new Error('no lease');
    const seal = () => set.catalog.sealed(sid, answer.lease, sealedObject(sid), 2);
    expect(await set.catalog.find(sid)).toMatchObject({ linkState: 'refused', hints: forged });
    expect(await set.alarmCodes()).toEqual(['link_refused']);
    const later = (given = hints) => set.ingest.receive(recorded(set.twilio, 1, {}, given));
    return { ...set, hints, forged, later, seal };
  };

  test.each(['copying', 'sealed'])('make way for those that Twilio proves, %s or not', async (state) => {
    const { catalog, later, hints, alarmCodes, twilio, seal } = await refused();
    if (state === 'sealed') await seal();
    expect((await later()).forwardTo).toBe(sids.task);
    expect(await catalog.find(sid)).toMatchObject({
      state,
      linkState: 'linked',
      taskSid: sids.task,
      workerSid: sids.worker,
      hints,
    });
    expect(await alarmCodes()).toEqual([]);
    expect(twilio.tasks.get(sids.task)?.attributes).toContain(`recording=${sid}`);
  });

  test('stay where the later ones are proven as little', async () => {
    const { catalog, later, forged, alarmCodes } = await refused();
    await later({ taskSid: sids.task, reservationSid: sids.otherReservation });
    expect(await catalog.find(sid)).toMatchObject({ linkState: 'refused', hints: forged });
    expect(await alarmCodes()).toEqual(['link_refused']);
  });

  test.each(['copying', 'sealed'])(
    'with TaskRouter away Twilio is to call again, %s or not',
    async (state) => {
      const { catalog, later, twilio, seal } = await refused();
      if (state === 'sealed') await seal();
      twilio.failing.set('task', FakeTwilio.down);
      await expect(later()).rejects.toMatchObject({ code: 'twilio_unavailable', status: 503 });
      twilio.failing.clear();
      await later();
      expect((await catalog.find(sid))?.linkState).toBe('linked');
    },
  );

  test('of one that is linked, later hints change nothing', async () => {
    const { catalog, twilio, ingest } = await open();
    const { hints } = recorded(twilio, 1);
    await ingest.receive(recorded(twilio, 1));
    await ingest.receive(
      recorded(twilio, 1, {}, { taskSid: sids.otherTask, reservationSid: sids.otherReservation }),
    );
    expect(await catalog.find(sid)).toMatchObject({ linkState: 'linked', taskSid: sids.task, hints });
  });
});
