import { notRecordedReport } from '../actions/reports';
import { call, hostUrl } from '../testing';
import { host } from './host';
import type { Fetch } from './http';

function answering(status: number, body: unknown = {}) {
  const seen: { url: string; headers: Record<string, string> | undefined; body: string | undefined }[] = [];
  const fetch: Fetch = async (url, { headers, body: sent }) => {
    seen.push({ url, headers, body: sent });
    return { status, text: async () => JSON.stringify(body) };
  };
  return { seen, api: host(hostUrl, () => 'jwe', fetch) };
}

const report = notRecordedReport({ id: () => 'an-id', now: () => 7 }, call(), 'rule');
const authorization = `Basic ${Buffer.from('token:jwe').toString('base64')}`;

test('whether agents may pause', async () => {
  const { api, seen } = answering(200, { enabled: false, behavior: 'skip', resumeAfterSeconds: 60 });
  expect(await api.pauseSettings()).toEqual({ enabled: false, behavior: 'skip', resumeAfterSeconds: 60 });
  expect(seen).toEqual([{ url: `${hostUrl}/settings/pause`, headers: { Authorization: authorization } }]);
});

test.each([
  [500, { enabled: false }],
  [401, { enabled: false }],
  [200, { enabled: 'no' }],
  [200, null],
])('%i %p says nothing of it', async (status, body) => {
  expect(await answering(status, body).api.pauseSettings()).toBeUndefined();
});

test('a report is JSON under the Flex token', async () => {
  const { api, seen } = answering(202);
  expect(await api.report(report)).toBe('taken');
  expect(seen).toEqual([
    {
      url: `${hostUrl}/reports`,
      headers: { Authorization: authorization, 'Content-Type': 'application/json' },
      body: JSON.stringify(report),
    },
  ]);
});

test.each([
  [200, 'taken'],
  [201, 'taken'],
  [400, 'refused'],
  [403, 'refused'],
  [401, 'later'],
  [408, 'later'],
  [429, 'later'],
  [500, 'later'],
  [503, 'later'],
])('%i: %s', async (status, delivery) => {
  expect(await answering(status).api.report(report)).toBe(delivery);
});

test('a completed task is its SID under the Flex token', async () => {
  const { api, seen } = answering(202);
  expect(await api.completed(call().taskSid)).toBe('taken');
  expect(seen).toEqual([
    {
      url: `${hostUrl}/webhooks/flex/task-complete`,
      headers: { Authorization: authorization, 'Content-Type': 'application/json' },
      body: JSON.stringify({ TaskSid: call().taskSid }),
    },
  ]);
  expect(await answering(404).api.completed(call().taskSid)).toBe('refused');
});

test('offline: later', async () => {
  const api = host(
    hostUrl,
    () => 'jwe',
    () => Promise.reject(new TypeError('offline')),
  );
  expect(await api.report(report)).toBe('later');
  expect(await api.pauseSettings()).toBeUndefined();
});
