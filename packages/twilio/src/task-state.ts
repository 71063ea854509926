import type { TaskSid } from '@flex-custody/core';
import { type Connection, read } from './connection.ts';

/** State of a task at TaskRouter. */
export interface TwilioTaskState {
  /**
   * Undefined where the task no longer exists. `accepted`: an agent still has it, which after a transfer may be another
   * worker than the one who first took it.
   */
  taskState(sid: TaskSid): Promise<{ status: string; accepted: boolean } | undefined>;
}

const mostReservations = 20;

export function taskStates({ workspace }: Connection): TwilioTaskState {
  return {
    taskState: (sid) =>
      read('the state of a task', async () => {
        const task = (await workspace()).tasks(sid);
        const [{ assignmentStatus }, reservations] = await Promise.all([
          task.fetch(),
          task.reservations.list({ reservationStatus: 'accepted', limit: mostReservations }),
        ]);
        return {
          status: assignmentStatus,
          accepted: reservations.some(({ reservationStatus }) => reservationStatus === 'accepted'),
        };
      }),
  };
}
