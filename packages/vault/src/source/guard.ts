import { Transform, type TransformCallback } from 'node:stream';
import { mediaError } from './errors.ts';
import { looksLikeAudio, RIFF_HEAD_BYTES, riffBytes } from './wav.ts';

export interface GuardOptions {
  /** From Content-Length. */
  expectedBytes: number | undefined;
  /** Longest time without a chunk while the reader waits for one, ms. */
  stallMs: number;
  /** False for what cannot begin with a RIFF header: a later range, or what is sealed. */
  showsHead: boolean;
}

/**
 * Passes a body through and turns every way in which it can be wrong into an error: empty, no audio, shorter or longer
 * than announced, silent for too long. That the socket ended cleanly proves nothing.
 */
export class MediaGuard extends Transform {
  /** Settles when the first bytes were seen to be audio, or were not. */
  readonly accepted: Promise<void>;
  #settle: { accept(): void; refuse(reason: unknown): void } | undefined;
  readonly #options: GuardOptions;
  #expectedBytes: number | undefined;
  #seen = 0;
  #head: Buffer | undefined = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;
  #waited = false;

  constructor(options: GuardOptions) {
    super({ readableHighWaterMark: 65_536, writableHighWaterMark: 65_536 });
    this.#options = options;
    this.#expectedBytes = options.expectedBytes;
    this.accepted = new Promise((accept, refuse) => {
      this.#settle = { accept, refuse };
    });
    // A caller that does not await it gets the same error from the body, also one that begins to read late.
    this.accepted.catch(() => undefined);
    this.on('error', () => undefined);
    if (!options.showsHead) {
      this.#head = undefined;
      this.#accept();
    }
    this.#watch();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#timer?.refresh();
    this.#seen += chunk.byteLength;
    try {
      if (this.#head) this.#inspect(chunk);
      else this.push(chunk);
      this.#refuseExcess();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    clearTimeout(this.#timer);
    try {
      if (this.#seen === 0) throw mediaError('empty', 'the media is empty');
      if (this.#head)
        throw mediaError('not_audio', `the media has ${this.#seen} bytes, less than a WAV header`);
      if (this.#expectedBytes !== undefined && this.#seen < this.#expectedBytes) {
        throw mediaError('short', `the media ended after ${this.#seen} of ${this.#expectedBytes} bytes`);
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#settle?.refuse(error ?? mediaError('cut', 'the reading of the media was stopped'));
    this.#settle = undefined;
    done(error);
  }

  /** Holds the first bytes back until they show what this is. */
  #inspect(chunk: Buffer): void {
    const head = Buffer.concat([this.#head ?? Buffer.alloc(0), chunk]);
    this.#head = head;
    if (head.byteLength < RIFF_HEAD_BYTES) return;
    if (!looksLikeAudio(head)) throw mediaError('not_audio', 'the media does not begin like a WAV file');
    // Without a Content-Length only the file itself says how long it is.
    this.#expectedBytes ??= riffBytes(head);
    this.#head = undefined;
    this.push(head);
    this.#accept();
  }

  #accept(): void {
    this.#settle?.accept();
    this.#settle = undefined;
  }

  #refuseExcess(): void {
    if (this.#expectedBytes !== undefined && this.#seen > this.#expectedBytes) {
      throw mediaError('long', `the media continues after its ${this.#expectedBytes} bytes`);
    }
  }

  /** A reader that is slow is no stall of the source: while our own buffer is full the clock only starts over. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // A reader that has just resumed gives the source a whole period to answer.
      const again = this.#waited;
      this.#waited = this.readableLength >= this.readableHighWaterMark || this.writableNeedDrain;
      if (this.#waited || again) this.#watch();
      else this.destroy(mediaError('stalled', `Twilio sent no media for ${this.#options.stallMs} ms`));
    }, this.#options.stallMs);
    this.#timer.unref();
  }
}
