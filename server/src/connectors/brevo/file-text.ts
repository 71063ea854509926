import { stringify } from 'yaml';

/** What a new file must say; everything else has a default. */
export interface FileChoices {
  accountSid: string;
  /** `all`, or the path of the attribute of a task that says that the customer agreed. */
  consent: string;
  flexFlowSid?: string;
}

/** A first file of the connector, with what is most often changed as comments. docs/brevo.example.yaml shows every setting. */
export function brevoFileText({ accountSid, consent, flexFlowSid }: FileChoices): string {
  const flow = flexFlowSid === undefined ? '# flex_flow_sid: FO…' : pair('flex_flow_sid', flexFlowSid);
  return `# The connector to Brevo: docs/brevo.md describes every setting, docs/brevo.example.yaml shows them all.
# Brevo's API key is a secret, and not in this file: flex-custody secrets set CUSTODY_BREVO_API_KEY

enabled: true

# The account of this host.
${pair('account_sid', accountSid)}

# Legacy chat tasks of this Flex flow alone are sent; voice and conversations always are.
${flow}

# Which customers may be in Brevo: all, or {attribute: NAME}, an attribute of the task that must be true.
${consent === 'all' ? 'consent: all' : pair('consent', { attribute: consent })}

# Brevo's plan decides how many requests it takes: general, advanced or extended.
plan: general

channels: [voice, sms, whatsapp, webchat]

# Numbers of lists at Brevo: of all who had an interaction, and of all who answered a survey.
# lists:
#   support_contacts: 3
#   csat_respondents: 4

# Which attribute of a task is the score of a survey, and its highest value.
# csat:
#   measure: conversation_measure_1
#   scale: 5

# What becomes a field of the contact, and which event each trigger sends: the defaults are in docs/brevo.md.
# field_mapping:
#   attributes.email: email
#   customer_tier: CUSTOMER_TIER
# event_mapping:
#   task.completed: SUPPORT_RESOLVED
`;
}

/** YAML quotes the value where it would be read as another type. */
const pair = (key: string, value: unknown): string => stringify({ [key]: value }, { lineWidth: 0 }).trimEnd();
