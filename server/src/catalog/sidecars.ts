import { buffer } from 'node:stream/consumers';
import {
  type AccountSid,
  CustodyError,
  errorCode,
  objectKey,
  type RecordingSid,
  readSidecar,
  type Sidecar,
  sidecarKey,
} from '@flex-custody/core';
import { type Keys, openBytes, type Store } from '@flex-custody/vault';
import type { SigningIdentity } from '../signing/identity.ts';
import { columns } from './columns.ts';
import type { RecordingRow, StoredSidecar } from './recording-row.ts';

/** A sidecar has some kilobytes: a larger object is not a sidecar. */
const mostBytes = 1_000_000;

export interface SidecarDeps {
  config: { accountSid: AccountSid };
  /** Undefined in sse-kms mode. */
  keys: Keys | undefined;
  signing: Pick<SigningIdentity, 'sign' | 'verify'>;
  store: Pick<Store, 'get' | 'mode'>;
}

/** `typ` of a sidecar's signed text. */
const sidecarType = 'sidecar+jws';

/** The text of a sidecar before it is sealed: signed by this host. */
export const signedSidecar = ({ signing }: Pick<SidecarDeps, 'signing'>, sidecar: Sidecar): Promise<string> =>
  signing.sign(sidecarType, JSON.stringify(sidecar));

export interface OpenedSidecar {
  sidecar: Sidecar;
  stored: StoredSidecar;
  /** Id of the listed key that signed it. Absent: its facts are unproven, since anyone with the public key could have sealed it. */
  signedBy?: string;
}

/**
 * Reads a recording's sidecar.
 * @param at the version to read; absent: the newest
 * @throws CustodyError `sidecar_invalid`, or as store and keys do
 */
export async function openSidecar(
  deps: SidecarDeps,
  sid: RecordingSid,
  at?: StoredSidecar,
): Promise<OpenedSidecar> {
  const { config, keys, store } = deps;
  const key = at?.key ?? sidecarKey(config.accountSid, sid);
  const { body, etag, versionId, totalBytes } = await store.get(key, {
    ...(at?.versionId !== undefined && { versionId: at.versionId }),
  });
  if (totalBytes > mostBytes) {
    body.destroy();
    throw new CustodyError('sidecar_invalid', `the sidecar is larger than ${mostBytes} bytes`);
  }
  const raw = await buffer(body);
  // In a bucket without versions another writer may have overwritten the noted sidecar.
  if (at && at.etag !== etag)
    throw new CustodyError('sidecar_invalid', 'the sidecar in the bucket is not the one that the host wrote');
  const context = { account: config.accountSid, recording: sid };
  const text = store.mode === 'envelope' && keys ? await openBytes(keys, context, raw) : raw;
  const { json, signedBy } = await believe(deps, text.toString('utf8'));
  const sidecar = readSidecar(json);
  const { accountSid } = config;
  // It must name the recording whose place it was found in: a genuine sidecar of another recording is no evidence.
  if (
    sidecar.recordingSid !== sid ||
    sidecar.accountSid !== accountSid ||
    sidecar.object.key !== objectKey(accountSid, sid)
  ) {
    throw new CustodyError('sidecar_invalid', 'the sidecar is that of another recording');
  }
  const stored = { key, ...(versionId !== undefined && { versionId }), etag, ...(signedBy && { signedBy }) };
  return { sidecar, stored, ...(signedBy && { signedBy }) };
}

/** The JSON of a sidecar's text, and the key that signed it. Earlier releases wrote unsigned JSON. */
async function believe(
  { signing }: Pick<SidecarDeps, 'signing'>,
  text: string,
): Promise<{ json: string; signedBy?: string }> {
  if (text.startsWith('{')) return { json: text };
  try {
    const { payload, keyId } = await signing.verify(sidecarType, text);
    return { json: payload, signedBy: keyId };
  } catch (error) {
    if (errorCode(error) !== 'signature_untrusted') throw error;
    // Signed by a key that is not listed: it counts as unsigned.
    return { json: Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8') };
  }
}

/** The sidecar of a recording, made of the columns that belong in it. */
export function sidecarOf(
  row: RecordingRow,
  object: NonNullable<RecordingRow['object']>,
  analysis: Sidecar['analysis'],
): Sidecar {
  const facts = Object.values(columns).flatMap((column) => {
    const value = column.sidecar && row[column.field];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
    return [[column.field, value instanceof Date ? value.toISOString() : value]];
  });
  return {
    version: 1,
    ...(Object.fromEntries(facts) as Omit<Sidecar, 'version' | 'object' | 'analysis'>),
    object,
    ...(analysis !== undefined && { analysis }),
  };
}
