import type { PauseSettings, Report } from '@flex-custody/core';
import type { Deadline } from './deadline.ts';
import type { PauseConfig } from './flex-config.ts';
import { hostRequest } from './host-request.ts';

/** A caller who is about to say a card number does not wait for a host that is slow. */
const settingsMs = 500;
const reportMs = 2_000;

/** What the host says of pausing; undefined where it says nothing in time. Never throws. */
export async function pauseSettings(
  { host }: Pick<PauseConfig, 'host'>,
  deadline: Deadline,
): Promise<Pick<PauseSettings, 'enabled' | 'behavior'> | undefined> {
  const answer = await hostRequest(host, deadline, settingsMs, '/settings/pause').catch(() => undefined);
  const { enabled, behavior } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<
    string,
    unknown
  >;
  if (typeof enabled !== 'boolean') return undefined;
  return { enabled, behavior: behavior === 'skip' ? 'skip' : 'silence' };
}

/** Tells the host what happened on a live call. @returns whether it heard. Never throws. */
export async function reported(
  { host }: Pick<PauseConfig, 'host'>,
  deadline: Deadline,
  report: Report,
): Promise<boolean> {
  return hostRequest(host, deadline, reportMs, '/reports', report).then(
    () => true,
    () => false,
  );
}
