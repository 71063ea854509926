import { asCallSid, type CallSid, CustodyError } from '@flex-custody/core';
import { consentedCall } from './consented-call.ts';
import type { StreamConfig } from './flex-config.ts';
import type { FlexCall } from './flex-endpoint.ts';
import { startStream, stopStream } from './streams.ts';
import { twilioOf } from './twilio-of.ts';
import { ownCall } from './whose-call.ts';

jest.mock('./twilio-of.ts', () => ({ twilioOf: jest.fn() }));
jest.mock('./whose-call.ts', () => ({ ownCall: jest.fn() }));
jest.mock('./consented-call.ts', () => ({ consentedCall: jest.fn() }));
const rights = jest.mocked(ownCall);
const mayBeHeard = jest.mocked(consentedCall);

/** Twilio's streams of all calls, by name. */
let live: Map<string, string>;
let refusals: number;
let started: number;
let run = 0;
let callSid: CallSid;

const targets = ['wss://a.example/x', 'wss://b.example/x'];
const call = { config: { targets }, viewer: {}, log: () => undefined } as unknown as FlexCall<StreamConfig>;
const start = (url?: string) => startStream({ callSid, ...(url ? { url } : {}) }, call);
const stop = () => stopStream({ callSid }, call);

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  run += 1;
  callSid = asCallSid(`CA${run.toString(16).padStart(32, '0')}`)!;
  live = new Map();
  refusals = 0;
  started = 0;
  mayBeHeard.mockReset();
  rights.mockReset();
  rights.mockResolvedValue({} as Awaited<ReturnType<typeof ownCall>>);
  jest.mocked(twilioOf).mockReturnValue({
    async startStream(_call: string, { name }: { name: string }) {
      if (refusals-- > 0 || live.has(name)) return 'refused';
      started += 1;
      const streamSid = `MZ${started}`;
      live.set(name, streamSid);
      return { streamSid };
    },
    async stopStream(_call: string, name: string) {
      return live.delete(name);
    },
  } as unknown as ReturnType<typeof twilioOf>);
});
afterEach(() => jest.useRealTimers());

test('asked again at once, or twice at the same time, it is the same stream', async () => {
  const answers = await Promise.all([start(), start()]);
  answers.push(await start());
  expect(answers.map(({ body }) => body)).toEqual(Array(3).fill({ streamSid: 'MZ1' }));
  expect(started).toBe(1);
});

test('the right is proven each time, remembered or not', async () => {
  await start();
  mayBeHeard.mockRejectedValueOnce(new CustodyError('not_your_call', 'no'));
  await expect(start()).rejects.toMatchObject({ code: 'not_your_call' });
});

test('later it is started anew: Twilio cannot be asked whether the old one still runs', async () => {
  await start();
  jest.advanceTimersByTime(4_001);
  expect((await start()).body).toEqual({ streamSid: 'MZ2' });
  expect([...live.values()]).toEqual(['MZ2']);
});

test('to another address it is started anew as well', async () => {
  await start();
  expect((await start(targets[1])).body).toEqual({ streamSid: 'MZ2' });
});

test('once stopped it is not remembered', async () => {
  await start();
  await stop();
  expect((await start()).body).toEqual({ streamSid: 'MZ2' });
});

test('a refusal is not remembered, and is one of too many streams where no name is in the way', async () => {
  refusals = 1;
  await expect(start()).rejects.toMatchObject({ code: 'too_many_streams', status: 409 });
  expect((await start()).body).toEqual({ streamSid: 'MZ1' });
});

test('a call that is not live has nothing to stop, and one of others is not stopped', async () => {
  live.set(callSid, 'MZ9');
  rights.mockRejectedValueOnce(new CustodyError('call_not_live', 'over'));
  expect((await stop()).status).toBe(200);
  rights.mockRejectedValueOnce(new CustodyError('not_your_call', 'no'));
  await expect(stop()).rejects.toMatchObject({ code: 'not_your_call' });
  expect(live.size).toBe(1);
});
