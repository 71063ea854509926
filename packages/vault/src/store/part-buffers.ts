/**
 * The memory of one upload: a fixed number of part-sized buffers, used again and again, so that a long recording needs
 * no more than a short one and leaves the garbage collector nothing to do.
 */
export class PartBuffers {
  readonly #bytes: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #unmade: number;

  constructor(bytes: number, count: number) {
    this.#bytes = bytes;
    this.#unmade = count;
  }

  /** Waits where all are in use. What is in it is of its last use. */
  take(): Buffer | Promise<Buffer> {
    const buffer = this.#free.pop();
    if (buffer) return buffer;
    if (this.#unmade > 0) {
      this.#unmade -= 1;
      return Buffer.allocUnsafeSlow(this.#bytes);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next) next(buffer);
    else this.#free.push(buffer);
  }
}
