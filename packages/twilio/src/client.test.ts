import {
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asReservationSid,
  asTaskSid,
  asWorkerSid,
  asWorkspaceSid,
} from '@flex-custody/core';
import type { TwilioApi } from './api.ts';
import { createTwilio, ifMatchOf } from './client.ts';

interface Asked {
  method: string;
  uri: string;
  username: string;
  password: string;
  params?: unknown;
  data?: unknown;
  headers: Record<string, string>;
}
interface Answer {
  statusCode: number;
  body: unknown;
  headers?: Record<string, string>;
}

const mockAsked: Asked[] = [];
let mockAnswer: (asked: Asked) => Answer | Error = () => ({ statusCode: 404, body: '{}' });

// The real SDK, with only its wire replaced.
jest.mock('twilio', () => {
  const sdk = jest.requireActual<typeof import('twilio')>('twilio');
  class Wire extends sdk.RequestClient {
    override async request(options: unknown): Promise<never> {
      mockAsked.push(options as Asked);
      const answer = mockAnswer(options as Asked);
      if (answer instanceof Error) throw answer;
      return { headers: {}, ...answer } as never;
    }
  }
  return { __esModule: true, default: Object.assign(sdk.bind(undefined), { RequestClient: Wire }) };
});

const hex = (n: number) => n.toString(16).padStart(32, '0');
const AC = asAccountSid(`AC${hex(1)}`)!;
const WS = asWorkspaceSid(`WS${hex(1)}`)!;
const RE = asRecordingSid(`RE${hex(1)}`)!;
const CA = asCallSid(`CA${hex(1)}`)!;
const CF = asConferenceSid(`CF${hex(1)}`)!;
const WT = asTaskSid(`WT${hex(1)}`)!;
const WR = asReservationSid(`WR${hex(1)}`)!;
const WK = asWorkerSid(`WK${hex(1)}`)!;
const password = 'the-secret-token';
const twilio = createTwilio({ accountSid: AC, workspaceSid: WS, username: AC, password });

const api = `https://api.twilio.com/2010-04-01/Accounts/${AC}`;
const taskrouter = `https://taskrouter.twilio.com/v1/Workspaces/${WS}`;
const answers = (body: object, headers: Record<string, string> = {}) => {
  mockAnswer = () => ({ statusCode: 200, body: JSON.stringify(body), headers });
};
const last = () => mockAsked.at(-1);

beforeEach(() => {
  mockAsked.length = 0;
});

const recording = {
  sid: RE,
  account_sid: AC,
  call_sid: CA,
  conference_sid: null,
  status: 'completed',
  channels: 2,
  duration: '30',
  start_time: 'Fri, 20 Nov 2026 10:00:05 +0000',
  date_created: 'Fri, 20 Nov 2026 10:00:06 +0000',
  error_code: null,
  encryption_details: null,
};

test('a recording is read as Twilio describes it', async () => {
  answers(recording);
  expect(await twilio.recording(RE)).toEqual({
    sid: RE,
    accountSid: AC,
    callSid: CA,
    status: 'completed',
    channels: 2,
    durationSeconds: 30,
    startedAt: new Date('2026-11-20T10:00:05Z'),
  });
  expect(last()).toMatchObject({
    method: 'get',
    uri: `${api}/Recordings/${RE}.json`,
    username: AC,
    password,
  });
});

describe('a page of the list of recordings', () => {
  const since = new Date('2026-11-20T09:00:00Z');
  const until = new Date('2026-11-20T10:00:07Z');
  const next = `https://api.twilio.com/2010-04-01/Accounts/${AC}/Recordings.json?Page=1&PageToken=x`;
  const created = (second: string) => ({
    ...recording,
    date_created: `Fri, 20 Nov 2026 10:00:${second} +0000`,
  });

  test('is asked for by both ends of a window, 500 at a time, and says when its oldest was created', async () => {
    answers({ recordings: [created('06'), created('04')], next_page_uri: next.slice(22) });
    expect(await twilio.recordingsPage({ since, until })).toMatchObject({
      recordings: [{ sid: RE }, { sid: RE }],
      oldest: new Date('2026-11-20T10:00:04Z'),
      next,
    });
    expect(last()).toMatchObject({
      uri: `${api}/Recordings.json`,
      params: {
        'DateCreated>': '2026-11-20T09:00:00Z',
        'DateCreated<': '2026-11-20T10:00:07Z',
        IncludeSoftDeleted: 'true',
        PageSize: 500,
      },
    });
  });

  test('that is empty has no oldest, and no next', async () => {
    answers({ recordings: [] });
    expect(await twilio.recordingsPage({ since })).toEqual({ recordings: [] });
  });

  test.each([
    ['not there any more', 404, 'twilio_answer'],
    ['refused', 400, 'twilio_refused'],
  ])('that is %s is not the end of the list', async (_what, statusCode, code) => {
    mockAnswer = () => ({ statusCode, body: '{}' });
    await expect(twilio.recordingsPage({ since }, next)).rejects.toMatchObject({ code });
  });
});

