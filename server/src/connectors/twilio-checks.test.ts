import { CustodyError } from '@flex-custody/core';
import { type TwilioAsked, type TwilioCheckDeps, twilioChecks } from './twilio-checks.ts';

const workspaceSid = `WS${'1'.repeat(32)}`;

async function look(change: Partial<TwilioAsked> = {}, deps: Partial<TwilioCheckDeps> = {}) {
  const twilio: TwilioAsked = {
    flexWorkspace: async () => ({ workspaceSid }),
    conversations: async () => 3,
    workspace: async () => 'Flex Task Assignment',
    agents: async () => [{ name: 'ada' }],
    queues: async () => ['Sales', 'Support'],
    ...change,
  };
  const all = twilioChecks({
    twilio,
    workspaceSid,
    publicUrl: 'https://host.example',
    hasAuthToken: true,
    ...deps,
  });
  const found: Record<string, { level: string; detail: string; next: string }> = {};
  for (const { name, look: one } of all) found[name] = await one(new AbortController().signal);
  return found;
}

test('everything is there', async () => {
  const found = await look();
  expect(Object.values(found).map(({ level }) => level)).toEqual(Array.from({ length: 6 }, () => 'ok'));
  expect(found['queues']?.detail).toBe('2 loaded');
});

test.each<[string, Partial<TwilioAsked>, string, string]>([
  ['flex-api', { flexWorkspace: async () => undefined }, 'fix', 'TWILIO_ACCOUNT_SID'],
  [
    'flex-api',
    { flexWorkspace: async () => ({ workspaceSid: 'WS9' }) },
    'fix',
    'TWILIO_WORKSPACE_SID to WS9',
  ],
  ['conversations-api', { conversations: async () => 0 }, 'note', 'took calls alone'],
  ['taskrouter-workspace', { workspace: async () => undefined }, 'fix', 'TWILIO_WORKSPACE_SID'],
  ['agents', { agents: async () => [] }, 'note', 'logged in'],
  ['agents', { agents: async () => undefined }, 'fix', 'taskrouter-workspace'],
  ['queues', { queues: async () => [] }, 'fix', 'create one'],
])('%s says what is wrong, and what to do', async (name, change, level, next) => {
  expect((await look(change))[name]).toMatchObject({ level, next: expect.stringContaining(next) });
});

test.each([
  ['twilio_unauthorized', 'restricted key'],
  ['twilio_unavailable', 'status.twilio.com'],
] as const)('%s of any API has the same remedy', async (code, next) => {
  const fails = async () => {
    throw new CustodyError(code, 'Twilio and the conversations: HTTP 401; check');
  };
  expect((await look({ conversations: fails, queues: fails }))['queues']).toMatchObject({
    ...{ level: 'fix', detail: 'Twilio and the conversations: HTTP 401' },
    next: expect.stringContaining(next),
  });
});

test('signatures need the auth token, and an address that Twilio reaches', async () => {
  expect((await look({}, { hasAuthToken: false }))['webhook-signature']).toMatchObject({
    ...{ level: 'fix', next: expect.stringContaining('secrets set TWILIO_AUTH_TOKEN') },
  });
  expect((await look({}, { publicUrl: 'http://127.0.0.1:4000' }))['webhook-signature']).toMatchObject({
    ...{ level: 'note', next: expect.stringContaining('CUSTODY_PUBLIC_URL') },
  });
});
