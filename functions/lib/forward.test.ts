import { asTaskSid, parseRecordingCallback } from '@flex-custody/core';
import axios from 'axios';
import { readConfig } from './config.ts';
import { startDeadline } from './deadline.ts';
import { forwardToFlex } from './forward.ts';

jest.mock('axios', () => ({ __esModule: true, default: { post: jest.fn() } }));
const post = jest.mocked(axios.post);

const config = readConfig({
  ACCOUNT_SID: `AC${'a'.repeat(32)}`,
  AUTH_TOKEN: 'b'.repeat(32),
  AWSaccessKeyId: 'AKIAEXAMPLE',
  AWSsecretAccessKey: 'secret',
  AWSbucket: 'calls',
  AWS_REGION: 'eu-central-1',
  TWILIO_WORKSPACE_SID: `WS${'c'.repeat(32)}`,
  CUSTODY_HOST_URL: 'https://custody.example.com/',
  CUSTODY_HOST_SECRET: 's'.repeat(43),
  CUSTODY_PUBLIC_KEY: 'TUlJQg==',
  CUSTODY_KEY_ID: '2026-11',
  CUSTODY_FORWARD_TO_FLEX: 'true',
});
const hinted = `WT${'e'.repeat(32)}`;
const proven = asTaskSid(`WT${'f'.repeat(32)}`)!;
const event = {
  AccountSid: `AC${'a'.repeat(32)}`,
  RecordingSid: `RE${'d'.repeat(32)}`,
  RecordingStatus: 'completed',
  taskSid: hinted,
  request: { headers: {}, cookies: {} },
};
const forward = (answer: Parameters<typeof forwardToFlex>[2], form = event) =>
  forwardToFlex(config, parseRecordingCallback(form), answer, form, startDeadline());

beforeEach(() => {
  post.mockReset().mockResolvedValue({ status: 204 });
});

test('the form goes to the task that the host names, whatever the callback hints', async () => {
  expect(await forward({ forwarded: false, forwardTo: proven })).toBe(true);
  const [url, body] = post.mock.calls[0] ?? [];
  expect(url).toMatch(new RegExp(`/Tasks/${proven}/FlexRecordingWebhook$`));
  expect(String(body)).not.toContain(hinted);
});

test.each([
  ['names no task, since the hints were refused', { forwarded: false }, event],
  ['says that it has been done', { forwarded: true, forwardTo: proven }, event],
  [
    'names one for a recording that is not there',
    { forwarded: false, forwardTo: proven },
    { ...event, RecordingStatus: 'absent' },
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
  post.mockResolvedValue({ status });
  await expect(forward({ forwarded: false, forwardTo: proven })).rejects.toMatchObject({ code, retryable });
});
