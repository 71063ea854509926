import { CustodyError, type ReservationSid } from '@flex-custody/core';
import { type AuditAction, createAudit } from '../../access/audit.ts';
import type { Db } from '../../db/db.ts';
import type { Queue } from '../../queue/queue.ts';
import { contactsNamed } from '../sessions/kept/contacts-table.ts';
import { type DayLedger, entriesOf, type LedgerDeps, ledgerOfDay } from './day-ledger.ts';
import { completenessJobs } from './jobs.ts';
import type { Reason } from './reasons.ts';
import { keepReason, removeReason } from './segment-reasons.ts';

export interface CompletenessDeps extends LedgerDeps {
  db: Pick<Db, 'query' | 'transaction'>;
  queue: Pick<Queue, 'send'>;
}

/** A reason, and the segment that it is given for. */
export type Explanation = Omit<Reason, 'explainedAt'> & { reservationSid: ReservationSid };

/** What operators ask and say of agents' segments. */
export interface Completeness {
  /** The ledger of a day such as 2026-11-28, in the data source's time zone. */
  completeness(day: string): Promise<DayLedger>;
  /**
   * Gives an unexplained segment a reason, or another one than it has.
   * @throws CustodyError `segment_unknown` (404), `segment_settled` (409), `audit_unavailable` (503)
   */
  explainSegment(explanation: Explanation): Promise<Reason & { reservationSid: ReservationSid }>;
  /** Withdraws the reason of a segment. @throws CustodyError `reason_unknown` (404), `audit_unavailable` (503) */
  withdrawReason(withdrawal: { reservationSid: ReservationSid; by: string }): Promise<{ withdrawn: true }>;
}

export function createCompleteness(deps: CompletenessDeps): Completeness {
  const { db, queue } = deps;

  /** Audits the act in its transaction. The statements are then compared at once, and not with the next hour. */
  async function audited<T>(
    act: { by: string; action: AuditAction; reservationSid: ReservationSid; reason: string },
    work: (inner: Db) => Promise<T>,
  ): Promise<T> {
    const { by, action, reservationSid, reason } = act;
    const done = await db.transaction(async (inner) => {
      await createAudit(inner).record({
        ...{ viewer: { identity: by, roles: [] }, action, allowed: true, reason },
        subject: { kind: 'reservation', sid: reservationSid },
      });
      return work(inner);
    });
    await queue.send(completenessJobs.completeness, {}, { once: 'explained' });
    return done;
  }

  return {
    completeness: (day) => ledgerOfDay(deps, day),
    async explainSegment({ reservationSid, ...reason }) {
      const contacts = (await contactsNamed(db, [reservationSid])).map(({ contact }) => contact);
      const entry = (await entriesOf(deps, contacts)).find((one) => one.reservationSid === reservationSid);
      const contact = contacts.find(({ id }) => id === entry?.contact);
      if (!entry || !contact) throw segmentUnknown();
      if (entry.outcome !== 'unexplained' && entry.outcome !== 'explained') throw segmentSettled();
      const segment = { reservationSid, openedAt: contact.openedAt };
      const act = { by: reason.explainedBy, action: 'segment.explained', reservationSid } as const;
      const kept = await audited({ ...act, reason: reason.reason }, (inner) =>
        keepReason(inner, { ...segment, ...(entry.taskSid && { taskSid: entry.taskSid }) }, reason),
      );
      return { reservationSid, ...kept };
    },
    async withdrawReason({ reservationSid, by }) {
      const act = { by, action: 'segment.reason-withdrawn', reservationSid } as const;
      await audited({ ...act, reason: 'by the command line' }, async (inner) => {
        // A withdrawal of nothing is rolled back, with its entry.
        if (!(await removeReason(inner, reservationSid))) throw reasonUnknown();
      });
      return { withdrawn: true };
    },
  };
}

export const segmentMessages = {
  segment_unknown: 'no contact that has closed has a segment of this reservation that an agent accepted',
  segment_settled: 'the segment needs no reason: it is recorded or paused, or no recording of it is expected',
  reason_unknown: 'no reason was given for the segment of this reservation',
} as const;

const segmentUnknown = () => new CustodyError('segment_unknown', segmentMessages.segment_unknown);
const segmentSettled = () => new CustodyError('segment_settled', segmentMessages.segment_settled);
const reasonUnknown = () => new CustodyError('reason_unknown', segmentMessages.reason_unknown);
