import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { CommitmentPolicy, type KeyringNode } from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { RawRsaKeyringNode } from '@aws-crypto/raw-rsa-keyring-node';
import { CustodyError, errorOf } from '@flex-custody/core';
import { FakeS3 } from '../../test/fake-s3.ts';
import { credentials, MediaServer, source } from '../../test/media-server.ts';
import { aesKeys, codeOf, collect, rsaPair, seeded, wav } from '../../test/support.ts';
import { parseHeader } from '../envelope/header.ts';
import { openStream } from '../envelope/open-stream.ts';
import { createKeys, KEY_NAMESPACE } from '../keys/keys.ts';
import { openMedia } from '../source/open-media.ts';
import { createStore } from '../store/s3-store.ts';
import type { Store, StoreConfig } from '../store/types.ts';
import { verifyObject } from '../verify.ts';
import { copyResumably, type ResumableInput } from './resumable-copy.ts';
import type { UploadState } from './upload-state.ts';

const aes = new Uint8Array(32).fill(7);
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: aes }] });
const aesKeyring = new RawAesKeyringNode({
  keyNamespace: KEY_NAMESPACE,
  keyName: 'k1',
  unencryptedMasterKey: aes,
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
});
const { decrypt } = buildDecrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const s3 = new FakeS3();
const server = new MediaServer();
/** 80 frames of 65,536 bytes make a part of 5 MiB, the least that S3 takes. */
const leastFramesPerPart = 80;
const partBytes = leastFramesPerPart * 65_536;
let config: StoreConfig;
let store: Store;

beforeAll(async () => {
  config = await s3.start();
  store = createStore(config);
  await server.start();
});
afterAll(() => {
  store.close();
  s3.stop();
  server.stop();
});

