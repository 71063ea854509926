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

const answering = (status: number) =>
  jest.fn(async (_url: string, _init: RequestInit) => ({ ok: status < 300, status }));

it('is what the host reads', () => {
  expect(parseReport(JSON.parse(JSON.stringify(report)))).toEqual(report);
  expect(report).toMatchObject({ kind: 'consent', purpose: 'voice-enrolment', callSid: decided.callSid });
  expect(consentReport({ ...decided, reservationSid: undefined }, 'x', 1)).not.toHaveProperty(
    'reservationSid',
  );
});

it('goes to the host with the token of the moment', async () => {
  const fetch = answering(204);
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
  [401, 'session-refused'],
  [403, 'session-refused'],
  [400, 'host-failed'],
  [503, 'host-failed'],
])('says what %i means', async (status, failure) => {
  expect(await sendReport(report, { hostUrl, token: () => 't', fetch: answering(status) })).toBe(failure);
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
  const fetch = answering(204);
  expect(await sendReport(report, { hostUrl: undefined, token, fetch })).toBe('host-unset');
  expect(fetch).not.toHaveBeenCalled();
});
