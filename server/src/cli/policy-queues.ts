import { errorCode } from '@flex-custody/core';
import { createTwilio, type TwilioTaskQueues } from '@flex-custody/twilio';
import { twilioCredentials } from '../config.ts';
import type { Policy } from '../retention/policy.ts';
import { queueKey } from '../retention/queue-names.ts';
import { loadWithSecrets } from '../secrets/open-config.ts';
import { secretsOfHost } from './operator-api.ts';

/** The rules' queue names, compared with TaskRouter's. */
export type QueueCheck = { compared: true; unknown: string[] } | { compared: false; reason: string };

/** A rule whose queue was renamed or misspelled matches no call: another rule applies to its recordings. */
export async function checkQueues(
  { keep }: Policy,
  connect: () => TwilioTaskQueues | Promise<TwilioTaskQueues> = taskRouter,
): Promise<QueueCheck> {
  const named = keep.rules.flatMap(({ queues = [] }) => queues);
  if (named.length === 0) return { compared: true, unknown: [] };
  try {
    const queues = await (await connect()).taskQueues();
    if (!queues) return { compared: false, reason: 'workspace_unknown' };
    const known = new Set(queues.map(queueKey));
    return { compared: true, unknown: [...new Set(named.filter((name) => !known.has(queueKey(name))))] };
  } catch (error) {
    return { compared: false, reason: errorCode(error) };
  }
}

async function taskRouter(): Promise<TwilioTaskQueues> {
  const config = await loadWithSecrets(['accountSid', 'workspaceSid', 'authToken', 'apiKey'], {
    otherwise: secretsOfHost,
  });
  const { accountSid, workspaceSid } = config;
  return createTwilio({ accountSid, workspaceSid, ...twilioCredentials(config) });
}

/** Warnings; a policy with warnings can be applied. */
export function queueText(check: QueueCheck): string[] {
  if (!check.compared)
    return [`The queues were not compared with TaskRouter's: ${reasons[check.reason] ?? check.reason}.`];
  return check.unknown.map(
    (name) => `Warning: TaskRouter has no queue ${name}: a rule for it matches no call.`,
  );
}

const reasons: Readonly<Record<string, string>> = {
  config_invalid: 'TWILIO_ACCOUNT_SID, TWILIO_WORKSPACE_SID or the credentials are not set here',
  workspace_unknown: 'Twilio knows no workspace TWILIO_WORKSPACE_SID',
  twilio_unavailable: 'Twilio does not answer',
  twilio_unauthorized: 'Twilio refuses the credentials',
};
