import { isSealedAtRest } from './kms-encryption.ts';

const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const arn = `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
const kms = (kmsKeyId?: string, encryption = 'aws:kms') => ({ encryption, ...(kmsKeyId && { kmsKeyId }) });

test.each([
  ['nothing', {}, [], false],
  ['S3 by its own key', { encryption: 'AES256' }, [], false],
  ['a key that is no KMS encryption', { encryption: 'AES256', kmsKeyId: arn }, [arn], false],
  ['KMS without a key', kms(), [], false],
  ['KMS by any key, where none is wanted', kms(arn), [], true],
  ['KMS in two layers', kms(arn, 'aws:kms:dsse'), [arn], true],
  ['the wanted key by its ARN', kms(arn), [arn], true],
  ['the wanted key by its id', kms(arn), [id], true],
  ['the wanted ARN where the store names ids', kms(id), [arn], true],
  ['an older one of the wanted keys', kms(arn), ['another-id', id], true],
  ['another key', kms(arn), ['another-id'], false],
  ['the same id in another account', kms(arn), [arn.replace('1111', '9999')], false],
  ['a key behind an alias', kms(arn), ['alias/recordings'], true],
  ['a key behind the ARN of an alias', kms(arn), ['arn:aws:kms:eu-central-1:111122223333:alias/x'], true],
  ['nothing behind an alias', {}, ['alias/recordings'], false],
])('encrypted by %s: %j, wanted %j: %p', (_name, found, kmsKeyIds, counts) => {
  expect(isSealedAtRest({ mode: 'sse-kms', kmsKeyIds }, found)).toBe(counts);
});

test('an envelope needs nothing of the bucket', () => {
  expect(isSealedAtRest({ mode: 'envelope' }, {})).toBe(true);
});
