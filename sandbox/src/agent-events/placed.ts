import type { Conference, Reservation, Task, World } from '../world.ts';
import type { AgentEvent } from './list.ts';
import { taskRouterEvent } from './taskrouter.ts';
import { callEvent, conferenceEvent } from './voice.ts';

/** Of a placed call, what its events name. */
interface Placed {
  customerCall: string;
  reservations: readonly { reservation: string; call: string }[];
}

/** The events of a call that was made when it had already ended (calls.ts). */
export function placedEvents(
  world: World,
  { call, task, conference }: { call: Placed; task: Task; conference: Conference },
): AgentEvent[] {
  const made: AgentEvent[] = [];
  let sequence = 0;
  const as = (status: Task['status'], version: number): Task => ({ ...task, status, version });
  const tell = (type: string, at: Date, status: Task['status'], version: number, more: object = {}) =>
    made.push(taskRouterEvent(world, type, { at, task: as(status, version), ...more }));
  const confer = (name: string, at: Date, callSid?: string, left = false) => {
    const found = conference.participants.find((one) => one.callSid === callSid);
    sequence += 1;
    const participant = found && { ...found, status: left ? ('complete' as const) : ('connected' as const) };
    made.push(
      conferenceEvent(world, name, { at, conference, sequence, ...(participant && { participant }) }),
    );
  };
  const phone = (sid: string, status: 'initiated' | 'answered' | 'completed') => {
    const found = world.calls.get(sid);
    if (!found) return;
    const at = status === 'completed' ? (found.endedAt ?? found.updatedAt) : found.startedAt;
    made.push(callEvent(world, status, { at, call: found, task: task.sid }));
  };
  const known = world.taskEvents.get(task.sid);
  const start = task.createdAt;
  const end = conference.updatedAt;
  phone(call.customerCall, 'initiated');
  phone(call.customerCall, 'answered');
  tell('task.created', start, 'pending', 0, known && { known });
  tell('workflow.entered', start, 'pending', 0);
  tell('task-queue.entered', start, 'pending', 0);
  confer('conference-start', start);
  confer('participant-join', start, call.customerCall);
  for (const entry of call.reservations) {
    const reservation = world.reservations.get(entry.reservation);
    if (!reservation) continue;
    const turned = (status: Reservation['status']) => ({ reservation: { ...reservation, status } });
    const { createdAt: from, updatedAt: to } = reservation;
    tell('reservation.created', from, 'reserved', 1, turned('pending'));
    tell('reservation.accepted', from, 'assigned', 2, turned('accepted'));
    phone(entry.call, 'answered');
    confer('participant-join', from, entry.call);
    confer('participant-leave', to, entry.call, true);
    phone(entry.call, 'completed');
    tell('reservation.wrapup', to, 'wrapping', 3, turned('wrapping'));
  }
  confer('participant-leave', end, call.customerCall, true);
  confer('conference-end', end);
  phone(call.customerCall, 'completed');
  tell('task.wrapup', end, 'wrapping', 3);
  return made;
}
