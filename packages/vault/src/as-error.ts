/** What an abort signal or a rejection carries, which may be anything, as an error. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
