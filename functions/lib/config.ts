import {
  type AccountSid,
  asAccountSid,
  asWorkspaceSid,
  CustodyError,
  type WorkspaceSid,
} from '@flex-custody/core';
import type { KeyConfig, MediaCredentials, StoreConfig } from '@flex-custody/vault';
import type { Context } from './runtime.ts';

export interface FunctionConfig {
  accountSid: AccountSid;
  authToken: string;
  media: MediaCredentials;
  host: { url: string; secret: string };
  store: StoreConfig;
  /** Undefined in `sse-kms` mode, where S3 seals. */
  key: KeyConfig | undefined;
  /** Set when callbacks are also handed to Twilio's own FlexRecordingWebhook. */
  forwardTo: WorkspaceSid | undefined;
}

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * The one reader of a Function's environment. Names are the guides' where they have one.
 * @throws CustodyError `config_invalid` (500) naming every variable at fault, without its value
 */
export function readConfig(context: Context): FunctionConfig {
  const wrong: string[] = [];
  const text = (name: string): string | undefined => {
    const value = context[name];
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  };
  const needed = <T>(name: string, value: T | undefined): T => {
    if (value === undefined) wrong.push(name);
    return value as T;
  };
  const secret = text('CUSTODY_HOST_SECRET');
  const accountSid = needed('ACCOUNT_SID', asAccountSid(text('ACCOUNT_SID')));
  const authToken = needed('AUTH_TOKEN', text('AUTH_TOKEN'));
  const mode = needed('CUSTODY_STORAGE_MODE', storageMode(text('CUSTODY_STORAGE_MODE')));
  const endpoint = text('AWS_ENDPOINT_URL_S3');
  const kmsKeyId = text('CUSTODY_SSE_KMS_KEY_ID');
  const config: FunctionConfig = {
    accountSid,
    authToken,
    media: { username: accountSid, password: authToken },
    host: {
      url: needed('CUSTODY_HOST_URL', hostUrl(text('CUSTODY_HOST_URL'))),
      secret: needed('CUSTODY_HOST_SECRET', secret && secret.length >= 32 ? secret : undefined),
    },
    store: {
      bucket: needed('AWSbucket', text('AWSbucket')),
      region: needed('AWS_REGION', text('AWS_REGION')),
      accessKeyId: needed('AWSaccessKeyId', text('AWSaccessKeyId')),
      secretAccessKey: needed('AWSsecretAccessKey', text('AWSsecretAccessKey')),
      mode,
      ...(endpoint ? { endpoint, pathStyle: true } : {}),
      ...(kmsKeyId ? { kmsKeyId } : {}),
    },
    key: mode === 'sse-kms' ? undefined : needed('CUSTODY_PUBLIC_KEY and CUSTODY_KEY_ID', keyConfig(text)),
    forwardTo:
      needed('CUSTODY_FORWARD_TO_FLEX', flag(text('CUSTODY_FORWARD_TO_FLEX'))) === true
        ? needed('TWILIO_WORKSPACE_SID', asWorkspaceSid(text('TWILIO_WORKSPACE_SID')))
        : undefined,
  };
  if (wrong.length > 0) {
    throw new CustodyError(
      'config_invalid',
      `set, or correct, in the Functions' environment: ${wrong.join(', ')}`,
    );
  }
  return config;
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

function keyConfig(text: (name: string) => string | undefined): KeyConfig | undefined {
  const kms = text('CUSTODY_KMS_KEY_ID');
  if (kms) {
    // Under AWS's own names the SDK would find the credentials of whoever runs the Functions, not ours.
    const accessKeyId = text('AWSaccessKeyId') ?? '';
    const secretAccessKey = text('AWSsecretAccessKey') ?? '';
    return { kind: 'kms', keyIds: [kms], generateOnly: true, credentials: { accessKeyId, secretAccessKey } };
  }
  const spki = text('CUSTODY_PUBLIC_KEY');
  const keyId = text('CUSTODY_KEY_ID');
  return spki && keyId ? { kind: 'rsa-public', keyId, spki } : undefined;
}

/**
 * Recording SIDs and leases travel here: in the clear only where they never leave the machine. Without a path, since what
 * is signed is the path as the host sees it, and a proxy would take such a one off.
 */
function hostUrl(text: string | undefined): string | undefined {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname))))
    return undefined;
  const { pathname, search, hash, username, password } = url;
  return /^\/*$/.test(pathname) && `${search}${hash}${username}${password}` === '' ? url.origin : undefined;
}
