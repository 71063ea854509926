import { createSigning, type SigningIdentity } from '../identity.ts';
import { newSigningKey, readSigningKeys } from '../key-file.ts';

/** An identity from the texts of key files, or with one new key. */
export function testSigning(...texts: string[]): SigningIdentity {
  const all = texts.length > 0 ? texts : [newSigningKey()];
  return createSigning(readSigningKeys(all.join(''), 'a test'));
}
