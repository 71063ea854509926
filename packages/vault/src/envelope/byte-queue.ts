/** Bytes as they came in, taken out in other portions, without copying what need not be contiguous. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #offset = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.byteLength === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.byteLength;
  }

  /** The next `bytes` as pieces; there must be as many. */
  take(bytes: number): Buffer[] {
    if (bytes > this.#length) throw new RangeError(`${bytes} bytes asked of ${this.#length}`);
    const pieces: Buffer[] = [];
    let missing = bytes;
    let used = 0;
    while (missing > 0) {
      const chunk = this.#chunks[used] as Buffer;
      const piece = chunk.subarray(this.#offset, this.#offset + missing);
      pieces.push(piece);
      missing -= piece.byteLength;
      this.#offset += piece.byteLength;
      if (this.#offset === chunk.byteLength) {
        used += 1;
        this.#offset = 0;
      }
    }
    this.#chunks.splice(0, used);
    this.#length -= bytes;
    return pieces;
  }

  /** The next `bytes` in one buffer. */
  takeOne(bytes: number): Buffer {
    const pieces = this.take(bytes);
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, bytes);
  }

  /** The next `bytes` in one buffer, left in place. */
  peek(bytes: number): Buffer {
    const first = this.#chunks[0];
    if (first && first.byteLength - this.#offset >= bytes) {
      return first.subarray(this.#offset, this.#offset + bytes);
    }
    const taken = this.takeOne(bytes);
    const rest = this.#chunks[0];
    if (rest && this.#offset > 0) {
      this.#chunks[0] = rest.subarray(this.#offset);
      this.#offset = 0;
    }
    this.#chunks.unshift(taken);
    this.#length += bytes;
    return taken;
  }
}
