import { CustodyError } from '@flex-custody/core';
import type { Config } from '../../config.ts';
import type { Db } from '../../db/db.ts';
import { openDatabase } from '../../db/open.ts';
import { type Health, readHealth } from '../../http/operators/health.ts';
import type { OperatorApi } from '../../http/operators/operator-api.ts';
import { remoteOperatorApi } from '../../http/operators/remote.ts';
import { operatorSecret } from '../../http/operators/routes.ts';
import { readSealedSecrets, type SealedSecret } from '../../secrets/sealed-secrets.ts';
import { urlOf } from '../operator-api.ts';

/** What the doctor reads of the database. */
export interface DatabaseFacts {
  health: Health;
  /** Undefined from a host of an earlier release. */
  secrets: readonly SealedSecret[] | undefined;
}

/**
 * Reads the database without changing or setting up anything; if a running host has the embedded database, asks that host.
 * @returns `locked` if another process has the embedded database and no host answers
 */
export async function factsOf(config: Config): Promise<DatabaseFacts | 'locked'> {
  const db = await openDatabase(config.database).catch((error: unknown) => {
    if (error instanceof CustodyError && error.code === 'data_dir_locked') return undefined;
    throw error;
  });
  if (!db) {
    const api = remoteOperatorApi(urlOf(config.ops), operatorSecret(config.mediaSecret));
    return ofHost(api).catch((error: unknown) => {
      if (error instanceof CustodyError && error.code === 'host_unreachable') return 'locked' as const;
      throw error;
    });
  }
  try {
    return await ofDatabase(db, config);
  } finally {
    await db.close();
  }
}

const ofHost = async (api: OperatorApi): Promise<DatabaseFacts> => ({
  health: await api.health(),
  secrets: await api.secrets().catch(() => undefined),
});

const ofDatabase = async (db: Db, { accountSid }: Config): Promise<DatabaseFacts> => ({
  health: await readHealth(db, accountSid),
  secrets: await readSealedSecrets(db),
});
