import type { StartOptions } from '@flex-custody/core';
import { call, functionsUrl, sid } from '../testing';
import { callControl } from './call-control';
import type { Fetch } from './http';

function functions(status: number, body: unknown) {
  const seen: { url: string; form: Record<string, string>; method: string }[] = [];
  let token = 'first';
  const fetch: Fetch = async (url, init) => {
    seen.push({ url, method: init.method, form: Object.fromEntries(new URLSearchParams(init.body)) });
    return { status, text: async () => (typeof body === 'string' ? body : JSON.stringify(body)) };
  };
  return {
    seen,
    renew: (next: string) => {
      token = next;
    },
    control: callControl(functionsUrl, () => token, fetch),
  };
}

const options: StartOptions = { want: 'leg', expected: false, paused: false };
const paused = {
  state: 'paused',
  since: 5,
  recordings: { legs: 2, conference: 1 },
  reported: true,
  marked: true,
};

test('each request is a form with the SIDs and the token of that moment', async () => {
  const { control, seen, renew } = functions(200, paused);
  await control.pause(call());
  renew('second');
  await control.resume(call());
  expect(seen).toEqual([
    {
      url: `${functionsUrl}/pause-recording`,
      method: 'POST',
      form: {
        Token: 'first',
        taskSid: call().taskSid,
        reservationSid: call().reservationSid,
        conferenceSid: call().conferenceSid,
      },
    },
    expect.objectContaining({
      url: `${functionsUrl}/resume-recording`,
      form: expect.objectContaining({ Token: 'second' }),
    }),
  ]);
});

test.each([
  ['renewed while it travelled is sent again, as the new one', true],
  ['that is still the one is not', false],
])('a refused token %s', async (_, renewed) => {
  let token = 'first';
  const sent: (string | null)[] = [];
  const fetch: Fetch = async (_url, init) => {
    sent.push(new URLSearchParams(init.body).get('Token'));
    if (renewed) token = 'second';
    const refused = sent.length === 1;
    return {
      status: refused ? 403 : 200,
      text: async () => JSON.stringify(refused ? { error: 'token_refused' } : paused),
    };
  };
  const answer = await callControl(functionsUrl, () => token, fetch).pause(call());
  expect(sent).toEqual(renewed ? ['first', 'second'] : ['first']);
  expect(answer.ok).toBe(renewed);
});

test('a conference that Flex does not know is left for the Function to find', async () => {
  const { control, seen } = functions(200, {});
  const { conferenceSid: _unknown, ...without } = call();
  await control.start(without, options);
  expect(seen[0]).toMatchObject({ url: `${functionsUrl}/start-recording` });
  expect(seen[0]?.form).not.toHaveProperty('conferenceSid');
});

test('what is wanted travels with it', async () => {
  const { control, seen } = functions(200, {});
  await control.start(call(), options);
  await control.start(call(), { want: 'conference', expected: true, paused: true });
  const sids = { Token: 'first', taskSid: call().taskSid, reservationSid: call().reservationSid };
  expect(seen.map(({ form }) => form)).toEqual([
    { ...sids, conferenceSid: call().conferenceSid, want: 'leg' },
    { ...sids, conferenceSid: call().conferenceSid, want: 'conference', expected: 'true', paused: 'true' },
  ]);
});

test('a pause is read, as counts and nothing else', async () => {
  expect(await functions(200, paused).control.pause(call())).toEqual({ ok: true, value: paused });
  const sids = { ...paused, recordings: { legs: [sid('RE', '1')], conference: -1 } };
  expect(await functions(200, sids).control.pause(call())).toEqual({
    ok: true,
    value: { ...paused, recordings: { legs: 0, conference: 0 } },
  });
});

test('what an answer does not say was done counts as not done', async () => {
  expect(await functions(200, { state: 'recording' }).control.resume(call())).toEqual({
    ok: true,
    value: { state: 'recording', recordings: { legs: 0, conference: 0 }, reported: false, marked: false },
  });
});

test('a started recording is read', async () => {
  const value = { recordingSid: sid('RE'), callSid: sid('CA'), started: false };
  const of = async (body: object) => functions(200, body).control.start(call(), options);
  expect(await of(value)).toEqual({ ok: true, value: { ...value, of: 'leg' } });
  expect(await of({ ...value, of: 'conference' })).toEqual({
    ok: true,
    value: { ...value, of: 'conference' },
  });
});

test.each<[number, unknown, string]>([
  [403, { error: 'pause_disabled' }, 'pause_disabled'],
  [403, { error: 'not_your_call' }, 'not_your_call'],
  [404, { error: 'call_not_live' }, 'call_not_live'],
  [409, { error: 'nothing_recorded' }, 'nothing_recorded'],
  [503, { error: 'iam_unavailable' }, 'iam_unavailable'],
  [500, { error: 'a code of tomorrow' }, 'unexpected'],
  [500, '<html>Internal Server Error</html>', 'unexpected'],
  [200, { state: 'whatever' }, 'answer_invalid'],
  [200, 'OK', 'answer_invalid'],
])('%i %p is %s', async (status, body, failure) => {
  expect(await functions(status, body).control.pause(call())).toEqual({ ok: false, failure });
});

test('offline', async () => {
  const control = callControl(
    functionsUrl,
    () => 't',
    () => Promise.reject(new TypeError('offline')),
  );
  expect(await control.start(call(), options)).toEqual({ ok: false, failure: 'offline' });
});
