import { hasLeg, type LiveConference, ownLeg } from './conference-legs.ts';
import { asCallSid, asConferenceSid, type CallSid } from './sids.ts';

const call = (digit: string) => asCallSid(`CA${digit.repeat(32)}`) as CallSid;
const conference = (...legs: [CallSid, string][]): LiveConference => ({
  sid: asConferenceSid(`CF${'1'.repeat(32)}`)!,
  legs: legs.map(([callSid, to]) => ({ callSid, to })),
});
const ann = { identity: 'ann_40example_2Ecom' };

test('the leg that was dialled to the holder is theirs', () => {
  const live = conference([call('1'), '+14155550142'], [call('2'), 'client:ann_40example_2Ecom']);
  expect(ownLeg(live, ann)).toBe(call('2'));
});

test.each([
  ['a colleague', 'client:bob_40example_2Ecom'],
  ['a name that begins with theirs', 'client:ann_40example_2Ecom_2Eevil'],
  ['a number', '+14155550142'],
  ['the bare identity', 'ann_40example_2Ecom'],
])('a leg of %s is not', (_, to) => {
  expect(ownLeg(conference([call('2'), to]), ann)).toBeUndefined();
});

test('after a rejoin the last leg counts', () => {
  const own = 'client:ann_40example_2Ecom';
  expect(ownLeg(conference([call('1'), own], [call('2'), own]), ann)).toBe(call('2'));
});

test('a call is asked for by its SID', () => {
  const live = conference([call('1'), '+14155550142']);
  expect(hasLeg(live, call('1'))).toBe(true);
  expect(hasLeg(live, call('2'))).toBe(false);
});
