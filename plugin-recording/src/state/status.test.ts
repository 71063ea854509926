import type { Plan } from '../actions/plan';
import { call, sid } from '../testing';
import type { Call } from './call';
import type { CallState } from './call-states';
import { controlsOf, statusOf } from './status';

const plan = (start: 'accept' | 'join' = 'accept'): Plan => ({
  record: true,
  leg: true,
  conference: false,
  start,
});
const theirs: Plan = { record: true, leg: false, conference: true, start: 'accept' };
const another: Plan = { record: true, leg: false, conference: false, start: 'accept' };
const rule: Plan = { record: false, reason: 'rule' };
const paused = { flex_custody: { paused: { since: 5, by: sid('WK') } } };
const watched: Partial<Call> = { own: false, joined: false };

test.each<[string, Plan, Partial<Call>, CallState, object | undefined]>([
  ['before it is accepted', plan(), { live: false }, {}, undefined],
  ['accepted, not yet connected', plan(), { joined: false }, {}, { kind: 'starting' }],
  ['connected, and asked for', plan(), {}, { accepted: true }, { kind: 'starting' }],
  ['connected, and confirmed', plan(), {}, { confirmed: true }, { kind: 'recording' }],
  ['confirmed before the page was loaded', plan(), {}, { started: true }, { kind: 'starting' }],
  ['outbound, not yet started', plan('join'), {}, {}, { kind: 'starting' }],
  ['outbound, started', plan('join'), {}, { confirmed: true }, { kind: 'recording' }],
  [
    'outbound, started by the word of the task',
    plan('join'),
    { attributes: { flex_custody: { started: 1 } } },
    {},
    { kind: 'starting' },
  ],
  ['the conference, by Flex', theirs, {}, {}, { kind: 'starting' }],
  ["another agent's leg", another, {}, {}, { kind: 'recording' }],
  ["another agent's leg, not connected", another, { joined: false }, {}, { kind: 'starting' }],
  ['by rule', rule, {}, {}, { kind: 'not-recorded', reason: 'rule' }],
  ['by rule, but started', rule, {}, { started: true, confirmed: true }, { kind: 'recording' }],
  ['by rule, but started before a refresh', rule, {}, { started: true }, { kind: 'starting' }],
  ['being started', rule, {}, { busy: 'start' }, { kind: 'starting' }],
  ['failed', plan(), {}, { failure: 'unexpected' }, { kind: 'not-recorded', reason: 'unexpected' }],
  ['failed, tried again', plan(), {}, { failure: 'unexpected', busy: 'start' }, { kind: 'starting' }],
  ['paused', plan(), { attributes: paused }, {}, { kind: 'paused', since: 5 }],
  [
    'paused, and nothing of it recorded',
    rule,
    { attributes: paused },
    {},
    { kind: 'not-recorded', reason: 'rule' },
  ],
  ['a supervisor looks on', plan(), watched, {}, { kind: 'recording' }],
  [
    'a supervisor looks on, paused',
    plan(),
    { ...watched, attributes: paused },
    {},
    { kind: 'paused', since: 5 },
  ],
  ['a supervisor looks on, outbound', plan('join'), watched, {}, { kind: 'recording' }],
])('%s', (_what, of, more, state, status) => {
  expect(statusOf(of, call(more), state, 10, 0)).toEqual(status);
});

const none = { start: false, pause: false, resume: false };

test.each<[string, Parameters<typeof controlsOf>, object]>([
  ['recording', [{ kind: 'recording' }, call(), true], { ...none, pause: true }],
  ['about to record', [{ kind: 'starting' }, call(), true], { ...none, pause: true }],
  ['about to record, not connected', [{ kind: 'starting' }, call({ joined: false }), true], none],
  ['recording, pausing is off', [{ kind: 'recording' }, call(), false], none],
  ['paused', [{ kind: 'paused', since: 1 }, call(), true], { ...none, resume: true }],
  [
    'paused, and pausing turned off since',
    [{ kind: 'paused', since: 1 }, call(), false],
    { ...none, resume: true },
  ],
  ['on demand', [{ kind: 'not-recorded', reason: 'on-demand' }, call(), true], { ...none, start: true }],
  ['failed', [{ kind: 'not-recorded', reason: 'start-failed' }, call(), true], { ...none, start: true }],
  ['by rule', [{ kind: 'not-recorded', reason: 'rule' }, call(), true], none],
  ['a supervisor', [{ kind: 'recording' }, call({ own: false }), true], none],
  ['not yet connected', [{ kind: 'not-recorded', reason: 'on-demand' }, call({ joined: false }), true], none],
  ['no status', [undefined, call(), true], none],
])('controls: %s', (_what, given, controls) => {
  expect(controlsOf(...given)).toEqual(controls);
});
