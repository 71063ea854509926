import {
  type AccountSid,
  CustodyError,
  type InsightsMeasure,
  type PauseSettings,
  type WorkspaceSid,
} from '@flex-custody/core';
import {
  type KeyConfig,
  type MediaCredentials,
  parseKeyFile,
  readTwilioKeys,
  type StoreConfig,
  type TwilioKeys,
} from '@flex-custody/vault';
import { isOpenToOthers, readPrivateFile } from './config/private-file.ts';
import { isPublicHttps } from './config/shapes.ts';
import { systemCode } from './config/system-code.ts';
import { emptyHasMeaning, signingKeyFile, type Variables, variables } from './config/variables.ts';

export type Role = 'http' | 'worker';
export type LogLevel = Variables['CUSTODY_LOG_LEVEL'];
export type DatabaseConfig = { url: string } | { directory: string };

/** Where the keys of the signing identity are. */
export interface SigningConfig {
  file: string;
  /** Somebody named another file than the default one. */
  configured: boolean;
  /** Its text, instead of the file. */
  keys?: string;
  /** The key by which earlier releases signed certificates; it may be missing. */
  certificateKeyFile: string;
}

/** The environment of the host, read once. */
export interface Config {
  accountSid: AccountSid;
  /** At least one of `authToken` and `apiKey` is there. */
  authToken?: string;
  apiKey?: { sid: string; secret: string };
  workspaceSid: WorkspaceSid;
  realm?: string;
  /** Without a slash at its end. */
  publicUrl: string;
  host: string;
  port: number;
  ops: { host: string; port: number };
  /** Names by which the operators' listener may be asked, beside addresses and loopback. */
  opsNames: readonly string[];
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: readonly string[];
  roles: readonly Role[];
  store: StoreConfig;
  /** Undefined in mode sse-kms, where S3 seals. */
  keyConfig: KeyConfig | undefined;
  /** For recordings that Twilio has sealed. */
  twilioKeys?: TwilioKeys;
  functionSecrets: readonly string[];
  mediaSecret: Uint8Array;
  mediaTtlSeconds: number;
  streamsPerViewer: number;
  streamsPerAddress: number;
  flexOrigins: readonly string[];
  agentsMayPlayOwn: boolean;
  /** Names of the two channels; none: Flex Insights is told nothing about channels. */
  mediaChannels: string[];
  /** Who is on the first channel of a conference's recording. */
  conferenceFirst: 'agent' | 'customer';
  insightsMeasures: readonly InsightsMeasure[];
  /** 0: no link for the older Player. */
  segmentLinkDays: number;
  pause: PauseSettings;
  /** Whether a caller's voice needs their consent before it goes to the vendor. */
  voiceConsent: Variables['CUSTODY_VOICE_CONSENT'];
  /** Whether the host looks for live calls that nothing records. */
  watchCalls: boolean;
  database: DatabaseConfig;
  leaseMs: number;
  copiesAtOnce: number;
  retries: { limit: number; delaySeconds: number };
  reconcile: { everyMinutes: number; hours: number };
  /** Where S3 puts the inventory of the bucket; `prefix` ends with a slash, or is empty. */
  inventory?: { bucket: string; prefix: string };
  /** Hours from the verification to the original's deletion at Twilio; undefined: it stays. */
  deleteSourceAfterHours?: number;
  /** Originals are deleted also where the bucket keeps no versions. */
  acceptUnversioned: boolean;
  /** When a copy that the host did not make itself is held against Twilio's media. */
  prove: 'before-deletion' | 'always';
  /** Where alarms are sent; `secrets` sign, newest first. `allowPrivate` allows other networks than the public Internet. */
  alarmWebhook?: { url: string; secrets: readonly string[]; allowPrivate: boolean };
  /** Days after which what is over is forgotten: closed alarms, finished runs, reports of calls. */
  keepDays: { alarms: number; runs: number; reports: number };
  policyFile?: string;
  signing: SigningConfig;
  callerSecret?: string;
  logLevel: LogLevel;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the whole environment.
 * @throws CustodyError `config_invalid` whose message has one line for each missing or malformed key, never its value
 */
export function loadConfig(environment: Environment = process.env): Config {
  const given: Record<string, string> = {};
  for (const name of Object.keys(variables.shape)) {
    const value = environment[name];
    if (value !== undefined && (value.trim() !== '' || emptyHasMeaning.has(name))) given[name] = value;
  }
  const parsed = variables.safeParse(given);
  const faults = new Map<string, string>();
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (!faults.has(name)) faults.set(name, given[name] === undefined ? missing(name) : issue.message);
  }
  for (const [name, fault] of Object.entries(together(given))) if (!faults.has(name)) faults.set(name, fault);
  let keyConfig: KeyConfig | undefined;
  if (!faults.has('CUSTODY_KEY_KIND') && !faults.has('CUSTODY_KEYS')) {
    try {
      keyConfig = readKeys(given);
    } catch (error) {
      faults.set(keySource(given), keyFault(error));
    }
  }
  let twilioKeys: TwilioKeys | undefined;
  try {
    const file = given['CUSTODY_TWILIO_KEY_FILE'];
    twilioKeys = file === undefined ? undefined : readTwilioKeys(readKeyFile(file));
  } catch (error) {
    faults.set('CUSTODY_TWILIO_KEY_FILE', keyFault(error));
  }
  if (faults.size > 0 || !parsed.data) throw invalid(faults);
  return { ...shape(parsed.data, keyConfig), ...(twilioKeys && { twilioKeys }) };
}

