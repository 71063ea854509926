import { type CallFacts, type RecordingRule, recordingVerdict } from './recording-rules.ts';

const facts: CallFacts = {
  queues: ['WQ1', 'Sales'],
  workers: ['WK1', 'ann'],
  direction: 'inbound',
  attributes: { customers: { tier: 'gold' }, priority: 3, private: true },
};

test.each<[string, Omit<RecordingRule, 'verdict'>, boolean]>([
  ['nothing stated', {}, true],
  ['its queue by name', { queue: 'Sales' }, true],
  ['its queue by SID', { queue: 'WQ1' }, true],
  ['another queue', { queue: 'Support' }, false],
  ['its worker', { worker: 'ann' }, true],
  ['another worker', { worker: 'bob' }, false],
  ['its direction', { direction: 'inbound' }, true],
  ['another direction', { direction: 'outbound' }, false],
  ['an attribute by a path', { attribute: { path: 'customers.tier', equals: 'gold' } }, true],
  ['an attribute of another value', { attribute: { path: 'customers.tier', equals: 'silver' } }, false],
  ['an attribute that is missing', { attribute: { path: 'customers.name.first', equals: '' } }, false],
  ['a number as text', { attribute: { path: 'priority', equals: '3' } }, true],
  ['a truth value as text', { attribute: { path: 'private', equals: 'true' } }, true],
  ['an object is no text', { attribute: { path: 'customers', equals: '[object Object]' } }, false],
  ['all that it states', { queue: 'Sales', worker: 'ann', direction: 'inbound' }, true],
  ['all but one', { queue: 'Sales', worker: 'bob', direction: 'inbound' }, false],
])('a rule with %s', (_, conditions, fits) => {
  const rules: RecordingRule[] = [{ ...conditions, verdict: 'never' }];
  expect(recordingVerdict(rules, 'record', facts)).toBe(fits ? 'never' : 'record');
});

test('the first rule that fits decides', () => {
  const rules: RecordingRule[] = [
    { queue: 'Support', verdict: 'never' },
    { queue: 'Sales', verdict: 'on-demand' },
    { verdict: 'never' },
  ];
  expect(recordingVerdict(rules, 'record', facts)).toBe('on-demand');
});
