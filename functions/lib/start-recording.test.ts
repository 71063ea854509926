import {
  asCallSid,
  asConferenceSid,
  asReservationSid,
  asTaskSid,
  type StartRecordingRequest,
} from '@flex-custody/core';
import { changeTaskMark } from '@flex-custody/twilio';
import type { StartConfig } from './flex-config.ts';
import type { FlexCall } from './flex-endpoint.ts';
import { startRecording } from './start-recording.ts';
import { twilioOf } from './twilio-of.ts';
import { ownCall } from './whose-call.ts';

jest.mock('./twilio-of.ts', () => ({ twilioOf: jest.fn() }));
jest.mock('./whose-call.ts', () => ({ ownCall: jest.fn() }));
jest.mock('@flex-custody/twilio', () => ({ changeTaskMark: jest.fn() }));
const marking = jest.mocked(changeTaskMark);

const leg = asCallSid(`CA${'1'.repeat(32)}`)!;
const conference = { sid: asConferenceSid(`CF${'1'.repeat(32)}`)! };
const asked: StartRecordingRequest = {
  taskSid: asTaskSid(`WT${'1'.repeat(32)}`)!,
  reservationSid: asReservationSid(`WR${'1'.repeat(32)}`)!,
  want: 'leg',
  expected: false,
  paused: false,
};
const log = jest.fn();
let elapsed: number;
const call = {
  config: { functionsUrl: 'https://f.example' },
  deadline: { elapsed: () => elapsed },
  log,
} as unknown as FlexCall<StartConfig>;
const waits: number[] = [];
/** Runs when the Function has waited so often, as the world would go on meanwhile. */
let meanwhile: (waited: number) => void;
const wait = async (ms: number) => {
  waits.push(ms);
  elapsed += ms;
  meanwhile(waits.length);
};
const start = async (more: Partial<StartRecordingRequest> = {}) =>
  (await startRecording({ ...asked, ...more }, call, wait)).body;
interface Listed {
  recordingSid: string;
  status: string;
  createdAt?: Date;
}
let recordings: Listed[];
let ofConference: Listed[];
const at = (seconds: number) => new Date(1_763_632_800_000 + seconds * 1_000);
let starts: string[];
let ended: boolean;
const changeRecording = jest.fn();

beforeEach(() => {
  recordings = [];
  ofConference = [];
  elapsed = 0;
  waits.length = 0;
  meanwhile = () => undefined;
  starts = [];
  ended = false;
  log.mockReset();
  marking.mockReset();
  changeRecording.mockReset();
  changeRecording.mockResolvedValue('ok');
  marking.mockResolvedValue({ changed: 'written', before: {}, mark: {} });
  jest
    .mocked(ownCall)
    .mockResolvedValue({ leg, conference } as unknown as Awaited<ReturnType<typeof ownCall>>);
  jest.mocked(twilioOf).mockReturnValue({
    recordingsOf: async (place: object) => ('call' in place ? recordings : ofConference),
    changeRecording,
    async startRecording(_leg: string, callback: string) {
      if (ended) return undefined;
      starts.push(callback);
      recordings.push({ recordingSid: `RE${starts.length}`, status: 'processing', createdAt: at(9) });
      return `RE${starts.length}`;
    },
  } as unknown as ReturnType<typeof twilioOf>);
});

test('two clicks at once start one recording', async () => {
  expect(await Promise.all([start(), start()])).toEqual([
    { recordingSid: 'RE1', callSid: leg, started: true, of: 'leg' },
    { recordingSid: 'RE1', callSid: leg, started: false, of: 'leg' },
  ]);
  expect(starts).toEqual([
    `https://f.example/recording-status-callback?taskSid=${asked.taskSid}&reservationSid=${asked.reservationSid}#rc=5&rp=all`,
  ]);
  expect(marking).toHaveBeenCalledTimes(1);
});

test('what ended before does not count', async () => {
  recordings = ['stopped', 'completed', 'absent', 'deleted', 'failed'].map((status) => ({
    recordingSid: 'RE9',
    status,
  }));
  expect(await start()).toMatchObject({ recordingSid: 'RE1', started: true });
});

test('a leg that is recorded already stays as it is, unmarked', async () => {
  recordings = [{ recordingSid: 'RE9', status: 'processing' }];
  expect(await start()).toEqual({ recordingSid: 'RE9', callSid: leg, started: false, of: 'leg' });
  expect(marking).not.toHaveBeenCalled();
});

