import type { StorageClass } from '@flex-custody/core';
import type { StoreConfig } from './types.ts';

/** The settings that decide it: the host and the Functions read each by the same variable. */
export type NewObjectSettings = Pick<StoreConfig, 'mode' | 'kmsKeyId' | 'storageClass'>;

/** What each new object gets, as input of the SDK's commands. */
export interface NewObject {
  ContentType?: string;
  ServerSideEncryption?: 'aws:kms';
  SSEKMSKeyId?: string;
  /** Absent: the store's own default. */
  StorageClass?: StorageClass;
}

/** Where S3 seals, an object is audio to its reader. */
export const AUDIO = 'audio/wav';

/** What every new object gets, whichever request writes it. Recordings alone get the configured storage class. */
export function newObject(
  { mode, kmsKeyId, storageClass }: NewObjectSettings,
  isRecording: boolean,
): NewObject {
  return {
    ...(isRecording && storageClass !== undefined && { StorageClass: storageClass }),
    ...(mode === 'sse-kms' && {
      ContentType: AUDIO,
      ServerSideEncryption: 'aws:kms' as const,
      ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    }),
  };
}

const headerOf: Readonly<Record<keyof NewObject, string>> = {
  ContentType: 'content-type',
  ServerSideEncryption: 'x-amz-server-side-encryption',
  SSEKMSKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  StorageClass: 'x-amz-storage-class',
};

/** The same as the headers of a request that is written without the SDK. */
export function headersOf(object: NewObject): Record<string, string> {
  const names = Object.keys(object) as (keyof NewObject)[];
  return Object.fromEntries(names.map((name) => [headerOf[name], object[name] ?? '']));
}
