import {
  asCallSid,
  asConferenceSid,
  asTaskSid,
  asWorkerSid,
  type ConferenceSid,
  type TaskSid,
} from '@flex-custody/core';
import type { TwilioLiveConference } from '@flex-custody/twilio';
import { ownCall } from './whose-call.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const wt = (n: number) => asTaskSid(`WT${hex(n)}`)!;
const cf = (n: number) => asConferenceSid(`CF${hex(n)}`)!;
const ca = (n: number) => asCallSid(`CA${hex(n)}`)!;
const workerSid = asWorkerSid(`WK${hex(1)}`)!;
const alice = { identity: 'alice', workerSid, roles: ['agent'] };

/** Conference `n` of task `n`: caller `n0`, agent `n1`. */
const conference = (n: number, agent: string, friendlyName: string = wt(n)): TwilioLiveConference => ({
  sid: cf(n),
  friendlyName,
  legs: [
    { callSid: ca(n * 16), to: '+15005550006' },
    { callSid: ca(n * 16 + 1), to: `client:${agent}` },
  ],
});

function scene(
  live: TwilioLiveConference[],
  accepted: TaskSid[] = [],
  attributes: Record<string, string> = {},
) {
  const asked: string[] = [];
  const answer = async <T>(name: string, value: T): Promise<T> => {
    asked.push(name);
    return value;
  };
  return {
    asked,
    twilio: {
      liveConference: (sid: ConferenceSid) =>
        answer(
          'liveConference',
          live.find((one) => one.sid === sid),
        ),
      liveConferences: (name: string) =>
        answer(
          'liveConferences',
          live.filter((one) => one.friendlyName === name).map(({ sid }) => sid),
        ),
      callIsLive: (sid: string) =>
        answer(
          'callIsLive',
          live.some(({ legs }) => legs.some(({ callSid }) => callSid === sid)),
        ),
      acceptedTasks: () => answer('acceptedTasks', accepted),
      task: (sid: TaskSid) =>
        answer(
          'task',
          attributes[sid] === undefined
            ? undefined
            : { sid, attributes: attributes[sid], etag: '1', dateUpdated: new Date() },
        ),
    },
  };
}
const notYours = { code: 'not_your_call', status: 403 };
const notLive = { code: 'call_not_live', status: 404 };

test('a hint that is right costs one look', async () => {
  const { twilio, asked } = scene([conference(1, 'alice')]);
  expect(await ownCall(twilio, alice, { taskSid: wt(1), conferenceSid: cf(1) })).toMatchObject({
    conference: { sid: cf(1) },
    leg: ca(17),
    workerSid,
  });
  expect(asked).toEqual(['liveConference']);
});

test('without one, or with a stale one, the conference is found by its task', async () => {
  const { twilio } = scene([conference(1, 'alice')]);
  for (const conferenceSid of [cf(9), undefined])
    expect(
      await ownCall(twilio, alice, { taskSid: wt(1), ...(conferenceSid && { conferenceSid }) }),
    ).toMatchObject({
      conference: { sid: cf(1) },
    });
});

test("a bare call is found among the worker's own tasks", async () => {
  const { twilio } = scene([conference(1, 'alice'), conference(2, 'alice')], [wt(1), wt(2)]);
  for (const callSid of [ca(32), ca(33)])
    expect(await ownCall(twilio, alice, { callSid })).toMatchObject({ conference: { sid: cf(2) } });
});

test('where the conference has another name, by the attributes of an accepted task', async () => {
  const own = { [wt(1)]: JSON.stringify({ conference: { participants: { worker: ca(17) }, sid: cf(1) } }) };
  const { twilio } = scene([conference(1, 'alice', 'outbound')], [wt(1)], own);
  expect(await ownCall(twilio, alice, { taskSid: wt(1) })).toMatchObject({ conference: { sid: cf(1) } });
  expect(await ownCall(twilio, alice, { callSid: ca(16) })).toMatchObject({ conference: { sid: cf(1) } });
});

test.each(['{', '[]', '{"conference":1}', '{"conference":{"sid":"CF1"}}', '{"conference":null}'])(
  'attributes that say nothing lead nowhere: %s',
  async (text) => {
    const { twilio } = scene([conference(1, 'bruno', 'x')], [wt(1)], { [wt(1)]: text });
    await expect(ownCall(twilio, alice, { taskSid: wt(1) })).rejects.toMatchObject(notLive);
  },
);

describe('refused', () => {
  test("another worker's call, by whatever it is named", async () => {
    const { twilio } = scene([conference(1, 'bruno')], []);
    for (const asked of [
      { taskSid: wt(1) },
      { conferenceSid: cf(1) },
      { callSid: ca(16) },
      { callSid: ca(17) },
    ])
      await expect(ownCall(twilio, alice, asked)).rejects.toMatchObject(notYours);
  });

  test("an identity that only begins like the leg's", async () => {
    const { twilio } = scene([conference(1, 'alice2')]);
    await expect(ownCall(twilio, alice, { taskSid: wt(1) })).rejects.toMatchObject(notYours);
  });

  test("somebody else's call by a hint at one's own", async () => {
    const { twilio } = scene([conference(1, 'alice'), conference(2, 'bruno')], [wt(1)]);
    for (const asked of [
      { callSid: ca(32), conferenceSid: cf(1) },
      { taskSid: wt(2), conferenceSid: cf(1) },
      { callSid: ca(32), taskSid: wt(1) },
    ])
      await expect(ownCall(twilio, alice, asked)).rejects.toMatchObject(notYours);
  });

  test("somebody else's task for a conference of one's own that is named after no task", async () => {
    const { twilio } = scene([conference(1, 'alice', 'adhoc')], [wt(1)]);
    const asked = { taskSid: wt(2), conferenceSid: cf(1) };
    await expect(ownCall(twilio, alice, asked)).rejects.toMatchObject(notYours);
  });

  test("another task of one's own for a conference that is named after its task", async () => {
    const { twilio } = scene([conference(1, 'alice')], [wt(1), wt(2)]);
    const asked = { taskSid: wt(2), conferenceSid: cf(1) };
    await expect(ownCall(twilio, alice, asked)).rejects.toMatchObject(notYours);
  });

  test('forged attributes of a task of one’s own', async () => {
    const forged = { [wt(1)]: JSON.stringify({ call_sid: ca(32), conference: { sid: cf(2) } }) };
    const { twilio } = scene([conference(2, 'bruno')], [wt(1)], forged);
    for (const asked of [{ taskSid: wt(1) }, { callSid: ca(32) }])
      await expect(ownCall(twilio, alice, asked)).rejects.toMatchObject(notYours);
  });

  test('whoever is no worker, without a question to Twilio', async () => {
    const { twilio, asked } = scene([conference(1, 'alice')]);
    const nobody = { identity: 'alice', roles: ['admin'] };
    await expect(ownCall(twilio, nobody, { taskSid: wt(1) })).rejects.toMatchObject(notYours);
    expect(asked).toEqual([]);
  });
});

test('no live conference: not found, whatever was named', async () => {
  const { twilio } = scene([], [wt(1)]);
  for (const asked of [{ taskSid: wt(1) }, { callSid: ca(16) }, { taskSid: wt(1), conferenceSid: cf(1) }])
    await expect(ownCall(twilio, alice, asked)).rejects.toMatchObject(notLive);
});
