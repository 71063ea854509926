import { ByteQueue } from './byte-queue.ts';
import { envelopeError, TAG_BYTES } from './format.ts';
import { type FrameHead, frameHeadBytes, openFrame, readFrameHead } from './frame.ts';
import type { OpenedHeader } from './header.ts';

/** Takes the bytes of consecutive frames in any portions and gives their plaintext, each frame after its tag. */
export class FrameReader {
  readonly #opened: OpenedHeader;
  readonly #queue: ByteQueue;
  #sequence: number;
  #head: FrameHead | undefined;
  #ended = false;

  /** `sequence` of the first frame, from 1; `queue` may already hold bytes. */
  constructor(opened: OpenedHeader, sequence: number, queue = new ByteQueue()) {
    this.#opened = opened;
    this.#sequence = sequence;
    this.#queue = queue;
  }

  /** True once the final frame was opened. */
  get ended(): boolean {
    return this.#ended;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  /** Pieces of the next whole frame's plaintext; undefined until its last byte came. */
  next(): Buffer[] | undefined {
    if (this.#ended) {
      if (this.#queue.length === 0) return undefined;
      throw envelopeError('trailing_bytes', 'bytes follow the final frame');
    }
    const head = this.#nextHead();
    if (head === undefined || this.#queue.length < head.length + TAG_BYTES) return undefined;
    const ciphertext = this.#queue.take(head.length);
    const tag = this.#queue.takeOne(TAG_BYTES);
    const plaintext = openFrame(this.#opened.getDecipher, this.#opened.messageId, head, ciphertext, tag);
    this.#head = undefined;
    this.#sequence += 1;
    this.#ended = head.final;
    return plaintext;
  }

  #nextHead(): FrameHead | undefined {
    if (this.#head === undefined && this.#queue.length >= 4) {
      const bytes = frameHeadBytes(this.#queue.peek(4));
      if (this.#queue.length >= bytes) {
        this.#head = readFrameHead(this.#queue.takeOne(bytes), this.#sequence, this.#opened.frameLength);
      }
    }
    return this.#head;
  }
}
