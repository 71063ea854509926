import type { StorageMode } from './sealed-object.ts';

/** What S3 says of an object's encryption at rest, on HEAD and GET. */
export interface AtRest {
  /** `x-amz-server-side-encryption`: `AES256`, `aws:kms`, `aws:kms:dsse`; absent where S3 names none. */
  encryption?: string;
  /** The KMS key that it is encrypted with; S3 names it by its ARN. */
  kmsKeyId?: string;
}

/** Which KMS keys count: none named is any. */
interface Sealing {
  mode: StorageMode;
  kmsKeyIds?: readonly string[];
}

/**
 * Whether an object may count as a copy, as far as its encryption goes. In mode `sse-kms` S3 itself must name KMS and the key:
 * the writer of the object may have asked for something else. In mode `envelope` the object proves itself.
 */
export function isSealedAtRest({ mode, kmsKeyIds = [] }: Sealing, { encryption, kmsKeyId }: AtRest): boolean {
  if (mode === 'envelope') return true;
  if (encryption !== 'aws:kms' && encryption !== 'aws:kms:dsse') return false;
  if (kmsKeyId === undefined || kmsKeyId === '') return false;
  return kmsKeyIds.length === 0 || kmsKeyIds.some((wanted) => isSameKey(wanted, kmsKeyId));
}

const keyArn = /^arn:[\w-]+:kms:[^:]+:\d+:key\/(.+)$/;
const alias = /^(arn:.+:)?alias\//;

/** A key is named by ARN or id. What an alias leads to S3 does not say: it names the key, and any key counts. */
function isSameKey(wanted: string, found: string): boolean {
  if (wanted === found || alias.test(wanted)) return true;
  const [ofWanted, ofFound] = [keyArn.exec(wanted)?.[1], keyArn.exec(found)?.[1]];
  // Two ARNs must agree in account and region, too.
  if (ofWanted !== undefined && ofFound !== undefined) return false;
  return (ofWanted ?? wanted) === (ofFound ?? found);
}
