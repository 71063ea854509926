import { isLanguage, isRoleArn, isTimeZone, isWssUrl, regionFault, regions, streamFault } from './shapes.ts';

interface Common {
  /** The same text as in docs/recorder.md and in the JSON schema. */
  means: string;
  /** What an operator does about a value that is refused. */
  next: string;
}

/** Lengths are in characters. */
type Text = Common & {
  kind: 'text';
  min: number;
  max: number;
  default?: string;
  /** Undefined: well formed. Else what it must be, which continues a sentence that begins with the key. */
  fault?(text: string): string | undefined;
};
type Field =
  | Text
  | (Common & { kind: 'whole'; unit: string; min: number; max: number; default: number })
  | (Common & { kind: 'choice'; values: readonly string[]; default?: string })
  | (Common & { kind: 'flag'; default: boolean })
  | (Common & { kind: 'list'; least: number; most: number })
  /** Kept in the store of secrets as `data-source/<key>`, never among the settings. */
  | (Common & { kind: 'secret'; min: number; max: number; shape?: RegExp; must?: string })
  | (Common & { kind: 'pairs' });

const must = (isGood: (text: string) => boolean, text: string) => (value: string) =>
  isGood(value) ? undefined : text;
const matching = (shape: RegExp, text: string) => must((value) => shape.test(value), text);
const label = (means: string) =>
  ({ kind: 'text', min: 1, max: 128, means, next: 'shorten it, or leave it out' }) as const;

/** Every setting of the data source. Validation, JSON schema, documentation, command line and routes follow this table. */
export const fields = {
  seating: {
    kind: 'choice',
    values: ['Free'],
    default: 'Free',
    means: 'Agents have no fixed workstation: the logged-on worker identifies the employee.',
    next: 'set Free, the only value',
  },
  minimumSessionSeconds: {
    kind: 'whole',
    unit: 'seconds',
    min: 0,
    max: 3_600,
    default: 0,
    means: 'Calls that are connected for less than this are deleted, in seconds; 0 deletes none.',
    next: 'set 0 to keep every call',
  },
  longCallMinutes: {
    kind: 'whole',
    unit: 'minutes',
    min: 1,
    max: 1_440,
    default: 120,
    means: 'A call that lasts longer raises an alarm, and its tracking is closed, in minutes.',
    next: 'set 120, the default, or more for longer calls',
  },
  longHoldMinutes: {
    kind: 'whole',
    unit: 'minutes',
    min: 1,
    max: 3_000,
    default: 30,
    means: 'A single hold that lasts longer raises an alarm, in minutes.',
    next: 'set 30, the default, or more for longer holds',
  },
  sessionAuditing: {
    kind: 'choice',
    values: ['Full Switch'],
    default: 'Full Switch',
    means: 'Every session that the switch reports is kept and marked.',
    next: 'set Full Switch, the only value',
  },
  textLanguage: {
    kind: 'text',
    min: 2,
    max: 35,
    fault: must(isLanguage, 'must be a BCP 47 language tag of 2 to 35 characters, such as en-US'),
    means: 'Language of text sessions whose source names none, as a BCP 47 tag.',
    next: 'give the tag, not the name of the language',
  },
  timeZone: {
    kind: 'text',
    min: 1,
    max: 64,
    default: 'UTC',
    fault: must(isTimeZone, 'must be an IANA time zone of 1 to 64 characters, such as Europe/Madrid'),
    means: 'Time zone in which the dates of employees are read.',
    next: 'give a name of https://www.iana.org/time-zones',
  },
  defaultOrganization: {
    kind: 'text',
    min: 1,
    max: 128,
    means: 'Organization of the default employee. It is set before the person.',
    next: 'give the organization as the employees have it',
  },
  defaultEmployee: {
    kind: 'text',
    min: 1,
    max: 128,
    means: 'Id of the employee who gets the recordings that match no employee.',
    next: 'give the id as the employees have it',
  },
  streamName: {
    kind: 'text',
    min: 1,
    max: 1_024,
    fault: streamFault,
    means: "The agents' event stream in Kinesis, by name or ARN.",
    next: 'copy the name or the ARN from the Kinesis console',
  },
  region: {
    kind: 'choice',
    values: regions,
    means: "Region of the stream; blank takes the ARN's region, or else AWS_REGION.",
    next: 'set customRegion if the code is right and this release does not know it',
  },
  customRegion: {
    kind: 'text',
    min: 1,
    max: 64,
    fault: regionFault,
    means: 'Code of a region that the list of `region` lacks; blank by default.',
    next: 'give the code, such as eu-central-1',
  },
  specifyCredentials: {
    kind: 'flag',
    default: false,
    means: "Read the stream with the access key below instead of the host's own AWS identity.",
    next: 'set true or false',
  },
  accessKeyId: {
    kind: 'text',
    min: 1,
    max: 1_024,
    fault: matching(/^\S+$/, 'must have no spaces'),
    means: 'Access key that reads the stream.',
    next: 'copy the access key id from IAM',
  },
  secretAccessKey: {
    kind: 'secret',
    min: 1,
    max: 1_024,
    means: 'Secret of that access key.',
    next: 'copy the secret access key from IAM',
  },
  specifyRole: {
    kind: 'flag',
    default: false,
    means: 'Assume the role below to read the stream.',
    next: 'set true or false',
  },
  roleArn: {
    kind: 'text',
    min: 1,
    max: 1_024,
    fault: must(isRoleArn, 'must be the ARN of a role, such as arn:aws:iam::111122223333:role/read-events'),
    means: 'ARN of the role that reads the stream.',
    next: 'copy the ARN from IAM',
  },
  externalId: {
    kind: 'text',
    min: 1,
    max: 1_024,
    fault: matching(/^[\w+=,.@:/-]*$/, 'must have only letters, digits and _ + = , . @ : / -'),
    means: "External id of the role's trust policy.",
    next: 'copy sts:ExternalId from the trust policy of the role',
  },
  roleSessionName: {
    kind: 'text',
    min: 2,
    max: 64,
    fault: matching(/^[\w+=,.@-]*$/, 'must have 2 to 64 characters, only letters, digits and _ + = , . @ -'),
    means: 'Name of the session of the role; generated where it is blank.',
    next: 'leave it out to have one generated',
  },
  twilioAccountSid: {
    kind: 'text',
    min: 34,
    max: 34,
    fault: matching(/^AC[0-9a-f]{32}$/, 'must be AC and 32 lower-case hexadecimal digits'),
    means: "Twilio account of the agents, which is the host's own; blank uses the host's credentials.",
    next: 'copy it from Account Info on the first page of https://console.twilio.com',
  },
  twilioAuthToken: {
    kind: 'secret',
    min: 32,
    max: 32,
    shape: /^[0-9a-f]{32}$/,
    must: 'must be 32 lower-case hexadecimal digits',
    means: 'Auth token of that account.',
    next: 'copy it from Account Info on the first page of https://console.twilio.com',
  },
  twilioApiKey: {
    kind: 'text',
    min: 34,
    max: 34,
    fault: matching(/^SK[0-9a-f]{32}$/, 'must be SK and 32 lower-case hexadecimal digits'),
    means: 'API key of that account, for its REST API.',
    next: 'copy the SID of the key from the Twilio Console: API keys',
  },
  twilioApiSecret: {
    kind: 'secret',
    min: 16,
    max: 128,
    shape: /^\S+$/,
    must: 'must have no spaces',
    means: 'Secret of that API key.',
    next: 'create another API key if its secret is lost',
  },
  integrationNode: {
    kind: 'text',
    min: 1,
    max: 128,
    fault: matching(/^[\w.-]+$/, 'must be a node name of letters, digits and _ . -'),
    means: 'The one node that follows the events (its CUSTODY_NODE); blank: every node.',
    next: 'give the CUSTODY_NODE of that node',
  },
  redundantPair: {
    kind: 'list',
    least: 2,
    most: 2,
    means: 'The two nodes that follow the events. Each takes over when the other ends.',
    next: 'give two different node names, with a comma between',
  },
  captureNodes: {
    kind: 'list',
    least: 1,
    most: 64,
    means: 'Nodes that take live audio; blank: every node.',
    next: 'give node names with commas between, or leave it out',
  },
  tenant: label('Label: tenant.'),
  siteGroup: label('Label: site group.'),
  site: label('Label: site.'),
  server: label('Label: server.'),
  advanced: {
    kind: 'pairs',
    means: 'Advanced keys and values.',
    next: 'give keys and values',
  },
} as const satisfies Readonly<Record<string, Field>>;

