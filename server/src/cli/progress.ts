import { Transform } from 'node:stream';

const QUIET_MS = 2_000;
const EVERY_MS = 200;
const MB = 1_000_000;

/** Passes bytes through and shows their number, at a terminal and after two seconds. */
export class Progress extends Transform {
  #bytes = 0;
  #shown = false;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(
    label: string,
    total: number | undefined,
    screen: { isTTY?: boolean; write(text: string): unknown } = process.stderr,
    now: () => number = Date.now,
  ) {
    super({ readableHighWaterMark: 262_144, writableHighWaterMark: 262_144 });
    if (!screen.isTTY) return;
    const begun = now();
    this.#timer = setInterval(() => {
      if (now() - begun < QUIET_MS) return;
      this.#shown = true;
      const of = total
        ? ` of ${(total / MB).toFixed(1)} MB (${Math.floor((100 * this.#bytes) / total)} %)`
        : ' MB';
      screen.write(`\r${label} ${(this.#bytes / MB).toFixed(1)}${of} `);
    }, EVERY_MS);
    this.once('close', () => {
      clearInterval(this.#timer);
      if (this.#shown) screen.write('\n');
    });
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: null, chunk?: Buffer) => void,
  ): void {
    this.#bytes += chunk.byteLength;
    done(null, chunk);
  }
}
