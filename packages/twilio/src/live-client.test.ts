import {
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asTaskSid,
  asWorkerSid,
  asWorkspaceSid,
} from '@flex-custody/core';
import { createTwilio } from './client.ts';
import type { TwilioLive } from './live-api.ts';

interface Asked {
  method: string;
  uri: string;
  params?: Record<string, unknown>;
  data?: Record<string, unknown>;
}
interface Answer {
  statusCode: number;
  body: unknown;
}

const mockAsked: Asked[] = [];
let mockAnswer: (asked: Asked) => Answer = () => ({ statusCode: 404, body: '{}' });

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
const RE = asRecordingSid(`RE${hex(1)}`)!;
const [caller, agent, gone] = [1, 2, 3].map((n) => asCallSid(`CA${hex(n)}`)!) as [never, never, never];
const CF = asConferenceSid(`CF${hex(1)}`)!;
const WT = asTaskSid(`WT${hex(1)}`)!;
const WK = asWorkerSid(`WK${hex(1)}`)!;
const MZ = `MZ${hex(1)}`;
const twilio = createTwilio({ accountSid: AC, workspaceSid: WS, username: AC, password: 'secret' });

const api = `https://api.twilio.com/2010-04-01/Accounts/${AC}`;
/** Answers by the end of the address; what is not named is 404. */
const answers = (bodies: Record<string, object>) => {
  mockAnswer = ({ uri }) => {
    const body = bodies[Object.keys(bodies).find((end) => uri.endsWith(end)) ?? ''];
    return body
      ? { statusCode: 200, body: JSON.stringify(body) }
      : { statusCode: 404, body: '{"code":20404}' };
  };
};
const refuse = (statusCode: number, code: number) => {
  mockAnswer = () => ({ statusCode, body: JSON.stringify({ code, message: 'no' }) });
};
const last = () => mockAsked.at(-1);

beforeEach(() => {
  mockAsked.length = 0;
});

