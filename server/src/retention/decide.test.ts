import { createHmac } from 'node:crypto';
import type { RecordingSid, TaskSid } from '@flex-custody/core';
import { callerDigests } from './caller.ts';
import { daysOf, holdsOn, keptUntil } from './decide.ts';
import { readPolicy } from './policy.ts';

const RE = (n: number) => `RE${`${n}`.repeat(32)}` as RecordingSid;
const WT = (n: number) => `WT${`${n}`.repeat(32)}` as TaskSid;
const digest = callerDigests(Buffer.alloc(32, 5).toString('base64'));
/** As releases before this one made them. */
const legacy = (number: string) => `${digest?.keyId}:${bare(number)}`;
const bare = (number: string) =>
  createHmac('sha256', Buffer.alloc(32, 5))
    .update(`caller ${number.replace(/[\s()./-]/g, '')}`)
    .digest('base64url');
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
  unproven: [],
  hintedCallers: [],
} as const;
const without = (...names: (keyof typeof row)[]) =>
  Object.fromEntries(
    Object.entries(row).filter(([name]) => !names.includes(name as never)),
  ) as unknown as typeof row;
const holding = (hold: string) => readPolicy(`version: 1\nholds: [{id: h, ${hold}}]`);
const isHeld = (hold: string, of = row, by = digest) => holdsOn(holding(hold), of, by).length > 0;

test.each(['Ru\u0308ckfragen', 'RÜCKFRAGEN', ' Rückfragen ', 'R\u00fcckfragen\u00a0'])(
  'a rule fits the queue however either is written: %j',
  (queue) => {
    const policy = (name: string) =>
      readPolicy(`version: 1\nkeep: {default: 30, rules: [{queue: "${name}", days: forever}]}`);
    expect(daysOf(policy('Rückfragen'), { queue })).toBe('forever');
    expect(daysOf(policy(queue), { queue: 'Rückfragen' })).toBe('forever');
    expect(daysOf(policy(queue), { queue: 'Ruckfragen' })).toBe(30);
  },
);

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
    expect(isHeld('callers: ["+14155550100"]', without('caller'))).toBe(true);
    expect(holdsOn(holding('callers: ["+14155550100"]'), row, undefined)).toEqual(['h']);
    expect(isHeld(`recordings: [${RE(2)}]`, without('taskSid', 'caller'))).toBe(false);
  });

  test('a browser can put a recording under a hold, and never take it out', () => {
    expect(isHeld(`tasks: [${WT(2)}]`, { ...row, hints: { taskSid: WT(2) } } as never)).toBe(true);
    expect(isHeld(`tasks: [${WT(1)}]`, { ...row, hints: { taskSid: WT(2) } } as never)).toBe(true);
  });

  test.each([
    ['its task', `tasks: [${WT(2)}]`, 'owner'],
    ['its caller', 'callers: ["+14155550100"]', 'caller'],
    ['its start', 'until: 2026-03-14', 'start'],
  ])('%s that nobody has proven is not known', (_what, hold, fact) => {
    expect(isHeld(hold)).toBe(false);
    expect(isHeld(hold, { ...row, unproven: [fact] } as never)).toBe(true);
  });

  test('a number that only attributes name can put a recording under a hold, and never take it out', () => {
    const hinted = { ...row, hintedCallers: [digest?.('+14155550100')] } as never;
    expect(isHeld('callers: ["+1 415 555 0100"]', hinted)).toBe(true);
    expect(isHeld('callers: ["+4930123456"]', hinted)).toBe(true);
    expect(isHeld('callers: ["+14155550101"]', hinted)).toBe(false);
  });

  test.each([
    ['+49 (0)30 123456', '+4930123456'],
    ['+49 30 123456', '004930123456'],
    ['+49 30 123456', '4930123456'],
    ['+49 30 123456', '+49 (30) 123-456'],
  ])('%s finds a digest that an earlier release made of %s', (held, before) => {
    expect(isHeld(`callers: ["${held}"]`, { ...row, caller: legacy(before) } as never)).toBe(true);
  });

  describe('that names callers is on what another secret noted, or none that is known', () => {
    const another = callerDigests(Buffer.alloc(32, 6).toString('base64'));
    test.each([
      ['the caller', { caller: another?.('+4930123456') }],
      ['the caller, by an earlier release', { caller: bare('+4930123456') }],
      ['a number of the attributes', { hintedCallers: [another?.('+4930123456')] }],
    ])('%s', (_what, noted) => {
      const of = { ...row, ...noted } as never;
      expect(isHeld('callers: ["+14155550101"]', of)).toBe(true);
      expect(isHeld(`recordings: [${RE(2)}]`, of)).toBe(false);
    });
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

  test('a direction that nobody has proven is not known', () => {
    const of = { queue: 'Support', direction: 'internal', unproven: ['direction'] } as const;
    expect(daysOf(policy, of)).toBe(400);
  });

  test('from the start of the call', () => {
    expect(keptUntil(policy, row)).toEqual(new Date('2026-06-13T12:00:00Z'));
    expect(keptUntil(policy, { ...row, queue: 'Legal' } as never)).toBeUndefined();
  });
});
