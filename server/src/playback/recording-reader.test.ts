import { once } from 'node:events';
import { Readable } from 'node:stream';
import { createKeys, sealStream } from '@flex-custody/vault';
import { until } from '../../../test/support/until.ts';
import { createRecordingReader, type RecordingReaderOptions } from './recording-reader.ts';
import { Reads } from './resting-stream.ts';
import {
  account,
  bucketOf,
  bytesOf,
  noise,
  otherRecording,
  recording,
  sha256,
  storedRow,
} from './testing/kit.ts';

const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(3) }] });
const plaintext = noise(400_000);
const warnings: object[] = [];
let ciphertext: Buffer;

beforeAll(async () => {
  const seal = await sealStream(keys, { account, recording });
  ciphertext = await bytesOf(Readable.from([plaintext], { objectMode: false }).pipe(seal));
});
beforeEach(() => {
  warnings.length = 0;
});

const row = (object = {}, facts = {}) =>
  storedRow({ plaintextBytes: plaintext.length, plaintextSha256: sha256(plaintext), ...object }, facts);

function setup(options: Partial<RecordingReaderOptions> = {}, content = ciphertext) {
  const bucket = bucketOf(row().object.key, content);
  const log = { warn: (about: object) => warnings.push(about) };
  return { ...bucket, reader: createRecordingReader({ store: bucket.store, keys, log, ...options }) };
}

test('the whole and any part of it are the source’s bytes', async () => {
  const { reader } = setup();
  const audio = await reader.open(row());
  expect(audio.bytes).toBe(plaintext.length);
  expect(audio.etag).toBe(`"${sha256(plaintext)}"`);
  expect((await bytesOf(await audio.read())).equals(plaintext)).toBe(true);
  for (let round = 0; round < 30; round += 1) {
    const start = Math.floor(Math.random() * plaintext.length);
    const end = start + Math.floor(Math.random() * (plaintext.length - start));
    const part = await bytesOf(await audio.read({ start, end }));
    expect(part.equals(plaintext.subarray(start, end + 1))).toBe(true);
  }
});

test('one version is opened once, by however many listeners', async () => {
  const { reader, requests } = setup();
  await Promise.all([reader.open(row()), reader.open(row())]);
  const opening = requests.length;
  await reader.open(row());
  expect(requests).toHaveLength(opening);
});

test('opened ahead, the player’s first byte costs one request', async () => {
  const { reader, requests } = setup();
  reader.openAhead(row());
  await reader.open(row());
  const opening = requests.length;
  const audio = await reader.open(row());
  await bytesOf(await audio.read({ start: 200_000, end: 200_099 }));
  expect(requests).toHaveLength(opening + 1);
});

test('every request is pinned to the version in the catalog', async () => {
  const { reader, requests } = setup();
  const audio = await reader.open(row({ versionId: 'v7' }));
  await bytesOf(await audio.read());
  expect(requests.length).toBeGreaterThan(1);
  for (const request of requests) expect(request).toMatchObject({ ifMatch: '"e1"', versionId: 'v7' });
});

test('an object that changed in the bucket is our fault, not the client’s condition', async () => {
  const { reader, state } = setup();
  state.etag = '"e2"';
  await expect(reader.open(row())).rejects.toMatchObject({ code: 'object_unplayable', status: 500 });
});

test('another recording’s object is not opened', async () => {
  const { reader } = setup();
  await expect(reader.open(row({}, { recordingSid: otherRecording }))).rejects.toMatchObject({
    code: 'envelope_wrong_recording',
  });
});

test('audio of another length than the catalog says is not played', async () => {
  const { reader } = setup();
  await expect(reader.open(row({ plaintextBytes: 1 }))).rejects.toMatchObject({ code: 'object_unplayable' });
});

test('a tampered frame ends in an error, never in wrong bytes', async () => {
  const broken = Buffer.from(ciphertext);
  broken.writeUInt8(broken.readUInt8(200_000) ^ 1, 200_000);
  const { reader } = setup({}, broken);
  const audio = await reader.open(row());
  await expect(bytesOf(await audio.read())).rejects.toMatchObject({ code: 'envelope_tampered' });
});

test('a failed opening is not remembered, and ahead of the player it is only logged', async () => {
  const { reader, state } = setup();
  state.etag = '"e2"';
  reader.openAhead(row());
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([{ recording, code: 'object_changed' }]);
  state.etag = '"e1"';
  await expect(reader.open(row())).resolves.toMatchObject({ bytes: plaintext.length });
});

