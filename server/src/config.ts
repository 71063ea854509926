import {
  type AccountSid,
  CustodyError,
  type InsightsMeasure,
  type NewsKind,
  type PauseSettings,
  type WorkspaceSid,
} from '@flex-custody/core';
import type { KeyConfig, MediaCredentials, StoreConfig, TwilioKeys } from '@flex-custody/vault';
import { KeysFault } from './config/keys.ts';
import { parseVariables } from './config/parse.ts';
import { readers as settingReaders } from './config/readers.ts';
import type { Role } from './config/roles.ts';
import type { Variables } from './config/variables.ts';

export type LogLevel = Variables['CUSTODY_LOG_LEVEL'];
export type DatabaseConfig = { url: string } | { directory: string };

/** Where the keys of the signing identity are. */
export interface SigningConfig {
  file: string;
  /** The environment names another file than the default one. */
  configured: boolean;
  /** The text of the key file, instead of the file. */
  keys?: string;
  /** File with the key that signed certificates in earlier releases; it may be missing. */
  certificateKeyFile: string;
}

/** The environment of the host, read once. */
export interface Config {
  accountSid: AccountSid;
  /** At least one of `authToken` and `apiKey` is set. */
  authToken?: string;
  /** The other auth token of the account while both are in use: Twilio may sign with it. */
  secondaryAuthToken?: string;
  apiKey?: { sid: string; secret: string };
  workspaceSid: WorkspaceSid;
  realm?: string;
  /** Without a slash at its end. */
  publicUrl: string;
  host: string;
  port: number;
  ops: { host: string; port: number };
  /** Host names that the operators' listener accepts, beside addresses and localhost. */
  opsNames: readonly string[];
  /** Addresses and networks of proxies whose `X-Forwarded-For` is trusted. */
  trustedProxies: readonly string[];
  roles: readonly Role[];
  store: StoreConfig;
  /** Undefined in mode sse-kms, where S3 seals. */
  keyConfig: KeyConfig | undefined;
  /** AES keys of the stored secrets, newest first; empty where none is set. */
  secretsKeys: readonly Uint8Array[];
  /** For recordings that Twilio has sealed. */
  twilioKeys?: TwilioKeys;
  functionSecrets: readonly string[];
  mediaSecret: Uint8Array;
  mediaTtlSeconds: number;
  streamsPerViewer: number;
  streamsPerAddress: number;
  flexOrigins: readonly string[];
  agentsMayPlayOwn: boolean;
  /** Names of the two channels; none: Flex Insights gets no channels. */
  mediaChannels: string[];
  /** Who is on the first channel of a conference's recording. */
  conferenceFirst: 'agent' | 'customer';
  insightsMeasures: readonly InsightsMeasure[];
  /** 0: no link for the older Player. */
  segmentLinkDays: number;
  pause: PauseSettings;
  /** TwilioEnablePauseResume as it is set; absent where it is not. */
  pauseSet?: boolean;
  /** Name of this node. */
  node: string;
  /** The file that rules the settings of the data source. */
  dataSourceFile?: string;
  /** It may be missing. */
  employeesFile: string;
  /** How agents' events are read; which stream, the data source says. `silentMinutes` 0: a silent stream raises no alarm. */
  stream: { start: Variables['CUSTODY_STREAM_START']; silentMinutes: number; endpoint?: string };
  /** Whether a caller's voice needs their consent before it goes to the vendor. */
  voiceConsent: Variables['CUSTODY_VOICE_CONSENT'];
  /** Whether a task gets a link to its reservation's recording before there is one. */
  linkAtAcceptance: boolean;
  /** Whether the host looks for live calls that nothing records. */
  watchCalls: boolean;
  database: DatabaseConfig;
  leaseMs: number;
  copiesAtOnce: number;
  retries: { limit: number; delaySeconds: number };
  /** Between two comparisons of TaskRouter's events with the inbox; 0 for none. */
  repairMinutes: number;
  /** Minutes from the end of a call to the alarm `recording_missing`; 0: never. */
  missingMinutes: number;
  reconcile: { everyMinutes: number; hours: number };
  /** Where S3 puts the inventory of the bucket; `prefix` ends with a slash, or is empty. */
  inventory?: { bucket: string; prefix: string };
  /** Hours from the verification to the original's deletion at Twilio; undefined: it stays. */
  deleteSourceAfterHours?: number;
  /** Originals are deleted even if the bucket keeps no versions. */
  acceptUnversioned: boolean;
  /** When a copy that the host did not make itself is compared with Twilio's media. */
  prove: 'before-deletion' | 'always';
  /**
   * Where alarms are sent; `secrets` sign, newest first. `allowPrivate` allows other networks than the public Internet. `news`:
   * what is sent beside alarms.
   */
  alarmWebhook?: {
    url: string;
    secrets: readonly string[];
    allowPrivate: boolean;
    news: readonly NewsKind[];
  };
  /** Days after which the host deletes closed alarms, finished runs, reports of calls and agents' events. */
  keepDays: { alarms: number; runs: number; reports: number; events: number };
  policyFile?: string;
  signing: SigningConfig;
  callerSecret?: string;
  /** The connector's file, and the key of Brevo's API, without which an enabled connector is refused. */
  brevo?: { file: string; apiKey?: string };
  logLevel: LogLevel;
}

