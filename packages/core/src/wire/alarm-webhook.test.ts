import {
  type AlarmWebhook,
  type ProvenWebhook,
  parseAlarmWebhook,
  parseProvenWebhook,
} from './alarm-webhook.ts';

const whole = {
  id: '0b5f2c36-5b3b-4c57-9a51-000000000001-raised',
  event: 'raised',
  code: 'copy_failed',
  severity: 'critical',
  meaning: 'A recording could not be copied.',
  next: 'Fix it.',
  recording: `RE${'1'.repeat(32)}`,
  shard: 'shardId-000000000001',
  session: `WT${'1'.repeat(32)}`,
  detail: 'media_missing',
  at: '2026-11-30T12:00:00.000Z',
  account: `AC${'2'.repeat(32)}`,
} as AlarmWebhook;

test('is read as it was sent, without fields that are not known', () => {
  expect(parseAlarmWebhook({ ...whole, later: 1 })).toEqual(whole);
  const { recording: _, detail: __, shard: ___, session: ____, ...least } = whole;
  expect(parseAlarmWebhook(least)).toEqual(least);
});

const fault = { code: 'request_invalid', status: 400 };

test.each([
  ['id', 7],
  ['event', 'cleared'],
  ['code', undefined],
  ['severity', 'fatal'],
  ['meaning', null],
  ['next', {}],
  ['recording', 'RE1'],
  ['shard', 7],
  ['session', {}],
  ['detail', 7],
  ['at', 7],
  ['account', 'AC1'],
])('%s is named where it is malformed, and not its value', (name, value) => {
  expect(() => parseAlarmWebhook({ ...whole, [name]: value })).toThrow(
    expect.objectContaining({ ...fault, message: `alarm webhook: missing or malformed ${name}` }),
  );
});

test.each([[null], ['text'], [[]]])('%j is refused', (body) => {
  expect(() => parseAlarmWebhook(body)).toThrow(expect.objectContaining(fault));
});

describe('the webhook of a proof', () => {
  const proven = {
    ...{
      id: 'ab-proven',
      event: 'recording.proven',
      recording: `RE${'1'.repeat(32)}`,
      at: '2026-11-30T12:00:00.000Z',
    },
    ...{ by: 'second-look', how: 'samples', mono: true, host: 'one', account: `AC${'2'.repeat(32)}` },
  } as ProvenWebhook;

  test('is read as it was sent, without fields that are not known', () => {
    expect(parseProvenWebhook({ ...proven, later: 1 })).toEqual(proven);
    const { mono: _, ...least } = proven;
    expect(parseProvenWebhook(least)).toEqual(least);
  });

  test.each(['id', 'event', 'recording', 'at', 'by', 'how', 'host', 'account'])('needs %s', (name) => {
    expect(() => parseProvenWebhook({ ...proven, [name]: undefined })).toThrow(
      expect.objectContaining({ ...fault, message: `webhook of a proof: missing or malformed ${name}` }),
    );
  });
});
