import { CustodyError } from '@flex-custody/core';
import { rightsFaultOf } from '../../config/private-file.ts';
import type { SigningConfig } from '../../config.ts';
import type { SigningIdentity } from '../../signing/identity.ts';
import { loadSigning } from '../../signing/load.ts';
import { advice, note, type Seen } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

/** Whether the key that signs sidecars and certificates exists, is readable by its owner only, and is the one that signed until now. */
export async function signingKey(scene: Scene): Promise<Seen> {
  const { signing: config } = scene.config;
  const health = await orUndefined(scene.health());
  const signed = health === undefined || health === 'locked' ? undefined : health.work?.signing;
  for (const file of filesOf(config)) {
    const fault = rightsFaultOf(file, 'read');
    if (fault)
      throw advice(`${file} ${fault.is}: they could sign as this host, which does not start`, fault.next);
  }
  let signing: SigningIdentity;
  try {
    signing = loadSigning(config);
  } catch (error) {
    const isMissing = error instanceof CustodyError && error.code === 'signing_key_missing';
    if (isMissing && (signed?.newest ?? []).length === 0)
      return note(
        'none yet: the host makes it at its first start',
        `flex-custody keys generate --kind signing --out ${config.file} makes it now; back it up with the other keys`,
      );
    const detail = error instanceof CustodyError ? (error.message.split(': ')[0] ?? '') : 'it cannot be read';
    throw advice(detail, 'restore it from the backup of the keys: the host does not start without it');
  }
  const strange = (signed?.newest ?? []).filter((keyId) => !signing.lists(keyId));
  if (strange.length > 0)
    throw advice(
      `${strange.join(', ')} has signed some of the newest sidecars, and is not listed`,
      'all hosts share one file: list each key that has signed, in all of them (docs/keys.md)',
    );
  const is = `${signing.keyId} signs${signing.keyIds.length > 1 ? `, ${signing.keyIds.length - 1} more verify` : ''}`;
  const left = signed?.unsigned ?? 0;
  return left === 0
    ? is
    : note(
        `${is}; ${left} sidecars are not signed yet`,
        'flex-custody catalog sign signs them now; a worker does it every hour',
      );
}

const filesOf = ({ keys, file, certificateKeyFile }: SigningConfig) =>
  keys === undefined ? [file, certificateKeyFile] : [certificateKeyFile];
