import { once } from 'node:events';
import { get as getPlain, request } from 'node:http';
import { until } from '../../../test/support/until.ts';
import { startBrevo } from './index.ts';
import { type AskedBrevo, askBrevo } from './testing.ts';

let asked: AskedBrevo;
beforeEach(() => {
  asked = askBrevo();
});
const statuses = async (count: number, path = '/contacts') => {
  const answers = [];
  for (let at = 0; at < count; at += 1) answers.push((await asked.ask('GET', path)).status);
  return answers;
};

test('wants the key in its own header', async () => {
  for (const headers of [{}, { 'api-key': 'x' }, { authorization: `Bearer ${asked.brevo.apiKey}` }])
    expect(await asked.ask('GET', '/account', undefined, headers)).toMatchObject({
      status: 401,
      body: { code: 'unauthorized', message: 'Key not found' },
    });
  expect(await asked.ask('GET', '/account')).toMatchObject({
    status: 200,
    body: { companyName: 'Northwind' },
  });
});

test.each([
  ['key', 401, 'unauthorized'],
  ['address', 401, 'unauthorized'],
  ['credits', 402, 'not_enough_credits'],
  ['forbidden', 403, 'permission_denied'],
])('refuses everything for %s until it is set otherwise', async (refuses, status, code) => {
  await asked.control('POST', '', { refuses });
  for (const path of ['/account', '/contacts'])
    expect(await asked.ask('GET', path)).toMatchObject({ status, body: { code } });
  await asked.control('POST', '', { refuses: 'nothing' });
  expect(await asked.ask('GET', '/account')).toMatchObject({ status: 200 });
});

describe('limits', () => {
  test('ten contacts a second, and the header says when there are more, from now', async () => {
    asked.pass(250);
    expect(await statuses(11)).toEqual([...Array(10).fill(200), 429]);
    const refused = await asked.ask('GET', '/contacts');
    expect(refused).toMatchObject({
      status: 429,
      headers: {
        'x-sib-ratelimit-limit': '10',
        'x-sib-ratelimit-remaining': '0',
        'x-sib-ratelimit-reset': '1',
      },
    });
    expect(refused.headers).not.toHaveProperty('retry-after');
    expect(asked.brevo.earned429).toBe(2);
    asked.pass(750);
    expect(await statuses(1)).toEqual([200]);
  });

  test('a window that slides allows no burst over its edge', async () => {
    await asked.control('POST', '', { windows: 'sliding' });
    asked.pass(900);
    expect(new Set(await statuses(10))).toEqual(new Set([200]));
    asked.pass(200);
    expect(await statuses(1)).toEqual([429]);
    asked.pass(800);
    expect(await statuses(1)).toEqual([200]);
  });

  test('each class has its own, of the plan, multiplied', async () => {
    await asked.control('POST', '', { plan: 'advanced', limits: 2 });
    expect(await statuses(41)).toEqual([...Array(40).fill(200), 429]);
    const other = await asked.ask('GET', '/events');
    expect(other).toMatchObject({ status: 200, headers: { 'x-sib-ratelimit-limit': '400' } });
    expect(Number(other.headers['x-sib-ratelimit-reset'])).toBe(3_600);
    expect(await asked.control('GET', '')).toMatchObject({
      body: { counts: { byClass: { contacts: 41, events: 0, other: 1 }, earned429: 1 } },
    });
  });
});

describe('faults', () => {
  test('meet each so-manieth request that matches, so many times', async () => {
    const fault = { kind: 'status', status: 503, every: 2, times: 2, match: 'GET /contacts' };
    expect(await asked.control('POST', '', { faults: [fault] })).toMatchObject({ status: 200 });
    expect(await statuses(1, '/account')).toEqual([200]);
    expect(await statuses(6)).toEqual([200, 503, 200, 503, 200, 200]);
    expect(asked.brevo.faults.list()).toMatchObject([{ met: 2 }]);
  });

  test('a 429 of a fault is not earned', async () => {
    asked.brevo.faults.add({ kind: 'status', status: 429 });
    expect(await asked.ask('GET', '/contacts')).toMatchObject({
      status: 429,
      body: { code: 'too_many_requests' },
    });
    expect(asked.brevo.earned429).toBe(0);
  });

  test('an answer may say that a request failed which had its effect', async () => {
    asked.brevo.faults.add({ kind: 'status-after', status: 502 });
    expect(await asked.ask('POST', '/contacts', { email: 'a@example.com' })).toMatchObject({ status: 502 });
    expect(asked.brevo.contacts.all()).toHaveLength(1);
  });

  test.each([{ kind: 'flood' }, {}, { kind: 'status', status: 200 }])('%j is none', async (fault) => {
    expect((await asked.control('POST', '', { faults: [fault] })).status).toBeGreaterThanOrEqual(400);
    expect(asked.brevo.faults.list()).toEqual([]);
  });
});

test.each([{ plan: 'free' }, { limits: 0 }, { refuses: true }, { speed: 9 }])(
  '%j is no setting',
  async (body) => {
    expect((await asked.control('POST', '', body)).status).toBeGreaterThanOrEqual(400);
  },
);

test('a reset forgets everything', async () => {
  await asked.ask('POST', '/contacts', { email: 'a@example.com' });
  await asked.control('POST', '', { limits: 9, faults: [{ kind: 'html' }], lists: [{ name: 'L' }] });
  expect(await asked.control('DELETE', '')).toMatchObject({
    body: {
      settings: { limits: 1 },
      faults: [],
      counts: { contacts: 0, requests: 0 },
      lists: [{ id: 3 }, { id: 4 }],
    },
  });
});

describe('on a socket', () => {
  test.each([
    ['reset-before', 0],
    ['reset-after', 1],
  ] as const)('%s breaks the connection', async (kind, contacts) => {
    const { brevo, apiUrl, close } = await startBrevo();
    try {
      brevo.faults.add({ kind });
      const asking = request(`${apiUrl}/contacts`, {
        method: 'POST',
        headers: { 'api-key': brevo.apiKey, 'content-type': 'application/json' },
        agent: false,
      });
      asking.end(JSON.stringify({ email: 'a@example.com' }));
      await expect(once(asking, 'response')).rejects.toThrow(/socket hang up|ECONNRESET/);
      expect(brevo.contacts.all()).toHaveLength(contacts);
    } finally {
      await close();
    }
  });

  test.each(['stall-before', 'stall-after'] as const)(
    '%s never answers, and ends with the server',
    async (kind) => {
      const { brevo, apiUrl, close } = await startBrevo();
      brevo.faults.add({ kind });
      const asking = getPlain(`${apiUrl}/account`, { headers: { 'api-key': brevo.apiKey }, agent: false });
      let answered = false;
      asking.once('response', () => {
        answered = true;
      });
      const ended = once(asking, 'error').catch((error: unknown) => error);
      await until(() => brevo.requests.length === 1);
      // A second request is answered while the first still waits.
      const second = await fetch(`${apiUrl}/account`, { headers: { 'api-key': brevo.apiKey } });
      expect([second.status, answered]).toEqual([200, false]);
      await close();
      await ended;
      expect(answered).toBe(false);
    },
  );
});