/** The store, but for what is done instead. */
function instead(parts: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const own = (parts as Record<PropertyKey, unknown>)[name] ?? Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

/** What survives a process, and what it sent: each frame's plaintext, by its message and number. */
class World {
  state: UploadState | undefined;
  saves = 0;
  readonly sent = new Map<string, string>();
  readonly key = `k${Math.random()}`;

  constructor(private readonly framesPerPart = leastFramesPerPart) {}

  /** One process: it dies where `die` says so. */
  async process(die: (step: string) => boolean = () => false, more: Partial<ResumableInput> = {}) {
    const here = (step: string) => {
      if (die(step)) throw errorOf('killed', step);
    };
    const watched: Pick<Store, 'beginUpload' | 'sendPart' | 'completeUpload' | 'putBytes'> = {
      beginUpload: async (key) => {
        const id = await store.beginUpload(key);
        here('after beginUpload');
        return id;
      },
      sendPart: async (key, id, number, body, options) => {
        here(`before part ${number}`);
        this.note(number, body);
        const sent = await store.sendPart(key, id, number, body, options);
        here(`after part ${number}`);
        return sent;
      },
      completeUpload: async (...args) => {
        here('before complete');
        const done = await store.completeUpload(...args);
        here('after complete');
        return done;
      },
      putBytes: async (key, bytes) => {
        here('before put');
        return store.putBytes(key, bytes);
      },
    };
    return copyResumably({
      source,
      open: (options) =>
        openMedia({ ...source, channels: options.channels }, credentials, { ...options, stallMs: 500 }),
      keys,
      store: instead(watched),
      objectKey: this.key,
      state: this.state,
      framesPerPart: this.framesPerPart,
      save: async (state) => {
        here(`before save ${this.saves}`);
        this.state = JSON.parse(JSON.stringify(state)) as UploadState;
        this.saves += 1;
        here(`after save ${this.saves}`);
        return true;
      },
      ...more,
    });
  }

  /** Frames as they were sent: under one message and number there must only ever be one ciphertext. */
  note(number: number, body: Uint8Array): void {
    const header = Buffer.from(this.state?.header ?? '', 'base64');
    const message = parseHeader(header)?.header.messageId ?? new Uint8Array();
    const at = number === 1 ? header.byteLength : 0;
    for (let from = at, frame = 0; from < body.byteLength; from += 65_568, frame += 1) {
      const id = `${Buffer.from(message).toString('hex')} ${(number - 1) * this.framesPerPart + frame}`;
      const digest = createHash('sha256')
        .update(body.subarray(from, from + 65_568))
        .digest('hex');
      expect({ id, digest: this.sent.get(id) ?? digest }).toEqual({ id, digest });
      this.sent.set(id, digest);
    }
  }

  /** By our own reader and by another implementation. */
  async opened(audio: Buffer, by = keys, keyring: KeyringNode = aesKeyring): Promise<boolean> {
    const stored = s3.objects.get(this.key);
    if (!stored) return false;
    const stream = openStream(by, { account: source.accountSid, recording: source.recordingSid });
    stream.end(stored);
    const { plaintext } = await decrypt(keyring, stored);
    return (await collect(stream)).equals(audio) && plaintext.equals(audio);
  }

  /** Multipart uploads that stand for it. */
  get uploads(): string[] {
    return [...s3.uploads].filter(([, { key }]) => key === this.key).map(([id]) => id);
  }
}

const audio = wav(400);
const other = Buffer.from(audio);
other[partBytes + 1_000] = (other[partBytes + 1_000] ?? 0) ^ 0xff;

async function verified(
  world: World,
  object: Awaited<ReturnType<World['process']>>['object'],
  wanted = audio,
  byStranger = false,
) {
  const proof = await verifyObject({ object, source, keys, store });
  expect(proof.plaintextSha256).toBe(createHash('sha256').update(wanted).digest('hex'));
  // Another implementation takes ten times as long: once for each way that a copy goes.
  if (byStranger) expect(await world.opened(wanted)).toBe(true);
}

describe('in one go', () => {
  test.each([
    ['shorter than a part', 20, 0],
    ['in three parts', 400, 3],
    ['of whole parts exactly', (partBytes * 2 - 44) / 32_000, 3],
    ['of one part exactly', (partBytes - 44) / 32_000, 2],
  ])('%s', async (_what, seconds, parts) => {
    const wanted = wav(seconds);
    server.offer(wanted);
    const world = new World();
    const { object, channels } = await world.process();
    expect(object.parts?.sha256.length ?? 0).toBe(parts);
    expect(object.bytes).toBe(s3.objects.get(world.key)?.length);
    expect(channels).toBe(2);
    await verified(world, object, wanted, true);
  });
});

const sources = [
  ['a source that gives ranges', { ranges: true }],
  ['one that gives none', { ranges: false }],
  ['one that says nothing of itself', { ranges: true, etag: '' }],
] as const;

/** Three parts of 512 KiB, in place of the 5 MiB that S3 wants at least: each is sealed in a hundred tries. */
const short = wav(40);
const otherShort = Buffer.from(short);
otherShort[8 * 65_536 + 1_000] = (otherShort[8 * 65_536 + 1_000] ?? 0) ^ 0xff;

describe.each(sources)('from %s', (_name, how) => {
  const steps = [
    'after beginUpload',
    'before save 0',
    'after save 1',
    'before part 1',
    'after part 1',
    'before save 1',
    'after save 2',
    'after part 2',
    'before part 3',
    'after save 3',
    'after part 3',
    'before save 3',
    'after save 4',
    'before complete',
    'after complete',
  ];
  test.each(steps)('killed %s, another process goes on', async (step) => {
    server.offer(short, how);
    const world = new World(8);
    expect(await codeOf(world.process((here) => here === step))).toBe('killed');
    const { object } = await world.process();
    await verified(world, object, short);
  });

  test('killed again and again, anywhere', async () => {
    server.offer(short, how);
    const below = seeded(11);
    for (let round = 0; round < 6; round += 1) {
      const world = new World(8);
      let ended: Awaited<ReturnType<World['process']>> | undefined;
      for (let life = 0; !ended; life += 1) {
        const after = below(6);
        let seen = 0;
        ended = await world
          .process(() => life < 8 && seen++ === after)
          .catch((error: unknown) => {
            if (error instanceof CustodyError && error.code === 'killed') return undefined;
            throw error;
          });
      }
      await verified(world, ended.object, short, round === 0);
    }
  });

  test('other bytes than before are never sealed under the same data key', async () => {
    server.offer(short, how);
    const world = new World(8);
    await codeOf(world.process((here) => here === 'after save 2'));
    const first = world.state?.uploadId;
    server.offer(otherShort, how);
    const { object } = await world.process();
    expect(world.state?.uploadId).not.toBe(first);
    await verified(world, object, otherShort);
  });
});

test('the rest alone is fetched, where it can be', async () => {
  server.offer(audio);
  const world = new World();
  const dying = world.process(undefined, {
    save: async (state) => {
      if (state.parts.length === 3) {
        // The first two are on their way: they arrive.
        await sleep(500);
        throw errorOf('killed', 'here');
      }
      world.state = JSON.parse(JSON.stringify(state)) as UploadState;
      return true;
    },
  });
  expect(await codeOf(dying)).toBe('killed');
  const ranges: (string | undefined)[] = [];
  const { object } = await world.process(undefined, {
    open: (options) => {
      ranges.push(options.range);
      return openMedia({ ...source, channels: options.channels }, credentials, options);
    },
  });
  expect(ranges).toEqual([`bytes=${2 * partBytes}-`]);
  expect(object.plaintextSha256).toBeUndefined();
  await verified(world, object);
});

test('a source with another name for the same bytes is another source', async () => {
  server.offer(audio, { etag: '"one"' });
  const world = new World();
  await codeOf(world.process((here) => here === 'after part 2'));
  const first = world.state?.uploadId;
  server.offer(audio, { etag: '"two"' });
  await verified(world, (await world.process()).object);
  expect(world.state?.uploadId).not.toBe(first);
});

test('an upload that somebody has aborted begins anew', async () => {
  server.offer(audio);
  const world = new World();
  await codeOf(world.process((here) => here === 'after part 2'));
  await store.abortUpload(world.key, world.state?.uploadId ?? '');
  await verified(world, (await world.process()).object);
});

test('a range of nobody says what is not joined to what stands: each part is held against its digest', async () => {
  server.offer(audio);
  const world = new World();
  await codeOf(world.process((here) => here === 'after part 2'));
  server.offer(other, { etag: '"one"', careless: true });
  // As when the first answer bore this name too.
  const before = world.state as UploadState;
  world.state = { ...before, source: { ...before.source, etag: '"one"' } };
  const { object } = await world.process();
  await verified(world, object, other);
  expect(world.state?.uploadId).not.toBe(before.uploadId);
});

describe('a completion whose answer was lost, and that S3 was asked for again', () => {
  const twice = (begun: string[]): Partial<ResumableInput> => ({
    store: instead({
      beginUpload: async (key) => {
        begun.push(key);
        return store.beginUpload(key);
      },
      completeUpload: async (...args) => {
        await store.completeUpload(...args);
        return store.completeUpload(...args);
      },
    }),
  });

  test('is found by the process that asked', async () => {
    server.offer(audio);
    const world = new World();
    const begun: string[] = [];
    const { object } = await world.process(undefined, twice(begun));
    expect(begun.length).toBe(1);
    await verified(world, object);
  });

  test('and by one that had gone on with another’s', async () => {
    server.offer(audio);
    const world = new World();
    await codeOf(world.process((here) => here === 'after part 2'));
    const begun: string[] = [];
    const { object } = await world.process(undefined, twice(begun));
    expect(begun).toEqual([]);
    await verified(world, object);
  });

  test('another object at that key is not taken for it', async () => {
    server.offer(audio);
    const world = new World();
    await codeOf(world.process((here) => here === 'after complete'));
    const stranger = Buffer.from(s3.objects.get(world.key) ?? '');
    stranger[40] = (stranger[40] ?? 0) ^ 1;
    s3.objects.set(world.key, stranger);
    await verified(world, (await world.process()).object);
  });
});

test('a source that breaks off leaves what is on its way to arrive, for the next try', async () => {
  server.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': audio.length, etag: '"one"' });
    response.write(audio.subarray(0, 2 * partBytes + 1_000), () => setTimeout(() => response.destroy(), 20));
  };
  const world = new World();
  const slow = instead({
    sendPart: async (...args) => {
      await sleep(300, undefined, { signal: args[4]?.signal });
      return store.sendPart(...args);
    },
  });
  expect(await codeOf(world.process(undefined, { store: slow }))).toBe('media_cut');
  const arrived: number[] = [];
  for await (const { number } of store.parts(world.key, world.state?.uploadId ?? '')) arrived.push(number);
  expect(arrived.sort()).toEqual([1, 2]);
});

