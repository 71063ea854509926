import { CustodyError, type ErrorCode } from '@flex-custody/core';

interface Meaning {
  /** Only `key_unavailable` is retryable; a setting is tried again by the janitor, hour by hour. */
  code: ErrorCode;
  /** `fault: next step`. */
  says(key: string, name: string): string;
}

const means = (code: ErrorCode, what: string, next: string): Meaning => ({
  code,
  says: (key, name) => `the KMS ${what} ${key} (${name}): ${next}`,
});
const wrongKey: Meaning = {
  code: 'envelope_wrong_key',
  says: (_key, name) =>
    `the KMS cannot open this data key (${name}): it was wrapped by another key, or altered`,
};
const credentials: Meaning = {
  code: 'key_credentials',
  says: (key, name) =>
    `the KMS does not take the credentials for ${key} (${name}): renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN together, of a user of the region in the ARN`,
};
const later: Meaning = {
  code: 'key_unavailable',
  says: (key, name) =>
    `the KMS cannot be used now for ${key} (${name}): check that it runs, and the network and proxy on the way`,
};
const throttled: Meaning = {
  code: 'key_unavailable',
  says: (key, name) =>
    `the KMS is asked too often for ${key} (${name}): it passes; raise the request quota of AWS KMS if it does not`,
};
const denied = means(
  'key_denied',
  'refuses',
  'allow kms:GenerateDataKey (and kms:Encrypt, to rotate) to writers and kms:Decrypt to readers, in the policies of the user and of the key',
);

/**
 * By the name that KMS gives it.
 * Source: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */
const byName: readonly [RegExp, Meaning][] = [
  [/^(InvalidCiphertext|IncorrectKey)/, wrongKey],
  [/^Disabled/, means('key_denied', 'has disabled', 'enable the key')],
  [
    /^(KMSInvalidState|InvalidState)/,
    means(
      'key_denied',
      'does not use',
      'the key is pending deletion or import, so cancel the deletion or finish the import',
    ),
  ],
  [
    /^NotFound/,
    means(
      'key_missing',
      'does not know',
      'correct CUSTODY_KMS_KEY_IDS, region and account of the ARN included',
    ),
  ],
  [
    /^(InvalidKeyUsage|KMSInvalidKeyUsage)/,
    means('key_invalid', 'cannot wrap by', 'name a symmetric key for encryption in CUSTODY_KMS_KEY_IDS'),
  ],
  [
    /^(InvalidArn|InvalidKeyId|Validation)/,
    means('key_invalid', 'takes no request for', 'correct the ARN in CUSTODY_KMS_KEY_IDS'),
  ],
  [
    /^(Expired|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|IncompleteSignature|SignatureDoesNotMatch|MissingAuthenticationToken|InvalidGrantToken|CredentialsProvider|TokenProvider|RequestExpired|InvalidAccessKeyId|InvalidToken|OptInRequired|NotAuthorized)/,
    credentials,
  ],
  [/^(Throttl|LimitExceeded|TooManyRequests|RequestLimitExceeded|SlowDown)/, throttled],
  [/^AccessDenied/, denied],
  [
    /^(UnknownOperation|UnsupportedOperation|NotImplemented|InvalidAction)/,
    means(
      'key_unsupported',
      'does not do what was asked of',
      'use a KMS that has GenerateDataKey, Encrypt and Decrypt',
    ),
  ],
];

const byStatus = (status: number | undefined): Meaning => {
  if (status === undefined || status >= 500) return later;
  if (status === 429 || status === 408) return throttled;
  return status >= 400 ? denied : later;
};

/** A failure of AWS KMS as one of our errors: a setting is no outage. */
export function kmsError(cause: unknown, key: string): CustodyError {
  const { name: said, $metadata } = (cause ?? {}) as {
    name?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  const name = typeof said === 'string' && /^[\w.-]{1,80}$/.test(said) ? said : 'no name';
  const found = byName.find(([pattern]) => pattern.test(name))?.[1] ?? byStatus($metadata?.httpStatusCode);
  const { code, says } = found;
  return new CustodyError(code, says(key, name), { cause });
}
