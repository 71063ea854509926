import { CustodyError } from '@flex-custody/core';
import { setHere, storedSettings } from '../../config/stored-settings.ts';
import type { SealedSecret } from '../../secrets/sealed-secrets.ts';
import { createSecretKeys } from '../../secrets/secret-keys.ts';
import { advice, note, type Seen, unknownBefore } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

/**
 * Whether every stored secret opens, and from where each setting that is a secret comes.
 * @param here the settings that the environment has
 */
export async function secrets(scene: Scene, here: readonly string[] = setHere()): Promise<Seen> {
  const stored = await orUndefined(scene.secrets());
  if (stored === undefined || stored === 'locked') return unknownBefore('database');
  const closed = await unreadable(scene, stored);
  if (closed.length > 0)
    throw advice(
      closed.join('; '),
      'give the host the key that sealed them, or store them again: flex-custody secrets set NAME',
    );
  const has = (name: string) => stored.some((secret) => secret.name === name);
  const fromStore = storedSettings.filter((name) => has(name) && !here.includes(name));
  const others = stored.filter(({ name }) => !storedSettings.some((setting) => setting === name));
  const detail = [
    `from the environment: ${here.join(', ') || 'none'}`,
    `from the store: ${fromStore.join(', ') || 'none'}`,
    ...(others.length > 0 ? [`${others.length} other secrets are stored`] : []),
  ].join('; ');
  const both = here.filter(has);
  if (both.length === 0) return detail;
  return note(
    `${detail}; in both: ${both.join(', ')}`,
    'the environment wins: remove from it what the store has, or run flex-custody secrets remove NAME',
  );
}

async function unreadable({ config }: Scene, stored: readonly SealedSecret[]): Promise<string[]> {
  const keys = createSecretKeys(config);
  const opened = await Promise.allSettled(stored.map((secret) => keys.open(secret)));
  return opened.flatMap((one) => {
    if (one.status === 'fulfilled') return [];
    return one.reason instanceof CustodyError ? one.reason.message : 'a secret cannot be opened';
  });
}
