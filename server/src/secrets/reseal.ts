import { type CustodyError, errorCode } from '@flex-custody/core';
import type { SealedSecret, SealedSecrets } from './sealed-secrets.ts';
import type { SecretKeys } from './secret-keys.ts';

export interface ResealOptions {
  /** Only secrets under this key; absent: all that are not under the newest one. */
  from?: string | undefined;
  dryRun?: boolean | undefined;
}

/** Names of secrets. */
export interface Resealed {
  /** Sealed again under the newest key; in a dry run those that would be. */
  resealed: string[];
  /** Left as they were. */
  failed: { name: string; code: CustodyError['code'] }[];
}

/** Seals each secret that is under an older key again, under the newest one. What is set meanwhile is under it already. */
export async function resealSecrets(
  { sealed, keys }: { sealed: SealedSecrets; keys: SecretKeys },
  { from, dryRun }: ResealOptions,
  signal: AbortSignal,
): Promise<Resealed> {
  const isOld = ({ keyId }: SealedSecret) => (from === undefined ? keyId !== keys.keyId : keyId === from);
  const done: Resealed = { resealed: [], failed: [] };
  for (const secret of (await sealed.all()).filter(isOld)) {
    signal.throwIfAborted();
    try {
      if (!dryRun) {
        const again = await keys.seal(secret.name, await keys.open(secret));
        await sealed.reseal(secret, again);
      }
      done.resealed.push(secret.name);
    } catch (error) {
      done.failed.push({ name: secret.name, code: errorCode(error) });
    }
  }
  return done;
}
