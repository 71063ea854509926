import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { Change, Changed, DataSourceView } from '../../recorder/data-source/data-source.ts';
import type { Version } from '../../recorder/data-source/versions.ts';
import { readObject } from './read-object.ts';

/** A change at the command line. */
export type OperatorChange = Pick<Change, 'settings' | 'over' | 'by' | 'comment' | 'dryRun'>;

/** What operators do with the settings of the data source. */
export interface DataSourceApi {
  dataSource(): Promise<DataSourceView>;
  /** The last hundred versions, newest first. */
  dataSourceHistory(): Promise<Version[]>;
  /** @throws CustodyError `data_source_changed` (412), `data_source_read_only` (409) */
  changeDataSource(change: OperatorChange): Promise<Changed>;
}

/** The data source's routes of the operators' listener; the scope checks the right. */
export function dataSourceRoutes(scope: FastifyInstance, api: DataSourceApi): void {
  scope.get('/data-source', () => api.dataSource());
  scope.get('/data-source/history', () => api.dataSourceHistory());
  scope.post('/data-source', ({ body }) => {
    const { settings, over, by, comment, dryRun } = readObject(body);
    if (typeof over !== 'number' || typeof by !== 'string' || typeof dryRun !== 'boolean') throw invalid();
    if (comment !== undefined && typeof comment !== 'string') throw invalid();
    return api.changeDataSource({ settings, over, by, comment, dryRun });
  });
}

const invalid = () =>
  new CustodyError('request_invalid', 'the body does not have the fields of a change of the data source');