test.each([
  [{ conference: CF }, { ConferenceSid: CF }],
  [{ call: CA }, { CallSid: CA }],
])('recordings of %j are asked for by its SID, with those that were deleted', async (place, params) => {
  answers({ recordings: [recording] });
  expect(await twilio.recordingsAt(place)).toMatchObject([{ sid: RE }]);
  expect(last()).toMatchObject({
    uri: `${api}/Recordings.json`,
    params: { ...params, IncludeSoftDeleted: 'true', PageSize: 100 },
  });
});

test('what Twilio does not state is absent, not invented', async () => {
  answers({
    ...recording,
    call_sid: null,
    conference_sid: CF,
    status: 'absent',
    duration: '-1',
    channels: 1,
    start_time: null,
    error_code: 16102,
    encryption_details: { type: 'rsa-aes' },
  });
  expect(await twilio.recording(RE)).toEqual({
    sid: RE,
    accountSid: AC,
    conferenceSid: CF,
    status: 'absent',
    channels: 1,
    startedAt: new Date('2026-11-20T10:00:06Z'),
    errorCode: '16102',
    encryption: 'unreadable',
  });
});

test.each([
  ['status', { status: 'brand-new' }],
  ['account SID', { account_sid: 'AC1' }],
  ['start of a recording', { start_time: null, date_created: null }],
])('a recording without a readable %s is an error, not a guess', async (what, change) => {
  answers({ ...recording, ...change });
  await expect(twilio.recording(RE)).rejects.toMatchObject({
    code: 'twilio_answer',
    message: expect.stringContaining(what),
  });
});

test('a task comes with what If-Match takes, and is written under it', async () => {
  answers({ sid: WT, attributes: '{"a":1}', date_updated: '2026-11-20T10:00:00Z' }, { etag: '"7"' });
  expect(await twilio.task(WT)).toEqual({
    sid: WT,
    attributes: '{"a":1}',
    etag: '7',
    dateUpdated: new Date('2026-11-20T10:00:00Z'),
  });
  expect(await twilio.updateTask(WT, '{"a":2}', '7')).toBe('ok');
  expect(last()).toMatchObject({
    method: 'post',
    uri: `${taskrouter}/Tasks/${WT}`,
    data: { Attributes: '{"a":2}' },
    headers: { 'If-Match': '7' },
  });
});

test('a task without an ETag is asked for again, never written blindly', async () => {
  answers({ sid: WT, attributes: '{}', date_updated: '2026-11-20T10:00:00Z' });
  await expect(twilio.task(WT)).rejects.toMatchObject({
    code: 'twilio_etag_missing',
    status: 503,
    retryable: true,
  });
});

test.each([
  ['"7"', '7'],
  ['7', '7'],
  ['W/"7"', 'W/"7"'],
  ['', undefined],
  [undefined, undefined],
])('ETag %s is sent back as %s', (etag, ifMatch) => {
  expect(ifMatchOf(etag)).toBe(ifMatch);
});

test.each([
  [412, 'changed'],
  [404, 'gone'],
])('a write answered %d is %s', async (statusCode, expected) => {
  mockAnswer = () => ({ statusCode, body: '{"code":20001,"message":"no"}' });
  expect(await twilio.updateTask(WT, '{}', '7')).toBe(expected);
});

test('tasks are searched by the expression, two at most', async () => {
  answers({ tasks: [1, 2, 3].map((n) => ({ sid: `WT${hex(n)}` })), meta: { key: 'tasks' } });
  expect(await twilio.findTasks(`conference.sid == '${CF}'`)).toEqual([`WT${hex(1)}`, `WT${hex(2)}`]);
  expect(last()).toMatchObject({
    uri: `${taskrouter}/Tasks`,
    params: { EvaluateTaskAttributes: `conference.sid == '${CF}'` },
  });
});

test('searches keep Twilio’s pace, and end with whoever asked', async () => {
  answers({ tasks: [], meta: { key: 'tasks' } });
  const fresh = createTwilio({ accountSid: AC, workspaceSid: WS, username: AC, password });
  for (let times = 0; times < 3; times += 1) await fresh.findTasks('a');
  const before = mockAsked.length;
  const stop = new AbortController();
  const waiting = fresh.findTasks('a', stop.signal);
  stop.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  expect(mockAsked).toHaveLength(before);
});

