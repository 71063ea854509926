import { readFileSync } from 'node:fs';
import type { WorkerSid } from '@flex-custody/core';
import { asWorkerSid, unprovenFacts } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';
import {
  type AccessSettings,
  type Action,
  type Decision,
  may,
  mayPlayEverything,
  type Owned,
  rights,
} from './may.ts';

const me = asWorkerSid(`WK${'1'.repeat(32)}`) as WorkerSid;
const other = asWorkerSid(`WK${'2'.repeat(32)}`) as WorkerSid;

const plays = [
  'wfo.full_access',
  'wfo.team_leader',
  'wfo.data_analyst',
  'wfo.data_auditor',
  'wfo.quality_manager',
  'wfo.dashboard_viewer',
];
const mute = 'wfo.quality_process_manager';

type Verdict = 'all' | 'own' | 'none';
const table: [roles: string[], verdict: Verdict][] = [
  [[], 'none'],
  [['agent'], 'own'],
  [['supervisor'], 'all'],
  [['admin'], 'all'],
  [['agent', 'supervisor'], 'all'],
  [['agent', 'admin'], 'all'],
  [['supervisor', mute], 'none'],
  [['admin', mute], 'none'],
  [['agent', 'supervisor', mute], 'none'],
  [[mute], 'none'],
  [['agent', mute], 'own'],
  [[mute, 'wfo.team_leader'], 'all'],
  [['supervisor', mute, 'wfo.team_leader'], 'all'],
  [['supervisor', 'wfo.invented'], 'none'],
  [['wfo.invented'], 'none'],
  [['wfo.'], 'none'],
  [['Admin'], 'none'],
  [['administrator'], 'none'],
  [['auditor'], 'none'],
  [['auditor', 'agent'], 'own'],
  [['auditor', 'supervisor'], 'all'],
  [['auditor', 'admin'], 'all'],
  [['auditor', 'wfo.team_leader'], 'all'],
  [['auditor', mute], 'none'],
  [['flex.user'], 'none'],
  [['flex.user', 'agent'], 'own'],
  ...plays.flatMap((role): [string[], Verdict][] => [
    [[role], 'all'],
    [['supervisor', role], 'all'],
    [['admin', role], 'all'],
    // An agent with an Insights role is still an agent: Insights is closed to agents.
    [['agent', role], 'own'],
  ]),
];

const owners = [
  ['own call', me, me],
  ['a colleague’s call', me, other],
  ['a call without proven owner', me, undefined],
  ['own call of nobody: neither side has a worker', undefined, undefined],
  ['a viewer without worker', undefined, other],
] as const;

describe.each(table)('roles %j', (roles, verdict) => {
  for (const agentsMayPlayOwn of [false, true]) {
    for (const [name, workerSid, owner] of owners) {
      const own = workerSid !== undefined && workerSid === owner;
      const expected = verdict === 'all' || (verdict === 'own' && agentsMayPlayOwn && own);
      test(`${name}, agents may play own: ${agentsMayPlayOwn} → ${expected ? 'plays' : 'denied'}`, () => {
        const viewer = { identity: 'someone', roles, ...(workerSid ? { workerSid } : {}) };
        const recording = owner ? { workerSid: owner } : {};
        expect(may(viewer, 'play', recording, { agentsMayPlayOwn }).allowed).toBe(expected);
      });
    }
  }

  test(`may ${verdict === 'all' ? '' : 'not '}learn that a recording does not exist`, () => {
    expect(mayPlayEverything({ identity: 'someone', roles })).toBe(verdict === 'all');
  });
});

test('the reason says which rule spoke', () => {
  const agent = { identity: 'a', workerSid: me, roles: ['agent'] };
  const open = { agentsMayPlayOwn: true };
  expect(may(agent, 'play', { workerSid: me }, open).reason).toBe('own-call');
  expect(may(agent, 'play', { workerSid: other }, open).reason).toBe('not-own-call');
  // While anything about it rests on somebody's word alone, it is nobody's own call.
  for (const fact of unprovenFacts)
    expect(may(agent, 'play', { workerSid: me, unproven: [fact] }, open).reason).toBe('not-own-call');
  expect(may(agent, 'play', { workerSid: me }, { agentsMayPlayOwn: false }).reason).toBe('agents-may-not');
  expect(may({ ...agent, roles: ['supervisor'] }, 'play', {}, open).reason).toBe('insights-role');
  expect(may({ ...agent, roles: [mute] }, 'play', {}, open).reason).toBe('role-does-not-play');
  expect(may({ ...agent, roles: [] }, 'play', {}, open).reason).toBe('no-playing-role');
});

type FlexRole =
  | (typeof rights)[Action]['all'][number]
  | Extract<(typeof rights)[Action], { own: unknown }>['own']['role'];

const settings = (verdict: Verdict) => ({ 'read-data-source': verdict, 'change-data-source': verdict });

/** What each role has on its own: a role or an action that is new in the table is an error of types here. */
const alone: Record<FlexRole, Record<Action, Verdict>> = {
  admin: { play: 'all', 'read-audit': 'all', ...settings('all') },
  supervisor: { play: 'all', 'read-audit': 'none', ...settings('none') },
  agent: { play: 'own', 'read-audit': 'none', ...settings('none') },
  auditor: { play: 'none', 'read-audit': 'all', ...settings('none') },
};

/** `may` for an action of which types do not know whether it depends on whose call it is. */
const decide = may as (viewer: Viewer, action: Action, subject: Owned, settings: AccessSettings) => Decision;

describe.each(Object.entries(alone))('the role %s alone', (role, of) => {
  const viewer = { identity: 'a', workerSid: me, roles: [role] };

  test.each(Object.entries(of) as [Action, Verdict][])('has of %s: %s', (action, verdict) => {
    const open = { agentsMayPlayOwn: true };
    const [own, others] = [me, other].map((workerSid) => decide(viewer, action, { workerSid }, open).allowed);
    expect({ own, others }).toEqual({ own: verdict !== 'none', others: verdict === 'all' });
  });
});

test.each([
  [['supervisor', 'auditor'], true, 'audit-role'],
  [['agent', 'auditor'], true, 'audit-role'],
  // Insights roles neither open the audit log nor close it.
  [['auditor', mute], true, 'audit-role'],
  [['admin', mute], true, 'audit-role'],
  [['wfo.data_auditor'], false, 'no-audit-role'],
  [['wfo.full_access', 'supervisor'], false, 'no-audit-role'],
  [['Auditor'], false, 'no-audit-role'],
  [[], false, 'no-audit-role'],
] as const)('roles %j read the audit log: %s', (roles, allowed, reason) => {
  expect(may({ identity: 'a', roles: [...roles] }, 'read-audit')).toEqual({ allowed, reason });
});

test('docs/access.md says of each right what the table says, and of no other', () => {
  const page = readFileSync('docs/access.md', 'utf8').split('### ')[0] ?? '';
  const cell = (roles: readonly string[]) => roles.map((role) => `\`${role}\``).join(', ');
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| (.*) \| (.*) \| (.*) \|$/gm)].map((row) => row.slice(1));
  expect(rows).toEqual(
    Object.entries(rights).map(([action, right]) => [
      action,
      right.means,
      cell(right.all),
      'own' in right ? cell([right.own.role]) : '',
    ]),
  );
});
