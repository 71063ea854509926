import { comparePolicies, differenceFromUnreadable } from '../retention/compare.ts';
import { noEffect } from '../retention/effect.ts';
import { noPolicy, readPolicy } from '../retention/policy.ts';
import { changeText, textOf } from './policy-text.ts';

test('a policy in words, and never with a number or a reason in them', () => {
  const text = textOf(
    readPolicy(`
version: 1
keep: {default: 400, rules: [{queue: [Sales, Support], direction: inbound, days: 90}, {queue: Legal, days: forever}]}
holds: [{id: case, reason: secret, callers: ["+4930123456"], from: 2026-01-01, until: 2026-03-31}, {id: open, until: 2026-01-01}]
`),
  );
  expect(text.split('\n')).toEqual([
    'Calls inbound in Sales or Support are kept for 90 days.',
    'Calls in Legal are kept for ever.',
    'All others are kept for 400 days.',
    'Hold case: callers +4930123456, calls of 2026-01-01 to 2026-03-31.',
    'Hold open: calls of any day to 2026-01-01.',
  ]);
});

test('a change in words: what comes, what is longer, and apart from it what is less', () => {
  const before = readPolicy(
    'version: 1\nkeep: {default: 9, rules: [{queue: Sales, days: 90}]}\nholds: [{id: a, from: 2026-01-01}]',
  );
  const after = readPolicy('version: 1\nkeep: {default: 30}\nholds: [{id: b, callers: ["+4930123456"]}]');
  const effect = { ...noEffect(), looked: 12, held: { count: 11, first: [] } };
  expect(changeText(comparePolicies(before, after), effect).split('\n')).toEqual([
    'New holds: b',
    'More is kept:',
    '  calls in other queues: kept for 30 days instead of for 9 days',
    'Less is held or kept:',
    '  hold a is gone',
    '  calls in Sales: kept for 30 days instead of for 90 days',
    '  calls in an unknown queue: kept for 30 days instead of for 90 days',
    'No rule names these queues any more (were they renamed in TaskRouter?): Sales',
    'Of 12 recordings:',
    '  kept longer       0',
    '  kept shorter      0',
    '  no longer held    0',
    '  newly held        11:  …',
    '  to be erased now  0',
  ]);
  expect(changeText(differenceFromUnreadable(noPolicy), noEffect())).toContain(
    'cannot read the policy in force',
  );
  expect(changeText(comparePolicies(before, before), noEffect())).toContain('No hold and no period changes.');
});
