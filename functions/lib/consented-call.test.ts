import { asConferenceSid, type ConsentAnswer, CustodyError } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';
import { consentedCall } from './consented-call.ts';
import { startDeadline } from './deadline.ts';
import type { StreamConfig } from './flex-config.ts';
import { consentOf } from './host-live.ts';
import { ownCall } from './whose-call.ts';

jest.mock('./twilio-of.ts', () => ({ twilioOf: jest.fn() }));
jest.mock('./whose-call.ts', () => ({ ownCall: jest.fn() }));
jest.mock('./host-live.ts', () => ({ consentOf: jest.fn() }));
const rights = jest.mocked(ownCall);
const consent = jest.mocked(consentOf);

const sid = asConferenceSid(`CF${'1'.repeat(32)}`)!;
const own = { conference: { sid } } as Awaited<ReturnType<typeof ownCall>>;
const ask = () => consentedCall({} as StreamConfig, {} as Viewer, {}, startDeadline());

beforeEach(() => {
  rights.mockReset().mockResolvedValue(own);
  consent.mockReset();
});

test.each<[ConsentAnswer, string, number]>([
  [{ required: true, standing: true, paused: false }, 'may be streamed', 200],
  [{ required: false, standing: false, paused: false }, 'may be streamed', 200],
  [{ required: true, standing: false, paused: false }, 'consent_missing', 403],
  [{ required: true, standing: true, paused: true }, 'call_paused', 409],
  [{ required: false, standing: false, paused: true }, 'call_paused', 409],
])('%j: %s', async (said, code, status) => {
  consent.mockResolvedValue(said);
  if (code !== 'may be streamed') await expect(ask()).rejects.toMatchObject({ code, status });
  else expect(await ask()).toBe(own);
  expect(consent.mock.calls.map(([, , asked]) => asked)).toEqual([sid]);
});

test('a host that is away has not agreed, and it is not asked about the call of another', async () => {
  consent.mockRejectedValue(new CustodyError('host_unreachable', 'away'));
  await expect(ask()).rejects.toMatchObject({ code: 'host_unreachable' });
  consent.mockClear();
  rights.mockRejectedValue(new CustodyError('not_your_call', 'no'));
  await expect(ask()).rejects.toMatchObject({ code: 'not_your_call' });
  expect(consent).not.toHaveBeenCalled();
});
