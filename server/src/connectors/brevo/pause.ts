import type { Alarms } from '../../alarms/alarms.ts';
import type { PauseNotes } from '../pause-note.ts';
import type { Brevo } from './brevo-api.ts';
import { type BrevoPause, caught } from './outcomes.ts';

export interface PauseDeps {
  brevo: Pick<Brevo, 'account'>;
  notes: Pick<PauseNotes, 'pause'>;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
}

/** What a person does about each reason. */
export const nextSteps: Readonly<Record<BrevoPause['reason'], string>> = {
  key: 'Brevo does not take the API key: make one in Brevo (SMTP & API, API keys) and store it with `flex-custody secrets set CUSTODY_BREVO_API_KEY`',
  credits: 'the account has no credits left, or its plan does not include this: see the plan in Brevo',
  address:
    "the address of this host is not in Brevo's list of authorised IPs: add it (Security, Authorised IPs), or switch the list off",
  forbidden: "Brevo forbids it: check the account's state and the rights of the key in Brevo",
};

export function brevoPause({ alarms, brevo, notes }: PauseDeps) {
  const onPause = async ({ code, reason, status }: BrevoPause): Promise<void> => {
    if (!(await notes.pause({ reason, status, ...(code && { code }) }))) return;
    await alarms.raise('brevo_paused', undefined, `${reason} (${status}): ${nextSteps[reason]}`);
  };
  return {
    onPause,
    onResumed: () => alarms.resolve(['brevo_paused']),
    /** Whether Brevo answers for the account. */
    async probe(signal: AbortSignal): Promise<boolean> {
      const outcome = await caught(brevo.account(signal), signal);
      if (outcome.kind === 'pause') await onPause(outcome);
      return outcome.kind === 'done';
    },
  };
}
