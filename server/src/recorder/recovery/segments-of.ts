import type { ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { Db } from '../../db/db.ts';
import { overlaps, periodOf } from '../completeness/ledger.ts';
import { type Contact, wasAccepted } from '../sessions/contact.ts';
import { contactsNamed } from '../sessions/kept/contacts-table.ts';

/** An agent's segment of a contact, by TaskRouter's events. */
export interface OwnSegment {
  taskSid: TaskSid;
  reservationSid: ReservationSid;
  workerSid: WorkerSid;
}

type Placed = Pick<RecordingRow, 'callSid' | 'conferenceSid' | 'startedAt' | 'durationSeconds'>;

/** Segments that a recording may be of: each proof costs requests to Twilio. */
const most = 10;

/** The segments of a contact that a recording of its call overlaps, in the order of their offers. */
export function segmentsOf({ closedAt, interactions }: Contact, recording: Placed): OwnSegment[] {
  return interactions.flatMap((one) => {
    const { reservationSid, taskSid, workerSid } = one;
    if (!taskSid || !workerSid || one.kind !== 'voice' || !wasAccepted(one)) return [];
    const period = periodOf(one, closedAt ?? Number.POSITIVE_INFINITY);
    return overlaps(recording, period) ? [{ taskSid, reservationSid, workerSid }] : [];
  });
}

/** The segments that a recording may be of, by the kept contact that has its call or conference. */
export async function segmentsOfRecording(
  db: Pick<Db, 'query'>,
  row: Placed,
): Promise<readonly OwnSegment[]> {
  const keys = [row.conferenceSid, row.callSid].filter((sid) => sid !== undefined);
  if (keys.length === 0) return [];
  const contacts = await contactsNamed(db, keys);
  return contacts.flatMap(({ contact }) => segmentsOf(contact, row)).slice(0, most);
}
