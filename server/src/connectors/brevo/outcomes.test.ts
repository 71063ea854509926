import { CustodyError } from '@flex-custody/core';
import type { BrevoOutcome } from './brevo-api.ts';
import { caught, tryOf } from './outcomes.ts';

test.each<[string, (reason: Error) => Error, BrevoOutcome<never>['kind']]>([
  ['the end of the process, while it waits for its turn', (reason) => reason, 'later'],
  ['no turn', () => new CustodyError('database_unavailable', 'no answer'), 'later'],
  ['a request that Brevo cannot take', () => new RangeError('a contact without an identifier'), 'refused'],
  ['anything else', () => new Error('socket hang up'), 'unknown'],
])('what an error says of the request: %s', async (_, errorOf, kind) => {
  const ending = new AbortController();
  const reason = new Error('the process ends');
  ending.abort(reason);
  expect((await caught(Promise.reject(errorOf(reason)), ending.signal)).kind).toBe(kind);
});

test('an error that the signal did not cause may have come after the request was sent', async () => {
  const reason = new Error('the process ends');
  const { signal } = new AbortController();
  expect(await caught(Promise.reject(reason), signal)).toEqual({ kind: 'unknown' });
});

test('a pause is noted, and all else is what the outbox knows', async () => {
  const noted: string[] = [];
  const of = async (outcome: BrevoOutcome<undefined>) =>
    (await tryOf(outcome, async ({ reason }) => void noted.push(reason))).kind;
  expect(await of({ kind: 'pause', reason: 'credits', status: 402 })).toBe('paused');
  expect(noted).toEqual(['credits']);
  expect(await of({ kind: 'done', value: undefined })).toBe('done');
  expect(await of({ kind: 'later' })).toBe('later');
  expect(await of({ kind: 'unknown' })).toBe('unknown');
  expect(await of({ kind: 'missing' })).toBe('refused');
  expect(await of({ kind: 'collision', identifiers: ['SMS'] })).toBe('refused');
  expect(noted).toHaveLength(1);
});
