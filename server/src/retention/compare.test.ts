import { comparePolicies, differenceFromUnreadable, isShorter } from './compare.ts';
import { noPolicy, readPolicy } from './policy.ts';

const RE = (n: number) => `RE${`${n}`.repeat(32)}`;
const WT = (n: number) => `WT${`${n}`.repeat(32)}`;
const policy = (text: string) => readPolicy(`version: 1\n${text}`);
const holding = (...holds: string[]) => policy(`holds: [${holds.map((hold) => `{${hold}}`).join(', ')}]`);
const weaker = (before: string, after: string) => comparePolicies(policy(before), policy(after)).weaker;

describe('holds', () => {
  const old = `id: a, recordings: [${RE(1)}, ${RE(2)}], tasks: [${WT(1)}], callers: ["+49 30 123456"], from: 2026-02-01, until: 2026-02-28`;

  test.each([
    ['the same', old],
    ['another reason', `${old}, reason: letter`],
    ['one recording more', old.replace(RE(2), `${RE(2)}, ${RE(3)}`)],
    ['one caller more', old.replace('"+49', '"+14155550142", "+49')],
    ['more days', old.replace('02-28', '03-01')],
    ['days without an end', old.replace(', until: 2026-02-28', '')],
  ])('%s is no weaker', (_what, now) => {
    const { holds, weaker } = comparePolicies(holding(old), holding(now));
    expect(weaker).toEqual([]);
    expect(holds).toMatchObject({ come: [], gone: [], narrower: [] });
  });

  test.each([
    ['a recording less', old.replace(`, ${RE(2)}`, ''), '1 of its 2 recordings'],
    ['another recording', old.replace(RE(2), RE(3)), '1 of its 2 recordings'],
    ['no task', old.replace(`, tasks: [${WT(1)}]`, ''), '1 of its 1 tasks'],
    ['another caller', old.replace('123456', '123457'), '1 of its 1 callers, as they are written'],
    ['a day less at the end', old.replace('02-28', '02-27'), 'some of its days'],
    ['a day less at the beginning', old.replace('02-01', '02-02'), 'some of its days'],
    ['no days', old.replace(', from: 2026-02-01, until: 2026-02-28', ''), 'some of its days'],
  ])('%s is weaker', (_what, now, loses) => {
    const { holds, weaker } = comparePolicies(holding(old), holding(now));
    expect(holds.narrower).toEqual([{ id: 'a', loses }]);
    expect(weaker).toEqual([`hold a loses ${loses}`]);
  });

  test('ids that come, go, or name more', () => {
    const { holds, weaker } = comparePolicies(
      holding('id: a, from: 2026-01-01', 'id: b, until: 2026-01-01'),
      holding('id: c, from: 2020-01-01', 'id: b, until: 2026-01-02'),
    );
    expect(holds).toEqual({ come: ['c'], gone: ['a'], narrower: [], wider: ['b'] });
    expect(weaker).toEqual(['hold a is gone']);
  });

  test('another way of writing a number may hold fewer of those that earlier releases noted', () => {
    const { weaker } = comparePolicies(
      holding('id: a, callers: ["+49 (0)30 123456"]'),
      holding('id: a, callers: ["+4930123456"]'),
    );
    expect(weaker).toHaveLength(1);
    expect(weaker[0]).not.toContain('30');
    const both = holding('id: a, callers: ["+4930123456", "+49 (0)30 123456"]');
    expect(comparePolicies(holding('id: a, callers: ["+49 (0)30 123456"]'), both).weaker).toEqual([]);
    const blanks = holding('id: a, callers: ["+49 30 12 34 56"]');
    expect(comparePolicies(holding('id: a, callers: ["+4930123456"]'), blanks).weaker).toEqual([]);
  });
});

describe('periods', () => {
  test('a first policy is weaker than none where it lets recordings go', () => {
    expect(comparePolicies(noPolicy, policy('keep: {default: 30}')).weaker).toEqual([
      'all calls: kept for 30 days instead of for ever',
    ]);
    expect(comparePolicies(noPolicy, policy('keep: {default: forever}')).weaker).toEqual([]);
  });

  test('longer is no weaker', () => {
    const { periods, weaker } = comparePolicies(policy('keep: {default: 30}'), policy('keep: {default: 40}'));
    expect(periods).toEqual([{ calls: 'all', before: 30, after: 40 }]);
    expect(weaker).toEqual([]);
  });

  test('a rule that goes says whom it leaves, and which queue no rule names any more', () => {
    const { periods, queuesDropped } = comparePolicies(
      policy('keep: {default: 30, rules: [{queue: Sales, direction: inbound, days: 90}]}'),
      policy('keep: {default: 30}'),
    );
    expect(periods).toEqual([
      { calls: 'inbound in Sales', before: 90, after: 30 },
      { calls: 'of unknown direction in Sales', before: 90, after: 30 },
      { calls: 'inbound in an unknown queue', before: 90, after: 30 },
      { calls: 'of unknown direction in an unknown queue', before: 90, after: 30 },
    ]);
    expect(queuesDropped).toEqual(['Sales']);
  });

  test('what a rule in front takes away is seen, though every rule is still there', () => {
    expect(
      weaker(
        'keep: {rules: [{queue: Sales, days: forever}]}',
        'keep: {rules: [{direction: internal, days: 1}, {queue: Sales, days: forever}]}',
      ),
    ).toEqual([
      'calls internal in Sales: kept for 1 days instead of for ever',
      'calls internal in other queues: kept for 1 days instead of for ever',
      'calls internal in an unknown queue: kept for 1 days instead of for ever',
    ]);
  });

  test('other words for the same are the same', () => {
    expect(
      comparePolicies(
        policy('keep: {default: 30, rules: [{queue: [Sales, Legal], days: 90}]}'),
        policy('keep: {default: 30, rules: [{queue: "LEGAL ", days: 90}, {queue: sales, days: 90}]}'),
      ),
    ).toMatchObject({ periods: [], queuesDropped: [], weaker: [] });
  });

  test('a period that only unknown calls feel counts, too', () => {
    expect(
      weaker(
        'keep: {default: 9, rules: [{queue: Sales, days: 5}, {queue: Sales, days: forever}]}',
        'keep: {default: 9, rules: [{queue: Sales, days: 5}]}',
      ),
    ).toEqual(['calls in an unknown queue: kept for 9 days instead of for ever']);
  });
});

test('nothing is known of a policy that cannot be read: another is always weaker', () => {
  expect(differenceFromUnreadable(holding('id: a, from: 2026-01-01')).weaker).toHaveLength(1);
});

test('for ever is the longest', () => {
  expect([isShorter(5, 'forever'), isShorter('forever', 5), isShorter('forever', 'forever')]).toEqual([
    true,
    false,
    false,
  ]);
  expect([isShorter(4, 5), isShorter(5, 5), isShorter(6, 5)]).toEqual([true, false, false]);
});
