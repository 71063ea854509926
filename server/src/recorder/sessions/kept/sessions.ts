import type { Alarms } from '../../../alarms/alarms.ts';
import type { Db } from '../../../db/db.ts';
import type { Consumer } from '../../../room.ts';
import type { DataSources } from '../../data-source/data-source.ts';
import { readSettings } from '../../data-source/read.ts';
import type { ContactOptions } from '../contact-of.ts';
import { applyToAll, applyToSome, type PolicySettings } from './apply-policies.ts';
import { followInbox } from './follow-inbox.ts';

export interface SessionsDeps {
  db: Db;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  dataSource: Pick<DataSources, 'current' | 'people'>;
  log: { warn(fields: object, message: string): void };
}

export interface Sessions {
  /** Reads the inbox into contacts. */
  consumer: Consumer;
  /** The maintenance tick. */
  tick(signal: AbortSignal): Promise<void>;
}

export function createSessions({ db, alarms, dataSource, log }: SessionsDeps): Sessions {
  const options = async (): Promise<ContactOptions> => {
    const [current, people] = await Promise.all([dataSource.current(), dataSource.people()]);
    const textLanguage = current?.settings.textLanguage;
    return {
      employeeOf: (worker, at) => people.employeeOf(worker, new Date(at)),
      ...(textLanguage !== undefined && { textLanguage }),
    };
  };
  const settings = async (): Promise<PolicySettings> => {
    const { settings: all } = (await dataSource.current()) ?? readSettings({});
    const { minimumSessionSeconds: minimumSeconds, longCallMinutes, longHoldMinutes } = all;
    return { minimumSeconds, longCallMinutes, longHoldMinutes };
  };
  const policies = { db, alarms, settings };
  const apply = (numbers: readonly number[]) => applyToSome(policies, numbers);
  return {
    consumer: {
      name: 'sessions',
      run: (signal) => followInbox({ db, options, apply, log }, signal),
    },
    tick: (signal) => applyToAll(policies, signal),
  };
}
