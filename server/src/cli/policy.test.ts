import { readPolicy } from '../retention/policy.ts';
import { textOf } from './policy.ts';

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
