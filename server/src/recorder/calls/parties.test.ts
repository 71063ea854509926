import type { TwilioCallFacts } from '@flex-custody/twilio';
import type { LiveCall } from '../../catalog/live-calls.ts';
import { customer, digest, own } from '../testing/calls-world.ts';
import { sids } from '../testing/live-call.ts';
import { readingOf, together } from './parties.ts';

const call = (n: number, facts: Partial<TwilioCallFacts>): TwilioCallFacts => ({
  sid: sids.call(n),
  from: own,
  to: own,
  direction: 'outbound-api',
  startedAt: new Date(n),
  ...facts,
});
const inbound = call(1, { direction: 'inbound', from: customer });
const agent = call(2, { from: customer, to: 'client:ada' });
const dialled = call(3, { to: '+4930123456' });

test('an inbound leg is the customer, whoever else is on the line and in whatever order', () => {
  expect(readingOf([dialled, agent, inbound], digest)).toEqual({
    legs: [dialled, agent, inbound].map(({ sid }) => sid),
    hasAgent: true,
    customerCallSid: inbound.sid,
    direction: 'inbound',
    caller: digest(customer),
    others: [digest('+4930123456')],
  });
});

test('without one the first whom we called is', () => {
  const later = call(4, { to: '+442079460958' });
  expect(readingOf([later, call(2, { to: 'client:ada' }), dialled], digest)).toMatchObject({
    customerCallSid: dialled.sid,
    direction: 'outbound',
    caller: digest('+4930123456'),
    others: [digest('+442079460958'), digest(own)],
  });
});

test('workers alone say nothing yet', () => {
  expect(readingOf([call(2, { to: 'client:ada' }), call(3, { to: 'client:bob' })], digest)).toEqual({
    legs: [sids.call(2), sids.call(3)],
    hasAgent: true,
    others: [digest(own)],
  });
});

test.each([
  ['of a browser that called in', 'client:anonymous', []],
  ['withheld', '+266696687', []],
  ['by SIP without a number', 'sip:alice@x.example', []],
  ['by a trunk that leaves out the sign: it can add a hold', '4930123456', ['4930123456']],
])('a caller %s is unknown, the direction is not', (_how, from, hints) => {
  const reading = readingOf([call(1, { direction: 'inbound', from })], digest);
  expect(reading).toMatchObject({ direction: 'inbound', others: hints.map(digest) });
  expect(reading).not.toHaveProperty('caller');
});

test('a SIP address that holds a number is that number', () => {
  const reading = readingOf([call(1, { direction: 'inbound', from: 'sip:+4930123456@x.example' })], digest);
  expect(reading.caller).toBe(digest('+4930123456'));
});

test('a direction that nobody knows is none, and without a secret no number is noted', () => {
  const trunk = call(1, { direction: 'trunking-terminating', from: customer });
  expect(readingOf([trunk], digest)).not.toHaveProperty('direction');
  expect(readingOf([inbound, agent], undefined)).toEqual({
    legs: [inbound.sid, agent.sid],
    hasAgent: true,
    customerCallSid: inbound.sid,
    direction: 'inbound',
    others: [],
  });
});

test('of several calls the first with somebody outside says whose it is, and the rest are others', () => {
  const live = (facts: Partial<LiveCall>) => ({ legs: [], others: [], ...facts }) as unknown as LiveCall;
  expect(
    together([
      live({ direction: 'internal', others: ['a'] }),
      live({ direction: 'inbound', caller: 'b', others: ['c'] }),
      live({ direction: 'outbound', caller: 'd', others: ['b', 'e'] }),
    ]),
  ).toEqual({ direction: 'inbound', caller: 'b', others: ['c', 'a', 'e', 'd'] });
  expect(together([])).toBeUndefined();
});
