import { answered, ask, endCall, type Live, liveCall, record, tokenOf } from './live-call.ts';
import { type FunctionsWorld, startFunctionsWorld } from './world.ts';

jest.setTimeout(60_000);

let world: FunctionsWorld;
let call: Live;
let token: string;

beforeAll(async () => {
  world = await startFunctionsWorld();
});
afterAll(() => world?.close());

beforeEach(async () => {
  Object.assign(world.host, { pause: { enabled: true, behavior: 'silence' }, reportStatus: 200 });
  world.told.length = 0;
  world.tokens.length = 0;
  world.sandbox.twilio.faults.clear();
  call = await liveCall(world);
  token = await tokenOf(world, call.agent.worker);
});
afterEach(() => endCall(world, call));

const request = (more: Record<string, string> = {}) => ({
  Token: token,
  taskSid: call.task,
  reservationSid: call.agent.reservation,
  ...more,
});
const post = (path: string, more: Record<string, string> = {}, origin?: string) =>
  ask(world, path, request(more), origin);
const statusOf = (recording: string) => world.sandbox.twilio.world.recordings.get(recording)?.status;
const task = () => world.sandbox.twilio.world.tasks.get(call.task)!;
const mark = () => (JSON.parse(task().attributes) as { flex_custody?: Record<string, unknown> }).flex_custody;

