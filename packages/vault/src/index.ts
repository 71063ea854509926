import type { Transform } from 'node:stream';
import type { MediaSource, SealedObject } from '@flex-custody/core';
import type { ObjectReader, OpenedEnvelope, SealContext } from './envelope/types.ts';
import type { KeyConfig } from './keys/types.ts';
import type { MediaCredentials, OpenedMedia, OpenMediaOptions } from './source/types.ts';
import type { Store, StoreConfig } from './store/types.ts';

export type { ObjectReader, OpenedEnvelope, SealContext } from './envelope/types.ts';
export type { KeyConfig } from './keys/types.ts';
export type { MediaCredentials, OpenedMedia, OpenMediaOptions } from './source/types.ts';
export type { GetOptions, PutOptions, Store, StoreConfig, Stored } from './store/types.ts';

export interface Keys {
  readonly keyId: string;
  readonly canOpen: boolean;
}
export interface CopyInput {
  source: MediaSource;
  media: OpenedMedia;
  keys: Keys | undefined;
  store: Store;
  objectKey: string;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number | undefined) => void;
}
export interface VerifyInput {
  object: SealedObject;
  source: MediaSource;
  keys: Keys | undefined;
  store: Store;
  signal?: AbortSignal;
  onPlaintext?: (chunk: Uint8Array) => void;
}

export declare function createKeys(config: KeyConfig): Keys;
export declare function parseKeyFile(text: string): KeyConfig;
export declare function sealStream(keys: Keys, context: SealContext): Promise<Transform>;
export declare function openStream(keys: Keys, expected: SealContext | undefined): Transform;
export declare function openEnvelope(
  keys: Keys,
  reader: ObjectReader,
  expected: SealContext,
  signal?: AbortSignal,
): Promise<OpenedEnvelope>;
export declare function createStore(config: StoreConfig): Store;
export declare function openMedia(
  source: MediaSource,
  credentials: MediaCredentials,
  options?: OpenMediaOptions,
): Promise<OpenedMedia>;
export declare function copyRecording(input: CopyInput): Promise<SealedObject>;
export declare function verifyObject(input: VerifyInput): Promise<void>;
export declare function signRequest(
  secret: string,
  method: string,
  path: string,
  body: string,
  nowMs: number,
): string;
export declare function verifyRequest(
  secrets: readonly string[],
  header: string | undefined,
  method: string,
  path: string,
  body: string,
  nowMs: number,
): boolean;
