import { CustodyError, errorCode } from '@flex-custody/core';
import type { AlarmCode } from '../alarms/alarm-table.ts';
import { ownFaults } from './failures.ts';

/** A setting of the bucket or of the keys is wrong: one alarm for all recordings, until one is verified. */
export const settingWrong = 'setting_wrong';

/**
 * What a failed try says of the settings: its job's tries may go on for hours before the recording is a dead letter, and nothing
 * changes before an operator has changed something. The detail is without the object, since an alarm outlives what is erased.
 * @returns undefined where no setting is wrong, or one object alone is concerned
 */
export function settingAlarm(error: unknown): { code: AlarmCode; detail: string } | undefined {
  const code = errorCode(error);
  const concernsAll = /^(store|key)_/.test(code) && ownFaults.has(code) && code !== 'store_archived';
  if (!concernsAll || !(error instanceof CustodyError)) return undefined;
  return { code: settingWrong, detail: `${code}: ${error.message.replace(/\S+ in (bucket \S+)/, '$1')}` };
}
