import { CustodyError } from '@flex-custody/core';
import type { Config } from '../../config.ts';
import { openDatabase } from '../../db/open.ts';
import { type Health, readHealth } from '../../http/operators/health.ts';
import { remoteOperatorApi } from '../../http/operators/remote.ts';
import { operatorSecret } from '../../http/operators/routes.ts';
import { urlOf } from '../operator-api.ts';

/**
 * Reads the database's health without changing or setting up anything; if a running host has the embedded database, asks
 * that host.
 * @returns `locked` if another process has the embedded database and no host answers
 */
export async function healthOf(config: Config): Promise<Health | 'locked'> {
  const db = await openDatabase(config.database).catch((error: unknown) => {
    if (error instanceof CustodyError && error.code === 'data_dir_locked') return undefined;
    throw error;
  });
  if (!db) {
    const api = remoteOperatorApi(urlOf(config.ops), operatorSecret(config.mediaSecret));
    return api.health().catch((error: unknown) => {
      if (error instanceof CustodyError && error.code === 'host_unreachable') return 'locked' as const;
      throw error;
    });
  }
  try {
    return await readHealth(db, config.accountSid);
  } finally {
    await db.close();
  }
}
