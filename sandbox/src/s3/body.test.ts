import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ChunkedDecoder, crc32, readBody } from './body.ts';
import type { S3Error } from './errors.ts';

test('CRC32 is the well-known one, in one go or in pieces', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  expect(crc32(Buffer.from('6789'), crc32(Buffer.from('12345')))).toBe(0xcbf43926);
});

const crcOf = (body: Buffer) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
};

/** A body framed as SDKs frame it, in chunks of `step` bytes. */
const framed = (body: Buffer, step: number, trailer = `x-amz-checksum-crc32:${crcOf(body)}`) => {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += step) {
    const piece = body.subarray(at, at + step);
    chunks.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...chunks, Buffer.from(`0\r\n${trailer}\r\n\r\n`)]);
};

const incoming = (bytes: readonly Buffer[], headers: IncomingHttpHeaders) =>
  Object.assign(Readable.from(bytes), { headers }) as unknown as IncomingMessage;

async function receive(bytes: readonly Buffer[], headers: IncomingHttpHeaders, payload = 'UNSIGNED-PAYLOAD') {
  const got: Buffer[] = [];
  const { stages, check } = readBody(incoming(bytes, headers), payload);
  const keep = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      got.push(chunk);
      done();
    },
  });
  await pipeline([...stages, keep]);
  return { body: Buffer.concat(got), ...check() };
}
const refusal = async (...given: Parameters<typeof receive>) => {
  try {
    await receive(...given);
  } catch (error) {
    return (error as S3Error).code;
  }
  return 'accepted';
};

const chunkedHeaders = (length: number): IncomingHttpHeaders => ({
  'content-encoding': 'aws-chunked',
  'content-length': '1',
  'x-amz-decoded-content-length': String(length),
  'x-amz-trailer': 'x-amz-checksum-crc32',
});
const streaming = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

test('framing comes off, however the network cuts it', async () => {
  const body = randomBytes(1000);
  for (const step of [1, 7, 64, 999, 1000, 5000]) {
    const wire = framed(body, step);
    for (const cut of [1, 2, 3, 10, 333, wire.length]) {
      const pieces = Array.from({ length: Math.ceil(wire.length / cut) }, (_, index) =>
        wire.subarray(index * cut, (index + 1) * cut),
      );
      const received = await receive(pieces, chunkedHeaders(1000), streaming);
      expect(received.body.equals(body)).toBe(true);
      expect(received.crc32).toBe(crcOf(body));
    }
  }
});

test('an empty framed body is empty', async () => {
  const received = await receive([framed(Buffer.alloc(0), 1)], chunkedHeaders(0), streaming);
  expect(received.body).toHaveLength(0);
});

test('a framed body that breaks off, lies about its sizes or its checksum is refused', async () => {
  const body = randomBytes(100);
  const wire = framed(body, 30);
  const headers = chunkedHeaders(100);
  expect(await refusal([wire.subarray(0, 50)], headers, streaming)).toBe('IncompleteBody');
  expect(await refusal([wire.subarray(2)], headers, streaming)).toBe('IncompleteBody');
  expect(await refusal([wire], chunkedHeaders(99), streaming)).toBe('IncompleteBody');
  const wrong = framed(body, 30, 'x-amz-checksum-crc32:AAAAAA==');
  expect(await refusal([wrong], headers, streaming)).toBe('BadDigest');
  expect(await refusal([wire], headers, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD')).toBe('NotImplemented');
});

test('a plain body is held to its length, its MD5, its CRC32 and its signed SHA-256', async () => {
  const body = Buffer.from('what was sent');
  const headers = { 'content-length': String(body.length) };
  const md5 = createHash('md5').update(body).digest('base64');
  const sha256 = createHash('sha256').update(body).digest('hex');
  const good = { ...headers, 'content-md5': md5, 'x-amz-checksum-crc32': crcOf(body) };
  expect((await receive([body], good, sha256)).md5.toString('base64')).toBe(md5);
  expect(await refusal([body.subarray(1)], headers)).toBe('IncompleteBody');
  expect(await refusal([body], { ...headers, 'content-md5': 'x' })).toBe('BadDigest');
  expect(await refusal([body], { ...headers, 'x-amz-checksum-crc32': 'x' })).toBe('BadDigest');
  expect(await refusal([body], headers, sha256.replace(/./, 'x'))).toBe('accepted');
  expect(await refusal([body], headers, '0'.repeat(64))).toBe('XAmzContentSHA256Mismatch');
  expect(await refusal([body], {})).toBe('MissingContentLength');
});

test('a decoder that never saw the end says so', async () => {
  const decoder = new ChunkedDecoder();
  const ended = pipeline(
    Readable.from([Buffer.from('5\r\nab')]),
    decoder,
    new Writable({ write: (_c, _e, d) => d() }),
  );
  await expect(ended).rejects.toThrow('number of bytes');
});