test('the mark keeps what stands there', async () => {
  await start();
  expect(marking.mock.calls[0]?.[2]({ paused: { since: 1, by: 'WK1' as never } })).toEqual({
    paused: { since: 1, by: 'WK1' },
    started: expect.any(Number),
  });
});

test.each([
  ['task-full', async () => ({ changed: 'full' as const, before: {} })],
  ['unexpected', async () => Promise.reject(new Error('taskrouter is away'))],
])('recorded is recorded, marked or not: %s', async (code, answer) => {
  marking.mockImplementationOnce(answer);
  expect(await start()).toMatchObject({ started: true });
  expect(log).toHaveBeenCalledWith({ outcome: 'not-marked', code });
});

test.each([
  ['written', { started: 1 }, { paused: { since: 1, by: 'WK1' as never } }],
  ['full', { paused: { since: 1, by: 'WK1' as never } }, undefined],
] as const)('while the call is paused the new recording is too: task %s', async (changed, before, mark) => {
  marking.mockResolvedValueOnce({ changed, before, ...(mark ? { mark } : {}) });
  expect(await start()).toMatchObject({ recordingSid: 'RE1', started: true });
  expect(changeRecording).toHaveBeenCalledWith({ call: leg }, 'RE1', {
    status: 'paused',
    behavior: 'silence',
  });
});

test('where it is not paused the recording runs', async () => {
  await start();
  expect(changeRecording).not.toHaveBeenCalled();
});

test('a call that ended in between', async () => {
  ended = true;
  await expect(start()).rejects.toMatchObject({ code: 'call_not_live', status: 404 });
});

describe('what was asked for before', () => {
  const late = { recordingSid: 'RE9', status: 'processing', createdAt: at(0) };

  test('is looked for again where the list lags, and nothing is started', async () => {
    meanwhile = (waited) => waited === 2 && recordings.push(late);
    expect(await start({ expected: true })).toMatchObject({ recordingSid: 'RE9', started: false });
    expect(waits).toEqual([1_000, 2_000]);
    expect(starts).toEqual([]);
  });

  test('is started when it does not come', async () => {
    expect(await start({ expected: true })).toMatchObject({ recordingSid: 'RE1', started: true });
    expect(waits).toEqual([1_000, 2_000, 1_000]);
  });

  test('is started at once where time is short', async () => {
    elapsed = 4_000;
    expect(await start({ expected: true })).toMatchObject({ started: true });
    expect(waits).toEqual([1_000]);
    elapsed = 5_500;
    waits.length = 0;
    recordings = [];
    expect(await start({ expected: true })).toMatchObject({ started: true });
    expect(waits).toEqual([]);
  });
});

describe('after a start it looks once more', () => {
  const older = { recordingSid: 'RE9', status: 'processing', createdAt: at(8) };

  test('an older one of the same leg is kept, and ours is stopped', async () => {
    meanwhile = () => recordings.push(older);
    expect(await start()).toEqual({ recordingSid: 'RE9', callSid: leg, started: false, of: 'leg' });
    expect(changeRecording.mock.calls).toEqual([
      [{ call: leg }, 'RE9', { status: 'in-progress' }],
      [{ call: leg }, 'RE1', { status: 'stopped' }],
    ]);
  });

  test('an older one of a paused call is kept, and stays paused', async () => {
    marking.mockResolvedValueOnce({
      changed: 'written',
      before: {},
      mark: { paused: { since: 1, by: 'WK1' as never } },
    });
    meanwhile = () => recordings.push(older);
    expect(await start()).toMatchObject({ recordingSid: 'RE9', started: false });
    const paused = { status: 'paused', behavior: 'silence' };
    expect(changeRecording.mock.calls).toEqual([
      [{ call: leg }, 'RE1', paused],
      [{ call: leg }, 'RE9', paused],
      [{ call: leg }, 'RE1', { status: 'stopped' }],
    ]);
  });

  test('an older one that has ended, though the list calls it processing, stops nothing', async () => {
    meanwhile = () => recordings.push(older);
    changeRecording.mockResolvedValueOnce('not-active');
    expect(await start()).toMatchObject({ recordingSid: 'RE1', started: true });
    expect(changeRecording).toHaveBeenCalledTimes(1);
  });

  test('where the task does not say whether the call is paused, nothing is touched', async () => {
    marking.mockResolvedValueOnce({ changed: 'full', before: {} });
    meanwhile = () => recordings.push(older);
    expect(await start()).toMatchObject({ recordingSid: 'RE1', started: true });
    expect(changeRecording).not.toHaveBeenCalled();
  });

  test.each([
    ['younger', { ...older, createdAt: at(10) }],
    ['of the same second, and later by its SID', { ...older, createdAt: at(9) }],
    ['of an unknown time', { recordingSid: 'RE9', status: 'processing' }],
    ['over', { ...older, status: 'stopped' }],
  ])('one that is %s stops nothing', async (_what, other) => {
    meanwhile = () => recordings.push(other);
    expect(await start()).toMatchObject({ recordingSid: 'RE1', started: true });
    expect(changeRecording).not.toHaveBeenCalled();
  });

  test('where ours is not in the list yet, two are better than none', async () => {
    meanwhile = () => {
      recordings = [older];
    };
    expect(await start()).toMatchObject({ recordingSid: 'RE1', started: true });
    expect(changeRecording).not.toHaveBeenCalled();
  });

  test('a stop that fails leaves ours', async () => {
    meanwhile = () => recordings.push(older);
    changeRecording.mockResolvedValueOnce('ok').mockRejectedValueOnce(new Error('away'));
    expect(await start()).toMatchObject({ recordingSid: 'RE1', started: true });
    expect(log).toHaveBeenCalledWith({ outcome: 'not-looked-again', code: 'unexpected' });
  });
});

