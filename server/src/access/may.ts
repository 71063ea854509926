import type { UnprovenFact, WorkerSid } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';

export interface AccessSettings {
  /** Agents may play the calls that are proven to be their own. */
  agentsMayPlayOwn: boolean;
}

/** What a right depends on: whose call it is. */
export interface Owned {
  /** Proven owner; absent where the owner was never proven. */
  workerSid?: WorkerSid;
  /** With `owner` among them the worker is hearsay, and the call nobody's own. */
  unproven?: readonly UnprovenFact[];
}

export type Reason =
  | 'insights-role'
  | 'own-call'
  | 'role-does-not-play'
  | 'agents-may-not'
  | 'not-own-call'
  | 'no-playing-role';

export interface Decision {
  allowed: boolean;
  /** Stable, for the audit log; never shown to the one who was denied. */
  reason: Reason;
}

/**
 * Insights roles with "Play Calls"; the one that lacks it is `wfo.quality_process_manager`.
 * Source: https://www.twilio.com/docs/flex/end-user-guide/insights/user-roles
 */
const playing: ReadonlySet<string> = new Set([
  'wfo.full_access',
  'wfo.team_leader',
  'wfo.data_analyst',
  'wfo.data_auditor',
  'wfo.quality_manager',
  'wfo.dashboard_viewer',
]);

const yes = (reason: Reason): Decision => ({ allowed: true, reason });
const no = (reason: Reason): Decision => ({ allowed: false, reason });

/** What the roles alone decide; undefined where it also depends on whose call it is. */
function byRoles(roles: readonly string[]): Decision | undefined {
  const insights = roles.filter((role) => role.startsWith('wfo.'));
  const leads = roles.includes('admin') || roles.includes('supervisor');
  if (!leads && roles.includes('agent')) return undefined;
  // Without any Insights role a supervisor or admin has full access, as in Insights itself.
  if (leads && insights.length === 0) return yes('insights-role');
  if (insights.some((role) => playing.has(role))) return yes('insights-role');
  return no(leads || insights.length > 0 ? 'role-does-not-play' : 'no-playing-role');
}

/**
 * The one access rule. Supervisors and admins play what their Insights roles let them; an agent, whatever Insights role
 * is combined with it, plays at most own calls, and only where the site allows it; everybody else plays nothing.
 */
export function may(viewer: Viewer, action: 'play', recording: Owned, settings: AccessSettings): Decision {
  // A single action so far; naming it keeps the call sites honest when export and delete join.
  if (action !== 'play') return no('no-playing-role');
  const decided = byRoles(viewer.roles);
  if (decided) return decided;
  if (!settings.agentsMayPlayOwn) return no('agents-may-not');
  const proven = (recording.unproven ?? []).length === 0;
  const own = proven && recording.workerSid !== undefined && recording.workerSid === viewer.workerSid;
  return own ? yes('own-call') : no('not-own-call');
}

/** True where no recording is closed to the viewer: only they may learn that a recording does not exist. */
export function mayPlayEverything(viewer: Viewer): boolean {
  return byRoles(viewer.roles)?.allowed ?? false;
}