describe('pause and resume', () => {
  test('everything that is recorded of the call, the task says so, and the host hears of it', async () => {
    const [first = ''] = call.recordings;
    const second = record(world, call.customerCall);
    const third = record(world, call.customerCall, call.conference);
    const paused = await post('pause-recording');
    expect([paused.status, paused.body]).toEqual([
      200,
      {
        state: 'paused',
        since: expect.any(Number),
        // Not which: they are other people's too.
        recordings: { legs: 2, conference: 1 },
        reported: true,
        marked: true,
      },
    ]);
    expect([first, second, third].map(statusOf)).toEqual(['paused', 'paused', 'paused']);
    const { since } = paused.body;
    expect(mark()).toEqual({ paused: { since, by: call.agent.worker } });
    expect(JSON.parse(task().attributes)).toMatchObject({ call_sid: call.customerCall });

    const again = await post('pause-recording', { conferenceSid: call.conference });
    expect(again.body).toMatchObject({ state: 'paused', since, marked: true, reported: true });

    const resumed = await post('resume-recording');
    expect(resumed.body).toMatchObject({ state: 'recording', reported: true, marked: true });
    expect(resumed.body).not.toHaveProperty('since');
    expect([first, second, third].map(statusOf)).toEqual(['in-progress', 'in-progress', 'in-progress']);
    expect(mark()).toBeUndefined();

    const [one, same, last] = world.told;
    expect(one).toMatchObject({
      kind: 'paused',
      at: since,
      taskSid: call.task,
      reservationSid: call.agent.reservation,
      conferenceSid: call.conference,
    });
    expect(new Set(world.tokens)).toEqual(new Set([token]));
    expect(same?.id).toBe(one?.id);
    expect(last).toMatchObject({ kind: 'resumed' });
    expect(last?.id).not.toBe(one?.id);
  });

  test('what is streamed of the call ends with the pause', async () => {
    const { streams } = world.sandbox.twilio.world;
    const pattern = {
      url: 'wss://veridas.example/twilio/v1',
      track: 'inbound_track',
      parameters: {},
    } as const;
    for (const [index, callSid] of [call.customerCall, call.agent.call].entries()) {
      const sid = `MZ${String(index).repeat(32)}`;
      streams.set(sid, {
        ...pattern,
        sid,
        callSid,
        name: callSid,
        status: 'in-progress',
        updatedAt: new Date(),
      });
    }
    expect((await post('pause-recording')).status).toBe(200);
    expect([...streams.values()].map(({ status }) => status)).toEqual(['stopped', 'stopped']);
    streams.clear();
  });

  test('what lies in the recording meanwhile is as the host has it', async () => {
    const told = () =>
      world.sandbox.twilio.events
        .recent()
        .filter(({ recording }) => recording === call.recordings[0])
        .at(-1);
    world.host.pause = { enabled: true, behavior: 'skip' };
    expect((await post('pause-recording')).status).toBe(200);
    expect(told()).toMatchObject({ status: 'paused', behavior: 'skip' });
    world.host.pause = { enabled: true };
    await post('pause-recording');
    expect(told()).toMatchObject({ status: 'paused', behavior: 'silence' });
  });

  test('switched off it is refused, and resuming is not', async () => {
    world.host.pause = { enabled: false };
    const { status, body } = await post('pause-recording');
    expect([status, body['error']]).toEqual([403, 'pause_disabled']);
    expect(statusOf(call.recordings[0]!)).toBe('in-progress');
    expect((await post('resume-recording')).status).toBe(200);
  });

  test.each([
    ['silent', 'silent', 200],
    ['without the setting', 404, 200],
    ['failing', 500, 500],
  ] as const)('a host that is %s forbids nothing', async (_, pause, reportStatus) => {
    Object.assign(world.host, { pause, reportStatus });
    const { status, body } = await post('pause-recording');
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'paused', reported: reportStatus === 200, marked: true });
    expect(statusOf(call.recordings[0]!)).toBe('paused');
  });

  test('a host that is away: paused, and not reported', async () => {
    await world.stopHost();
    try {
      const { status, body } = await post('pause-recording');
      expect([status, body['reported']]).toEqual([200, false]);
    } finally {
      await world.startHost();
    }
  });

  test('nothing recorded', async () => {
    world.sandbox.twilio.world.recordings.get(call.recordings[0]!)!.status = 'completed';
    const { status, body } = await post('pause-recording');
    expect([status, body['error']]).toEqual([409, 'nothing_recorded']);
    expect(mark()).toBeUndefined();
  });

  test('somebody else writes into the task meanwhile: read again and merged', async () => {
    await world.control('faults', {
      target: 'taskrouter',
      kind: 'status',
      value: 412,
      times: 2,
      match: `POST /v1/Workspaces/${world.sandbox.account.workspaceSid}/Tasks/${call.task}`,
    });
    expect((await post('pause-recording')).body).toMatchObject({ marked: true });
    expect(mark()).toMatchObject({ paused: { by: call.agent.worker } });
    expect(JSON.parse(task().attributes)).toMatchObject({ conference: { sid: call.conference } });
  });

  test("the mark leaves every other member's text as it was", async () => {
    const text = '{ "crm_id" : 12345678901234567890,"amount":1.10, "n\\u0061me":"\\/" }';
    const before = task().attributes;
    task().attributes = text;
    expect((await post('pause-recording')).body).toMatchObject({ marked: true });
    expect(task().attributes.startsWith(text.slice(0, -2))).toBe(true);
    expect((await post('resume-recording')).body).toMatchObject({ marked: true });
    expect(task().attributes).toBe(text);
    task().attributes = before;
  });

  test('a full task: paused, and not marked', async () => {
    const attributes = JSON.parse(task().attributes) as object;
    const pad = 4096 - JSON.stringify({ ...attributes, pad: '' }).length;
    task().attributes = JSON.stringify({ ...attributes, pad: 'x'.repeat(pad) });
    const { status, body } = await post('pause-recording');
    expect([status, body]).toMatchObject([200, { state: 'paused', marked: false, reported: true }]);
    expect(statusOf(call.recordings[0]!)).toBe('paused');
  });

  test('Twilio is away: 503, and asked again it is done', async () => {
    await world.control('faults', {
      target: 'api',
      kind: 'status',
      value: 503,
      times: 1,
      match: 'Recordings',
    });
    const { status, body } = await post('pause-recording');
    expect([status, body]).toEqual([503, { error: 'twilio_unavailable' }]);
    expect((await post('pause-recording')).status).toBe(200);
  });
});

