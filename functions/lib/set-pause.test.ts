import {
  asConferenceSid,
  asReservationSid,
  asTaskSid,
  asWorkerSid,
  parseReport,
  readPauseAnswer,
  type TaskMark,
} from '@flex-custody/core';
import { changeTaskMark, setPaused, stopStreams } from '@flex-custody/twilio';
import type { PauseConfig } from './flex-config.ts';
import type { FlexCall } from './flex-endpoint.ts';
import { pauseSettings, reported } from './host-live.ts';
import { setPause } from './set-pause.ts';
import { ownCall } from './whose-call.ts';

jest.mock('./twilio-of.ts', () => ({ twilioOf: jest.fn() }));
jest.mock('./whose-call.ts', () => ({ ownCall: jest.fn() }));
jest.mock('./host-live.ts', () => ({ pauseSettings: jest.fn(), reported: jest.fn() }));
jest.mock('@flex-custody/twilio', () => ({
  changeTaskMark: jest.fn(),
  setPaused: jest.fn(),
  stopStreams: jest.fn(),
}));
const marking = jest.mocked(changeTaskMark);
const settings = jest.mocked(pauseSettings);
const reporting = jest.mocked(reported);
const pausing = jest.mocked(setPaused);

const workerSid = asWorkerSid(`WK${'1'.repeat(32)}`)!;
const conference = { sid: asConferenceSid(`CF${'1'.repeat(32)}`)!, friendlyName: '', legs: [] };
const recordings = [{ recordingSid: `RE${'1'.repeat(32)}` as never, of: 'leg' as const }];
const asked = {
  taskSid: asTaskSid(`WT${'1'.repeat(32)}`)!,
  reservationSid: asReservationSid(`WR${'1'.repeat(32)}`)!,
};
const log = jest.fn();
let left: number;
const token = 'the-token-of-the-agent';
const call = { log, token, deadline: { left: () => left } } as unknown as FlexCall<PauseConfig>;
const reports = () => reporting.mock.calls.map(([, , report]) => parseReport(report, report.at));

/** The mark as the task holds it. */
let mark: TaskMark;

beforeEach(() => {
  jest.restoreAllMocks();
  jest.resetAllMocks();
  left = 9_000;
  mark = {};
  jest.mocked(ownCall).mockResolvedValue({ conference, workerSid, leg: 'CA1' as never });
  settings.mockResolvedValue(undefined);
  reporting.mockResolvedValue(true);
  pausing.mockResolvedValue(recordings);
  jest.mocked(stopStreams).mockResolvedValue(0);
  marking.mockImplementation(async (_twilio, _task, change) => {
    const before = mark;
    mark = change(before);
    return { changed: mark === before ? 'same' : 'written', before, mark };
  });
});

test('a pause keeps its beginning and is reported under one id; its end under another', async () => {
  const now = jest.spyOn(Date, 'now').mockReturnValue(1_000);
  const first = await setPause('paused', asked, call);
  now.mockReturnValue(2_000);
  expect(await setPause('paused', asked, call)).toEqual(first);
  expect(readPauseAnswer(first.body)).toEqual(first.body);
  expect(first.body).toEqual({
    state: 'paused',
    since: 1_000,
    recordings: { legs: 1, conference: 0 },
    reported: true,
    marked: true,
  });
  await setPause('recording', asked, call);
  expect(mark).toEqual({});
  now.mockReturnValue(3_000);
  await setPause('paused', asked, call);
  const [one, same, end, next] = reports();
  expect(one).toMatchObject({ kind: 'paused', at: 1_000, conferenceSid: conference.sid });
  expect(reporting.mock.calls.map(([, , , said]) => said)).toEqual(Array(4).fill(token));
  expect(same?.id).toBe(one?.id);
  expect(end).toMatchObject({ kind: 'resumed', at: 2_000 });
  expect(new Set([one?.id, end?.id, next?.id]).size).toBe(3);
});

test("another worker's pause stays the one that began it", async () => {
  const other = asWorkerSid(`WK${'2'.repeat(32)}`)!;
  const since = Date.now() - 5_000;
  mark = { started: 1, paused: { since, by: other } };
  expect((await setPause('paused', asked, call)).body).toMatchObject({ since });
  expect(mark).toEqual({ started: 1, paused: { since, by: other } });
});

test.each([1, 9e15])('a mark that began at %d, which a browser wrote, costs no report', async (since) => {
  mark = { paused: { since, by: workerSid } };
  await setPause('paused', asked, call);
  await setPause('recording', asked, call);
  for (const { at } of reports()) expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
});

test('resuming takes the pause alone out of the mark', async () => {
  mark = { started: 1, paused: { since: 5, by: workerSid } };
  await setPause('recording', asked, call);
  expect(mark).toEqual({ started: 1 });
});

test('the host says what lies in the recording, and is not asked before resuming', async () => {
  settings.mockResolvedValue({ enabled: true, behavior: 'skip', resumeAfterSeconds: 0 });
  await setPause('paused', asked, call);
  await setPause('recording', asked, call);
  expect(pausing.mock.calls.map(([, , ...rest]) => rest)).toEqual([
    ['paused', 'skip'],
    ['recording', undefined],
  ]);
  expect(settings).toHaveBeenCalledTimes(1);
});

test.each([
  ['full', async () => ({ changed: 'full' as const, before: {} }), 'task-full'],
  ['gone', async () => ({ changed: 'gone' as const, before: {} }), 'task-gone'],
  ['broken', async () => Promise.reject(new Error('x')), 'unexpected'],
])('a task that is %s: paused, reported, and not marked', async (_, answer, code) => {
  marking.mockImplementationOnce(answer);
  expect((await setPause('paused', asked, call)).body).toMatchObject({ marked: false, reported: true });
  expect(log).toHaveBeenCalledWith({ outcome: 'paused', count: 1, code });
});

test('a task that is slow leaves time for the report', async () => {
  left = 3_030;
  marking.mockImplementationOnce(() => new Promise(() => undefined));
  const begun = performance.now();
  expect((await setPause('paused', asked, call)).body).toMatchObject({ marked: false, reported: true });
  expect(performance.now() - begun).toBeLessThan(left);
  expect(log).toHaveBeenCalledWith({ outcome: 'paused', count: 1, code: 'task-late' });
});

test('nothing recorded: neither marked nor reported', async () => {
  pausing.mockResolvedValue([]);
  await expect(setPause('recording', asked, call)).rejects.toMatchObject({
    code: 'nothing_recorded',
    status: 409,
  });
  expect(marking).not.toHaveBeenCalled();
  expect(reporting).not.toHaveBeenCalled();
});

test('switched off: nobody is asked whose call it is', async () => {
  settings.mockResolvedValue({ enabled: false, behavior: 'silence', resumeAfterSeconds: 0 });
  await expect(setPause('paused', asked, call)).rejects.toMatchObject({
    code: 'pause_disabled',
    status: 403,
  });
  expect(pausing).not.toHaveBeenCalled();
});

test('pausing stops what is streamed of the call, and waits for none of it; resuming does not', async () => {
  jest.mocked(stopStreams).mockReturnValue(new Promise(() => undefined));
  left = 530;
  expect((await setPause('paused', asked, call)).status).toBe(200);
  expect(jest.mocked(stopStreams).mock.calls.map(([, of]) => of)).toEqual([conference]);
  await setPause('recording', asked, call);
  expect(stopStreams).toHaveBeenCalledTimes(1);
});
