import { CustodyError, type MediaSource, type SealedObject } from '@flex-custody/core';
import { asError } from '../as-error.ts';
import { FRAME_LENGTH } from '../envelope/format.ts';
import { createSealer, resumeSealer, type Sealer } from '../envelope/seal.ts';
import type { Keys } from '../keys/types.ts';
import { AudioProof } from '../source/audio-proof.ts';
import type { OpenedMedia } from '../source/types.ts';
import { PartBuffers } from '../store/part-buffers.ts';
import { giveSpare, takeSpare } from '../store/spare-buffers.ts';
import type { Store, StoredPart } from '../store/types.ts';
import { type CutPart, cutParts, partCapacity, wholeCapacity } from './cut-parts.ts';
import { type Copied, type FinishedState, findFinished, finishUpload, isGone } from './finish-upload.ts';
import { type Continuation, identityOf, openAt, readContinuation } from './source-identity.ts';
import type { UploadState } from './upload-state.ts';

export type { Copied } from './finish-upload.ts';

/** 8 MiB of audio: 128 frames. */
const FRAMES_PER_PART = 128;
const PARTS_AT_ONCE = 2;
/** S3 takes no more parts; longer audio is cut into larger ones. */
const MOST_PARTS = 10_000;
/** How often an upload is aborted at most: a part that was on its way may arrive after the first time. */
const SWEEPS = 3;

export interface ResumableInput {
  source: MediaSource;
  /** Opens the media: once where no `state` is given, so that media which is open already will do, else once or twice. */
  open(options: { channels: 1 | 2; range?: string; ifRange?: string }): Promise<OpenedMedia>;
  /** That can open what they seal; undefined in sse-kms mode, where the store seals. */
  keys: Keys | undefined;
  store: Store;
  objectKey: string;
  /** Where an earlier process stopped. */
  state?: UploadState | undefined;
  /**
   * Keeps the state for the process that continues. False: another process has the recording now, and nothing more is
   * sent. Absent: no process continues this copy, and one that fails or is aborted leaves neither object nor parts.
   */
  save?(state: UploadState): Promise<boolean>;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number | undefined) => void;
  /** After each part that the store has taken. */
  onStored?: () => void;
  /** For tests. */
  framesPerPart?: number;
}

/** The source is not what it was when the upload began: what was sealed of it is for nothing. */
class SourceChanged extends Error {}

/**
 * Copies a recording so that any process can go on with it: a short one in one piece, a longer one in parts, each noted
 * before it is sent. A copy continues at its first missing part, from a source that gives ranges or from one that
 * must be read again; where the source has changed, or the upload no longer exists, the copy starts over with another
 * data key. A failed copy leaves its parts for the next try: after the last one the caller aborts the upload (see
 * `store.abortUpload`). Without `save` the copy aborts it itself.
 * Errors: media_*, store_*, key_*, `lease_lost`, and `media_changed` (retryable) for a source that never stays the same.
 */
export async function copyResumably(input: ResumableInput): Promise<Copied> {
  const { state, store } = input;
  if (state) {
    const found = await new ResumableCopy(input).goOn(state);
    if (found) return found;
    await store.abortUpload(state.key, state.uploadId);
  }
  const copy = new ResumableCopy(input);
  try {
    return await copy.begin();
  } catch (error) {
    if (!(error instanceof SourceChanged)) throw error;
    throw new CustodyError('media_changed', 'the media changed while it was read');
  }
}

class ResumableCopy {
  readonly #input: ResumableInput;
  readonly #stopped = new AbortController();
  readonly #onTheWire = new Set<Promise<void>>();
  readonly #arrived = new Map<number, StoredPart>();
  #sentBytes = 0;
  #failure: unknown;
  /** Id of an upload that was begun and of which no state is saved yet. */
  #unnoted: string | undefined;

  constructor(input: ResumableInput) {
    this.#input = input;
  }

  async begin(): Promise<Copied> {
    const { keys, open, source, store } = this.#input;
    const media = await open({ channels: source.channels });
    try {
      if (store.mode === 'envelope' && !keys) {
        throw new CustodyError('key_invalid', 'envelope mode needs a key: nothing is stored unsealed');
      }
      const sealer =
        store.mode === 'envelope' && keys
          ? await createSealer(keys, { account: source.accountSid, recording: source.recordingSid })
          : undefined;
      const proof = new AudioProof(source);
      return await this.#send(media, proof, { sealer, keyId: keys?.keyId, from: { first: 0, sealFrom: 0 } });
    } finally {
      media.body.destroy();
    }
  }

