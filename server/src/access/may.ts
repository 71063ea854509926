import type { UnprovenFact, WorkerSid } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';

export interface AccessSettings {
  /** Agents may play the calls that are proven to be their own. */
  agentsMayPlayOwn: boolean;
}

/** What a right depends on: the owner of the call. */
export interface Owned {
  /** Proven owner; absent if no owner was proven. */
  workerSid?: WorkerSid;
  /** Unproven facts: while there is one, the call is not the viewer's own. */
  unproven?: readonly UnprovenFact[];
}

interface Right {
  /** The same text as in docs/access.md. */
  means: string;
  /** Roles of Flex that allow the action on everything. */
  all: readonly string[];
  /**
   * Insights roles that allow the action on everything, also without a role of Flex. A viewer of `all` who has Insights roles
   * needs one of these too. Absent: Insights roles have no effect.
   */
  insights?: readonly string[];
  /** The role of Flex that allows the action on the viewer's own calls, if the setting is on. */
  own?: { role: string; setting: keyof AccessSettings };
  /** Reasons in the audit log: the roles allow the action, do not allow it, or the Insights roles take it away. */
  reasons: { opens: string; opensNot: string; insightsNot?: string };
}

/** Every action that needs a right, and the roles that have it. No role may do an action that is not here. */
export const rights = {
  play: {
    means: 'play recordings, and learn which do not exist',
    all: ['admin', 'supervisor'],
    // Those with "Play Calls": https://www.twilio.com/docs/flex/end-user-guide/insights/user-roles
    insights: [
      'wfo.full_access',
      'wfo.team_leader',
      'wfo.data_analyst',
      'wfo.data_auditor',
      'wfo.quality_manager',
      'wfo.dashboard_viewer',
    ],
    own: { role: 'agent', setting: 'agentsMayPlayOwn' },
    reasons: { opens: 'insights-role', opensNot: 'no-playing-role', insightsNot: 'role-does-not-play' },
  },
  'read-audit': {
    means: 'read the audit log',
    all: ['admin', 'auditor'],
    reasons: { opens: 'audit-role', opensNot: 'no-audit-role' },
  },
  'read-data-source': {
    means: 'read the settings of the data source',
    all: ['admin'],
    reasons: { opens: 'settings-role', opensNot: 'no-settings-role' },
  },
  'change-data-source': {
    means: 'change the settings of the data source',
    all: ['admin'],
    reasons: { opens: 'settings-role', opensNot: 'no-settings-role' },
  },
} as const satisfies Readonly<Record<string, Right>>;

export type Action = keyof typeof rights;

export interface Decision {
  allowed: boolean;
  /** Stable, for the audit log; never shown to the viewer who was denied. */
  reason: string;
}

const yes = (reason: string): Decision => ({ allowed: true, reason });
const no = (reason: string): Decision => ({ allowed: false, reason });

/** The decision of the roles alone; undefined if it also depends on the owner of the call. */
function byRoles(action: Action, roles: readonly string[]): Decision | undefined {
  const { all, insights = [], own, reasons }: Right = rights[action];
  const leads = roles.some((role) => all.includes(role));
  if (!leads && own && roles.includes(own.role)) return undefined;
  const ofInsights = insights.length > 0 ? roles.filter((role) => role.startsWith('wfo.')) : [];
  // Without any Insights role a supervisor or admin has full access, as in Insights itself.
  if (leads && ofInsights.length === 0) return yes(reasons.opens);
  if (ofInsights.some((role) => insights.includes(role))) return yes(reasons.opens);
  return no((ofInsights.length > 0 && reasons.insightsNot) || reasons.opensNot);
}

/** What a right depends on beside the roles. */
type About<A extends Action> = (typeof rights)[A] extends { own: unknown }
  ? [subject: Owned, settings: AccessSettings]
  : [];

/**
 * The one access rule. Roles of Flex add up: no role takes away what another one allows. An agent without a role that allows
 * everything may act on calls that are proven to be the agent's own, if the site allows it, whatever the Insights roles are.
 */
export function may<A extends Action>(viewer: Viewer, action: A, ...about: About<A>): Decision {
  const decided = byRoles(action, viewer.roles);
  if (decided) return decided;
  const [subject, settings]: Partial<About<'play'>> = about;
  const { own }: Right = rights[action];
  if (!own || !settings?.[own.setting]) return no('agents-may-not');
  const isProven = (subject?.unproven ?? []).length === 0;
  const isOwn = isProven && subject?.workerSid !== undefined && subject.workerSid === viewer.workerSid;
  return isOwn ? yes('own-call') : no('not-own-call');
}

/** True if the viewer may play every recording: only such viewers may learn that a recording does not exist. */
export function mayPlayEverything(viewer: Viewer): boolean {
  return byRoles('play', viewer.roles)?.allowed ?? false;
}
