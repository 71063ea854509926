import { type BucketLook, createKeys, createStore, type Setting } from '@flex-custody/vault';
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

/** What a setting says, or a note that it cannot be read. */
function read<T>(setting: Setting<T>, right: string, what: string, say: (value: T) => Seen): Seen {
  if ('value' in setting) return say(setting.value);
  return setting.unavailable === 'denied'
    ? note(
        'not known: these credentials may not read it',
        `allow s3:${right} on the bucket to see it here (docs/doctor.md has all such rights)`,
      )
    : note('not known: this store has no such setting', `check ${what} in your storage's own settings`);
}

export async function versions(scene: Scene): Promise<Seen> {
  const look = await orUndefined(scene.bucket());
  if (!look) return unread;
  const { versioning } = look;
  const { acceptUnversioned, deleteSourceAfterHours } = scene.config;
  if ('value' in versioning && versioning.value === 'enabled') return 'kept';
  // The copy would be all that is left of a recording, and one write to its key would destroy it.
  if (deleteSourceAfterHours !== undefined && !acceptUnversioned)
    throw onlyCopy(versioning, keepVersions(scene));
  if ('unavailable' in versioning && versioning.unavailable === 'unsupported')
    return note(
      'not known, so treated as not kept: this store has no versions, and an object that is overwritten or deleted by mistake is lost. Copying, playing, retention, erase and import work; rotate-keys does not, and originals and plain objects are not deleted',
      'use an S3 that keeps versions, or set CUSTODY_ACCEPT_UNVERSIONED=true to delete originals all the same',
    );
  return read(versioning, 'GetBucketVersioning', 'versions', () =>
    note('not kept: an object that is overwritten or deleted by mistake is lost', keepVersions(scene)),
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
        'not known whether they are kept, and originals at Twilio are to be deleted (DELETE_SOURCE_AFTER)',
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

/** Only in mode sse-kms does Flex read from the bucket itself, by presigned links. */
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
    // In mode sse-kms each write requests encryption.
    const byDefault = algorithm === undefined ? 'none by default' : `by default ${algorithm}`;
    if (!sealed) return othersDenied(look.deniesUnencrypted, byDefault);
    return algorithm === undefined
      ? `${byDefault}: only the envelope encrypts`
      : `${byDefault}, beside our own envelope`;
  });
}

/** An object that another writer stores without KMS never counts as a copy, but it is unencrypted in the bucket. */
function othersDenied(policy: BucketLook['deniesUnencrypted'], byDefault: string): Seen {
  return read(policy, 'GetBucketPolicy', 'a policy on encryption', (denied) =>
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
      `${'value' in objectLock ? 'on' : 'may be on'}, and this host may not read the locks: every recording counts as locked, and none is erased`,
      `allow ${missing.join(' and ')} on recordings/* (docs/deploy.md has the whole policy)`,
    );
  }
  return read(objectLock, 'GetBucketObjectLockConfiguration', 'Object Lock', (on) =>
    on ? 'on: a locked recording is erased when its lock ends' : 'off',
  );
}

/** The missing rights to read the locks of a version. */
function unasked({ retention, legalHold }: BucketLook): string[] {
  const denied = (lock: Setting<unknown>) => 'unavailable' in lock && lock.unavailable === 'denied';
  return [
    ...(denied(retention) ? ['s3:GetObjectRetention'] : []),
    ...(denied(legalHold) ? ['s3:GetObjectLegalHold'] : []),
  ];
}

/** An erasure ends with its certificate, so the host must be able to write one. */
export const certificates = (scene: Scene): Promise<Seen> => writes(scene, 'certificates');

/** Each day of agents' segments ends with its statement. */
export const statements = (scene: Scene): Promise<Seen> => writes(scene, 'statements');

async function writes({ config }: Scene, folder: 'certificates' | 'statements'): Promise<Seen> {
  const store = createStore(config.store);
  const key = `${folder}/${config.accountSid}/.check`;
  try {
    // An upload that is begun and aborted tests the right and leaves nothing; an object there could not be deleted.
    const begun = await allowed(store, `s3:PutObject on ${folder}/*`, () => store.beginUpload(key));
    await allowed(store, `s3:AbortMultipartUpload on ${folder}/*`, () => store.abortUpload(key, begun));
    return 'can be written (tested by an upload that was begun and aborted: an object there could not be deleted)';
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
