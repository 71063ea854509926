import type { MediaSource } from '@flex-custody/core';
import { mediaError } from './errors.ts';
import { byteRateOf, WavHead, type WavLayout } from './wav.ts';

/** Twilio states whole seconds, rounded either way. */
const DURATION_TOLERANCE_SECONDS = 1.5;

/** What is known of a file that was read up to here, so that the reading can continue. */
export interface ProofSoFar {
  bytes: number;
  layout: WavLayout;
  /** As its RIFF header says; absent where the writer left it open. */
  wholeBytes?: number;
}

/** How long a recording is, by Twilio's word. */
export type StatedLength = Pick<MediaSource, 'durationSeconds' | 'pausedSeconds'>;

/**
 * Holds what a WAV file's head says against the number of its bytes: as long as its RIFF header says, its samples within
 * it, and playing as long as the recording lasted. Whether Twilio counts a pause of the kind `skip` is not known: either
 * length is taken.
 * @throws CustodyError `media_empty`, `media_not_audio`, `media_short`, `media_long`
 */
export function proveWhole(
  { layout, refusal }: Pick<WavHead, 'layout' | 'refusal'>,
  bytes: number,
  stated: StatedLength,
): void {
  if (bytes === 0) throw mediaError('empty', 'the media is empty');
  if (refusal !== undefined) throw mediaError('not_audio', `the media is no recording: ${refusal}`);
  if (!layout) throw mediaError('not_audio', 'the media ends before its samples begin');
  const whole = layout.wholeBytes ?? bytes;
  const dataBytes = layout.dataBytes ?? bytes - layout.dataStart;
  if (bytes < whole) throw mediaError('short', `the WAV file is ${whole} bytes long, of which ${bytes} came`);
  if (layout.dataStart + dataBytes > bytes) {
    const came = bytes - layout.dataStart;
    throw mediaError('short', `the WAV file has ${dataBytes} bytes of samples, of which ${came} came`);
  }
  if (bytes > whole) throw mediaError('long', `the WAV file is ${whole} bytes long, but ${bytes} came`);
  const { durationSeconds, pausedSeconds = 0 } = stated;
  if (durationSeconds === undefined) return;
  const byteRate = byteRateOf(layout);
  if (byteRate === 0)
    throw mediaError('not_audio', `the length of audio in the format ${layout.format} cannot be calculated`);
  const seconds = dataBytes / byteRate;
  const isShort = seconds < durationSeconds - pausedSeconds - DURATION_TOLERANCE_SECONDS;
  if (!isShort && seconds <= durationSeconds + DURATION_TOLERANCE_SECONDS) return;
  const message = `the audio lasts ${seconds.toFixed(1)} s, the recording ${durationSeconds} s`;
  throw mediaError(isShort ? 'short' : 'long', message);
}

/** Proof that a WAV file came whole, taken while its bytes go by: {@link proveWhole}. */
export class AudioProof {
  readonly #stated: StatedLength;
  readonly #head = new WavHead();
  #layout: WavLayout | undefined;
  #bytes = 0;

  constructor(stated: StatedLength, soFar?: ProofSoFar) {
    this.#stated = stated;
    if (soFar) {
      this.#bytes = soFar.bytes;
      this.#layout = { ...soFar.layout, wholeBytes: soFar.wholeBytes };
    }
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of the audio, whatever was asked for; undefined until its head has come. */
  get channels(): 1 | 2 | undefined {
    return this.#layout && (this.#layout.channels === 2 ? 2 : 1);
  }

  /** Undefined until its head has come. */
  get soFar(): ProofSoFar | undefined {
    if (!this.#layout) return undefined;
    const { wholeBytes, ...layout } = this.#layout;
    return { bytes: this.#bytes, layout, ...(wholeBytes !== undefined && { wholeBytes }) };
  }

  /** @throws CustodyError `media_not_audio` */
  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#layout) return;
    this.#head.push(chunk);
    this.#layout = this.#head.layout;
    if (this.#head.refusal !== undefined) proveWhole(this.#head, this.#bytes, this.#stated);
  }

  /** @throws CustodyError `media_empty`, `media_not_audio`, `media_short`, `media_long` */
  end(): void {
    proveWhole({ layout: this.#layout, refusal: this.#head.refusal }, this.#bytes, this.#stated);
  }
}
