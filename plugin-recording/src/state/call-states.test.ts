import type { ReservationSid } from '@flex-custody/core';
import { keyValues, sid } from '../testing';
import { callStates } from './call-states';

const one = sid('WR') as ReservationSid;

test('what is remembered survives, what is under way does not', () => {
  const storage = keyValues();
  const states = callStates(storage);
  states.set(one, { accepted: true, leg: 'CA1', pause: { paused: true, at: 5, mark: null } });
  states.set(one, { failure: 'start-failed', told: 'start-failed', busy: 'start' });
  states.set(one, { error: { asked: 'start', failure: 'timeout' }, started: true, confirmed: true });
  expect(callStates(storage).get(one)).toEqual({
    accepted: true,
    leg: 'CA1',
    started: true,
    pause: { paused: true, at: 5, mark: null },
    failure: 'start-failed',
    told: 'start-failed',
  });
});

test('undefined takes a field away', () => {
  const states = callStates(keyValues());
  states.set(one, { failure: 'unexpected' });
  states.set(one, { failure: undefined });
  expect(states.get(one)).toEqual({});
});

test('listeners hear of each change until they stop', () => {
  const states = callStates(undefined);
  let heard = 0;
  const stop = states.subscribe(() => {
    heard += 1;
  });
  states.set(one, { accepted: true });
  stop();
  states.set(one, { accepted: true });
  expect(heard).toBe(1);
});

test('fifty calls are remembered; the one untouched the longest goes', () => {
  const storage = keyValues();
  const states = callStates(storage);
  const sids = Array.from({ length: 51 }, (_, n) => `WR${n}` as ReservationSid);
  for (const each of sids.slice(0, 50)) states.set(each, { accepted: true });
  states.set(sids[0]!, { started: true });
  states.set(sids[50]!, { accepted: true });
  const again = callStates(storage);
  expect(again.get(sids[0]!)).toEqual({ accepted: true, started: true });
  expect(again.get(sids[1]!)).toEqual({});
  expect(again.get(sids[2]!)).toEqual({ accepted: true });
});

test.each([
  ['garbage', '{'],
  ['another shape', '{"a":1}'],
  ['wrong fields', '[["WR1",{"accepted":1,"failure":"no reason","pause":{"paused":1}}],7,[8]]'],
])('a storage that holds %s counts as empty', (_what, text) => {
  const storage = keyValues();
  storage.setItem('flex_custody.calls', text);
  expect(callStates(storage).get('WR1' as ReservationSid)).toEqual({});
});

test('a storage that refuses keeps nobody from a call', () => {
  const refuse = () => {
    throw new Error('QuotaExceededError');
  };
  const states = callStates({ getItem: refuse, setItem: refuse });
  states.set(one, { accepted: true });
  expect(states.get(one)).toEqual({ accepted: true });
});
