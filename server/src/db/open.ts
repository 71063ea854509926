import type { DatabaseConfig } from '../config.ts';
import type { Db } from './db.ts';

/**
 * Opens the database. It loads only the engine that is used, since each is large.
 * @throws CustodyError `data_dir_locked` when another process has the directory, `database_unopened` if the embedded one
 * does not open, `database_unavailable` (retryable) if PostgreSQL does not answer
 */
export async function openDatabase(config: DatabaseConfig): Promise<Db> {
  if ('url' in config) return (await import('./postgres.ts')).openPostgres(config.url);
  return (await import('./pglite.ts')).openPglite(config.directory);
}
