import { addAbortSignal, pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import type { Keys } from '../keys/types.ts';
import { nameBrokenEnd } from './broken-end.ts';
import {
  envelopeError,
  FINAL_MARK,
  FINAL_OVERHEAD,
  FRAME_LENGTH,
  frameOffset,
  type Geometry,
  geometry,
} from './format.ts';
import { FrameReader } from './frame-reader.ts';
import { MAX_HEADER_BYTES, type OpenedHeader, openHeader, type ParsedHeader, parseHeader } from './header.ts';
import { collectBytes, readBytes } from './object-bytes.ts';
import type { ObjectReader, OpenedEnvelope, SealContext } from './types.ts';

const FIRST_READ_BYTES = 8192;

/**
 * Opens a stored message for reading any part of it: header, key and context are proven, and so is the length, by the
 * final frame, before any caller gets it. Costs two small reads, side by side where the size is
 * expected (one, for what fits into the first).
 */
export async function openEnvelope(
  keys: Keys,
  reader: ObjectReader,
  expected: SealContext,
  signal?: AbortSignal,
): Promise<OpenedEnvelope> {
  const { expectedBytes = 0 } = reader;
  const aheadFrom = Math.max(0, expectedBytes - FRAME_LENGTH - FINAL_OVERHEAD);
  const ahead = expectedBytes > FIRST_READ_BYTES ? readTail(reader, aheadFrom, signal) : undefined;
  const { parsed, start, totalBytes } = await readHeader(reader, signal);
  const shape = { headerBytes: parsed.bytes, frameLength: parsed.header.frameLength, totalBytes };
  const g = geometry(totalBytes, parsed.bytes, parsed.header.frameLength);
  if (!g) throw await nameBrokenEnd(reader, shape, signal);
  const finalAt = frameOffset(g, g.fullFrames);
  const lastFrame = async () => {
    if (totalBytes <= start.byteLength) return start.subarray(finalAt, totalBytes);
    const tail = await ahead;
    return tail && aheadFrom <= finalAt && aheadFrom + tail.byteLength === totalBytes
      ? tail.subarray(finalAt - aheadFrom)
      : readBytes(reader, finalAt, totalBytes - 1, signal);
  };
  // The last frame is fetched while the key is unwrapped: its offset follows from the header alone.
  const [opened, last] = await Promise.all([openHeader(keys, parsed, expected), lastFrame()]);
  if (last.byteLength < 4 || last.readUInt32BE(0) !== FINAL_MARK)
    throw await nameBrokenEnd(reader, shape, signal);
  proveLength(opened, g, last);
  return {
    plaintextBytes: g.plaintextBytes,
    keyId: opened.keyId,
    read: (from, to, readSignal) => readRange(opened, g, reader, from, to, readSignal),
  };
}

/** The object's last bytes; undefined where they cannot be had, which the proper read will explain. */
function readTail(
  reader: ObjectReader,
  from: number,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  return readBytes(reader, from, from + FRAME_LENGTH + FINAL_OVERHEAD - 1, signal).catch(() => undefined);
}

/** The header alone, with what was read with it; nothing is proven yet. */
export async function readHeader(
  reader: ObjectReader,
  signal: AbortSignal | undefined,
): Promise<{ parsed: ParsedHeader; start: Buffer; totalBytes: number }> {
  for (let bytes = FIRST_READ_BYTES; ; bytes = Math.min(bytes * 2, MAX_HEADER_BYTES)) {
    const { body, totalBytes } = await reader.read(0, bytes - 1, signal);
    const start = await collectBytes(body, bytes);
    refuseOtherLength(start.byteLength, bytes, totalBytes);
    const parsed = parseHeader(start);
    if (parsed !== undefined) return { parsed, start, totalBytes };
    if (totalBytes <= bytes) throw envelopeError('truncated', 'the message ends within its header');
  }
}

/** What came of the first `asked` bytes must be as many as an object of that size has. */
function refuseOtherLength(came: number, asked: number, totalBytes: number): void {
  if (!Number.isSafeInteger(totalBytes) || totalBytes < 0)
    throw envelopeError('malformed', `the store states a size of ${totalBytes} bytes`);
  const due = Math.min(asked, totalBytes);
  if (came === due) return;
  const said = `the store says that the object has ${totalBytes} bytes, and ${came} of its first ${due} came`;
  throw envelopeError(came < due ? 'truncated' : 'trailing_bytes', said);
}

/** The final frame must open at the offset and have the length that the size gives, and end the message. */
function proveLength(opened: OpenedHeader, g: Geometry, last: Buffer): void {
  const frames = new FrameReader(opened, g.fullFrames + 1);
  frames.push(last);
  const plaintext = frames.next();
  if (plaintext === undefined) throw envelopeError('truncated', 'the message ends within its final frame');
  // Throws when anything is left.
  frames.next();
  const bytes = plaintext.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (bytes !== g.lastLength)
    throw envelopeError('malformed', `the final frame has ${bytes} bytes where ${g.lastLength} belong`);
}

function readRange(
  opened: OpenedHeader,
  g: Geometry,
  reader: ObjectReader,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Readable {
  if (!(start >= 0 && start <= end && end < g.plaintextBytes)) {
    throw new RangeError(`bytes ${start} to ${end} of ${g.plaintextBytes}`);
  }
  const first = Math.floor(start / g.frameLength);
  const last = Math.floor(end / g.frameLength);
  const from = frameOffset(g, first);
  const to = last < g.fullFrames ? frameOffset(g, last + 1) : g.totalBytes;
  const out = new RangeStream(
    new FrameReader(opened, first + 1),
    start - first * g.frameLength,
    end - start + 1,
  );
  if (signal) addAbortSignal(signal, out);
  // A reader that stops also stops the request, even one that has not been answered yet.
  const closed = new AbortController();
  out.once('close', () => closed.abort());
  const stop = signal ? AbortSignal.any([signal, closed.signal]) : closed.signal;
  reader.read(from, to - 1, stop).then(
    ({ body }) => pipeline(body, out, () => undefined),
    (error: Error) => out.destroy(error),
  );
  return out;
}

/** Frames in, the wanted part of their plaintext out; ends early, cleanly or not, only with an error. */
class RangeStream extends Transform {
  readonly #frames: FrameReader;
  #skip: number;
  #missing: number;

  constructor(frames: FrameReader, skip: number, length: number) {
    // At most one frame waits here: each of a hundred slow listeners keeps what waits in memory; the socket can wait instead.
    super({ readableHighWaterMark: 1, writableHighWaterMark: 1 });
    this.#frames = frames;
    this.#skip = skip;
    this.#missing = length;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#frames.push(chunk);
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        for (const piece of frame) this.#give(piece);
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.#missing === 0) done();
    else done(envelopeError('truncated', `the store ended ${this.#missing} bytes early`));
  }

  #give(piece: Buffer): void {
    const wanted = piece.subarray(this.#skip, this.#skip + this.#missing);
    this.#skip = Math.max(0, this.#skip - piece.byteLength);
    this.#missing -= wanted.byteLength;
    if (wanted.byteLength > 0) this.push(wanted);
  }
}