/** A reader for each setting, of its type. */
const readers: { readonly [K in keyof Config]-?: (env: Variables) => Config[K] } = settingReaders;

type Environment = Readonly<Record<string, string | undefined>>;

/** Every setting of a host. */
export const allSettings = Object.keys(readers) as readonly (keyof Config)[];

/**
 * Reads the whole environment.
 * @throws CustodyError `config_invalid` whose message has one line for each missing or malformed key, never its value
 */
export const loadConfig = (environment?: Environment): Config => loadPartOfConfig(allSettings, environment);

/**
 * The same for a command that needs only some settings: variables of the others may be missing or malformed.
 * @throws CustodyError `config_invalid` as {@link loadConfig} does
 */
export function loadPartOfConfig<K extends keyof Config>(
  names: readonly K[],
  environment?: Environment,
): Pick<Config, K> {
  const { part, faults } = readPartOfConfig(names, environment);
  refuseFaults(faults);
  return part;
}

/** @throws CustodyError `config_invalid` if there is any fault */
export function refuseFaults(faults: ReadonlyMap<string, string>): void {
  const lines = [...faults].map(([name, fault]) => `${name} ${fault}`);
  if (lines.length > 0) throw new CustodyError('config_invalid', lines.join('\n'));
}

/** Settings as they were read: with a fault they are incomplete. */
export interface PartOfConfig<K extends keyof Config> {
  part: Pick<Config, K>;
  /** By variable. A fault continues a sentence that begins with its variable. */
  faults: ReadonlyMap<string, string>;
  /** The variables of which these settings are made. */
  asked: ReadonlySet<string>;
}

export function readPartOfConfig<K extends keyof Config>(
  names: readonly K[],
  environment: Environment = process.env,
): PartOfConfig<K> {
  const { values, faults } = parseVariables(environment);
  const asked = new Set<string>();
  const env = new Proxy(values, {
    get(_, name: string) {
      asked.add(name);
      return values[name];
    },
  }) as Variables;
  const part: Partial<Config> = {};
  for (const name of names) {
    try {
      const value = readers[name](env);
      if (value !== undefined) Object.assign(part, { [name]: value });
    } catch (error) {
      if (!(error instanceof KeysFault)) throw error;
      if (!faults.has(error.variable)) faults.set(error.variable, error.message);
    }
  }
  return {
    part: part as Pick<Config, K>,
    faults: new Map([...faults].filter(([name]) => asked.has(name))),
    asked,
  };
}

/** Only the keys, for the commands that encrypt and decrypt files: those use mode envelope, whatever mode the host has. */
export function loadKeyConfig(environment: Environment = process.env): KeyConfig {
  const { keyConfig } = loadPartOfConfig(['keyConfig'], { ...environment, CUSTODY_STORAGE_MODE: 'envelope' });
  if (!keyConfig) throw new Error('mode envelope without keys');
  return keyConfig;
}

/** The credentials for Twilio's REST API and media: the API key if there is one, since it can be revoked alone. */
export function twilioCredentials(
  config: Pick<Config, 'accountSid' | 'authToken' | 'apiKey'>,
): MediaCredentials {
  if (config.apiKey) return { username: config.apiKey.sid, password: config.apiKey.secret };
  return { username: config.accountSid, password: config.authToken ?? '' };
}
