import type { Delivery } from '../callbacks.ts';
import type { Task, World } from '../world.ts';

/** `GET /sandbox/live/calls/WT…`: what is live now, and what came of it. */
export interface LiveCallView {
  task: { sid: string; status: Task['status']; version: number; attributes: unknown };
  conference?: { sid: string; status: string };
  reservations: { sid: string; worker: string; status: string }[];
  legs: {
    call: string;
    to: string;
    status: string;
    label: string | null;
    worker?: string;
    participant: 'connected' | 'complete';
    hold: boolean;
    muted: boolean;
  }[];
  recordings: {
    sid: string;
    of: 'leg' | 'conference';
    call: string;
    status: string;
    seconds: number;
    source: string;
    channels: number;
    callback?: string;
    deliveries: readonly Delivery[];
  }[];
  transfers: { sid: string; mode: string; status: string; from: string; to: string }[];
}

export function viewLiveCall(
  world: World,
  task: Task,
  deliveries: (recordingSid: string) => readonly Delivery[],
): LiveCallView {
  const conference = [...world.conferences.values()].findLast((one) => one.friendlyName === task.sid);
  const participants = conference?.participants ?? [];
  const calls = new Set(participants.map(({ callSid }) => callSid));
  return {
    task: {
      sid: task.sid,
      status: task.status,
      version: task.version,
      attributes: JSON.parse(task.attributes) as unknown,
    },
    ...(conference ? { conference: { sid: conference.sid, status: conference.status } } : {}),
    reservations: [...world.reservations.values()]
      .filter((one) => one.taskSid === task.sid)
      .map(({ sid, workerSid, status }) => ({ sid, worker: workerSid, status })),
    legs: participants.map((one) => {
      const call = world.calls.get(one.callSid);
      return {
        call: one.callSid,
        to: call?.to ?? '',
        status: call?.status ?? 'completed',
        label: one.label,
        ...(one.workerSid === undefined ? {} : { worker: one.workerSid }),
        participant: one.status,
        hold: one.hold ?? false,
        muted: one.muted ?? false,
      };
    }),
    recordings: [...world.recordings.values()]
      .filter((one) => calls.has(one.callSid) || one.conferenceSid === (conference?.sid ?? '-'))
      .map((one) => ({
        sid: one.sid,
        of: one.conferenceSid === null ? ('leg' as const) : ('conference' as const),
        call: one.callSid,
        status: one.status,
        seconds: one.seconds,
        source: one.source,
        channels: one.channels,
        ...(one.callback === undefined ? {} : { callback: one.callback }),
        deliveries: deliveries(one.sid),
      })),
    transfers: [...world.transfers.values()]
      .filter((one) => one.taskSid === task.sid)
      .map((one) => ({
        sid: one.sid,
        mode: one.mode,
        status: one.status,
        from: one.initiatingReservation,
        to: one.to,
      })),
  };
}
