import {
  type ConferenceSid,
  type ConsentAnswer,
  CustodyError,
  type PauseSettings,
  type Report,
} from '@flex-custody/core';
import type { Deadline } from './deadline.ts';
import type { PauseConfig } from './flex-config.ts';
import { hostRequest } from './host-request.ts';

/** A caller who is about to say a card number does not wait for a host that is slow. */
const settingsMs = 500;
const reportMs = 2_400;
const consentMs = 3_000;

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

/**
 * What the host says of a caller's consent.
 * @throws CustodyError `host_unreachable` (503): nothing that the host did not say is a consent
 */
export async function consentOf(
  { host }: Pick<PauseConfig, 'host'>,
  deadline: Deadline,
  conference: ConferenceSid,
): Promise<ConsentAnswer> {
  const away = () => new CustodyError('host_unreachable', 'the host does not say whether the caller agreed');
  const answer = await hostRequest(host, deadline, consentMs, `/consents/${conference}`).catch(() => {
    throw away();
  });
  const { required, standing, paused } = (
    typeof answer === 'object' && answer !== null ? answer : {}
  ) as Partial<Record<keyof ConsentAnswer, unknown>>;
  if (typeof required !== 'boolean' || typeof standing !== 'boolean' || typeof paused !== 'boolean')
    throw away();
  return { required, standing, paused };
}

/**
 * Tells the host what happened on a live call, with the agent's token: our signature alone moves nothing there.
 * @returns whether it heard. Never throws.
 */
export async function reported(
  { host }: Pick<PauseConfig, 'host'>,
  deadline: Deadline,
  report: Report,
  token: string,
): Promise<boolean> {
  return hostRequest(host, deadline, reportMs, '/reports', { ...report, token }).then(
    () => true,
    () => false,
  );
}
