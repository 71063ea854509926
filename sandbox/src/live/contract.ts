import type { Call, Reservation, Task, Transfer } from '../world.ts';
import type { RingOptions } from './attributes.ts';

/** Events for a desktop. Names are TaskRouter's own, but for `leg`, which is about a conference. */
export type LiveEvent =
  | {
      of: 'reservation';
      name: 'created' | 'accepted' | 'wrapup' | 'completed' | 'rejected' | 'canceled' | 'rescinded';
      reservation: Reservation;
    }
  | { of: 'task'; name: 'updated' | 'wrapup' | 'completed' | 'canceled'; task: Task }
  | {
      of: 'transfer';
      name: 'transfer-initiated' | 'transfer-completed' | 'transfer-canceled' | 'transfer-failed';
      transfer: Transfer;
    }
  | { of: 'leg'; name: 'added' | 'updated'; taskSid: string; callSid: string };

export interface Rung {
  task: Task;
  reservation: Reservation;
  customerCall?: Call;
}

/** Live calls: TaskRouter's life cycle of tasks and reservations, and what it does to the legs. */
export interface Exchange {
  ring(options: RingOptions): Rung;
  /** @throws Refused where TaskRouter would refuse */
  accept(reservation: Reservation, parameters: Readonly<Record<string, unknown>>): void;
  reject(reservation: Reservation): void;
  /** The agent leaves; the last one takes the customer's leg along. */
  hangUp(reservation: Reservation): void;
  customerHangUp(task: Task): void;
  transfer(reservation: Reservation, to: string, mode: Transfer['mode']): Transfer;
  cancelTransfer(transfer: Transfer): void;
  complete(reservation: Reservation): void;
  /** A task that no agent took waits again, in this queue, and rings another worker. */
  requeue(task: Task, queue: string, worker: string): Reservation;
  /** The customer of an outbound call answers; without it, a moment after the agent's acceptance. */
  customerAnswers(task: Task): void;
  /** The next hang-up that the agent's browser sends is lost: it crashes, or its network does, and the call lives on. */
  loseHangUp(reservation: Reservation): void;
  /** True once for each hang-up that is to be lost. */
  isHangUpLost(reservation: Reservation): boolean;
  /** The agent joined in another browser: a new leg instead of the old one, without a recording. */
  refreshLeg(reservation: Reservation): void;
  /** A supervisor listens in, muted. */
  supervise(reservation: Reservation, workerSid: string): void;
  /** A leg that has no reservation of its own ends: a supervisor's. */
  leave(taskSid: string, callSid: string): void;
  change(callSid: string, change: { hold?: boolean; muted?: boolean }): void;
  updateTask(task: Task, change: Partial<Pick<Task, 'attributes' | 'status'>>): void;
  legOf(reservation: Reservation): Call | undefined;
  customerOf(taskSid: string): Call | undefined;
  on(listener: (event: LiveEvent) => void): () => void;
  close(): void;
}
