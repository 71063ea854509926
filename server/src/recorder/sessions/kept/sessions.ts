import type { Alarms } from '../../../alarms/alarms.ts';
import type { Db } from '../../../db/db.ts';
import type { Consumer } from '../../../room.ts';
import type { DataSources } from '../../data-source/data-source.ts';
import { readSettings } from '../../data-source/read.ts';
import { applyToAll, applyToSome, type PolicySettings } from './apply-policies.ts';
import { followInbox, type KeptOptions } from './follow-inbox.ts';
import { type HoldLookDeps, holdLooks } from './look-at-holds.ts';

export interface SessionsDeps extends Pick<HoldLookDeps, 'catalog' | 'inbox' | 'twilio'> {
  db: Db;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  dataSource: Pick<DataSources, 'current' | 'people'>;
  /** Whether the host looks at live calls on a schedule. */
  watchCalls: boolean;
  /** See `FollowDeps`. */
  callerOf?(address: string): string | undefined;
  /** Called with the numbers of contacts that have changed. */
  onChange?: (numbers: readonly number[]) => Promise<void>;
  log: { warn(fields: object, message: string): void };
}

export interface Sessions {
  /** Reads the inbox into contacts. */
  consumer: Consumer;
  /** The maintenance tick. */
  tick(signal: AbortSignal): Promise<void>;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { db, alarms, dataSource, log, watchCalls } = deps;
  const lookAtHolds = holdLooks(deps);
  const options = async (): Promise<KeptOptions> => {
    const [current, people] = await Promise.all([dataSource.current(), dataSource.people()]);
    const textLanguage = current?.settings.textLanguage;
    return {
      employeeOf: (worker, at) => people.employeeOf(worker, new Date(at)),
      ...(textLanguage !== undefined && { textLanguage }),
      ...(people.defaultEmployee && { defaultEmployee: people.defaultEmployee }),
    };
  };
  const settings = async (): Promise<PolicySettings> => {
    const { settings: all } = (await dataSource.current()) ?? readSettings({});
    const { minimumSessionSeconds: minimumSeconds, longCallMinutes, longHoldMinutes } = all;
    return { minimumSeconds, longCallMinutes, longHoldMinutes };
  };
  const policies = { db, alarms, settings };
  const apply = async (numbers: readonly number[]) => {
    await applyToSome(policies, numbers);
    await deps.onChange?.(numbers);
  };
  return {
    consumer: {
      name: 'sessions',
      run: (signal) =>
        followInbox({ db, options, apply, log, ...(deps.callerOf && { callerOf: deps.callerOf }) }, signal),
    },
    async tick(signal) {
      await applyToAll(policies, signal);
      // The events of these looks change contacts, to which the consumer then applies the policies.
      if (watchCalls) await lookAtHolds(signal);
    },
  };
}
