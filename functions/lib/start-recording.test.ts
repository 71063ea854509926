import { asCallSid, asReservationSid, asTaskSid } from '@flex-custody/core';
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
const asked = {
  taskSid: asTaskSid(`WT${'1'.repeat(32)}`)!,
  reservationSid: asReservationSid(`WR${'1'.repeat(32)}`)!,
};
const log = jest.fn();
const call = { config: { functionsUrl: 'https://f.example' }, log } as unknown as FlexCall<StartConfig>;
const start = async () => (await startRecording(asked, call)).body;
let recordings: { recordingSid: string; status: string }[];
let starts: string[];
let ended: boolean;
const changeRecording = jest.fn();

beforeEach(() => {
  recordings = [];
  starts = [];
  ended = false;
  log.mockReset();
  marking.mockReset();
  changeRecording.mockReset();
  marking.mockResolvedValue({ changed: 'written', before: {}, mark: {} });
  jest.mocked(ownCall).mockResolvedValue({ leg } as unknown as Awaited<ReturnType<typeof ownCall>>);
  jest.mocked(twilioOf).mockReturnValue({
    recordingsOf: async () => recordings,
    changeRecording,
    async startRecording(_leg: string, callback: string) {
      if (ended) return undefined;
      starts.push(callback);
      recordings.push({ recordingSid: `RE${starts.length}`, status: 'processing' });
      return `RE${starts.length}`;
    },
  } as unknown as ReturnType<typeof twilioOf>);
});

test('two clicks at once start one recording', async () => {
  expect(await Promise.all([start(), start()])).toEqual([
    { recordingSid: 'RE1', callSid: leg, started: true },
    { recordingSid: 'RE1', callSid: leg, started: false },
  ]);
  expect(starts).toEqual([
    `https://f.example/recording-status-callback?taskSid=${asked.taskSid}&reservationSid=${asked.reservationSid}#rc=5&rp=all`,
  ]);
  expect(marking).toHaveBeenCalledTimes(1);
});

test('what ended before does not count', async () => {
  recordings = ['stopped', 'completed', 'absent', 'deleted'].map((status) => ({
    recordingSid: 'RE9',
    status,
  }));
  expect(await start()).toMatchObject({ recordingSid: 'RE1', started: true });
});

test('a leg that is recorded already stays as it is, unmarked', async () => {
  recordings = [{ recordingSid: 'RE9', status: 'processing' }];
  expect(await start()).toEqual({ recordingSid: 'RE9', callSid: leg, started: false });
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
