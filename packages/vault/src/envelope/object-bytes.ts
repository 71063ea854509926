import type { Readable } from 'node:stream';
import type { ObjectReader } from './types.ts';

/** The bytes [start, end] of an object in memory; fewer when it ends before. */
export async function readBytes(
  reader: ObjectReader,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { body } = await reader.read(start, end, signal);
  return collectBytes(body, end - start + 1);
}

/** What comes, up to `most` bytes. */
export async function collectBytes(body: Readable, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    // A store that ignores ranges answers with the whole object. Not at `most` itself: the connection is to be kept.
    if (bytes > most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}