describe('a live conference', () => {
  const conference = { sid: CF, friendly_name: WT, status: 'in-progress' };
  const participants = {
    participants: [
      { call_sid: caller, status: 'connected' },
      { call_sid: agent, status: 'connected' },
      { call_sid: gone, status: 'complete' },
    ],
  };
  const calls = {
    [`Calls/${caller}.json`]: { sid: caller, to: '+15005550006', status: 'in-progress' },
    [`Calls/${agent}.json`]: { sid: agent, to: 'client:alice', status: 'in-progress' },
  };

  test('is named with the legs that are in it, and where each was dialled to', async () => {
    answers({ [`${CF}.json`]: conference, 'Participants.json': participants, ...calls });
    expect(await twilio.liveConference(CF)).toEqual({
      sid: CF,
      friendlyName: WT,
      legs: [
        { callSid: caller, to: '+15005550006' },
        { callSid: agent, to: 'client:alice' },
      ],
    });
    expect(mockAsked).toHaveLength(4);
  });

  test('that has ended, or never was, is none', async () => {
    answers({ [`${CF}.json`]: { ...conference, status: 'completed' }, 'Participants.json': participants });
    expect(await twilio.liveConference(CF)).toBeUndefined();
    answers({});
    expect(await twilio.liveConference(CF)).toBeUndefined();
  });

  test('a leg whose call is gone is left out', async () => {
    answers({ [`${CF}.json`]: conference, 'Participants.json': participants });
    expect(await twilio.liveConference(CF)).toMatchObject({ legs: [] });
  });

  test('says which of its legs are on hold', async () => {
    const hold = participants.participants.map((one) => ({ ...one, hold: one.call_sid !== agent }));
    answers({ 'Participants.json': { participants: hold } });
    expect(await twilio.holds(CF)).toEqual([
      { callSid: caller, hold: true },
      { callSid: agent, hold: false },
    ]);
    answers({});
    expect(await twilio.holds(CF)).toEqual([]);
  });

  test('is found by its name', async () => {
    answers({ 'Conferences.json': { conferences: [{ sid: CF }] } });
    expect(await twilio.liveConferences(WT)).toEqual([CF]);
    expect(last()).toMatchObject({ params: { FriendlyName: WT, Status: 'in-progress' } });
  });

  test('a call says whether it lasts', async () => {
    answers({
      [`${agent}.json`]: { sid: agent, status: 'in-progress' },
      [`${gone}.json`]: { status: 'completed' },
    });
    expect(await Promise.all([agent, gone, caller].map((one) => twilio.callIsLive(one)))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

test("a worker's accepted tasks, each once", async () => {
  answers({
    Reservations: { reservations: [{ task_sid: WT }, { task_sid: WT }], meta: { key: 'reservations' } },
  });
  expect(await twilio.acceptedTasks(WK)).toEqual([WT]);
  expect(last()).toMatchObject({
    uri: `https://taskrouter.twilio.com/v1/Workspaces/${WS}/Workers/${WK}/Reservations`,
    params: { ReservationStatus: 'accepted' },
  });
});

describe.each([
  ['a call', { call: agent }, `${api}/Calls/${agent}/Recordings`],
  ['a conference', { conference: CF }, `${api}/Conferences/${CF}/Recordings`],
])('recordings of %s', (_, place, path) => {
  test('are listed', async () => {
    const at = 'Fri, 27 Nov 2026 10:00:00 +0000';
    answers({
      'Recordings.json': {
        recordings: [
          { sid: RE, status: 'processing', date_created: at },
          { sid: RE, status: 'completed', date_created: null },
        ],
      },
    });
    expect(await twilio.recordingsOf(place)).toEqual([
      { recordingSid: RE, status: 'processing', createdAt: new Date(at) },
      { recordingSid: RE, status: 'completed' },
    ]);
    expect(last()).toMatchObject({ method: 'get', uri: `${path}.json` });
  });

  test('are paused and resumed by SID', async () => {
    answers({ [`${RE}.json`]: { sid: RE, status: 'paused' } });
    expect(await twilio.changeRecording(place, RE, { status: 'paused', behavior: 'skip' })).toBe('ok');
    expect(last()).toMatchObject({
      method: 'post',
      uri: `${path}/${RE}.json`,
      data: { Status: 'paused', PauseBehavior: 'skip' },
    });
    expect(await twilio.changeRecording(place, RE, { status: 'in-progress' })).toBe('ok');
    expect(last()?.data).toEqual({ Status: 'in-progress' });
    expect(await twilio.changeRecording(place, RE, { status: 'stopped' })).toBe('ok');
    expect(last()?.data).toEqual({ Status: 'stopped' });
  });

  test.each([
    [400, 21220],
    [404, 20404],
  ])('that have ended are no error: %d (%d)', async (status, code) => {
    refuse(status, code);
    expect(await twilio.changeRecording(place, RE, { status: 'in-progress' })).toBe('not-active');
  });

  test('a refusal for another reason is one', async () => {
    refuse(400, 20001);
    await expect(twilio.changeRecording(place, RE, { status: 'in-progress' })).rejects.toMatchObject({
      code: 'twilio_refused',
    });
  });
});

test('a recording is started on both channels, and its end told', async () => {
  answers({ 'Recordings.json': { sid: RE } });
  const callback = 'https://functions.example/recording-status-callback#rc=5&rp=all';
  expect(await twilio.startRecording(agent, callback)).toBe(RE);
  expect(last()?.data).toEqual({
    RecordingChannels: 'dual',
    RecordingStatusCallback: callback,
    RecordingStatusCallbackEvent: ['completed absent'],
  });
  refuse(400, 21220);
  expect(await twilio.startRecording(agent, callback)).toBeUndefined();
});

describe('a stream', () => {
  const stream = { url: 'wss://veridas.example/twilio', name: `${caller}` };

  test('is of what Twilio hears from the leg', async () => {
    answers({ 'Streams.json': { sid: MZ } });
    expect(await twilio.startStream(caller, stream)).toEqual({ streamSid: MZ });
    expect(last()?.data).toEqual({ Url: stream.url, Name: caller, Track: 'inbound_track' });
  });

  test.each([
    [400, 21218, 'refused'],
    [409, 21218, 'refused'],
    [400, 21220, 'not-live'],
    [404, 20404, 'not-live'],
  ])('answered %d (%d) is %s', async (status, code, expected) => {
    refuse(status, code);
    expect(await twilio.startStream(caller, stream)).toBe(expected);
  });

  test('is stopped by SID or name; one that does not run is no error', async () => {
    answers({ [`Streams/${caller}.json`]: { sid: MZ, status: 'stopped' } });
    expect(await twilio.stopStream(caller, caller)).toBe(true);
    expect(last()).toMatchObject({
      uri: `${api}/Calls/${caller}/Streams/${caller}.json`,
      data: { Status: 'stopped' },
    });
    expect(await twilio.stopStream(caller, MZ)).toBe(false);
  });
});

const asks: [string, (from: TwilioLive) => Promise<unknown>][] = [
  ['liveConferences', (from) => from.liveConferences(WT)],
  ['liveConference', (from) => from.liveConference(CF)],
  ['holds', (from) => from.holds(CF)],
  ['callIsLive', (from) => from.callIsLive(agent)],
  ['acceptedTasks', (from) => from.acceptedTasks(WK)],
  ['recordingsOf', (from) => from.recordingsOf({ call: agent })],
  ['changeRecording', (from) => from.changeRecording({ call: agent }, RE, { status: 'in-progress' })],
  ['startRecording', (from) => from.startRecording(agent, 'https://x.example')],
  ['startStream', (from) => from.startStream(agent, { url: 'wss://x.example', name: 'x' })],
  ['stopStream', (from) => from.stopStream(agent, MZ)],
];

test.each(asks)('%s: an outage is one, and wrong credentials are none', async (_, ask) => {
  for (const status of [500, 429]) {
    refuse(status, 20500);
    await expect(ask(twilio)).rejects.toMatchObject({ code: 'twilio_unavailable', retryable: true });
  }
  refuse(401, 20003);
  await expect(ask(twilio)).rejects.toMatchObject({ code: 'twilio_unauthorized', retryable: false });
});
