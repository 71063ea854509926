import { type Fetch, request } from './http';

const answers =
  (status: number, text: string): Fetch =>
  async () => ({ status, text: async () => text });

test('an answer is its status and its JSON', async () => {
  expect(
    await request(answers(403, '{"error":"pause_disabled"}'), 'https://x.example', { method: 'POST' }),
  ).toEqual({
    answered: true,
    status: 403,
    body: { error: 'pause_disabled' },
  });
});

test('an answer that is no JSON has no body', async () => {
  expect(await request(answers(502, '<html>'), 'https://x.example', { method: 'GET' })).toEqual({
    answered: true,
    status: 502,
    body: undefined,
  });
});

test('no connection is offline', async () => {
  const refused: Fetch = async () => {
    throw new TypeError('Failed to fetch');
  };
  expect(await request(refused, 'https://x.example', { method: 'GET' })).toEqual({
    answered: false,
    why: 'offline',
  });
});

test.each<[string, Fetch]>([
  ['an answer that does not come', () => new Promise(() => undefined)],
  ['a body that does not end', async () => ({ status: 200, text: () => new Promise(() => undefined) })],
])('%s is a time-out, and the request is given up', async (_what, silent) => {
  let signal: AbortSignal | undefined;
  const fetch: Fetch = (url, init) => {
    signal = init.signal;
    return silent(url, init);
  };
  expect(await request(fetch, 'https://x.example', { method: 'GET' }, 10)).toEqual({
    answered: false,
    why: 'timeout',
  });
  expect(signal?.aborted).toBe(true);
});
