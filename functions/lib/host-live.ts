import {
  type ConferenceSid,
  type ConsentAnswer,
  CustodyError,
  type PauseSettings,
  type Report,
  readConsentAnswer,
  readPauseSettings,
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
): Promise<PauseSettings | undefined> {
  const answer = await hostRequest(host, deadline, settingsMs, '/settings/pause').catch(() => undefined);
  return readPauseSettings(answer);
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
  const path = `/consents/${conference}`;
  const answer = await hostRequest(host, deadline, consentMs, path).catch(() => undefined);
  const consent = readConsentAnswer(answer);
  if (consent) return consent;
  throw new CustodyError('host_unreachable', 'the host does not say whether the caller agreed');
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
