/**
 * The code of an error that the system or a driver made (`ENOENT`, `23505`), or an empty text. Not by `instanceof`: such
 * errors may come from another realm.
 */
export function systemCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
