import type { Audit } from '../../access/audit.ts';
import type { Alarms } from '../../alarms/alarms.ts';
import type { Config } from '../../config.ts';
import type { Db } from '../../db/db.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import { createDataSource, type DataSources } from './data-source.ts';
import { createEmployees, type TaskRouter } from './employees.ts';
import { createVersions } from './versions.ts';

/** The settings of the environment that the data source depends on. */
export type DataSourceConfig = Pick<Config, 'accountSid'> &
  Partial<Pick<Config, 'employeesFile' | 'dataSourceFile' | 'pauseSet'>>;

export interface OpenDeps {
  db: Pick<Db, 'query'>;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  audit: Pick<Audit, 'record'>;
  taskRouter(): TaskRouter;
  secrets: Secrets;
}

/** The data source of this environment. */
export function openDataSource(config: DataSourceConfig, deps: OpenDeps): DataSources {
  const { accountSid, dataSourceFile: file, employeesFile, pauseSet } = config;
  const { db, alarms, audit, taskRouter, secrets } = deps;
  return createDataSource({
    ...{ accountSid, file, pauseSet, alarms, audit, secrets },
    versions: createVersions(db),
    readEmployees: createEmployees({ file: employeesFile, taskRouter }),
  });
}
