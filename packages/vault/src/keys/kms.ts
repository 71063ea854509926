import type { KmsNodeClientSupplier } from '@aws-crypto/kms-keyring-node';
import type { KeyringNode } from '@aws-crypto/material-management-node';
import { CustodyError } from '@flex-custody/core';
import { awsAgents } from '../store/client.ts';
import { boundCredentials } from '../store/credentials-in-time.ts';
import type { KeyringSession, KeyringSource } from './keyring-source.ts';
import { kmsError } from './kms-errors.ts';
import type { KeyConfig } from './types.ts';

type KmsConfig = Extract<KeyConfig, { kind: 'kms' }>;
type KmsModule = typeof import('@aws-crypto/kms-keyring-node');
type KmsClient = InstanceType<KmsModule['KMS']>;

const ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;

/** Of each of a client's three tries, in ms: none is large, and a copy or a listener waits for it. */
const LIMITS = { connectionTimeout: 5_000, requestTimeout: 10_000 };

/**
 * Keyrings over AWS KMS. The package is loaded on first use: its clients cost 150 ms and tens of megabytes that no process
 * else should pay. Endpoint (AWS_ENDPOINT_URL_KMS) and, unless given, credentials are the AWS SDK's own affair.
 */
export function kmsKeyrings(config: KmsConfig, limits = LIMITS): KeyringSource {
  const unknown = config.keyIds.find((id) => !ARN.test(id));
  if (unknown !== undefined) {
    throw new CustodyError('key_invalid', `"${unknown}" is not the ARN of a KMS key (arn:aws:kms:…:key/…)`);
  }
  const clients = new Map<string, KmsClient>();

  function clientOf(kms: KmsModule, region: string): KmsClient {
    const found = clients.get(region);
    if (found) return found;
    const client = new kms.KMS({
      region,
      ...(config.credentials && { credentials: { ...config.credentials } }),
      requestHandler: { ...limits, throwOnRequestTimeout: true, ...awsAgents() },
    });
    // Clients of the SDK differ by their requests alone, of which this knows nothing.
    boundCredentials(client as unknown as Parameters<typeof boundCredentials>[0]);
    clients.set(region, client);
    return client;
  }

  return async (): Promise<KeyringSession> => {
    const kms = await import('@aws-crypto/kms-keyring-node');
    let refusal: CustodyError | undefined;
    // The keyrings fold every refusal of the KMS into one long message: what it really said is noted on its way.
    const noted = async <T>(answer: Promise<T>, keyId: string | undefined): Promise<T> => {
      try {
        return await answer;
      } catch (error) {
        refusal = kmsError(error, keyId ?? 'its key');
        throw error;
      }
    };
    const clientProvider = ((region: string) => {
      const client = clientOf(kms, region);
      return {
        generateDataKey: (input: Parameters<KmsClient['generateDataKey']>[0]) =>
          noted(client.generateDataKey(input), input.KeyId),
        decrypt: (input: Parameters<KmsClient['decrypt']>[0]) => noted(client.decrypt(input), input.KeyId),
        encrypt: (input: Parameters<KmsClient['encrypt']>[0]) => noted(client.encrypt(input), input.KeyId),
      };
      // The two packages disagree only on whether an optional field may be undefined.
    }) as unknown as KmsNodeClientSupplier;
    return {
      writer: (keyId = config.keyIds[0] ?? '') =>
        keyring(new kms.KmsKeyringNode({ clientProvider, generatorKeyId: keyId })),
      reader: () => keyring(new kms.KmsKeyringNode({ clientProvider, keyIds: [...config.keyIds] })),
      failure: () => refusal,
    };
  };
}

/** The packages' published types lose the tie between the two classes. */
function keyring(of: unknown): KeyringNode {
  return of as KeyringNode;
}
