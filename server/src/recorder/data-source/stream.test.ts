import { isAssigned } from './assigned.ts';
import { readSettings } from './read.ts';
import { streamOf } from './stream.ts';

const arn = 'arn:aws:kinesis:eu-west-1:111122223333:stream/events';
const roleArn = 'arn:aws:iam::111122223333:role/read-events';
const settingsOf = (given: object) => readSettings(given).settings;
const secrets = {
  get: async (name: string) => (name === 'data-source/secretAccessKey' ? 'hush' : undefined),
};

test.each([
  [{ streamName: arn }, { stream: arn, region: 'eu-west-1' }],
  [
    { streamName: 'events', region: 'us-east-1' },
    { stream: 'events', region: 'us-east-1' },
  ],
  [
    { streamName: 'events', customRegion: 'xx-new-2' },
    { stream: 'events', region: 'xx-new-2' },
  ],
  [{ streamName: 'events' }, { stream: 'events', region: 'eu-central-1' }],
  [
    { streamName: 'events', specifyCredentials: true, accessKeyId: 'AKIA' },
    {
      stream: 'events',
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIA', secretAccessKey: 'hush' },
    },
  ],
  [
    { streamName: 'events', specifyRole: true, roleArn, externalId: 'x', roleSessionName: 'reader' },
    {
      stream: 'events',
      region: 'eu-central-1',
      role: { arn: roleArn, externalId: 'x', sessionName: 'reader' },
    },
  ],
  [{}, undefined],
])('the stream of %j', async (given, stream) =>
  expect(await streamOf(settingsOf(given), secrets, 'eu-central-1')).toEqual(stream),
);

test('a secret that was removed from the store is named', async () => {
  const settings = settingsOf({ streamName: 'events', specifyCredentials: true, accessKeyId: 'AKIA' });
  await expect(streamOf(settings, { get: async () => undefined }, 'eu-central-1')).rejects.toMatchObject({
    code: 'data_source_invalid',
    message: expect.stringContaining('secrets set data-source/secretAccessKey'),
  });
});

test.each([
  [{}, 'events', ['a', 'b', 'c']],
  [{ integrationNode: 'a' }, 'events', ['a']],
  [{ redundantPair: ['a', 'b'] }, 'events', ['a', 'b']],
  [{ captureNodes: ['c'] }, 'events', ['a', 'b', 'c']],
  [{ integrationNode: 'a' }, 'audio', ['a', 'b', 'c']],
  [{ captureNodes: ['b', 'c'] }, 'audio', ['b', 'c']],
] as const)('with %j the nodes of %s are %j', (given, duty, nodes) => {
  expect(['a', 'b', 'c'].filter((node) => isAssigned(settingsOf(given), node, duty))).toEqual(nodes);
  // The case counts, as in CUSTODY_NODE.
  expect(isAssigned(settingsOf({ integrationNode: 'a' }), 'A')).toBe(false);
});
