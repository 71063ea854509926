import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '@flex-custody/core';

export interface AskDeps {
  log: { warn(fields: object, message: string): void };
  /** Ms before another try; 1,000 by default, and twice as long each time. */
  pauseMs?: number;
}

const tries = 6;

/** Asks Twilio several times while it is unavailable. @throws CustodyError as what is asked does */
export async function askAgain<T>(
  { log, pauseMs = 1_000 }: AskDeps,
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (errorCode(error) !== 'twilio_unavailable' || attempt >= tries) throw error;
      log.warn({ attempt, code: errorCode(error) }, 'Twilio is asked again for conversations');
      await sleep(pauseMs * 2 ** (attempt - 1), undefined, { signal });
    }
  }
}
