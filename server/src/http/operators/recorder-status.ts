import type { Db } from '../../db/db.ts';
import { eventStatus } from '../../events/event-status.ts';
import { readerStatus, shardStatus } from '../../events/kinesis/status.ts';
import { readStatus, type StatusPart, type StatusTable } from '../../events/status-part.ts';
import { newestSessions, sessionStatus } from '../../recorder/sessions/kept/status.ts';

/** The tables of `flex-custody recorder status`, in their order. */
const parts: readonly StatusPart[] = [
  shardStatus,
  readerStatus,
  sessionStatus,
  newestSessions,
  ...eventStatus,
];

export const readRecorderStatus = (db: Db): Promise<StatusTable[]> => readStatus(parts, db);
