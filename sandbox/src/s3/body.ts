import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { S3Error } from './errors.ts';

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** Node 20.12 has no `zlib.crc32` yet. */
export function crc32(chunk: Uint8Array, before = 0): number {
  let crc = ~before >>> 0;
  for (const byte of chunk) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const crcText = (crc: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
};

const incomplete = () =>
  new S3Error(
    400,
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length header',
  );

/**
 * Takes the framing off an `aws-chunked` body (unsigned chunks and a trailer: what SDKs send for streams with a
 * checksum). Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export class ChunkedDecoder extends Transform {
  readonly trailers: Record<string, string> = {};
  #rest: Buffer = Buffer.alloc(0);
  #left = 0;
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size';

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    try {
      while (this.#step());
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.#state === 'done' || this.#state === 'trailer' ? null : incomplete());
  }

  #line(): string | undefined {
    const end = this.#rest.indexOf('\r\n');
    if (end < 0) {
      if (this.#rest.length > 16_384) throw incomplete();
      return undefined;
    }
    const line = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + 2);
    return line;
  }

  #step(): boolean {
    if (this.#state === 'data') {
      const part = this.#rest.subarray(0, this.#left);
      if (part.length === 0) return false;
      this.push(part);
      this.#rest = this.#rest.subarray(part.length);
      this.#left -= part.length;
      if (this.#left === 0) this.#state = 'data-end';
      return true;
    }
    if (this.#state === 'done') return false;
    const line = this.#line();
    if (line === undefined) return false;
    if (this.#state === 'size') {
      const size = /^([0-9a-fA-F]{1,8})(;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw incomplete();
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
    } else if (this.#state === 'data-end') {
      if (line !== '') throw incomplete();
      this.#state = 'size';
    } else if (line === '') {
      this.#state = 'done';
    } else {
      const colon = line.indexOf(':');
      this.trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
    return true;
  }
}

/** Counts and digests what passes. */
export class Meter extends Transform {
  bytes = 0;
  readonly #md5 = createHash('md5');
  readonly #sha256: ReturnType<typeof createHash> | undefined;
  #crc: number | undefined;

  constructor(wants: { sha256: boolean; crc32: boolean }) {
    super();
    this.#sha256 = wants.sha256 ? createHash('sha256') : undefined;
    this.#crc = wants.crc32 ? 0 : undefined;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.#md5.update(chunk);
    this.#sha256?.update(chunk);
    if (this.#crc !== undefined) this.#crc = crc32(chunk, this.#crc);
    done(null, chunk);
  }

  digests(): { md5: Buffer; sha256: string | undefined; crc32: string | undefined } {
    return {
      md5: this.#md5.digest(),
      sha256: this.#sha256?.digest('hex'),
      crc32: this.#crc === undefined ? undefined : crcText(this.#crc),
    };
  }
}

export interface ReadBody {
  /** The stages that the request passes through on its way to the disk. */
  stages: [IncomingMessage, ...Transform[]];
  meter: Meter;
  /** After the last byte: compares it with the client's digests. @throws S3Error */
  check(): { md5: Buffer; crc32: string | undefined };
}

/** @param payload what the signature says the body is (sigv4.ts) */
export function readBody(request: IncomingMessage, payload: string): ReadBody {
  const { headers } = request;
  const chunked =
    /\baws-chunked\b/.test(headers['content-encoding'] ?? '') || payload.startsWith('STREAMING-');
  if (payload.startsWith('STREAMING-') && payload !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER')
    throw new S3Error(501, 'NotImplemented', 'Signed chunks are not implemented by this endpoint');
  // S3 takes a chunked transfer only with the length of what is inside it.
  if (headers['content-length'] === undefined && headers['x-amz-decoded-content-length'] === undefined)
    throw new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  const expected = chunked ? headers['x-amz-decoded-content-length'] : headers['content-length'];
  const decoder = chunked ? new ChunkedDecoder() : undefined;
  const trailing = headers['x-amz-trailer'];
  const statedCrc = headers['x-amz-checksum-crc32'];
  const wantsSha = /^[0-9a-f]{64}$/.test(payload);
  const meter = new Meter({
    sha256: wantsSha,
    crc32: statedCrc !== undefined || trailing === 'x-amz-checksum-crc32',
  });
  return {
    stages: decoder ? [request, decoder, meter] : [request, meter],
    meter,
    check() {
      const found = meter.digests();
      if (expected !== undefined && Number(expected) !== meter.bytes) throw incomplete();
      if (wantsSha && found.sha256 !== payload)
        throw new S3Error(
          400,
          'XAmzContentSHA256Mismatch',
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
      const md5 = headers['content-md5'];
      if (md5 !== undefined && md5 !== found.md5.toString('base64'))
        throw new S3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
      const crc = statedCrc ?? decoder?.trailers['x-amz-checksum-crc32'];
      if (crc !== undefined && crc !== found.crc32)
        throw new S3Error(400, 'BadDigest', 'The CRC32 you specified did not match the calculated checksum.');
      return { md5: found.md5, crc32: found.crc32 };
    },
  };
}

/** A small body whole, for the XML documents. */
export async function readText(body: Readable, most = 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > most) throw new S3Error(400, 'MaxMessageLengthExceeded', 'Your request was too big.');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