describe('where Flex records the conference', () => {
  const theirs = { recordingSid: 'RE8', status: 'processing', createdAt: at(1) };

  test('its recording is the answer', async () => {
    ofConference = [theirs];
    expect(await start({ want: 'conference' })).toEqual({
      recordingSid: 'RE8',
      callSid: leg,
      started: false,
      of: 'conference',
    });
    expect(starts).toEqual([]);
  });

  test("it does not count where the leg's is wanted", async () => {
    ofConference = [theirs];
    expect(await start()).toMatchObject({ recordingSid: 'RE1', of: 'leg' });
  });

  test("the leg's counts too; where neither is, the leg is recorded", async () => {
    recordings = [{ ...theirs, recordingSid: 'RE7' }];
    expect(await start({ want: 'conference' })).toMatchObject({ recordingSid: 'RE7', of: 'leg' });
    recordings = [];
    expect(await start({ want: 'conference' })).toMatchObject({
      recordingSid: 'RE1',
      started: true,
      of: 'leg',
    });
  });

  test('one that shows late takes the place of ours', async () => {
    meanwhile = () => ofConference.push(theirs);
    expect(await start({ want: 'conference' })).toMatchObject({ recordingSid: 'RE8', of: 'conference' });
    expect(changeRecording.mock.calls).toEqual([
      [{ conference: conference.sid }, 'RE8', { status: 'in-progress' }],
      [{ call: leg }, 'RE1', { status: 'stopped' }],
    ]);
  });
});

test('who asks for silence: what is there is paused, and what has just ended does not count', async () => {
  const answers: Record<string, string> = { RE7: 'not-active', RE8: 'ok', RE9: 'not-active' };
  changeRecording.mockImplementation(async (_place, recording: string) => answers[recording] ?? 'ok');
  recordings = ['RE7', 'RE8'].map((recordingSid) => ({ recordingSid, status: 'processing' }));
  expect(await start({ paused: true })).toMatchObject({ recordingSid: 'RE8', started: false });
  recordings = [{ recordingSid: 'RE9', status: 'processing' }];
  expect(await start({ paused: true })).toMatchObject({ recordingSid: 'RE1', started: true });
  changeRecording.mockClear();
  recordings = [{ recordingSid: 'RE9', status: 'processing' }];
  expect(await start({ paused: true, expected: true })).toMatchObject({ recordingSid: 'RE9' });
  expect(changeRecording).not.toHaveBeenCalled();
  ofConference = [{ recordingSid: 'RE8', status: 'processing' }];
  recordings = [];
  expect(await start({ paused: true, want: 'conference' })).toMatchObject({ of: 'conference' });
  expect(changeRecording.mock.calls).toEqual([
    [{ conference: conference.sid }, 'RE8', { status: 'paused', behavior: 'silence' }],
  ]);
});

test('who asks for silence has the new recording paused before anything else', async () => {
  const order: string[] = [];
  changeRecording.mockImplementation(async () => void order.push('paused'));
  marking.mockImplementation(async () => {
    order.push('marked');
    return { changed: 'written', before: {}, mark: { paused: { since: 1, by: 'WK1' as never } } };
  });
  await start({ paused: true });
  expect(order).toEqual(['paused', 'marked']);
});
