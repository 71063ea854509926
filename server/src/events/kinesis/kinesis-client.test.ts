import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { faultOf } from './kinesis.ts';
import { openKinesis } from './kinesis-client.ts';

interface Asked {
  target: string;
  authorization: string;
  token: string | undefined;
  version: string;
  body: string;
}

let server: Server;
let endpoint: string;
let asked: Asked[];
let answer: (asked: Asked) => { status?: number; type?: string; body: string };
const own = { accessKeyId: 'AKIAOWN', secretAccessKey: 'own-secret' };
const never = new AbortController().signal;

beforeEach(async () => {
  asked = [];
  server = createServer(async (request: IncomingMessage, response) => {
    const { headers, httpVersion } = request;
    const one = {
      target: String(headers['x-amz-target'] ?? ''),
      authorization: headers.authorization ?? '',
      token: headers['x-amz-security-token']?.toString(),
      version: httpVersion,
      body: await text(request),
    };
    asked.push(one);
    const { status = 200, type = 'application/x-amz-json-1.1', body } = answer(one);
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env['AWS_ENDPOINT_URL_STS'] = endpoint;
});
afterEach(async () => {
  delete process.env['AWS_ENDPOINT_URL_STS'];
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const settings = { stream: 'twilio-events', region: 'eu-central-1', credentials: own };

test('all shards of several pages, by HTTP/1.1 and with the given credentials', async () => {
  const shard = (n: number, more = {}) => ({
    ShardId: `shardId-${n}`,
    SequenceNumberRange: { StartingSequenceNumber: `${n}` },
    ...more,
  });
  answer = ({ body }) => ({
    body: JSON.stringify(
      body.includes('NextToken')
        ? {
            Shards: [
              shard(2, { ParentShardId: 'shardId-0', AdjacentParentShardId: 'shardId-1' }),
              {
                ...shard(3),
                SequenceNumberRange: { StartingSequenceNumber: '3', EndingSequenceNumber: '9' },
              },
            ],
          }
        : { Shards: [shard(1)], NextToken: 'more' },
    ),
  });
  const kinesis = await openKinesis(settings, endpoint);
  expect(await kinesis.shards(never)).toEqual([
    { shard: 'shardId-1', parents: [], firstSequence: '1', isClosed: false },
    { shard: 'shardId-2', parents: ['shardId-0', 'shardId-1'], firstSequence: '2', isClosed: false },
    { shard: 'shardId-3', parents: [], firstSequence: '3', isClosed: true },
  ]);
  expect(asked[0]).toMatchObject({ target: 'Kinesis_20131202.ListShards', version: '1.1', token: undefined });
  expect(asked[0]?.authorization).toMatch(/Credential=AKIAOWN\/\d+\/eu-central-1\/kinesis\//);
  expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ StreamName: 'twilio-events' });
  expect(JSON.parse(asked[1]?.body ?? '')).toEqual({ NextToken: 'more' });
  kinesis.close();
});

test('by ARN each request names the ARN', async () => {
  const arn = 'arn:aws:kinesis:eu-central-1:123456789012:stream/twilio-events';
  answer = () => ({
    body: '{"ShardIterator":"i","Records":[],"NextShardIterator":"j","MillisBehindLatest":7}',
  });
  const kinesis = await openKinesis({ ...settings, stream: arn }, endpoint);
  expect(await kinesis.iterator('shardId-1', { after: '5' }, never)).toBe('i');
  expect(await kinesis.read('i', 10, never)).toEqual({ records: [], next: 'j', behindMs: 7 });
  expect(asked.map(({ body }) => JSON.parse(body))).toEqual([
    {
      StreamARN: arn,
      ShardId: 'shardId-1',
      ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
      StartingSequenceNumber: '5',
    },
    { StreamARN: arn, ShardIterator: 'i', Limit: 10 },
  ]);
  kinesis.close();
});

test('with a role it reads by the credentials of that role, which its own credentials assume once', async () => {
  answer = ({ body }) =>
    body.startsWith('Action=') || body.includes('AssumeRole')
      ? {
          type: 'text/xml',
          body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
            <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>
            <Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
        }
      : { body: '{"Shards":[]}' };
  const role = { arn: 'arn:aws:iam::123456789012:role/reader', externalId: 'ext-1', sessionName: 'custody' };
  const kinesis = await openKinesis({ ...settings, role }, endpoint);
  await kinesis.shards(never);
  await kinesis.shards(never);
  kinesis.close();
  const [assume, ...lists] = asked;
  const form = new URLSearchParams(assume?.body);
  expect(Object.fromEntries(form)).toMatchObject({
    ...{ Action: 'AssumeRole', RoleArn: role.arn, ExternalId: 'ext-1', RoleSessionName: 'custody' },
  });
  expect(assume?.authorization).toContain('Credential=AKIAOWN/');
  expect(lists).toHaveLength(2);
  for (const list of lists) {
    expect(list.authorization).toContain('Credential=ASIAROLE/');
    expect(list.token).toBe('role-token');
  }
});

test('a role without a session name gets one of the form that AWS takes', async () => {
  answer = () => ({
    status: 403,
    type: 'text/xml',
    body: '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>',
  });
  const kinesis = await openKinesis(
    { ...settings, role: { arn: 'arn:aws:iam::123456789012:role/reader' } },
    endpoint,
  );
  await expect(kinesis.shards(never)).rejects.toMatchObject({ name: 'AccessDenied' });
  kinesis.close();
  expect(new URLSearchParams(asked[0]?.body).get('RoleSessionName')).toMatch(/^[\w+=,.@-]{2,64}$/);
  expect(new URLSearchParams(asked[0]?.body).has('ExternalId')).toBe(false);
});

test.each([
  ['ExpiredIteratorException', 'expired'],
  ['InvalidArgumentException', 'position'],
  ['ResourceNotFoundException', 'gone'],
  ['ProvisionedThroughputExceededException', 'other'],
])('%s is thrown at the first answer, as %s', async (type, fault) => {
  answer = () => ({ status: 400, body: JSON.stringify({ __type: type, message: 'no' }) });
  const kinesis = await openKinesis(settings, endpoint);
  const error = await kinesis.read('i', 10, never).catch((thrown: unknown) => thrown);
  kinesis.close();
  expect(faultOf(error)).toBe(fault);
  expect(asked).toHaveLength(1);
});

test('a request ends when its signal aborts', async () => {
  const ending = new AbortController();
  const kinesis = await openKinesis(settings, endpoint);
  server.removeAllListeners('request');
  server.on('request', () => ending.abort());
  await expect(kinesis.read('i', 10, ending.signal)).rejects.toMatchObject({ name: 'AbortError' });
  kinesis.close();
});
