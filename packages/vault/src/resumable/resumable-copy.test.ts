import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { CommitmentPolicy } from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { CustodyError } from '@flex-custody/core';
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
const s3 = new FakeS3();
const server = new MediaServer();
/** 80 frames of 65,536 bytes make a part of 5 MiB, the least that S3 takes. */
const framesPerPart = 80;
const partBytes = framesPerPart * 65_536;
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

  /** One process: it dies where `die` says so. */
  async process(die: (step: string) => boolean = () => false, more: Partial<ResumableInput> = {}) {
    const here = (step: string) => {
      if (die(step)) throw new CustodyError('killed', step, { retryable: true });
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
      framesPerPart,
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
      const id = `${Buffer.from(message).toString('hex')} ${(number - 1) * framesPerPart + frame}`;
      const digest = createHash('sha256')
        .update(body.subarray(from, from + 65_568))
        .digest('hex');
      expect({ id, digest: this.sent.get(id) ?? digest }).toEqual({ id, digest });
      this.sent.set(id, digest);
    }
  }

  async opened(audio: Buffer): Promise<boolean> {
    const stored = s3.objects.get(this.key);
    if (!stored) return false;
    const stream = openStream(keys, { account: source.accountSid, recording: source.recordingSid });
    stream.end(stored);
    return (await collect(stream)).equals(audio);
  }
}

const audio = wav(400);
const other = Buffer.from(audio);
other[partBytes + 1_000] = (other[partBytes + 1_000] ?? 0) ^ 0xff;

async function verified(
  world: World,
  object: Awaited<ReturnType<World['process']>>['object'],
  wanted = audio,
) {
  const proof = await verifyObject({ object, source, keys, store });
  expect(proof.plaintextSha256).toBe(createHash('sha256').update(wanted).digest('hex'));
  expect(await world.opened(wanted)).toBe(true);
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
    await verified(world, object, wanted);
  });

  test('another implementation opens it', async () => {
    server.offer(audio);
    const world = new World();
    await world.process();
    const keyring = new RawAesKeyringNode({
      keyNamespace: KEY_NAMESPACE,
      keyName: 'k1',
      unencryptedMasterKey: aes,
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    });
    const { decrypt } = buildDecrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const { plaintext } = await decrypt(keyring, s3.objects.get(world.key) ?? Buffer.alloc(0));
    expect(plaintext.equals(audio)).toBe(true);
  });
});

const sources = [
  ['a source that gives ranges', { ranges: true }],
  ['one that gives none', { ranges: false }],
  ['one that says nothing of itself', { ranges: true, etag: '' }],
] as const;

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
    server.offer(audio, how);
    const world = new World();
    expect(await codeOf(world.process((here) => here === step))).toBe('killed');
    const { object } = await world.process();
    await verified(world, object);
  });

  test('killed again and again, anywhere', async () => {
    server.offer(audio, how);
    const below = seeded(11);
    for (let round = 0; round < 6; round += 1) {
      const world = new World();
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
      await verified(world, ended.object);
    }
  });

  test('other bytes than before are never sealed under the same data key', async () => {
    server.offer(audio, how);
    const world = new World();
    await codeOf(world.process((here) => here === 'after save 2'));
    const first = world.state?.uploadId;
    server.offer(other, how);
    const { object } = await world.process();
    expect(world.state?.uploadId).not.toBe(first);
    await verified(world, object, other);
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
        throw new CustodyError('killed', 'here');
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
      framesPerPart,
      save: async (saved) => {
        if (dies && saved.parts.length === 2) throw new CustodyError('killed', 'here');
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
