import type { CallSid, ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type { TwilioLiveConference } from '@flex-custody/twilio';
import { ownTypes } from '../../events/event-types.ts';
import { ownEvent } from '../../events/own-event.ts';
import type { RecorderDeps } from '../deps.ts';

/** A hold or pause of which Twilio confirmed that the worker takes, or took, part in the task. */
export interface CheckedReport {
  /** The same for the same report. */
  id: string;
  kind: 'held' | 'unheld' | 'paused' | 'resumed';
  /** Epoch ms. */
  at: number;
  taskSid: TaskSid;
  workerSid: WorkerSid | undefined;
  /** As reported: it only chooses among several reservations of the worker. */
  reservationSid?: ReservationSid | undefined;
  /** The live conference in which the worker was found; undefined if the call is over. */
  conference: TwilioLiveConference | undefined;
  /** A leg of that conference: the one on hold, or that of the worker who paused. */
  callSid?: CallSid | undefined;
}

/**
 * Puts a report into the inbox for the sessions, once. Each SID in it ties it to one contact, so it has none that is only
 * reported.
 * @returns whether it is new
 * @throws CustodyError as TwilioApi and the database do
 */
export async function addToInbox(
  { inbox, twilio }: Pick<RecorderDeps, 'inbox'> & { twilio: Pick<RecorderDeps['twilio'], 'reservations'> },
  { id, kind, at, taskSid, workerSid, reservationSid: reported, conference, callSid }: CheckedReport,
): Promise<boolean> {
  const own = workerSid
    ? (await twilio.reservations(taskSid)).filter((one) => one.workerSid === workerSid)
    : [];
  const reservation = own.find(({ sid }) => sid === reported) ?? (own.length === 1 ? own[0] : undefined);
  // A conference that is not named after the task may be of another task of the worker.
  const named = conference?.friendlyName === taskSid ? conference : undefined;
  const event = ownEvent(ownTypes.report, id, at, {
    ...{ kind, taskSid },
    ...(reservation && { reservationSid: reservation.sid }),
    ...(named && { conferenceSid: named.sid, ...(callSid && { callSid }) }),
  });
  return (await inbox.take([event], { source: 'own' })).stored > 0;
}
