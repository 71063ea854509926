/** Bytes that may lie idle between two uses. */
const MOST_IDLE = 8 * 1024 * 1024;
/** Sizes are rounded up to it, so that recordings of about one length share their buffers. */
const STEP = 256 * 1024;

const idle: Buffer[] = [];
let idleBytes = 0;

/**
 * A buffer of at least so many bytes, used before where there is one: for many short uploads one after the other. A new one
 * for each would grow old while it is sent, and V8, which counts bytes outside its heap, would look through the whole heap
 * every few uploads; that took a third of their time. What is in it is of its last use.
 */
export function takeSpare(bytes: number): Buffer {
  const wanted = Math.ceil(bytes / STEP) * STEP;
  const at = idle.findIndex((buffer) => buffer.byteLength >= wanted && buffer.byteLength <= 2 * wanted);
  const [found] = at < 0 ? [] : idle.splice(at, 1);
  if (!found) return Buffer.allocUnsafeSlow(wanted);
  idleBytes -= found.byteLength;
  return found;
}

/** Only when no request reads it any more: never after an upload that failed, whose request may still be under way. */
export function giveSpare(buffer: Buffer): void {
  if (idleBytes + buffer.byteLength > MOST_IDLE) return;
  idle.push(buffer);
  idleBytes += buffer.byteLength;
}
