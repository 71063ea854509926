import { CustodyError } from '@flex-custody/core';
import type { CustodyFacts } from './facts.ts';

/** One difference between an environment and the custody to which the database is bound. */
export interface Difference {
  what: 'account' | 'bucket' | 'storage mode' | 'signing keys' | 'caller secret' | 'recording keys';
  /** Fingerprints instead of secrets. */
  before: string;
  now: string;
}

/** The correction of a difference that is not intended. */
const corrections: Readonly<Record<Difference['what'], string>> = {
  account:
    'correct TWILIO_ACCOUNT_SID, or give this account a database of its own (DATABASE_URL, CUSTODY_DATA_DIR)',
  bucket: 'correct CUSTODY_BUCKET',
  'storage mode': 'correct CUSTODY_STORAGE_MODE',
  'signing keys':
    'restore the signing key file (CUSTODY_SIGNING_KEY_FILE, CUSTODY_SIGNING_KEYS) from the backup: it must contain one known key, below new ones. If they are lost for good, adopt the database: the host then signs its sidecars again',
  'caller secret': 'set CUSTODY_CALLER_SECRET to the one under which this database stores callers',
  'recording keys':
    'keep one of the known keys (CUSTODY_KEY_FILE, CUSTODY_KEYS, CUSTODY_KMS_KEY_IDS), each under its own id, below new ones',
};

/**
 * Keys may be added, and old ones may be left out as long as one known key remains. A caller secret may be added, but not
 * changed: digests under another secret would find no caller, and holds by caller would silently hold nothing.
 */
export function differences(bound: CustodyFacts, now: CustodyFacts): Difference[] {
  const found: Difference[] = [];
  const differs = (what: Difference['what'], before: string | undefined, after: string | undefined) =>
    found.push({ what, before: before || 'none', now: after || 'none' });
  if (bound.accountSid !== now.accountSid) differs('account', bound.accountSid, now.accountSid);
  if (bound.bucket !== now.bucket) differs('bucket', bound.bucket, now.bucket);
  if (bound.storageMode !== now.storageMode) differs('storage mode', bound.storageMode, now.storageMode);
  if (now.signingKeys && areReplaced(bound.signingKeys ?? [], now.signingKeys))
    differs('signing keys', bound.signingKeys?.join(', '), now.signingKeys.join(', '));
  if (bound.callerSecret !== undefined && bound.callerSecret !== now.callerSecret)
    differs('caller secret', bound.callerSecret, now.callerSecret);
  // Another storage mode always has other keys, and is reported above.
  if (
    bound.storageMode === now.storageMode &&
    (areReplaced(bound.recordingKeys, now.recordingKeys) || reusesId(bound.recordingKeys, now.recordingKeys))
  )
    differs('recording keys', bound.recordingKeys.join(', '), now.recordingKeys.join(', '));
  return found;
}

function areReplaced(known: readonly string[], now: readonly string[]): boolean {
  return known.length > 0 && !now.some((key) => known.includes(key));
}

/** A known id for another key: objects of the known key could not be decrypted, without an error that says why. */
function reusesId(known: readonly string[], now: readonly string[]): boolean {
  const ids = new Set(known.map(idOf));
  return now.some((key) => ids.has(idOf(key)) && !known.includes(key));
}

/** An ARN is its own id. */
const idOf = (key: string): string => (key.startsWith('arn:') ? key : key.slice(0, key.lastIndexOf(':')));

export const lineOf = ({ what, before, now }: Difference): string =>
  `${what}: the database is bound to ${before}, this environment has ${now}`;

/** What to correct if the difference is not intended. */
export const correctionOf = ({ what }: Difference): string => corrections[what];

/** The refusal, one line for each difference. */
export function custodyDiffers(found: readonly Difference[]): CustodyError {
  return new CustodyError(
    'custody_differs',
    [
      ...found.map((one) => `${lineOf(one)}: ${correctionOf(one)}`),
      'If the move is intended, stop every host on this database and run `flex-custody adopt-database`.',
    ].join('\n'),
  );
}
