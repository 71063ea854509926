import type { ReservationSid } from '@flex-custody/core';
import type { Owned } from '../../access/may.ts';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { Db } from '../../db/db.ts';
import { isOf, periodOf } from '../completeness/ledger.ts';
import { wasAccepted } from '../sessions/contact.ts';
import { segmentOf } from '../sessions/kept/contacts-table.ts';

/** What the links of reservations play. */
export interface Reservations {
  /**
   * The reservation's first recording: of those that are proven to be its own, else of those that the ledger counts for its segment,
   * such as the recording of a conference. What a viewer may do is decided by the recording.
   */
  recordingOf(sid: ReservationSid): Promise<RecordingRow | undefined>;
  /** Whose the reservation is, if an agent has accepted it and its recording may still come. */
  awaited(sid: ReservationSid): Promise<Owned | undefined>;
}

export interface ReservationsDeps {
  db: Pick<Db, 'query'>;
  catalog: Pick<LookupCatalog, 'firstOfReservation' | 'ofContacts'>;
  now?: () => number;
}

/** From the end of a segment: a recording that is not there by then is missing (ms). */
const awaitedMs = 60 * 60_000;

export function createReservations({ db, catalog, now = Date.now }: ReservationsDeps): Reservations {
  const acceptedSegment = async (sid: ReservationSid) => {
    const found = await segmentOf(db, sid);
    return found && wasAccepted(found.segment) ? found : undefined;
  };
  return {
    async recordingOf(sid) {
      const own = await catalog.firstOfReservation(sid);
      if (own) return own;
      const found = await acceptedSegment(sid);
      if (!found) return undefined;
      const { contact, segment } = found;
      const period = periodOf(segment, contact.closedAt ?? Number.POSITIVE_INFINITY);
      const rows = await catalog.ofContacts(contact.keys);
      const [first] = rows
        .filter((row) => row.state !== 'erased' && isOf(row, segment, period))
        .sort((a, b) => rankOf(a) - rankOf(b) || a.startedAt.getTime() - b.startedAt.getTime());
      return first;
    },
    async awaited(sid) {
      const { segment } = (await acceptedSegment(sid)) ?? {};
      if (segment?.kind !== 'voice' || !segment.recording.expected) return undefined;
      if (segment.endedAt !== undefined && segment.endedAt < now() - awaitedMs) return undefined;
      return segment.workerSid ? { workerSid: segment.workerSid } : {};
    },
  };
}

/** What can be played comes first. */
const rankOf = ({ state, object }: RecordingRow): number =>
  state === 'absent' ? 2 : state === 'failed' && !object ? 1 : 0;