test('whoever is told to end lets go of what is on the wire', async () => {
  server.offer(audio);
  const ending = new AbortController();
  const reason = new CustodyError('stopping', 'the process ends');
  const hanging = instead({
    sendPart: (_key, _id, number, _body, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        // The last: the media has been read to its end, and whoever stops the reading alone stops nothing.
        if (number === 3) setTimeout(() => ending.abort(reason), 100);
      }),
  });
  const world = new World();
  await expect(world.process(undefined, { store: hanging, signal: ending.signal })).rejects.toBe(reason);
  expect(world.uploads).toEqual([world.state?.uploadId]);
});

test('an upload of which no state could be saved is not left behind', async () => {
  server.offer(audio);
  const world = new World();
  expect(await codeOf(world.process((here) => here === 'before save 0'))).toBe('killed');
  expect(world.uploads).toEqual([]);
});

test('a private RSA key goes on with what its public half began', async () => {
  const { privateKeyPem, spki } = rsaPair();
  const reader = createKeys({ kind: 'rsa', keys: [{ keyId: 'r1', privateKeyPem }] });
  const writer = createKeys({ kind: 'rsa-public', keyId: 'r1', spki });
  server.offer(audio);
  const world = new World();
  await codeOf(world.process((here) => here === 'after part 2', { keys: writer }));
  const first = world.state?.uploadId;
  await world.process(undefined, { keys: reader });
  expect(world.state?.uploadId).toBe(first);
  const rsa = new RawRsaKeyringNode({
    keyNamespace: KEY_NAMESPACE,
    keyName: 'r1',
    rsaKey: { privateKey: privateKeyPem },
    oaepHash: 'sha256',
  });
  expect(await world.opened(audio, reader, rsa)).toBe(true);
});

