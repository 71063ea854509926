/**
 * Settles as `work` does; once the signal is aborted, after `graceMs` at most, with its reason: what does not heed a signal
 * keeps no one waiting.
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal, graceMs = 1_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let begin: (() => void) | undefined;
  const over = new Promise<never>((_, reject) => {
    begin = () => {
      timer = setTimeout(() => reject(signal.reason), graceMs);
    };
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin, { once: true });
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    if (begin) signal.removeEventListener('abort', begin);
  }
}
