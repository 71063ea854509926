import { Transform, type TransformCallback } from 'node:stream';
import type { Keys } from '../keys/types.ts';
import { ByteQueue } from './byte-queue.ts';
import { envelopeError, FRAME_LENGTH } from './format.ts';
import { FrameReader } from './frame-reader.ts';
import { MAX_HEADER_BYTES, openHeader, parseHeader } from './header.ts';
import type { SealContext, SecretContext } from './types.ts';

/**
 * A whole sealed message in, its plaintext out, each frame only after its tag held. The stream ends cleanly only when
 * the final frame was opened and nothing followed it; until then what came out is authentic but may not be all.
 * `expected`: the recording it must be; undefined takes any.
 */
export function openStream(keys: Keys, expected: SealContext | SecretContext | undefined): Transform {
  return new OpenStream(keys, expected);
}

class OpenStream extends Transform {
  readonly #keys: Keys;
  readonly #expected: SealContext | SecretContext | undefined;
  readonly #queue = new ByteQueue();
  #frames: FrameReader | undefined;

  constructor(keys: Keys, expected: SealContext | SecretContext | undefined) {
    super({ readableHighWaterMark: 4 * FRAME_LENGTH, writableHighWaterMark: FRAME_LENGTH });
    this.#keys = keys;
    this.#expected = expected;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#queue.push(chunk);
    this.#advance().then(() => done(), done);
  }

  override _flush(done: TransformCallback): void {
    if (this.#frames?.ended) done();
    else done(envelopeError('truncated', 'the message ends before its final frame'));
  }

  async #advance(): Promise<void> {
    this.#frames ??= await this.#begin();
    if (this.#frames === undefined) return;
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
      for (const piece of frame) this.push(piece);
    }
  }

  async #begin(): Promise<FrameReader | undefined> {
    const start = this.#queue.peek(Math.min(this.#queue.length, MAX_HEADER_BYTES));
    const parsed = parseHeader(start);
    if (parsed === undefined) return undefined;
    const opened = await openHeader(this.#keys, parsed, this.#expected);
    this.#queue.take(parsed.bytes);
    return new FrameReader(opened, 1, this.#queue);
  }
}
