import type { RecordingSid } from '@flex-custody/core';

const everyMs = 250;

/** Logs the progress of copies, each at most four times a second, and always its end. */
export function createProgressLog(
  log: { info(fields: object, message: string): void },
  now: () => number = Date.now,
): (recording: RecordingSid, done: number, total: number | undefined) => void {
  const said = new Map<RecordingSid, number>();
  return (recording, done, total) => {
    const ended = total !== undefined && done >= total;
    const at = now();
    if (!ended && at - (said.get(recording) ?? 0) < everyMs) return;
    if (ended) said.delete(recording);
    else said.set(recording, at);
    // A copy that fails never reports its end: without this its entry would stay.
    if (said.size > 1_000) said.clear();
    log.info(
      { event: 'recording.progress', recording, done, ...(total !== undefined && { total }) },
      'copying',
    );
  };
}
