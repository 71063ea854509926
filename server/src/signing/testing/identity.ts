import { createSigning, type SigningIdentity } from '../identity.ts';
import { newSigningKey, readSigningKeys } from '../key-file.ts';

/** An identity of its own, of the texts of key files; of one new key without any. */
export function testSigning(...texts: string[]): SigningIdentity {
  const all = texts.length > 0 ? texts : [newSigningKey()];
  return createSigning(readSigningKeys(all.join(''), 'a test'));
}
