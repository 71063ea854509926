import type { Db } from '../db/db.ts';

type Note = Readonly<Record<string, unknown>>;

/** Small facts of a connector by name, such as when the plugin's listener was last there. */
export async function setNote(
  db: Pick<Db, 'query'>,
  connector: string,
  name: string,
  note: Note = {},
): Promise<void> {
  await db.query(
    `INSERT INTO connector_notes (connector, name, note) VALUES ($1, $2, $3::jsonb)
     ON CONFLICT (connector, name) DO UPDATE SET note = excluded.note, at = now()`,
    [connector, name, JSON.stringify(note)],
  );
}

/** Undefined where none was ever set. */
export async function readNote(
  db: Pick<Db, 'query'>,
  connector: string,
  name: string,
): Promise<{ note: Note; at: Date } | undefined> {
  const [row] = await db.query<{ note: Note; at: Date }>(
    'SELECT note, at FROM connector_notes WHERE connector = $1 AND name = $2',
    [connector, name],
  );
  return row;
}