/** The advanced keys; their case counts. */
export const advancedFields = {
  TwilioEnablePauseResume: {
    kind: 'choice',
    values: ['True', 'False'],
    means: "Whether agents may pause the recording of a call; left out, the host's environment decides.",
    next: 'write True or False with a capital letter',
  },
  WEBSOCKET_TARGET_URL: {
    kind: 'text',
    min: 1,
    max: 1_024,
    fault: must(isWssUrl, 'must be a wss:// URL without a query, a fragment and credentials'),
    means: 'Where Twilio sends live audio for the recorder.',
    next: 'give the address of the load balancer, such as wss://recorder.example.com/twilio/v1',
  },
} as const satisfies Readonly<Record<string, Field>>;

type Fields = typeof fields;
type Advanced = typeof advancedFields;
export type Key = keyof Fields;
export type AnyField = Field;

type ValueOf<F> = F extends { kind: 'whole' }
  ? number
  : F extends { kind: 'flag' }
    ? boolean
    : F extends { kind: 'list' }
      ? readonly string[]
      : F extends { kind: 'choice'; values: readonly (infer V)[] }
        ? V
        : F extends { kind: 'pairs' }
          ? { readonly [K in keyof Advanced]?: ValueOf<Advanced[K]> }
          : string;

export type SecretKey = { [K in Key]: Fields[K] extends { kind: 'secret' } ? K : never }[Key];
type Given = Exclude<Key, SecretKey>;
type Always = { [K in Given]: Fields[K] extends { default: unknown } | { kind: 'pairs' } ? K : never }[Given];

/** The settings of the data source with their defaults, without secrets. */
export type DataSource = { readonly [K in Always]: ValueOf<Fields[K]> } & {
  readonly [K in Exclude<Given, Always>]?: ValueOf<Fields[K]>;
};

export const fieldOf = (key: Key): Field => fields[key];
export const keys = Object.keys(fields).filter(isKey);
export const secretKeys = keys.filter(isSecretKey);

export function isKey(key: string): key is Key {
  return Object.hasOwn(fields, key);
}
export function isSecretKey(key: string): key is SecretKey {
  return isKey(key) && fields[key].kind === 'secret';
}

/** Its name in the store of secrets. */
export const secretName = (key: SecretKey): string => `data-source/${key}`;
