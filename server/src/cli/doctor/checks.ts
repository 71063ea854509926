import { alarmWebhook } from './alarm-webhook.ts';
import { brevo } from './brevo.ts';
import * as bucket from './bucket.ts';
import { archive, erasing, sidecars } from './bucket-erasing.ts';
import { callers } from './callers.ts';
import { dataSource } from './data-source.ts';
import * as database from './database.ts';
import { envFile } from './env-file.ts';
import { eventStreams } from './event-streams.ts';
import type { Seen } from './finding.ts';
import * as flex from './flex.ts';
import * as functions from './functions.ts';
import { host } from './host.ts';
import { inventory } from './inventory.ts';
import * as keeping from './keeping.ts';
import * as keys from './keys.ts';
import { node } from './node.ts';
import type { Scene } from './scene.ts';
import { secrets } from './secrets.ts';
import { signingKey } from './signing.ts';
import * as twilio from './twilio.ts';

export interface Check {
  group: string;
  name: string;
  /** Checks that must be ok first: while one of them has a fault, the fault of this check may follow from it. */
  after?: readonly string[] | undefined;
  /** Looks at one thing, and changes nothing but objects of its own. */
  look(scene: Scene): Promise<Seen>;
}

const bucketFirst = ['bucket'];
const after: Readonly<Record<string, readonly string[]>> = {
  workspace: ['account'],
  iam: ['account'],
  flex: ['account'],
  'event-streams': ['account'],
  versions: bucketFirst,
  'public-access': bucketFirst,
  cors: bucketFirst,
  encryption: bucketFirst,
  'object-lock': bucketFirst,
  sidecars: bucketFirst,
  erasing: bucketFirst,
  certificates: bucketFirst,
  statements: bucketFirst,
  unfinished: bucketFirst,
  functions: ['account', 'flex'],
  callback: ['account', 'flex', 'functions', 'host'],
  plugins: ['account', 'flex'],
};

const group = (name: string, looks: Readonly<Record<string, Check['look']>>): Check[] =>
  Object.entries(looks).map(([check, look]) => ({
    group: name,
    name: check,
    after: after[check],
    look,
  }));

/** Every check there is, in the order in which a new host is set up. */
export const checks: readonly Check[] = [
  ...group('Twilio', {
    account: twilio.account,
    workspace: twilio.workspace,
    iam: twilio.iam,
    clock: twilio.clock,
    'event-streams': eventStreams,
  }),
  ...group('Bucket', {
    bucket: bucket.bucket,
    versions: bucket.versions,
    'public-access': bucket.publicAccess,
    cors: bucket.cors,
    encryption: bucket.encryption,
    'object-lock': bucket.objectLock,
    sidecars,
    erasing,
    certificates: bucket.certificates,
    statements: bucket.statements,
    archive,
    inventory,
    unfinished: bucket.unfinished,
  }),
  ...group('Keys', {
    'env-file': envFile,
    key: keys.key,
    'twilio-keys': keeping.twilioKeys,
    'signing-key': signingKey,
    secrets: (scene) => secrets(scene),
  }),
  ...group('Keeping', { policy: keeping.policy, callers }),
  ...group('Host', {
    node,
    host,
    database: database.database,
    custody: database.custody,
    jobs: database.jobs,
    copies: database.copies,
    'dead-letters': database.deadLetters,
    alarms: database.alarms,
    'alarm-webhook': alarmWebhook,
    reconcile: database.reconcile,
  }),
  ...group('Recorder', { 'data-source': dataSource }),
  ...group('Connector', { brevo }),
  ...group('Functions', { functions: functions.functions, callback: functions.callback }),
  ...group('Flex', {
    flex: flex.flex,
    'plugin-settings': flex.pluginSettings,
    plugins: flex.plugins,
    'recorded-once': flex.recordedOnce,
    webhook: flex.webhook,
    'insights-flag': flex.insightsFlag,
  }),
];
