import type { Verdict } from '../check.ts';
import type { Brevo, BrevoContact, BrevoEvent } from './brevo-api.ts';
import { brevoChecks, testContact, testEvent } from './checks.ts';
import { remedyOf } from './remedies.ts';

const signal = new AbortController().signal;
const missing = { kind: 'missing' } as const;
const refusedKey = { kind: 'pause', reason: 'key', status: 401, code: 'unauthorized' } as const;

/** A Brevo with two attributes and one list, and what was done to it. */
function fake(change: Partial<Brevo> = {}) {
  const done: unknown[] = [];
  const brevo = {
    account: async () => ({ kind: 'done', value: { company: 'Northwind', plans: ['free'] } }),
    attributes: async () => ({
      kind: 'done',
      value: [
        { name: 'FIRSTNAME', type: 'text' },
        { name: 'TIER', type: 'text' },
      ],
    }),
    createAttribute: async (name: string, type: string) => {
      done.push([name, type]);
      return { kind: 'done', value: undefined };
    },
    list: async (id: number) => (id === 3 ? { kind: 'done', value: { name: 'Support' } } : missing),
    putContact: async (contact: BrevoContact) => {
      done.push(contact);
      return { kind: 'done', value: { id: 1 } };
    },
    sendEvent: async (event: BrevoEvent) => {
      done.push(event);
      return { kind: 'done', value: undefined };
    },
    ...change,
  } as unknown as Brevo;
  return { brevo, done };
}

interface Asked {
  brevo?: Partial<Brevo>;
  lists?: Record<string, number | undefined>;
  attributes?: readonly { name: string; type: 'text' | 'float' }[];
  createAttributes?: boolean;
  sendEvent?: boolean;
  hasKey?: boolean;
  kept?: string;
}

async function check(asked: Asked = {}) {
  const { brevo, done } = fake(asked.brevo);
  const kept: string[] = [];
  const all = brevoChecks({
    ...{ brevo, hasKey: asked.hasKey ?? true },
    wanted: { attributes: asked.attributes ?? [{ name: 'TIER', type: 'text' }], lists: asked.lists ?? {} },
    ...{ createAttributes: asked.createAttributes ?? false, sendEvent: asked.sendEvent ?? false },
    kept: { account: async () => asked.kept, keepAccount: async (text) => void kept.push(text) },
  });
  const found: Record<string, Verdict> = {};
  for (const { name, look } of all) found[name] = await look(signal);
  return { found, done, kept };
}

test('an account with all that the mapping writes', async () => {
  const { found, done, kept } = await check({ lists: { support_contacts: 3, csat_respondents: undefined } });
  expect(found).toEqual({
    'brevo-account': { level: 'ok', detail: 'Northwind, free', next: '' },
    'brevo-attributes': { level: 'ok', detail: 'all 1 that the mapping writes are there', next: '' },
    'brevo-lists': { level: 'ok', detail: 'support_contacts: Support', next: '' },
  });
  expect([done, kept]).toEqual([[], ['Northwind, free']]);
});

test('the account is asked at most once an hour', async () => {
  const account = jest.fn();
  const { found, kept } = await check({ kept: 'Northwind', brevo: { account } });
  expect(found['brevo-account']).toMatchObject({ level: 'ok', detail: expect.stringContaining('last hour') });
  expect([account.mock.calls.length, kept.length]).toEqual([0, 0]);
});

test('attributes that Brevo lacks are named, and created on request', async () => {
  const attributes = [
    { name: 'TIER', type: 'text' },
    { name: 'AVG_WAIT_TIME', type: 'float' },
  ] as const;
  const named = await check({ attributes });
  expect(named.found['brevo-attributes']).toMatchObject({
    ...{ level: 'fix', detail: 'Brevo has no AVG_WAIT_TIME' },
    next: expect.stringContaining('--create-attributes'),
  });
  expect(named.done).toEqual([]);
  const created = await check({ attributes, createAttributes: true });
  expect(created.found['brevo-attributes']).toMatchObject({ level: 'ok', detail: 'created AVG_WAIT_TIME' });
  expect(created.done).toEqual([['AVG_WAIT_TIME', 'float']]);
});

test('no key, a list that is not there, and no list at all', async () => {
  const { found } = await check({ hasKey: false, lists: { csat_respondents: 9 } });
  expect(found['brevo-account']?.next).toContain('secrets set CUSTODY_BREVO_API_KEY');
  expect(found['brevo-lists']).toMatchObject({
    ...{ level: 'fix', detail: 'Brevo has no list 9 (lists.csat_respondents)' },
  });
  expect((await check()).found['brevo-lists']).toMatchObject({ level: 'note' });
});

test('one marked event is sent on request alone, to a contact of its own that is made first', async () => {
  expect((await check()).done).toEqual([]);
  const { found, done } = await check({ sendEvent: true });
  expect(found['brevo-event']?.level).toBe('note');
  expect(done).toEqual([
    { identifiers: { extId: testContact }, attributes: {}, listIds: [] },
    {
      ...{ name: testEvent, at: expect.any(Date), identifiers: { extId: testContact } },
      properties: { test: 'true' },
    },
  ]);
  const refused = await check({ sendEvent: true, brevo: { sendEvent: async () => refusedKey } });
  expect(refused.found['brevo-event']).toMatchObject({
    ...{ level: 'fix', detail: expect.stringContaining(`the event ${testEvent}: Brevo does not accept`) },
  });
});

test.each([
  [refusedKey, 'secrets set CUSTODY_BREVO_API_KEY'],
  [{ kind: 'pause', reason: 'address', status: 401 }, 'authorised_ips'],
  [{ kind: 'pause', reason: 'credits', status: 402 }, 'credits'],
  [{ kind: 'pause', reason: 'forbidden', status: 403 }, 'validation'],
  [{ kind: 'later', status: 429, afterMs: 1_500 }, 'wait 2 s; look for other programs'],
  [{ kind: 'later', status: 503 }, 'status.brevo.com'],
  [{ kind: 'later' }, 'HTTPS_PROXY'],
  [{ kind: 'unknown' }, 'run this again'],
  [{ kind: 'refused', status: 400, code: 'invalid_parameter', message: 'no' }, 'correct what it names'],
  [missing, 'check the ids'],
  [{ kind: 'collision', identifiers: ['SMS'] }, 'collisions'],
] as const)('%j has its own next step', (outcome, next) => {
  expect(remedyOf(outcome)).toMatchObject({ level: 'fix', next: expect.stringContaining(next) });
});
