import type { Db } from '../../db/db.ts';
import { eventStatus } from '../../events/event-status.ts';
import { readerStatus, shardStatus } from '../../events/kinesis/status.ts';
import { readStatus, type StatusPart, type StatusTable } from '../../events/status-part.ts';
import type { DataSourceReader } from '../../recorder/data-source/data-source.ts';
import { assignedNodes, labels } from '../../recorder/data-source/status.ts';
import { newestSessions, sessionStatus } from '../../recorder/sessions/kept/status.ts';

/** The tables of `flex-custody recorder status`, in their order. */
const parts = (dataSource: DataSourceReader): readonly StatusPart[] => [
  labels(dataSource),
  assignedNodes(dataSource),
  shardStatus,
  readerStatus,
  sessionStatus,
  newestSessions,
  ...eventStatus,
];

export const readRecorderStatus = (db: Db, dataSource: DataSourceReader): Promise<StatusTable[]> =>
  readStatus(parts(dataSource), db);