test('whoever has lost the lease sends nothing more', async () => {
  server.offer(audio);
  const world = new World();
  let sent = 0;
  const code = await codeOf(
    world.process(
      (here) => {
        if (here.startsWith('before part')) sent += 1;
        return false;
      },
      { save: async () => false },
    ),
  );
  expect([code, sent]).toEqual(['lease_lost', 0]);
});

test('keys that cannot open begin anew rather than not at all', async () => {
  server.offer(audio);
  const world = new World();
  await codeOf(world.process((here) => here === 'after part 2'));
  const { spki } = rsaPair();
  const writer = createKeys({ kind: 'rsa-public', keyId: 'w', spki });
  const { object } = await world.process(undefined, { keys: writer });
  expect(object.keyId).toBe('w');
});

test('another key than the one it was begun with begins anew', async () => {
  server.offer(audio);
  const world = new World();
  await codeOf(world.process((here) => here === 'after part 2'));
  const { object } = await world.process(undefined, { keys: aesKeys('k2') });
  expect(object.keyId).toBe('k2');
});

test('audio that ends too early makes no object, whatever was sent of it', async () => {
  server.offer(Buffer.concat([audio.subarray(0, audio.length - 50_000)]));
  const world = new World();
  expect(await codeOf(world.process())).toBe('media_short');
  expect(s3.objects.has(world.key)).toBe(false);
});

test('where S3 seals, parts go on likewise', async () => {
  server.offer(audio);
  const plain = createStore({ ...config, mode: 'sse-kms' });
  const world = new World();
  const run = (state?: UploadState, dies = false) =>
    copyResumably({
      source,
      open: (options) => openMedia({ ...source, channels: options.channels }, credentials, options),
      keys: undefined,
      store: plain,
      objectKey: world.key,
      state,
      framesPerPart: leastFramesPerPart,
      save: async (saved) => {
        if (dies && saved.parts.length === 2) throw errorOf('killed', 'here');
        world.state = JSON.parse(JSON.stringify(saved)) as UploadState;
        return true;
      },
    });
  expect(await codeOf(run(undefined, true))).toBe('killed');
  const { object } = await run(world.state);
  expect(s3.objects.get(world.key)?.equals(audio)).toBe(true);
  await verifyObject({ object, source, keys: undefined, store: plain });
  plain.close();
});
