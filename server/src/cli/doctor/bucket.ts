import { type BucketLook, createKeys, createStore, type Told } from '@flex-custody/vault';
import { probeBucket } from './bucket-probe.ts';
import { advice, note, type Seen } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

const unread = note('not known', 'mend bucket first');

export async function bucket({ config }: Scene): Promise<Seen> {
  const store = createStore(config.store);
  const { bucket: name, endpoint, region } = config.store;
  try {
    const keys = config.keyConfig && createKeys(config.keyConfig);
    await probeBucket(store, keys, config.accountSid);
    return `${name} at ${endpoint ?? `AWS, ${region}`}: writes, reads ranges, lists and deletes`;
  } finally {
    store.close();
  }
}

/** What a setting says, or a note that it does not say. */
function read<T>(told: Told<T>, right: string, what: string, say: (value: T) => Seen): Seen {
  if ('value' in told) return say(told.value);
  return told.untold === 'denied'
    ? note(`cannot tell: these credentials may not read it`, `allow s3:${right} to see it here`)
    : note('cannot tell: this store knows no such setting', `see to ${what} at the store itself`);
}

export async function versions(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  return read(look.versioning, 'GetBucketVersioning', 'versions', (state) =>
    state === 'enabled'
      ? 'kept'
      : note('not kept: what is overwritten or deleted by mistake is gone', 'switch versioning on'),
  );
}

export async function publicAccess(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  return read(look.publicAccessBlocked, 'GetBucketPublicAccessBlock', 'public access', (blocked) => {
    if (blocked) return 'blocked';
    throw advice(
      'not blocked: a policy or an ACL could open recordings to all',
      'block all four kinds of it',
    );
  });
}

/** Flex reads from the bucket itself in mode sse-kms alone, by presigned links. */
export async function cors(scene: Scene): Promise<Seen> {
  if (scene.config.store.mode === 'envelope') return 'not needed: recordings play through the host';
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  return read(look.cors, 'GetBucketCORS', 'CORS', (rules) => {
    const missing = scene.config.flexOrigins.filter(
      (origin) =>
        !rules.some(
          ({ origins, methods }) =>
            methods.includes('GET') && origins.some((allowed) => covers(allowed, origin)),
        ),
    );
    if (missing.length === 0) return `GET is allowed from ${scene.config.flexOrigins.join(', ')}`;
    throw advice(
      `no rule lets ${missing.join(', ')} read: playback fails in Flex`,
      'add a CORS rule for GET and HEAD from there, exposing Content-Length and Content-Range',
    );
  });
}

/** S3 allows one `*` in an origin. */
function covers(allowed: string, origin: string): boolean {
  const [start = '', end] = allowed.split('*');
  if (end === undefined) return allowed === origin;
  return origin.length >= start.length + end.length && origin.startsWith(start) && origin.endsWith(end);
}

export async function encryption(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  const sealed = scene.config.store.mode === 'envelope';
  return read(look.encryption, 'GetEncryptionConfiguration', 'default encryption', (algorithm) => {
    // In mode sse-kms each write asks for it by itself.
    const byDefault = algorithm === undefined ? 'none by default' : `by default ${algorithm}`;
    if (!sealed) return othersDenied(look.deniesUnencrypted, byDefault);
    return algorithm === undefined
      ? `${byDefault}: the envelope alone seals`
      : `${byDefault}, beside our own envelope`;
  });
}

/** An object that another writer stores without KMS never counts as a copy, and is in the bucket in the clear all the same. */
function othersDenied(told: BucketLook['deniesUnencrypted'], byDefault: string): Seen {
  return read(told, 'GetBucketPolicy', 'a policy on encryption', (denied) =>
    denied
      ? `${byDefault}; a policy denies other writes`
      : note(
          `${byDefault}; no policy denies writes that are not aws:kms`,
          'add the Deny for sse-kms (docs/deploy.md has it)',
        ),
  );
}

export async function objectLock(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  return read(look.objectLock, 'GetBucketObjectLockConfiguration', 'Object Lock', (on) =>
    on ? 'on: what it holds is not erased before its time' : 'off',
  );
}

export async function unfinished(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  return read(look.abortsUploads, 'GetLifecycleConfiguration', 'unfinished uploads', (aborts) =>
    aborts
      ? 'a rule removes unfinished uploads'
      : note(
          'no rule removes unfinished uploads: the host does, while it runs',
          'add AbortIncompleteMultipartUpload (docs/deploy.md has the rule)',
        ),
  );
}