/** Faults that only several variables together make. */
function together(given: Record<string, string>): Record<string, string> {
  const faults: Record<string, string> = {};
  const has = (name: string) => given[name] !== undefined;
  if (has('TWILIO_API_KEY') !== has('TWILIO_API_SECRET')) {
    faults[has('TWILIO_API_KEY') ? 'TWILIO_API_SECRET' : 'TWILIO_API_KEY'] =
      'is missing: key and secret go together';
  } else if (!has('TWILIO_AUTH_TOKEN') && !has('TWILIO_API_KEY')) {
    faults['TWILIO_AUTH_TOKEN'] = 'is missing: set it, or TWILIO_API_KEY and TWILIO_API_SECRET';
  }
  if (has('AWS_ACCESS_KEY_ID') !== has('AWS_SECRET_ACCESS_KEY')) {
    faults[has('AWS_ACCESS_KEY_ID') ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'] =
      'is missing: access key and secret go together';
  }
  if (has('CUSTODY_SIGNING_KEY_FILE') && has('CUSTODY_SIGNING_KEYS')) {
    faults['CUSTODY_SIGNING_KEYS'] = 'must not be set beside CUSTODY_SIGNING_KEY_FILE';
  }
  // Its directory is one process's: jobs that another role sends would wait in it for nobody.
  if (!has('DATABASE_URL') && /^\s*(http|worker)\s*$/.test(given['CUSTODY_ROLES'] ?? '')) {
    faults['DATABASE_URL'] = 'is missing: with the embedded database one process has both roles, http,worker';
  }
  const webhook = given['CUSTODY_ALARM_WEBHOOK'];
  if (webhook !== undefined) {
    if (!has('CUSTODY_ALARM_WEBHOOK_SECRET'))
      faults['CUSTODY_ALARM_WEBHOOK_SECRET'] = 'is missing: it signs what CUSTODY_ALARM_WEBHOOK receives';
    if (given['CUSTODY_ALARM_WEBHOOK_PRIVATE'] !== 'true' && !isPublicHttps(webhook))
      faults['CUSTODY_ALARM_WEBHOOK'] =
        'must be an https:// URL on the public Internet; CUSTODY_ALARM_WEBHOOK_PRIVATE=true allows others';
  }
  if (given['CUSTODY_STORAGE_MODE'] === 'sse-kms') return faults;
  const kind = given['CUSTODY_KEY_KIND'];
  if (kind === undefined) faults['CUSTODY_KEY_KIND'] = 'is missing: rsa, raw-aes or kms';
  else if (kind === 'kms' && !has('CUSTODY_KMS_KEY_IDS')) faults['CUSTODY_KMS_KEY_IDS'] = 'is missing';
  else if (kind !== 'kms' && !has('CUSTODY_KEY_FILE') && !has('CUSTODY_KEYS')) {
    faults['CUSTODY_KEY_FILE'] = 'is missing: `flex-custody keys generate` makes one';
  } else if (has('CUSTODY_KEY_FILE') && has('CUSTODY_KEYS')) {
    faults['CUSTODY_KEYS'] = 'must not be set beside CUSTODY_KEY_FILE';
  }
  return faults;
}

function missing(name: string): string {
  const about = (variables.shape as Record<string, { description?: string | undefined }>)[name]?.description;
  return about ? `is missing: ${about}` : 'is missing';
}

function keyFault(error: unknown): string {
  if (isOpenToOthers(error)) return `names ${error.message}`;
  return `gives no usable keys: ${error instanceof CustodyError ? error.message : 'unreadable'}`;
}

const keySource = (given: Record<string, string>) =>
  given['CUSTODY_KEY_FILE'] === undefined ? 'CUSTODY_KEYS' : 'CUSTODY_KEY_FILE';

/** The keys alone, for the commands that seal and open files and need nothing else. */
export function loadKeyConfig(environment: Environment = process.env): KeyConfig {
  const given = Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => (entry[1] ?? '').trim() !== ''),
  );
  const faults = together({ ...given, CUSTODY_STORAGE_MODE: 'envelope' });
  const about = ['CUSTODY_KEY_KIND', 'CUSTODY_KEY_FILE', 'CUSTODY_KEYS', 'CUSTODY_KMS_KEY_IDS'];
  const own = new Map(Object.entries(faults).filter(([name]) => about.includes(name)));
  if (own.size > 0) throw invalid(own);
  let keys: KeyConfig | undefined;
  try {
    keys = readKeys(given);
  } catch (error) {
    throw invalid(new Map([[keySource(given), keyFault(error)]]));
  }
  if (!keys) throw invalid(new Map([['CUSTODY_KEY_KIND', 'must be rsa, raw-aes or kms']]));
  return keys;
}

