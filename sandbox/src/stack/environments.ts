import type { Sandbox } from '../index.ts';
import type { StackSecrets } from './secrets.ts';

export interface Addresses {
  /** Where the host is reached: http://127.0.0.1:PORT. */
  server: string;
  /** The Functions' address as Twilio calls and signs it: https://flex-custody-4200-dev.twil.io. */
  functions: string;
  ports: { server: number; ops: number };
}

/** Environment of the Functions: what an operator writes into `.env.deploy`, and how this world is reached. */
export function functionsEnvironment(
  sandbox: Sandbox,
  secrets: StackSecrets,
  { server, functions }: Addresses,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const { account, s3, veridas } = sandbox;
  return {
    ...wayOut(sandbox),
    ACCOUNT_SID: account.accountSid,
    AUTH_TOKEN: account.authToken,
    TWILIO_WORKSPACE_SID: account.workspaceSid,
    AWSaccessKeyId: s3.identities.functions.accessKeyId,
    AWSsecretAccessKey: s3.identities.functions.secretAccessKey,
    AWSbucket: s3.bucket,
    AWS_REGION: s3.region,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    CUSTODY_FUNCTIONS_URL: functions,
    CUSTODY_FLEX_ORIGINS: flexOrigins(sandbox),
    CUSTODY_STREAM_URLS: veridas.audioUrl,
    getTemporaryTokenCloudUrl: veridas.tokenUrl,
    client_id: veridas.clientId,
    client_secret: veridas.clientSecret,
    CUSTODY_HOST_URL: server,
    CUSTODY_HOST_SECRET: secrets.functionSecret,
    CUSTODY_PUBLIC_KEY: secrets.publicKey,
    CUSTODY_KEY_ID: secrets.keyId,
    ...more,
  };
}

/** Environment of the host, as `.env.example` lists it. */
export function serverEnvironment(
  sandbox: Sandbox,
  secrets: StackSecrets,
  { server, ports }: Addresses,
  dataDir: string,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const { account, s3 } = sandbox;
  return {
    ...wayOut(sandbox),
    TWILIO_ACCOUNT_SID: account.accountSid,
    TWILIO_AUTH_TOKEN: account.authToken,
    TWILIO_WORKSPACE_SID: account.workspaceSid,
    CUSTODY_PUBLIC_URL: server,
    HOST: '127.0.0.1',
    PORT: `${ports.server}`,
    CUSTODY_OPS_HOST: '127.0.0.1',
    CUSTODY_OPS_PORT: `${ports.ops}`,
    AWS_REGION: s3.region,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.identities.host.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.identities.host.secretAccessKey,
    CUSTODY_BUCKET: s3.bucket,
    CUSTODY_KEY_KIND: 'rsa',
    CUSTODY_KEY_FILE: secrets.keyFile,
    CUSTODY_SIGNING_KEY_FILE: secrets.signingKeyFile,
    CUSTODY_TWILIO_KEY_FILE: sandbox.recordingKeyFile,
    CUSTODY_FUNCTION_SECRETS: secrets.functionSecret,
    CUSTODY_MEDIA_SECRET: secrets.mediaSecret,
    CUSTODY_FLEX_ORIGINS: flexOrigins(sandbox),
    // Off where a customer has not decided; the desktop here has its buttons.
    TwilioEnablePauseResume: 'True',
    // Off where a customer has not decided; here both answers are to be seen: the call's own agent's and another's.
    CUSTODY_AGENTS_MAY_PLAY_OWN: 'true',
    CUSTODY_DATA_DIR: dataDir,
    ...more,
  };
}

/** What makes both keep their keys in the key service, instead of a file and its public half: one new key. */
export function kmsEnvironments({ kms }: Sandbox): Record<'server' | 'functions', Record<string, string>> {
  const [arn, endpoint] = [kms.createKey(), { AWS_ENDPOINT_URL_KMS: kms.endpoint }];
  return {
    server: { ...endpoint, CUSTODY_KEY_KIND: 'kms', CUSTODY_KMS_KEY_IDS: arn, CUSTODY_KEY_FILE: '' },
    functions: { ...endpoint, CUSTODY_KMS_KEY_ID: arn },
  };
}

/** The start page plays as Flex Insights would, and the desktop calls as Flex would, from the sandbox's origin. */
const flexOrigins = (sandbox: Sandbox): string => `${sandbox.url},https://flex.twilio.com`;

/**
 * How a process reaches the sandbox's Twilio; nothing else of the caller's environment is handed down, and no key of the
 * account that the bucket belongs to.
 */
function wayOut(sandbox: Sandbox): Record<string, string> {
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...env } = sandbox.env;
  return { ...env, NODE_ENV: 'production' };
}
