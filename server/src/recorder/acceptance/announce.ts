import type { ReservationSid } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import type { Queue } from '../../queue/queue.ts';
import { recorderJobs } from '../jobs.ts';
import { readContacts } from '../sessions/kept/contacts-table.ts';

/** Later, the recording's own link is there, or is about to be (ms). */
const freshMs = 10 * 60_000;
/** Reservations that a process remembers to have announced. */
const mostKnown = 10_000;

/** Sends the job that links a reservation, once an agent has accepted it. A process that starts may send it a second time. */
export function announceAccepted({
  db,
  queue,
  now = Date.now,
}: {
  db: Pick<Db, 'query'>;
  queue: Pick<Queue, 'send'>;
  now?: () => number;
}): (numbers: readonly number[]) => Promise<void> {
  const announced = new Set<ReservationSid>();
  return async (numbers) => {
    const contacts = await readContacts(db, numbers);
    for (const one of contacts.flatMap(({ contact }) => contact.interactions)) {
      const { acceptedAt, kind, reservationSid, recording, taskSid } = one;
      if (!taskSid || acceptedAt === undefined || kind !== 'voice' || !recording.expected) continue;
      if (acceptedAt < now() - freshMs || announced.has(reservationSid)) continue;
      await queue.send(recorderJobs.linkAccepted, { taskSid, reservationSid, acceptedAt });
      if (announced.size >= mostKnown) announced.clear();
      announced.add(reservationSid);
    }
  };
}