test('reservation, worker, call and participants are read from where they lie', async () => {
  answers({ sid: WR, task_sid: WT, worker_sid: WK, date_updated: '2026-11-20T10:00:00Z' });
  expect(await twilio.reservation(WT, WR)).toMatchObject({ sid: WR, taskSid: WT, workerSid: WK });
  expect(last()?.uri).toBe(`${taskrouter}/Tasks/${WT}/Reservations/${WR}`);
  answers({ sid: WK, friendly_name: 'agent', attributes: '{}' });
  expect(await twilio.worker(WK)).toEqual({ sid: WK, friendlyName: 'agent', attributes: '{}' });
  expect(last()?.uri).toBe(`${taskrouter}/Workers/${WK}`);
  const found = (name: string) => ({ sid: WK, friendly_name: name, attributes: '{}' });
  answers({ workers: [found('a@b'), { ...found('A@b'), sid: `WK${hex(2)}` }], meta: { key: 'workers' } });
  expect(await twilio.workersNamed('a@b')).toEqual([WK]);
  expect(last()).toMatchObject({ uri: `${taskrouter}/Workers`, params: { FriendlyName: 'a@b' } });
  answers({ sid: CA, to: 'client:agent' });
  expect(await twilio.call(CA)).toEqual({ sid: CA, to: 'client:agent' });
  expect(last()?.uri).toBe(`${api}/Calls/${CA}.json`);
  answers({ participants: [{ call_sid: CA }, { call_sid: null }] });
  expect(await twilio.participants(CF)).toEqual([CA]);
  expect(last()?.uri).toBe(`${api}/Conferences/${CF}/Participants.json`);
});

test("a task's reservations and a conference's name are read", async () => {
  const reservation = { sid: WR, task_sid: WT, worker_sid: WK, date_updated: '2026-11-20T10:00:00Z' };
  answers({ reservations: [reservation], meta: { key: 'reservations' } });
  expect(await twilio.reservations(WT)).toEqual([
    { sid: WR, taskSid: WT, workerSid: WK, dateUpdated: new Date('2026-11-20T10:00:00Z') },
  ]);
  expect(last()?.uri).toBe(`${taskrouter}/Tasks/${WT}/Reservations`);
  answers({ sid: CF, friendly_name: WT });
  expect(await twilio.conference(CF)).toEqual({ sid: CF, friendlyName: WT });
  expect(last()?.uri).toBe(`${api}/Conferences/${CF}.json`);
});

test('the doctor sees account and workspace', async () => {
  answers({ sid: AC, friendly_name: 'Acme', status: 'active' });
  expect(await twilio.account()).toEqual({ friendlyName: 'Acme', status: 'active' });
  expect(last()?.uri).toBe(`${api}.json`);
  answers({ sid: WS, friendly_name: 'Flex' });
  expect(await twilio.workspace()).toEqual({ friendlyName: 'Flex' });
});

const reads: [string, (from: TwilioApi) => Promise<unknown>, unknown][] = [
  ['recording', (from) => from.recording(RE), undefined],
  ['call', (from) => from.call(CA), undefined],
  ['task', (from) => from.task(WT), undefined],
  ['reservation', (from) => from.reservation(WT, WR), undefined],
  ['worker', (from) => from.worker(WK), undefined],
  ['reservations', (from) => from.reservations(WT), []],
  ['conference', (from) => from.conference(CF), undefined],
  ['participants', (from) => from.participants(CF), []],
  ['workersNamed', (from) => from.workersNamed('a'), []],
  ['findTasks', (from) => from.findTasks("a == 'b'"), []],
];

test.each(reads)('%s: what is not there is no error', async (_, read, nothing) => {
  mockAnswer = () => ({ statusCode: 404, body: '{"code":20404,"message":"not found"}' });
  expect(await read(twilio)).toEqual(nothing);
});

test.each([
  [500, 'twilio_unavailable', true],
  [503, 'twilio_unavailable', true],
  [429, 'twilio_unavailable', true],
  [401, 'twilio_unauthorized', false],
  [403, 'twilio_unauthorized', false],
  [400, 'twilio_refused', false],
])('HTTP %d is %s', async (statusCode, code, retryable) => {
  mockAnswer = () => ({ statusCode, body: '<html>' });
  for (const [, read] of reads) await expect(read(twilio)).rejects.toMatchObject({ code, retryable });
  await expect(twilio.updateTask(WT, '{}', '7')).rejects.toMatchObject({ code, retryable });
});

test('no connection is an outage, and its error carries no credentials on', async () => {
  mockAnswer = () =>
    Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      config: { headers: { Authorization: `Basic ${password}` } },
    });
  const error = await twilio.task(WT).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'twilio_unavailable', retryable: true, status: 503 });
  expect(String((error as Error).message)).toContain('ECONNREFUSED');
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(password);
  expect((error as Error).cause).toBeUndefined();
});
