/**
 * The code of an error of the system or a driver (`ENOENT`, `23505`), or an empty text. It does not use `instanceof`, since
 * such errors may come from another realm.
 */
export function systemCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
