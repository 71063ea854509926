import { CustodyError, insightsStartTime, mergeReservationLink } from '@flex-custody/core';
import { changeTask } from '@flex-custody/twilio';
import type { RecorderDeps } from '../deps.ts';
import type { Acceptance } from '../jobs.ts';

export interface LinkAcceptedDeps {
  twilio: Pick<RecorderDeps['twilio'], 'reservation' | 'task' | 'updateTask'>;
  publicUrl: RecorderDeps['publicUrl'];
}

/**
 * Writes the link `?reservation=WR…` into the attributes of the reservation's task, unless a recording is linked there already. A task
 * that is gone needs none.
 * @throws CustodyError as TwilioApi does, and `task_contended` if other writers are faster each time
 */
export async function linkAccepted(
  { twilio, publicUrl }: LinkAcceptedDeps,
  { taskSid, reservationSid, acceptedAt }: Acceptance,
): Promise<void> {
  // The events say that it was accepted; TaskRouter says whose it is.
  const reservation = await twilio.reservation(taskSid, reservationSid);
  if (reservation?.taskSid !== taskSid) return;
  const changed = await changeTask(twilio, taskSid, (attributes, task) => {
    const start_time = insightsStartTime(
      acceptedAt,
      task.dateUpdated.getTime(),
      reservation.dateUpdated.getTime(),
    );
    const url_provider = `${publicUrl}/url-provider?reservation=${reservationSid}`;
    const entry = { type: 'VoiceRecording', url_provider, start_time } as const;
    return mergeReservationLink(attributes, { entry, reservationSid }) ?? 'same';
  });
  if (changed === 'contended')
    throw new CustodyError('task_contended', 'other writers keep changing the task attributes');
}
