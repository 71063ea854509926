import type { Db } from '../db/db.ts';
export async function followAgentDays(_db: Pick<Db, 'query'>, _connector: string): Promise<boolean> {
  return false;
}
