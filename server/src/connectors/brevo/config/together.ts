import type { BrevoConfig } from './brevo-config.ts';
import type { Fault } from './fault.ts';

/** Keys that contradict each other, or the host. Each message names the other key and the next step. */
export function faultsTogether(config: BrevoConfig, accountSid: string): Fault[] {
  const { account_sid, channels, csat, event_mapping, field_mapping, lists } = config;
  const faults: Fault[] = [];
  if (account_sid !== accountSid)
    faults.push({
      path: ['account_sid'],
      message: "is another account than the host's: write the SID that TWILIO_ACCOUNT_SID has",
    });
  if (lists.csat_respondents !== undefined && csat === undefined)
    faults.push({
      path: ['lists', 'csat_respondents'],
      message: 'needs to know where the answer is: write csat.measure, or leave the list out',
    });
  if (!field_mapping.some(({ target }) => 'identifier' in target))
    faults.push({
      path: ['field_mapping'],
      message:
        'has no rule for email, ext_id, SMS or WHATSAPP, so that no customer could be identified: write one, such as `identity: ext_id`',
    });
  for (const { trigger, when } of event_mapping)
    for (const { on, not, values } of when)
      if (on === 'channel' && !not && values.some((value) => !channels.some((one) => one === value)))
        faults.push({
          path: ['event_mapping', trigger, 'when', 'channel'],
          message: 'names a channel that `channels` leaves out: write it there, or remove it here',
        });
  return faults;
}
