import type { RecordingSid } from '@flex-custody/core';
import type { PolicyApplication, PolicyComparison } from '../http/operators/policies.ts';
import { comparePolicies } from '../retention/compare.ts';
import { noEffect, type PolicyEffect } from '../retention/effect.ts';
import { noPolicy, readPolicy } from '../retention/policy.ts';
import { type ApplyFlags, applyPolicy, whoami } from './policy-apply.ts';

const RE = (n: number) => `RE${String(n).padStart(32, '0')}` as RecordingSid;
const stronger = 'version: 1\nholds: [{id: a, from: 2026-01-01}]';
const weaker = 'version: 1\nkeep: {default: 30}';
let said: string[];
let noted: string[];
let applied: PolicyApplication[];

const page = (text: string, more: Partial<PolicyComparison> = {}): PolicyComparison => ({
  over: 7,
  isInForce: false,
  difference: comparePolicies(noPolicy, readPolicy(text)),
  effect: noEffect(),
  ...more,
});
const effect = (more: Partial<PolicyEffect>): PolicyEffect => ({ ...noEffect(), looked: 1, ...more });
const go = (text: string, flags: ApplyFlags, pages: PolicyComparison[] = [page(text)]) => {
  const left = [...pages];
  const api = {
    comparePolicy: async () => left.shift() as PolicyComparison,
    applyPolicy: async (application: PolicyApplication) => {
      applied.push(application);
      return {} as never;
    },
  };
  const print = (line: string) => void said.push(line);
  const note = (line: string) => void noted.push(line);
  return applyPolicy({ api, text, file: 'p.yaml', print, note }, flags);
};
beforeEach(() => {
  said = [];
  noted = [];
  applied = [];
});

test('one that is no weaker is applied, over what it was compared with, by whoever runs it', async () => {
  expect(await go(stronger, {})).toBe(true);
  expect(applied).toEqual([{ text: stronger, by: whoami(), over: 7, weaker: false }]);
  expect(said.join('\n')).toContain('New holds: a');
});

test('a weaker one changes nothing, and says what to type; with --yes it is applied', async () => {
  expect(await go(weaker, {})).toBe(false);
  expect(applied).toEqual([]);
  expect(said.join('\n')).toContain('all calls: kept for 30 days instead of for ever');
  expect(noted).toEqual([expect.stringContaining('flex-custody policy apply p.yaml --yes')]);
  expect(await go(weaker, { yes: true, by: 'me' })).toBe(true);
  expect(applied).toMatchObject([{ by: 'me', weaker: true }]);
});

test.each(['shorter', 'released'] as const)('one by which a recording is %s is weaker, too', async (what) => {
  const pages = [page(stronger, { effect: effect({ [what]: { count: 1, first: [RE(1)] } }) })];
  expect(await go(stronger, {}, pages)).toBe(false);
  expect(applied).toEqual([]);
});

test('pages add up; another policy in between ends it', async () => {
  const held = (n: number) => effect({ held: { count: 1, first: [RE(n)] } });
  const pages = [page(stronger, { effect: held(1), next: RE(1) }), page(stronger, { effect: held(2) })];
  await go(stronger, { dryRun: true }, pages);
  expect(said.join('\n')).toContain(`newly held        2: ${RE(1)} ${RE(2)}`);
  const changed = [pages[0] as PolicyComparison, page(stronger, { over: 8 })];
  await expect(go(stronger, { yes: true }, changed)).rejects.toMatchObject({ code: 'policy_changed' });
  expect(applied).toEqual([]);
});

test('a dry run, and what is in force already, change nothing and are no failure', async () => {
  expect(await go(weaker, { dryRun: true, yes: true })).toBe(true);
  expect(said.at(-1)).toBe('Dry run: nothing changed.');
  expect(await go(weaker, {}, [page(weaker, { isInForce: true })])).toBe(true);
  expect(said.at(-1)).toBe('This policy is in force already.');
  expect(applied).toEqual([]);
});

test('--json is one value, also where nothing was changed', async () => {
  expect(await go(weaker, { json: true })).toBe(false);
  expect(said).toHaveLength(1);
  expect(JSON.parse(said[0] ?? '')).toMatchObject({
    applied: false,
    isWeaker: true,
    weaker: [expect.stringContaining('30 days')],
    effect: { looked: 0 },
  });
});
