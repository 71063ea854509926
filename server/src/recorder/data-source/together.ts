import type { Fault } from './fault.ts';
import type { DataSource, Key, SecretKey } from './fields.ts';
import { streamArnOf } from './shapes.ts';

export interface FaultTogether extends Fault {
  /** The settings that it compares. */
  about: readonly Key[];
}

type Has = (key: SecretKey) => boolean;
type Rule = (settings: DataSource, has: Has) => false | string;

/** Needs `needed` while `when` is true. */
const needs =
  (
    when: (settings: DataSource) => boolean,
    has: (settings: DataSource, has: Has) => boolean,
    message: string,
  ): Rule =>
  (settings, hasSecret) =>
    when(settings) && !has(settings, hasSecret) && message;

/** Settings that contradict each other, or are filled in half. Each message names the other setting and the next step. */
const rules: readonly [key: Key, about: readonly Key[], rule: Rule][] = [
  [
    'defaultOrganization',
    ['defaultOrganization', 'defaultEmployee'],
    (s) =>
      s.defaultEmployee !== undefined &&
      s.defaultOrganization === undefined &&
      'is missing, and comes before defaultEmployee: set the organization, then the person',
  ],
  [
    'defaultEmployee',
    ['defaultOrganization', 'defaultEmployee'],
    (s) =>
      s.defaultOrganization !== undefined &&
      s.defaultEmployee === undefined &&
      'is missing while defaultOrganization is set: set the person, or leave both out',
  ],
  [
    'customRegion',
    ['region', 'customRegion'],
    (s) =>
      s.region !== undefined &&
      s.customRegion !== undefined &&
      'must be blank while region is set: leave one of both out',
  ],
  [
    'region',
    ['region', 'customRegion', 'streamName'],
    (s) => {
      const arn = streamArnOf(s.streamName ?? '');
      const region = s.region ?? s.customRegion;
      return (
        arn !== undefined &&
        region !== undefined &&
        arn.region !== region &&
        `is another one than that of the ARN in streamName (${arn.region}): leave the region out, or correct the ARN`
      );
    },
  ],
  [
    'accessKeyId',
    ['specifyCredentials', 'accessKeyId'],
    (s) =>
      !s.specifyCredentials &&
      s.accessKeyId !== undefined &&
      'must be blank while specifyCredentials is false: set specifyCredentials to true, or leave the key out',
  ],
  [
    'secretAccessKey',
    ['specifyCredentials', 'secretAccessKey'],
    (s, has) =>
      !s.specifyCredentials &&
      has('secretAccessKey') &&
      'must be unset while specifyCredentials is false: set specifyCredentials to true, or secretAccessKey to unset',
  ],
  [
    'accessKeyId',
    ['specifyCredentials', 'accessKeyId'],
    needs(
      (s) => s.specifyCredentials,
      (s) => s.accessKeyId !== undefined,
      'is missing (1 to 1024 characters) while specifyCredentials is true: set it, or set specifyCredentials to false',
    ),
  ],
  [
    'secretAccessKey',
    ['specifyCredentials', 'secretAccessKey'],
    needs(
      (s) => s.specifyCredentials,
      (_, has) => has('secretAccessKey'),
      'is missing (1 to 1024 characters) while specifyCredentials is true: flex-custody secrets set data-source/secretAccessKey',
    ),
  ],
  ...(['roleArn', 'externalId', 'roleSessionName'] as const).map((key): [Key, readonly Key[], Rule] => [
    key,
    ['specifyRole', key],
    (s) =>
      !s.specifyRole &&
      s[key] !== undefined &&
      `must be blank while specifyRole is false: set specifyRole to true, or leave ${key} out`,
  ]),
  ...(['roleArn', 'externalId'] as const).map((key): [Key, readonly Key[], Rule] => [
    key,
    ['specifyRole', key],
    needs(
      (s) => s.specifyRole,
      (s) => s[key] !== undefined,
      'is missing (1 to 1024 characters) while specifyRole is true: set it, or set specifyRole to false',
    ),
  ]),
  [
    'twilioAccountSid',
    ['twilioAccountSid', 'twilioAuthToken', 'twilioApiKey', 'twilioApiSecret'],
    (s, has) =>
      s.twilioAccountSid === undefined &&
      (has('twilioAuthToken') || s.twilioApiKey !== undefined || has('twilioApiSecret')) &&
      'is missing while credentials of Twilio are set: set it, or leave the credentials out',
  ],
  [
    'twilioAuthToken',
    ['twilioAccountSid', 'twilioAuthToken', 'twilioApiKey', 'twilioApiSecret'],
    (s, has) =>
      s.twilioAccountSid !== undefined &&
      !has('twilioAuthToken') &&
      s.twilioApiKey === undefined &&
      !has('twilioApiSecret') &&
      'is missing while twilioAccountSid is set: set it, or twilioApiKey and twilioApiSecret, or leave all of them out',
  ],
  [
    'twilioApiSecret',
    ['twilioApiKey', 'twilioApiSecret'],
    (s, has) =>
      s.twilioApiKey !== undefined &&
      !has('twilioApiSecret') &&
      'is missing (16 to 128 characters) while twilioApiKey is set: flex-custody secrets set data-source/twilioApiSecret',
  ],
  [
    'twilioApiKey',
    ['twilioApiKey', 'twilioApiSecret'],
    (s, has) =>
      s.twilioApiKey === undefined &&
      has('twilioApiSecret') &&
      'is missing while twilioApiSecret is set: set it, or twilioApiSecret to unset',
  ],
  [
    'redundantPair',
    ['integrationNode', 'redundantPair'],
    (s) =>
      s.integrationNode !== undefined &&
      s.redundantPair !== undefined &&
      'must be blank while integrationNode is set: one node or a pair follows the events, so leave one of both out',
  ],
];

export function faultsTogether(settings: DataSource, has: Has): FaultTogether[] {
  return rules.flatMap(([key, about, rule]) => {
    const message = rule(settings, has);
    return message === false ? [] : [{ key, about, message }];
  });
}
