import type { RecordingSid, TaskSid } from '@flex-custody/core';
import { callerDigests, callFacts } from './caller.ts';
import { daysOf, fewestDays, holdsOn, keptUntil } from './decide.ts';
import { readPolicy } from './policy.ts';

const RE = (n: number) => `RE${`${n}`.repeat(32)}` as RecordingSid;
const WT = (n: number) => `WT${`${n}`.repeat(32)}` as TaskSid;
const digest = callerDigests(Buffer.alloc(32, 5).toString('base64'));
const caller = digest?.('+4930123456') ?? '';
const row = {
  recordingSid: RE(1),
  taskSid: WT(1),
  hints: {},
  caller,
  startedAt: new Date('2026-03-15T12:00:00Z'),
  queue: 'Sales',
  direction: 'inbound',
  state: 'verified',
} as const;
const without = (...names: (keyof typeof row)[]) =>
  Object.fromEntries(
    Object.entries(row).filter(([name]) => !names.includes(name as never)),
  ) as unknown as typeof row;
const holding = (hold: string) => readPolicy(`version: 1\nholds: [{id: h, ${hold}}]`);
const isHeld = (hold: string, of = row, by = digest) => holdsOn(holding(hold), of, by).length > 0;

describe('a hold', () => {
  test.each([
    ['by its recording', `recordings: [${RE(1)}]`],
    ['by its task', `tasks: [${WT(2)}, ${WT(1)}]`],
    ['by its caller, however the number is written', 'callers: ["+49 (30) 123-456"]'],
    ['by the day of the call', 'from: 2026-03-15, until: 2026-03-15'],
    ['by days without an end', 'from: 2026-01-01'],
    ['by days without a beginning', 'until: 2026-12-31'],
    ['by one of several', `recordings: [${RE(2)}], callers: ["+4930123456"]`],
  ])('%s', (_how, hold) => {
    expect(isHeld(hold)).toBe(true);
  });

  test.each([
    ['another recording', `recordings: [${RE(2)}]`],
    ['another task', `tasks: [${WT(2)}]`],
    ['another caller', 'callers: ["+49301234567"]'],
    ['the day before', 'until: 2026-03-14'],
    ['the day after', 'from: 2026-03-16'],
  ])('of %s is none', (_what, hold) => {
    expect(isHeld(hold)).toBe(false);
  });

  test('what cannot be told is held: it could be the one', () => {
    expect(isHeld(`tasks: [${WT(2)}]`, without('taskSid'))).toBe(true);
    expect(isHeld('callers: ["+15550100"]', without('caller'))).toBe(true);
    expect(holdsOn(holding('callers: ["+15550100"]'), row, undefined)).toEqual(['h']);
    expect(isHeld(`recordings: [${RE(2)}]`, without('taskSid', 'caller'))).toBe(false);
  });

  test('a browser can put a recording under a hold, and never take it out', () => {
    expect(isHeld(`tasks: [${WT(2)}]`, { ...row, hints: { taskSid: WT(2) } } as never)).toBe(true);
    expect(isHeld(`tasks: [${WT(1)}]`, { ...row, hints: { taskSid: WT(2) } } as never)).toBe(true);
  });

  test('all of them are named', () => {
    const policy = readPolicy(
      `version: 1\nholds: [{id: a, from: 2026-01-01}, {id: b, until: 2025-01-01}, {id: c, recordings: [${RE(1)}]}]`,
    );
    expect(holdsOn(policy, row, digest)).toEqual(['a', 'c']);
  });
});

describe('how long it is kept', () => {
  const policy = readPolicy(`
version: 1
keep:
  default: 400
  rules:
    - {queue: Sales, direction: outbound, days: 30}
    - {queue: Sales, days: 90}
    - {direction: internal, days: 10}
    - {queue: Legal, days: forever}
`);
  test.each([
    ['the first rule that fits', { queue: 'Sales', direction: 'outbound' }, 30],
    ['another queue rule', { queue: 'Sales', direction: 'inbound' }, 90],
    ['by direction alone', { queue: 'Support', direction: 'internal' }, 10],
    ['what is kept for ever', { queue: 'Legal', direction: 'inbound' }, 'forever'],
    ['no rule', { queue: 'Support', direction: 'inbound' }, 400],
    ['of an unknown direction, the longest of what may fit', { queue: 'Sales' }, 90],
    ['of an unknown queue likewise', { direction: 'inbound' }, 'forever'],
    ['of nothing known likewise', {}, 'forever'],
  ] as const)('%s', (_what, facts, days) => {
    expect(daysOf(policy, facts)).toBe(days);
  });

  test('from the start of the call', () => {
    expect(keptUntil(policy, row)).toEqual(new Date('2026-06-13T12:00:00Z'));
    expect(keptUntil(policy, { ...row, queue: 'Legal' } as never)).toBeUndefined();
  });

  test('what is younger than the shortest need not be looked at', () => {
    expect(fewestDays(policy)).toBe(10);
    expect(fewestDays(readPolicy('version: 1'))).toBeUndefined();
  });
});

describe('what a task tells', () => {
  const attributes = { direction: 'inbound', from: '+49 30 123456', to: '+15550199' };
  test('of an inbound call: who called', () => {
    expect(callFacts({ queue: 'Sales', attributes }, digest)).toEqual({
      queue: 'Sales',
      direction: 'inbound',
      caller,
    });
  });
  test('of an outbound call: who was called', () => {
    const facts = { attributes: { direction: 'outbound', from: '+15550199', outbound_to: '+4930123456' } };
    expect(callFacts(facts, digest)).toEqual({ direction: 'outbound', caller });
  });
  test.each([[{}], [{ direction: 'sideways', from: 7 }], [{ from: '' }]])('of %p nothing', (of) => {
    expect(callFacts({ attributes: of }, digest)).toEqual({});
  });
  test('without a secret no caller is written down', () => {
    expect(callFacts({ attributes }, undefined)).toEqual({ direction: 'inbound' });
  });
  test('a digest says nothing of the number, and another secret another', () => {
    expect(caller).not.toContain('4930');
    expect(callerDigests(Buffer.alloc(32, 6).toString('base64'))?.('+4930123456')).not.toBe(caller);
  });
});
