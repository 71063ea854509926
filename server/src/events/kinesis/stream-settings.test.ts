import { streamNameOf } from './stream-settings.ts';

const arn = 'arn:aws:kinesis:eu-central-1:123456789012:stream/twilio-events';

test('a name and an ARN are the same stream', () => {
  const byName = streamNameOf({ stream: 'twilio-events', region: 'eu-central-1' });
  const byArn = streamNameOf({ stream: arn, region: 'eu-central-1' });
  expect(byName).toEqual({
    region: 'eu-central-1',
    name: 'twilio-events',
    key: 'eu-central-1/twilio-events',
  });
  expect(byArn).toEqual({ ...byName, arn });
});

test('other partitions of AWS', () => {
  const cn = 'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a.b_c';
  expect(streamNameOf({ stream: cn, region: 'cn-north-1' })).toMatchObject({ name: 'a.b_c', arn: cn });
});

test.each([
  ['an ARN of another region', arn, 'us-east-1', /eu-central-1.*us-east-1/],
  ['an ARN of another service', arn.replace('kinesis', 'firehose'), 'eu-central-1', /neither/],
  ['a consumer of the stream', `${arn}/consumer/x:1`, 'eu-central-1', /neither/],
  ['nothing', '', 'eu-central-1', /neither/],
  ['spaces', 'twilio events', 'eu-central-1', /neither/],
  ['a name that is too long', 'x'.repeat(129), 'eu-central-1', /neither/],
])('%s is refused', (_, stream, region, message) => {
  expect(() => streamNameOf({ stream, region })).toThrow(message);
  expect(() => streamNameOf({ stream, region })).toThrow(expect.objectContaining({ code: 'stream_invalid' }));
});