function readKeys(given: Record<string, string>): KeyConfig | undefined {
  if (given['CUSTODY_STORAGE_MODE'] === 'sse-kms') return undefined;
  const kind = given['CUSTODY_KEY_KIND'];
  if (kind === 'kms') {
    const keyIds = (given['CUSTODY_KMS_KEY_IDS'] ?? '').split(',').map((id) => id.trim());
    return keyIds[0] ? { kind, keyIds } : undefined;
  }
  const text = keyText(given);
  if (text === undefined) return undefined;
  const keys = parseKeyFile(text);
  if (keys.kind === 'rsa-public') {
    throw new CustodyError(
      'key_invalid',
      'a public key only seals, and the host must open: give the private one',
    );
  }
  if (keys.kind !== kind) {
    throw new CustodyError(
      'key_invalid',
      `they are of the kind ${keys.kind}, and CUSTODY_KEY_KIND is ${kind}`,
    );
  }
  return keys;
}

function keyText(given: Record<string, string>): string | undefined {
  const file = given['CUSTODY_KEY_FILE'];
  return file === undefined ? given['CUSTODY_KEYS'] : readKeyFile(file);
}

function readKeyFile(file: string): string {
  try {
    return readPrivateFile(file, 'read');
  } catch (cause) {
    if (isOpenToOthers(cause)) throw cause;
    const code = systemCode(cause);
    throw new CustodyError('key_invalid', `the file cannot be read (${code || 'unknown error'})`, {
      cause,
    });
  }
}

function invalid(faults: ReadonlyMap<string, string>): CustodyError {
  const lines = [...faults].map(([name, fault]) => `${name} ${fault}`);
  return new CustodyError('config_invalid', lines.join('\n'));
}

