import {
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asTaskSid,
  asWorkspaceSid,
} from '@flex-custody/core';
import { createTwilio } from './client.ts';

interface Asked {
  uri: string;
  params?: Record<string, unknown>;
}

const mockAsked: Asked[] = [];
let mockAnswer: (asked: Asked) => { statusCode: number; body: unknown };

// The real SDK, with only its wire replaced.
jest.mock('twilio', () => {
  const sdk = jest.requireActual<typeof import('twilio')>('twilio');
  class Wire extends sdk.RequestClient {
    override async request(options: unknown): Promise<never> {
      mockAsked.push(options as Asked);
      return { headers: {}, ...mockAnswer(options as Asked) } as never;
    }
  }
  return { __esModule: true, default: Object.assign(sdk.bind(undefined), { RequestClient: Wire }) };
});

const hex = (n: number) => n.toString(16).padStart(32, '0');
const AC = asAccountSid(`AC${hex(1)}`)!;
const WS = asWorkspaceSid(`WS${hex(1)}`)!;
const CA = asCallSid(`CA${hex(1)}`)!;
const parent = asCallSid(`CA${hex(2)}`)!;
const CF = asConferenceSid(`CF${hex(1)}`)!;
const RE = asRecordingSid(`RE${hex(1)}`)!;
const WT = asTaskSid(`WT${hex(1)}`)!;
const twilio = createTwilio({ accountSid: AC, workspaceSid: WS, username: AC, password: 'secret' });
const api = `https://api.twilio.com/2010-04-01/Accounts/${AC}`;
const rfc = 'Fri, 20 Nov 2026 10:00:05 +0000';

const answer = (body: object) => {
  mockAnswer = () => ({ statusCode: 200, body: JSON.stringify(body) });
};
const missing = () => {
  mockAnswer = () => ({ statusCode: 404, body: '{"code":20404}' });
};

beforeEach(() => {
  mockAsked.length = 0;
});

describe('a call', () => {
  test('as Twilio made or took it', async () => {
    const body = { sid: CA, from: '+14155550142', to: 'client:ada', direction: 'outbound-api' };
    answer({ ...body, parent_call_sid: parent, start_time: rfc, end_time: rfc });
    const at = new Date('2026-11-20T10:00:05Z');
    expect(await twilio.callFacts(CA)).toEqual({
      ...body,
      parentCallSid: parent,
      startedAt: at,
      endedAt: at,
    });
    expect(mockAsked.map(({ uri }) => uri)).toEqual([`${api}/Calls/${CA}.json`]);
  });

  test('that nobody has picked up began when it was made; one that is not there is undefined', async () => {
    answer({
      sid: CA,
      from: '',
      to: '',
      direction: 'inbound',
      start_time: null,
      end_time: null,
      date_created: rfc,
    });
    expect(await twilio.callFacts(CA)).toEqual({
      sid: CA,
      from: '',
      to: '',
      direction: 'inbound',
      startedAt: new Date('2026-11-20T10:00:05Z'),
    });
    missing();
    expect(await twilio.callFacts(CA)).toBeUndefined();
  });
});

test('every conference in progress, page by page', async () => {
  const one = (n: number) => ({ sid: `CF${hex(n)}`, friendly_name: n === 1 ? WT : null, date_created: rfc });
  mockAnswer = ({ uri }) => ({
    statusCode: 200,
    body: JSON.stringify(
      uri.includes('Page=1')
        ? { conferences: [one(2)], next_page_uri: null }
        : { conferences: [one(1)], next_page_uri: `/2010-04-01/Accounts/${AC}/Conferences.json?Page=1` },
    ),
  });
  const createdAt = new Date('2026-11-20T10:00:05Z');
  expect(await twilio.liveConferencesAll()).toEqual([
    { sid: CF, friendlyName: WT, createdAt },
    { sid: `CF${hex(2)}`, friendlyName: '', createdAt },
  ]);
  expect(mockAsked[0]).toMatchObject({
    uri: `${api}/Conferences.json`,
    params: { Status: 'in-progress', PageSize: 500 },
  });
  expect(mockAsked).toHaveLength(2);
});

test('what was recorded since, page by page, and never from another server', async () => {
  const recording = (change: object) => ({
    sid: RE,
    account_sid: AC,
    status: 'processing',
    start_time: rfc,
    ...change,
  });
  mockAnswer = ({ uri }) => ({
    statusCode: 200,
    body: JSON.stringify(
      uri.includes('Page=1')
        ? { recordings: [recording({ conference_sid: CF, status: 'deleted' })] }
        : {
            recordings: [recording({ call_sid: CA })],
            next_page_uri: `${api.slice(22)}/Recordings.json?Page=1`,
          },
    ),
  });
  const since = new Date('2026-11-20T09:00:00Z');
  expect(await twilio.recordingsSince(since)).toEqual([
    { callSid: CA, status: 'processing' },
    { conferenceSid: CF, status: 'deleted' },
  ]);
  expect(mockAsked[0]?.params).toMatchObject({ 'DateCreated>': since.toISOString().replace('.000', '') });
  expect(mockAsked).toHaveLength(2);
});

describe('how a task was made', () => {
  const attributes = '{"direction":"inbound"}';
  const event = {
    event_type: 'task.created',
    event_date: '2026-11-20T10:00:00Z',
    event_data: { task_sid: WT, task_attributes: attributes },
    actor_type: 'workflow',
    actor_sid: `WW${hex(1)}`,
  };
  const events = (...all: object[]) => answer({ events: all, meta: { key: 'events' } });
  const createdAt = new Date('2026-11-20T10:00:00Z');

  test('is asked for as far back as TaskRouter knows it', async () => {
    events(event);
    expect(await twilio.taskCreated(WT)).toEqual({ attributes, byWorker: false, createdAt });
    expect(mockAsked[0]).toMatchObject({
      uri: `https://taskrouter.twilio.com/v1/Workspaces/${WS}/Events`,
      params: { EventType: 'task.created', TaskSid: WT, Minutes: 43_200 },
    });
  });

  test.each([
    ['by its SID', { actor_sid: `WK${hex(1)}`, actor_type: null }],
    ['by its type', { actor_type: 'Worker', actor_sid: null }],
  ])("a worker's own making is known %s", async (_how, change) => {
    events({ ...event, ...change });
    expect(await twilio.taskCreated(WT)).toMatchObject({ byWorker: true });
  });

  test('the data may come as text', async () => {
    events({ ...event, event_data: JSON.stringify(event.event_data) });
    expect(await twilio.taskCreated(WT)).toMatchObject({ attributes });
  });

  test.each([
    ['none', []],
    ['another event', [{ ...event, event_type: 'task.updated' }]],
    ['redacted attributes', [{ ...event, event_data: { task_sid: WT, task_attributes: null } }]],
    ['data that is no JSON', [{ ...event, event_data: '{' }]],
    ['no data', [{ ...event, event_data: null }]],
  ])('%s is nothing known', async (_what, all) => {
    events(...all);
    expect(await twilio.taskCreated(WT)).toBeUndefined();
  });

  test('an outage is not nothing', async () => {
    mockAnswer = () => ({ statusCode: 503, body: '{}' });
    await expect(twilio.taskCreated(WT)).rejects.toMatchObject({
      code: 'twilio_unavailable',
      retryable: true,
    });
  });
});
