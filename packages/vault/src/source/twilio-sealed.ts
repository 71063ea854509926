import { createDecipheriv, type DecipherGCM } from 'node:crypto';
import { pipeline, Transform, type TransformCallback } from 'node:stream';
import type { MediaSource } from '@flex-custody/core';
import { mediaError } from './errors.ts';
import { MediaGuard } from './guard.ts';
import { openMedia } from './open-media.ts';
import type { MediaCredentials, OpenedMedia, OpenMediaOptions } from './types.ts';
import { WavHead } from './wav.ts';

/** What Twilio's ciphertext ends with. */
const TAG_BYTES = 16;
const STALL_MS = 30_000;

/** Opens one sealed body: a content key, and its IV (base64). */
export interface ContentKey {
  cek: Buffer;
  iv: string;
}

/**
 * A recording that Twilio has sealed (Voice Recording Encryption), as the audio that is in it. Its body ends well only
 * when the tag over the whole was right, so nothing of it counts before its end. GCM begins at the beginning: a range is
 * never asked for, and a copy that continues reads again from the start.
 * @throws CustodyError as {@link openMedia}, and from the body `media_tampered`
 */
export async function openSealedMedia(
  source: MediaSource,
  credentials: MediaCredentials,
  { cek, iv }: ContentKey,
  options: Pick<OpenMediaOptions, 'signal' | 'stallMs'> = {},
): Promise<OpenedMedia> {
  const sealed = await openMedia(source, credentials, { ...options, sealed: true });
  const { contentLength, contentRange: _range, ...rest } = sealed;
  const opener = new GcmOpener(createDecipheriv('aes-256-gcm', cek, Buffer.from(iv, 'base64')));
  const bytes = contentLength === undefined ? undefined : Math.max(0, contentLength - TAG_BYTES);
  const guard = new MediaGuard({
    expectedBytes: bytes,
    stallMs: options.stallMs ?? STALL_MS,
    showsHead: true,
  });
  // Its errors reach the reader.
  pipeline(sealed.body, opener, guard, () => undefined);
  await guard.accepted;
  // What was asked for says nothing here: Twilio cannot mix what it cannot open.
  const channels = (await opener.channels) ?? sealed.channels;
  return {
    ...rest,
    body: guard,
    channels,
    acceptRanges: false,
    ...(bytes !== undefined && { contentLength: bytes }),
  };
}

/** Decrypts a body, holding back its last 16 bytes: the tag, which has no length in front of it. */
class GcmOpener extends Transform {
  /** Of the WAV inside; undefined where its head does not say. */
  readonly channels: Promise<1 | 2 | undefined>;
  #tell: (channels: 1 | 2 | undefined) => void = () => undefined;
  readonly #decipher: DecipherGCM;
  #held = Buffer.alloc(0);
  readonly #head = new WavHead();

  constructor(decipher: DecipherGCM) {
    super();
    this.#decipher = decipher;
    this.channels = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const all = this.#held.byteLength === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const end = Math.max(0, all.byteLength - TAG_BYTES);
    // A copy: the chunk it is a view of would be kept alive by these few bytes.
    this.#held = Buffer.from(all.subarray(end));
    const audio = this.#decipher.update(all.subarray(0, end));
    if (!this.#head.isRead) this.#look(audio);
    done(null, audio);
  }

  override _flush(done: TransformCallback): void {
    this.#tell(undefined);
    try {
      this.#decipher.setAuthTag(this.#held);
      this.#decipher.final();
      done();
    } catch {
      done(
        mediaError('tampered', "the media's tag is wrong: Twilio encrypted other bytes, or with another key"),
      );
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#tell(undefined);
    done(error);
  }

  #look(audio: Buffer): void {
    this.#head.push(audio);
    if (!this.#head.isRead) return;
    const channels = this.#head.layout?.channels;
    // What is no recording is refused by the guard behind this, or by the copy's own proof.
    this.#tell(channels === 1 || channels === 2 ? channels : undefined);
  }
}