describe('start', () => {
  beforeEach(() => {
    world.sandbox.twilio.world.recordings.get(call.recordings[0]!)!.status = 'completed';
  });

  test("the agent's own leg, on both channels, once, with its end told to the Functions", async () => {
    const { status, body } = await post('start-recording');
    expect([status, body]).toEqual([
      200,
      { recordingSid: expect.stringMatching(/^RE/), callSid: call.agent.call, started: true, of: 'leg' },
    ]);
    expect(world.sandbox.twilio.world.recordings.get(String(body['recordingSid']))).toMatchObject({
      callSid: call.agent.call,
      channels: 2,
      status: 'in-progress',
      callback: `/recording-status-callback?taskSid=${call.task}&reservationSid=${call.agent.reservation}#rc=5&rp=all`,
    });
    expect(mark()).toEqual({ started: expect.any(Number) });
    expect((await post('start-recording')).body).toEqual({ ...body, started: false });
  });

  test("the conference's recording counts where it is wanted; missing, the leg is recorded", async () => {
    const conference = record(world, call.customerCall, call.conference);
    const wanted = { want: 'conference', expected: 'true' };
    expect((await post('start-recording', wanted)).body).toEqual({
      recordingSid: conference,
      callSid: call.agent.call,
      started: false,
      of: 'conference',
    });
    world.sandbox.twilio.world.recordings.delete(conference);
    expect((await post('start-recording', wanted)).body).toMatchObject({ started: true, of: 'leg' });
  });

  test('in silence: what has just ended does not count, and the new one is paused', async () => {
    const first = String((await post('start-recording')).body['recordingSid']);
    world.sandbox.twilio.world.recordings.get(first)!.status = 'stopped';
    const { body } = await post('start-recording', { paused: 'true' });
    expect(body).toMatchObject({ started: true, of: 'leg' });
    expect([first, String(body['recordingSid'])].map(statusOf)).toEqual(['stopped', 'paused']);
  });

  test('a call that has ended', async () => {
    endCall(world, call);
    const { status, body } = await post('start-recording', { conferenceSid: call.conference });
    expect([status, body['error']]).toEqual([404, 'call_not_live']);
  });
});

describe('whose call it is', () => {
  const refused = async (path: string, more: Record<string, string>) => {
    const { status, body } = await post(path, more);
    return [status, body['error']];
  };

  test("another worker's call is refused, by whatever SID it is named", async () => {
    const Token = await tokenOf(world, call.other);
    for (const path of ['start-recording', 'pause-recording', 'resume-recording']) {
      expect(await refused(path, { Token })).toEqual([403, 'not_your_call']);
      expect(await refused(path, { Token, conferenceSid: call.conference })).toEqual([403, 'not_your_call']);
    }
    expect(statusOf(call.recordings[0]!)).toBe('in-progress');
    expect(world.told).toEqual([]);
  });

  test('being on a call of his own opens nobody another one, and marks no task of others', async () => {
    const own = await liveCall(world, { worker: call.other });
    const Token = await tokenOf(world, call.other);
    expect(await refused('pause-recording', { Token, conferenceSid: own.conference })).toEqual([
      403,
      'not_your_call',
    ]);
    expect([statusOf(call.recordings[0]!), statusOf(own.recordings[0]!)]).toEqual([
      'in-progress',
      'in-progress',
    ]);
    expect(mark()).toBeUndefined();
    endCall(world, own);
  });

  test('what task attributes say makes nobody a part of a call', async () => {
    const own = await liveCall(world, { worker: call.other });
    const { tasks, conferences } = world.sandbox.twilio.world;
    conferences.get(own.conference)!.status = 'completed';
    tasks.get(own.task)!.attributes = JSON.stringify({
      conference: { sid: call.conference, participants: { worker: own.agent.call } },
      call_sid: call.customerCall,
    });
    const Token = await tokenOf(world, call.other);
    const more = { Token, taskSid: own.task, reservationSid: own.agent.reservation };
    expect(await refused('pause-recording', more)).toEqual([403, 'not_your_call']);
    expect(statusOf(call.recordings[0]!)).toBe('in-progress');
    endCall(world, own);
  });

  test('a conference that is not named after its task is found by the attributes, and proven by its legs', async () => {
    world.sandbox.twilio.world.conferences.get(call.conference)!.friendlyName = 'outbound-1';
    expect((await post('pause-recording')).status).toBe(200);
    expect(statusOf(call.recordings[0]!)).toBe('paused');
  });

  test('no worker, no call', async () => {
    const Token = await tokenOf(world, call.agent.worker, {
      worker_sid: undefined,
      identity: call.agent.identity,
    });
    expect(await refused('pause-recording', { Token })).toEqual([403, 'not_your_call']);
  });
});

