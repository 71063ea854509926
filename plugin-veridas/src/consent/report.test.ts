import { parseReport } from '@flex-custody/core';
import { consentReport, type Decided, sendReport } from './report';

const decided = {
  decision: 'given',
  taskSid: `WT${'1'.repeat(32)}`,
  reservationSid: `WR${'1'.repeat(32)}`,
  callSid: `CA${'1'.repeat(32)}`,
} as Decided;
const report = consentReport(decided, '6f1c1f0e-5a4b-4c3d-8e2f-1a2b3c4d5e6f', 1_795_000_000_000);
const hostUrl = 'https://custody.example.com';

const answering = (status: number, body = '{}') =>
  jest.fn(async (_url: string, _init: RequestInit) => ({ status, text: async () => body }));

it('is what the host reads', () => {
  expect(parseReport(JSON.parse(JSON.stringify(report)), report.at)).toEqual(report);
  expect(report).toMatchObject({ kind: 'consent', purpose: 'voice-enrolment', callSid: decided.callSid });
  expect(consentReport({ ...decided, reservationSid: undefined }, 'x', 1)).not.toHaveProperty(
    'reservationSid',
  );
  const conferenceSid = `CF${'1'.repeat(32)}` as NonNullable<Decided['conferenceSid']>;
  expect(consentReport({ ...decided, conferenceSid }, 'x', 1)).toMatchObject({ conferenceSid });
});

it('goes to the host with the token of the moment', async () => {
  const fetch = answering(200);
  let token = 'first';
  const to = { hostUrl, token: () => token, fetch };
  expect(await sendReport(report, to)).toBeUndefined();
  token = 'second';
  await sendReport(report, to);
  const [url, init] = fetch.mock.calls[1] ?? [];
  expect(url).toBe('https://custody.example.com/reports');
  expect(init?.headers).toMatchObject({ Authorization: `Basic ${btoa('token:second')}` });
  expect(JSON.parse(String(init?.body))).toEqual(report);
});

it.each([
  [401, '{"error":"token_missing"}', 'session-refused'],
  [403, '{"error":"token_refused"}', 'session-refused'],
  [403, '{"error":"not_your_call"}', 'not-your-call'],
  [403, '{"error":"task_unknown"}', 'not-your-call'],
  [400, '{}', 'host-failed'],
  [503, '<html>', 'host-failed'],
  [202, '{"accepted":true,"pending":true}', 'host-failed'],
])('says what %i %s means', async (status, body, failure) => {
  const fetch = answering(status, body);
  expect(await sendReport(report, { hostUrl, token: () => 't', fetch })).toBe(failure);
});

it('says that the host is away, silent or not set', async () => {
  const token = () => 't';
  const away = () => Promise.reject(new TypeError('Failed to fetch'));
  const silent = (_url: string, init: RequestInit) =>
    new Promise<never>((_resolve, reject) => {
      init.signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
  expect(await sendReport(report, { hostUrl, token, fetch: away })).toBe('unreachable');
  expect(await sendReport(report, { hostUrl, token, fetch: silent, timeoutMs: 20 })).toBe('unreachable');
  const fetch = answering(200);
  expect(await sendReport(report, { hostUrl: undefined, token, fetch })).toBe('host-unset');
  expect(fetch).not.toHaveBeenCalled();
});