  /** Undefined where the copy cannot continue and must start over. */
  async goOn(state: UploadState): Promise<Copied | undefined> {
    const { store, objectKey } = this.#input;
    if (state.key !== objectKey || (state.header === '') !== (store.mode === 'sse-kms')) return undefined;
    try {
      for await (const part of store.parts(state.key, state.uploadId)) {
        this.#arrived.set(part.number, part);
        this.#sentBytes += part.bytes;
      }
    } catch (error) {
      if (!isGone(error)) throw error;
      return isFinished(state) ? findFinished(store, state) : undefined;
    }
    const isWhole = state.parts.every((_, index) => this.#arrived.has(index + 1));
    if (isFinished(state) && isWhole) return finishUpload(store, state, [...this.#arrived.values()]);
    return this.#continue(state);
  }

  async #continue(state: UploadState): Promise<Copied | undefined> {
    const { keys, source } = this.#input;
    let sealer: (Sealer & { keyId: string }) | undefined;
    if (state.header !== '') {
      const context = { account: source.accountSid, recording: source.recordingSid };
      if (!keys?.canOpen) return undefined;
      try {
        sealer = await resumeSealer(keys, context, Buffer.from(state.header, 'base64'));
      } catch (error) {
        // A service that is away says nothing of the upload.
        if (error instanceof CustodyError && error.retryable) throw error;
        return undefined;
      }
    }
    let sealFrom = 0;
    while (sealFrom < state.parts.length && this.#arrived.has(sealFrom + 1)) sealFrom += 1;
    const opened = await openAt(this.#input.open, state, sealFrom * state.partBytes);
    const from: Continuation | undefined = readContinuation(opened, state, sealFrom);
    if (!from) {
      opened.body.destroy();
      return undefined;
    }
    const proof =
      from.first === 0
        ? new AudioProof(source)
        : new AudioProof(source, { ...state.wav, bytes: from.first * state.partBytes });
    try {
      // What follows the gap may have arrived, but is sealed once more: it is the same, or nothing is sent.
      const { done: _, ...rest } = state;
      const unfinished = { ...rest, parts: [...state.parts] };
      return await this.#send(opened, proof, { sealer, keyId: state.keyId, from, state: unfinished });
    } catch (error) {
      if (error instanceof SourceChanged || isGone(error)) return undefined;
      throw error;
    } finally {
      opened.body.destroy();
    }
  }

  async #send(
    media: OpenedMedia,
    proof: AudioProof,
    plan: { sealer: Sealer | undefined; keyId: string | undefined; from: Continuation; state?: UploadState },
  ): Promise<Copied> {
    const { sealer, from } = plan;
    let { state } = plan;
    const framesPerPart =
      state === undefined
        ? framesFor(media.contentLength, this.#input.framesPerPart ?? FRAMES_PER_PART)
        : state.partBytes / FRAME_LENGTH;
    const cut = { sealer, frameLength: FRAME_LENGTH, framesPerPart, ...from };
    const capacity = partCapacity(cut);
    // One fills while the others are on the wire.
    const buffers = new PartBuffers(capacity, PARTS_AT_ONCE + 1);
    const whole = media.status === 206 ? undefined : media.contentLength;
    const wholeBytes = whole === undefined ? capacity : wholeCapacity(cut, whole);
    // The guard lets no more than the announced length through.
    const take = () => (wholeBytes < capacity ? takeSpare(wholeBytes) : buffers.take());
    // The signal ends uploads under way as well as the reading: another process may have the lease by now.
    const halt = () => this.#stopped.abort();
    const letGo = () => media.body.destroy(asError(this.#input.signal?.reason ?? this.#failure));
    this.#input.signal?.addEventListener('abort', halt, { once: true });
    this.#stopped.signal.addEventListener('abort', letGo, { once: true });
    // The stream may fail before its first read; that read then still gets the error. Parts on the wire are worth
    // waiting for only where a process will continue with them.
    media.body.on('error', () => this.#input.save ?? halt());
    try {
      this.#input.signal?.throwIfAborted();
      const onAudio = (chunk: Uint8Array) => {
        proof.push(chunk);
        this.#input.onProgress?.(proof.bytes, whole);
      };
      let sha256: string | undefined;
      const audio = media.body as AsyncIterable<Uint8Array>;
      for await (const part of cutParts(audio, { ...cut, takeBuffer: take, onAudio })) {
        if (part.last) proof.end();
        sha256 = part.wholeSha256;
        const noted = state?.parts[part.index];
        if (noted && noted.sha256 !== part.sha256) throw new SourceChanged();
        if (!part.body || !part.buffer) continue;
        if (part.last && !state) {
          const copied = await this.#putWhole(part.body, part.sha256, media, proof, plan.keyId);
          giveSpare(part.buffer);
          return copied;
        }
        state ??= await this.#beginUpload(media, proof, { sealer, keyId: plan.keyId, framesPerPart });
        state.parts[part.index] = { sha256: part.sha256 };
        await this.#save(state);
        this.#stopped.signal.throwIfAborted();
        this.#dispatch(state, part, part.body, () => buffers.give(part.buffer as Buffer));
      }
      if (!state) throw new Error('audio without a part');
      if (state.parts.length > countOf(proof.bytes, state, sealer !== undefined)) throw new SourceChanged();
      await Promise.all(this.#onTheWire);
      this.#stopped.signal.throwIfAborted();
      const done = {
        plaintextBytes: proof.bytes,
        bytes: this.#sentBytes,
        ...(sha256 !== undefined && { plaintextSha256: sha256 }),
      };
      const finished = { ...state, done };
      await this.#save(finished);
      return await finishUpload(this.#input.store, finished, [...this.#arrived.values()]);
    } catch (error) {
      // What is noted and on its way is good, whatever became of the source: the next try need not send it again.
      if (isBrokenOff(error)) await Promise.allSettled(this.#onTheWire);
      this.#stopped.abort();
      await Promise.allSettled(this.#onTheWire);
      await this.#dropUnnoted();
      if (this.#input.signal?.aborted) throw asError(this.#input.signal.reason);
      throw this.#failure ?? error;
    } finally {
      this.#input.signal?.removeEventListener('abort', halt);
    }
  }

  async #beginUpload(
    media: OpenedMedia,
    proof: AudioProof,
    {
      sealer,
      keyId,
      framesPerPart,
    }: { sealer: Sealer | undefined; keyId: string | undefined; framesPerPart: number },
  ): Promise<UploadState> {
    const { objectKey, store } = this.#input;
    const soFar = proof.soFar;
    if (!soFar) throw new Error('a part without the head of its audio');
    const { bytes: _, ...wav } = soFar;
    const uploadId = await store.beginUpload(objectKey);
    this.#unnoted = uploadId;
    return {
      version: 1,
      key: objectKey,
      uploadId,
      header: sealer?.header.toString('base64') ?? '',
      keyId: keyId ?? 'bucket-default',
      partBytes: framesPerPart * FRAME_LENGTH,
      source: identityOf(media),
      wav,
      parts: [],
    };
  }

  async #save(state: UploadState): Promise<void> {
    if (!this.#input.save) return;
    if (!(await this.#input.save(state))) throw new CustodyError('lease_lost', 'another writer took over');
    this.#unnoted = undefined;
  }

  /** Aborts an upload that no saved state names. The janitor removes what cannot be aborted now. */
  async #dropUnnoted(): Promise<void> {
    const { objectKey, store } = this.#input;
    if (this.#unnoted === undefined) return;
    try {
      for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
        await store.abortUpload(objectKey, this.#unnoted);
        for await (const _ of store.parts(objectKey, this.#unnoted)) break;
      }
    } catch {
      // `upload_gone`: the upload is aborted. Any other error would hide the one that ended the copy.
    }
  }

  #dispatch({ key, uploadId }: UploadState, { index }: CutPart, body: Buffer, release: () => void): void {
    const replaced = this.#arrived.get(index + 1) as (StoredPart & { bytes?: number }) | undefined;
    if (replaced) this.#sentBytes -= replaced.bytes ?? 0;
    this.#arrived.delete(index + 1);
    const sending = this.#input.store
      .sendPart(key, uploadId, index + 1, body, { signal: this.#stopped.signal })
      .then(
        (part) => {
          this.#arrived.set(part.number, part);
          this.#sentBytes += body.byteLength;
          this.#input.onStored?.();
        },
        (error: unknown) => {
          if (!this.#stopped.signal.aborted) this.#failure = error;
          this.#stopped.abort();
        },
      )
      .finally(() => {
        this.#onTheWire.delete(sending);
        release();
      });
    this.#onTheWire.add(sending);
  }

  async #putWhole(
    body: Buffer,
    sha256: string,
    media: OpenedMedia,
    proof: AudioProof,
    keyId: string | undefined,
  ): Promise<Copied> {
    const { objectKey, save, store } = this.#input;
    // Broken off, a request may have made the object or not: only a copy under a time limit takes that.
    const stored = await store.putBytes(objectKey, body, {
      isRecording: true,
      ...(!save && { signal: this.#stopped.signal }),
    });
    const object: SealedObject = {
      key: objectKey,
      mode: store.mode,
      ...(stored.versionId !== undefined && { versionId: stored.versionId }),
      etag: stored.etag,
      bytes: body.byteLength,
      plaintextBytes: proof.bytes,
      plaintextSha256: sha256,
      keyId: (store.mode === 'envelope' ? keyId : stored.kmsKeyId) ?? 'bucket-default',
    };
    return { object, channels: proof.channels ?? media.channels };
  }
}

function framesFor(totalBytes: number | undefined, framesPerPart: number): number {
  const least = Math.ceil((totalBytes ?? 0) / FRAME_LENGTH / (MOST_PARTS - 1));
  return Math.max(framesPerPart, least);
}

/** How many parts so much audio makes. */
function countOf(bytes: number, { partBytes }: UploadState, sealed: boolean): number {
  return sealed ? Math.floor(bytes / partBytes) + 1 : Math.max(1, Math.ceil(bytes / partBytes));
}

function isFinished(state: UploadState): state is FinishedState {
  return state.done !== undefined;
}

/** The source was good as far as it came. */
function isBrokenOff(error: unknown): boolean {
  return error instanceof CustodyError && (error.code === 'media_cut' || error.code === 'media_stalled');
}
