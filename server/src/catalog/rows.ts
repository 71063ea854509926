import { CustodyError } from '@flex-custody/core';
import { columns, type StoredRow } from './columns.ts';
import type { RecordingRow } from './recording-row.ts';

/**
 * Makes a {@link RecordingRow} of a database row: an optional field is absent, never undefined.
 * @throws CustodyError `catalog_damaged` if a SID that every row must have is invalid
 */
export function toRow(row: StoredRow): RecordingRow {
  const found = Object.entries(columns).flatMap(([name, { field, read, isNeeded }]) => {
    if (field === undefined) return [];
    const stored = row[name] ?? undefined;
    const value = stored !== undefined && read ? read(stored, row) : stored;
    if (value !== undefined) return [[field, value]];
    if (!isNeeded) return [];
    throw new CustodyError(
      'catalog_damaged',
      `a row of the catalog has an invalid SID: ${row.recording_sid}`,
    );
  });
  return Object.fromEntries(found) as unknown as RecordingRow;
}
