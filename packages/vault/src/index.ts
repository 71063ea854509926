export { openBytes, sealBytes } from './envelope/bytes.ts';
export { openEnvelope } from './envelope/open-envelope.ts';
export { openStream } from './envelope/open-stream.ts';
export { createSealer, type Sealer, sealStream } from './envelope/seal.ts';
export type { ObjectReader, OpenedEnvelope, SealContext, SecretContext } from './envelope/types.ts';
export { parseKeyFile } from './keys/key-file.ts';
export { isKeyId } from './keys/key-id.ts';
export { readKeyLines } from './keys/key-lines.ts';
export { createKeys, KEY_NAMESPACE } from './keys/keys.ts';
export type { KeyConfig, Keys, KmsCredentials } from './keys/types.ts';
export { opensNow } from './opens-now.ts';
export { isVersionOfItsOwn, type RenewInput, renewObject } from './renew.ts';
export { type Copied, copyResumably, type ResumableInput } from './resumable/resumable-copy.ts';
export type { UploadState } from './resumable/upload-state.ts';
export { signBody, signRequest, verifyRequest } from './signature.ts';
export { proveWhole } from './source/audio-proof.ts';
export { openMedia } from './source/open-media.ts';
export { readMedia, type SeenMedia } from './source/read-media.ts';
export { SampleDigest } from './source/sample-digest.ts';
export { openStoredMedia } from './source/stored-media.ts';
export { readTwilioKeys, type TwilioKeys } from './source/twilio-keys.ts';
export { openSealedMedia } from './source/twilio-sealed.ts';
export type { MediaCredentials, OpenedMedia, OpenMediaOptions } from './source/types.ts';
export { readWavHead, secondsOf, WavHead, type WavLayout } from './source/wav.ts';
export { type HeaderRepair, repairOf } from './source/wav-repair.ts';
export { type BucketLook, type CorsRule, lookAtBucket } from './store/look.ts';
export type { NewObject, NewObjectSettings } from './store/new-object.ts';
export { createStore } from './store/s3-store.ts';
export type {
  GetOptions,
  ListOptions,
  ObjectLock,
  PutOptions,
  Setting,
  Store,
  StoreConfig,
  Stored,
  StoredPart,
  StoredVersion,
  Versioning,
} from './store/types.ts';
export { type VerifyInput, verifyObject } from './verify.ts';
