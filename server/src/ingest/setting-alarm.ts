import { CustodyError, errorCode } from '@flex-custody/core';
import type { Alarms } from '../alarms/alarms.ts';
import type { Queue } from '../queue/queue.ts';
import { ownFaults } from './steps.ts';

/** A setting of the bucket or of the keys is wrong: one alarm for all recordings, until one is verified. */
export const settingWrong = 'setting_wrong';

/** A backlog meets the same setting again and again. */
const againMs = 60_000;

/**
 * Tells of a wrong setting at the first job that fails by it: its tries may go on for hours before the recording is a dead
 * letter, and nothing changes before an operator has changed something.
 */
export function tellingOfSettings(
  queue: Queue,
  alarms: Pick<Alarms, 'raise'>,
  now: () => number = Date.now,
): Queue {
  const toldAt = new Map<string, number>();
  const tell = async (error: unknown) => {
    const detail = detailOf(error);
    const code = errorCode(error);
    if (detail === undefined || now() - (toldAt.get(code) ?? Number.NEGATIVE_INFINITY) < againMs) return;
    toldAt.set(code, now());
    await alarms.raise(settingWrong, undefined, detail);
  };
  return {
    ...queue,
    work: (name, options, handler) =>
      queue.work(name, options, async (data, job) => {
        try {
          await handler(data, job);
        } catch (error) {
          // Without the database the job's own failure is all that can be noted.
          await tell(error).catch(() => undefined);
          throw error;
        }
      }),
  };
}

/** Without the object: an alarm outlives what is erased. Undefined where it is no setting, or about one object alone. */
function detailOf(error: unknown): string | undefined {
  const code = errorCode(error);
  const concernsAll = /^(store|key)_/.test(code) && ownFaults.has(code) && code !== 'store_archived';
  if (!concernsAll || !(error instanceof CustodyError)) return undefined;
  return `${code}: ${error.message.replace(/\S+ in (bucket \S+)/, '$1')}`;
}
