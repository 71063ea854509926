import { CustodyError } from '@flex-custody/core';
import { readFields, type StoredRow } from './columns.ts';
import type { RecordingRow } from './recording-row.ts';

/**
 * A row of the database as the catalog tells it.
 * @throws CustodyError `catalog_damaged` where the SIDs that every row has are none
 */
export function toRow(row: StoredRow): RecordingRow {
  const found = readFields(row);
  if (found.some(({ isNeeded, value }) => isNeeded && value === undefined)) {
    throw new CustodyError(
      'catalog_damaged',
      `a row of the catalog holds no valid SID: ${row.recording_sid}`,
    );
  }
  const present = found.filter(({ value }) => value !== undefined);
  return Object.fromEntries(present.map(({ field, value }) => [field, value])) as unknown as RecordingRow;
}
