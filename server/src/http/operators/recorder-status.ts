import type { Db } from '../../db/db.ts';
import { readerStatus, shardStatus } from '../../events/kinesis/status.ts';
import { readStatus, type StatusPart, type StatusTable } from '../../events/status-part.ts';

/** The tables of `flex-custody recorder status`, in their order. */
const parts: readonly StatusPart[] = [shardStatus, readerStatus];

export const readRecorderStatus = (db: Db): Promise<StatusTable[]> => readStatus(parts, db);
