import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  type KeyringNode,
  KeyringTraceFlag,
  MultiKeyringNode,
  NodeAlgorithmSuite,
  type NodeDecryptionMaterial,
  NodeDefaultCryptographicMaterialsManager,
  NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { CustodyError } from '@flex-custody/core';
import type { KeyringSource } from './keyring-source.ts';
import { kmsKeyrings } from './kms.ts';
import { readPem, readSpki, rsaKeyring } from './rsa.ts';
import type { KeyConfig, Keys } from './types.ts';

/** Provider id of our raw keys in a message's header; the key id is the other half of the name. */
export const KEY_NAMESPACE = 'flex-custody';
const AES_KEY_BYTES = 32;

/** AES-256-GCM, HKDF-SHA512, key commitment, no signature: the one suite this project writes and reads. */
export const suite = new NodeAlgorithmSuite(
  AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
);

/** Throws key_invalid, and says which key and why. */
export function createKeys(config: KeyConfig): Keys {
  const { ids, source, canOpen } = prepare(config);
  const [keyId] = ids;
  if (keyId === undefined) throw new CustodyError('key_invalid', `no ${config.kind} key is given`);
  if (new Set(ids).size !== ids.length) {
    throw new CustodyError('key_invalid', `two keys have the same id (${ids.join(', ')})`);
  }
  /** Wraps by one of the keys alone. */
  const wrapping = (sealing: string) => {
    const wrapped = async (by: (writer: KeyringNode) => Promise<NodeEncryptionMaterial>) => {
      const session = await source();
      try {
        return await by(session.writer(sealing));
      } catch (cause) {
        throw (
          session.failure() ??
          new CustodyError('key_invalid', `key ${sealing} cannot wrap a data key`, { cause })
        );
      }
    };
    return {
      wrap: (context: Readonly<Record<string, string>>) =>
        wrapped((writer) =>
          new NodeDefaultCryptographicMaterialsManager(writer).getEncryptionMaterials({
            suite,
            encryptionContext: { ...context },
            commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
          }),
        ),
      rewrap: (context: Readonly<Record<string, string>>, material: NodeDecryptionMaterial) =>
        wrapped((writer) => writer.onEncrypt(sameDataKey(context, material, sealing))),
    };
  };
  const sealingBy = (sealing: string): Keys | undefined =>
    ids.includes(sealing) ? { ...keys, keyId: sealing, ...wrapping(sealing) } : undefined;
  const keys: Keys = {
    keyId,
    keyIds: ids,
    canOpen,
    ...wrapping(keyId),
    sealingBy,
    async unwrap(context, dataKeys) {
      const wrappedBy = dataKeys.map((key) => key.providerInfo.replace(/[^ -~].*$/s, '')).join(', ');
      if (!canOpen) {
        throw new CustodyError(
          'envelope_wrong_key',
          `sealed for ${wrappedBy}; key ${keyId} only seals: open it with the private key, on the host`,
        );
      }
      const session = await source();
      try {
        const material = await new NodeDefaultCryptographicMaterialsManager(
          session.reader(),
        ).decryptMaterials({
          suite,
          encryptionContext: { ...context },
          encryptedDataKeys: [...dataKeys],
        });
        return { material, keyId: material.keyringTrace[0]?.keyName ?? keyId };
      } catch (cause) {
        throw (
          session.failure() ??
          new CustodyError(
            'envelope_wrong_key',
            `sealed for ${wrappedBy}; none of the available keys (${ids.join(', ')}) opens it`,
            { cause },
          )
        );
      }
    },
  };
  return keys;
}

/** Material for sealing on with a message's own data key. */
export function sameDataKey(
  context: Readonly<Record<string, string>>,
  material: NodeDecryptionMaterial,
  keyName: string,
): NodeEncryptionMaterial {
  return new NodeEncryptionMaterial(suite, { ...context }).setUnencryptedDataKey(
    material.getUnencryptedDataKey(),
    {
      keyNamespace: KEY_NAMESPACE,
      keyName,
      flags: KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY,
    },
  );
}

function prepare(config: KeyConfig): { ids: readonly string[]; source: KeyringSource; canOpen: boolean } {
  switch (config.kind) {
    case 'rsa-public': {
      const ring = rsaKeyring(KEY_NAMESPACE, config.keyId, readSpki(config.keyId, config.spki));
      return { ids: [config.keyId], source: local([config.keyId], [ring]), canOpen: false };
    }
    case 'rsa': {
      const rings = config.keys.map(({ keyId, privateKeyPem }) =>
        rsaKeyring(KEY_NAMESPACE, keyId, readPem(keyId, privateKeyPem)),
      );
      const ids = config.keys.map(({ keyId }) => keyId);
      return { ids, source: local(ids, rings), canOpen: true };
    }
    case 'raw-aes': {
      const rings = config.keys.map(({ keyId, key }) => aesKeyring(keyId, key));
      const ids = config.keys.map(({ keyId }) => keyId);
      return { ids, source: local(ids, rings), canOpen: true };
    }
    case 'kms':
      return { ids: config.keyIds, source: kmsKeyrings(config), canOpen: config.generateOnly !== true };
  }
}

function local(ids: readonly string[], rings: readonly KeyringNode[]): KeyringSource {
  const [writer, ...older] = rings;
  if (writer === undefined) return () => Promise.reject(new CustodyError('key_invalid', 'no key is given'));
  const reader = new MultiKeyringNode({ generator: writer, children: older });
  return async () => ({
    writer: (keyId) => (keyId === undefined ? writer : (rings[ids.indexOf(keyId)] ?? writer)),
    reader: () => reader,
    failure: () => undefined,
  });
}

function aesKeyring(keyId: string, key: Uint8Array): KeyringNode {
  if (key.byteLength !== AES_KEY_BYTES) {
    throw new CustodyError('key_invalid', `AES key ${keyId} has ${key.byteLength} bytes; it must have 32`);
  }
  return new RawAesKeyringNode({
    keyNamespace: KEY_NAMESPACE,
    keyName: keyId,
    // The keyring refuses a view into a shared buffer.
    unencryptedMasterKey: new Uint8Array(key),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    utf8Sorting: true,
  });
}
