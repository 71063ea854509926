import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { usualLists } from '../brevo/index.ts';
import type { Sandbox } from '../index.ts';

/** Late events come at once here, where Twilio's may take a minute. */
const settleSeconds = 1;

/** The host's settings of its connector to the sandbox's Brevo, and the file that they name. */
export function brevoEnvironment(
  { account, brevo }: Pick<Sandbox, 'account' | 'brevo'>,
  dataDir: string,
): Record<string, string> {
  const file = join(dataDir, 'brevo.yaml');
  writeFileSync(file, brevoFile(account.accountSid));
  return { CUSTODY_BREVO_FILE: file, CUSTODY_BREVO_API_KEY: brevo.apiKey };
}

export const brevoFile = (accountSid: string): string => `# docs/brevo.example.yaml has all keys.
enabled: true
account_sid: ${accountSid}
consent: all
channels: [voice, sms, whatsapp, webchat]
lists:
  support_contacts: ${usualLists.supportContacts}
  csat_respondents: ${usualLists.csatRespondents}
create_attributes: true
csat:
  measure: conversation_measure_1
settle_seconds: ${settleSeconds}
`;
