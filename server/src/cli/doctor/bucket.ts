import { type BucketLook, createKeys, createStore, type Told } from '@flex-custody/vault';
import { allowed } from '../../retention/prove-removable.ts';
import { probeBucket } from './bucket-probe.ts';
import { advice, note, type Seen, unknownBefore } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

const unread = unknownBefore('bucket');

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
  return told.unavailable === 'denied'
    ? note(
        `cannot tell: these credentials may not read it`,
        `allow s3:${right} on the bucket to see it here (docs/doctor.md has all such rights)`,
      )
    : note('cannot tell: this store knows no such setting', `check ${what} in your storage's own settings`);
}

export async function versions(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  const { versioning } = look;
  const { acceptUnversioned, deleteSourceAfterHours } = scene.config;
  if ('value' in versioning && versioning.value === 'enabled') return 'kept';
  // Then the copy is all that there is of a recording, and one write to its key destroys it.
  if (deleteSourceAfterHours !== undefined && !acceptUnversioned)
    throw onlyCopy(versioning, keepVersions(scene));
  if ('unavailable' in versioning && versioning.unavailable === 'unsupported')
    return note(
      'cannot tell, so taken as not kept: this store knows no versions, and what is overwritten or deleted by mistake is gone. Copying, playing, retention, erase and import work; rotate-keys does not, and originals and plain objects are not deleted',
      'use an S3 that keeps versions, or set CUSTODY_ACCEPT_UNVERSIONED=true to delete originals all the same',
    );
  return read(versioning, 'GetBucketVersioning', 'versions', () =>
    note('not kept: what is overwritten or deleted by mistake is gone', keepVersions(scene)),
  );
}

const keepVersions = ({ config }: Scene): string =>
  `aws s3api put-bucket-versioning --bucket ${config.store.bucket} --versioning-configuration Status=Enabled`;

function onlyCopy(versioning: BucketLook['versioning'], next: string) {
  if ('value' in versioning) {
    const state = versioning.value === 'suspended' ? 'suspended' : 'not kept';
    return advice(
      `${state}, and originals at Twilio are to be deleted (DELETE_SOURCE_AFTER): one write to its key would destroy a recording`,
      next,
    );
  }
  return versioning.unavailable === 'denied'
    ? advice(
        'cannot tell whether they are kept, and originals at Twilio are to be deleted (DELETE_SOURCE_AFTER)',
        'allow s3:GetBucketVersioning (docs/deploy.md has the whole policy)',
      )
    : advice(
        'this store does not say whether they are kept, and originals at Twilio are to be deleted (DELETE_SOURCE_AFTER)',
        'use an S3 that keeps versions and says so',
      );
}

export async function publicAccess(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  return read(look.publicAccessBlocked, 'GetBucketPublicAccessBlock', 'public access', (blocked) => {
    if (blocked) return 'blocked';
    throw advice(
      'not blocked: a policy or an ACL could open recordings to all',
      `aws s3api put-public-access-block --bucket ${scene.config.store.bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true`,
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
      'aws s3api put-bucket-cors: a CORS rule for GET and HEAD from there, exposing Content-Length and Content-Range',
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
          'add the Deny for sse-kms to the bucket policy (docs/deploy.md has it)',
        ),
  );
}

export async function objectLock(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  const { objectLock } = look;
  const mayLock = 'value' in objectLock ? objectLock.value : objectLock.unavailable === 'denied';
  const missing = mayLock ? unasked(look) : [];
  if (missing.length > 0) {
    throw advice(
      `${'value' in objectLock ? 'on' : 'may be on'}, and what it locks may not be asked about: every recording counts as locked, and none is erased`,
      `allow ${missing.join(' and ')} on recordings/* (docs/deploy.md has the whole policy)`,
    );
  }
  return read(objectLock, 'GetBucketObjectLockConfiguration', 'Object Lock', (on) =>
    on ? 'on: what it holds is not erased before its time' : 'off',
  );
}

/** The rights that are missing for asking what locks a version. */
function unasked({ retention, legalHold }: BucketLook): string[] {
  const denied = (told: Told<unknown>) => 'unavailable' in told && told.unavailable === 'denied';
  return [
    ...(denied(retention) ? ['s3:GetObjectRetention'] : []),
    ...(denied(legalHold) ? ['s3:GetObjectLegalHold'] : []),
  ];
}

/** Of an erasure nothing may be left undone, its certificate included. */
export async function certificates({ config }: Scene): Promise<Seen> {
  const store = createStore(config.store);
  const key = `certificates/${config.accountSid}/.check`;
  try {
    // Begun and abandoned, it asks for the right and leaves nothing: what is written there nobody may delete.
    const begun = await allowed(store, 's3:PutObject on certificates/*', () => store.beginUpload(key));
    await allowed(store, 's3:AbortMultipartUpload on certificates/*', () => store.abortUpload(key, begun));
    return 'can be written (an upload begun and abandoned: what is written there nobody may delete)';
  } finally {
    store.close();
  }
}

export async function unfinished(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  return read(look.abortsUploads, 'GetLifecycleConfiguration', 'unfinished uploads', (aborts) =>
    aborts
      ? 'a rule removes unfinished uploads'
      : note(
          'no rule removes unfinished uploads: the host does, while it runs',
          'add the lifecycle rule AbortIncompleteMultipartUpload (docs/deploy.md has it)',
        ),
  );
}