test('a listener who leaves lets go of the object', async () => {
  const { reader, bodies } = setup();
  const audio = await reader.open(row());
  const before = bodies.length;
  const stream = await audio.read();
  await new Promise((resolve) => stream.once('readable', resolve));
  stream.destroy();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(bodies.slice(before).map((body) => body.destroyed)).toEqual([true]);
});

describe('where S3 seals', () => {
  const sse = (object = {}) => row({ mode: 'sse-kms', ...object });

  test('the object is read as it lies, pinned, one request a read', async () => {
    const { reader, requests } = setup({ keys: undefined }, plaintext);
    const audio = await reader.open(sse());
    expect(requests).toHaveLength(0);
    const part = await bytesOf(await audio.read({ start: 10, end: 19 }));
    expect(part.equals(plaintext.subarray(10, 20))).toBe(true);
    expect((await bytesOf(await audio.read())).equals(plaintext)).toBe(true);
    expect(requests).toMatchObject([
      { start: 10, end: 19, ifMatch: '"e1"' },
      { start: 0, end: plaintext.length - 1, ifMatch: '"e1"' },
    ]);
  });

  test('a change is our fault here too', async () => {
    const { reader, state } = setup({ keys: undefined }, plaintext);
    state.etag = '"e2"';
    const audio = await reader.open(sse());
    await expect(bytesOf(await audio.read())).rejects.toMatchObject({
      code: 'object_unplayable',
      status: 500,
    });
  });
});

describe.each([
  ['envelope', {}, () => ciphertext],
  ['sse-kms', { mode: 'sse-kms' }, () => plaintext],
])('a listener who pauses, %s', (_mode, object, content) => {
  const pausing = async (content: Buffer, reads: Reads) => {
    const bucket = setup({ reads }, content);
    const audio = await bucket.reader.open(row(object));
    const stream = await audio.read({ start: 1_000, end: 250_000 });
    const heard: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => heard.push(chunk));
    stream.once('data', () => stream.pause());
    await once(stream, 'pause');
    return { ...bucket, stream, heard };
  };

  test('gives the connection back, and goes on where he was', async () => {
    const reads = new Reads({ most: 10, restMs: 10 });
    const { stream, heard, requests } = await pausing(content(), reads);
    await until(() => reads.size === 0);
    const asked = requests.length;
    stream.resume();
    await once(stream, 'end');
    expect(Buffer.concat(heard).equals(plaintext.subarray(1_000, 250_001))).toBe(true);
    expect(requests.length).toBeGreaterThan(asked);
    for (const request of requests) expect(request).toMatchObject({ ifMatch: '"e1"', lane: 'play' });
  });

  test('meets a change of the object as what it is', async () => {
    const reads = new Reads({ most: 10, restMs: 10 });
    const { stream, state } = await pausing(content(), reads);
    await until(() => reads.size === 0);
    state.etag = '"e2"';
    const failed = once(stream, 'error');
    stream.resume();
    expect(await failed).toMatchObject([{ code: 'object_unplayable', status: 500 }]);
  });
});

test('with many open, the one who waits longest makes room; who reads is left alone', async () => {
  const reads = new Reads({ most: 2, restMs: 60_000, pausedMs: 0 });
  const { reader } = setup({ reads });
  const audio = await reader.open(row());
  const begin = async () => {
    const stream = await audio.read();
    await once(stream, 'readable');
    return stream;
  };
  const [first, second] = [await begin(), await begin()];
  expect(reads.size).toBe(2);
  const third = await begin();
  expect(reads.size).toBe(2);
  for (const stream of [first, second, third]) expect((await bytesOf(stream)).equals(plaintext)).toBe(true);
  expect(reads.size).toBe(0);
});

test('an object that went after it was opened is our fault', async () => {
  const { reader, state } = setup();
  const audio = await reader.open(row());
  state.content = Buffer.alloc(0);
  state.etag = 'gone';
  await expect(bytesOf(await audio.read())).rejects.toMatchObject({ code: 'object_unplayable', status: 500 });
});

test('a sealed recording needs a key', async () => {
  const { reader } = setup({ keys: undefined });
  await expect(reader.open(row())).rejects.toMatchObject({ code: 'key_missing' });
});
