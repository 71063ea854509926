import { CustodyError } from '@flex-custody/core';
import { columns, type StoredRow } from './columns.ts';
import type { RecordingRow } from './recording-row.ts';

/**
 * A row of the database as the catalog gives it: an optional field is absent, never undefined.
 * @throws CustodyError `catalog_damaged` where the SIDs that every row has are none
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
      `a row of the catalog holds no valid SID: ${row.recording_sid}`,
    );
  });
  return Object.fromEntries(found) as unknown as RecordingRow;
}
