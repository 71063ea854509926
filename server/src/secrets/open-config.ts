import { existsSync } from 'node:fs';
import { CustodyError, errorCode } from '@flex-custody/core';
import { leftToStore, type StoredSetting } from '../config/stored-settings.ts';
import { type Config, loadPartOfConfig, readPartOfConfig, refuseFaults } from '../config.ts';
import type { Db } from '../db/db.ts';
import { openDatabase } from '../db/open.ts';
import { readSealedSecrets, type SealedSecret } from './sealed-secrets.ts';
import { createSecretKeys } from './secret-keys.ts';

/** What must be in the environment, since the store is opened with it. */
const bootstrap = ['accountSid', 'database', 'keyConfig', 'ops', 'secretsKeys'] as const;
export type Bootstrap = Pick<Config, (typeof bootstrap)[number]>;

type Environment = Readonly<Record<string, string | undefined>>;

export interface OpenConfigOptions {
  environment?: Environment;
  /**
   * Reads the stored secrets where the database could not be opened, such as through the host that has it; undefined if it
   * cannot. Without it the error of the database is thrown.
   */
  otherwise?(error: unknown, at: Bootstrap): Promise<readonly SealedSecret[] | undefined>;
}

export interface OpenedConfig<K extends keyof Config> {
  config: Pick<Config, K>;
  /** The database, where it was opened for the secrets; the caller closes it. It may not be migrated yet. */
  db?: Db;
}

/**
 * Reads settings from the environment, and those secrets that it leaves out from the store. The database is opened only if a
 * setting may be there. The environment wins over the store.
 * @throws CustodyError `config_invalid`, with a line for each stored setting that cannot be opened too; without
 * `otherwise` also the errors of `openDatabase`
 */
export async function openConfig<K extends keyof Config>(
  names: readonly K[],
  { environment = process.env, otherwise }: OpenConfigOptions = {},
): Promise<OpenedConfig<K>> {
  const { asked, faults } = readPartOfConfig(names, environment);
  const left = leftToStore(environment).filter((name) => asked.has(name));
  const at = readPartOfConfig(bootstrap, environment);
  if (left.length === 0 || at.faults.size > 0 || isNew(at.part.database))
    return { config: loadPartOfConfig(names, environment) };
  // Faults that no secret corrects, before the database is opened.
  refuseFaults(new Map([...faults].filter(([name]) => !left.some((one) => one === name))));
  let db: Db;
  try {
    db = await openDatabase(at.part.database);
  } catch (error) {
    if (!otherwise) throw error;
    const secrets = await otherwise(error, at.part);
    if (secrets) return { config: await withSecrets(names, environment, left, at.part, secrets) };
    return { config: orNaming(error, () => loadPartOfConfig(names, environment)) };
  }
  try {
    const secrets = await readSealedSecrets(db);
    return { config: await withSecrets(names, environment, left, at.part, secrets), db };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** The same for a caller that does not use the database. */
export async function loadWithSecrets<K extends keyof Config>(
  names: readonly K[],
  options?: OpenConfigOptions,
): Promise<Pick<Config, K>> {
  const { config, db } = await openConfig(names, options);
  await db?.close();
  return config;
}

/** Before its first start a host has no folder, and it must not make one before its settings are complete. */
const isNew = (database: Config['database']): boolean =>
  'directory' in database && !existsSync(database.directory);

async function withSecrets<K extends keyof Config>(
  names: readonly K[],
  environment: Environment,
  left: readonly StoredSetting[],
  at: Bootstrap,
  secrets: readonly SealedSecret[],
): Promise<Pick<Config, K>> {
  const keys = createSecretKeys(at);
  const values: Record<string, string> = {};
  const unreadable = new Map<string, string>();
  for (const name of left) {
    const secret = secrets.find((one) => one.name === name);
    if (!secret) continue;
    try {
      values[name] = await keys.open(secret);
    } catch (error) {
      const why = error instanceof CustodyError ? error.message : 'unexpected';
      unreadable.set(name, `is stored and cannot be read (${why}): ${nextStep(name)}`);
    }
  }
  const { part, faults } = readPartOfConfig(names, { ...environment, ...values });
  refuseFaults(new Map([...faults, ...unreadable]));
  return part;
}

const nextStep = (name: string): string =>
  `give the host the key that sealed it, or set ${name} in the environment, which wins, and store it again`;

/** What is missing may be in the store that could not be read. */
function orNaming<T>(cause: unknown, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof CustodyError && error.code === 'config_invalid')) throw error;
    throw new CustodyError(
      'config_invalid',
      `${error.message}\nThe stored secrets could not be read (${errorCode(cause)}): what is missing may be among them`,
      { cause },
    );
  }
}
