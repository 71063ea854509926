import type { Db } from '../db/db.ts';

export type StatusRow = Readonly<Record<string, string | number | Date | null>>;

/** One table of `flex-custody recorder status`. */
export interface StatusPart {
  /** Of its own among all parts: the key of its rows in JSON, such as `shards`. */
  name: string;
  /** Above the table. */
  title: string;
  /** The header of each field of a row, in the order of the columns. */
  columns: Readonly<Record<string, string>>;
  /** Only reads. */
  read(db: Db): Promise<readonly StatusRow[]>;
}

/** What a part has read. */
export interface StatusTable extends Omit<StatusPart, 'read'> {
  rows: readonly StatusRow[];
}

export async function readStatus(parts: readonly StatusPart[], db: Db): Promise<StatusTable[]> {
  const tables: StatusTable[] = [];
  for (const { name, title, columns, read } of parts)
    tables.push({ name, title, columns, rows: await read(db) });
  return tables;
}
