import { ask, endCall, type Live, liveCall, tokenOf } from './live-call.ts';
import { type FunctionsWorld, startFunctionsWorld } from './world.ts';

jest.setTimeout(60_000);

const first = 'wss://veridas.example/twilio/v1';
const second = 'wss://eu.veridas.example/twilio/v1';
let world: FunctionsWorld;
let call: Live;
let token: string;

beforeAll(async () => {
  world = await startFunctionsWorld({ CUSTODY_STREAM_URLS: `${first}, ${second}` });
});
afterAll(() => world?.close());
beforeEach(async () => {
  world.sandbox.twilio.faults.clear();
  world.host.consent = { required: true, standing: true, paused: false };
  world.consents.length = 0;
  call = await liveCall(world);
  token = await tokenOf(world, call.agent.worker);
});
afterEach(() => endCall(world, call));

const start = (more: Record<string, string> = {}) =>
  ask(world, 'startStreamAudio', { Token: token, callSid: call.customerCall, ...more });
const stop = (more: Record<string, string> = {}) =>
  ask(world, 'stopStreamAudio', { Token: token, callSid: call.customerCall, ...more });
const streams = () =>
  [...world.sandbox.twilio.world.streams.values()].filter(({ callSid }) => callSid === call.customerCall);
const running = () => streams().filter(({ status }) => status === 'in-progress');

describe('starting', () => {
  test("the caller's voice goes to the first address, under the call's SID, and the stream's SID comes back", async () => {
    const { status, body } = await start();
    expect([status, body]).toEqual([200, { streamSid: expect.stringMatching(/^MZ[0-9a-f]{32}$/) }]);
    expect(streams()).toMatchObject([
      { sid: body['streamSid'], url: first, name: call.customerCall, track: 'inbound_track' },
    ]);
  });

  test.each(['call_sid', 'CallSid'])('the call is named as %s too', async (name) => {
    const form = { Token: token, [name]: call.customerCall, name: 'any' };
    expect((await ask(world, 'startStreamAudio', form)).status).toBe(200);
  });

  test('to another address of the list, where the request names it', async () => {
    expect((await start({ url: second })).status).toBe(200);
    expect(running().map(({ url }) => url)).toEqual([second]);
  });

  test.each([
    'wss://evil.example/twilio/v1',
    'wss://veridas.example/twilio/v2',
    'wss://veridas.example:8443/twilio/v1',
    'https://veridas.example/twilio/v1',
    `${first}?to=evil`,
    `${first}/../v2`,
    'wss://veridas.example@evil.example/twilio/v1',
    'nonsense',
  ])('to none that is not on the list: %s', async (url) => {
    const { status, body } = await start({ url });
    expect([status, body['error']]).toEqual([403, 'stream_url_refused']);
    expect(streams()).toEqual([]);
  });

  test('again: one stream runs, and its SID is the answer', async () => {
    await start();
    const { status, body } = await start();
    expect(status).toBe(200);
    expect(running().map(({ sid }) => sid)).toEqual([body['streamSid']]);
  });

  test('as many tracks as a call carries: refused, in words', async () => {
    const { calls } = world.sandbox.twilio.world;
    await start();
    const [mine] = running();
    for (const sid of ['a', 'b']) {
      world.sandbox.twilio.world.streams.set(`MZ${sid.repeat(32)}`, {
        ...mine!,
        sid: `MZ${sid.repeat(32)}`,
        name: sid,
        track: 'both_tracks',
      });
    }
    mine!.status = 'stopped';
    const { status, body } = await start();
    expect([status, body]).toEqual([
      409,
      { error: 'too_many_streams', message: expect.stringContaining('four tracks') },
    ]);
    expect(calls.size).toBeGreaterThan(0);
  });

  test('a request without a call', async () => {
    const { status, body } = await start({ callSid: 'CA1' });
    expect([status, body['error']]).toEqual([400, 'request_invalid']);
  });
});

describe('the caller’s consent', () => {
  test('is asked of the host, for this very call', async () => {
    expect((await start()).status).toBe(200);
    expect(world.consents).toEqual([call.conference]);
  });

  test.each([
    ['has not agreed', { required: true, standing: false, paused: false }, 403, 'consent_missing'],
    ['agreed to a call that is paused', { required: true, standing: true, paused: true }, 409, 'call_paused'],
  ])('a caller who %s is not listened to', async (_, consent, status, error) => {
    world.host.consent = consent;
    const answer = await start();
    expect([answer.status, answer.body]).toEqual([status, { error, message: expect.any(String) }]);
    expect(streams()).toEqual([]);
  });

  test('where the site needs none, none is needed', async () => {
    world.host.consent = { required: false, standing: false, paused: false };
    expect((await start()).status).toBe(200);
  });

  test('a host that fails, or is away, has not said yes', async () => {
    world.host.consent = 500;
    expect(await start()).toMatchObject({ status: 503, body: { error: 'host_unreachable' } });
    await world.stopHost();
    try {
      expect(await start()).toMatchObject({ status: 503, body: { error: 'host_unreachable' } });
    } finally {
      await world.startHost();
    }
    expect(streams()).toEqual([]);
  });
});

describe('stopping', () => {
  test('by SID or by name; once more is no error', async () => {
    const { body } = await start();
    expect((await stop({ streamSid: String(body['streamSid']) })).status).toBe(200);
    expect(running()).toEqual([]);
    await start();
    expect((await stop()).status).toBe(200);
    expect(running()).toEqual([]);
    expect((await stop()).status).toBe(200);
  });

  test('by the SID of one that was replaced: the one that runs ends', async () => {
    await start();
    const [old] = running();
    await start();
    expect((await stop({ streamSid: old!.sid })).status).toBe(200);
    expect(running()).toEqual([]);
  });

  test('after the call', async () => {
    endCall(world, call);
    const { status, body } = await stop();
    expect([status, body]).toEqual([200, { stopped: true }]);
  });
});

describe('whose call it is', () => {
  test("nobody streams, or stops, another worker's call, hints or not", async () => {
    await start();
    token = await tokenOf(world, call.other);
    const hints: Record<string, string>[] = [{}, { conferenceSid: call.conference }, { taskSid: call.task }];
    for (const hint of hints) {
      const answers = await Promise.all([start(hint), stop(hint)]);
      for (const { status, body } of answers) expect([status, body['error']]).toEqual([403, 'not_your_call']);
    }
    expect(running()).toHaveLength(1);
    expect(running()).toHaveLength(streams().length);
  });

  test('being on a call opens no other one, whatever the attributes of one’s task say', async () => {
    const own = await liveCall(world, { worker: call.other });
    world.sandbox.twilio.world.tasks.get(own.task)!.attributes = JSON.stringify({
      call_sid: call.customerCall,
      conference: { sid: call.conference },
    });
    token = await tokenOf(world, call.other);
    const { status, body } = await start({ conferenceSid: own.conference, taskSid: own.task });
    expect([status, body['error']]).toEqual([403, 'not_your_call']);
    expect(streams()).toEqual([]);
    endCall(world, own);
  });

  test('a call that has ended cannot be streamed', async () => {
    endCall(world, call);
    const { status, body } = await start();
    expect([status, body['error']]).toEqual([404, 'call_not_live']);
  });
});
