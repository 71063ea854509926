import type { Store } from '@flex-custody/vault';
import type { Identity } from './s3/rights.ts';

/** What `GET /sandbox/bucket` answers (page/contract.ts, ObjectView). */
export interface BucketView {
  objects: { key: string; bytes: number; versionId?: string; lastModified: string; head?: string }[];
  uploads: { key: string; uploadId: string; startedAt: string }[];
}

export interface Bucket {
  show(): Promise<BucketView>;
  close(): void;
}

const headBytes = 256;

export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
}

/** A bucket, with the keys of the account that it belongs to. */
export interface S3Access extends AccessKey {
  endpoint: string;
  region: string;
  bucket: string;
  /** With the rights of docs/deploy.md; at an external S3 both users have the account's rights. */
  identities: { host: Identity; functions: Identity };
}

interface Head {
  hex: string;
  versionId?: string;
}

/** Reads the bucket with its credentials, at any S3. */
export function lookInto(s3: Omit<S3Access, 'identities'>): Bucket {
  let store: Store | undefined;
  // A page that looks every second must not read a thousand objects each time.
  const heads = new Map<string, Head>();
  const headOf = async (open: Store, key: string, etag: string, bytes: number): Promise<Head | undefined> => {
    const known = heads.get(`${key} ${etag}`);
    if (known || bytes === 0) return known;
    try {
      const { body, versionId } = await open.get(key, { start: 0, end: headBytes - 1 });
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(chunk as Buffer);
      const head = { hex: Buffer.concat(chunks).toString('hex'), ...(versionId ? { versionId } : {}) };
      heads.set(`${key} ${etag}`, head);
      return head;
    } catch {
      // Deleted or replaced since it was listed: it is shown without its first bytes, as a bucket would.
      return undefined;
    }
  };
  const opened = async () => {
    const { createStore } = await import('@flex-custody/vault');
    store ??= createStore({ ...s3, pathStyle: true, mode: 'sse-kms' });
    return store;
  };
  return {
    async show() {
      const open = await opened();
      const objects: BucketView['objects'] = [];
      for await (const { key, bytes, etag, lastModified } of open.list('')) {
        const head = await headOf(open, key, etag, bytes);
        objects.push({
          key,
          bytes,
          lastModified: lastModified.toISOString(),
          ...(head === undefined ? {} : { head: head.hex }),
          ...(head?.versionId === undefined ? {} : { versionId: head.versionId }),
        });
      }
      const uploads: BucketView['uploads'] = [];
      for await (const { key, uploadId, startedAt } of open.unfinishedUploads('')) {
        uploads.push({ key, uploadId, startedAt: startedAt.toISOString() });
      }
      return { objects, uploads };
    },
    close: () => store?.close(),
  };
}
