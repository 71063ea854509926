import {
  asAccountSid,
  asWorkspaceSid,
  measuredNames,
  type NewsKind,
  newsKinds,
  storageClasses,
} from '@flex-custody/core';
import { z } from 'zod';
import { isRole, roleNames } from './roles.ts';
import {
  anyCaseFlag,
  baseUrl,
  flag,
  isNetwork,
  isOrigin,
  isSafe,
  list,
  matching,
  publicUrl,
  secrets,
  sourceHours,
  whole,
} from './shapes.ts';

/** Relative to the current directory, as every file that a setting names. */
export const signingKeyFile = '.data/signing-key.pem';

const isNewsKind = (name: string): name is NewsKind => (newsKinds as readonly string[]).includes(name);

/**
 * Every variable of the environment that the host reads, with its default and what it means. docs/configuration.md and
 * .env.example are checked against this table.
 */
export const variables = z.object({
  TWILIO_ACCOUNT_SID: z
    .string()
    .transform((text, issues) => {
      const sid = asAccountSid(text);
      if (!sid)
        issues.addIssue({ code: 'custom', message: 'must be AC and 32 lower-case hexadecimal digits' });
      return sid ?? z.NEVER;
    })
    .describe('The account whose recordings are kept.'),
  TWILIO_AUTH_TOKEN: matching(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits')
    .optional()
    .describe('Auth token of the account. Either this or the API key pair is needed.'),
  TWILIO_AUTH_TOKEN_SECONDARY: matching(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits')
    .optional()
    .describe(
      "The account's other auth token while it is rotated: signatures of Event Streams' webhook by either are accepted.",
    ),
  TWILIO_API_KEY: matching(/^SK[0-9a-f]{32}$/, 'must be SK and 32 lower-case hexadecimal digits')
    .optional()
    .describe('API key used instead of the auth token, with its secret.'),
  TWILIO_API_SECRET: matching(/^\S{16,128}$/, 'must be 16 to 128 characters without spaces')
    .optional()
    .describe('Secret of the API key.'),
  TWILIO_WORKSPACE_SID: z
    .string()
    .transform((text, issues) => {
      const sid = asWorkspaceSid(text);
      if (!sid)
        issues.addIssue({ code: 'custom', message: 'must be WS and 32 lower-case hexadecimal digits' });
      return sid ?? z.NEVER;
    })
    .describe("Flex's TaskRouter workspace."),
  TWILIO_REALM: matching(/^[a-z0-9-]{2,32}$/, 'must be a realm such as stage')
    .optional()
    .describe('Realm of the Flex tokens, where it is not the usual one.'),
  CUSTODY_PUBLIC_URL: publicUrl.describe(
    'Where browsers and the Functions reach this host: an https:// origin, without a path.',
  ),
  HOST: matching(/^[\w.:-]{1,255}$/, 'must be a host name or address')
    .default('127.0.0.1')
    .describe('Address to listen on.'),
  PORT: whole(0, 65_535).default(4100).describe('Port to listen on; 0 takes a free one.'),
  CUSTODY_OPS_HOST: matching(/^[\w.:-]{1,255}$/, 'must be a host name or address')
    .default('127.0.0.1')
    .describe('Address of the listener for health, metrics and the command line.'),
  CUSTODY_OPS_PORT: whole(0, 65_535)
    .default(4190)
    .describe('Port of the listener for health, metrics and the command line.'),
  CUSTODY_OPS_NAMES: list
    .refine((names) => names.every((name) => /^[A-Za-z0-9.-]{1,255}$/.test(name)), {
      error: 'must be host names, with commas between',
    })
    .optional()
    .describe(
      'Host names under which monitoring may ask for health and metrics, such as the name of a service or a container, with commas between. Addresses and localhost always work.',
    ),
  CUSTODY_TRUSTED_PROXIES: list
    .refine((proxies) => proxies.every(isNetwork), {
      error: 'must be addresses or networks such as 10.0.0.0/8, with commas between',
    })
    .default(['127.0.0.0/8', '::1'])
    .describe(
      "Proxies in front of the host whose X-Forwarded-For says a client's address, as addresses or networks; empty trusts none.",
    ),
  CUSTODY_ROLES: list
    .refine((names) => names.length > 0 && names.every(isRole), {
      error: `must be of ${roleNames.join(', ')}, with commas between`,
    })
    .transform((names) => names.filter(isRole))
    .default([...roleNames])
    .describe(
      'What this process does: answer requests (http), run jobs (worker), follow the agents’ events, and send to Brevo (recorder).',
    ),
  AWS_REGION: matching(/^[a-z0-9-]{2,32}$/, 'must be a region such as eu-central-1').describe(
    'Region of the bucket.',
  ),
  AWS_ENDPOINT_URL_S3: baseUrl.optional().describe('Endpoint of the S3 service, if it is not AWS.'),
  AWS_ENDPOINT_URL_KINESIS: baseUrl
    .refine((text) => isSafe(text), { error: 'must be an https:// URL (http:// on loopback alone)' })
    .optional()
    .describe('Endpoint of Kinesis, if it is not AWS.'),
  AWS_ACCESS_KEY_ID: matching(/^\S{2,128}$/, 'must be 2 to 128 characters without spaces')
    .optional()
    .describe('Access key of the bucket; without it the AWS SDK finds credentials itself (role, profile).'),
  AWS_SECRET_ACCESS_KEY: matching(/^\S{2,256}$/, 'must be 2 to 256 characters without spaces')
    .optional()
    .describe('Secret of the access key.'),
  AWS_SESSION_TOKEN: matching(/^\S{2,8192}$/, 'must be 2 to 8192 characters without spaces')
    .optional()
    .describe('Session token, with temporary credentials.'),
  CUSTODY_BUCKET: matching(/^[A-Za-z0-9._-]{3,255}$/, 'must be the name of a bucket').describe(
    'The bucket that holds the recordings.',
  ),
  CUSTODY_S3_PATH_STYLE: flag
    .optional()
    .describe('Address the bucket by path instead of host name; true by default when an endpoint is set.'),
  CUSTODY_STORAGE_MODE: z
    .enum(['envelope', 'sse-kms'], { error: 'must be envelope or sse-kms' })
    .default('envelope')
    .describe(
      'Who encrypts: the Function or host, before the bytes leave the process (envelope), or S3 (sse-kms).',
    ),
  CUSTODY_SSE_KMS_KEY_ID: list
    .refine((keys) => keys.length > 0 && keys.every((key) => /^\S{1,2048}$/.test(key)), {
      error: 'must be KMS key ids or ARNs, newest first, with commas between',
    })
    .optional()
    .describe(
      "KMS key of the mode sse-kms, by id or ARN, followed by the keys used before; without it the bucket's default key.",
    ),
  CUSTODY_STORAGE_CLASS: z
    .enum(storageClasses, {
      error: `must be one of ${storageClasses.join(', ')}: recordings are read at once, and not from an archive`,
    })
    .optional()
    .describe(
      "Storage class of recordings: STANDARD, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING or GLACIER_IR; without it the store's default.",
    ),
  CUSTODY_KEY_KIND: z
    .enum(['rsa', 'raw-aes', 'kms'], { error: 'must be rsa, raw-aes or kms' })
    .optional()
    .describe('Kind of the keys that open recordings. Needed in mode envelope.'),
  CUSTODY_KEY_FILE: z
    .string()
    .optional()
    .describe('File with the keys (rsa, raw-aes), newest first. Either this or CUSTODY_KEYS.'),
  CUSTODY_KEYS: z.string().optional().describe('The text of a key file, instead of a file.'),
  CUSTODY_KMS_KEY_IDS: list
    .refine(
      (arns) => arns.length > 0 && arns.every((arn) => /^arn:[\w-]+:kms:[^\s:]+:\d{12}:\S+$/.test(arn)),
      {
        error: 'must be ARNs of KMS keys, newest first, with commas between',
      },
    )
    .optional()
    .describe('ARNs of the KMS keys (kind kms), newest first.'),
  CUSTODY_SECRETS_KEY: list
    .refine(
      (keys) => keys.length >= 1 && keys.length <= 2 && keys.every((key) => /^[A-Za-z0-9+/]{43}=$/.test(key)),
      {
        error:
          'must be base64 of 32 bytes, or two of them while rotating; `openssl rand -base64 32` makes one',
      },
    )
    .transform((keys) => keys.map((key) => new Uint8Array(Buffer.from(key, 'base64'))))
    .optional()
    .describe(
      'Key of the stored secrets in mode sse-kms, where no other key encrypts them; the one before it, behind it, while rotating.',
    ),
  CUSTODY_TWILIO_KEY_FILE: z
    .string()
    .optional()
    .describe(
      "File with the private keys (PKCS8) of Twilio's Voice Recording Encryption, each after a line `# key id: CR…` with the SID of its public key.",
    ),
  CUSTODY_FUNCTION_SECRETS: secrets.describe(
    'Secret with which the Functions sign their requests (their CUSTODY_HOST_SECRET); a second one while rotating.',
  ),
  CUSTODY_MEDIA_SECRET: z
    .string()
    .refine((text) => /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length >= 32, {
      error: 'must be base64 of at least 32 bytes; `openssl rand -base64 32` makes one',
    })
    .transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
    .describe('Signs the short-lived media links.'),
  CUSTODY_MEDIA_TTL_SECONDS: whole(5, 900)
    .default(600)
    .describe('How long a media link is valid, in seconds.'),
  CUSTODY_STREAMS_PER_VIEWER: whole(1, 10_000)
    .default(24)
    .describe('Requests for audio that one viewer may have open at once, over all of their links.'),
  CUSTODY_STREAMS_PER_ADDRESS: whole(1, 100_000)
    .default(128)
    .describe(
      'Requests for audio that one address may have open at once; a whole office may share one address.',
    ),
  CUSTODY_FLEX_ORIGINS: list
    .refine((origins) => origins.length > 0 && origins.every((o) => isOrigin(o) && new URL(o).origin === o), {
      error: 'must be origins such as https://flex.twilio.com, with commas between',
    })
    .default(['https://flex.twilio.com'])
    .describe('Origins whose pages may play recordings.'),
  CUSTODY_AGENTS_MAY_PLAY_OWN: flag
    .default(false)
    .describe('Whether agents may play the calls they handled.'),
  CUSTODY_MEDIA_CHANNELS: list
    .default(['customer', 'others'])
    .describe('Channel names sent to Flex Insights; empty sends none.'),
  CUSTODY_CONFERENCE_FIRST: z
    .enum(['agent', 'customer'], { error: 'must be agent or customer' })
    .default('agent')
    .describe(
      'Who joins a conference first, and so speaks on the first channel of its recording: agent or customer.',
    ),
  CUSTODY_INSIGHTS_MEASURES: list
    .transform((pairs, context) =>
      pairs.map((pair) => {
        const [of, number] = pair.split('=');
        const name = measuredNames.find((known) => known === of);
        if (name && /^([1-9]|10)$/.test(number ?? '')) return { of: name, measure: Number(number) };
        context.addIssue({
          code: 'custom',
          message:
            'must be pairs such as agent=1,customer=2 of agent, customer, crosstalk, silence, monologue and 1 to 10',
        });
        return z.NEVER;
      }),
    )
    .refine((pairs) => new Set(pairs.map(({ measure }) => measure)).size === pairs.length, {
      error: 'must not name a measure twice',
    })
    .optional()
    .describe(
      "Which of a conversation's measures in Flex Insights are written with talk metrics, in seconds; none by default.",
    ),
  CUSTODY_SEGMENT_LINK_DAYS: whole(0, 30)
    .default(0)
    .describe(
      'Days for which a link for the older Player is valid, which plays without a token; 0 writes no such links.',
    ),
  TwilioEnablePauseResume: anyCaseFlag
    .optional()
    .describe(
      'Whether agents may pause the recording of a call; True and False are accepted too. Unset: they may not. The same key of the data source wins, and must not contradict it.',
    ),
  CUSTODY_PAUSE_BEHAVIOR: z
    .enum(['silence', 'skip'], { error: 'must be silence or skip' })
    .default('silence')
    .describe('What a pause leaves in the recording: silence of its length, or nothing.'),
  CUSTODY_PAUSE_RESUME_SECONDS: whole(0, 14_400)
    .default(600)
    .describe('Seconds after which the host ends a pause; with 0 it waits for the wrap-up.'),
  CUSTODY_WATCH_CALLS: flag
    .default(true)
    .describe(
      'Whether the host looks at live calls each minute: whose they are, and whether they are recorded.',
    ),
  CUSTODY_LINK_AT_ACCEPTANCE: flag
    .default(false)
    .describe(
      "Whether a call's task gets a link when an agent accepts it, which plays the first recording of that reservation once there is one.",
    ),
  CUSTODY_STREAM_START: z
    .enum(['trim_horizon', 'latest'], { error: 'must be trim_horizon or latest' })
    .default('trim_horizon')
    .describe(
      'Where the host begins a stream of events that it has never followed: with the oldest event (trim_horizon), or with what arrives from then on (latest).',
    ),
  CUSTODY_STREAM_SILENT_MINUTES: whole(0, 1_440)
    .default(10)
    .describe(
      'Minutes after which a live call without any event raises an alarm about the stream of events; 0: never.',
    ),
  CUSTODY_VOICE_CONSENT: z
    .enum(['required', 'not-required'], { error: 'must be required or not-required' })
    .default('required')
    .describe(
      "Whether a caller's voice goes to the vendor of voice biometrics only with their consent, or on another lawful basis: required or not-required.",
    ),
  DATABASE_URL: matching(/^postgres(ql)?:\/\/\S+$/, 'must be a postgres:// URL')
    .optional()
    .describe('PostgreSQL to use instead of the embedded database.'),
  CUSTODY_DATA_DIR: z.string().default('.data/host').describe('Folder of the embedded database.'),
  // Shorter than a Function may run, a second copy would begin beside one that is not over.
  CUSTODY_LEASE_MS: whole(12_000, 60_000)
    .default(15_000)
    .describe(
      "How long a Function may work on a copy before the host takes over, in ms; Twilio's limit is 10 s.",
    ),
  CUSTODY_COPIES_AT_ONCE: whole(1, 64).default(2).describe('Copies and verifications a worker does at once.'),
  CUSTODY_RETRIES: whole(0, 30)
    .default(12)
    .describe('How often the host retries a failed job before the job is a dead letter.'),
  CUSTODY_RETRY_SECONDS: whole(1, 3_600)
    .default(2)
    .describe('Seconds before the first retry; each further wait is about twice as long.'),
  CUSTODY_REPAIR_MINUTES: whole(0, 1_440)
    .default(15)
    .describe(
      "Minutes between two comparisons of TaskRouter's events with the inbox; each takes in what the stream lost. 0: never.",
    ),
  CUSTODY_MISSING_MINUTES: whole(0, 1_440)
    .default(30)
    .describe(
      'Minutes after the end of a call until the alarm `recording_missing`, where an agent took part and no recording has come; 0: never.',
    ),
  CUSTODY_RECONCILE_MINUTES: whole(0, 10_080)
    .default(60)
    .describe(
      "Minutes between two searches of Twilio's list for recordings that no callback announced; 0: never, and the bucket is not compared either.",
    ),
  CUSTODY_RECONCILE_HOURS: whole(1, 960)
    .default(48)
    .describe(
      'Hours of the list that the first search reads; each later one begins 2 hours before the last one began.',
    ),
  CUSTODY_INVENTORY: matching(
    /^s3:\/\/[A-Za-z0-9._-]{3,255}(\/\S{0,1024})?$/,
    'must be s3://bucket or s3://bucket/prefix',
  )
    .transform((text) => {
      const [bucket = '', ...path] = text.slice('s3://'.length).split('/');
      const prefix = path.join('/').replace(/\/+$/, '');
      return { bucket, prefix: prefix === '' ? '' : `${prefix}/` };
    })
    .optional()
    .describe(
      "Where S3 puts the inventory of the recordings' bucket, as s3://bucket/prefix: the daily comparison of a very large bucket reads its keys there instead of listing them.",
    ),
  DELETE_SOURCE_AFTER: matching(
    /^(off|on|\d{1,4}h|\d{1,3}d)$/,
    'must be off, on (24 hours), or a time such as 24h or 7d',
  )
    .transform((text, context) => {
      const hours = sourceHours(text);
      if (hours !== undefined && hours < 2)
        context.addIssue({
          code: 'custom',
          message: 'must be at least 2h: Flex Insights reads the original until then',
        });
      return hours;
    })
    .optional()
    .describe(
      'How long after its verification the original at Twilio is deleted (24h, 7d, on for 24h); if off or unset, the host keeps it.',
    ),
  CUSTODY_ACCEPT_UNVERSIONED: flag
    .default(false)
    .describe(
      'Whether the host deletes originals at Twilio even if the bucket keeps no versions. Then anyone who may write to the bucket can replace the only copy.',
    ),
  CUSTODY_PROVE: z
    .enum(['before-deletion', 'always'], { error: 'must be before-deletion or always' })
    .default('before-deletion')
    .describe(
      "When a copy is compared with Twilio's media: before the original is deleted, or right after each verification.",
    ),
  CUSTODY_POLICY_FILE: z
    .string()
    .optional()
    .describe(
      'Policy file (YAML) that a start applies: how long recordings are kept, and which are held. Unset: the policy in force stays.',
    ),
  CUSTODY_NODE: matching(/^[\w.-]{1,128}$/, 'must be 1 to 128 letters, digits and _ . -')
    .optional()
    .describe('Name of this node; the data source assigns work to nodes by name. The host name by default.'),
  CUSTODY_DATA_SOURCE_FILE: z
    .string()
    .optional()
    .describe(
      'File (YAML) that rules the settings of the data source: everything else can then only read them. Unset: the database has them.',
    ),
  CUSTODY_EMPLOYEES_FILE: z
    .string()
    .default('employees.yaml')
    .describe(
      "File (YAML) with the employees. If it does not exist, TaskRouter's workers are the employees.",
    ),
  CUSTODY_ALARM_DAYS: whole(1, 36_500)
    .default(90)
    .describe('Days after which the host deletes a closed alarm.'),
  CUSTODY_ALARM_WEBHOOK: z
    .string()
    .refine((text) => isOrigin(text) && !/[@#]/.test(text), {
      error: 'must be an https:// URL without credentials and fragment',
    })
    .optional()
    .describe(
      'URL that receives each alarm when it is raised and when it is resolved, signed; none by default.',
    ),
  CUSTODY_ALARM_WEBHOOK_SECRET: secrets
    .optional()
    .describe(
      'Signs what CUSTODY_ALARM_WEBHOOK receives. A second one, behind it, signs too while the receiver changes to the first.',
    ),
  CUSTODY_ALARM_WEBHOOK_PRIVATE: flag
    .default(false)
    .describe(
      'Allows CUSTODY_ALARM_WEBHOOK to be in a private network or on this machine, and to use http://. Otherwise it must be https:// on the public Internet.',
    ),
  CUSTODY_ALARM_WEBHOOK_NEWS: list
    .refine((kinds) => kinds.every(isNewsKind), {
      error: `must be of ${newsKinds.join(', ')}, with commas between`,
    })
    .transform((kinds) => kinds.filter(isNewsKind))
    .optional()
    .describe(
      'Good news that CUSTODY_ALARM_WEBHOOK receives beside alarms: `recording.proven` for each recording whose copy is proven to be equal to Twilio’s media.',
    ),
  CUSTODY_RUN_DAYS: whole(7, 36_500)
    .default(90)
    .describe('Days after which the host deletes a finished run of long work, such as `import`.'),
  CUSTODY_REPORT_DAYS: whole(30, 36_500)
    .default(400)
    .describe(
      'Days after which the host deletes reports of plugins, and workers whom no token has named since. Pauses stay as long as a recording of their call.',
    ),
  CUSTODY_EVENT_DAYS: whole(31, 36_500)
    .default(35)
    .describe(
      "Days after which the host deletes agents' events, counted from when they came. Gaps are filled from TaskRouter's Events API, which has 30 days.",
    ),
  CUSTODY_CERTIFICATE_KEY_FILE: z
    .string()
    .default('.data/certificate-key.pem')
    .describe(
      'File with the key that signed certificates in earlier releases; the host still verifies them with it.',
    ),
  CUSTODY_SIGNING_KEY_FILE: z
    .string()
    .default(signingKeyFile)
    .describe(
      "File with the hosts' Ed25519 keys, newest first: the first signs, all of them verify. The first start makes it; back it up.",
    ),
  CUSTODY_SIGNING_KEYS: z
    .string()
    .optional()
    .describe('The text of the signing key file, instead of the file.'),
  CUSTODY_CALLER_SECRET: matching(
    /^[A-Za-z0-9+/]{43}=$/,
    'must be base64 of 32 bytes; `openssl rand -base64 32` makes one',
  )
    .optional()
    .describe(
      'Secret of the digests by which legal holds and `erase --caller` find the recordings of a caller. Without it neither can. Never change it.',
    ),
  CUSTODY_BREVO_FILE: z
    .string()
    .optional()
    .describe(
      'File (YAML) of the connector to Brevo: what is sent, under which names. Unset: there is no connector, and nothing is sent.',
    ),
  CUSTODY_BREVO_API_KEY: matching(/^\S{16,256}$/, 'must be 16 to 256 characters without spaces')
    .optional()
    .describe("Brevo's API key. Needed with CUSTODY_BREVO_FILE, as long as that file enables the connector."),
  CUSTODY_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be fatal, error, warn, info, debug, trace or silent',
    })
    .default('info')
    .describe('How much is logged.'),
});

export type Variables = z.output<typeof variables>;
export type VariableName = keyof Variables;

/** Empty says something here; elsewhere an empty variable is an unset one. */
export const emptyHasMeaning: ReadonlySet<string> = new Set<VariableName>([
  'CUSTODY_MEDIA_CHANNELS',
  'CUSTODY_TRUSTED_PROXIES',
]);