describe('the token', () => {
  test('expired, none, or nonsense', async () => {
    const Token = await tokenOf(world, call.agent.worker, { expiresIn: -10 });
    const codes = async (token: string) => {
      const { status, body } = await post('pause-recording', { Token: token });
      return [status, body['error']];
    };
    expect(await codes(Token)).toEqual([403, 'token_refused']);
    expect(await codes('')).toEqual([401, 'token_missing']);
    expect(await codes('a b')).toEqual([401, 'token_malformed']);
    expect(statusOf(call.recordings[0]!)).toBe('in-progress');
  });

  test('IAM is away: 503, not a refusal', async () => {
    await world.control('faults', { target: 'iam', kind: 'status', value: 503, times: 1 });
    const { status, body } = await post('pause-recording');
    expect([status, body['error']]).toEqual([503, 'iam_unavailable']);
  });

  test('comes in JSON as well, and not in the query', async () => {
    const headers = { 'content-type': 'application/json' };
    const json = await fetch(`${world.url}/pause-recording`, {
      method: 'POST',
      headers,
      body: JSON.stringify(request()),
    });
    expect((await answered(json)).body).toMatchObject({ state: 'paused' });
    const query = await fetch(`${world.url}/resume-recording?${new URLSearchParams(request())}`, {
      method: 'POST',
    });
    const get = await fetch(`${world.url}/resume-recording?${new URLSearchParams(request())}`);
    for (const response of [query, get]) {
      const { status, body } = await answered(response);
      expect([status, body['error']]).toEqual([401, 'token_missing']);
    }
    expect(statusOf(call.recordings[0]!)).toBe('paused');
  });
});

describe('origins', () => {
  test("Flex's own page may read the answer, and what went wrong", async () => {
    const good = await post('pause-recording', {}, 'https://flex.twilio.com');
    const bad = await post('pause-recording', { taskSid: 'x' }, 'https://flex.twilio.com');
    expect([good.status, bad.status]).toEqual([200, 400]);
    for (const { headers } of [good, bad])
      expect(headers.get('access-control-allow-origin')).toBe('https://flex.twilio.com');
    expect(bad.body).toEqual({
      error: 'request_invalid',
      message: 'request: missing or malformed taskSid',
    });
  });

  test('a foreign page is refused, a good token notwithstanding', async () => {
    const { status, body, headers } = await post(
      'pause-recording',
      {},
      'https://flex.twilio.com.evil.example',
    );
    expect([status, body['error'], headers.get('access-control-allow-origin')]).toEqual([
      403,
      'origin_refused',
      null,
    ]);
    expect(statusOf(call.recordings[0]!)).toBe('in-progress');
  });
});

test('nothing that a log must not hold is in it', () => {
  const text = world.logged.join('\n');
  expect(text).toMatch(/"event":"pause-recording","outcome":"paused","count":1/);
  expect(text).not.toMatch(/\+\d{7,}|eyJ/);
  expect(text).not.toContain(world.sandbox.account.authToken);
});
