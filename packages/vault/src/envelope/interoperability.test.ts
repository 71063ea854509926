import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  type KeyringNode,
  MultiKeyringNode,
} from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { RawRsaKeyringNode } from '@aws-crypto/raw-rsa-keyring-node';
import { codeOf, collect, context, inChunks, memoryReader, rsaPair, sealSmall } from '../../test/support.ts';
import { createKeys } from '../keys/keys.ts';
import { openEnvelope } from './open-envelope.ts';
import { openStream } from './open-stream.ts';
import { sealStream } from './seal.ts';

// The stranger: AWS's own SDK, used as its guide says.
const { encrypt } = buildEncrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const { decrypt } = buildDecrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

const aes = new Uint8Array(randomBytes(32));
const pair = rsaPair();
const aesRing = aesRingOf('k1', aes);
const rsaRing = new RawRsaKeyringNode({
  keyNamespace: 'flex-custody',
  keyName: 'r1',
  rsaKey: {
    privateKey: pair.privateKeyPem,
    publicKey: `-----BEGIN PUBLIC KEY-----\n${pair.spki}\n-----END PUBLIC KEY-----\n`,
  },
  oaepHash: 'sha256',
});
const ours = {
  aes: createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: aes }] }),
  rsa: createKeys({ kind: 'rsa', keys: [{ keyId: 'r1', privateKeyPem: pair.privateKeyPem }] }),
  rsaPublic: createKeys({ kind: 'rsa-public', keyId: 'r1', spki: pair.spki }),
};

function aesRingOf(keyName: string, key: Uint8Array): KeyringNode {
  return new RawAesKeyringNode({
    keyNamespace: 'flex-custody',
    keyName,
    unencryptedMasterKey: new Uint8Array(key),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
}

const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 300_001];

test.each(sizes)('AWS’s SDK opens what we seal (%i bytes)', async (size) => {
  const plaintext = randomBytes(size);
  for (const [keys, ring] of [
    [ours.aes, aesRing],
    [ours.rsaPublic, rsaRing],
  ] as const) {
    const sealer = await sealStream(keys, context);
    const [message] = await Promise.all([collect(sealer), pipeline(inChunks(plaintext, 5000), sealer)]);
    const opened = await decrypt(ring, message);
    expect(opened.plaintext.equals(plaintext)).toBe(true);
    expect(opened.messageHeader.encryptionContext).toEqual(context);
    expect(opened.messageHeader.suiteId).toBe(suiteId);
  }
});

test.each(sizes)('we open what AWS’s SDK seals (%i bytes)', async (size) => {
  const plaintext = randomBytes(size);
  for (const [keys, ring, frameLength] of [
    [ours.aes, aesRing, 65_536],
    [ours.rsa, rsaRing, 4096],
  ] as const) {
    const { result } = await encrypt(ring, plaintext, {
      suiteId,
      frameLength,
      encryptionContext: { ...context },
    });
    const opener = openStream(keys, context);
    const [whole] = await Promise.all([collect(opener), pipeline(inChunks(result, 9999), opener)]);
    expect(whole.equals(plaintext)).toBe(true);
    const opened = await openEnvelope(keys, memoryReader(result), context);
    expect(opened.plaintextBytes).toBe(size);
    expect(opened.keyId).toBe(keys.keyId);
  }
});

describe('what AWS’s SDK may write and we do not read', () => {
  async function refusal(message: Buffer): Promise<[string, string]> {
    const opener = openStream(ours.aes, context);
    return [
      await codeOf(Promise.all([collect(opener), pipeline(inChunks(message, 100), opener)])),
      await codeOf(openEnvelope(ours.aes, memoryReader(message), context)),
    ];
  }
  const unsupported = ['envelope_unsupported', 'envelope_unsupported'];

  test('signed messages, whose signature comes after everything was read', async () => {
    const { result } = await encrypt(aesRing, randomBytes(100), { encryptionContext: { ...context } });
    expect(await refusal(result)).toEqual(unsupported);
  });

  test('messages of the old format', async () => {
    const old = buildEncrypt(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);
    const { result } = await old.encrypt(aesRing, randomBytes(100), {
      suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA256,
      encryptionContext: { ...context },
    });
    expect(await refusal(result)).toEqual(unsupported);
  });

  test('more than three wrapped data keys', async () => {
    const children = ['k2', 'k3', 'k4'].map((id) => aesRingOf(id, randomBytes(32)));
    const four = new MultiKeyringNode({ generator: aesRing, children });
    const { result } = await encrypt(four, randomBytes(100), { suiteId, encryptionContext: { ...context } });
    expect(await refusal(result)).toEqual(unsupported);
    const three = new MultiKeyringNode({ generator: aesRing, children: children.slice(0, 2) });
    const good = await encrypt(three, randomBytes(100), { suiteId, encryptionContext: { ...context } });
    const opened = await openEnvelope(ours.aes, memoryReader(good.result), context);
    expect(opened.plaintextBytes).toBe(100);
  });

  test('unframed messages', async () => {
    const { result, messageHeader } = await encrypt(aesRing, randomBytes(100), {
      suiteId,
      encryptionContext: { ...context },
    });
    // The byte before the frame length says how the body is laid out.
    const at = result.indexOf(Buffer.from([2, 0, 0, 16, 0]));
    expect(messageHeader.frameLength).toBe(4096);
    result[at] = 1;
    expect(await refusal(result)).toEqual(unsupported);
  });
});

test('the SDK takes bytes after the end, which is why length is proven here', async () => {
  const message = Buffer.concat([await sealSmall(ours.aes, randomBytes(100), 64), randomBytes(7)]);
  expect((await decrypt(aesRing, message)).plaintext).toHaveLength(100);
  expect(await codeOf(openEnvelope(ours.aes, memoryReader(message), context))).toBe(
    'envelope_trailing_bytes',
  );
});
