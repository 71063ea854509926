import {
  type AccountSid,
  asAccountSid,
  asWorkspaceSid,
  type StorageClass,
  storageClasses,
  type WorkspaceSid,
} from '@flex-custody/core';
import type { KeyConfig, MediaCredentials, StoreConfig } from '@flex-custody/vault';
import { fromEnvironment, safeOrigin, type Variables } from './environment.ts';
import type { Context } from './runtime.ts';

export interface FunctionConfig {
  accountSid: AccountSid;
  authToken: string;
  media: MediaCredentials;
  host: { url: string; secret: string };
  store: StoreConfig;
  /** Undefined in `sse-kms` mode, where S3 seals. */
  key: KeyConfig | undefined;
  /** Origins under which Twilio calls these Functions: what is signed of a callback begins with one of them. */
  addresses: readonly string[];
  /** Set when callbacks are also handed to Twilio's own FlexRecordingWebhook. */
  forwardTo: WorkspaceSid | undefined;
}

/** The account, which the platform adds to every Function's environment. */
export function accountOf({ text, needed }: Variables): Pick<FunctionConfig, 'accountSid' | 'authToken'> {
  return {
    accountSid: needed('ACCOUNT_SID', asAccountSid(text('ACCOUNT_SID'))),
    authToken: needed('AUTH_TOKEN', text('AUTH_TOKEN')),
  };
}

/** Addresses under which Twilio calls us: the configured one first, then the platform's own. */
export function addressesOf({ text, needed }: Variables): string[] {
  const domain = text('DOMAIN_NAME');
  const set = text('CUSTODY_FUNCTIONS_URL');
  const own = domain === undefined ? undefined : safeOrigin(`https://${domain}`);
  const first = needed('CUSTODY_FUNCTIONS_URL', set === undefined ? own : safeOrigin(set));
  return own === undefined || own === first ? [first] : [first, own];
}

/** Recording SIDs and leases travel to it. */
export function hostOf({ text, needed }: Variables): FunctionConfig['host'] {
  const secret = text('CUSTODY_HOST_SECRET');
  return {
    url: needed('CUSTODY_HOST_URL', safeOrigin(text('CUSTODY_HOST_URL'))),
    secret: needed('CUSTODY_HOST_SECRET', secret && secret.length >= 32 ? secret : undefined),
  };
}

/**
 * What the recordings' callback needs. Names are the guides' where they have one.
 * @throws CustodyError `config_invalid` as {@link fromEnvironment} does
 */
export function readConfig(context: Context): FunctionConfig {
  return fromEnvironment(context, (variables) => {
    const { text, needed } = variables;
    const account = accountOf(variables);
    const mode = needed('CUSTODY_STORAGE_MODE', storageMode(text('CUSTODY_STORAGE_MODE')));
    const endpoint = text('AWS_ENDPOINT_URL_S3');
    const kmsKeyId = text('CUSTODY_SSE_KMS_KEY_ID');
    const storageClass = text('CUSTODY_STORAGE_CLASS');
    return {
      ...account,
      media: { username: account.accountSid, password: account.authToken },
      host: hostOf(variables),
      addresses: addressesOf(variables),
      store: {
        bucket: needed('AWSbucket', text('AWSbucket')),
        region: needed('AWS_REGION', text('AWS_REGION')),
        accessKeyId: needed('AWSaccessKeyId', text('AWSaccessKeyId')),
        secretAccessKey: needed('AWSsecretAccessKey', text('AWSsecretAccessKey')),
        mode,
        ...(endpoint ? { endpoint, pathStyle: true } : {}),
        ...(kmsKeyId ? { kmsKeyId } : {}),
        ...(storageClass && {
          storageClass: needed(
            `CUSTODY_STORAGE_CLASS (one of ${storageClasses.join(', ')})`,
            asStorageClass(storageClass),
          ),
        }),
      },
      key: mode === 'sse-kms' ? undefined : needed('CUSTODY_PUBLIC_KEY and CUSTODY_KEY_ID', keyConfig(text)),
      forwardTo:
        needed('CUSTODY_FORWARD_TO_FLEX', flag(text('CUSTODY_FORWARD_TO_FLEX'))) === true
          ? needed('TWILIO_WORKSPACE_SID', asWorkspaceSid(text('TWILIO_WORKSPACE_SID')))
          : undefined,
    };
  });
}

/** Off unless it is switched on, but a slip of the pen is neither. */
function flag(text: string | undefined): boolean | undefined {
  if (text === undefined || text === 'false') return false;
  return text === 'true' ? true : undefined;
}

function storageMode(text: string | undefined): 'envelope' | 'sse-kms' | undefined {
  if (text === undefined || text === 'envelope') return 'envelope';
  return text === 'sse-kms' ? text : undefined;
}

function asStorageClass(text: string): StorageClass | undefined {
  return storageClasses.find((known) => known === text);
}

function keyConfig(text: (name: string) => string | undefined): KeyConfig | undefined {
  const kms = text('CUSTODY_KMS_KEY_ID');
  if (kms) {
    // Under AWS's own names the SDK would find the credentials of the platform that runs the Functions, not ours.
    const accessKeyId = text('AWSaccessKeyId') ?? '';
    const secretAccessKey = text('AWSsecretAccessKey') ?? '';
    return { kind: 'kms', keyIds: [kms], generateOnly: true, credentials: { accessKeyId, secretAccessKey } };
  }
  const spki = text('CUSTODY_PUBLIC_KEY');
  const keyId = text('CUSTODY_KEY_ID');
  return spki && keyId ? { kind: 'rsa-public', keyId, spki } : undefined;
}
