import { CustodyError, errorCode } from '@flex-custody/core';
import type { AlarmCode } from '../alarms/alarm-table.ts';
import { ownFaults } from './failures.ts';

/** Reports a wrong setting of the bucket or of the keys: one alarm for all recordings, until one is verified. */
export const settingWrong = 'setting_wrong';

/**
 * The alarm about a wrong setting that a failed try shows. It comes before the recording is a dead letter, because the
 * tries take hours and only an operator can correct the setting. The detail does not name the object, because an alarm
 * outlives an erasure.
 * @returns undefined if no setting is wrong, or if only one object is concerned
 */
export function settingAlarm(error: unknown): { code: AlarmCode; detail: string } | undefined {
  const code = errorCode(error);
  const concernsAll = /^(store|key)_/.test(code) && ownFaults.has(code) && code !== 'store_archived';
  if (!concernsAll || !(error instanceof CustodyError)) return undefined;
  return { code: settingWrong, detail: `${code}: ${error.message.replace(/\S+ in (bucket \S+)/, '$1')}` };
}
