import type { Call } from '../state/call';
import { call, settings } from '../testing';
import { planFor } from './plan';

const legAt = (start: 'accept' | 'join') => ({ record: true, leg: true, conference: false, start });
const not = (reason: string) => ({ record: false, reason });
const started = { flex_custody: { started: 1 } };
const caller: Partial<Call> = { direction: 'internal', caller: true };
const callee: Partial<Call> = { direction: 'internal' };

test.each<[string, object, boolean, Partial<Call>, object]>([
  ['an inbound call: the leg, with the acceptance', {}, false, {}, legAt('accept')],
  ["Flex's own switch changes nothing in mode ours", {}, true, {}, legAt('accept')],
  [
    'a transferred call: its own leg, with its own acceptance',
    {},
    false,
    { transferred: true },
    legAt('accept'),
  ],
  ['an outbound call: once the leg has joined', {}, false, { direction: 'outbound' }, legAt('join')],
  [
    'an outbound call that was transferred: with the acceptance',
    {},
    false,
    { direction: 'outbound', transferred: true },
    legAt('accept'),
  ],
  ['a call between agents: nothing, for the caller', {}, false, caller, not('internal-call')],
  ['a call between agents: nothing, for the called', {}, false, callee, not('internal-call')],
  ["internal: the caller's leg", { internal: true }, false, caller, legAt('join')],
  [
    "internal: the called one's call is recorded on the caller's leg",
    { internal: true },
    false,
    callee,
    { record: true, leg: false, conference: false, start: 'accept' },
  ],
  [
    "theirs: Flex's conference alone",
    { mode: 'theirs' },
    true,
    {},
    { record: true, leg: false, conference: true, start: 'accept' },
  ],
  ["theirs, and Flex's switch is off", { mode: 'theirs' }, false, {}, not('flex-recording-off')],
  ['both', { mode: 'both' }, true, {}, { record: true, leg: true, conference: true, start: 'accept' }],
  ["both, and Flex's switch is off: ours alone", { mode: 'both' }, false, {}, legAt('accept')],
  ['by default on demand', { default: 'on-demand' }, false, {}, not('on-demand')],
  ['on demand, and asked for', { default: 'on-demand' }, false, { attributes: started }, legAt('accept')],
  [
    'on demand, asked for, and transferred: recording goes on',
    { default: 'on-demand', mode: 'theirs' },
    true,
    { attributes: started, transferred: true },
    legAt('accept'),
  ],
  [
    'internal, on demand and asked for: the called one records nothing of its own',
    { default: 'on-demand', internal: true },
    false,
    { ...callee, attributes: started },
    { record: true, leg: false, conference: false, start: 'accept' },
  ],
  ['a queue by name', { rules: [{ queue: 'Everyone', verdict: 'never' }] }, true, {}, not('rule')],
  [
    'a worker by name',
    { rules: [{ worker: 'agent@example.com', verdict: 'on-demand' }] },
    false,
    {},
    not('on-demand'),
  ],
  [
    'a direction',
    { rules: [{ direction: 'outbound', verdict: 'never' }] },
    false,
    { direction: 'outbound' },
    not('rule'),
  ],
  [
    'an attribute: the first rule that fits',
    {
      rules: [
        { attribute: { path: 'customer.vip', equals: 'true' }, verdict: 'record' },
        { queue: 'Everyone', verdict: 'never' },
      ],
    },
    false,
    { attributes: { customer: { vip: true } } },
    legAt('accept'),
  ],
])('%s', (_what, recording, flexRecords, more, plan) => {
  expect(planFor(settings({ ...recording }), flexRecords, call(more))).toEqual(plan);
});

test('without a URL of the Functions nothing can be recorded, whatever else is set', () => {
  for (const functions_url of [undefined, 'http://functions.example']) {
    expect(planFor(settings({}, { functions_url }), true, call())).toEqual(not('settings-invalid'));
  }
});
