import { isRole } from './roles.ts';
import { isPublicHttps } from './shapes.ts';
import { emptyHasMeaning, variables } from './variables.ts';

type Given = Readonly<Record<string, string>>;

/** How to get a value that has no default: a command, or the exact place. Continues a sentence that begins "is missing:". */
export const howToGet: Readonly<Record<string, string>> = {
  TWILIO_ACCOUNT_SID: 'copy it from Account Info on the first page of https://console.twilio.com',
  TWILIO_AUTH_TOKEN:
    'copy it from Account Info on the first page of https://console.twilio.com, or set TWILIO_API_KEY and TWILIO_API_SECRET',
  TWILIO_WORKSPACE_SID: 'copy it from the Twilio Console: TaskRouter, Workspaces, Flex Task Assignment',
  CUSTODY_PUBLIC_URL: 'set the https:// origin under which browsers and the Functions reach this host',
  AWS_REGION: 'set the region of the bucket, as `aws s3api get-bucket-location --bucket NAME` prints it',
  CUSTODY_BUCKET: 'set the name of the bucket that holds the recordings (docs/deploy.md, "The bucket")',
  CUSTODY_FUNCTION_SECRETS:
    '`openssl rand -hex 32` makes it; give the Functions the same as their CUSTODY_HOST_SECRET',
  CUSTODY_ALARM_WEBHOOK_SECRET: '`openssl rand -hex 32` makes it; give the receiver of alarms the same',
  CUSTODY_MEDIA_SECRET: '`openssl rand -base64 32` makes it',
  CUSTODY_KEY_KIND: 'set rsa, raw-aes or kms (docs/keys.md says which)',
  CUSTODY_KEY_FILE: '`flex-custody keys generate --key-id NAME --out FILE` makes it',
  CUSTODY_BREVO_API_KEY:
    'make one in Brevo: Settings, SMTP & API, API keys; then `flex-custody secrets set CUSTODY_BREVO_API_KEY`',
  CUSTODY_KMS_KEY_IDS: 'set the ARNs of the KMS keys, newest first, as `aws kms describe-key` prints them',
};

/** The value or the fault of each variable. A fault continues a sentence that begins with its variable. */
export function parseVariables(environment: Readonly<Record<string, string | undefined>>): {
  values: Readonly<Record<string, unknown>>;
  faults: Map<string, string>;
} {
  const given: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const faults = new Map<string, string>();
  for (const [name, schema] of Object.entries(variables.shape)) {
    const value = environment[name];
    if (value !== undefined && (value.trim() !== '' || emptyHasMeaning.has(name))) given[name] = value;
    const parsed = schema.safeParse(given[name]);
    if (parsed.success) values[name] = parsed.data;
    else if (given[name] === undefined) faults.set(name, missing(name));
    else faults.set(name, parsed.error.issues[0]?.message ?? 'is malformed');
  }
  for (const [name, fault] of Object.entries(together(given))) if (!faults.has(name)) faults.set(name, fault);
  return { values, faults };
}

const missing = (name: string): string => `is missing: ${howToGet[name] ?? 'set it'}`;

/** Faults of several variables together. */
function together(given: Given): Record<string, string> {
  const faults: Record<string, string> = {};
  const has = (name: string) => given[name] !== undefined;
  if (has('TWILIO_API_KEY') !== has('TWILIO_API_SECRET')) {
    faults[has('TWILIO_API_KEY') ? 'TWILIO_API_SECRET' : 'TWILIO_API_KEY'] =
      'is missing: key and secret go together';
  } else if (!has('TWILIO_AUTH_TOKEN') && !has('TWILIO_API_KEY')) {
    faults['TWILIO_AUTH_TOKEN'] = missing('TWILIO_AUTH_TOKEN');
  }
  if (has('AWS_ACCESS_KEY_ID') !== has('AWS_SECRET_ACCESS_KEY')) {
    faults[has('AWS_ACCESS_KEY_ID') ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'] =
      'is missing: access key and secret go together';
  }
  if (has('CUSTODY_SIGNING_KEY_FILE') && has('CUSTODY_SIGNING_KEYS')) {
    faults['CUSTODY_SIGNING_KEYS'] = 'must not be set beside CUSTODY_SIGNING_KEY_FILE';
  }
  // One process alone can open its folder: no process of another role could take the jobs that this one sends. Without the role
  // recorder nothing waits: the host then follows no events.
  const own = (given['CUSTODY_ROLES'] ?? '').split(',').map((name) => name.trim());
  if (!has('DATABASE_URL') && own.every(isRole) && !(own.includes('http') && own.includes('worker'))) {
    faults['DATABASE_URL'] =
      'is missing: with the embedded database one process has at least the roles http and worker';
  }
  const webhook = given['CUSTODY_ALARM_WEBHOOK'];
  if (webhook !== undefined) {
    if (!has('CUSTODY_ALARM_WEBHOOK_SECRET'))
      faults['CUSTODY_ALARM_WEBHOOK_SECRET'] = missing('CUSTODY_ALARM_WEBHOOK_SECRET');
    if (given['CUSTODY_ALARM_WEBHOOK_PRIVATE'] !== 'true' && !isPublicHttps(webhook))
      faults['CUSTODY_ALARM_WEBHOOK'] =
        'must be an https:// URL on the public Internet; CUSTODY_ALARM_WEBHOOK_PRIVATE=true allows others';
  }
  if (given['CUSTODY_STORAGE_MODE'] === 'sse-kms') return faults;
  const kind = given['CUSTODY_KEY_KIND'];
  if (kind === undefined) faults['CUSTODY_KEY_KIND'] = missing('CUSTODY_KEY_KIND');
  else if (kind === 'kms' && !has('CUSTODY_KMS_KEY_IDS'))
    faults['CUSTODY_KMS_KEY_IDS'] = missing('CUSTODY_KMS_KEY_IDS');
  else if (kind !== 'kms' && !has('CUSTODY_KEY_FILE') && !has('CUSTODY_KEYS')) {
    faults['CUSTODY_KEY_FILE'] = missing('CUSTODY_KEY_FILE');
  } else if (has('CUSTODY_KEY_FILE') && has('CUSTODY_KEYS')) {
    faults['CUSTODY_KEYS'] = 'must not be set beside CUSTODY_KEY_FILE';
  }
  return faults;
}
