import { type VariableName, variables } from './variables.ts';

/** The settings that may be in the store of secrets instead of the environment, under the name of their variable. */
export const storedSettings = [
  'TWILIO_AUTH_TOKEN',
  'TWILIO_API_SECRET',
  'CUSTODY_FUNCTION_SECRETS',
  'CUSTODY_MEDIA_SECRET',
  'CUSTODY_ALARM_WEBHOOK_SECRET',
  'CUSTODY_CALLER_SECRET',
  'CUSTODY_BREVO_API_KEY',
] as const satisfies readonly VariableName[];
export type StoredSetting = (typeof storedSettings)[number];

const isStored = (name: string): name is StoredSetting => storedSettings.some((stored) => stored === name);

type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable counts as unset. */
export const isSet = (environment: Environment, name: string): boolean =>
  (environment[name] ?? '').trim() !== '';

/** Those that the environment of this process has. */
export const setHere = (environment: Environment = process.env): StoredSetting[] =>
  storedSettings.filter((name) => isSet(environment, name));

/** The setting without which a secret has no use. */
const useless: Partial<Record<StoredSetting, VariableName>> = {
  TWILIO_API_SECRET: 'TWILIO_API_KEY',
  CUSTODY_ALARM_WEBHOOK_SECRET: 'CUSTODY_ALARM_WEBHOOK',
  CUSTODY_BREVO_API_KEY: 'CUSTODY_BREVO_FILE',
};

/** The settings that the environment leaves to the store. */
export const leftToStore = (environment: Environment): StoredSetting[] =>
  storedSettings.filter((name) => {
    const first = useless[name];
    return !isSet(environment, name) && (first === undefined || isSet(environment, first));
  });

const opensStore =
  /^(DATABASE_URL|CUSTODY_(DATA_DIR|STORAGE_MODE|KEY_KIND|KEY_FILE|KEYS|KMS_KEY_IDS|SECRETS_KEY)|TWILIO_ACCOUNT_SID)$/;
const ofLibraries = /^(AWS_\w+|PG[A-Z]+|NODE_\w+|(HTTPS?|ALL|NO)_PROXY)$/i;

/** Why a value under this name would have no effect; undefined if it may be stored. Continues a sentence that begins with the name. */
export function whyNotStored(name: string): string | undefined {
  if (isStored(name)) return undefined;
  if (opensStore.test(name)) return 'must stay in the environment: the host opens the store with it';
  if (name === 'CUSTODY_SIGNING_KEYS')
    return 'must stay in the environment: a lost catalog is rebuilt with it, and the store would be lost too';
  if (ofLibraries.test(name)) return 'must stay in the environment: libraries of the host read it there';
  if (name in variables.shape) return 'is no secret, and is read from the environment alone';
  if (/^(CUSTODY|TWILIO)_[A-Z0-9_]+$/.test(name))
    return `is no setting of the host; those that may be stored are ${storedSettings.join(', ')}`;
  return undefined;
}

/** What is wrong with the value of a stored setting, without the value; undefined for a good one and for other names. */
export function faultOfStored(name: string, value: string): string | undefined {
  if (!isStored(name)) return undefined;
  const parsed = variables.shape[name].safeParse(value);
  return parsed.success ? undefined : (parsed.error.issues[0]?.message ?? 'is malformed');
}