function shape(env: Variables, keyConfig: KeyConfig | undefined): Config {
  return {
    accountSid: env.TWILIO_ACCOUNT_SID,
    ...(env.TWILIO_AUTH_TOKEN && { authToken: env.TWILIO_AUTH_TOKEN }),
    ...(env.TWILIO_API_KEY &&
      env.TWILIO_API_SECRET && { apiKey: { sid: env.TWILIO_API_KEY, secret: env.TWILIO_API_SECRET } }),
    workspaceSid: env.TWILIO_WORKSPACE_SID,
    ...(env.TWILIO_REALM && { realm: env.TWILIO_REALM }),
    publicUrl: env.CUSTODY_PUBLIC_URL,
    host: env.HOST,
    port: env.PORT,
    ops: { host: env.CUSTODY_OPS_HOST, port: env.CUSTODY_OPS_PORT },
    opsNames: env.CUSTODY_OPS_NAMES ?? [],
    trustedProxies: env.CUSTODY_TRUSTED_PROXIES,
    roles: env.CUSTODY_ROLES,
    store: {
      bucket: env.CUSTODY_BUCKET,
      region: env.AWS_REGION,
      mode: env.CUSTODY_STORAGE_MODE,
      pathStyle: env.CUSTODY_S3_PATH_STYLE ?? env.AWS_ENDPOINT_URL_S3 !== undefined,
      ...(env.AWS_ENDPOINT_URL_S3 && { endpoint: env.AWS_ENDPOINT_URL_S3 }),
      ...(env.AWS_ACCESS_KEY_ID && { accessKeyId: env.AWS_ACCESS_KEY_ID }),
      ...(env.AWS_SECRET_ACCESS_KEY && { secretAccessKey: env.AWS_SECRET_ACCESS_KEY }),
      ...(env.AWS_SESSION_TOKEN && { sessionToken: env.AWS_SESSION_TOKEN }),
      ...sseKmsKeys(env.CUSTODY_SSE_KMS_KEY_ID ?? []),
      ...(env.CUSTODY_STORAGE_CLASS && { storageClass: env.CUSTODY_STORAGE_CLASS }),
    },
    keyConfig,
    functionSecrets: env.CUSTODY_FUNCTION_SECRETS,
    mediaSecret: env.CUSTODY_MEDIA_SECRET,
    mediaTtlSeconds: env.CUSTODY_MEDIA_TTL_SECONDS,
    streamsPerViewer: env.CUSTODY_STREAMS_PER_VIEWER,
    streamsPerAddress: env.CUSTODY_STREAMS_PER_ADDRESS,
    flexOrigins: env.CUSTODY_FLEX_ORIGINS,
    agentsMayPlayOwn: env.CUSTODY_AGENTS_MAY_PLAY_OWN,
    mediaChannels: env.CUSTODY_MEDIA_CHANNELS,
    conferenceFirst: env.CUSTODY_CONFERENCE_FIRST,
    insightsMeasures: env.CUSTODY_INSIGHTS_MEASURES ?? [],
    segmentLinkDays: env.CUSTODY_SEGMENT_LINK_DAYS,
    pause: {
      enabled: env.TwilioEnablePauseResume,
      behavior: env.CUSTODY_PAUSE_BEHAVIOR,
      resumeAfterSeconds: env.CUSTODY_PAUSE_RESUME_SECONDS,
    },
    voiceConsent: env.CUSTODY_VOICE_CONSENT,
    watchCalls: env.CUSTODY_WATCH_CALLS,
    database: env.DATABASE_URL ? { url: env.DATABASE_URL } : { directory: env.CUSTODY_DATA_DIR },
    leaseMs: env.CUSTODY_LEASE_MS,
    copiesAtOnce: env.CUSTODY_COPIES_AT_ONCE,
    retries: { limit: env.CUSTODY_RETRIES, delaySeconds: env.CUSTODY_RETRY_SECONDS },
    reconcile: { everyMinutes: env.CUSTODY_RECONCILE_MINUTES, hours: env.CUSTODY_RECONCILE_HOURS },
    ...(env.CUSTODY_INVENTORY && { inventory: env.CUSTODY_INVENTORY }),
    prove: env.CUSTODY_PROVE,
    ...(env.DELETE_SOURCE_AFTER !== undefined && { deleteSourceAfterHours: env.DELETE_SOURCE_AFTER }),
    acceptUnversioned: env.CUSTODY_ACCEPT_UNVERSIONED,
    ...(env.CUSTODY_ALARM_WEBHOOK !== undefined && {
      alarmWebhook: {
        url: env.CUSTODY_ALARM_WEBHOOK,
        secrets: env.CUSTODY_ALARM_WEBHOOK_SECRET ?? [],
        allowPrivate: env.CUSTODY_ALARM_WEBHOOK_PRIVATE,
      },
    }),
    keepDays: {
      alarms: env.CUSTODY_ALARM_DAYS,
      runs: env.CUSTODY_RUN_DAYS,
      reports: env.CUSTODY_REPORT_DAYS,
    },
    ...(env.CUSTODY_POLICY_FILE !== undefined && { policyFile: env.CUSTODY_POLICY_FILE }),
    signing: {
      file: env.CUSTODY_SIGNING_KEY_FILE,
      configured: env.CUSTODY_SIGNING_KEY_FILE !== signingKeyFile,
      ...(env.CUSTODY_SIGNING_KEYS !== undefined && { keys: env.CUSTODY_SIGNING_KEYS }),
      certificateKeyFile: env.CUSTODY_CERTIFICATE_KEY_FILE,
    },
    ...(env.CUSTODY_CALLER_SECRET !== undefined && { callerSecret: env.CUSTODY_CALLER_SECRET }),
    logLevel: env.CUSTODY_LOG_LEVEL,
  };
}

function sseKmsKeys([newest, ...older]: readonly string[]): Pick<StoreConfig, 'kmsKeyId' | 'olderKmsKeyIds'> {
  return {
    ...(newest !== undefined && { kmsKeyId: newest }),
    ...(older.length > 0 && { olderKmsKeyIds: older }),
  };
}

/** What Twilio's REST API and media are asked with: the API key where there is one, as it can be revoked alone. */
export function twilioCredentials(
  config: Pick<Config, 'accountSid' | 'authToken' | 'apiKey'>,
): MediaCredentials {
  if (config.apiKey) return { username: config.apiKey.sid, password: config.apiKey.secret };
  return { username: config.accountSid, password: config.authToken ?? '' };
}
