import { hostname } from 'node:os';
import type { StoreConfig } from '@flex-custody/vault';
import { readKeys, readTwilioKeysOf } from './keys.ts';
import { signingKeyFile, type Variables } from './variables.ts';

/**
 * How each setting is made of variables. A reader gets undefined for a variable that is missing or malformed, and its result is
 * then ignored. A setting needs the variables that its reader reads, so each reader reads all of them.
 */
export const readers = {
  accountSid: (env) => env.TWILIO_ACCOUNT_SID,
  authToken: (env) => env.TWILIO_AUTH_TOKEN,
  secondaryAuthToken: (env) => env.TWILIO_AUTH_TOKEN_SECONDARY,
  apiKey({ TWILIO_API_KEY: sid, TWILIO_API_SECRET: secret }) {
    return sid && secret ? { sid, secret } : undefined;
  },
  workspaceSid: (env) => env.TWILIO_WORKSPACE_SID,
  realm: (env) => env.TWILIO_REALM,
  publicUrl: (env) => env.CUSTODY_PUBLIC_URL,
  host: (env) => env.HOST,
  port: (env) => env.PORT,
  ops: (env) => ({ host: env.CUSTODY_OPS_HOST, port: env.CUSTODY_OPS_PORT }),
  opsNames: (env) => env.CUSTODY_OPS_NAMES ?? [],
  trustedProxies: (env) => env.CUSTODY_TRUSTED_PROXIES,
  roles: (env) => env.CUSTODY_ROLES,
  store: (env) => ({
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
  }),
  keyConfig: readKeys,
  secretsKeys: (env) => env.CUSTODY_SECRETS_KEY ?? [],
  twilioKeys: readTwilioKeysOf,
  functionSecrets: (env) => env.CUSTODY_FUNCTION_SECRETS,
  mediaSecret: (env) => env.CUSTODY_MEDIA_SECRET,
  mediaTtlSeconds: (env) => env.CUSTODY_MEDIA_TTL_SECONDS,
  streamsPerViewer: (env) => env.CUSTODY_STREAMS_PER_VIEWER,
  streamsPerAddress: (env) => env.CUSTODY_STREAMS_PER_ADDRESS,
  flexOrigins: (env) => env.CUSTODY_FLEX_ORIGINS,
  agentsMayPlayOwn: (env) => env.CUSTODY_AGENTS_MAY_PLAY_OWN,
  mediaChannels: (env) => env.CUSTODY_MEDIA_CHANNELS,
  conferenceFirst: (env) => env.CUSTODY_CONFERENCE_FIRST,
  insightsMeasures: (env) => env.CUSTODY_INSIGHTS_MEASURES ?? [],
  segmentLinkDays: (env) => env.CUSTODY_SEGMENT_LINK_DAYS,
  pause: (env) => ({
    enabled: env.TwilioEnablePauseResume ?? false,
    behavior: env.CUSTODY_PAUSE_BEHAVIOR,
    resumeAfterSeconds: env.CUSTODY_PAUSE_RESUME_SECONDS,
  }),
  pauseSet: (env) => env.TwilioEnablePauseResume,
  node: (env) => env.CUSTODY_NODE ?? hostname(),
  dataSourceFile: (env) => env.CUSTODY_DATA_SOURCE_FILE,
  employeesFile: (env) => env.CUSTODY_EMPLOYEES_FILE,
  stream: (env) => ({
    start: env.CUSTODY_STREAM_START,
    silentMinutes: env.CUSTODY_STREAM_SILENT_MINUTES,
    ...(env.AWS_ENDPOINT_URL_KINESIS && { endpoint: env.AWS_ENDPOINT_URL_KINESIS }),
  }),
  voiceConsent: (env) => env.CUSTODY_VOICE_CONSENT,
  linkAtAcceptance: (env) => env.CUSTODY_LINK_AT_ACCEPTANCE,
  watchCalls: (env) => env.CUSTODY_WATCH_CALLS,
  database: (env) => (env.DATABASE_URL ? { url: env.DATABASE_URL } : { directory: env.CUSTODY_DATA_DIR }),
  leaseMs: (env) => env.CUSTODY_LEASE_MS,
  copiesAtOnce: (env) => env.CUSTODY_COPIES_AT_ONCE,
  retries: (env) => ({ limit: env.CUSTODY_RETRIES, delaySeconds: env.CUSTODY_RETRY_SECONDS }),
  repairMinutes: (env) => env.CUSTODY_REPAIR_MINUTES,
  missingMinutes: (env) => env.CUSTODY_MISSING_MINUTES,
  reconcile: (env) => ({ everyMinutes: env.CUSTODY_RECONCILE_MINUTES, hours: env.CUSTODY_RECONCILE_HOURS }),
  inventory: (env) => env.CUSTODY_INVENTORY,
  prove: (env) => env.CUSTODY_PROVE,
  deleteSourceAfterHours: (env) => env.DELETE_SOURCE_AFTER,
  acceptUnversioned: (env) => env.CUSTODY_ACCEPT_UNVERSIONED,
  alarmWebhook({
    CUSTODY_ALARM_WEBHOOK: url,
    CUSTODY_ALARM_WEBHOOK_SECRET: secrets = [],
    CUSTODY_ALARM_WEBHOOK_PRIVATE: allowPrivate,
    CUSTODY_ALARM_WEBHOOK_NEWS: news = [],
  }) {
    return url === undefined ? undefined : { url, secrets, allowPrivate, news };
  },
  keepDays: (env) => ({
    alarms: env.CUSTODY_ALARM_DAYS,
    runs: env.CUSTODY_RUN_DAYS,
    reports: env.CUSTODY_REPORT_DAYS,
    events: env.CUSTODY_EVENT_DAYS,
  }),
  policyFile: (env) => env.CUSTODY_POLICY_FILE,
  signing: (env) => ({
    file: env.CUSTODY_SIGNING_KEY_FILE,
    configured: env.CUSTODY_SIGNING_KEY_FILE !== signingKeyFile,
    ...(env.CUSTODY_SIGNING_KEYS !== undefined && { keys: env.CUSTODY_SIGNING_KEYS }),
    certificateKeyFile: env.CUSTODY_CERTIFICATE_KEY_FILE,
  }),
  callerSecret: (env) => env.CUSTODY_CALLER_SECRET,
  brevo({ CUSTODY_BREVO_FILE: file, CUSTODY_BREVO_API_KEY: apiKey }) {
    return file === undefined ? undefined : { file, ...(apiKey !== undefined && { apiKey }) };
  },
  logLevel: (env) => env.CUSTODY_LOG_LEVEL,
} satisfies Record<string, (env: Variables) => unknown>;

function sseKmsKeys([newest, ...older]: readonly string[]): Pick<StoreConfig, 'kmsKeyId' | 'olderKmsKeyIds'> {
  return {
    ...(newest !== undefined && { kmsKeyId: newest }),
    ...(older.length > 0 && { olderKmsKeyIds: older }),
  };
}
