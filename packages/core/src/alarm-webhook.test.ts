import { type AlarmWebhook, parseAlarmWebhook } from './alarm-webhook.ts';

const whole = {
  id: '0b5f2c36-5b3b-4c57-9a51-000000000001-raised',
  event: 'raised',
  code: 'copy_failed',
  severity: 'critical',
  meaning: 'A recording could not be copied.',
  next: 'Fix it.',
  recording: `RE${'1'.repeat(32)}`,
  detail: 'media_missing',
  at: '2026-11-30T12:00:00.000Z',
  account: `AC${'2'.repeat(32)}`,
} as AlarmWebhook;

test('is read as it was sent, without fields that are not known', () => {
  expect(parseAlarmWebhook({ ...whole, later: 1 })).toEqual(whole);
  const { recording: _, detail: __, ...least } = whole;
  expect(parseAlarmWebhook(least)).toEqual(least);
});

test('each field at fault is named, and no value', () => {
  const fault = { code: 'request_invalid', status: 400 };
  const bad = { ...whole, event: 'cleared', recording: 'RE1', detail: 7, severity: undefined };
  expect(() => parseAlarmWebhook(bad)).toThrow(
    expect.objectContaining({
      ...fault,
      message: 'alarm webhook: missing or malformed event, severity, recording, detail',
    }),
  );
  for (const none of [null, 'text', []])
    expect(() => parseAlarmWebhook(none)).toThrow(expect.objectContaining(fault));
});
