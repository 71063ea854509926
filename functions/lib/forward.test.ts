import { asTaskSid, parseRecordingCallback } from '@flex-custody/core';
import { sendRequest } from '@flex-custody/net';
import { readConfig } from './config.ts';
import { startDeadline } from './deadline.ts';
import { forwardToFlex } from './forward.ts';

jest.mock('@flex-custody/net', () => ({ sendRequest: jest.fn() }));
const post = jest.mocked(sendRequest);

const config = readConfig({
  ACCOUNT_SID: `AC${'a'.repeat(32)}`,
  AUTH_TOKEN: 'b'.repeat(32),
  AWSaccessKeyId: 'AKIAEXAMPLE',
  AWSsecretAccessKey: 'secret',
  AWSbucket: 'calls',
  AWS_REGION: 'eu-central-1',
  TWILIO_WORKSPACE_SID: `WS${'c'.repeat(32)}`,
  CUSTODY_HOST_URL: 'https://custody.example.com/',
  DOMAIN_NAME: 'functions.example.com',
  CUSTODY_HOST_SECRET: 's'.repeat(43),
  CUSTODY_PUBLIC_KEY: 'TUlJQg==',
  CUSTODY_KEY_ID: '2026-11',
  CUSTODY_FORWARD_TO_FLEX: 'true',
});
const hinted = `WT${'e'.repeat(32)}`;
const proven = asTaskSid(`WT${'f'.repeat(32)}`)!;
const body: Record<string, string> = {
  AccountSid: `AC${'a'.repeat(32)}`,
  RecordingSid: `RE${'d'.repeat(32)}`,
  RecordingStatus: 'completed',
  RecordingDuration: '12',
};
const forward = (answer: Parameters<typeof forwardToFlex>[2], form = body) =>
  forwardToFlex(config, parseRecordingCallback({ ...form, taskSid: hinted }), answer, form, startDeadline());

beforeEach(() => {
  post.mockReset().mockResolvedValue({ status: 204, headers: {}, text: '' });
});

test('the form goes to the task that the host names, whatever the callback hints', async () => {
  expect(await forward({ forwarded: false, forwardTo: proven })).toBe(true);
  const [url, sent] = post.mock.calls[0] ?? [];
  expect(url).toMatch(new RegExp(`/Tasks/${proven}/FlexRecordingWebhook$`));
  expect(sent?.body).not.toContain(hinted);
});

test('fields of a fixed list are signed and sent, and the URL is made of the SIDs', async () => {
  const more = { RecordingUrl: 'https://evil.example/forged', StatusCallbackEvent: 'x', FriendlyName: 'y' };
  await forward({ forwarded: false, forwardTo: proven }, { ...body, ...more });
  const [, sent] = post.mock.calls[0] ?? [];
  expect(Object.fromEntries(new URLSearchParams(String(sent?.body)))).toEqual({
    ...body,
    RecordingUrl: `https://api.twilio.com/2010-04-01/Accounts/${body['AccountSid']}/Recordings/${body['RecordingSid']}`,
  });
});

test.each([
  ['names no task, since the hints were refused', { forwarded: false }, body],
  ['says that it has been done', { forwarded: true, forwardTo: proven }, body],
  [
    'names one for a recording that is not there',
    { forwarded: false, forwardTo: proven },
    { ...body, RecordingStatus: 'absent' },
  ],
])('nothing is forwarded where the host %s', async (_, answer, form) => {
  expect(await forward(answer, form)).toBe(false);
  expect(post).not.toHaveBeenCalled();
});

test.each([
  [503, 'forward_unavailable', true],
  [429, 'forward_unavailable', true],
  [400, 'forward_refused', false],
])('HTTP %d is %s', async (status, code, retryable) => {
  post.mockResolvedValue({ status, headers: {}, text: '' });
  await expect(forward({ forwarded: false, forwardTo: proven })).rejects.toMatchObject({ code, retryable });
});
