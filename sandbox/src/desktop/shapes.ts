import { createHash } from 'node:crypto';
import { everyone, queueSid } from '../live/parameters.ts';
import type { Reservation, Task, Transfer, Worker, World } from '../world.ts';

/** SIDs of what an account has once and no client requests over REST: derived, so that each restart has the same. */
const fixed = (prefix: string, name: string) =>
  prefix + createHash('sha256').update(name).digest('hex').slice(0, 32);

export const workflowSid = fixed('WW', 'Assign to Anyone');
const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

export const activities = [
  { name: 'Available', available: true },
  { name: 'Offline', available: false },
  { name: 'Break', available: false },
].map((one) => ({ ...one, sid: fixed('WA', one.name) }));
export type Activity = (typeof activities)[number];
export const offline = fixed('WA', 'Offline');

const channels = ['voice', 'chat', 'web', 'sms', 'default'] as const;
export const taskChannelSid = (name: string) => fixed('TC', name);

/** Shapes as `twilio-taskrouter` 2.1.1 reads them; a property that it lists and does not find makes it throw. */
export function activityShape(world: World, activity: Activity) {
  const { accountSid, workspaceSid, createdAt } = world.account;
  return {
    account_sid: accountSid,
    available: activity.available,
    date_created: seconds(createdAt),
    date_updated: seconds(createdAt),
    friendly_name: activity.name,
    sid: activity.sid,
    workspace_sid: workspaceSid,
  };
}

export function workerShape(world: World, worker: Worker, activity: Activity, version: number) {
  const { accountSid, workspaceSid } = world.account;
  return {
    account_sid: accountSid,
    activity_name: activity.name,
    activity_sid: activity.sid,
    attributes: worker.attributes,
    available: activity.available,
    date_created: seconds(worker.createdAt),
    date_status_changed: seconds(worker.createdAt),
    date_updated: seconds(worker.createdAt),
    friendly_name: worker.friendlyName,
    sid: worker.sid,
    workspace_sid: workspaceSid,
    version: String(version),
  };
}

export function queueShape(world: World, name: string) {
  const { accountSid, workspaceSid, createdAt } = world.account;
  return {
    account_sid: accountSid,
    workspace_sid: workspaceSid,
    sid: queueSid(name),
    friendly_name: name,
    assignment_activity_name: null,
    assignment_activity_sid: null,
    reservation_activity_name: null,
    reservation_activity_sid: null,
    target_workers: '1==1',
    max_reserved_workers: 1,
    task_order: 'FIFO',
    lifo_queue: false,
    date_created: seconds(createdAt),
    date_updated: seconds(createdAt),
  };
}

export function channelShapes(world: World, worker: Worker) {
  const { accountSid, workspaceSid } = world.account;
  return channels.map((name) => ({
    account_sid: accountSid,
    assigned_tasks: 0,
    available: true,
    available_capacity_percentage: 100,
    configured_capacity: name === 'voice' ? 1 : 3,
    date_created: seconds(worker.createdAt),
    date_updated: seconds(worker.createdAt),
    last_reserved_time: seconds(worker.createdAt),
    sid: fixed('WC', worker.sid + name),
    task_channel_sid: taskChannelSid(name),
    task_channel_unique_name: name,
    worker_sid: worker.sid,
    workspace_sid: workspaceSid,
  }));
}

export function taskShape(task: Task) {
  const queue = task.queue ?? everyone;
  const channel = task.channel ?? 'voice';
  return {
    addons: '{}',
    age: Math.round((Date.now() - task.createdAt.getTime()) / 1000),
    attributes: task.attributes,
    date_created: seconds(task.createdAt),
    date_updated: seconds(task.updatedAt),
    priority: 0,
    queue_name: queue,
    queue_sid: queueSid(queue),
    reason: null,
    routing_target: task.routingTarget ?? null,
    sid: task.sid,
    assignment_status: task.status,
    task_channel_unique_name: channel,
    task_channel_sid: taskChannelSid(channel),
    timeout: 86_400,
    workflow_name: 'Assign to Anyone',
    workflow_sid: workflowSid,
    version: String(task.version),
    virtual_start_time: seconds(task.createdAt),
  };
}

export function transferShape(world: World, transfer: Transfer) {
  const from = world.reservations.get(transfer.initiatingReservation);
  const queue = world.tasks.get(transfer.taskSid)?.queue ?? everyone;
  return {
    account_sid: world.account.accountSid,
    workspace_sid: world.account.workspaceSid,
    task_sid: transfer.taskSid,
    date_created: seconds(transfer.createdAt),
    date_updated: seconds(transfer.updatedAt),
    initiating_reservation_sid: transfer.initiatingReservation,
    initiating_worker_sid: from?.workerSid,
    initiating_queue_sid: queueSid(queue),
    initiating_workflow_sid: workflowSid,
    sid: transfer.sid,
    transfer_mode: transfer.mode,
    transfer_to: transfer.to,
    transfer_type: transfer.to.startsWith('WK') ? 'WORKER' : 'QUEUE',
    transfer_status: transfer.status,
    transfer_failed_reason: null,
  };
}

/** `undefined` when the task no longer exists. A transfer is left out where there is none: null makes the SDK throw. */
export function reservationShape(world: World, reservation: Reservation) {
  const task = world.tasks.get(reservation.taskSid);
  if (!task) return undefined;
  const incoming = world.transfers.get(reservation.transferSid ?? '');
  const outgoing = [...world.transfers.values()].find(
    (one) => one.initiatingReservation === reservation.sid && one.status === 'initiated',
  );
  return {
    account_sid: world.account.accountSid,
    workspace_sid: world.account.workspaceSid,
    date_created: seconds(reservation.createdAt),
    date_updated: seconds(reservation.updatedAt),
    reservation_status: reservation.status,
    sid: reservation.sid,
    task: taskShape(task),
    reservation_timeout: 120,
    worker_sid: reservation.workerSid,
    version: String(reservation.updatedAt.getTime()),
    ...(incoming ? { task_transfer: transferShape(world, incoming) } : {}),
    ...(outgoing ? { active_outgoing_task_transfer: transferShape(world, outgoing) } : {}),
  };
}
