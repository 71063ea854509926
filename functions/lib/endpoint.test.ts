import { CustodyError } from '@flex-custody/core';
import { readConfig } from './config.ts';
import { endpoint } from './endpoint.ts';
import type { RuntimeResponse } from './runtime.ts';

class FakeResponse implements RuntimeResponse {
  status = 200;
  body: unknown;
  headers: Record<string, string> = {};
  setStatusCode = (status: number) => {
    this.status = status;
  };
  setBody = (body: unknown) => {
    this.body = body;
  };
  appendHeader = (name: string, value: string) => {
    this.headers[name] = value;
  };
}

const context = {
  ACCOUNT_SID: `AC${'a'.repeat(32)}`,
  AUTH_TOKEN: 'b'.repeat(32),
  AWSaccessKeyId: 'AKIAEXAMPLE',
  AWSsecretAccessKey: 'key-secret',
  AWSbucket: 'calls',
  AWS_REGION: 'eu-central-1',
  CUSTODY_HOST_URL: 'https://custody.example.com',
  CUSTODY_FUNCTIONS_URL: 'https://functions.example.com',
  CUSTODY_HOST_SECRET: 's'.repeat(43),
  CUSTODY_PUBLIC_KEY: 'TUlJQg==',
  CUSTODY_KEY_ID: '2026-11',
};

let lines: string[];

beforeEach(() => {
  Object.assign(globalThis, { Twilio: { Response: FakeResponse } });
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  Reflect.deleteProperty(globalThis, 'Twilio');
});

async function call(
  work: () => Promise<{ status: number; body: Record<string, string> }>,
  parse = () => ({}),
) {
  const answers: FakeResponse[] = [];
  await endpoint({ name: 'test', config: readConfig, parse, work })(
    context,
    { RecordingSid: 'x' },
    (_error, response) => {
      answers.push(response as FakeResponse);
    },
  );
  expect(answers).toHaveLength(1);
  return answers[0]!;
}

test("work's answer goes to the callback", async () => {
  const answer = await call(async () => ({ status: 201, body: { outcome: 'done' } }));
  expect(answer).toMatchObject({
    status: 201,
    body: { outcome: 'done' },
    headers: { 'Content-Type': 'application/json' },
  });
});

test('what the form is refused for is answered with its status and code alone', async () => {
  const answer = await call(
    async () => ({ status: 200, body: {} }),
    () => {
      throw new CustodyError('callback_invalid', 'RecordingSid=+491701234567');
    },
  );
  expect([answer.status, answer.body]).toEqual([400, { error: 'callback_invalid' }]);
});

test('an unexpected error is a 500 that tells nothing, not a hanging request', async () => {
  const answer = await call(async () => {
    throw new TypeError('cannot read key-secret of +491701234567');
  });
  expect([answer.status, answer.body]).toEqual([500, { error: 'unexpected' }]);
  expect(lines.join()).toContain('"code":"unexpected"');
  expect(lines.join()).not.toMatch(/key-secret|491701234567/);
});

test('a missing variable is a 500 as well: Twilio may ask again once it is set', async () => {
  const answers: FakeResponse[] = [];
  const work = jest.fn();
  await endpoint({ name: 'test', config: readConfig, parse: () => ({}), work })(
    {},
    {},
    (_error, response) => {
      answers.push(response as FakeResponse);
    },
  );
  expect([answers[0]!.status, answers[0]!.body]).toEqual([500, { error: 'config_invalid' }]);
  expect(work).not.toHaveBeenCalled();
  expect(lines.join()).toMatch(
    /"detail":"[^"]*AWSbucket, [^"]*CUSTODY_HOST_URL|"detail":"[^"]*CUSTODY_HOST_URL[^"]*AWSbucket/,
  );
});

test('each line of the log is one JSON object that names the Function and the time it took', async () => {
  await endpoint({
    name: 'test',
    config: readConfig,
    parse: () => ({}),
    async work(_form, { log }) {
      log({ outcome: 'sealed', bytes: 3 });
      return { status: 200, body: {} };
    },
  })(context, {}, () => undefined);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toEqual({
    event: 'test',
    outcome: 'sealed',
    bytes: 3,
    ms: expect.any(Number),
  });
});
