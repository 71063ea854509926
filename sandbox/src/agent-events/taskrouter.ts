import { createHash } from 'node:crypto';
import { queueSid } from '../live/parameters.ts';
import { newSid } from '../sids.ts';
import type { Reservation, Task, Transfer, World } from '../world.ts';
import type { AgentEvent } from './list.ts';

const prefix = 'com.twilio.taskrouter.';
const everyone = 'Everyone';
const workflow = 'Assign to Anyone';

/** The same SID for the same thing, such as the workspace's only workflow. */
const fixedSid = (world: World, kind: string, what: string) =>
  `${kind}${createHash('md5').update(`${world.account.workspaceSid}:${what}`).digest('hex')}`;

interface Facts {
  at: Date;
  task?: Task;
  reservation?: Reservation;
  transfer?: Transfer;
  /** Beside what the resources say. */
  more?: Record<string, string | null>;
  /** Of an event whose SID and actor are in TaskRouter's history already. */
  known?: { sid: string; actor: { sid: string; type: string } };
}

/** An event of TaskRouter's, with the payload that Event Streams and the Events API have. @param type such as `task.created` */
export function taskRouterEvent(world: World, type: string, facts: Facts): AgentEvent {
  const { at, task, reservation, transfer, more, known } = facts;
  const [group = ''] = type.split('.');
  const worker = world.workers.get(reservation?.workerSid ?? '');
  const { account } = world;
  const resource = resourceOf(group, facts);
  const payload = {
    account_sid: account.accountSid,
    eventtype: type,
    resource_sid: resource.sid,
    resource_type: resource.type,
    timestamp: String(Math.floor(at.getTime() / 1_000)),
    timestamp_ms: String(at.getTime()),
    workspace_sid: account.workspaceSid,
    workspace_name: 'Flex Task Assignment',
    workflow_sid: fixedSid(world, 'WW', workflow),
    workflow_name: workflow,
    ...(task && ofTask(task, at)),
    ...(reservation && {
      reservation_sid: reservation.sid,
      reservation_version: String(reservationVersions[reservation.status]),
    }),
    ...(worker && {
      worker_sid: worker.sid,
      worker_name: worker.friendlyName,
      worker_attributes: worker.attributes,
    }),
    ...(transfer && ofTransfer(world, transfer)),
    ...more,
  };
  const sid = known?.sid ?? newSid('EV');
  return {
    id: `EZ${createHash('md5').update(sid).digest('hex')}`,
    type: prefix + type,
    at,
    ...(task && { task: task.sid }),
    taskRouter: {
      sid,
      type,
      description: `${group} ${resource.sid} ${type.slice(group.length + 1)}`,
      resource,
      actor: known?.actor ?? { sid: account.workspaceSid, type: 'workspace' },
      payload: { ...payload, sid },
    },
  };
}

function resourceOf(group: string, { task, reservation, more }: Facts): { sid: string; type: string } {
  if (group === 'reservation') return { sid: reservation?.sid ?? '', type: 'reservation' };
  if (group === 'worker') return { sid: more?.['worker_sid'] ?? '', type: 'worker' };
  // A queue's and a workflow's events are about the task in it.
  return { sid: task?.sid ?? '', type: 'task' };
}

const reservationVersions: Readonly<Record<Reservation['status'], number>> = {
  pending: 0,
  accepted: 1,
  rejected: 1,
  canceled: 1,
  rescinded: 1,
  wrapping: 2,
  completed: 3,
};

const ofTask = (task: Task, at: Date): Record<string, string | null> => {
  const queue = task.queue ?? everyone;
  const age = String(Math.max(0, Math.round((at.getTime() - task.createdAt.getTime()) / 1_000)));
  return {
    task_sid: task.sid,
    task_version: String(task.version),
    task_age: age,
    task_age_in_queue: age,
    task_assignment_status: task.status,
    task_attributes: task.attributes,
    task_canceled_reason: task.status === 'canceled' ? 'hangup' : null,
    task_completed_reason: null,
    task_channel_unique_name: task.channel ?? 'voice',
    task_date_created: String(Math.floor(task.createdAt.getTime() / 1_000)),
    task_priority: '0',
    task_queue_sid: queueSid(queue),
    task_queue_name: queue,
    task_queue_target_expression: '1==1',
    task_queue_entered_date: String(Math.floor(task.createdAt.getTime() / 1_000)),
    task_routing_target: task.routingTarget ?? null,
  };
};

const ofTransfer = (world: World, transfer: Transfer): Record<string, string | null> => {
  const first = world.reservations.get(transfer.initiatingReservation);
  return {
    task_transfer_sid: transfer.sid,
    transfer_mode: transfer.mode,
    transfer_type: transfer.to.startsWith('WQ') ? 'QUEUE' : 'WORKER',
    transfer_to: transfer.to,
    transfer_status: transfer.status === 'failed' ? 'initiated' : transfer.status,
    transfer_started: String(Math.floor(transfer.createdAt.getTime() / 1_000)),
    transfer_failed_reason: transfer.status === 'failed' ? 'Worker rejected' : null,
    transfer_initiating_reservation_sid: transfer.initiatingReservation,
    transfer_initiating_worker_sid: first?.workerSid ?? null,
  };
};
