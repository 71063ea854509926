import { everyone, queueSid } from '../live/parameters.ts';
import type { Reservation } from '../world.ts';
import type { DesktopDeps } from './hub.ts';
import { activities } from './shapes.ts';

export interface IndexItem {
  key: string;
  data: Record<string, unknown>;
  revision: number;
}

/** Sync's indexes of TaskRouter: whom a call may be transferred to, and what a supervisor sees of the teams. */
export interface Indexes {
  /** Of the query language only the SIDs that it names are understood: items that name none of them are left out. */
  search(index: string, expression: string): IndexItem[];
  /** Undefined where the item has left the index. */
  reservation(reservation: Reservation): IndexItem | undefined;
}

const open: readonly Reservation['status'][] = ['pending', 'accepted', 'wrapping'];

export function createIndexes({ world, seats }: Pick<DesktopDeps, 'world' | 'seats'>): Indexes {
  const { workspaceSid } = world.account;
  const workers = (): IndexItem[] =>
    [...world.workers.values()].map((worker) => {
      const activity = seats.of(worker.sid)?.activity ?? activities[0];
      const data = {
        worker_sid: worker.sid,
        friendly_name: worker.friendlyName,
        attributes: JSON.parse(worker.attributes) as unknown,
        activity_name: activity?.name,
        worker_activity_sid: activity?.sid,
        date_activity_changed: worker.createdAt.toISOString(),
        workspace_sid: workspaceSid,
      };
      return { key: worker.sid, data, revision: 1 };
    });
  const queues = (): IndexItem[] => {
    const sid = queueSid(everyone);
    return [
      {
        key: sid,
        data: { queue_sid: sid, queue_name: everyone, workspace_sid: workspaceSid },
        revision: 1,
      },
    ];
  };
  const reservation = (one: Reservation): IndexItem | undefined => {
    const task = world.tasks.get(one.taskSid);
    if (task?.channel === undefined || !open.includes(one.status)) return undefined;
    const data = {
      reservation_sid: one.sid,
      task_sid: task.sid,
      worker_sid: one.workerSid,
      workspace_sid: workspaceSid,
      // As Insights has it, which Flex turns back.
      status: one.status === 'wrapping' ? 'wrapup' : one.status,
      task_status: task.status,
      task_channel_unique_name: task.channel,
      task_age: Math.round((Date.now() - task.createdAt.getTime()) / 1000),
      task_priority: 0,
      task_routing_target: task.routingTarget ?? null,
      queue_name: task.queue ?? everyone,
      attributes: JSON.parse(task.attributes) as unknown,
      date_created: one.createdAt.toISOString(),
      date_updated: one.updatedAt.toISOString(),
    };
    return { key: one.sid, data, revision: one.updatedAt.getTime() };
  };
  const reservations = () =>
    [...world.reservations.values()].map(reservation).filter((one) => one !== undefined);
  const indexes: Record<string, () => IndexItem[]> = {
    'tr-worker': workers,
    'tr-queue': queues,
    'tr-reservation': reservations,
  };

  return {
    reservation,
    search(index, expression) {
      const named = expression.match(/W[KQR][0-9a-f]{32}/g);
      const all = indexes[index]?.() ?? [];
      return all.filter(({ data }) => !named || named.some((sid) => Object.values(data).includes(sid)));
    },
  };
}
